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

#[cfg(test)]
mod tests {
    use types::{LeaderEpoch, Offset, PartitionIndex, TopicIdPartition, Uuid};

    use super::*;
    use crate::format::{Entry, EntryType};
    use crate::stream::Payload;

    fn slice(body: &Bytes) -> Slice {
        let target = TopicIdPartition {
            topic_id: Uuid::ZERO,
            partition: PartitionIndex(0),
        };
        Slice {
            log: None,
            entry: Entry {
                kind: EntryType::Data,
                target,
                incarnation: 0,
                payload_bytes: body.len() as u32,
                base_offset: Offset(0),
                next_offset: Offset(1),
                leader_epoch: LeaderEpoch(0),
                payload_crc: 0,
                max_timestamp: 0,
            },
            payload: Payload {
                prefix: Some([7; record::PREFIX_BYTES]),
                body: body.clone(),
            },
            in_next: false,
        }
    }

    #[test]
    fn a_small_batch_lets_its_receive_block_go_and_lies_close_to_the_one_before() {
        let mut copies = Copies::default();
        let block = Bytes::from(vec![1; BLOCK_BYTES]);
        let first = copies.tail_of(&slice(&block.slice(..100)));
        let next = copies.tail_of(&slice(&block.slice(100..200)));
        assert!(block.is_unique(), "no tail holds the block");
        let [first, next] = [&first.segments[0], &next.segments[0]];
        assert_eq!(&first[record::PREFIX_BYTES..], &block[..100]);
        let between = next.as_ptr() as usize - first.as_ptr() as usize;
        assert_eq!(between, first.len());
    }

    #[test]
    fn a_large_batch_stays_where_it_was_received() {
        let body = Bytes::from(vec![1; BY_REFERENCE_BYTES]);
        let tail = Copies::default().tail_of(&slice(&body));
        assert_eq!(tail.segments[1].as_ptr(), body.as_ptr());
        assert_eq!(tail.bytes, record::PREFIX_BYTES + body.len());
    }
}
