//! What a partition is, apart from its records: a function of its log and of how far it is replicated, kept by
//! applying entries in order. No disk, no clock.

mod codec;
mod epochs;
mod marker;
mod producers;
mod segments;
mod transactions;

use record::BatchHeader;
use types::{LeaderEpoch, Offset, ProducerId};

use crate::AppendError;
pub use epochs::EpochHistory;
pub use marker::Marker;
pub use producers::{Known, Producer, Producers};
pub use segments::{SegmentState, Segments};
pub use transactions::Transactions;

/// Producer state, leader epochs, transactions, start of the log.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PartitionState {
    pub log_start: Offset,
    /// The highest that the owner told: a hint after a restart, and what lets decided transactions be forgotten.
    pub high_watermark: Offset,
    pub epochs: EpochHistory,
    pub producers: Producers,
    pub transactions: Transactions,
    pub segments: Segments,
    /// Below it a compaction has been: only the last record of each key is left (`cleaner-offset-checkpoint`).
    pub cleaned_to: Offset,
    /// Below it offsets may be missing: a compaction was there, whole or in part.
    pub compacted_to: Offset,
    /// (producer, first offset, offset of the marker), by marker.
    pub aborted: Vec<(ProducerId, Offset, Offset)>,
}

/// Whether a batch is new to its producer's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    New,
    /// It was appended before: these are its offsets and its largest timestamp (traps 28 and 104).
    Duplicate {
        base_offset: Offset,
        last_offset: Offset,
        timestamp: i64,
    },
}

impl PartitionState {
    /// Checks a batch against what its producer sent before; of a control batch, `marker` is what it says. Changes
    /// nothing.
    pub fn check(&self, header: &BatchHeader, marker: Option<&Marker>) -> Result<Verdict, AppendError> {
        if !header.has_producer() {
            return Ok(Verdict::New);
        }
        match marker {
            Some(marker) => self.producers.check_marker(header, marker).map(|()| Verdict::New),
            None if header.is_control() => Ok(Verdict::New),
            None => self.producers.check(header),
        }
    }

    /// Takes a batch that is in the log, with its real offsets and epoch. Total: a follower takes what its leader took.
    pub fn apply_batch(&mut self, header: &BatchHeader, marker: Option<&Marker>) {
        if self.epochs.latest().unwrap_or(LeaderEpoch::NONE) < header.leader_epoch {
            // A follower, and a log whose EPOCH entry is lost, learn of epochs by their batches.
            self.epochs.push(header.leader_epoch, header.base_offset);
        }
        self.segments.append(self.log_start, header);
        self.apply_to_producers(header, marker);
    }

    /// The part of a batch that a truncation takes again: producers and transactions.
    pub(crate) fn apply_to_producers(&mut self, header: &BatchHeader, marker: Option<&Marker>) {
        if !header.has_producer() {
            return;
        }
        match marker {
            Some(marker) => {
                let Some(first) = self.producers.apply_marker(header, marker) else {
                    return;
                };
                self.transactions.decide(first, header.last_offset());
                if marker.aborts {
                    self.aborted
                        .push((header.producer_id, first, header.last_offset()));
                }
            }
            None if header.is_control() => {}
            None => {
                if let Some(first) = self.producers.apply(header) {
                    self.transactions.begin(first);
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
        self.transactions.forget_decided_below(self.log_start);
        let log_start = self.log_start;
        self.aborted.retain(|(_, _, marker)| log_start <= *marker);
        self.segments.drop_before(log_start);
    }

    /// A virtual segment begins.
    pub fn apply_roll(&mut self, base: Offset) {
        self.segments.roll(self.log_start, base);
    }

    /// The records of `base..next` are what a compaction left of them, in these segments.
    pub fn apply_compaction(
        &mut self,
        base: Offset,
        next: Offset,
        segments: &[SegmentState],
        cleaned_to: Offset,
    ) {
        self.segments.replace(base, next, segments);
        self.cleaned_to = self.cleaned_to.max(cleaned_to);
        self.compacted_to = self.compacted_to.max(next);
    }

    /// These abort markers are gone, and every record of their transactions.
    pub(crate) fn forget_aborted(&mut self, markers: &[Offset]) {
        if !markers.is_empty() {
            self.aborted
                .retain(|(_, _, marker)| markers.binary_search(marker).is_err());
        }
    }

    /// The state of a log that ends at `end`, without producers and aborted transactions: those are rebuilt.
    pub(crate) fn cut(&self, end: Offset) -> PartitionState {
        let mut epochs = self.epochs.clone();
        epochs.truncate_to(end);
        let segments = self.segments.cut(end);
        let cleaned_to = self.cleaned_to.min(end);
        let compacted_to = self.compacted_to.min(end);
        let high_watermark = self.high_watermark.min(end);
        PartitionState {
            log_start: self.log_start,
            high_watermark,
            epochs,
            segments,
            cleaned_to,
            compacted_to,
            ..PartitionState::default()
        }
    }

    /// No batch of a producer was ever applied, or all are forgotten.
    pub(crate) fn has_no_producers(&self) -> bool {
        self.producers.is_empty() && self.aborted.is_empty()
    }

    pub(crate) fn take_producers(&mut self, of: PartitionState) {
        self.producers = of.producers;
        self.transactions = of.transactions;
        self.aborted = of.aborted;
    }

    /// The owner's high watermark moved: markers below it are replicated.
    pub fn apply_high_watermark(&mut self, high_watermark: Offset) {
        self.high_watermark = self.high_watermark.max(high_watermark);
        self.transactions.forget_decided_below(self.high_watermark);
    }

    /// The first offset of a transaction without a marker, or whose marker the high watermark has not passed
    /// (`firstUnstableOffset`; trap 86). Never below the log start.
    pub fn first_unstable(&self) -> Option<Offset> {
        self.transactions
            .first_unstable()
            .map(|first| first.max(self.log_start))
    }

    /// Below it every transaction is decided, and the decision replicated.
    pub fn last_stable_offset(&self, high_watermark: Offset) -> Offset {
        self.first_unstable()
            .map_or(high_watermark, |first| first.min(high_watermark))
    }

    /// Aborted transactions with records in `from..until`, by first offset.
    pub fn aborted_between(&self, from: Offset, until: Offset) -> Vec<(ProducerId, Offset)> {
        // Ascending by marker: a transaction whose marker lies below the range is over before it.
        let after = self.aborted.partition_point(|(_, _, marker)| *marker < from);
        let later = self.aborted.get(after..).unwrap_or_default();
        let overlaps = |(_, first, _): &&(ProducerId, Offset, Offset)| *first < until;
        let mut found: Vec<_> = later
            .iter()
            .filter(overlaps)
            .map(|(id, first, _)| (*id, *first))
            .collect();
        found.sort_by_key(|(_, first)| *first);
        found
    }
}
