//! A number that only grows.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::shard::{self, Padded, SHARDS};

/// A count in shards. Adding costs one uncontended atomic add and never allocates.
#[derive(Debug, Default)]
pub struct Counter {
    shards: [Padded<AtomicU64>; SHARDS],
}

impl Counter {
    pub fn add(&self, more: u64) {
        if let Some(shard) = self.shards.get(shard::mine()) {
            shard.0.fetch_add(more, Ordering::Relaxed);
        }
    }

    pub fn get(&self) -> u64 {
        let counts = self.shards.iter().map(|shard| shard.0.load(Ordering::Relaxed));
        counts.fold(0, u64::wrapping_add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_of_many_threads_add_up() {
        let counter = Counter::default();
        std::thread::scope(|scope| {
            for _ in 0..3 * SHARDS {
                scope.spawn(|| (0..1000).for_each(|_| counter.add(2)));
            }
        });
        assert_eq!(counter.get(), 3 * SHARDS as u64 * 2000);
    }
}
