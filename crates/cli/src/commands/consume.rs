//! `ottla consume`: records of topics from a point to a point, as they come, alone or in a group.

use std::collections::BTreeMap;
use std::io::Write;
use std::time::{Duration, Instant};

use clap::ArgMatches;
use client::{
    Admin, Client, CommittedOffset, Consumer, ConsumerConfig, Isolation, Offset, Record, Reset,
    TopicPartition,
};
use serde_json::{Value, json};

use super::partitions;
use super::topic::topic_and_partition;
use crate::arguments::{names, number, option, switch, value, values};
use crate::connect::{failure, with_client};
use crate::progress::Progress;
use crate::when::{self, Place};
use crate::{Command, Context, Failure, Format, Report, offsets};

pub const COMMAND: Command = Command {
    path: &["consume"],
    about: "Read records: all that are there, or with --follow those that come",
    example: "ottla consume orders --from \"5 min ago\" --follow -o jsonl",
    arguments,
    run,
};

fn arguments(command: clap::Command) -> clap::Command {
    command
        .arg(names("topic", "Topics, each as NAME or NAME:PARTITION"))
        .arg(
            option(
                "from",
                "PLACE",
                "earliest (default), latest, an offset, -N, a time, or \"5 min ago\"",
            )
            .allow_hyphen_values(true),
        )
        .arg(
            option(
                "until",
                "PLACE",
                "Where to stop, in the same words; the default is the end at the start",
            )
            .allow_hyphen_values(true),
        )
        .arg(switch("follow", "Wait for more at the end").short('f'))
        .arg(
            option(
                "group",
                "GROUP",
                "As a member of a group: from what it has committed, committing what was read",
            )
            .short('g'),
        )
        .arg(option("count", "N", "Stop after so many records").short('c'))
        .arg(switch("keys", "Show keys").short('k'))
        .arg(switch("headers", "Show headers"))
        .arg(switch("times", "Show partition, offset and time"))
        .arg(switch("committed", "Only committed records (read_committed)"))
        .arg(option(
            "grep",
            "TEXT",
            "Only records whose key or value has this text",
        ))
}

struct Wanted<'a> {
    topics: Vec<(&'a str, Option<i32>)>,
    from: Option<Place>,
    until: Option<Place>,
    follow: bool,
    group: Option<&'a str>,
    count: u64,
    grep: Option<&'a str>,
    show: Show,
}

/// What of a record a line shows.
#[derive(Clone, Copy)]
struct Show {
    keys: bool,
    headers: bool,
    times: bool,
    json: bool,
}

fn run(context: &Context, matches: &ArgMatches) -> Result<Report, Failure> {
    let now = crate::now_ms();
    let place = |name| {
        value(matches, name)
            .map(|text| when::place(text, now))
            .transpose()
    };
    let topics = values(matches, "topic")
        .into_iter()
        .map(topic_and_partition)
        .collect::<Result<Vec<_>, _>>()?;
    let wanted = Wanted {
        topics,
        from: place("from")?,
        until: place("until")?,
        follow: matches.get_flag("follow"),
        group: value(matches, "group"),
        count: number(matches, "count")?.unwrap_or(u64::MAX),
        grep: value(matches, "grep"),
        show: Show {
            keys: matches.get_flag("keys"),
            headers: matches.get_flag("headers"),
            times: matches.get_flag("times"),
            json: matches!(context.format, Format::Json | Format::JsonLines),
        },
    };
    let config = ConsumerConfig {
        group: wanted.group.map(str::to_owned),
        reset: match wanted.from {
            Some(Place::Latest) => Reset::Latest,
            _ => Reset::Earliest,
        },
        isolation: match matches.get_flag("committed") {
            true => Isolation::ReadCommitted,
            false => Isolation::ReadUncommitted,
        },
        // Committed by hand below: what was written out, not what was fetched.
        auto_commit: None,
        ..ConsumerConfig::default()
    };
    if wanted.group.is_some()
        && (wanted
            .from
            .is_some_and(|from| !matches!(from, Place::Earliest | Place::Latest))
            || wanted.until.is_some())
    {
        return Err(Failure::usage("a group goes on from what it has committed")
            .hint("`ottla group reset` moves a group; leave --group out to read from a place"));
    }
    with_client(context, async |client| {
        let read = consume(&client, &wanted, config).await;
        read.map_err(|error| match error {
            Ended::Client(error) => failure(context, &error),
            Ended::Said(failure) => failure,
        })
    })?;
    Ok(Report::silent())
}

enum Ended {
    Client(client::Error),
    Said(Failure),
}

impl From<client::Error> for Ended {
    fn from(error: client::Error) -> Ended {
        Ended::Client(error)
    }
}

/// A group that gets nothing for so long has read all there is.
const GROUP_PATIENCE: Duration = Duration::from_secs(5);
const POLL: Duration = Duration::from_millis(200);

async fn consume(client: &Client, wanted: &Wanted<'_>, config: ConsumerConfig) -> Result<(), Ended> {
    let mut consumer = client.consumer(config)?;
    let mut ends = Vec::new();
    if wanted.group.is_some() {
        let topics: Vec<&str> = wanted.topics.iter().map(|(topic, _)| *topic).collect();
        consumer.subscribe(&topics)?;
    } else {
        ends = assign(&client.admin(), &mut consumer, wanted).await?;
    }
    let mut written = 0;
    let mut quiet_since = Instant::now();
    let mut progress = Progress::beside_output();
    while written < wanted.count {
        if wanted.group.is_none() && !wanted.follow && all_read(&consumer, &ends) {
            break;
        }
        let records = consumer.poll(POLL).await?;
        if records.is_empty() {
            let done = wanted.group.is_some() && !wanted.follow && GROUP_PATIENCE < quiet_since.elapsed();
            if done {
                break;
            }
            continue;
        }
        quiet_since = Instant::now();
        let mut out = Vec::new();
        let mut shown: BTreeMap<TopicPartition, CommittedOffset> = BTreeMap::new();
        for (partition, record) in records.iter() {
            let beyond = ends
                .iter()
                .any(|(name, end)| name == partition && *end <= record.offset);
            if (beyond && !wanted.follow) || written == wanted.count {
                continue;
            }
            shown.insert(
                partition.clone(),
                CommittedOffset::new(Offset(record.offset.0 + 1)),
            );
            if has(&record, wanted.grep) {
                written += 1;
                line(partition, &record, wanted.show, &mut out);
            }
        }
        crate::tree::print(&out).map_err(Ended::Said)?;
        progress.at(written, Some(wanted.count).filter(|count| *count != u64::MAX));
        if wanted.group.is_some() {
            let commits: Vec<_> = shown.into_iter().collect();
            consumer.commit_offsets(&commits).await?;
        }
    }
    consumer.close().await?;
    Ok(())
}

/// Assigns the partitions from where it was asked; gives where each is to end.
async fn assign(
    admin: &Admin,
    consumer: &mut Consumer,
    wanted: &Wanted<'_>,
) -> client::Result<Vec<(TopicPartition, Offset)>> {
    let mut names = Vec::new();
    for (topic, partition) in &wanted.topics {
        names.extend(partitions(admin, topic, *partition).await?);
    }
    let starts = offsets::resolve(admin, &names, wanted.from.unwrap_or(Place::Earliest)).await?;
    let ends = offsets::resolve(admin, &names, wanted.until.unwrap_or(Place::Latest)).await?;
    consumer.assign(&names)?;
    for (name, offset) in &starts {
        consumer.seek(name, *offset)?;
    }
    Ok(ends)
}

fn all_read(consumer: &Consumer, ends: &[(TopicPartition, Offset)]) -> bool {
    ends.iter()
        .all(|(name, end)| consumer.position(name).is_some_and(|position| *end <= position))
}

fn has(record: &Record<'_>, text: Option<&str>) -> bool {
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        return true;
    };
    let within = |part: Option<&[u8]>| {
        part.is_some_and(|part| part.windows(text.len()).any(|window| window == text.as_bytes()))
    };
    within(record.key) || within(record.value)
}

fn line(partition: &TopicPartition, record: &Record<'_>, show: Show, out: &mut Vec<u8>) {
    if show.json {
        let _ = writeln!(out, "{}", object(partition, record));
        return;
    }
    if show.times {
        let time = if record.timestamp < 0 {
            "-".to_owned()
        } else {
            when::shown(record.timestamp)
        };
        let _ = write!(out, "{partition} {} {time} ", record.offset.0);
    }
    if show.keys {
        out.extend_from_slice(record.key.unwrap_or(b"-"));
        out.push(b'\t');
    }
    out.extend_from_slice(record.value.unwrap_or_default());
    if show.headers {
        let each: Vec<String> = record
            .headers
            .iter()
            .map(|(name, value)| format!("{}={}", lossy(name), value.map_or_else(|| "null".into(), lossy)))
            .collect();
        if !each.is_empty() {
            let _ = write!(out, "\t{}", each.join(","));
        }
    }
    out.push(b'\n');
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn object(partition: &TopicPartition, record: &Record<'_>) -> Value {
    let text = |part: Option<&[u8]>| part.map(lossy);
    let headers: Vec<Value> = record
        .headers
        .iter()
        .map(|(name, value)| json!([lossy(name), value.map(lossy)]))
        .collect();
    json!({
        "topic": &*partition.topic,
        "partition": partition.partition,
        "offset": record.offset.0,
        "timestamp": record.timestamp,
        "key": text(record.key),
        "value": text(record.value),
        "headers": headers,
    })
}
