//! Idempotent producers (`ProducerStateManager`, `ProducerAppendInfo`; traps 28 to 32 and 104).
//!
//! What is accepted and refused here was compared with Kafka 4.3.1's own classes, step by step: `tests/it/producers.rs`.

use std::collections::VecDeque;

use record::BatchHeader;
use rustc_hash::FxHashMap;
use types::{Offset, ProducerEpoch, ProducerId};

use super::{Marker, Verdict};
use crate::AppendError;
use crate::format::codec::{CodecError, Reader, Writer};

/// Batches that are remembered of each producer.
const BATCHES_KEPT: usize = 5;
/// A marker with the largest epoch may be written again: there is no next one.
const LAST_EPOCH: ProducerEpoch = ProducerEpoch(i16::MAX);

/// A batch that was appended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    pub first_sequence: i32,
    pub last_sequence: i32,
    pub base_offset: Offset,
    pub last_offset: Offset,
    pub timestamp: i64,
}

/// What is known of one producer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Producer {
    pub epoch: ProducerEpoch,
    /// Its newest batches of this epoch, oldest first.
    pub batches: VecDeque<Known>,
    /// The first offset of its open transaction.
    pub open_since: Option<Offset>,
    pub last_timestamp: i64,
    /// The coordinator of its newest marker; -1 before any.
    pub coordinator_epoch: i32,
}

impl Producer {
    fn new(header: &BatchHeader) -> Producer {
        Producer {
            epoch: header.producer_epoch,
            batches: VecDeque::new(),
            open_since: None,
            last_timestamp: header.max_timestamp,
            coordinator_epoch: -1,
        }
    }

    /// Another epoch forgets the batches of the one before, not the open transaction.
    fn enter(&mut self, header: &BatchHeader) {
        if self.epoch != header.producer_epoch {
            self.epoch = header.producer_epoch;
            self.batches.clear();
        }
        self.last_timestamp = header.max_timestamp;
    }

    fn duplicate_of(&self, header: &BatchHeader) -> Option<Verdict> {
        let last_sequence = header.last_sequence();
        let same = |known: &&Known| {
            known.first_sequence == header.base_sequence && known.last_sequence == last_sequence
        };
        self.batches.iter().find(same).map(|known| Verdict::Duplicate {
            base_offset: known.base_offset,
            last_offset: known.last_offset,
            timestamp: known.timestamp,
        })
    }

    /// The sequence of the newest batch, or -1 if none of this epoch is known.
    fn last_sequence(&self) -> i32 {
        self.batches.back().map_or(-1, |last| last.last_sequence)
    }

    fn check_epoch(&self, header: &BatchHeader) -> Result<(), AppendError> {
        if header.producer_epoch < self.epoch {
            return Err(AppendError::ProducerEpoch {
                found: header.producer_epoch.0,
                current: self.epoch.0,
            });
        }
        Ok(())
    }
}

/// All producers of a partition that are not forgotten yet.
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

    pub fn get(&self, id: ProducerId) -> Option<&Producer> {
        self.by_id.get(&id)
    }

    /// For DescribeProducers; in no order.
    pub fn iter(&self) -> impl Iterator<Item = (ProducerId, &Producer)> {
        self.by_id.iter().map(|(id, producer)| (*id, producer))
    }

    /// Of a batch of records that a client sent.
    pub(super) fn check(&self, header: &BatchHeader) -> Result<Verdict, AppendError> {
        // Unknown, or forgotten: any sequence begins a new row (trap 29).
        let Some(producer) = self.by_id.get(&header.producer_id) else {
            return Ok(Verdict::New);
        };
        producer.check_epoch(header)?;
        let is_new_epoch = producer.epoch < header.producer_epoch;
        if !is_new_epoch && let Some(duplicate) = producer.duplicate_of(header) {
            return Ok(duplicate);
        }
        let last = if is_new_epoch {
            -1
        } else {
            producer.last_sequence()
        };
        let next = last.checked_add(1).unwrap_or(0);
        if header.base_sequence != next {
            return Err(AppendError::OutOfOrder {
                found: header.base_sequence,
                last,
            });
        }
        if producer.open_since.is_some() && !header.is_transactional() {
            return Err(AppendError::OpenTransaction);
        }
        Ok(Verdict::New)
    }

    /// Of a marker that a coordinator sent.
    pub(super) fn check_marker(&self, header: &BatchHeader, marker: &Marker) -> Result<(), AppendError> {
        let Some(producer) = self.by_id.get(&header.producer_id) else {
            return Ok(());
        };
        producer.check_epoch(header)?;
        if 2 <= marker.transaction_version && header.producer_epoch == producer.epoch {
            // The marker brings a new epoch, or it is sent again after the transaction has ended.
            let again = producer.open_since.is_none() || producer.epoch == LAST_EPOCH;
            if !again {
                return Err(AppendError::ProducerEpoch {
                    found: header.producer_epoch.0,
                    current: producer.epoch.0,
                });
            }
        }
        if marker.coordinator_epoch < producer.coordinator_epoch {
            let (found, current) = (marker.coordinator_epoch, producer.coordinator_epoch);
            return Err(AppendError::CoordinatorEpoch { found, current });
        }
        Ok(())
    }

    /// A batch of records; gives its base offset if a transaction begins with it.
    pub(super) fn apply(&mut self, header: &BatchHeader) -> Option<Offset> {
        let producer = self
            .by_id
            .entry(header.producer_id)
            .or_insert_with(|| Producer::new(header));
        producer.enter(header);
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
        let begins = header.is_transactional() && producer.open_since.is_none();
        if begins {
            producer.open_since = Some(header.base_offset);
        }
        begins.then_some(header.base_offset)
    }

    /// A marker; gives the first offset of the transaction that it ends.
    pub(super) fn apply_marker(&mut self, header: &BatchHeader, marker: &Marker) -> Option<Offset> {
        let producer = self
            .by_id
            .entry(header.producer_id)
            .or_insert_with(|| Producer::new(header));
        producer.enter(header);
        producer.coordinator_epoch = marker.coordinator_epoch;
        producer.open_since.take()
    }

    pub(super) fn encode(&self, out: &mut Writer) {
        let mut producers: Vec<_> = self.by_id.iter().collect();
        producers.sort_by_key(|(id, _)| **id);
        out.count(producers.len());
        for (id, producer) in producers {
            out.i64(id.0);
            out.i16(producer.epoch.0);
            out.i32(producer.coordinator_epoch);
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
        let mut before = None;
        for _ in 0..reader.count(PRODUCER_BYTES)? {
            let id = ProducerId(reader.i64()?);
            if before.is_some_and(|before| id <= before) {
                return Err(CodecError::Value);
            }
            before = Some(id);
            self.by_id.insert(id, decode_producer(reader)?);
        }
        Ok(())
    }

    /// Forgets producers that were quiet for so long, never one with an open transaction.
    pub fn expire(&mut self, now_ms: i64, expiration_ms: i64) {
        let stale = now_ms.saturating_sub(expiration_ms);
        self.by_id
            .retain(|_, producer| producer.open_since.is_some() || stale < producer.last_timestamp);
    }
}

/// The least that a producer takes.
const PRODUCER_BYTES: usize = 8 + 2 + 4 + 8 + 8 + 1;

fn decode_open(offset: i64) -> Result<Option<Offset>, CodecError> {
    match offset {
        -1 => Ok(None),
        0.. => Ok(Some(Offset(offset))),
        _ => Err(CodecError::Value),
    }
}

fn decode_producer(reader: &mut Reader<'_>) -> Result<Producer, CodecError> {
    let mut producer = Producer {
        epoch: ProducerEpoch(reader.i16()?),
        batches: VecDeque::new(),
        coordinator_epoch: reader.i32()?,
        last_timestamp: reader.i64()?,
        open_since: decode_open(reader.i64()?)?,
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
    Ok(producer)
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
        assert_eq!(
            PartitionState::default().check(&header(0, 42, 1, 0), None),
            Ok(Verdict::New)
        );
    }

    #[test]
    fn one_of_the_last_five_is_a_duplicate_with_its_offset() {
        let state = filled(&[(0, 0, 2), (0, 2, 1), (0, 3, 1), (0, 4, 1), (0, 5, 1), (0, 6, 1)]);
        let duplicate = Verdict::Duplicate {
            base_offset: Offset(2),
            last_offset: Offset(2),
            timestamp: 102,
        };
        assert_eq!(state.check(&header(0, 2, 1, 0), None), Ok(duplicate));
        // Six batches back, and a part of a batch: both out of order.
        assert!(matches!(
            state.check(&header(0, 0, 2, 0), None),
            Err(AppendError::OutOfOrder { .. })
        ));
        assert!(matches!(
            state.check(&header(0, 0, 1, 0), None),
            Err(AppendError::OutOfOrder { .. })
        ));
        assert!(matches!(
            state.check(&header(0, 8, 1, 0), None),
            Err(AppendError::OutOfOrder { .. })
        ));
        assert_eq!(state.check(&header(0, 7, 1, 0), None), Ok(Verdict::New));
    }

    #[test]
    fn a_new_epoch_starts_at_zero_and_an_old_one_is_fenced() {
        let state = filled(&[(3, 0, 1)]);
        assert_eq!(state.check(&header(4, 0, 1, 0), None), Ok(Verdict::New));
        assert!(matches!(
            state.check(&header(4, 1, 1, 0), None),
            Err(AppendError::OutOfOrder { .. })
        ));
        assert!(matches!(
            state.check(&header(2, 1, 1, 0), None),
            Err(AppendError::ProducerEpoch { .. })
        ));
    }

    #[test]
    fn sequences_wrap_to_zero() {
        let state = filled(&[(0, i32::MAX - 1, 2)]);
        assert_eq!(state.check(&header(0, 0, 1, 0), None), Ok(Verdict::New));
    }

    #[test]
    fn an_open_transaction_holds_the_stable_offset_until_its_marker() {
        let mut state = PartitionState::default();
        let transactional = BatchHeader {
            attributes: 1 << 4,
            ..header(0, 0, 2, 5)
        };
        state.apply_batch(&transactional, None);
        assert_eq!(state.last_stable_offset(Offset(9)), Offset(5));
        assert_eq!(
            state.check(&header(0, 2, 1, 0), None),
            Err(AppendError::OpenTransaction)
        );
        state.producers.expire(i64::MAX, 1);
        let ends = Marker {
            aborts: true,
            coordinator_epoch: 1,
            transaction_version: 1,
        };
        state.apply_batch(
            &BatchHeader {
                attributes: 3 << 4,
                ..header(0, -1, 1, 7)
            },
            Some(&ends),
        );
        // The marker is there; readers wait until it is replicated.
        state.apply_high_watermark(Offset(7));
        assert_eq!(state.last_stable_offset(Offset(7)), Offset(5));
        state.apply_high_watermark(Offset(8));
        assert_eq!(state.last_stable_offset(Offset(8)), Offset(8));
        assert_eq!(
            state.aborted_between(Offset(0), Offset(6)),
            [(ProducerId(7), Offset(5))]
        );
        assert_eq!(state.aborted_between(Offset(8), Offset(9)), []);
    }

    #[test]
    fn state_round_trips_as_bytes() {
        let mut state = filled(&[(0, 0, 2), (0, 2, 1), (1, 0, 3)]);
        state.apply_batch(
            &BatchHeader {
                attributes: 1 << 4,
                producer_id: ProducerId(8),
                ..header(0, 0, 2, 9)
            },
            None,
        );
        state.apply_epoch(LeaderEpoch(2), Offset(0));
        state.apply_roll(Offset(4));
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
