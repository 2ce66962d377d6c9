//! What a partition is, apart from its records: a function of its log, kept by applying entries in order.

mod codec;
mod epochs;
mod producers;

use record::BatchHeader;
use types::{LeaderEpoch, Offset, ProducerId};

use crate::AppendError;
pub use epochs::EpochHistory;
pub use producers::{Known, Producers};

/// Producer state, leader epochs, aborted transactions, start of the log.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PartitionState {
    pub log_start: Offset,
    pub epochs: EpochHistory,
    pub producers: Producers,
    /// Where virtual segments begin, after the first, ascending.
    pub segments: Vec<Offset>,
    /// (producer, first offset, offset of the marker), by marker.
    pub aborted: Vec<(ProducerId, Offset, Offset)>,
}

/// Whether a batch is new to its producer's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    New,
    /// It was appended before: these are its offsets and its largest timestamp (traps 28 and 104).
    Duplicate { base_offset: Offset, last_offset: Offset, timestamp: i64 },
}

impl PartitionState {
    /// Checks a batch against what its producer sent before. Changes nothing.
    pub fn check(&self, header: &BatchHeader) -> Result<Verdict, AppendError> {
        if header.has_producer() { self.producers.check(header) } else { Ok(Verdict::New) }
    }

    /// Takes a batch that is in the log, with its real offsets. `aborts` says that it is an abort marker.
    pub fn apply_batch(&mut self, header: &BatchHeader, aborts: Option<bool>) {
        if !header.has_producer() {
            return;
        }
        match aborts {
            None => self.producers.apply(header),
            Some(aborts) => {
                let first = self.producers.end_transaction(header);
                if let (true, Some(first)) = (aborts, first) {
                    self.aborted.push((header.producer_id, first, header.base_offset));
                }
            }
        }
    }

    pub fn apply_epoch(&mut self, epoch: LeaderEpoch, start: Offset) {
        self.epochs.push(epoch, start);
    }

    pub fn apply_start(&mut self, start: Offset) {
        self.log_start = self.log_start.max(start);
        self.epochs.drop_before(self.log_start);
        let log_start = self.log_start;
        self.aborted.retain(|(_, _, marker)| log_start <= *marker);
    }

    /// Below it every transaction is decided.
    pub fn last_stable_offset(&self, high_watermark: Offset) -> Offset {
        self.producers.first_open().map_or(high_watermark, |open| open.min(high_watermark))
    }

    /// Aborted transactions with records in `from..until`, by first offset.
    pub fn aborted_between(&self, from: Offset, until: Offset) -> Vec<(ProducerId, Offset)> {
        let overlaps = |(_, first, marker): &&(ProducerId, Offset, Offset)| *first < until && from <= *marker;
        let mut found: Vec<_> =
            self.aborted.iter().filter(overlaps).map(|(producer, first, _)| (*producer, *first)).collect();
        found.sort_by_key(|(_, first)| *first);
        found
    }
}
