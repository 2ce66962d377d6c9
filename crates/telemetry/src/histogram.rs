//! How long things took: counts in fixed buckets.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::shard::{self, Padded, SHARDS};

/// Upper bounds of the buckets, in microseconds, inclusive; one more bucket takes the rest.
pub const BUCKETS: [u64; 17] = [
    10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000,
    1_000_000, 5_000_000,
];
const COUNTS: usize = BUCKETS.len() + 1;

/// One shard of a histogram, to be put beside others on a line.
#[derive(Debug, Default)]
pub(crate) struct Shard {
    counts: [AtomicU64; COUNTS],
    nanos: AtomicU64,
}

impl Shard {
    pub(crate) fn record(&self, took: Duration) {
        let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        let bucket = BUCKETS.partition_point(|bound| bound * 1000 < nanos);
        if let Some(count) = self.counts.get(bucket) {
            count.fetch_add(1, Ordering::Relaxed);
            self.nanos.fetch_add(nanos, Ordering::Relaxed);
        }
    }

    pub(crate) fn add_to(&self, sum: &mut Snapshot) {
        for (total, count) in sum.counts.iter_mut().zip(&self.counts) {
            *total += count.load(Ordering::Relaxed);
        }
        sum.nanos = sum.nanos.wrapping_add(self.nanos.load(Ordering::Relaxed));
    }
}

/// Durations in buckets, in shards. Recording never allocates.
#[derive(Debug, Default)]
pub struct Histogram {
    shards: [Padded<Shard>; SHARDS],
}

impl Histogram {
    pub fn record(&self, took: Duration) {
        if let Some(shard) = self.shards.get(shard::mine()) {
            shard.0.record(took);
        }
    }

    pub fn snapshot(&self) -> Snapshot {
        let mut sum = Snapshot::default();
        self.shards.iter().for_each(|shard| shard.0.add_to(&mut sum));
        sum
    }
}

/// A histogram as it was.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// By bucket, not summed up; the last has no bound.
    pub counts: [u64; COUNTS],
    pub nanos: u64,
}

impl Snapshot {
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    pub fn seconds(&self) -> f64 {
        self.nanos as f64 / 1e9
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_belongs_to_its_bucket() {
        let histogram = Histogram::default();
        for micros in [0, 10, 11, 5_000_000, 5_000_001] {
            histogram.record(Duration::from_micros(micros));
        }
        let seen = histogram.snapshot();
        assert_eq!((seen.counts[0], seen.counts[1]), (2, 1));
        assert_eq!((seen.counts[COUNTS - 2], seen.counts[COUNTS - 1]), (1, 1));
        assert_eq!(seen.count(), 5);
        assert_eq!(seen.nanos, 10_000_022_000);
    }

    #[test]
    fn bounds_ascend() {
        assert!(BUCKETS.is_sorted());
    }
}
