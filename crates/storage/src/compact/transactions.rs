//! Which batches belong to aborted transactions, and which markers nothing depends on any more
//! (`CleanedTransactionMetadata`).

use std::collections::VecDeque;

use record::BatchHeader;
use rustc_hash::{FxHashMap, FxHashSet};
use types::{Offset, ProducerId};

use crate::state::Marker;

/// Transactions as they are met from some offset of a log on. A marker may be gone that ended one: where it was is known.
#[derive(Debug, Default)]
pub(crate) struct CleanedTransactions {
    /// By first offset.
    aborted: VecDeque<Aborted>,
    /// Aborted ones that are open here.
    open_aborted: FxHashMap<ProducerId, OpenAborted>,
    open_committed: FxHashSet<ProducerId>,
}

#[derive(Debug, Clone, Copy)]
struct Aborted {
    producer: ProducerId,
    first: Offset,
    marker: Offset,
}

#[derive(Debug, Clone, Copy)]
struct OpenAborted {
    marker: Offset,
    /// A batch of it was met.
    met: bool,
}

impl CleanedTransactions {
    /// Of (producer, first offset, offset of the marker).
    pub(crate) fn new(aborted: &[(ProducerId, Offset, Offset)]) -> CleanedTransactions {
        let row = |(producer, first, marker): &(ProducerId, Offset, Offset)| Aborted {
            producer: *producer,
            first: *first,
            marker: *marker,
        };
        let mut by_first: Vec<Aborted> = aborted.iter().map(row).collect();
        by_first.sort_by_key(|aborted| aborted.first);
        CleanedTransactions {
            aborted: by_first.into(),
            ..CleanedTransactions::default()
        }
    }

    /// A batch is met: transactions that begin up to its end are open, and those that ended before it are not.
    fn meet(&mut self, header: &BatchHeader) {
        let is_over = |marker: Offset| marker < header.base_offset;
        if self
            .open_aborted
            .get(&header.producer_id)
            .is_some_and(|open| is_over(open.marker))
        {
            self.open_aborted.remove(&header.producer_id);
        }
        while let Some(next) = self.aborted.front().copied()
            && next.first <= header.last_offset()
        {
            self.aborted.pop_front();
            if !is_over(next.marker) {
                let open = OpenAborted {
                    marker: next.marker,
                    met: false,
                };
                self.open_aborted.entry(next.producer).or_insert(open);
            }
        }
    }

    /// Whether nothing of the batch is wanted: its transaction was aborted.
    pub(crate) fn is_aborted(&mut self, header: &BatchHeader) -> bool {
        self.meet(header);
        if !header.is_transactional() {
            return false;
        }
        match self.open_aborted.get_mut(&header.producer_id) {
            Some(open) => {
                open.met = true;
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
        self.meet(header);
        if header.records_count == 0 {
            // It was emptied before.
            return true;
        }
        match Marker::of_batch(header, batch) {
            Some(marker) if marker.aborts => {
                let open = self.open_aborted.remove(&header.producer_id);
                !open.is_some_and(|open| open.met)
            }
            Some(_) => !self.open_committed.remove(&header.producer_id),
            // Control records of other kinds stay.
            None => false,
        }
    }
}
