//! Schemas from files: their format, their references, and what is said when one cannot be used.

use clap::{Arg, ArgMatches};
use schema::{Format, Reference, Schema, SchemaError, Source};

use crate::arguments::{option, pair, repeated, value, values};
use crate::{Failure, ItemFailure};

/// A schema that was read.
pub(super) struct Loaded {
    pub file: String,
    pub source: Source,
    pub schema: Schema,
}

/// The arguments that say how files are read.
pub(super) fn arguments(command: clap::Command) -> clap::Command {
    command
        .arg(
            option(
                "type",
                "FORMAT",
                "avro, json or protobuf (default: by the file's ending)",
            )
            .value_parser(["avro", "json", "protobuf"]),
        )
        .arg(repeated(
            "reference",
            "NAME=FILE",
            "What the schemas refer to: an Avro name, a URI, an import path",
        ))
}

/// One or more files.
pub(super) fn files(help: &'static str) -> Arg {
    crate::arguments::names("file", help)
}

/// A file's text, or `-` for stdin.
pub(super) fn text(file: &str) -> Result<String, Failure> {
    let read = match file {
        "-" => std::io::read_to_string(std::io::stdin()),
        _ => std::fs::read_to_string(file),
    };
    read.map_err(|error| Failure::failed(format!("{file} cannot be read: {error}")).with_code("UNREADABLE"))
}

/// The format of a file.
pub(super) fn format(file: &str, matches: &ArgMatches) -> Result<Format, Failure> {
    let named = value(matches, "type").and_then(|name| name.parse().ok());
    let by_ending = || match file.rsplit('.').next() {
        Some("avsc" | "avro") => Some(Format::Avro),
        Some("json") => Some(Format::Json),
        Some("proto") => Some(Format::Protobuf),
        _ => None,
    };
    named.or_else(by_ending).ok_or_else(|| {
        Failure::usage(format!("{file} does not say which format it is"))
            .hint("name it .avsc, .json or .proto, or add --type")
    })
}

/// The schema as it stands in a file, with what is referred to.
pub(super) fn source(file: &str, matches: &ArgMatches) -> Result<Source, Failure> {
    let mut references = Vec::new();
    for given in values(matches, "reference") {
        let (name, path) = pair(given, "reference")?;
        references.push(Reference {
            name: name.to_owned(),
            subject: path.to_owned(),
            version: 1,
            text: text(path)?,
            references: Vec::new(),
        });
    }
    Ok(Source::new(format(file, matches)?, text(file)?).with_references(references))
}

/// Reads and parses; the inner error is the schema's own.
pub(super) fn load(file: &str, matches: &ArgMatches) -> Result<Result<Loaded, SchemaError>, Failure> {
    let source = source(file, matches)?;
    Ok(Schema::parse(&source).map(|schema| Loaded {
        file: file.to_owned(),
        source,
        schema,
    }))
}

/// Reads and parses a file that the command cannot do without.
pub(super) fn must_load(file: &str, matches: &ArgMatches) -> Result<Loaded, Failure> {
    load(file, matches)?.map_err(|error| {
        Failure::new(
            crate::Kind::CheckFailed,
            format!("{file}: {}: {}", error.path, error.what),
        )
        .hint(error.mend)
        .with_code("INVALID_SCHEMA")
    })
}

/// A file that holds no schema, as one failure of several.
pub(super) fn invalid(file: &str, error: SchemaError) -> ItemFailure {
    ItemFailure {
        item: file.to_owned(),
        code: "INVALID_SCHEMA".to_owned(),
        message: format!("{}: {}", error.path, error.what),
        hint: Some(error.mend),
    }
}
