//! Finding offsets by time (trap 54). May read the disk: not for a runtime's thread.

use std::sync::Arc;

use bytes::Bytes;
use types::{LeaderEpoch, Offset};

use super::{Extent, Log};
use crate::ReadError;
use crate::chunk::Chunk;
use crate::stream::Stream;

/// An offset, its record's timestamp and the epoch that it was written in.
pub type Found = (Offset, i64, LeaderEpoch);

impl Log {
    /// The first record at or after `timestamp`.
    pub fn offset_for_timestamp(&self, timestamp: i64) -> Result<Option<Found>, ReadError> {
        let bytes_max = self.stream.options.batch_bytes_max;
        for extent in self.extents(|max_timestamp| timestamp <= max_timestamp)? {
            for batch in batches(&self.stream, &extent)? {
                let found = record::first_at_or_after(&batch, self.log_start(), timestamp, bytes_max)?;
                if let Some((offset, timestamp)) = found {
                    return Ok(Some((offset, timestamp, self.epoch_of(offset))));
                }
            }
        }
        Ok(None)
    }

    /// The first record that bears the largest timestamp.
    pub fn max_timestamp(&self) -> Result<Option<Found>, ReadError> {
        let largest = {
            let inner = self.inner.lock();
            let runs = inner.index.runs().iter().map(|run| run.max_timestamp);
            runs.chain(inner.index.open().iter().map(|extent| extent.max_timestamp))
                .max()
        };
        let Some(largest) = largest else { return Ok(None) };
        let mut extents = self.extents(|max_timestamp| largest <= max_timestamp)?;
        let mut found = self.newest_in(&extents)?;
        if found.is_none_or(|(_, timestamp)| timestamp < largest) {
            // The record that bears it lies below the start of the log, or was compacted away: all others are looked at,
            // as few as can be.
            extents = self.extents(|_| true)?;
            extents.sort_by_key(|extent| (std::cmp::Reverse(extent.max_timestamp), extent.base));
            let mut rest = extents.as_slice();
            while let Some(first) = rest.first()
                && found.is_none_or(|(_, timestamp)| timestamp < first.max_timestamp)
            {
                let equal = rest.partition_point(|extent| extent.max_timestamp == first.max_timestamp);
                let (piece, after) = rest.split_at(equal);
                let other = self.newest_in(piece)?;
                found = match (found, other) {
                    (Some(one), Some(other)) if other.1 <= one.1 => Some(one),
                    (one, other) => other.or(one),
                };
                rest = after;
            }
        }
        Ok(found.map(|(offset, timestamp)| (offset, timestamp, self.epoch_of(offset))))
    }

    /// The first of these extents' records, not below the start of the log, that bears the largest timestamp.
    fn newest_in(&self, extents: &[Extent]) -> Result<Option<(Offset, i64)>, ReadError> {
        let (start, bytes_max) = (self.log_start(), self.stream.options.batch_bytes_max);
        let mut found: Option<(Offset, i64)> = None;
        for extent in extents {
            for batch in batches(&self.stream, extent)? {
                let candidate = record::of_max_timestamp(&batch, start, bytes_max)?;
                if let Some((offset, timestamp)) = candidate
                    && found.is_none_or(|(_, best)| best < timestamp)
                {
                    found = Some((offset, timestamp));
                }
            }
            if found.is_some_and(|(_, timestamp)| extent.max_timestamp <= timestamp) {
                break;
            }
        }
        Ok(found)
    }

    /// The extents of which `wanted` is true of the largest timestamp, in order. Loads fine indexes as needed.
    pub(crate) fn extents(&self, wanted: impl Fn(i64) -> bool) -> Result<Vec<Extent>, ReadError> {
        let (start, runs, open) = {
            let inner = self.inner.lock();
            let start = inner.state.log_start;
            let runs: Vec<_> = inner
                .index
                .runs_from(start)
                .filter(|(run, _)| wanted(run.max_timestamp))
                .collect();
            (start, runs, inner.index.open_from(start).to_vec())
        };
        let mut found = Vec::new();
        for (run, end) in runs {
            let fine = self.stream.load_fine(run.chunk)?;
            found.extend(fine.extents((self.target, self.incarnation), &run, start, end));
        }
        found.extend(open);
        found.retain(|extent| wanted(extent.max_timestamp));
        Ok(found)
    }
}

/// The batches of an extent, one by one, verified. Waits for the disk.
pub(crate) fn batches(stream: &Stream, extent: &Extent) -> Result<Vec<Bytes>, ReadError> {
    let chunk: Arc<Chunk> = stream.chunk(extent.chunk).ok_or(ReadError::Offline)?;
    let mut bytes = vec![0; extent.bytes as usize];
    chunk.file.read_exact_at(&mut bytes, extent.position)?;
    let whole = super::read::verify(&chunk, extent, &bytes, None)?;
    bytes.truncate(whole);
    let bytes = Bytes::from(bytes);
    let mut batches = Vec::new();
    for batch in record::batches(&bytes) {
        batches.push(bytes.slice_ref(batch?.1));
    }
    Ok(batches)
}
