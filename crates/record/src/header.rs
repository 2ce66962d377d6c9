//! The 61 bytes in front of a batch.

use types::{LeaderEpoch, Offset, ProducerEpoch, ProducerId};

use crate::{BatchError, Codec};

/// Bytes of a batch before its records.
pub const HEADER_BYTES: usize = 61;
/// Bytes before what `batch_length` counts.
pub(crate) const LENGTH_FROM: usize = 12;
/// The checksum covers everything from here.
pub(crate) const CRC_FROM: usize = 21;

pub(crate) const TRANSACTIONAL: i16 = 1 << 4;
pub(crate) const CONTROL: i16 = 1 << 5;
pub(crate) const LOG_APPEND_TIME: i16 = 1 << 3;
/// A compaction put the time from which tombstones may go into the base timestamp.
pub(crate) const DELETE_HORIZON: i16 = 1 << 6;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimestampType {
    CreateTime,
    LogAppendTime,
}

/// A batch's header, read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchHeader {
    pub base_offset: Offset,
    /// Bytes after the length field.
    pub batch_length: i32,
    pub leader_epoch: LeaderEpoch,
    pub magic: i8,
    pub crc: u32,
    pub attributes: i16,
    pub last_offset_delta: i32,
    pub base_timestamp: i64,
    pub max_timestamp: i64,
    pub producer_id: ProducerId,
    pub producer_epoch: ProducerEpoch,
    pub base_sequence: i32,
    pub records_count: i32,
}

impl BatchHeader {
    /// Reads a header. Says nothing of the bytes behind it, except that their length can be.
    pub fn parse(bytes: &[u8]) -> Result<BatchHeader, BatchError> {
        let short = BatchError::Short {
            needed: HEADER_BYTES,
            found: bytes.len(),
        };
        let head: &[u8; HEADER_BYTES] = bytes.first_chunk().ok_or(short)?;
        let header = BatchHeader {
            base_offset: Offset(i64::from_be_bytes(field(head, 0))),
            batch_length: i32::from_be_bytes(field(head, 8)),
            leader_epoch: LeaderEpoch(i32::from_be_bytes(field(head, 12))),
            magic: i8::from_be_bytes(field(head, 16)),
            crc: u32::from_be_bytes(field(head, 17)),
            attributes: i16::from_be_bytes(field(head, 21)),
            last_offset_delta: i32::from_be_bytes(field(head, 23)),
            base_timestamp: i64::from_be_bytes(field(head, 27)),
            max_timestamp: i64::from_be_bytes(field(head, 35)),
            producer_id: ProducerId(i64::from_be_bytes(field(head, 43))),
            producer_epoch: ProducerEpoch(i16::from_be_bytes(field(head, 51))),
            base_sequence: i32::from_be_bytes(field(head, 53)),
            records_count: i32::from_be_bytes(field(head, 57)),
        };
        if header.batch_length < (HEADER_BYTES - LENGTH_FROM) as i32 {
            return Err(BatchError::Length {
                length: header.batch_length,
            });
        }
        Ok(header)
    }

    /// The whole batch, header included.
    pub fn total_bytes(&self) -> usize {
        LENGTH_FROM + self.batch_length.max(0) as usize
    }

    pub fn last_offset(&self) -> Offset {
        self.base_offset.plus(i64::from(self.last_offset_delta))
    }

    pub fn next_offset(&self) -> Offset {
        self.last_offset().plus(1)
    }

    pub fn codec(&self) -> Result<Codec, BatchError> {
        Codec::from_attributes(self.attributes)
    }

    pub fn timestamp_type(&self) -> TimestampType {
        if self.attributes & LOG_APPEND_TIME == 0 {
            TimestampType::CreateTime
        } else {
            TimestampType::LogAppendTime
        }
    }

    pub fn is_transactional(&self) -> bool {
        self.attributes & TRANSACTIONAL != 0
    }

    pub fn is_control(&self) -> bool {
        self.attributes & CONTROL != 0
    }

    /// From when on a compaction may drop the batch's tombstones, or its transaction marker; none before the first one
    /// saw it (`RecordBatch.deleteHorizonMs`).
    pub fn delete_horizon_ms(&self) -> Option<i64> {
        (self.attributes & DELETE_HORIZON != 0).then_some(self.base_timestamp)
    }

    /// Any negative id is none (`DefaultRecordBatch.hasProducerId`).
    pub fn has_producer(&self) -> bool {
        ProducerId::NONE < self.producer_id
    }

    /// The sequence of the last record; sequences wrap from the largest i32 to 0.
    pub fn last_sequence(&self) -> i32 {
        let last = i64::from(self.base_sequence) + i64::from(self.last_offset_delta);
        (last % (i64::from(i32::MAX) + 1)) as i32
    }
}

fn field<const N: usize>(head: &[u8; HEADER_BYTES], at: usize) -> [u8; N] {
    // Every caller names a field inside the 61 bytes.
    let field = head.get(at..).and_then(|rest| rest.first_chunk::<N>());
    field.copied().unwrap_or([0; N])
}

/// The batches in `bytes`, header and whole bytes each. Stops at the first error.
pub fn batches(bytes: &[u8]) -> impl Iterator<Item = Result<(BatchHeader, &[u8]), BatchError>> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let header = match BatchHeader::parse(rest) {
            Ok(header) => header,
            Err(error) => {
                rest = &[];
                return Some(Err(error));
            }
        };
        match rest.split_at_checked(header.total_bytes()) {
            Some((batch, after)) => {
                rest = after;
                Some(Ok((header, batch)))
            }
            None => {
                let found = rest.len();
                rest = &[];
                Some(Err(BatchError::Short {
                    needed: header.total_bytes(),
                    found,
                }))
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequences_wrap_to_zero() {
        let mut bytes = [0u8; HEADER_BYTES];
        bytes[8..12].copy_from_slice(&49i32.to_be_bytes());
        bytes[23..27].copy_from_slice(&1i32.to_be_bytes());
        bytes[53..57].copy_from_slice(&i32::MAX.to_be_bytes());
        let header = BatchHeader::parse(&bytes).expect("whole");
        assert_eq!(header.last_sequence(), 0);
    }

    #[test]
    fn a_cut_header_is_short() {
        assert!(matches!(
            BatchHeader::parse(&[0; 60]),
            Err(BatchError::Short { .. })
        ));
        assert!(matches!(
            BatchHeader::parse(&[0; 61]),
            Err(BatchError::Length { length: 0 })
        ));
    }
}
