//! Prometheus' text format, version 0.0.4 (`prometheus.io/docs/instrumenting/exposition_formats`).

use std::fmt::Write as _;

use crate::histogram::{BUCKETS, Snapshot};
use crate::table::Metric;

/// A page that grows by whole families.
#[derive(Debug, Default)]
pub struct Text {
    page: String,
    name: &'static str,
}

impl Text {
    /// Begins a metric; its samples follow at once.
    pub fn family(&mut self, metric: &Metric) {
        self.name = metric.name;
        let (name, kind, doc) = (metric.name, metric.kind.name(), metric.doc);
        // Writing into a string cannot fail.
        let _ = writeln!(self.page, "# HELP {name} {doc}\n# TYPE {name} {kind}");
    }

    pub fn sample(&mut self, labels: &[(&str, &str)], value: f64) {
        self.line("", labels, None, value);
    }

    pub fn histogram(&mut self, labels: &[(&str, &str)], histogram: &Snapshot) {
        let mut below = 0;
        for (at, count) in histogram.counts.iter().enumerate() {
            below += count;
            let bound = BUCKETS.get(at).map(|micros| *micros as f64 / 1e6);
            let bound = bound.map_or("+Inf".to_owned(), |bound| bound.to_string());
            self.line("_bucket", labels, Some(&bound), below as f64);
        }
        self.line("_sum", labels, None, histogram.seconds());
        self.line("_count", labels, None, below as f64);
    }

    fn line(&mut self, suffix: &str, labels: &[(&str, &str)], bound: Option<&str>, value: f64) {
        self.page.push_str(self.name);
        self.page.push_str(suffix);
        let all = labels.iter().copied().chain(bound.map(|bound| ("le", bound)));
        for (at, (name, text)) in all.enumerate() {
            self.page.push(if at == 0 { '{' } else { ',' });
            let _ = write!(self.page, "{name}=\"");
            self.page.extend(text.chars().flat_map(escaped));
            self.page.push('"');
        }
        if !labels.is_empty() || bound.is_some() {
            self.page.push('}');
        }
        let _ = writeln!(self.page, " {value}");
    }

    pub fn into_string(self) -> String {
        self.page
    }
}

fn escaped(letter: char) -> impl Iterator<Item = char> {
    let (escape, letter) = match letter {
        '\n' => (Some('\\'), 'n'),
        '"' | '\\' => (Some('\\'), letter),
        other => (None, other),
    };
    escape.into_iter().chain([letter])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table;

    #[test]
    fn labels_are_escaped_and_numbers_plain() {
        let mut text = Text::default();
        text.family(&table::CONNECTIONS);
        text.sample(&[("a", "x\"y\\z\n")], 1_000_000_000_000.0);
        let page = text.into_string();
        assert!(
            page.ends_with("ottla_connections{a=\"x\\\"y\\\\z\\n\"} 1000000000000\n"),
            "{page}"
        );
    }
}
