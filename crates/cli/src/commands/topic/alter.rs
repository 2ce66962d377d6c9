//! `ottla topic alter`: more partitions, other settings.

use clap::ArgMatches;
use client::{ConfigChange, Resource};
use serde_json::json;

use crate::arguments::{names, number, option, values};
use crate::changes;
use crate::connect::{failure, note_failure, with_admin};
use crate::{Column, Command, Context, Failure, Report};

pub const COMMAND: Command = Command {
    path: &["topic", "alter"],
    about: "Give topics more partitions or other settings",
    example: "ottla topic alter orders --set retention.ms=86400000 --unset cleanup.policy",
    arguments,
    run,
};

const COLUMNS: &[Column] = &[
    Column::new("topic"),
    Column::new("changed"),
    Column::new("applied"),
];

fn arguments(command: clap::Command) -> clap::Command {
    let command = command.arg(names("topic", "Their names")).arg(
        option(
            "partitions",
            "COUNT",
            "Partitions that each is to have in all; more than now",
        )
        .short('p'),
    );
    changes::arguments(command)
}

fn run(context: &Context, matches: &ArgMatches) -> Result<Report, Failure> {
    let topics = values(matches, "topic");
    let partitions: Option<i32> = number(matches, "partitions")?;
    let changes = changes::given(matches)?;
    if partitions.is_none() && changes.is_empty() {
        return Err(Failure::usage("nothing is to be changed")
            .hint("give --partitions, --set, --unset, --append or --subtract"));
    }
    with_admin(context, async |admin| {
        let mut report = Report::new("topics", COLUMNS);
        report.dry_run = context.dry_run;
        if let Some(count) = partitions {
            let wanted: Vec<(&str, i32)> = topics.iter().map(|topic| (*topic, count)).collect();
            let grown = admin.create_partitions(&wanted, context.dry_run).await;
            for (topic, outcome) in grown.map_err(|error| failure(context, &error))? {
                note(
                    &mut report,
                    context,
                    &topic,
                    &format!("partitions={count}"),
                    outcome,
                );
            }
        }
        if !changes.is_empty() {
            let wanted: Vec<(Resource, Vec<ConfigChange>)> = topics
                .iter()
                .map(|topic| (Resource::topic(topic), changes.clone()))
                .collect();
            let changed = admin.alter_configs(&wanted, context.dry_run).await;
            let said = changes::said(&changes);
            for (resource, outcome) in changed.map_err(|error| failure(context, &error))? {
                note(&mut report, context, &resource.name, &said, outcome);
            }
        }
        Ok(report)
    })
}

fn note(report: &mut Report, context: &Context, topic: &str, changed: &str, outcome: client::Result<()>) {
    match outcome {
        Ok(()) => {
            let row = json!({"topic": topic, "changed": changed, "applied": !context.dry_run});
            report.rows.push(row);
        }
        Err(error) => note_failure(report, context, topic, &error),
    }
}
