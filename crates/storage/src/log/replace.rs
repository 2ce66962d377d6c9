//! A range of offsets is served by a sorted chunk from now on.

use std::sync::Arc;

use types::{LeaderEpoch, Offset};

use super::{Inner, Log, Run};
use crate::Error;
use crate::format::{EntryType, Replacement};
use crate::sorted::Placed;

impl Log {
    /// Lets a run of a durable chunk serve its range, and says so in the log. False if the log has moved on: then nothing
    /// happened. The caller holds `still`.
    pub(crate) fn replace(self: &Arc<Log>, placed: &Placed, chunk: u64) -> Result<bool, Error> {
        let mut inner = self.inner.lock();
        let stands = !self.is_offline()
            && inner.cuts == placed.cuts
            && placed.next <= inner.index.end()
            && inner.state.log_start < placed.next;
        if !stands {
            return Ok(false);
        }
        let rest_bytes = inner.index.rest_bytes(placed.next, &placed.taken);
        let replacement = placed.replacement(chunk, rest_bytes);
        let (range, body) = ((placed.base, placed.next), replacement.encode());
        self.push_range_event(&mut inner, EntryType::Replace, range, LeaderEpoch::NONE, body)?;
        let before = inner.index.bytes();
        self.counted(&mut inner, |inner| {
            inner.apply_replacement(placed.base, placed.next, &replacement)
        });
        if replacement.compaction.is_some() {
            // What was removed is not to be read from memory either.
            inner.tail.retain(|tail| placed.next <= tail.base);
        }
        self.stream
            .shared
            .freed(before.saturating_sub(inner.index.bytes()));
        Ok(true)
    }
}

impl Inner {
    /// What a REPLACE says, when it is written and when it is read.
    pub(crate) fn apply_replacement(&mut self, base: Offset, next: Offset, replacement: &Replacement) {
        let run = (replacement.bytes != 0).then_some(Run {
            chunk: replacement.chunk,
            base,
            bytes: replacement.bytes,
            max_timestamp: replacement.max_timestamp,
        });
        self.index.replace(base, next, run, replacement.rest_bytes);
        if let Some(compaction) = &replacement.compaction {
            self.state
                .apply_compaction(base, next, &compaction.segments, compaction.cleaned_to);
            self.state.forget_aborted(&compaction.markers_gone);
        }
    }
}
