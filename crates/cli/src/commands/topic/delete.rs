//! `ottla topic delete`

use clap::ArgMatches;
use client::ErrorCode;
use serde_json::json;

use crate::arguments::{names, switch, values};
use crate::connect::{failure, note_failure, with_admin};
use crate::{Column, Command, Context, Failure, Report};

pub const COMMAND: Command = Command {
    path: &["topic", "delete"],
    about: "Delete topics with everything in them",
    example: "ottla topic delete orders --yes",
    arguments: |command| {
        command
            .arg(names("topic", "Their names"))
            .arg(switch("if-exists", "A topic that does not exist is no error"))
    },
    run,
};

const COLUMNS: &[Column] = &[Column::new("topic"), Column::new("deleted")];

fn run(context: &Context, matches: &ArgMatches) -> Result<Report, Failure> {
    let topics = values(matches, "topic");
    let lenient = matches.get_flag("if-exists");
    context.confirm(&format!("deleting {} with all their records", topics.join(", ")))?;
    with_admin(context, async |admin| {
        let mut report = Report::new("topics", COLUMNS);
        report.dry_run = context.dry_run;
        let outcomes: Vec<(String, client::Result<()>)> = match context.dry_run {
            true => {
                let found = admin.describe_topics(&topics).await;
                let found = found.map_err(|error| failure(context, &error))?;
                found
                    .into_iter()
                    .map(|(name, topic)| (name, topic.map(|_| ())))
                    .collect()
            }
            false => {
                let deleted = admin.delete_topics(&topics).await;
                deleted.map_err(|error| failure(context, &error))?
            }
        };
        for (name, outcome) in outcomes {
            match outcome {
                Ok(()) => report
                    .rows
                    .push(json!({"topic": name, "deleted": !context.dry_run})),
                Err(error) if lenient && error.code() == Some(ErrorCode::UnknownTopicOrPartition) => {
                    report.rows.push(json!({"topic": name, "deleted": false}));
                }
                Err(error) => note_failure(&mut report, context, &name, &error),
            }
        }
        Ok(report)
    })
}
