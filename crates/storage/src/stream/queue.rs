//! What waits to be written, and the room that is kept for it.
//!
//! Bytes are reserved before an offset is assigned (invariant 2): a slice is given room in the current chunk or, once
//! one did not fit, in the next, which was reserved on disk before.

use std::sync::Arc;

use bytes::Bytes;
use record::PREFIX_BYTES;

use crate::format::footer::EXTENT_BYTES;
use crate::format::{ENTRY_BYTES, Entry, EntryType, GROUP_ALIGN, GROUP_HEADER_BYTES};
use crate::{AppendError, Log};

/// The bytes of a slice: a patched prefix and the rest as it was received, or one piece.
#[derive(Debug, Clone)]
pub(crate) struct Payload {
    pub(crate) prefix: Option<[u8; PREFIX_BYTES]>,
    pub(crate) body: Bytes,
}

impl Payload {
    pub(crate) fn bytes(&self) -> usize {
        self.body.len() + if self.prefix.is_some() { PREFIX_BYTES } else { 0 }
    }
}

/// One entry of a group to come.
#[derive(Debug)]
pub(crate) struct Slice {
    /// None for what belongs to the chunk itself.
    pub(crate) log: Option<Arc<Log>>,
    pub(crate) entry: Entry,
    pub(crate) payload: Payload,
    /// Its room is in the next chunk.
    pub(crate) in_next: bool,
}

impl Slice {
    /// The most that it can take in a chunk: as a group of its own, with its extent in the footer.
    pub(crate) fn cost(&self) -> u64 {
        (GROUP_HEADER_BYTES + ENTRY_BYTES + self.payload.bytes() + GROUP_ALIGN + EXTENT_BYTES) as u64
    }
}

#[derive(Debug, Default)]
pub(crate) struct Queue {
    slices: std::collections::VecDeque<Slice>,
    bytes: u64,
    current_left: u64,
    /// Of what is left, kept for events: a full disk must still take deletions.
    events_kept: u64,
    next_left: Option<u64>,
    /// The same of the next chunk.
    next_kept: u64,
    /// Counts the chunks that were gone over to.
    generation: u64,
    /// A slice did not fit the current chunk: all that follow go to the next.
    overflowed: bool,
    /// The largest slice that found no room: the next chunk must take it.
    wanted: u64,
    /// The disk has no room for a next chunk.
    pub(super) full: bool,
}

impl Queue {
    pub(crate) fn is_empty(&self) -> bool {
        self.slices.is_empty()
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The first slice waits for the next chunk.
    pub(crate) fn needs_switch(&self) -> bool {
        self.slices.front().is_some_and(|slice| slice.in_next)
    }

    /// Gives the slice room and takes it, or neither.
    /// Says which switch it waits for, if its room is in the next chunk.
    pub(super) fn push(&mut self, mut slice: Slice) -> Result<Option<u64>, AppendError> {
        let cost = slice.cost();
        let kept = |kept: u64| {
            if slice.entry.kind == EntryType::Data {
                kept
            } else {
                0
            }
        };
        let (needed, needed_in_next) = (cost + kept(self.events_kept), cost + kept(self.next_kept));
        if !self.overflowed && needed <= self.current_left {
            self.current_left -= cost;
        } else if self.next_left.is_some_and(|left| needed_in_next <= left) {
            self.next_left = self.next_left.map(|left| left - cost);
            self.overflowed = true;
            slice.in_next = true;
        } else {
            self.wanted = self.wanted.max(cost);
            return Err(if self.full {
                AppendError::Full
            } else {
                AppendError::Busy
            });
        }
        self.bytes += cost;
        let waits_for = slice.in_next.then_some(self.generation);
        self.slices.push_back(slice);
        Ok(waits_for)
    }

    /// Takes slices that go into one group of one chunk.
    pub(super) fn take(&mut self, entries_max: usize, bytes_max: u64, into: &mut Vec<Slice>) {
        let mut bytes = 0;
        let in_next = self.needs_switch();
        while let Some(front) = self.slices.front() {
            let cost = front.cost();
            let fits = into.is_empty() || (into.len() < entries_max && bytes + cost <= bytes_max);
            if front.in_next != in_next || !fits {
                return;
            }
            bytes += cost;
            self.bytes -= cost;
            into.extend(self.slices.pop_front());
        }
    }

    /// A group was written: what is really left is known again.
    pub(super) fn set_current_left(&mut self, left: u64) {
        if !self.overflowed {
            self.current_left = left.saturating_sub(self.bytes);
        }
    }

    pub(super) fn keep_for_events(&mut self, bytes: u64) {
        self.events_kept = bytes;
    }

    /// Room in the next chunk is taken: it can no longer be another one.
    pub(super) fn has_overflowed(&self) -> bool {
        self.overflowed
    }

    /// The next chunk is ready.
    pub(super) fn set_next(&mut self, left: u64, events_kept: u64) {
        self.next_left = Some(left);
        self.next_kept = events_kept;
        self.full = false;
        self.wanted = 0;
    }

    /// A next chunk is ready, and what found no room so far fits into it.
    pub(super) fn has_next(&self) -> bool {
        self.next_left
            .is_some_and(|left| self.overflowed || self.wanted + self.next_kept <= left)
    }

    pub(super) fn generation(&self) -> u64 {
        self.generation
    }

    pub(super) fn wanted(&self) -> u64 {
        self.wanted
    }

    /// The first chunk of all was not announced.
    pub(super) fn begin_next(&mut self, left: u64) {
        self.next_left.get_or_insert(left);
    }

    /// The writer has gone over to the next chunk; what was kept there is kept in the current one now.
    pub(super) fn switched(&mut self, events_kept: u64) {
        self.events_kept = events_kept;
        self.current_left = self.next_left.take().unwrap_or(0);
        self.overflowed = false;
        self.generation += 1;
        self.slices.iter_mut().for_each(|slice| slice.in_next = false);
    }
}
