//! `kafka-get-offsets.sh` (`GetOffsetShell` of Kafka 4.3).

use client::{Admin, Isolation, OffsetSpec, TopicPartition};

use super::connect::{self, said};
use super::options::{Flag, Options, flag, valued};
use super::pattern::{Pattern, is_internal};
use super::{Output, Stop, Tool};

pub(super) static TOOL: Tool = Tool {
    name: "kafka-get-offsets",
    about: "Shows offsets of partitions: ends, starts, or by time.",
    flags: FLAGS,
    run,
};

const FLAGS: &[Flag] = &[
    valued(
        "bootstrap-server",
        "the cluster, host:port[,host:port...]; needed",
    ),
    valued("topic", "a regular expression of topics"),
    valued("partitions", "numbers by commas"),
    valued(
        "topic-partitions",
        "patterns: topic:1,topic:0-3,topic:5-,topic:-3",
    ),
    valued(
        "time",
        "a timestamp in ms, or -1 latest, -2 earliest, -3 max-timestamp, -4 earliest-local, -5 latest-tiered",
    ),
    valued("command-config", "a properties file for the client"),
    flag("exclude-internal-topics", "leave out Kafka's own topics"),
    flag("help", "show this"),
    flag("version", "show the version"),
];

/// Which partitions: a topic's pattern and a range of numbers, the upper end exclusive.
struct Filter {
    topic: Option<Pattern>,
    from: i32,
    until: i32,
}

impl Filter {
    fn allows(&self, topic: &str, partition: i32) -> bool {
        let named = self.topic.as_ref().is_none_or(|pattern| pattern.matches(topic));
        named && (self.from..self.until).contains(&partition)
    }
}

fn run(options: &Options, output: &mut Output) -> Result<(), Stop> {
    if options.has("topic-partitions") && (options.has("topic") || options.has("partitions")) {
        return Err(Stop::Usage(
            "--topic-partitions cannot be used with --topic or --partitions".to_owned(),
        ));
    }
    let spec = spec(options.value("time").unwrap_or("latest"));
    let filters = filters(options)?;
    connect::with_admin(options, async |admin| {
        let found = match spec {
            Ok(spec) => offsets(options, &admin, spec, &filters).await,
            Err(message) => Err(message),
        };
        match found {
            Ok(lines) => lines.into_iter().for_each(|line| output.line(line)),
            Err(message) => {
                output.error_line(format!("Error occurred: {message}"));
                return Err(Stop::Exit(1));
            }
        }
        Ok(())
    })
}

fn spec(time: &str) -> Result<OffsetSpec, String> {
    Ok(match time {
        "latest" | "-1" => OffsetSpec::Latest,
        "earliest" | "-2" => OffsetSpec::Earliest,
        "max-timestamp" | "-3" => OffsetSpec::MaxTimestamp,
        "earliest-local" | "-4" => OffsetSpec::EarliestLocal,
        "latest-tiered" | "-5" => OffsetSpec::LatestTiered,
        other => {
            let malformed = |_| {
                format!(
                    "Malformed time argument {other}. Please use -1 or latest / -2 or earliest / -3 or max-timestamp \
                     / -4 or earliest-local / -5 or latest-tiered / -6 or earliest-pending-upload, or a specified \
                     long format timestamp"
                )
            };
            OffsetSpec::At(other.parse().map_err(malformed)?)
        }
    })
}

fn filters(options: &Options) -> Result<Vec<Filter>, Stop> {
    if let Some(patterns) = options.value("topic-partitions") {
        return patterns.split(',').map(filter).collect();
    }
    let pattern = || options.value("topic").map(Pattern::new).transpose();
    let Some(numbers) = options.value("partitions").filter(|numbers| !numbers.is_empty()) else {
        return Ok(vec![Filter {
            topic: pattern()?,
            from: 0,
            until: i32::MAX,
        }]);
    };
    let one = |number: &str| {
        let wrong = |_| Stop::Usage(format!("--partitions expects a list of numbers, not {number}"));
        let number: i32 = number.trim().parse().map_err(wrong)?;
        Ok(Filter {
            topic: pattern()?,
            from: number,
            until: number.saturating_add(1),
        })
    };
    numbers.split(',').map(one).collect()
}

/// `topic`, `topic:N`, `topic:N-M`, `topic:N-`, `topic:-M`; without a topic it is any.
fn filter(text: &str) -> Result<Filter, Stop> {
    let wrong = || Stop::Usage(format!("Invalid rule {text}"));
    let (topic, range) = text.split_once(':').unwrap_or((text, ""));
    let topic = if topic.is_empty() {
        None
    } else {
        Some(Pattern::new(topic)?)
    };
    let number = |text: &str, otherwise| match text {
        "" => Ok(otherwise),
        digits => digits.parse::<i32>().map_err(|_| wrong()),
    };
    let (from, until) = match range.split_once('-') {
        Some((low, high)) => (number(low, 0)?, number(high, i32::MAX)?),
        None if range.is_empty() => (0, i32::MAX),
        None => {
            let one = number(range, 0)?;
            (one, one.saturating_add(1))
        }
    };
    Ok(Filter { topic, from, until })
}

async fn offsets(
    options: &Options,
    admin: &Admin,
    spec: OffsetSpec,
    filters: &[Filter],
) -> Result<Vec<String>, String> {
    let topics = admin.list_topics().await.map_err(|error| said(&error))?;
    let mut wanted = Vec::new();
    for topic in topics {
        if options.has("exclude-internal-topics") && is_internal(&topic.name) {
            continue;
        }
        for partition in 0..i32::try_from(topic.partitions).unwrap_or(0) {
            if filters.iter().any(|filter| filter.allows(&topic.name, partition)) {
                wanted.push((TopicPartition::new(topic.name.as_str(), partition), spec));
            }
        }
    }
    if wanted.is_empty() {
        return Err("Could not match any topic-partitions with the specified filters".to_owned());
    }
    let found = admin
        .list_offsets(&wanted, Isolation::ReadUncommitted)
        .await
        .map_err(|error| said(&error))?;
    let line = |(name, found): (TopicPartition, client::Result<client::FoundOffset>)| {
        let offset = found.ok()?.offset?;
        Some(format!("{}:{}:{offset}", name.topic, name.partition))
    };
    Ok(found.into_iter().filter_map(line).collect())
}
