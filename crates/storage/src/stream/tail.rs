//! What stays in memory of the batches that were written last.
//!
//! Large bodies stay where they were received. Small ones are copied together: one of a hundred bytes must not keep a
//! whole receive block, and what is charged against the cache has to be what it costs.

use bytes::{Bytes, BytesMut};
use smallvec::SmallVec;

use super::Slice;
use crate::log::Tail;

/// Bodies from here on stay where they are.
const BY_REFERENCE_BYTES: usize = 4 << 10;
/// Small bodies share memory of this size.
const BLOCK_BYTES: usize = 64 << 10;
/// What a batch costs beside its bytes, in the log's queue and in the writer's.
const ENTRY_COST_BYTES: usize = 160;

/// Memory for the copies.
#[derive(Debug, Default)]
pub(super) struct Copies {
    block: BytesMut,
}

impl Copies {
    /// The batches of a slice as they stay in memory.
    pub(super) fn tail_of(&mut self, slice: &Slice) -> Tail {
        let (prefix, body) = (&slice.payload.prefix, &slice.payload.body);
        let prefix = prefix.as_ref().map_or(&[][..], |prefix| prefix);
        let is_large = BY_REFERENCE_BYTES <= body.len();
        let copied = prefix.len() + if is_large { 0 } else { body.len() };
        if self.block.capacity() < copied {
            self.block = BytesMut::with_capacity(BLOCK_BYTES);
        }
        self.block.extend_from_slice(prefix);
        let mut segments: SmallVec<[Bytes; 2]> = SmallVec::new();
        if is_large {
            segments.push(self.block.split().freeze());
            segments.push(body.clone());
        } else {
            self.block.extend_from_slice(body);
            segments.push(self.block.split().freeze());
        }
        Tail {
            base: slice.entry.base_offset,
            next: slice.entry.next_offset,
            bytes: slice.payload.bytes(),
            segments,
        }
    }
}

/// What a batch of `bytes` is charged.
pub(super) fn cost(bytes: usize) -> usize {
    bytes + ENTRY_COST_BYTES
}
