//! From the bytes of a fetch to batches that can be read: checksums, decompression within bounds, transactions.

use bytes::Bytes;
use record::{BatchHeader, Codec, ControlType, HEADER_BYTES};
use rustc_hash::FxHashSet;
use types::ProducerId;

use super::records::{Batch, PartitionRecords};
use crate::{Error, Isolation, Result, TopicPartition};

/// What holds for every fetch of a consumer.
#[derive(Debug, Clone, Copy)]
pub(super) struct DecodeRules {
    pub(super) isolation: Isolation,
    pub(super) check_crcs: bool,
    pub(super) decompressed_bytes_max: usize,
}

/// What a fetch brought for a partition.
#[derive(Debug, Clone)]
pub(super) struct Chunk {
    pub(super) partition: TopicPartition,
    /// Of the position: a seek since then makes the chunk worthless.
    pub(super) incarnation: u64,
    /// The offset that was asked for.
    pub(super) from: i64,
    /// The offset behind the last whole batch.
    pub(super) to: i64,
    pub(super) bytes: Bytes,
    /// Aborted transactions in the range: producer and first offset, by first offset.
    pub(super) aborted: Vec<(i64, i64)>,
    pub(super) high_watermark: i64,
}

/// The offset and leader epoch behind the last whole batch; `None` if there is no whole batch.
pub(super) fn end_of(bytes: &[u8]) -> Option<(i64, i32)> {
    let whole = record::batches(bytes).map_while(Result::ok);
    whole
        .last()
        .map(|(header, _)| (header.next_offset().0, header.leader_epoch.0))
}

/// Reads a chunk, at most `records_max` records of it. The rest comes back as a chunk of its own.
pub(super) fn decode(
    chunk: Chunk,
    rules: &DecodeRules,
    records_max: usize,
) -> Result<(PartitionRecords, Option<Chunk>)> {
    let mut transactions = Transactions::new(&chunk, rules);
    let mut batches = Vec::new();
    let mut count = 0;
    let mut to = chunk.from;
    let mut at = 0;
    while at < chunk.bytes.len() {
        let rest = chunk.bytes.slice(at..);
        let damaged = |source| Error::Batch {
            partition: format!("{} at offset {to}", chunk.partition),
            source,
        };
        // The last batch may be cut off: brokers fill an answer to its limit.
        let Some(length) = rest.get(8..12).and_then(|length| length.first_chunk::<4>()) else {
            break;
        };
        let length = i32::from_be_bytes(*length);
        if rest.len() as i64 - 12 < i64::from(length) && 0 < length {
            break;
        }
        let header = BatchHeader::parse(&rest).map_err(damaged)?;
        let whole = rest.slice(..header.total_bytes().min(rest.len()));
        if header.magic != 2 {
            return Err(damaged(record::BatchError::OldMagic { magic: header.magic }));
        }
        if rules.check_crcs {
            record::check_crc(&header, &whole).map_err(damaged)?;
        }
        let visible = transactions.admits(&header, &whole);
        if visible && chunk.from < header.next_offset().0 {
            let batch = open(header, whole.slice(HEADER_BYTES..), rules).map_err(damaged)?;
            // Without a limit nobody needs the number, and the lengths tell whether the batch is whole.
            let wanted = if records_max == usize::MAX {
                record::check_lengths(&batch.header, &batch.payload).map(|()| 0)
            } else {
                wanted_in(&batch, chunk.from)
            };
            let wanted = wanted.map_err(damaged)?;
            if records_max < count + wanted {
                let cut = offset_after(&batch, chunk.from.max(to), records_max - count);
                // Offsets that do not ascend would hold the position where it is.
                let cut = if at == 0 {
                    cut.max(chunk.from.saturating_add(1))
                } else {
                    cut
                };
                batches.push(batch);
                let rest = Chunk {
                    from: cut,
                    bytes: chunk.bytes.slice(at..),
                    ..chunk.clone()
                };
                return Ok((records(&chunk, batches, cut), Some(rest)));
            }
            count += wanted;
            batches.push(batch);
        }
        to = header.next_offset().0.max(to);
        at += header.total_bytes();
    }
    let records = records(&chunk, batches, chunk.to.max(to));
    Ok((records, None))
}

fn records(chunk: &Chunk, batches: Vec<Batch>, to: i64) -> PartitionRecords {
    PartitionRecords {
        partition: chunk.partition.clone(),
        batches,
        from: chunk.from,
        to,
        high_watermark: chunk.high_watermark,
    }
}

fn open(header: BatchHeader, packed: Bytes, rules: &DecodeRules) -> Result<Batch, record::BatchError> {
    let codec = header.codec()?;
    let payload = match codec {
        Codec::None => packed,
        codec => record::decompress(codec, &packed, rules.decompressed_bytes_max)?,
    };
    Ok(Batch { header, payload })
}

/// Records of a batch from an offset on. Looks at each, so that what is given out is sound.
fn wanted_in(batch: &Batch, from: i64) -> Result<usize, record::BatchError> {
    let mut count = 0;
    for one in record::walk(&batch.header, &batch.payload) {
        let offset = batch
            .header
            .base_offset
            .0
            .saturating_add(i64::from(one?.offset_delta));
        count += usize::from(from <= offset);
    }
    Ok(count)
}

/// The offset behind the first `count` records from `from` on.
fn offset_after(batch: &Batch, from: i64, count: usize) -> i64 {
    let offsets = record::walk(&batch.header, &batch.payload)
        .map_while(Result::ok)
        .map(|one| {
            batch
                .header
                .base_offset
                .0
                .saturating_add(i64::from(one.offset_delta))
        });
    let mut wanted = offsets.filter(|offset| from <= *offset).skip(count);
    wanted.next().unwrap_or(batch.header.next_offset().0)
}

/// Which producers' transactions are aborted at the place that is read (`CompletedFetch` of the Java client).
struct Transactions {
    read_committed: bool,
    /// First offsets still ahead, the next one last.
    ahead: Vec<(i64, i64)>,
    aborted: FxHashSet<i64>,
}

impl Transactions {
    fn new(chunk: &Chunk, rules: &DecodeRules) -> Transactions {
        let mut ahead = chunk.aborted.clone();
        // Kafka's list is not always in order.
        ahead.sort_by_key(|(_, first_offset)| std::cmp::Reverse(*first_offset));
        Transactions {
            read_committed: rules.isolation == Isolation::ReadCommitted,
            ahead,
            aborted: FxHashSet::default(),
        }
    }

    /// Whether a batch's records are for the application.
    fn admits(&mut self, header: &BatchHeader, whole: &Bytes) -> bool {
        if header.is_control() {
            if self.read_committed && control_type(header, whole) == Some(ControlType::Abort) {
                self.aborted.remove(&header.producer_id.0);
            }
            return false;
        }
        if !self.read_committed || header.producer_id == ProducerId::NONE {
            return true;
        }
        while let Some((producer, first_offset)) = self.ahead.last().copied() {
            if header.next_offset().0 <= first_offset {
                break;
            }
            self.aborted.insert(producer);
            self.ahead.pop();
        }
        !(header.is_transactional() && self.aborted.contains(&header.producer_id.0))
    }
}

fn control_type(header: &BatchHeader, whole: &Bytes) -> Option<ControlType> {
    let payload = whole.get(HEADER_BYTES..)?;
    let first = record::walk(header, payload).next()?.ok()?;
    ControlType::from_key(first.key?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use record::{BatchBuilder, BatchOptions};
    use types::{Offset, ProducerEpoch};

    const RULES: DecodeRules = DecodeRules {
        isolation: Isolation::ReadCommitted,
        check_crcs: true,
        decompressed_bytes_max: 1 << 20,
    };

    fn batch(base: i64, count: i64, options: BatchOptions) -> Vec<u8> {
        let mut builder = BatchBuilder::new(BatchOptions {
            base_offset: Offset(base),
            ..options
        });
        (0..count).for_each(|n| builder.push(n, None, Some(format!("{}", base + n).as_bytes())));
        builder.build().expect("memory").to_vec()
    }

    fn transactional(producer: i64) -> BatchOptions {
        BatchOptions {
            producer_id: ProducerId(producer),
            producer_epoch: ProducerEpoch(0),
            base_sequence: 0,
            is_transactional: true,
            ..BatchOptions::default()
        }
    }

    fn marker(base: i64, producer: i64, kind: ControlType) -> Vec<u8> {
        let mut builder = BatchBuilder::new(BatchOptions {
            base_offset: Offset(base),
            is_control: true,
            base_sequence: -1,
            ..transactional(producer)
        });
        builder.push(0, Some(&kind.key()), Some(&[0; 6]));
        builder.build().expect("memory").to_vec()
    }

    fn chunk(bytes: Vec<u8>, from: i64, aborted: Vec<(i64, i64)>) -> Chunk {
        let to = end_of(&bytes).map_or(from, |(to, _)| to);
        Chunk {
            partition: TopicPartition::new("t", 0),
            incarnation: 0,
            from,
            to,
            bytes: bytes.into(),
            aborted,
            high_watermark: to,
        }
    }

    fn offsets(records: &PartitionRecords) -> Vec<i64> {
        records.iter().map(|record| record.offset.0).collect()
    }

    #[test]
    fn aborted_transactions_and_markers_are_left_out() {
        let mut bytes = batch(0, 2, transactional(1));
        bytes.extend(batch(2, 1, transactional(2)));
        bytes.extend(batch(3, 1, BatchOptions::default()));
        bytes.extend(marker(4, 1, ControlType::Abort));
        bytes.extend(marker(5, 2, ControlType::Commit));
        bytes.extend(batch(6, 1, transactional(1)));
        // Out of order, as Kafka 4.3.1 was seen to send it.
        let aborted = vec![(9, 8), (1, 0)];
        let (read, rest) =
            decode(chunk(bytes.clone(), 0, aborted.clone()), &RULES, usize::MAX).expect("sound");
        assert_eq!(offsets(&read), [2, 3, 6]);
        assert!(rest.is_none());
        assert_eq!(read.next_offset(), Offset(7));
        let all = DecodeRules {
            isolation: Isolation::ReadUncommitted,
            ..RULES
        };
        let (read, _) = decode(chunk(bytes, 0, aborted), &all, usize::MAX).expect("sound");
        assert_eq!(offsets(&read), [0, 1, 2, 3, 6]);
    }

    #[test]
    fn a_batch_that_began_before_the_position_is_cut_and_a_torn_one_is_left() {
        for codec in Codec::ALL {
            let options = BatchOptions {
                codec,
                ..BatchOptions::default()
            };
            let mut bytes = batch(0, 10, options.clone());
            let torn = batch(10, 10, options);
            bytes.extend(&torn[..torn.len() - 3]);
            let (read, _) = decode(chunk(bytes, 7, Vec::new()), &RULES, usize::MAX).expect("sound");
            assert_eq!(offsets(&read), [7, 8, 9]);
            assert_eq!(read.next_offset(), Offset(10));
        }
    }

    #[test]
    fn a_limit_of_records_cuts_inside_a_batch_and_loses_none() {
        let mut bytes = batch(0, 10, BatchOptions::default());
        bytes.extend(batch(20, 10, BatchOptions::default()));
        let (mut next, mut seen) = (Some(chunk(bytes, 3, Vec::new())), Vec::new());
        while let Some(chunk) = next {
            let (read, rest) = decode(chunk, &RULES, 4).expect("sound");
            assert!(read.iter().count() <= 4);
            seen.extend(offsets(&read));
            next = rest;
        }
        assert_eq!(seen, (3..10).chain(20..30).collect::<Vec<_>>());
    }

    #[test]
    fn a_limit_comes_forward_over_offsets_that_do_not_ascend() {
        let mut bytes = batch(0, 5, BatchOptions::default());
        // The offset deltas of the records, a varint behind length, attributes and timestamp each, all become 3.
        let mut at = HEADER_BYTES;
        for _ in 0..5 {
            let length = usize::from(bytes[at] >> 1);
            bytes[at + 3] = 3 << 1;
            at += 1 + length;
        }
        let lenient = DecodeRules {
            check_crcs: false,
            ..RULES
        };
        let (mut next, mut turns, mut seen) = (Some(chunk(bytes, 0, Vec::new())), 0, 0);
        while let Some(chunk) = next {
            let (read, rest) = decode(chunk, &lenient, 1).expect("lenient");
            (seen, turns) = (seen + read.iter().count(), turns + 1);
            next = rest;
            assert!(turns < 20, "it does not come forward");
        }
        assert_eq!(seen, 5);
    }

    #[test]
    fn damage_is_an_error() {
        let mut bytes = batch(0, 2, BatchOptions::default());
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        assert!(matches!(
            decode(chunk(bytes, 0, Vec::new()), &RULES, usize::MAX),
            Err(Error::Batch { .. })
        ));
    }
}
