//! `ottla cluster config`: the settings of brokers, shown and changed while they run.

use clap::ArgMatches;
use client::{BrokerId, ConfigEntry, ConfigSource, Resource};
use serde_json::{Value, json};

use crate::arguments::{number, option, switch};
use crate::connect::{failure, note_failure, with_admin};
use crate::{Column, Command, Context, Failure, Report, changes};

pub const COMMAND: Command = Command {
    path: &["cluster", "config"],
    about: "Show the settings of the cluster or of a broker, or change them",
    example: "ottla cluster config --set log.retention.ms=604800000",
    arguments,
    run,
};

const COLUMNS: &[Column] = &[
    Column::new("name"),
    Column::new("value"),
    Column::new("source"),
    Column::wide("read_only"),
    Column::wide("sensitive"),
];

const CHANGED: &[Column] = &[
    Column::new("broker"),
    Column::new("changed"),
    Column::new("applied"),
];

fn arguments(command: clap::Command) -> clap::Command {
    let command = command
        .arg(option(
            "broker",
            "ID",
            "One broker; without it the settings that hold for all",
        ))
        .arg(switch("all", "Defaults, too"));
    changes::arguments(command)
}

fn run(context: &Context, matches: &ArgMatches) -> Result<Report, Failure> {
    let broker: Option<i32> = number(matches, "broker")?;
    let changes = changes::given(matches)?;
    let all = matches.get_flag("all");
    let resource = match broker {
        Some(id) => Resource::broker(BrokerId(id)),
        None => Resource::all_brokers(),
    };
    with_admin(context, async |admin| {
        let failed = |error: client::Error| failure(context, &error);
        if changes.is_empty() {
            let mut report = Report::new("settings", COLUMNS);
            for (_, entries) in admin.describe_configs(&[resource]).await.map_err(failed)? {
                let entries = entries.map_err(failed)?;
                let shown = entries
                    .iter()
                    .filter(|entry| all || entry.source != ConfigSource::Default);
                report.rows.extend(shown.map(row));
            }
            return Ok(report);
        }
        let mut report = Report::new("brokers", CHANGED);
        report.dry_run = context.dry_run;
        let said = changes::said(&changes);
        let name = broker.map_or("all".to_owned(), |id| id.to_string());
        for (_, outcome) in admin
            .alter_configs(&[(resource, changes)], context.dry_run)
            .await
            .map_err(failed)?
        {
            match outcome {
                Ok(()) => report
                    .rows
                    .push(json!({"broker": name, "changed": said, "applied": !context.dry_run})),
                Err(error) => note_failure(&mut report, context, &name, &error),
            }
        }
        Ok(report)
    })
}

fn row(entry: &ConfigEntry) -> Value {
    json!({
        "name": entry.name,
        "value": entry.value,
        "source": source(entry.source),
        "read_only": entry.read_only,
        "sensitive": entry.sensitive,
    })
}

fn source(source: ConfigSource) -> &'static str {
    match source {
        ConfigSource::Topic => "topic",
        ConfigSource::DynamicBroker => "broker",
        ConfigSource::DynamicDefaultBroker => "cluster",
        ConfigSource::StaticBroker => "file",
        ConfigSource::Default => "default",
        ConfigSource::DynamicBrokerLogger => "logger",
        ConfigSource::ClientMetrics => "client_metrics",
        ConfigSource::Group => "group",
        ConfigSource::Unknown(_) => "unknown",
    }
}
