//! Reports in the format that is asked for.

mod rows;
mod yaml;

use std::io::{self, Write};

use crate::{Failure, Report};

/// A format of `-o`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Columns for people.
    Table,
    /// With every column.
    Wide,
    /// One object.
    Json,
    /// One object per row, a line each.
    JsonLines,
    /// As JSON, in YAML.
    Yaml,
    /// Comma-separated, with a heading (RFC 4180).
    Csv,
    /// Tab-separated, with a heading.
    Tsv,
}

/// The formats by name, in the order of the help.
pub(crate) const FORMATS: &[(&str, Format)] = &[
    ("table", Format::Table),
    ("wide", Format::Wide),
    ("json", Format::Json),
    ("jsonl", Format::JsonLines),
    ("yaml", Format::Yaml),
    ("csv", Format::Csv),
    ("tsv", Format::Tsv),
];

impl Format {
    /// The format of a name.
    pub fn named(name: &str) -> Result<Format, Failure> {
        let found = FORMATS.iter().find(|(known, _)| *known == name);
        found.map(|(_, format)| *format).ok_or_else(|| {
            let names: Vec<&str> = FORMATS.iter().map(|(name, _)| *name).collect();
            Failure::usage(format!("there is no output format {name:?}"))
                .hint(format!("use {}", names.join(", ")))
        })
    }

    /// Whether failures are written as JSON, too.
    pub fn is_json(self) -> bool {
        matches!(self, Format::Json | Format::JsonLines)
    }

    /// Whether it is for people.
    pub fn is_table(self) -> bool {
        matches!(self, Format::Table | Format::Wide)
    }
}

/// Writes a report.
pub(crate) fn report(report: &Report, format: Format, out: &mut impl Write) -> io::Result<()> {
    if report.is_silent() {
        return Ok(());
    }
    match format {
        Format::Table | Format::Wide => table(report, format == Format::Wide, out),
        Format::Json => writeln!(out, "{}", report.json()),
        Format::JsonLines => report.rows.iter().try_for_each(|row| writeln!(out, "{row}")),
        Format::Yaml => yaml::write(&report.json(), out),
        Format::Csv => rows::separated(report, ',', out),
        Format::Tsv => rows::separated(report, '\t', out),
    }
}

fn table(report: &Report, wide: bool, out: &mut impl Write) -> io::Result<()> {
    match &report.text {
        Some(text) => write!(out, "{text}")?,
        None if report.rows.is_empty() && report.failures.is_empty() && report.note.is_none() => {
            writeln!(out, "no {}", report.what.replace('_', " "))?;
        }
        None if report.rows.is_empty() => {}
        None => rows::table(report, wide, out)?,
    }
    if let Some(note) = &report.note {
        writeln!(out, "{note}")?;
    }
    Ok(())
}

/// Writes the items that failed, for people.
pub(crate) fn failures(report: &Report, err: &mut impl Write) -> io::Result<()> {
    for failure in &report.failures {
        writeln!(err, "error: {}: {}", failure.item, failure.message)?;
        if let Some(hint) = &failure.hint {
            writeln!(err, " hint: {hint}")?;
        }
    }
    Ok(())
}
