//! Memory permits: a frame's bytes are granted whole before its body is read, so that no number of clients can make
//! the process grow past its budget. Fair between connections; small grants come from a cache per thread.

use std::cell::Cell;
use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Permits are counted in units of 1 KiB.
const UNIT: usize = 1024;
/// What a thread keeps for itself, in units.
const CACHE_UNITS: usize = 1024;
/// Grants above this go to the pool directly, in units.
const CACHED_GRANT_UNITS: usize = 128;

thread_local! {
    /// (pool identity, units at hand). A process has one pool; tests have several.
    static CACHE: Cell<(usize, usize)> = const { Cell::new((0, 0)) };
}

/// The pool of one process.
#[derive(Debug, Clone)]
pub struct Memory {
    pool: Arc<Semaphore>,
    units: usize,
}

/// The right to hold a frame in memory; given back when dropped.
#[derive(Debug)]
pub struct Permit {
    memory: Memory,
    cached_units: usize,
    _pooled: Option<OwnedSemaphorePermit>,
}

impl Memory {
    pub fn new(bytes: usize) -> Memory {
        let units = (bytes / UNIT).clamp(1, Semaphore::MAX_PERMITS.min(u32::MAX as usize));
        Memory {
            pool: Arc::new(Semaphore::new(units)),
            units,
        }
    }

    /// The whole budget, in bytes.
    pub fn bytes(&self) -> usize {
        self.units * UNIT
    }

    /// Bytes that are granted now, with what threads keep at hand.
    pub fn granted(&self) -> usize {
        self.units.saturating_sub(self.pool.available_permits()) * UNIT
    }

    /// Waits until `bytes` are free. More than the whole budget is granted when everything else is given back.
    pub async fn acquire(&self, bytes: usize) -> Permit {
        if let Some(permit) = self.try_acquire(bytes) {
            return permit;
        }
        let units = self.units_of(bytes);
        let pooled = self.pool.clone().acquire_many_owned(units as u32).await;
        let pooled = pooled.expect("the pool is never closed");
        Permit {
            memory: self.clone(),
            cached_units: 0,
            _pooled: Some(pooled),
        }
    }

    /// The permit, if it is to be had without waiting.
    pub fn try_acquire(&self, bytes: usize) -> Option<Permit> {
        let units = self.units_of(bytes);
        if units <= CACHED_GRANT_UNITS && self.take_cached(units) {
            return Some(Permit {
                memory: self.clone(),
                cached_units: units,
                _pooled: None,
            });
        }
        let pooled = self.pool.clone().try_acquire_many_owned(units as u32).ok()?;
        Some(Permit {
            memory: self.clone(),
            cached_units: 0,
            _pooled: Some(pooled),
        })
    }

    fn units_of(&self, bytes: usize) -> usize {
        bytes.div_ceil(UNIT).clamp(1, self.units)
    }

    fn identity(&self) -> usize {
        Arc::as_ptr(&self.pool) as usize
    }

    /// Takes from this thread's cache, filling it from the pool when it runs dry.
    fn take_cached(&self, units: usize) -> bool {
        // A small pool is not worth splitting: caches of all threads together stay far below it.
        if self.units < CACHE_UNITS * 32 {
            return false;
        }
        CACHE.with(|cache| {
            let (owner, mut at_hand) = cache.get();
            if owner != self.identity() {
                if owner != 0 {
                    return false;
                }
                at_hand = 0;
            }
            if at_hand < units {
                let Ok(more) = self.pool.try_acquire_many((CACHE_UNITS / 2) as u32) else {
                    return false;
                };
                more.forget();
                at_hand += CACHE_UNITS / 2;
            }
            cache.set((self.identity(), at_hand - units));
            true
        })
    }

    fn give_cached(&self, units: usize) {
        CACHE.with(|cache| {
            let (owner, at_hand) = cache.get();
            let mine = owner == self.identity() || owner == 0;
            if !mine || CACHE_UNITS < at_hand + units {
                self.pool.add_permits(units);
                return;
            }
            cache.set((self.identity(), at_hand + units));
        });
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if self.cached_units != 0 {
            self.memory.give_cached(self.cached_units);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_pool_grants_nothing_until_a_permit_returns() {
        let memory = Memory::new(64 * UNIT);
        let first = memory.try_acquire(60 * UNIT).expect("the pool is empty");
        assert!(memory.try_acquire(8 * UNIT).is_none());
        drop(first);
        assert!(memory.try_acquire(8 * UNIT).is_some());
    }

    #[test]
    fn a_frame_larger_than_the_budget_needs_the_whole_of_it() {
        let memory = Memory::new(64 * UNIT);
        let all = memory.try_acquire(1 << 20).expect("nothing else is held");
        assert!(memory.try_acquire(1).is_none());
        drop(all);
        assert!(memory.try_acquire(1).is_some());
    }

    #[test]
    fn cached_permits_come_back_to_their_pool() {
        let memory = Memory::new(64 << 20);
        for _ in 0..100_000 {
            let held: Vec<_> = (0..20).map(|_| memory.try_acquire(3000)).collect();
            assert!(held.iter().all(Option::is_some));
        }
        let kept_back = memory.units - memory.pool.available_permits();
        assert!(kept_back <= CACHE_UNITS);
    }
}
