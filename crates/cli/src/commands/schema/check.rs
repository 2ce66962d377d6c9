//! `ottla schema check`

use clap::ArgMatches;
use schema::{Format, Incompatibility, Mode, Schema, Work, compatible, json::LENIENT_ALLOWS};
use serde_json::json;

use super::files::{self, Loaded};
use crate::arguments::{option, repeated, switch, value, values};
use crate::{Column, Command, Context, Failure, ItemFailure, Kind, Report};

pub const COMMAND: Command = Command {
    path: &["schema", "check"],
    about: "Check that schemas are valid, and that they may follow older versions",
    example: "ottla schema check order.avsc --against order-v1.avsc --mode FULL",
    arguments,
    run,
};

fn arguments(command: clap::Command) -> clap::Command {
    files::arguments(command)
        .arg(files::files("The schemas; - is stdin"))
        .arg(repeated(
            "against",
            "FILE",
            "An older version; several from the oldest to the newest",
        ))
        .arg(option(
            "mode",
            "LEVEL",
            "BACKWARD, FORWARD, FULL, with _TRANSITIVE, or NONE (default: BACKWARD)",
        ))
        .arg(switch(
            "lenient",
            "JSON Schema: let pass what the policy LENIENT lets pass",
        ))
}

const COLUMNS: &[Column] = &[
    Column::new("file"),
    Column::new("rule"),
    Column::new("path"),
    Column::new("direction"),
    Column::wide("against"),
    Column::wide("old"),
    Column::wide("new"),
    Column::new("how"),
];

fn run(_: &Context, matches: &ArgMatches) -> Result<Report, Failure> {
    let mode: Mode = value(matches, "mode")
        .unwrap_or("BACKWARD")
        .parse()
        .map_err(|error: schema::compat::UnknownMode| Failure::usage(error.to_string()))?;
    let older = values(matches, "against");
    let older: Vec<Loaded> = older
        .iter()
        .map(|file| files::must_load(file, matches))
        .collect::<Result<_, _>>()?;
    let mut report = Report::new("incompatibilities", COLUMNS);
    report.failed_kind = Kind::CheckFailed;
    let mut checked = Vec::new();
    for file in values(matches, "file") {
        match files::load(file, matches)? {
            Err(error) => report.failures.push(files::invalid(file, error)),
            Ok(loaded) => {
                one(&loaded, &older, mode, matches.get_flag("lenient"), &mut report)?;
                checked.push(json!({"file": file, "type": loaded.schema.format().name()}));
            }
        }
    }
    report.note = Some(note(checked.len(), &older, mode, &report));
    report.more = vec![("checked", checked.into()), ("mode", json!(mode.name()))];
    Ok(report)
}

fn note(checked: usize, older: &[Loaded], mode: Mode, report: &Report) -> String {
    let valid = format!("{checked} valid");
    match (older.len(), report.rows.len()) {
        (0, _) => valid,
        (_, 0) => format!("{valid}, may follow under {mode}"),
        (_, found) => format!("{valid}, {found} reasons against following under {mode}"),
    }
}

fn one(
    loaded: &Loaded,
    older: &[Loaded],
    mode: Mode,
    lenient: bool,
    report: &mut Report,
) -> Result<(), Failure> {
    let previous: Vec<&Schema> = older.iter().map(|older| &older.schema).collect();
    let found = compatible(mode, &loaded.schema, &previous, &mut Work::default())
        .map_err(|stopped| Failure::failed(format!("{}: {stopped}", loaded.file)).with_code("STOPPED"))?;
    let lets_pass = |finding: &Incompatibility| {
        lenient && loaded.schema.format() == Format::Json && LENIENT_ALLOWS.contains(&finding.rule)
    };
    let found: Vec<Incompatibility> = found.into_iter().filter(|finding| !lets_pass(finding)).collect();
    for finding in &found {
        let against = older.get(finding.against).map_or("", |older| older.file.as_str());
        report.rows.push(json!({
            "file": loaded.file, "rule": finding.rule, "path": finding.path.as_str(),
            "direction": finding.direction.to_string(), "against": against,
            "old": finding.old, "new": finding.new, "how": finding.how,
        }));
    }
    if !found.is_empty() {
        report.failures.push(ItemFailure {
            item: loaded.file.clone(),
            code: "INCOMPATIBLE".to_owned(),
            message: format!("may not follow under {mode}, {} reasons", found.len()),
            hint: Some("each row says the legal way".to_owned()),
        });
    }
    Ok(())
}
