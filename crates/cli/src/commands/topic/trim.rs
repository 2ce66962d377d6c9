//! `ottla topic trim`: delete the records of a topic below a point.

use clap::{Arg, ArgMatches};
use client::{Admin, Offset, TopicPartition};
use serde_json::json;

use crate::arguments::{option, value};
use crate::connect::{failure, note_failure, with_admin};
use crate::when;
use crate::{Column, Command, Context, Failure, Report};

pub const COMMAND: Command = Command {
    path: &["topic", "trim"],
    about: "Delete the records of a topic that lie before a point",
    example: "ottla topic trim orders --before \"7 days ago\" --yes",
    arguments,
    run,
};

const COLUMNS: &[Column] = &[
    Column::new("topic"),
    Column::new("partition"),
    Column::new("start_offset"),
];

fn arguments(command: clap::Command) -> clap::Command {
    command
        .arg(
            Arg::new("topic")
                .required(true)
                .help("Its name, or NAME:PARTITION"),
        )
        .arg(option("before", "PLACE", "latest, an offset, a time, or \"5 min ago\"").required(true))
}

fn run(context: &Context, matches: &ArgMatches) -> Result<Report, Failure> {
    let said = value(matches, "topic").unwrap_or_default();
    let (topic, partition) = topic_and_partition(said)?;
    let before = when::place(value(matches, "before").unwrap_or_default(), crate::now_ms())?;
    context.confirm(&format!("deleting records of {said}"))?;
    with_admin(context, async |admin| {
        let failed = |error: client::Error| failure(context, &error);
        let mut report = Report::new("partitions", COLUMNS);
        report.dry_run = context.dry_run;
        let partitions = partitions(&admin, topic, partition).await.map_err(failed)?;
        let places = crate::offsets::resolve(&admin, &partitions, before)
            .await
            .map_err(failed)?;
        if context.dry_run {
            let row = |(name, offset): &(TopicPartition, Offset)| json!({"topic": &*name.topic, "partition": name.partition, "start_offset": offset.0});
            report.rows = places.iter().map(row).collect();
            return Ok(report);
        }
        let wanted: Vec<(TopicPartition, Option<Offset>)> = places
            .into_iter()
            .map(|(name, offset)| (name, Some(offset)))
            .collect();
        for (name, outcome) in admin.delete_records(&wanted).await.map_err(failed)? {
            match outcome {
                Ok(start) => report.rows.push(
                    json!({"topic": &*name.topic, "partition": name.partition, "start_offset": start.0}),
                ),
                Err(error) => note_failure(&mut report, context, &name.to_string(), &error),
            }
        }
        Ok(report)
    })
}

/// `NAME` or `NAME:PARTITION`; no topic's name has a colon.
pub(crate) fn topic_and_partition(text: &str) -> Result<(&str, Option<i32>), Failure> {
    let Some((topic, partition)) = text.split_once(':') else {
        return Ok((text, None));
    };
    let wrong = |_| Failure::usage(format!("{text:?}: {partition:?} is no partition's number"));
    partition
        .parse()
        .map(|partition| (topic, Some(partition)))
        .map_err(wrong)
}

/// The partitions of a topic, or the one that was named.
pub(crate) async fn partitions(
    admin: &Admin,
    topic: &str,
    partition: Option<i32>,
) -> client::Result<Vec<TopicPartition>> {
    let mut names = Vec::new();
    for (name, described) in admin.describe_topics(&[topic]).await? {
        let described = described?;
        if let Some(partition) = partition {
            described.partition(partition)?;
            names.push(TopicPartition::new(name.as_str(), partition));
            continue;
        }
        let of = |partition: &client::Partition| TopicPartition::new(name.as_str(), partition.index.0);
        names.extend(described.partitions.iter().map(of));
    }
    Ok(names)
}
