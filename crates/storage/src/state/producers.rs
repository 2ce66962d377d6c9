//! Idempotent producers and open transactions (`ProducerStateManager`, `ProducerAppendInfo`; traps 28 to 32 and 104).

use std::collections::VecDeque;

use record::BatchHeader;
use rustc_hash::FxHashMap;
use types::{Offset, ProducerEpoch, ProducerId};

use super::Verdict;
use crate::AppendError;
use crate::format::codec::{CodecError, Reader, Writer};

/// Batches that are remembered of each producer.
const BATCHES_KEPT: usize = 5;

/// A batch that was appended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    pub first_sequence: i32,
    pub last_sequence: i32,
    pub base_offset: Offset,
    pub last_offset: Offset,
    pub timestamp: i64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Producer {
    epoch: ProducerEpoch,
    batches: VecDeque<Known>,
    open_since: Option<Offset>,
    last_timestamp: i64,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Producers {
    by_id: FxHashMap<ProducerId, Producer>,
}

impl Producers {
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    pub(super) fn check(&self, header: &BatchHeader) -> Result<Verdict, AppendError> {
        let Some(producer) = self.by_id.get(&header.producer_id) else {
            // Unknown, or forgotten: any sequence begins a new row (trap 29).
            return Ok(Verdict::New);
        };
        if header.producer_epoch < producer.epoch {
            let (found, current) = (header.producer_epoch.0, producer.epoch.0);
            return Err(AppendError::ProducerEpoch { found, current });
        }
        if producer.epoch < header.producer_epoch {
            return if header.base_sequence == 0 {
                Ok(Verdict::New)
            } else {
                Err(AppendError::OutOfOrder { found: header.base_sequence, last: -1 })
            };
        }
        let same = |known: &&Known| {
            known.first_sequence == header.base_sequence && known.last_sequence == header.last_sequence()
        };
        if let Some(known) = producer.batches.iter().find(same) {
            return Ok(Verdict::Duplicate {
                base_offset: known.base_offset,
                last_offset: known.last_offset,
                timestamp: known.timestamp,
            });
        }
        let Some(last) = producer.batches.back() else { return Ok(Verdict::New) };
        let next = if last.last_sequence == i32::MAX { 0 } else { last.last_sequence + 1 };
        if header.base_sequence != next {
            return Err(AppendError::OutOfOrder { found: header.base_sequence, last: last.last_sequence });
        }
        if producer.open_since.is_some() && !header.is_transactional() {
            return Err(AppendError::OpenTransaction);
        }
        Ok(Verdict::New)
    }

    pub(super) fn apply(&mut self, header: &BatchHeader) {
        let producer = self.by_id.entry(header.producer_id).or_insert_with(|| Producer {
            epoch: header.producer_epoch,
            batches: VecDeque::new(),
            open_since: None,
            last_timestamp: header.max_timestamp,
        });
        if producer.epoch != header.producer_epoch {
            producer.epoch = header.producer_epoch;
            producer.batches.clear();
        }
        if producer.batches.len() == BATCHES_KEPT {
            producer.batches.pop_front();
        }
        producer.batches.push_back(Known {
            first_sequence: header.base_sequence,
            last_sequence: header.last_sequence(),
            base_offset: header.base_offset,
            last_offset: header.last_offset(),
            timestamp: header.max_timestamp,
        });
        producer.last_timestamp = header.max_timestamp;
        if header.is_transactional() {
            producer.open_since.get_or_insert(header.base_offset);
        }
    }

    /// A marker: gives the first offset of the transaction that it ends.
    pub(super) fn end_transaction(&mut self, header: &BatchHeader) -> Option<Offset> {
        let producer = self.by_id.entry(header.producer_id).or_insert_with(|| Producer {
            epoch: header.producer_epoch,
            batches: VecDeque::new(),
            open_since: None,
            last_timestamp: header.max_timestamp,
        });
        if producer.epoch != header.producer_epoch {
            producer.epoch = header.producer_epoch;
            producer.batches.clear();
        }
        producer.last_timestamp = header.max_timestamp;
        producer.open_since.take()
    }

    pub(super) fn first_open(&self) -> Option<Offset> {
        self.by_id.values().filter_map(|producer| producer.open_since).min()
    }

    pub(super) fn encode(&self, out: &mut Writer) {
        let mut producers: Vec<_> = self.by_id.iter().collect();
        producers.sort_by_key(|(id, _)| **id);
        out.count(producers.len());
        for (id, producer) in producers {
            out.i64(id.0);
            out.i16(producer.epoch.0);
            out.i64(producer.last_timestamp);
            out.i64(producer.open_since.map_or(-1, |open| open.0));
            out.u8(producer.batches.len() as u8);
            for known in &producer.batches {
                out.i32(known.first_sequence);
                out.i32(known.last_sequence);
                out.i64(known.base_offset.0);
                out.i64(known.last_offset.0);
                out.i64(known.timestamp);
            }
        }
    }

    pub(super) fn decode(&mut self, reader: &mut Reader<'_>) -> Result<(), CodecError> {
        for _ in 0..reader.count(27)? {
            let id = ProducerId(reader.i64()?);
            let mut producer = Producer {
                epoch: ProducerEpoch(reader.i16()?),
                batches: VecDeque::new(),
                last_timestamp: reader.i64()?,
                open_since: Some(Offset(reader.i64()?)).filter(|open| Offset::ZERO <= *open),
            };
            let batches = usize::from(reader.u8()?);
            if BATCHES_KEPT < batches {
                return Err(CodecError::Value);
            }
            for _ in 0..batches {
                producer.batches.push_back(Known {
                    first_sequence: reader.i32()?,
                    last_sequence: reader.i32()?,
                    base_offset: Offset(reader.i64()?),
                    last_offset: Offset(reader.i64()?),
                    timestamp: reader.i64()?,
                });
            }
            self.by_id.insert(id, producer);
        }
        Ok(())
    }

    /// Forgets producers that were quiet for so long, never one with an open transaction.
    pub fn expire(&mut self, now_ms: i64, expiration_ms: i64) {
        let stale = now_ms.saturating_sub(expiration_ms);
        self.by_id.retain(|_, producer| producer.open_since.is_some() || stale < producer.last_timestamp);
    }
}

#[cfg(test)]
mod tests {
    use types::LeaderEpoch;

    use super::*;
    use crate::state::PartitionState;

    fn header(epoch: i16, sequence: i32, count: i32, offset: i64) -> BatchHeader {
        BatchHeader {
            base_offset: Offset(offset),
            batch_length: 49,
            leader_epoch: LeaderEpoch(0),
            magic: 2,
            crc: 0,
            attributes: 0,
            last_offset_delta: count - 1,
            base_timestamp: 0,
            max_timestamp: 100 + offset,
            producer_id: ProducerId(7),
            producer_epoch: ProducerEpoch(epoch),
            base_sequence: sequence,
            records_count: count,
        }
    }

    fn filled(batches: &[(i16, i32, i32)]) -> PartitionState {
        let mut state = PartitionState::default();
        let mut offset = 0;
        for (epoch, sequence, count) in batches {
            state.apply_batch(&header(*epoch, *sequence, *count, offset), None);
            offset += i64::from(*count);
        }
        state
    }

    #[test]
    fn the_first_batch_may_have_any_sequence() {
        assert_eq!(PartitionState::default().check(&header(0, 42, 1, 0)), Ok(Verdict::New));
    }

    #[test]
    fn one_of_the_last_five_is_a_duplicate_with_its_offset() {
        let state = filled(&[(0, 0, 2), (0, 2, 1), (0, 3, 1), (0, 4, 1), (0, 5, 1), (0, 6, 1)]);
        let duplicate = Verdict::Duplicate { base_offset: Offset(2), last_offset: Offset(2), timestamp: 102 };
        assert_eq!(state.check(&header(0, 2, 1, 0)), Ok(duplicate));
        // Six batches back, and a part of a batch: both out of order.
        assert!(matches!(state.check(&header(0, 0, 2, 0)), Err(AppendError::OutOfOrder { .. })));
        assert!(matches!(state.check(&header(0, 0, 1, 0)), Err(AppendError::OutOfOrder { .. })));
        assert!(matches!(state.check(&header(0, 8, 1, 0)), Err(AppendError::OutOfOrder { .. })));
        assert_eq!(state.check(&header(0, 7, 1, 0)), Ok(Verdict::New));
    }

    #[test]
    fn a_new_epoch_starts_at_zero_and_an_old_one_is_fenced() {
        let state = filled(&[(3, 0, 1)]);
        assert_eq!(state.check(&header(4, 0, 1, 0)), Ok(Verdict::New));
        assert!(matches!(state.check(&header(4, 1, 1, 0)), Err(AppendError::OutOfOrder { .. })));
        assert!(matches!(state.check(&header(2, 1, 1, 0)), Err(AppendError::ProducerEpoch { .. })));
    }

    #[test]
    fn sequences_wrap_to_zero() {
        let state = filled(&[(0, i32::MAX - 1, 2)]);
        assert_eq!(state.check(&header(0, 0, 1, 0)), Ok(Verdict::New));
    }

    #[test]
    fn an_open_transaction_holds_the_stable_offset_until_its_marker() {
        let mut state = PartitionState::default();
        let transactional = BatchHeader { attributes: 1 << 4, ..header(0, 0, 2, 5) };
        state.apply_batch(&transactional, None);
        assert_eq!(state.last_stable_offset(Offset(9)), Offset(5));
        assert_eq!(state.check(&header(0, 2, 1, 0)), Err(AppendError::OpenTransaction));
        state.producers.expire(i64::MAX, 1);
        let marker = BatchHeader { attributes: 3 << 4, ..header(0, -1, 1, 7) };
        state.apply_batch(&marker, Some(true));
        assert_eq!(state.last_stable_offset(Offset(9)), Offset(9));
        assert_eq!(state.aborted_between(Offset(0), Offset(6)), [(ProducerId(7), Offset(5))]);
        assert_eq!(state.aborted_between(Offset(8), Offset(9)), []);
    }

    #[test]
    fn state_round_trips_as_bytes() {
        let mut state = filled(&[(0, 0, 2), (0, 2, 1), (1, 0, 3)]);
        state.apply_batch(&BatchHeader { attributes: 1 << 4, producer_id: ProducerId(8), ..header(0, 0, 2, 9) }, None);
        state.apply_epoch(LeaderEpoch(2), Offset(0));
        state.segments.push(Offset(4));
        state.aborted.push((ProducerId(7), Offset(1), Offset(2)));
        let mut out = Writer::default();
        state.encode(&mut out);
        assert_eq!(PartitionState::decode(&out.0), Ok(state));
        for cut in 0..out.0.len() {
            assert!(PartitionState::decode(&out.0[..cut]).is_err(), "cut at {cut}");
        }
    }

    #[test]
    fn quiet_producers_expire() {
        let mut state = filled(&[(0, 0, 1)]);
        state.producers.expire(1000, 950);
        assert_eq!(state.producers.len(), 1);
        state.producers.expire(1000, 900);
        assert!(state.producers.is_empty());
    }
}
