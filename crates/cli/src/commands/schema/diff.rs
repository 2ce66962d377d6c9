//! `ottla schema diff`

use std::fmt::Write as _;

use clap::{Arg, ArgMatches};
use schema::{Direction, Mode, Work, compatible, diff::diff};
use serde_json::{Value, json};

use super::files;
use crate::arguments::value;
use crate::{Column, Command, Context, Failure, Report};

pub const COMMAND: Command = Command {
    path: &["schema", "diff"],
    about: "Say what changed from one version to another, and who can still read whom",
    example: "ottla schema diff order-v1.avsc order.avsc",
    arguments,
    run,
};

fn arguments(command: clap::Command) -> clap::Command {
    let file = |name: &'static str, help: &'static str| Arg::new(name).required(true).help(help);
    files::arguments(command)
        .arg(file("old", "The older version"))
        .arg(file("new", "The newer version"))
}

const COLUMNS: &[Column] = &[
    Column::new("change"),
    Column::new("path"),
    Column::new("old"),
    Column::new("new"),
];

fn run(_: &Context, matches: &ArgMatches) -> Result<Report, Failure> {
    let load = |name: &str| files::must_load(value(matches, name).unwrap_or_default(), matches);
    let (old, new) = (load("old")?, load("new")?);
    let found = compatible(Mode::Full, &new.schema, &[&old.schema], &mut Work::default())
        .map_err(|stopped| Failure::failed(stopped.to_string()).with_code("STOPPED"))?;
    let changes = diff(&old.schema.outline(), &new.schema.outline());
    let rows: Vec<Value> = changes
        .iter()
        .map(|change| json!({"change": change.kind.name(), "path": change.path.as_str(), "old": change.old, "new": change.new}))
        .collect();
    let reads = |direction| !found.iter().any(|finding| finding.direction == direction);
    let (backward, forward) = (reads(Direction::Backward), reads(Direction::Forward));
    let mut note = format!(
        "the new version {} data of the old one (BACKWARD); the old version {} data of the new one (FORWARD)",
        if backward { "reads" } else { "does not read" },
        if forward { "reads" } else { "does not read" },
    );
    for finding in &found {
        let _ = write!(
            note,
            "\n  {} at {} ({}): {}",
            finding.rule, finding.path, finding.direction, finding.how
        );
    }
    let mut report = Report::of("changes", COLUMNS, rows);
    report.note = Some(note);
    report.more = vec![("backward", json!(backward)), ("forward", json!(forward))];
    Ok(report)
}
