//! Which transactions hold back readers of committed records (`ProducerStateManager`: ongoing and unreplicated).

use std::collections::BTreeSet;

use types::Offset;

use crate::format::codec::{CodecError, Reader, Writer};

/// Decided transactions that are told apart; beyond it the oldest are taken together, which only holds readers longer.
const DECIDED_MAX: usize = 1024;

/// Open transactions, and decided ones whose marker may not be replicated yet.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Transactions {
    /// First offsets.
    open: BTreeSet<Offset>,
    /// (first offset, offset of the marker), by marker.
    decided: Vec<(Offset, Offset)>,
}

impl Transactions {
    pub(super) fn begin(&mut self, first: Offset) {
        self.open.insert(first);
    }

    pub(super) fn decide(&mut self, first: Offset, marker: Offset) {
        self.open.remove(&first);
        self.decided.push((first, marker));
        if let (true, [(oldest, _), (second, _), ..]) =
            (DECIDED_MAX < self.decided.len(), &mut self.decided[..])
        {
            *second = (*second).min(*oldest);
            self.decided.remove(0);
        }
    }

    /// What is replicated up to there no longer holds anybody.
    pub(super) fn forget_decided_below(&mut self, end: Offset) {
        let replicated = self.decided.partition_point(|(_, marker)| *marker < end);
        self.decided.drain(..replicated);
        if self.decided.is_empty() {
            self.decided = Vec::new();
        }
    }

    /// Where the oldest of them begins.
    pub fn first_unstable(&self) -> Option<Offset> {
        let decided = self.decided.iter().map(|(first, _)| *first).min();
        self.open.first().copied().into_iter().chain(decided).min()
    }

    /// The first offset of the oldest transaction without a marker.
    pub fn first_open(&self) -> Option<Offset> {
        self.open.first().copied()
    }

    /// Open ones are in the bytes of their producers.
    pub(super) fn encode(&self, out: &mut Writer) {
        out.count(self.decided.len());
        for (first, marker) in &self.decided {
            out.i64(first.0);
            out.i64(marker.0);
        }
    }

    pub(super) fn decode(&mut self, reader: &mut Reader<'_>) -> Result<(), CodecError> {
        for _ in 0..reader.count(16)? {
            let (first, marker) = (Offset(reader.i64()?), Offset(reader.i64()?));
            if self.decided.last().is_some_and(|(_, before)| marker < *before) {
                return Err(CodecError::Value);
            }
            self.decided.push((first, marker));
        }
        if DECIDED_MAX < self.decided.len() {
            Err(CodecError::Value)
        } else {
            Ok(())
        }
    }
}
