//! The reference page of all metrics, written from the table.

use std::fmt::Write as _;

use crate::table::{ALL, Unit};

const HEAD: &str = "# Metrics

Written from the table in `crates/telemetry/src/table.rs` by its test; change it there. Read them at `/metrics` of the
listener `ottla.http.listeners`, in Prometheus' text. Times are histograms in seconds with fixed buckets from 10
microseconds to 5 seconds.

| name | type | unit | labels | what it says |
|---|---|---|---|---|
";

/// The page `docs/reference/metrics.md`.
pub fn reference_markdown() -> String {
    let mut page = HEAD.to_owned();
    for metric in ALL {
        let unit = match metric.unit {
            Unit::Count => "",
            Unit::Bytes => "bytes",
            Unit::Seconds => "seconds",
            Unit::Flag => "0 or 1",
        };
        let labels: Vec<String> = metric.labels.iter().map(|label| format!("`{label}`")).collect();
        let (name, kind, doc) = (metric.name, metric.kind.name(), metric.doc);
        // Writing into a string cannot fail.
        let _ = writeln!(
            page,
            "| `{name}` | {kind} | {unit} | {} | {doc} |",
            labels.join(", ")
        );
    }
    page
}
