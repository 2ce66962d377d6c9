//! Partitions in requests and answers: messages sort them into topics, callers name them one by one.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::TopicPartition;
use crate::{Error, Result};

/// Items of partitions sorted into their topics, in the order in which topics first appear.
pub(crate) fn by_topic<'a, T>(
    items: impl IntoIterator<Item = (&'a TopicPartition, T)>,
) -> Vec<(Arc<str>, Vec<T>)> {
    let mut topics: Vec<(Arc<str>, Vec<T>)> = Vec::new();
    let mut places: FxHashMap<&'a str, usize> = FxHashMap::default();
    for (partition, item) in items {
        let place = *places.entry(&partition.topic).or_insert_with(|| {
            topics.push((partition.topic.clone(), Vec::new()));
            topics.len() - 1
        });
        if let Some((_, of_topic)) = topics.get_mut(place) {
            of_topic.push(item);
        }
    }
    topics
}

/// The numbers of partitions sorted into their topics.
pub(crate) fn indexes_by_topic<'a>(
    partitions: impl IntoIterator<Item = &'a TopicPartition>,
) -> Vec<(Arc<str>, Vec<i32>)> {
    by_topic(partitions.into_iter().map(|one| (one, one.partition)))
}

/// What an answer says of each partition.
#[derive(Debug)]
pub(crate) struct Answered<'a, T> {
    by_name: FxHashMap<(&'a str, i32), &'a T>,
    /// Whose answer it is, in words.
    whose: &'static str,
}

impl<'a, T> Answered<'a, T> {
    /// Sorts an answer's items: topic, partition, what is said of it. The first of several counts.
    pub(crate) fn new(
        whose: &'static str,
        items: impl Iterator<Item = (&'a str, i32, &'a T)>,
    ) -> Answered<'a, T> {
        let mut by_name = FxHashMap::default();
        for (topic, partition, item) in items {
            by_name.entry((topic, partition)).or_insert(item);
        }
        Answered { by_name, whose }
    }

    /// What is said of a partition; an answer that leaves it out breaks the protocol.
    pub(crate) fn of(&self, partition: &TopicPartition) -> Result<&'a T> {
        let found = self.by_name.get(&(&*partition.topic, partition.partition));
        found.copied().ok_or_else(|| Error::Protocol {
            address: self.whose.to_owned(),
            reason: format!("its answer leaves out {partition}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_come_in_the_order_in_which_they_first_appear() {
        let named = |topic, partition| TopicPartition::new(topic, partition);
        let partitions = [named("b", 1), named("a", 0), named("b", 0), named("a", 0)];
        let sorted = indexes_by_topic(&partitions);
        assert_eq!(sorted, [("b".into(), vec![1, 0]), ("a".into(), vec![0, 0])]);
    }

    #[test]
    fn what_an_answer_leaves_out_is_named() {
        let answer = [("t", 0, 'x'), ("t", 1, 'y'), ("t", 1, 'z')];
        let items = answer
            .iter()
            .map(|(topic, partition, item)| (*topic, *partition, item));
        let answered = Answered::new("the leader", items);
        assert_eq!(answered.of(&TopicPartition::new("t", 1)).ok(), Some(&'y'));
        let error = answered.of(&TopicPartition::new("u", 3)).expect_err("not there");
        assert!(error.to_string().contains("leaves out u-3"), "{error}");
    }
}
