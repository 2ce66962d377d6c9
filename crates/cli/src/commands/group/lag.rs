//! `ottla group lag`: how far a group is behind, partition by partition.

use std::collections::BTreeMap;

use clap::ArgMatches;
use client::{Admin, OffsetSpec, TopicPartition};
use serde_json::{Value, json};

use crate::arguments::{names, values};
use crate::connect::{failure, note_failure, with_admin};
use crate::{Column, Command, Context, Failure, Report, offsets};

pub const COMMAND: Command = Command {
    path: &["group", "lag"],
    about: "Show how far groups are behind, partition by partition",
    example: "ottla group lag billing",
    arguments: |command| command.arg(names("group", "Their ids")),
    run,
};

const COLUMNS: &[Column] = &[
    Column::new("group"),
    Column::new("topic"),
    Column::new("partition"),
    Column::new("committed"),
    Column::new("end_offset"),
    Column::new("lag"),
    Column::new("client_id"),
    Column::wide("member_id"),
    Column::wide("host"),
    Column::wide("metadata"),
];

fn run(context: &Context, matches: &ArgMatches) -> Result<Report, Failure> {
    let groups = values(matches, "group");
    with_admin(context, async |admin| {
        let mut report = Report::new("offsets", COLUMNS);
        let mut notes = Vec::new();
        for group in groups {
            match rows(&admin, group).await {
                Ok(rows) => {
                    let lag: i64 = rows.iter().filter_map(|row| row.get("lag")?.as_i64()).sum();
                    notes.push(format!("{group}: {lag} records behind"));
                    report.rows.extend(rows);
                }
                Err(error @ client::Error::Broker { .. }) => {
                    note_failure(&mut report, context, group, &error)
                }
                Err(error) => return Err(failure(context, &error)),
            }
        }
        report.note = (!notes.is_empty()).then(|| notes.join("\n"));
        Ok(report)
    })
}

async fn rows(admin: &Admin, group: &str) -> client::Result<Vec<Value>> {
    let mut owners = BTreeMap::new();
    for (_, described) in admin.describe_groups(&[group]).await? {
        for member in described?.members {
            let partitions = member.assignment.clone();
            owners.extend(
                partitions
                    .into_iter()
                    .map(|partition| (partition, member.clone())),
            );
        }
    }
    let committed: BTreeMap<_, _> = admin.committed_offsets(group, None).await?.into_iter().collect();
    let mut names: Vec<TopicPartition> = committed.keys().chain(owners.keys()).cloned().collect();
    names.sort();
    names.dedup();
    let ends: BTreeMap<_, _> = offsets::lookup(admin, &names, OffsetSpec::Latest)
        .await?
        .into_iter()
        .collect();
    let row = |name: &TopicPartition| {
        let at = committed.get(name).map(|committed| committed.offset.0);
        let end = ends.get(name).map(|end| end.0);
        let owner = owners.get(name);
        json!({
            "group": group,
            "topic": &*name.topic,
            "partition": name.partition,
            "committed": at,
            "end_offset": end,
            "lag": at.zip(end).map(|(at, end)| (end - at).max(0)),
            "client_id": owner.map(|member| member.client_id.as_str()),
            "member_id": owner.map(|member| member.member_id.as_str()),
            "host": owner.map(|member| member.host.as_str()),
            "metadata": committed.get(name).map(|committed| committed.metadata.as_str()),
        })
    };
    Ok(names.iter().map(row).collect())
}
