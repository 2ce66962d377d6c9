//! `ottla group describe`: members and what each has.

use clap::ArgMatches;
use serde_json::{Value, json};

use crate::arguments::{names, values};
use crate::connect::{failure, note_failure, with_admin};
use crate::{Column, Command, Context, Failure, Report};

pub const COMMAND: Command = Command {
    path: &["group", "describe"],
    about: "Show the members of groups and the partitions that each has",
    example: "ottla group describe billing",
    arguments: |command| command.arg(names("group", "Their ids")),
    run,
};

const COLUMNS: &[Column] = &[
    Column::new("group"),
    Column::new("client_id"),
    Column::new("host"),
    Column::new("partitions"),
    Column::new("member_id"),
    Column::wide("instance_id"),
];

fn run(context: &Context, matches: &ArgMatches) -> Result<Report, Failure> {
    let groups = values(matches, "group");
    with_admin(context, async |admin| {
        let described = admin.describe_groups(&groups).await;
        let mut report = Report::new("members", COLUMNS);
        let mut notes = Vec::new();
        let mut states = Vec::new();
        for (id, group) in described.map_err(|error| failure(context, &error))? {
            let group = match group {
                Ok(group) => group,
                Err(error) => {
                    note_failure(&mut report, context, &id, &error);
                    continue;
                }
            };
            notes.push(said(&id, &group));
            states.push(json!({
                "group": id,
                "state": group.state,
                "type": group.group_type,
                "assignor": group.assignor,
                "coordinator": group.coordinator.0,
                "members": group.members.len(),
            }));
            report
                .rows
                .extend(group.members.iter().map(|member| row(&id, member)));
        }
        report.note = (!notes.is_empty()).then(|| notes.join("\n"));
        report.more.push(("groups", Value::Array(states)));
        Ok(report)
    })
}

fn said(id: &str, group: &client::GroupDescription) -> String {
    let assignor = if group.assignor.is_empty() {
        "none"
    } else {
        &group.assignor
    };
    format!(
        "{id}: {}, {} members, assignor {assignor}, coordinator {}",
        group.state,
        group.members.len(),
        group.coordinator.0
    )
}

fn row(group: &str, member: &client::GroupMember) -> Value {
    let partitions: Vec<String> = member.assignment.iter().map(ToString::to_string).collect();
    json!({
        "group": group,
        "client_id": member.client_id,
        "host": member.host,
        "partitions": partitions,
        "member_id": member.member_id,
        "instance_id": member.instance_id,
    })
}
