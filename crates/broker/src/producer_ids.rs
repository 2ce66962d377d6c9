//! Producer ids for idempotent producers, out of the block that the controller gave.

use parking_lot::Mutex;

/// The rest of a block.
#[derive(Debug, Default)]
pub struct ProducerIds {
    block: Mutex<std::ops::Range<i64>>,
}

impl ProducerIds {
    /// The next id, while the block lasts.
    pub fn take(&self) -> Option<i64> {
        self.block.lock().next()
    }

    /// A new block begins; what is left of the old one is given up.
    pub fn refill(&self, first: i64, count: i64) {
        *self.block.lock() = first..first.saturating_add(count);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_given_once() {
        let ids = ProducerIds::default();
        assert_eq!(ids.take(), None);
        ids.refill(1000, 2);
        assert_eq!(
            (ids.take(), ids.take(), ids.take()),
            (Some(1000), Some(1001), None)
        );
    }
}
