//! `ottla topic describe`: partitions with leader, copies and offsets, and the settings that are not the default.

use std::collections::BTreeMap;

use clap::ArgMatches;
use client::{Admin, ConfigSource, Isolation, OffsetSpec, Resource, Topic, TopicPartition};
use serde_json::{Value, json};

use crate::arguments::{names, values};
use crate::connect::{failure, note_failure, with_admin};
use crate::{Column, Command, Context, Failure, Report};

pub const COMMAND: Command = Command {
    path: &["topic", "describe"],
    about: "Show the partitions of topics, their copies and offsets, and settings that were changed",
    example: "ottla topic describe orders -o wide",
    arguments: |command| command.arg(names("topic", "Their names")),
    run,
};

const COLUMNS: &[Column] = &[
    Column::new("topic"),
    Column::new("partition"),
    Column::new("leader"),
    Column::new("replicas"),
    Column::new("in_sync"),
    Column::new("start_offset"),
    Column::new("end_offset"),
    Column::wide("leader_epoch"),
    Column::wide("offline"),
    Column::wide("topic_id"),
];

type Ends = BTreeMap<(TopicPartition, bool), i64>;

fn run(context: &Context, matches: &ArgMatches) -> Result<Report, Failure> {
    let wanted = values(matches, "topic");
    with_admin(context, async |admin| {
        let topics = admin
            .describe_topics(&wanted)
            .await
            .map_err(|error| failure(context, &error))?;
        let mut report = Report::new("partitions", COLUMNS);
        let mut notes = Vec::new();
        let mut configs = serde_json::Map::new();
        for (name, topic) in topics {
            let topic = match topic {
                Ok(topic) => topic,
                Err(error) => {
                    note_failure(&mut report, context, &name, &error);
                    continue;
                }
            };
            let ends = ends(&admin, &topic)
                .await
                .map_err(|error| failure(context, &error))?;
            report.rows.extend(rows(&topic, &ends));
            let changed = changed(&admin, &name)
                .await
                .map_err(|error| failure(context, &error))?;
            if !changed.is_empty() {
                let pairs: Vec<String> = changed
                    .iter()
                    .map(|(name, value)| format!("{name}={value}"))
                    .collect();
                notes.push(format!("{name}: {}", pairs.join(" ")));
            }
            configs.insert(name, json!(changed));
        }
        report.note = (!notes.is_empty()).then(|| notes.join("\n"));
        report.more.push(("configs", Value::Object(configs)));
        Ok(report)
    })
}

fn rows(topic: &Topic, ends: &Ends) -> Vec<Value> {
    let ids = |ids: &[client::BrokerId]| -> Vec<i32> { ids.iter().map(|id| id.0).collect() };
    let row = |partition: &client::Partition| {
        let end = |first| ends.get(&(TopicPartition::new(topic.name.clone(), partition.index.0), first));
        json!({
            "topic": &*topic.name,
            "partition": partition.index.0,
            "leader": partition.leader.0,
            "replicas": ids(&partition.replicas),
            "in_sync": ids(&partition.in_sync),
            "start_offset": end(true),
            "end_offset": end(false),
            "leader_epoch": partition.leader_epoch.0,
            "offline": ids(&partition.offline),
            "topic_id": topic.id.to_string(),
        })
    };
    topic.partitions.iter().map(row).collect()
}

/// The first and the next offset of every partition that has a leader.
async fn ends(admin: &Admin, topic: &Topic) -> client::Result<Ends> {
    let led = topic
        .partitions
        .iter()
        .filter(|partition| 0 <= partition.leader.0);
    let names: Vec<TopicPartition> = led
        .map(|partition| TopicPartition::new(topic.name.clone(), partition.index.0))
        .collect();
    let mut ends = Ends::new();
    for (spec, first) in [(OffsetSpec::Earliest, true), (OffsetSpec::Latest, false)] {
        let wanted: Vec<_> = names.iter().map(|name| (name.clone(), spec)).collect();
        for (name, found) in admin.list_offsets(&wanted, Isolation::ReadUncommitted).await? {
            if let Some(offset) = found.ok().and_then(|found| found.offset) {
                ends.insert((name, first), offset.0);
            }
        }
    }
    Ok(ends)
}

/// The settings that were set on the topic itself.
async fn changed(admin: &Admin, topic: &str) -> client::Result<BTreeMap<String, String>> {
    let mut changed = BTreeMap::new();
    for (_, entries) in admin.describe_configs(&[Resource::topic(topic)]).await? {
        for entry in entries?
            .into_iter()
            .filter(|entry| entry.source == ConfigSource::Topic)
        {
            changed.insert(entry.name, entry.value.unwrap_or_default());
        }
    }
    Ok(changed)
}
