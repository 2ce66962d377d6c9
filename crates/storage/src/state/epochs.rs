//! Which leader epoch began at which offset (`LeaderEpochFileCache`, KIP-101 and KIP-320).

use types::{LeaderEpoch, Offset};

/// Epochs and their first offsets, both ascending.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EpochHistory {
    entries: Vec<(LeaderEpoch, Offset)>,
}

impl EpochHistory {
    /// An epoch begins. What an older history says from `start` on, or of this epoch or later ones, is forgotten.
    pub fn push(&mut self, epoch: LeaderEpoch, start: Offset) {
        // The same epoch again, and not earlier: nothing new.
        if self
            .entries
            .last()
            .is_some_and(|(last, begins)| *last == epoch && *begins <= start)
        {
            return;
        }
        self.entries
            .retain(|(known, begins)| *known < epoch && *begins < start);
        self.entries.push((epoch, start));
    }

    pub fn latest(&self) -> Option<LeaderEpoch> {
        self.entries.last().map(|(epoch, _)| *epoch)
    }

    /// The epoch of the record at `offset`; -1 if none is known.
    pub fn epoch_of(&self, offset: Offset) -> LeaderEpoch {
        let after = self.entries.partition_point(|(_, start)| *start <= offset);
        after
            .checked_sub(1)
            .and_then(|at| self.entries.get(at))
            .map_or(LeaderEpoch::NONE, |(epoch, _)| *epoch)
    }

    /// The largest epoch at or below `epoch`, and where it ended (trap 57). Undefined is -1 and -1.
    pub fn end_of(&self, epoch: LeaderEpoch, log_end: Offset) -> (LeaderEpoch, Offset) {
        let undefined = (LeaderEpoch::NONE, Offset(-1));
        let Some((latest, _)) = self.entries.last() else {
            return undefined;
        };
        if epoch == LeaderEpoch::NONE || *latest < epoch {
            return undefined;
        }
        if epoch == *latest {
            return (epoch, log_end);
        }
        let after = self.entries.partition_point(|(known, _)| *known <= epoch);
        let end = self.entries.get(after).map_or(log_end, |(_, start)| *start);
        match after.checked_sub(1).and_then(|at| self.entries.get(at)) {
            Some((known, _)) => (*known, end),
            // Older than everything known: where the history begins.
            None => (epoch, end),
        }
    }

    pub fn truncate_to(&mut self, end: Offset) {
        self.entries.retain(|(_, start)| *start < end);
    }

    /// The epoch that holds the new start begins there.
    pub fn drop_before(&mut self, start: Offset) {
        let epoch = self.epoch_of(start);
        self.entries
            .retain(|(known, begins)| start < *begins || *known == epoch);
        if let Some(first) = self.entries.first_mut().filter(|(known, _)| *known == epoch) {
            first.1 = first.1.max(start);
        }
    }

    pub fn entries(&self) -> &[(LeaderEpoch, Offset)] {
        &self.entries
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history() -> EpochHistory {
        let mut history = EpochHistory::default();
        for (epoch, start) in [(1, 0), (3, 10), (5, 20)] {
            history.push(LeaderEpoch(epoch), Offset(start));
        }
        history
    }

    #[test]
    fn ends_are_kafkas() {
        let end = |epoch| {
            let (epoch, end) = history().end_of(LeaderEpoch(epoch), Offset(30));
            (epoch.0, end.0)
        };
        assert_eq!(end(5), (5, 30));
        assert_eq!(end(4), (3, 20));
        assert_eq!(end(3), (3, 20));
        assert_eq!(end(2), (1, 10));
        assert_eq!(end(0), (0, 0));
        assert_eq!(end(6), (-1, -1));
        assert_eq!(end(-1), (-1, -1));
    }

    #[test]
    fn an_offset_has_the_epoch_that_wrote_it() {
        assert_eq!(history().epoch_of(Offset(9)), LeaderEpoch(1));
        assert_eq!(history().epoch_of(Offset(10)), LeaderEpoch(3));
        assert_eq!(EpochHistory::default().epoch_of(Offset(0)), LeaderEpoch::NONE);
    }

    #[test]
    fn truncation_and_a_new_start_forget() {
        let mut history = history();
        history.truncate_to(Offset(10));
        assert_eq!(history.entries(), [(LeaderEpoch(1), Offset(0))]);
        let mut history = self::history();
        history.drop_before(Offset(15));
        assert_eq!(
            history.entries(),
            [(LeaderEpoch(3), Offset(15)), (LeaderEpoch(5), Offset(20))]
        );
    }
}
