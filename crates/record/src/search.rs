//! Finding a record in a batch by its timestamp (trap 54).

use bytes::Bytes;
use types::Offset;

use crate::header::HEADER_BYTES;
use crate::{BatchError, BatchHeader, Codec, TimestampType, decompress, walk};

fn payload(header: &BatchHeader, batch: &Bytes, bytes_max: usize) -> Result<Bytes, BatchError> {
    let payload = batch.slice(HEADER_BYTES.min(batch.len())..);
    match header.codec()? {
        Codec::None => Ok(payload),
        codec => decompress(codec, &payload, bytes_max),
    }
}

/// The first record at or after `timestamp`, with its own timestamp.
pub fn first_at_or_after(
    batch: &Bytes,
    timestamp: i64,
    bytes_max: usize,
) -> Result<Option<(Offset, i64)>, BatchError> {
    let header = BatchHeader::parse(batch)?;
    if header.timestamp_type() == TimestampType::LogAppendTime {
        let found = timestamp <= header.max_timestamp;
        return Ok(found.then_some((header.base_offset, header.max_timestamp)));
    }
    let payload = payload(&header, batch, bytes_max)?;
    for record in walk(&header, &payload) {
        let record = record?;
        if timestamp <= record.timestamp {
            return Ok(Some((
                header.base_offset.plus(i64::from(record.offset_delta)),
                record.timestamp,
            )));
        }
    }
    Ok(None)
}

/// The first record that bears the batch's largest timestamp.
pub fn of_max_timestamp(batch: &Bytes, bytes_max: usize) -> Result<Option<(Offset, i64)>, BatchError> {
    let header = BatchHeader::parse(batch)?;
    if header.timestamp_type() == TimestampType::LogAppendTime {
        return Ok(Some((header.base_offset, header.max_timestamp)));
    }
    let payload = payload(&header, batch, bytes_max)?;
    let mut best: Option<(Offset, i64)> = None;
    for record in walk(&header, &payload) {
        let record = record?;
        if best.is_none_or(|(_, timestamp)| timestamp < record.timestamp) {
            best = Some((
                header.base_offset.plus(i64::from(record.offset_delta)),
                record.timestamp,
            ));
        }
    }
    Ok(best)
}
