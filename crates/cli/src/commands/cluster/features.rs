//! `ottla cluster features`

use clap::ArgMatches;
use serde_json::json;

use crate::connect::{failure, with_admin};
use crate::{Column, Command, Context, Failure, Report};

pub const COMMAND: Command = Command {
    path: &["cluster", "features"],
    about: "Show the features of the cluster and the levels that are in use",
    example: "ottla cluster features",
    arguments: |command| command,
    run,
};

const COLUMNS: &[Column] = &[
    Column::new("feature"),
    Column::new("supported_from"),
    Column::new("supported_to"),
    Column::new("level"),
];

fn run(context: &Context, _: &ArgMatches) -> Result<Report, Failure> {
    with_admin(context, async |admin| {
        let features = admin
            .describe_features()
            .await
            .map_err(|error| failure(context, &error))?;
        let row = |feature: &client::Feature| {
            json!({
                "feature": feature.name,
                "supported_from": feature.supported.0,
                "supported_to": feature.supported.1,
                "level": feature.finalized,
            })
        };
        Ok(Report::of(
            "features",
            COLUMNS,
            features.iter().map(row).collect(),
        ))
    })
}
