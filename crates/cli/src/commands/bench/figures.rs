//! From what was measured to the report: throughput, percentiles, CPU time.

use std::time::Duration;

use serde_json::{Value, json};

use crate::progress::thousands;
use crate::{Column, Report};

pub(super) const COLUMNS: &[Column] = &[
    Column::new("bench"),
    Column::new("topic"),
    Column::new("records"),
    Column::new("failed"),
    Column::new("seconds"),
    Column::new("records_per_second"),
    Column::new("mebibytes_per_second"),
    Column::new("p50_ms"),
    Column::new("p95_ms"),
    Column::new("p99_ms"),
    Column::new("p999_ms"),
    Column::new("max_ms"),
    Column::new("mean_ms"),
    Column::new("cpu_us_per_record"),
    Column::wide("bytes"),
    Column::wide("latency_samples"),
    Column::wide("first_record_ms"),
];

/// What was measured.
#[derive(Debug, Default)]
pub(super) struct Measured<'a> {
    pub(super) bench: &'static str,
    pub(super) topic: &'a str,
    pub(super) records: u64,
    pub(super) failed: u64,
    /// Of keys and values.
    pub(super) bytes: u64,
    pub(super) took: Duration,
    pub(super) cpu: Duration,
    pub(super) latencies: Latencies,
    /// From the first request to the first record.
    pub(super) first_record: Option<Duration>,
    /// What was asked for, for people: "100 B, acks=all".
    pub(super) how: String,
}

/// Times of single records.
#[derive(Debug, Default)]
pub(super) struct Latencies {
    micros: Vec<u64>,
    sorted: bool,
}

impl Latencies {
    pub(super) fn add(&mut self, time: Duration) {
        self.micros
            .push(u64::try_from(time.as_micros()).unwrap_or(u64::MAX));
        self.sorted = false;
    }

    fn is_empty(&self) -> bool {
        self.micros.is_empty()
    }

    /// The time, in ms, within which so many thousandths of the records were: the nearest rank.
    fn within(&mut self, thousandths: usize) -> Option<f64> {
        if !self.sorted {
            self.micros.sort_unstable();
            self.sorted = true;
        }
        let rank = (self.micros.len() * thousandths).div_ceil(1000).max(1);
        self.micros.get(rank - 1).map(|micros| *micros as f64 / 1000.0)
    }

    fn mean(&self) -> Option<f64> {
        if self.is_empty() {
            return None;
        }
        let sum: u128 = self.micros.iter().map(|micros| u128::from(*micros)).sum();
        Some(sum as f64 / self.micros.len() as f64 / 1000.0)
    }
}

fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

fn per(value: f64, by: f64) -> f64 {
    if by == 0.0 { 0.0 } else { value / by }
}

/// The report: one row, and a few lines for people.
pub(super) fn report(mut measured: Measured<'_>) -> Report {
    let seconds = measured.took.as_secs_f64();
    let records = measured.records as f64;
    let latencies = &mut measured.latencies;
    let within = [500, 950, 990, 999, 1000].map(|thousandths| latencies.within(thousandths).map(rounded));
    let [p50, p95, p99, p999, max] = within;
    let mean = latencies.mean().map(rounded);
    let rate = per(records, seconds);
    let mebibytes = per(measured.bytes as f64 / f64::from(1 << 20), seconds);
    let cpu_us = per(measured.cpu.as_secs_f64() * 1e6, records);
    let first = measured
        .first_record
        .map(|time| rounded(time.as_secs_f64() * 1000.0));
    let row = json!({
        "bench": measured.bench,
        "topic": measured.topic,
        "records": measured.records,
        "failed": measured.failed,
        "bytes": measured.bytes,
        "seconds": rounded(seconds),
        "records_per_second": rate.round(),
        "mebibytes_per_second": rounded(mebibytes),
        "p50_ms": p50,
        "p95_ms": p95,
        "p99_ms": p99,
        "p999_ms": p999,
        "max_ms": max,
        "mean_ms": mean,
        "latency_samples": latencies.micros.len(),
        "first_record_ms": first,
        "cpu_us_per_record": rounded(cpu_us),
    });
    let mut text = format!(
        "{} {}: {} records, {}\n  throughput  {} records/s, {mebibytes:.1} MiB/s, in {seconds:.2} s\n",
        measured.bench,
        measured.topic,
        thousands(measured.records),
        measured.how,
        thousands(rate.round() as u64),
    );
    if let (Some(p50), Some(p95), Some(p99), Some(p999), Some(max)) = (p50, p95, p99, p999, max) {
        text.push_str(&format!(
            "  latency ms  p50 {p50}, p95 {p95}, p99 {p99}, p99.9 {p999}, max {max}\n"
        ));
    }
    if let Some(first) = first {
        text.push_str(&format!("  first record after {first} ms\n"));
    }
    text.push_str(&format!("  client CPU  {cpu_us:.2} us a record\n"));
    let mut report = Report::of("bench", COLUMNS, vec![row]);
    report.text = Some(text);
    report
}

/// The report of a dry run.
pub(super) fn planned(bench: &'static str, topic: &str, records: Option<u64>, how: &str) -> Report {
    // Nothing is measured: the other fields are null.
    let mut row: Value = COLUMNS
        .iter()
        .map(|column| (column.field.to_owned(), Value::Null))
        .collect();
    for (field, value) in [
        ("bench", json!(bench)),
        ("topic", json!(topic)),
        ("records", json!(records)),
    ] {
        row[field] = value;
    }
    let mut report = Report::of("bench", COLUMNS, vec![row]);
    report.dry_run = true;
    let count = records.map_or_else(|| "all".to_owned(), thousands);
    report.text = Some(format!("would {bench} {topic}: {count} records, {how}\n"));
    report
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_the_nearest_rank() {
        let mut latencies = Latencies::default();
        assert_eq!((latencies.within(500), latencies.mean()), (None, None));
        for milliseconds in (1..=200).rev() {
            latencies.add(Duration::from_millis(milliseconds));
        }
        assert_eq!(latencies.within(500), Some(100.0));
        assert_eq!(latencies.within(950), Some(190.0));
        assert_eq!(latencies.within(999), Some(200.0));
        assert_eq!(latencies.within(1000), Some(200.0));
        assert_eq!(latencies.mean(), Some(100.5));
        latencies.add(Duration::ZERO);
        assert_eq!(latencies.within(1), Some(0.0));
    }

    #[test]
    fn the_report_divides_by_the_time_that_it_took() {
        let mut latencies = Latencies::default();
        latencies.add(Duration::from_micros(1500));
        let report = report(Measured {
            bench: "produce",
            topic: "t",
            records: 4000,
            bytes: 4 << 20,
            took: Duration::from_secs(2),
            cpu: Duration::from_millis(8),
            latencies,
            how: "1,024 B".to_owned(),
            ..Measured::default()
        });
        let row = &report.rows[0];
        assert_eq!(row["records_per_second"], 2000.0);
        assert_eq!(row["mebibytes_per_second"], 2.0);
        assert_eq!(row["p99_ms"], 1.5);
        assert_eq!(row["cpu_us_per_record"], 2.0);
        assert!(
            report
                .text
                .as_deref()
                .is_some_and(|text| text.contains("2,000 records/s"))
        );
    }
}
