//! `ottla cluster describe`

use clap::ArgMatches;
use serde_json::json;

use crate::connect::{failure, with_admin};
use crate::{Column, Command, Context, Failure, Report};

pub const COMMAND: Command = Command {
    path: &["cluster", "describe"],
    about: "Show the brokers of the cluster",
    example: "ottla cluster describe",
    arguments: |command| command,
    run,
};

const COLUMNS: &[Column] = &[
    Column::new("broker"),
    Column::new("host"),
    Column::new("port"),
    Column::new("controller"),
    Column::new("rack"),
];

fn run(context: &Context, _: &ArgMatches) -> Result<Report, Failure> {
    with_admin(context, async |admin| {
        let cluster = admin
            .describe_cluster()
            .await
            .map_err(|error| failure(context, &error))?;
        let row = |broker: &client::Broker| {
            json!({
                "broker": broker.id.0,
                "host": broker.host,
                "port": broker.port,
                "controller": broker.id == cluster.controller,
                "rack": broker.rack,
            })
        };
        let mut report = Report::of("brokers", COLUMNS, cluster.brokers.iter().map(row).collect());
        report.note = Some(format!("cluster {}", cluster.cluster_id));
        report.more.push(("cluster_id", json!(cluster.cluster_id)));
        Ok(report)
    })
}
