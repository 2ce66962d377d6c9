//! What benches that write have in common: their arguments, values that compress like text, and the pace.

use std::time::Duration;

use clap::ArgMatches;
use client::{Acks, Admin, ErrorCode, NewTopic, ProducerConfig};
use tokio::time::Instant;

use crate::Failure;
use crate::arguments::{number, option};
use crate::choices::{acks, acks_argument, codec, codec_argument};
use crate::progress::thousands;

pub(super) fn arguments(command: clap::Command) -> clap::Command {
    command
        .arg(clap::Arg::new("topic").required(true).help("Where to"))
        .arg(option("count", "N", "Records that are measured").short('c'))
        .arg(option("size", "BYTES", "Of each value (default: 100)").short('s'))
        .arg(option(
            "rate",
            "COUNT",
            "So many records a second (default: produce as fast as it goes, e2e 1,000)",
        ))
        .arg(acks_argument())
        .arg(codec_argument())
        .arg(option(
            "warm-up",
            "N",
            "Records that are sent before and not measured (default: a tenth)",
        ))
        .arg(option(
            "partitions",
            "COUNT",
            "Make the topic with so many partitions if it is not there",
        ))
        .arg(option(
            "linger",
            "MS",
            "How long a batch waits for more (default: 5; e2e 0)",
        ))
        .arg(option(
            "batch-size",
            "BYTES",
            "When a batch is full (default: 65536)",
        ))
}

/// What is to be sent.
pub(super) struct Load {
    pub(super) count: u64,
    pub(super) warm_up: u64,
    pub(super) size: usize,
    pub(super) rate: Option<u64>,
    pub(super) partitions: Option<i32>,
    pub(super) config: ProducerConfig,
    /// In words.
    pub(super) how: String,
}

/// What holds where nothing is said.
pub(super) struct Defaults {
    pub(super) count: u64,
    pub(super) rate: Option<u64>,
    pub(super) linger_ms: u64,
    pub(super) size_min: usize,
}

pub(super) fn load(matches: &ArgMatches, defaults: &Defaults) -> Result<Load, Failure> {
    let count = number(matches, "count")?.unwrap_or(defaults.count);
    let size = number(matches, "size")?.unwrap_or(100);
    let rate = number(matches, "rate")?
        .or(defaults.rate)
        .filter(|rate| 0 < *rate);
    if count == 0 {
        return Err(Failure::usage("--count is at least 1"));
    }
    if size < defaults.size_min {
        let least = defaults.size_min;
        return Err(Failure::usage(format!("--size is at least {least} here")));
    }
    let standard = ProducerConfig::default();
    let batch_bytes = number(matches, "batch-size")?.unwrap_or(standard.batch_bytes);
    let linger_ms = number(matches, "linger")?.unwrap_or(defaults.linger_ms);
    let config = ProducerConfig {
        acks: acks(matches)?,
        codec: codec(matches)?,
        linger: Duration::from_millis(linger_ms),
        batch_bytes,
        request_bytes: standard.request_bytes.max(size.saturating_add(1024)),
        buffer_bytes: standard.buffer_bytes.max(size.saturating_mul(4)),
        ..standard
    };
    let acks = match config.acks {
        Acks::All => "all",
        Acks::Leader => "1",
        Acks::None => "0",
    };
    let codec = crate::arguments::value(matches, "compression").unwrap_or("none");
    let pace = rate.map_or_else(String::new, |rate| format!(", {}/s", thousands(rate)));
    Ok(Load {
        count,
        warm_up: number(matches, "warm-up")?.unwrap_or(count / 10),
        size,
        rate,
        partitions: number(matches, "partitions")?,
        how: format!(
            "{} B, acks={acks}, compression={codec}{pace}",
            thousands(size as u64)
        ),
        config,
    })
}

/// Makes the topic if that was asked for and it is not there.
pub(super) async fn make_topic(admin: &Admin, topic: &str, partitions: Option<i32>) -> client::Result<()> {
    let Some(partitions) = partitions else {
        return Ok(());
    };
    let wanted = NewTopic::new(topic).partitions(partitions);
    for (_, outcome) in admin.create_topics(&[wanted]).await? {
        match outcome {
            Err(error) if error.code() == Some(ErrorCode::TopicAlreadyExists) => {}
            other => {
                other?;
            }
        }
    }
    Ok(())
}

/// Values to choose from, so that making them costs nothing while the clock runs.
const VALUES: usize = 1000;

/// Values of capital letters: half as long when packed, as much text is.
pub(super) fn values(size: usize) -> Vec<Vec<u8>> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut letter = || {
        // xorshift64 (Marsaglia 2003): the same values in every run.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        b'A' + u8::try_from(state % 26).unwrap_or_default()
    };
    let count = VALUES.min((64 << 20) / size.max(1)).max(1);
    (0..count)
        .map(|_| (0..size).map(|_| letter()).collect())
        .collect()
}

/// When records are due.
pub(super) struct Pace {
    started: Instant,
    rate: Option<u64>,
}

impl Pace {
    pub(super) fn new(rate: Option<u64>) -> Pace {
        Pace {
            started: Instant::now(),
            rate,
        }
    }

    /// Waits until a record is due, and gives when that was: now, if there is no rate.
    pub(super) async fn due(&self, index: u64) -> Instant {
        let Some(rate) = self.rate else {
            if index.is_multiple_of(TURN) {
                tokio::task::yield_now().await;
            }
            return Instant::now();
        };
        let nanos = u128::from(index) * 1_000_000_000 / u128::from(rate);
        let due = self.started + Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
        if Instant::now() < due {
            tokio::time::sleep_until(due).await;
        } else if index.is_multiple_of(TURN) {
            tokio::task::yield_now().await;
        }
        let now = Instant::now();
        if now.saturating_duration_since(due) <= TIMER {
            now
        } else {
            due
        }
    }
}

/// How late a timer may be by itself; it counts in milliseconds. Later than that is a stall, and counts.
const TIMER: Duration = Duration::from_millis(2);

/// Records between two turns of the client's own tasks, which share the thread.
const TURN: u64 = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_their_size_and_differ() {
        let values = values(100);
        assert_eq!(values.len(), VALUES);
        assert!(values.iter().all(|value| value.len() == 100));
        assert_ne!(values[0], values[1]);
    }

    #[tokio::test]
    async fn a_record_is_due_by_its_number_and_not_by_the_one_before() {
        let pace = Pace::new(Some(1000));
        let first = pace.due(0).await;
        let later = pace.due(20).await;
        let apart = later - first;
        // The first or the second may be forgiven a timer's delay.
        assert!(
            Duration::from_millis(18) <= apart && apart <= Duration::from_millis(22),
            "{apart:?}"
        );
        assert!(later <= Instant::now());
    }
}
