//! Finding a record in a batch by its timestamp (trap 54).

use std::ops::ControlFlow;

use types::Offset;

use crate::codec::{Caps, Unpacker};
use crate::header::HEADER_BYTES;
use crate::scan::{Scanned, scan};
use crate::{BatchError, BatchHeader, TimestampType};

/// The first record at or after `timestamp`, not below `from`, with its own timestamp. A compressed batch is read out of
/// a fixed buffer, at most `bytes_max` of it.
pub fn first_at_or_after(
    batch: &[u8],
    from: Offset,
    timestamp: i64,
    bytes_max: usize,
) -> Result<Option<(Offset, i64)>, BatchError> {
    let header = BatchHeader::parse(batch)?;
    if header.timestamp_type() == TimestampType::LogAppendTime {
        // One that a compaction emptied has no record.
        let found =
            timestamp <= header.max_timestamp && from <= header.last_offset() && header.records_count != 0;
        return Ok(found.then_some((header.base_offset.max(from), header.max_timestamp)));
    }
    each(&header, batch, bytes_max, |record| {
        let offset = header.base_offset.plus(i64::from(record.offset_delta));
        if timestamp <= record.timestamp && from <= offset {
            ControlFlow::Break((offset, record.timestamp))
        } else {
            ControlFlow::Continue(())
        }
    })
}

/// The first record, not below `from`, that bears the largest timestamp of those.
pub fn of_max_timestamp(
    batch: &[u8],
    from: Offset,
    bytes_max: usize,
) -> Result<Option<(Offset, i64)>, BatchError> {
    let header = BatchHeader::parse(batch)?;
    if header.timestamp_type() == TimestampType::LogAppendTime {
        let found = from <= header.last_offset() && header.records_count != 0;
        return Ok(found.then_some((header.base_offset.max(from), header.max_timestamp)));
    }
    let mut best: Option<(Offset, i64)> = None;
    each(&header, batch, bytes_max, |record| {
        let offset = header.base_offset.plus(i64::from(record.offset_delta));
        if from <= offset && best.is_none_or(|(_, timestamp)| timestamp < record.timestamp) {
            best = Some((offset, record.timestamp));
        }
        ControlFlow::<()>::Continue(())
    })?;
    Ok(best)
}

fn each<B>(
    header: &BatchHeader,
    batch: &[u8],
    bytes_max: usize,
    mut look: impl FnMut(Scanned) -> ControlFlow<B>,
) -> Result<Option<B>, BatchError> {
    let payload = batch.get(HEADER_BYTES..).unwrap_or_default();
    let unpacker = Unpacker::new(header.codec()?, payload, Caps::stored(bytes_max))?;
    scan(header, unpacker, None, |_, record| look(record))
}
