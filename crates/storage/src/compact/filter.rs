//! What a compaction leaves of a batch (`Cleaner.cleanInto` and `MemoryRecords.filterTo`). Pure.

use bytes::Bytes;
use record::{
    BatchError, BatchHeader, Place, ReusedPacker, ReusedUnpacker, Sketch, emptied, places, with_records,
};
use rustc_hash::FxHashMap;
use types::{Offset, ProducerEpoch, ProducerId};

use super::map::OffsetMap;
use super::marks::{Fate, Marks};
use super::transactions::CleanedTransactions;

/// The newest batch of a producer that is still known: a compaction keeps it, if need be without records, because it has
/// the producer's sequence (`LastRecord`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LastBatch {
    /// Ends at this offset.
    Data(Offset),
    /// It wrote markers only: the one of this epoch.
    Marker(ProducerEpoch),
}

/// What is left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Left {
    Nothing,
    Whole,
    Rewritten(Bytes),
}

/// The rules of one compaction of one log.
pub(crate) struct Filter<'a> {
    pub(crate) map: &'a OffsetMap,
    pub(crate) marks: &'a Marks,
    pub(crate) now_ms: i64,
    pub(crate) delete_retention_ms: i64,
    /// Where what may be compacted ends: the batch that ends here stays, if need be without records.
    pub(crate) round_end: Offset,
    pub(crate) last_batches: FxHashMap<ProducerId, LastBatch>,
    pub(crate) transactions: CleanedTransactions,
    /// A batch is unpacked to at most this.
    pub(crate) bytes_max: usize,
    /// Abort markers that were removed: readers must not be told of their transactions any more.
    pub(crate) markers_gone: Vec<Offset>,
    pub(crate) unpacker: ReusedUnpacker,
    pub(crate) packer: ReusedPacker,
}

impl Filter<'_> {
    /// Batches come from the beginning of the log on, none left out.
    pub(crate) fn batch(&mut self, header: &BatchHeader, batch: &[u8]) -> Result<Left, BatchError> {
        let horizon = header.delete_horizon_ms();
        let (discards, marks_nothing) = if header.is_control() {
            let of_nothing = self.transactions.is_marker_of_nothing(header, batch);
            // Markers wait as long as tombstones.
            let waited = horizon.is_some_and(|horizon| horizon <= self.now_ms);
            (of_nothing && waited, of_nothing)
        } else {
            (self.transactions.is_aborted(header), false)
        };
        let stays = self.is_last_of_producer(header) || header.next_offset() == self.round_end;
        if discards {
            if header.is_control() {
                self.markers_gone.push(header.last_offset());
            }
            return Ok(if stays { empty(header) } else { Left::Nothing });
        }
        if !header.is_control() && header.last_offset() <= self.map.latest() {
            match self.marks.fate(header) {
                Fate::Goes => return Ok(if stays { empty(header) } else { Left::Nothing }),
                Fate::Stays => return Ok(Left::Whole),
                Fate::Open => {}
            }
        }
        let mut unpacker = std::mem::take(&mut self.unpacker);
        let left = self.look_into(header, batch, &mut unpacker, (stays, marks_nothing));
        self.unpacker = unpacker;
        left
    }

    /// Decides record by record.
    fn look_into(
        &mut self,
        header: &BatchHeader,
        batch: &[u8],
        unpacker: &mut ReusedUnpacker,
        (stays, marks_nothing): (bool, bool),
    ) -> Result<Left, BatchError> {
        let horizon = header.delete_horizon_ms();
        let payload = unpacker.open(header.codec()?, super::payload_of(batch), self.bytes_max)?;
        let mut kept: Vec<Sketch<'_>> = Vec::new();
        for (index, place) in (0..).zip(places(header, payload)) {
            if let Some(record) = self.kept(header, index, &place?)? {
                kept.push(record);
            }
        }
        if kept.is_empty() {
            return Ok(if stays { empty(header) } else { Left::Nothing });
        }
        let has_tombstone = kept.iter().any(|record| !record.has_value);
        let begins_to_wait = horizon.is_none() && (has_tombstone || marks_nothing);
        if kept.len() == header.records_count as usize && !begins_to_wait {
            return Ok(Left::Whole);
        }
        let horizon = if begins_to_wait {
            Some(self.now_ms.saturating_add(self.delete_retention_ms))
        } else {
            horizon
        };
        with_records(header, &kept, horizon, &mut self.packer).map(Left::Rewritten)
    }

    fn is_last_of_producer(&self, header: &BatchHeader) -> bool {
        if !header.has_producer() {
            return false;
        }
        match self.last_batches.get(&header.producer_id) {
            Some(LastBatch::Data(last)) => header.last_offset() == *last,
            Some(LastBatch::Marker(epoch)) => header.is_control() && header.producer_epoch == *epoch,
            None => false,
        }
    }

    /// The record, if it stays.
    #[inline]
    fn kept<'r>(
        &self,
        header: &BatchHeader,
        index: i32,
        place: &Place<'r>,
    ) -> Result<Option<Sketch<'r>>, BatchError> {
        let offset = header.base_offset.plus(i64::from(place.offset_delta));
        let is_open = header.is_control() || self.map.latest() < offset;
        let known = if is_open {
            None
        } else {
            self.marks.is_superseded(offset)
        };
        if known == Some(true) {
            return Ok(None);
        }
        let what = "its fields";
        let record = place
            .sketch(header)
            .ok_or(BatchError::Malformed { index, what })?;
        let stays = is_open || self.keeps(header, offset, &record, known);
        Ok(stays.then_some(record))
    }

    /// A record stays if its key has no later one, and, being a tombstone, its time has not come.
    fn keeps(
        &self,
        header: &BatchHeader,
        offset: Offset,
        record: &Sketch<'_>,
        superseded: Option<bool>,
    ) -> bool {
        // Without a key there is nothing to compact by: such a record is older than the topic's policy.
        let Some(key) = record.key else { return false };
        let is_last = match superseded {
            Some(superseded) => !superseded,
            None => self.map.get(key) <= offset,
        };
        let waits = header
            .delete_horizon_ms()
            .is_none_or(|horizon| self.now_ms < horizon);
        is_last && (record.has_value || waits)
    }
}

/// One that is empty already stays as it is.
fn empty(header: &BatchHeader) -> Left {
    Left::Rewritten(emptied(header))
}
