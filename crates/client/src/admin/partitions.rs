//! A partition by name, and requests that go to the leaders of partitions.

use std::sync::Arc;

use rustc_hash::FxHashMap;
use types::{BrokerId, LeaderEpoch};

use super::Admin;
use crate::client::Wanted;
use crate::{Error, Result};

/// A partition of a topic, by name.
///
/// ```
/// let partition = client::TopicPartition::new("orders", 3);
/// assert_eq!(partition.to_string(), "orders-3");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicPartition {
    /// The topic's name.
    pub topic: Arc<str>,
    /// The partition's number.
    pub partition: i32,
}

impl TopicPartition {
    /// Names a partition.
    pub fn new(topic: impl Into<Arc<str>>, partition: i32) -> TopicPartition {
        TopicPartition {
            topic: topic.into(),
            partition,
        }
    }
}

impl std::fmt::Display for TopicPartition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.topic, self.partition)
    }
}

/// Places in a caller's list by the leader that answers for them, each with the leader's epoch.
pub(crate) type ByLeader = FxHashMap<BrokerId, Vec<(usize, LeaderEpoch)>>;

impl Admin {
    /// Sorts partitions by their leaders. Those without one come back as errors.
    pub(crate) async fn by_leader<'a>(
        &self,
        partitions: impl Iterator<Item = (usize, &'a TopicPartition)>,
    ) -> Result<(ByLeader, Vec<(usize, Error)>)> {
        let wanted: Vec<(usize, &TopicPartition)> = partitions.collect();
        let mut unknown: Vec<&str> = Vec::new();
        let metadata = self.client.metadata();
        for (_, partition) in &wanted {
            let known = metadata.topic(&partition.topic);
            let leader = known.and_then(|topic| topic.partition(partition.partition).ok());
            let led = leader.is_some_and(|known| known.leader != BrokerId::NONE);
            if !led && !unknown.contains(&&*partition.topic) {
                unknown.push(&partition.topic);
            }
        }
        if !unknown.is_empty() {
            self.client.refresh(Wanted::Names(&unknown)).await?;
        }
        let metadata = self.client.metadata();
        let mut by_leader = ByLeader::default();
        let mut failed = Vec::new();
        for (index, partition) in wanted {
            let found = match metadata.topic(&partition.topic) {
                Some(topic) => topic.partition(partition.partition),
                None => Err(metadata
                    .error_of(&partition.topic)
                    .cloned()
                    .unwrap_or_else(|| no_leader(partition, types::ErrorCode::UnknownTopicOrPartition))),
            };
            match found {
                Ok(found) if found.leader != BrokerId::NONE => {
                    by_leader
                        .entry(found.leader)
                        .or_default()
                        .push((index, found.leader_epoch));
                }
                Ok(_) => failed.push((index, no_leader(partition, types::ErrorCode::LeaderNotAvailable))),
                Err(error) => failed.push((index, error)),
            }
        }
        Ok((by_leader, failed))
    }
}

fn no_leader(partition: &TopicPartition, code: types::ErrorCode) -> Error {
    Error::Broker {
        what: partition.to_string(),
        code,
        message: None,
    }
}
