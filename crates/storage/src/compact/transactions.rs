//! Which batches belong to aborted transactions, and which markers nothing depends on any more
//! (`CleanedTransactionMetadata`).

use std::collections::VecDeque;

use record::BatchHeader;
use rustc_hash::{FxHashMap, FxHashSet};
use types::{Offset, ProducerId};

use crate::state::Marker;

/// Transactions as they are met from the beginning of a log on.
#[derive(Debug, Default)]
pub(crate) struct CleanedTransactions {
    /// (producer, first offset), by first offset.
    aborted: VecDeque<(ProducerId, Offset)>,
    /// Aborted ones that are open here, and whether a batch of theirs was met.
    open_aborted: FxHashMap<ProducerId, bool>,
    open_committed: FxHashSet<ProducerId>,
}

impl CleanedTransactions {
    pub(crate) fn new(aborted: &[(ProducerId, Offset, Offset)]) -> CleanedTransactions {
        let mut by_first: Vec<_> = aborted
            .iter()
            .map(|(producer, first, _)| (*producer, *first))
            .collect();
        by_first.sort_by_key(|(_, first)| *first);
        CleanedTransactions {
            aborted: by_first.into(),
            ..CleanedTransactions::default()
        }
    }

    fn begin_up_to(&mut self, offset: Offset) {
        while let Some((producer, _)) = self
            .aborted
            .front()
            .copied()
            .filter(|(_, first)| *first <= offset)
        {
            self.aborted.pop_front();
            self.open_aborted.entry(producer).or_insert(false);
        }
    }

    /// Whether nothing of the batch is wanted: its transaction was aborted.
    pub(crate) fn is_aborted(&mut self, header: &BatchHeader) -> bool {
        self.begin_up_to(header.last_offset());
        if !header.is_transactional() {
            return false;
        }
        match self.open_aborted.get_mut(&header.producer_id) {
            Some(met) => {
                *met = true;
                true
            }
            None => {
                self.open_committed.insert(header.producer_id);
                false
            }
        }
    }

    /// Whether no batch of the marker's transaction is left before it.
    pub(crate) fn is_marker_of_nothing(&mut self, header: &BatchHeader, batch: &[u8]) -> bool {
        self.begin_up_to(header.last_offset());
        if header.records_count == 0 {
            // It was emptied before.
            return true;
        }
        match Marker::of_batch(header, batch) {
            Some(marker) if marker.aborts => {
                let met = self.open_aborted.remove(&header.producer_id);
                !met.unwrap_or(false)
            }
            Some(_) => !self.open_committed.remove(&header.producer_id),
            // Control records of other kinds stay.
            None => false,
        }
    }
}
