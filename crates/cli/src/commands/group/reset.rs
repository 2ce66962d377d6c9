//! `ottla group reset`: commit other offsets for a group without members.

use std::collections::BTreeMap;

use clap::ArgMatches;
use client::{Admin, CommittedOffset, Offset, TopicPartition};
use serde_json::json;

use super::super::topic::{partitions, topic_and_partition};
use crate::arguments::{number, option, repeated, switch, value, values};
use crate::connect::{failure, note_failure, with_admin};
use crate::when::{self, Place};
use crate::{Column, Command, Context, Failure, Report, offsets};

pub const COMMAND: Command = Command {
    path: &["group", "reset"],
    about: "Set where a group without members goes on reading",
    example: "ottla group reset billing --topic orders --to \"2 hours ago\" --yes",
    arguments,
    run,
};

const COLUMNS: &[Column] = &[
    Column::new("group"),
    Column::new("topic"),
    Column::new("partition"),
    Column::new("from_offset"),
    Column::new("to_offset"),
];

fn arguments(command: clap::Command) -> clap::Command {
    command
        .arg(clap::Arg::new("group").required(true).help("Its id"))
        .arg(
            repeated(
                "topic",
                "TOPIC[:PARTITION]",
                "Which topics; may come more than once",
            )
            .short('t'),
        )
        .arg(switch("all-topics", "Every topic that the group has offsets for"))
        .arg(option(
            "to",
            "PLACE",
            "earliest, latest, an offset, -N, a time, or \"5 min ago\"",
        ))
        .arg(
            option("shift", "COUNT", "So many records forward, or back if negative")
                .allow_hyphen_values(true),
        )
}

/// Where to.
enum Target {
    Place(Place),
    Shift(i64),
}

fn run(context: &Context, matches: &ArgMatches) -> Result<Report, Failure> {
    let group = value(matches, "group").unwrap_or_default();
    let target = target(matches)?;
    let topics = values(matches, "topic")
        .into_iter()
        .map(topic_and_partition)
        .collect::<Result<Vec<_>, _>>()?;
    if topics.is_empty() && !matches.get_flag("all-topics") {
        return Err(Failure::usage("no topic is named").hint("give --topic TOPIC or --all-topics"));
    }
    context.confirm(&format!("changing the offsets of group {group}"))?;
    with_admin(context, async |admin| {
        let failed = |error: client::Error| failure(context, &error);
        let committed: BTreeMap<_, _> = admin
            .committed_offsets(group, None)
            .await
            .map_err(failed)?
            .into_iter()
            .collect();
        let at: BTreeMap<TopicPartition, Offset> = committed
            .into_iter()
            .map(|(name, committed)| (name, committed.offset))
            .collect();
        let names = named(&admin, &topics, &at).await.map_err(failed)?;
        let wanted = aims(&admin, &names, &at, &target).await.map_err(failed)?;
        let mut report = Report::new("offsets", COLUMNS);
        report.dry_run = context.dry_run;
        let mut outcomes: BTreeMap<TopicPartition, client::Result<()>> = BTreeMap::new();
        if !context.dry_run {
            let commits: Vec<_> = wanted
                .iter()
                .map(|(name, offset)| (name.clone(), CommittedOffset::new(*offset)))
                .collect();
            outcomes.extend(admin.alter_offsets(group, &commits).await.map_err(failed)?);
        }
        for (name, offset) in wanted {
            match outcomes.remove(&name) {
                Some(Err(error)) => note_failure(&mut report, context, &name.to_string(), &error),
                _ => report.rows.push(json!({
                    "group": group,
                    "topic": &*name.topic,
                    "partition": name.partition,
                    "from_offset": at.get(&name).map(|offset| offset.0),
                    "to_offset": offset.0,
                })),
            }
        }
        Ok(report)
    })
}

fn target(matches: &ArgMatches) -> Result<Target, Failure> {
    let shift: Option<i64> = number(matches, "shift")?;
    match (value(matches, "to"), shift) {
        (Some(place), None) => when::place(place, crate::now_ms()).map(Target::Place),
        (None, Some(count)) => Ok(Target::Shift(count)),
        _ => Err(Failure::usage("where to is not clear").hint("give either --to PLACE or --shift COUNT")),
    }
}

async fn named(
    admin: &Admin,
    topics: &[(&str, Option<i32>)],
    at: &BTreeMap<TopicPartition, Offset>,
) -> client::Result<Vec<TopicPartition>> {
    if topics.is_empty() {
        return Ok(at.keys().cloned().collect());
    }
    let mut names = Vec::new();
    for (topic, partition) in topics {
        names.extend(partitions(admin, topic, *partition).await?);
    }
    Ok(names)
}

async fn aims(
    admin: &Admin,
    names: &[TopicPartition],
    at: &BTreeMap<TopicPartition, Offset>,
    target: &Target,
) -> client::Result<Vec<(TopicPartition, Offset)>> {
    match target {
        Target::Place(place) => offsets::resolve(admin, names, *place).await,
        Target::Shift(count) => {
            let moved = names.iter().filter_map(|name| {
                let from = at.get(name)?;
                Some((name.clone(), Offset(from.0.saturating_add(*count))))
            });
            offsets::within(admin, moved.collect()).await
        }
    }
}
