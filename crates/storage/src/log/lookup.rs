//! Finding offsets by time (trap 54). May read the disk: not for a runtime's thread.

use bytes::Bytes;
use types::{LeaderEpoch, Offset};

use super::{Extent, Log, Read, ReadOutcome};
use crate::ReadError;

/// An offset, its record's timestamp and the epoch that it was written in.
pub type Found = (Offset, i64, LeaderEpoch);

impl Log {
    /// The first record at or after `timestamp`.
    pub fn offset_for_timestamp(&self, timestamp: i64) -> Result<Option<Found>, ReadError> {
        let candidates: Vec<Extent> = {
            let inner = self.inner.lock();
            let start = inner.state.log_start;
            let reaches = |extent: &&Extent| timestamp <= extent.max_timestamp;
            inner.index.from(start).iter().filter(reaches).copied().collect()
        };
        let bytes_max = self.stream.options.batch_bytes_max;
        for extent in candidates {
            for batch in self.batches(&extent)? {
                if let Some((offset, timestamp)) = record::first_at_or_after(&batch, timestamp, bytes_max)?
                    && self.log_start() <= offset
                {
                    return Ok(Some((offset, timestamp, self.epoch_of(offset))));
                }
            }
        }
        Ok(None)
    }

    /// The first record that bears the largest timestamp.
    pub fn max_timestamp(&self) -> Result<Option<Found>, ReadError> {
        let best = {
            let inner = self.inner.lock();
            let extents = inner.index.from(inner.state.log_start);
            let largest = extents.iter().map(|extent| extent.max_timestamp).max();
            extents.iter().find(|extent| Some(extent.max_timestamp) == largest).copied()
        };
        let Some(extent) = best else { return Ok(None) };
        let bytes_max = self.stream.options.batch_bytes_max;
        let mut found: Option<(Offset, i64)> = None;
        for batch in self.batches(&extent)? {
            let candidate = record::of_max_timestamp(&batch, bytes_max)?;
            if let Some((offset, timestamp)) = candidate
                && found.is_none_or(|(_, best)| best < timestamp)
            {
                found = Some((offset, timestamp));
            }
        }
        Ok(found.map(|(offset, timestamp)| (offset, timestamp, self.epoch_of(offset))))
    }

    /// The batches of an extent, one by one.
    fn batches(&self, extent: &Extent) -> Result<Vec<Bytes>, ReadError> {
        let read = Read {
            from: extent.base.max(self.log_start()),
            limit: extent.next,
            bytes_max: extent.bytes as usize,
            at_least_one: true,
        };
        let slices = match self.read(&read)? {
            ReadOutcome::Ready(slices) => slices,
            ReadOutcome::Cold(cold) => cold.run()?,
        };
        let mut whole = bytes::BytesMut::with_capacity(slices.bytes);
        slices.segments.iter().for_each(|segment| whole.extend_from_slice(segment));
        let whole = whole.freeze();
        let mut batches = Vec::new();
        for batch in record::batches(&whole) {
            batches.push(whole.slice_ref(batch?.1));
        }
        Ok(batches)
    }
}
