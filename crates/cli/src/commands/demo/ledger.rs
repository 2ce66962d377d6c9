//! What was counted, by partition and offset: a record that is read again is known, a hole is noticed.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::events::Event;

/// The count of all consumers of a group, as a table in a database would keep it.
#[derive(Default)]
pub(super) struct Ledger(Mutex<Count>);

#[derive(Default)]
struct Count {
    /// Key and value of each offset from 0.
    partitions: BTreeMap<i32, Vec<(String, String)>>,
    again: u64,
    seen: usize,
    wrong: Vec<String>,
}

/// What the count says when everything is right.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) counted: usize,
    pub(super) keys: usize,
    /// Records that were read more than once, and counted once.
    pub(super) again: u64,
    /// The keys with the most events.
    pub(super) most: Vec<(String, usize)>,
}

impl Ledger {
    fn count(&self) -> MutexGuard<'_, Count> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a record where it is the next of its partition.
    pub(super) fn enter(&self, partition: i32, offset: i64, key: &[u8], value: &[u8]) {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let event = (text(key), text(value));
        let mut count = self.count();
        count.seen += 1;
        let Count {
            partitions,
            again,
            wrong,
            ..
        } = &mut *count;
        let known = partitions.entry(partition).or_default();
        let place = usize::try_from(offset).unwrap_or(usize::MAX);
        match known.get(place) {
            Some(before) if *before == event => *again += 1,
            Some(_) => wrong.push(format!(
                "partition {partition} has two records at offset {offset}"
            )),
            None if place == known.len() => known.push(event),
            None => wrong.push(format!(
                "partition {partition} goes from offset {} to {offset}",
                known.len()
            )),
        }
    }

    /// Events that were counted, each once.
    pub(super) fn counted(&self) -> usize {
        self.count().partitions.values().map(Vec::len).sum()
    }

    /// Records that were read, as often as they were.
    pub(super) fn seen(&self) -> usize {
        self.count().seen
    }

    /// Compares the count with what was sent, key by key and in order.
    pub(super) fn verdict(&self, events: &[Event]) -> Result<Verdict, String> {
        let count = self.count();
        if let Some(wrong) = count.wrong.first() {
            return Err(wrong.clone());
        }
        let mut sent: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (key, value) in events {
            sent.entry(*key).or_default().push(*value);
        }
        let mut have: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (key, value) in count.partitions.values().flatten() {
            have.entry(key).or_default().push(value);
        }
        for (key, sent) in &sent {
            let have = have.get(key).map(Vec::as_slice).unwrap_or_default();
            if have != sent.as_slice() {
                let (counted, sent) = (have.len(), sent.len());
                return Err(format!(
                    "{key}: {counted} of {sent} events were counted, or not in order"
                ));
            }
        }
        let counted = count.partitions.values().map(Vec::len).sum();
        if counted != events.len() {
            return Err(format!(
                "{counted} events were counted, {} were sent",
                events.len()
            ));
        }
        let mut most: Vec<(String, usize)> = have
            .iter()
            .map(|(key, events)| ((*key).to_owned(), events.len()))
            .collect();
        most.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
        most.truncate(3);
        Ok(Verdict {
            counted,
            keys: sent.len(),
            again: count.again,
            most,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SENT: &[Event] = &[("a", "1"), ("b", "1"), ("a", "2")];

    fn ledger(records: &[(i32, i64, &str, &str)]) -> Result<Verdict, String> {
        let ledger = Ledger::default();
        for (partition, offset, key, value) in records {
            ledger.enter(*partition, *offset, key.as_bytes(), value.as_bytes());
        }
        ledger.verdict(SENT)
    }

    #[test]
    fn a_record_that_is_read_again_is_counted_once() {
        let verdict = ledger(&[
            (0, 0, "a", "1"),
            (0, 1, "a", "2"),
            (0, 0, "a", "1"),
            (1, 0, "b", "1"),
            (0, 1, "a", "2"),
        ])
        .expect("all is there");
        assert_eq!((verdict.counted, verdict.keys, verdict.again), (3, 2, 2));
        assert_eq!(verdict.most.first(), Some(&("a".to_owned(), 2)));
    }

    #[test]
    fn lost_doubled_and_reordered_events_are_found() {
        let lost = ledger(&[(0, 0, "a", "1"), (1, 0, "b", "1")]);
        assert!(lost.expect_err("lost").contains("a: 1 of 2"));
        let doubled = ledger(&[
            (0, 0, "a", "1"),
            (0, 1, "a", "2"),
            (0, 2, "a", "2"),
            (1, 0, "b", "1"),
        ]);
        assert!(doubled.is_err());
        let reordered = ledger(&[(0, 0, "a", "2"), (0, 1, "a", "1"), (1, 0, "b", "1")]);
        assert!(reordered.expect_err("reordered").contains("not in order"));
        let hole = ledger(&[(0, 0, "a", "1"), (0, 2, "a", "2"), (1, 0, "b", "1")]);
        assert!(hole.expect_err("hole").contains("from offset 1 to 2"));
        let stranger = ledger(&[
            (0, 0, "a", "1"),
            (0, 1, "a", "2"),
            (1, 0, "b", "1"),
            (1, 1, "c", "1"),
        ]);
        assert!(stranger.is_err());
    }
}
