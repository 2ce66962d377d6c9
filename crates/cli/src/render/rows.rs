//! Rows as aligned columns, and as separated values.

use std::io::{self, Write};

use serde_json::Value;

use crate::{Column, Report};

/// A value as a cell: text bare, nothing as a dash, lists by commas.
fn cell(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => "-".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(items)) if items.is_empty() => "-".to_owned(),
        Some(Value::Array(items)) => {
            let cells: Vec<String> = items.iter().map(|item| cell(Some(item))).collect();
            cells.join(",")
        }
        Some(other) => other.to_string(),
    }
}

fn is_number(value: Option<&Value>) -> bool {
    matches!(value, Some(Value::Number(_)))
}

/// Aligned columns under headings; numbers to the right.
pub(super) fn table(report: &Report, wide: bool, out: &mut impl Write) -> io::Result<()> {
    let columns: Vec<&Column> = report
        .columns
        .iter()
        .filter(|column| wide || !column.wide)
        .collect();
    let heading = |column: &&Column| column.field.replace('_', " ").to_uppercase();
    let mut lines: Vec<Vec<String>> = vec![columns.iter().map(heading).collect()];
    let row = |row: &Value| columns.iter().map(|column| cell(row.get(column.field))).collect();
    lines.extend(report.rows.iter().map(row));
    let width = |index: usize| {
        let cells = lines.iter().filter_map(|line| line.get(index));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns.len()).map(width).collect();
    let right = |column: &&Column| {
        let mut values = report.rows.iter().map(|row| row.get(column.field));
        values.all(|value| is_number(value) || matches!(value, None | Some(Value::Null)))
    };
    let rights: Vec<bool> = columns.iter().map(right).collect();
    for line in &lines {
        let mut text = String::new();
        for ((cell, width), right) in line.iter().zip(&widths).zip(&rights) {
            if !text.is_empty() {
                text.push_str("  ");
            }
            match right {
                true => text.push_str(&format!("{cell:>width$}")),
                false => text.push_str(&format!("{cell:<width$}")),
            }
        }
        writeln!(out, "{}", text.trim_end())?;
    }
    Ok(())
}

/// Separated values with a heading of field names, every column (RFC 4180; with tabs, tabs and newlines are escaped).
pub(super) fn separated(report: &Report, separator: char, out: &mut impl Write) -> io::Result<()> {
    let headings: Vec<&str> = report.columns.iter().map(|column| column.field).collect();
    writeln!(out, "{}", headings.join(&separator.to_string()))?;
    for row in &report.rows {
        let cells: Vec<String> = report
            .columns
            .iter()
            .map(|column| quoted(row.get(column.field), separator))
            .collect();
        writeln!(out, "{}", cells.join(&separator.to_string()))?;
    }
    Ok(())
}

fn quoted(value: Option<&Value>, separator: char) -> String {
    let text = match value {
        None | Some(Value::Null) => return String::new(),
        value => cell(value),
    };
    if separator == '\t' {
        return text
            .replace('\\', "\\\\")
            .replace('\t', "\\t")
            .replace('\n', "\\n");
    }
    if text.contains([',', '"', '\n', '\r']) {
        return format!("\"{}\"", text.replace('"', "\"\""));
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const COLUMNS: &[Column] = &[
        Column::new("topic"),
        Column::new("partitions"),
        Column::wide("topic_id"),
    ];

    fn shown(write: impl Fn(&Report, &mut Vec<u8>)) -> String {
        let rows = vec![
            json!({"topic": "a,b", "partitions": 12, "topic_id": "x"}),
            json!({"topic": "orders", "partitions": 3, "topic_id": null}),
        ];
        let mut out = Vec::new();
        write(&Report::of("topics", COLUMNS, rows), &mut out);
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn tables_align_and_put_numbers_to_the_right() {
        let narrow = shown(|report, out| table(report, false, out).expect("memory"));
        assert_eq!(
            narrow,
            "TOPIC   PARTITIONS\na,b             12\norders           3\n"
        );
        let wide = shown(|report, out| table(report, true, out).expect("memory"));
        assert!(wide.starts_with("TOPIC   PARTITIONS  TOPIC ID\n"), "{wide}");
        assert!(wide.ends_with("orders           3  -\n"), "{wide}");
    }

    #[test]
    fn separated_values_have_every_column_and_quote_what_needs_it() {
        let csv = shown(|report, out| separated(report, ',', out).expect("memory"));
        assert_eq!(csv, "topic,partitions,topic_id\n\"a,b\",12,x\norders,3,\n");
        let tsv = shown(|report, out| separated(report, '\t', out).expect("memory"));
        assert_eq!(tsv, "topic\tpartitions\ttopic_id\na,b\t12\tx\norders\t3\t\n");
    }
}
