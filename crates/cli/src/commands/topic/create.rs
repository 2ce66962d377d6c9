//! `ottla topic create`

use clap::ArgMatches;
use client::{ErrorCode, NewTopic};
use serde_json::json;

use crate::arguments::{names, number, option, pair, repeated, switch, values};
use crate::connect::{failure, note_failure, with_admin};
use crate::{Column, Command, Context, Failure, Report};

pub const COMMAND: Command = Command {
    path: &["topic", "create"],
    about: "Create topics",
    example: "ottla topic create orders -p 6 -c cleanup.policy=compact",
    arguments,
    run,
};

const COLUMNS: &[Column] = &[
    Column::new("topic"),
    Column::new("partitions"),
    Column::new("replication_factor"),
    Column::new("created"),
    Column::wide("topic_id"),
];

fn arguments(command: clap::Command) -> clap::Command {
    command
        .arg(names("topic", "Their names"))
        .arg(
            option(
                "partitions",
                "COUNT",
                "Partitions of each (default: the cluster's num.partitions)",
            )
            .short('p'),
        )
        .arg(
            option(
                "replication-factor",
                "COUNT",
                "Copies of each partition (default: the cluster's)",
            )
            .short('r'),
        )
        .arg(
            repeated(
                "config",
                "NAME=VALUE",
                "A setting of the topics; may come more than once",
            )
            .short('c'),
        )
        .arg(switch("if-not-exists", "A topic that exists is no error"))
}

fn run(context: &Context, matches: &ArgMatches) -> Result<Report, Failure> {
    let topics = wanted(matches)?;
    let lenient = matches.get_flag("if-not-exists");
    with_admin(context, async |admin| {
        let answered = match context.dry_run {
            true => admin.check_topics(&topics).await,
            false => admin.create_topics(&topics).await,
        };
        let answered = answered.map_err(|error| failure(context, &error))?;
        let mut report = Report::new("topics", COLUMNS);
        report.dry_run = context.dry_run;
        for (name, outcome) in answered {
            match outcome {
                Ok(created) => report.rows.push(json!({
                    "topic": name,
                    "partitions": created.partitions,
                    "replication_factor": created.replication_factor,
                    "created": !context.dry_run,
                    "topic_id": created.id.to_string(),
                })),
                Err(error) if lenient && error.code() == Some(ErrorCode::TopicAlreadyExists) => {
                    report.rows.push(json!({
                        "topic": name,
                        "partitions": null,
                        "replication_factor": null,
                        "created": false,
                        "topic_id": null,
                    }));
                }
                Err(error) => note_failure(&mut report, context, &name, &error),
            }
        }
        Ok(report)
    })
}

fn wanted(matches: &ArgMatches) -> Result<Vec<NewTopic>, Failure> {
    let partitions: Option<i32> = number(matches, "partitions")?;
    let copies: Option<i16> = number(matches, "replication-factor")?;
    let configs = values(matches, "config")
        .into_iter()
        .map(|text| pair(text, "config"))
        .collect::<Result<Vec<_>, _>>()?;
    let topic = |name: &str| {
        let mut topic = NewTopic::new(name);
        if let Some(count) = partitions {
            topic = topic.partitions(count);
        }
        if let Some(count) = copies {
            topic = topic.replication_factor(count);
        }
        configs
            .iter()
            .fold(topic, |topic, (name, value)| topic.config(name, value))
    };
    Ok(values(matches, "topic").into_iter().map(topic).collect())
}
