//! Which shard a thread counts in. Runtimes have one thread each, so none of them shares a cache line with another
//! until there are more threads than shards; counts are exact all the same.

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Shards of every counter.
pub(crate) const SHARDS: usize = 8;

static NEXT: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static MINE: Cell<usize> = const { Cell::new(usize::MAX) };
}

/// The shard of this thread, below [`SHARDS`].
pub(crate) fn mine() -> usize {
    MINE.with(|mine| {
        let known = mine.get();
        if known != usize::MAX {
            return known;
        }
        let new = NEXT.fetch_add(1, Ordering::Relaxed) % SHARDS;
        mine.set(new);
        new
    })
}

/// A value with cache lines of its own.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(crate) struct Padded<T>(pub(crate) T);
