//! `ottla schema fmt`

use clap::ArgMatches;
use schema::{Format, Limits, Schema, text};
use serde_json::json;

use super::files::{self, Loaded};
use crate::arguments::{switch, values};
use crate::{Column, Command, Context, Failure, ItemFailure, Kind, Report};

pub const COMMAND: Command = Command {
    path: &["schema", "fmt"],
    about: "Lay schemas out anew: members and comments stay as they are, indentation does not",
    example: "ottla schema fmt --write demo/schemas/order_placed_event.avsc",
    arguments,
    run,
};

fn arguments(command: clap::Command) -> clap::Command {
    files::arguments(command)
        .arg(files::files("The schemas; - is stdin"))
        .arg(switch("write", "Write the files instead of printing"))
        .arg(switch("check", "Write nothing, and fail if a file would change"))
        .arg(switch(
            "normal",
            "The normal form, which is equal for schemas that mean the same",
        ))
}

const COLUMNS: &[Column] = &[Column::new("file"), Column::new("changed")];

fn run(context: &Context, matches: &ArgMatches) -> Result<Report, Failure> {
    let (write, check) = (
        matches.get_flag("write") && !context.dry_run,
        matches.get_flag("check"),
    );
    let mut report = Report::new("files", COLUMNS);
    report.failed_kind = Kind::CheckFailed;
    report.dry_run = context.dry_run;
    let mut printed = String::new();
    for file in values(matches, "file") {
        let formatted = match files::load(file, matches)? {
            Ok(loaded) => formatted(&loaded, matches.get_flag("normal")).map(|text| (text, loaded)),
            Err(error) => Err(error),
        };
        let (text, loaded) = match formatted {
            Ok(done) => done,
            Err(error) => {
                report.failures.push(files::invalid(file, error));
                continue;
            }
        };
        let changed = text != loaded.source.text;
        report
            .rows
            .push(json!({"file": file, "changed": changed, "text": text}));
        if check && changed {
            report.failures.push(ItemFailure {
                item: file.to_owned(),
                code: "NOT_FORMATTED".to_owned(),
                message: "is not laid out as `ottla schema fmt` does".to_owned(),
                hint: Some(format!("ottla schema fmt --write {file}")),
            });
        } else if write && changed && file != "-" {
            std::fs::write(file, &text).map_err(|error| {
                Failure::failed(format!("{file} cannot be written: {error}")).with_code("UNWRITABLE")
            })?;
        } else if !check && !matches.get_flag("write") {
            printed.push_str(&text);
        }
    }
    if !check && !matches.get_flag("write") {
        report.text = Some(printed);
    }
    Ok(report)
}

fn formatted(loaded: &Loaded, normal: bool) -> Result<String, schema::SchemaError> {
    if normal {
        return Ok(with_end(loaded.schema.normal_text()));
    }
    match &loaded.schema {
        Schema::Protobuf(schema) => schema.pretty_text(&loaded.source, &Limits::default()),
        _ => text::parse(&loaded.source.text)
            .map(|json| with_end(json.pretty()))
            .map_err(|error| {
                let format = if loaded.schema.format() == Format::Avro {
                    "comments in Avro"
                } else {
                    "the text"
                };
                schema::SchemaError::new(
                    &schema::Path::root(),
                    format!("{format} cannot be laid out: {error}"),
                    "write plain JSON; documentation belongs into doc",
                )
            }),
    }
}

fn with_end(mut text: String) -> String {
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text
}
