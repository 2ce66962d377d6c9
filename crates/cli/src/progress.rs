//! How far a long command has come: one line on stderr that is written over, on a terminal alone.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

const EVERY: Duration = Duration::from_millis(300);

/// Counts records and shows them.
pub(crate) struct Progress {
    shown: bool,
    started: Instant,
    last: Instant,
    drawn: bool,
}

impl Progress {
    /// Progress of a command whose stdout is not mixed up with it.
    pub(crate) fn new() -> Progress {
        Progress::when(std::io::stderr().is_terminal())
    }

    /// Progress of a command that writes much to stdout: only where that goes elsewhere.
    pub(crate) fn beside_output() -> Progress {
        Progress::when(std::io::stderr().is_terminal() && !std::io::stdout().is_terminal())
    }

    fn when(shown: bool) -> Progress {
        let now = Instant::now();
        Progress {
            shown,
            started: now,
            last: now,
            drawn: false,
        }
    }

    /// So many records by now, of so many if that is known.
    pub(crate) fn at(&mut self, records: u64, of: Option<u64>) {
        if !self.shown || self.last.elapsed() < EVERY {
            return;
        }
        self.last = Instant::now();
        self.drawn = true;
        let line = line(records, of, self.started.elapsed());
        let _ = write!(std::io::stderr(), "\r\x1b[K{line}");
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.drawn {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }
}

fn line(records: u64, of: Option<u64>, elapsed: Duration) -> String {
    let rate = records as f64 / elapsed.as_secs_f64().max(0.001);
    let rate = thousands(rate as u64);
    let done = thousands(records);
    match of.filter(|of| 0 < *of) {
        Some(of) => {
            let percent = records.saturating_mul(100) / of;
            format!("{done} of {} records, {percent} %, {rate}/s", thousands(of))
        }
        None => format!("{done} records, {rate}/s"),
    }
}

/// A number with commas between its thousands.
pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if 0 < at && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_by_thousands() {
        let all: Vec<String> = [0, 12, 123, 1234, 123_456, 1_234_567].map(thousands).into();
        assert_eq!(all, ["0", "12", "123", "1,234", "123,456", "1,234,567"]);
    }

    #[test]
    fn a_line_says_how_far_and_how_fast() {
        let second = Duration::from_secs(1);
        assert_eq!(line(500, Some(2000), second), "500 of 2,000 records, 25 %, 500/s");
        assert_eq!(line(4000, None, 2 * second), "4,000 records, 2,000/s");
    }
}
