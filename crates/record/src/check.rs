//! What a broker checks before it takes a batch (`org.apache.kafka.storage.internals.log.LogValidator`, and
//! `ProduceRequest.validateRecords`; traps 20 to 27, 104, 105).

use bytes::Bytes;

use crate::header::{CRC_FROM, HEADER_BYTES, TimestampType};
use crate::{BatchError, BatchHeader, Codec, crc32c, decompress, walk};

/// What a topic asks of a batch.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    /// `max.message.bytes`: the batch as it comes, compressed.
    pub bytes_max: usize,
    /// Every record needs a key (`cleanup.policy=compact`).
    pub needs_keys: bool,
    pub timestamps: TimestampRule,
    /// zstd is not for clients that cannot read it.
    pub allows_zstd: bool,
    /// What a batch may decompress to.
    pub decompressed_bytes_max: usize,
}

/// Which timestamps a topic takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimestampRule {
    /// CreateTime between these, inclusive, in ms.
    Between { earliest: i64, latest: i64 },
    /// LogAppendTime: what the client says is replaced.
    Replaced,
}

/// Checks what a client produced for one partition: one whole, sound batch. The header that this gives has the
/// largest timestamp that the records really bear, where they were read.
pub fn check_produced(bytes: &Bytes, rules: &Rules) -> Result<BatchHeader, BatchError> {
    if bytes.is_empty() {
        return Err(BatchError::Empty);
    }
    // Older formats have their magic at the same place, and headers of another length.
    match bytes.get(16).map(|magic| *magic as i8) {
        None => return BatchHeader::parse(bytes),
        Some(2) => {}
        Some(magic @ 0..=1) => return Err(BatchError::OldMagic { magic }),
        Some(magic) => return Err(BatchError::UnknownMagic { magic }),
    }
    let mut header = BatchHeader::parse(bytes)?;
    if header.total_bytes() != bytes.len() {
        return Err(BatchError::NotOneBatch);
    }
    let codec = header.codec()?;
    if codec == Codec::Zstd && !rules.allows_zstd {
        return Err(BatchError::ZstdTooEarly);
    }
    if rules.bytes_max < bytes.len() {
        return Err(BatchError::TooLarge {
            bytes: bytes.len(),
            max: rules.bytes_max,
        });
    }
    check_crc(&header, bytes)?;
    check_header(&header, rules)?;
    if let Some(largest) = check_records(&header, codec, bytes, rules)? {
        header.max_timestamp = largest;
    }
    Ok(header)
}

/// Compares the checksum with the bytes.
pub fn check_crc(header: &BatchHeader, batch: &[u8]) -> Result<(), BatchError> {
    let computed = crc32c(batch.get(CRC_FROM..).unwrap_or_default());
    if computed == header.crc {
        Ok(())
    } else {
        Err(BatchError::Crc {
            stored: header.crc,
            computed,
        })
    }
}

fn check_header(header: &BatchHeader, rules: &Rules) -> Result<(), BatchError> {
    if header.base_offset.0 != 0 {
        return Err(BatchError::BaseOffset {
            offset: header.base_offset.0,
        });
    }
    if header.is_control() {
        return Err(BatchError::Control);
    }
    let (count, last_offset_delta) = (header.records_count, header.last_offset_delta);
    if count < 1 || i64::from(last_offset_delta) != i64::from(count) - 1 {
        return Err(BatchError::Count {
            count,
            last_offset_delta,
        });
    }
    let idempotent = header.has_producer();
    if idempotent && (header.producer_epoch.0 < 0 || header.base_sequence < 0) {
        return Err(BatchError::ProducerFields);
    }
    let replaced = rules.timestamps == TimestampRule::Replaced;
    if replaced && header.timestamp_type() == TimestampType::LogAppendTime {
        return Err(BatchError::Timestamp {
            index: 0,
            timestamp: header.max_timestamp,
        });
    }
    Ok(())
}

/// Walks the records. Compressed ones are opened only where a rule asks what is inside; that their payload is sound
/// is then for the consumer to see, as the checksum has proved that it is what the producer sent.
fn check_records(
    header: &BatchHeader,
    codec: Codec,
    batch: &Bytes,
    rules: &Rules,
) -> Result<Option<i64>, BatchError> {
    let payload = batch.slice(HEADER_BYTES..);
    if codec == Codec::None {
        return check_walk(header, &payload, rules);
    }
    if rules.needs_keys {
        let plain = decompress(codec, &payload, rules.decompressed_bytes_max)?;
        return check_walk(header, &plain, rules);
    }
    check_timestamp(0, header.max_timestamp, rules)?;
    Ok(None)
}

/// Gives the largest timestamp.
fn check_walk(header: &BatchHeader, payload: &[u8], rules: &Rules) -> Result<Option<i64>, BatchError> {
    let mut largest = None;
    for (index, record) in (0..).zip(walk(header, payload)) {
        let record = record?;
        if record.offset_delta != index {
            return Err(BatchError::Malformed {
                index,
                what: "its offset delta is out of order",
            });
        }
        if rules.needs_keys && record.key.is_none() {
            return Err(BatchError::NoKey { index });
        }
        check_timestamp(index, record.timestamp, rules)?;
        largest = largest.max(Some(record.timestamp));
    }
    Ok(largest)
}

fn check_timestamp(index: i32, timestamp: i64, rules: &Rules) -> Result<(), BatchError> {
    match rules.timestamps {
        TimestampRule::Replaced => Ok(()),
        // -1 means that the record has no timestamp.
        TimestampRule::Between { .. } if timestamp == -1 => Ok(()),
        TimestampRule::Between { earliest, latest } => {
            let inside = earliest <= timestamp && timestamp <= latest;
            if inside {
                Ok(())
            } else {
                Err(BatchError::Timestamp { index, timestamp })
            }
        }
    }
}
