//! What a rebalance does to the consumer: partitions come and go, and who wants to know hears of it.

use std::sync::Arc;

use parking_lot::Mutex;

use super::Consumer;
use super::group::assignor::Layout;
use super::group::{Joined, Step};
use crate::admin::CommittedOffset;
use crate::{Client, Result, TopicPartition};

/// Hears of partitions that come and go, inside [`Consumer::poll`] (`ConsumerRebalanceListener`).
///
/// ```
/// use client::{CommittedOffset, RebalanceListener, TopicPartition};
///
/// struct Log;
///
/// impl RebalanceListener for Log {
///     fn on_assigned(&mut self, partitions: &[TopicPartition]) {
///         println!("{} partitions more", partitions.len());
///     }
/// }
/// ```
pub trait RebalanceListener: Send {
    /// These are new.
    fn on_assigned(&mut self, partitions: &[TopicPartition]) {
        let _ = partitions;
    }

    /// These are given up. The offsets that come back are committed before the group goes on.
    fn on_revoked(&mut self, partitions: &[TopicPartition]) -> Vec<(TopicPartition, CommittedOffset)> {
        let _ = partitions;
        Vec::new()
    }

    /// These are others' already: it is too late to commit.
    fn on_lost(&mut self, partitions: &[TopicPartition]) {
        let _ = partitions;
    }
}

/// Partitions that are being given up: kept until that is done, however often polls are dropped.
#[derive(Debug)]
struct Revocation {
    partitions: Vec<TopicPartition>,
    offsets: Vec<(TopicPartition, CommittedOffset)>,
}

/// Where the consumer stands in a rebalance.
#[derive(Default)]
pub(super) struct Rebalance {
    /// In a mutex for `Sync` alone, without which no poll could be spawned.
    pub(super) listener: Mutex<Option<Box<dyn RebalanceListener>>>,
    revocation: Option<Revocation>,
    /// An assignment that comes into force when what it takes away is given up.
    joined: Option<Box<Joined>>,
    /// As the leader: what the assignment was made for.
    layout: Option<Layout>,
    topics: Vec<Arc<str>>,
}

impl std::fmt::Debug for Rebalance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rebalance")
            .field("revocation", &self.revocation)
            .finish_non_exhaustive()
    }
}

impl Rebalance {
    pub(super) fn revoked(
        &mut self,
        partitions: &[TopicPartition],
    ) -> Vec<(TopicPartition, CommittedOffset)> {
        match self.listener.get_mut() {
            Some(listener) if !partitions.is_empty() => listener.on_revoked(partitions),
            _ => Vec::new(),
        }
    }

    /// As the leader: whether the last assignment was made without a topic of the subscription, which may appear soon.
    pub(super) fn misses_topics(&self) -> bool {
        let known =
            |layout: &Layout, topic: &Arc<str>| layout.counts.get(topic).is_some_and(|count| 0 < *count);
        let layout = self.layout.as_ref();
        layout.is_some_and(|layout| self.topics.iter().any(|topic| !known(layout, topic)))
    }

    /// Whether topics or partitions are there that the last assignment did not know, or replicas moved between racks.
    pub(super) fn is_outdated(&self, client: &Client, topics: &[Arc<str>]) -> bool {
        if self.topics != topics {
            return true;
        }
        let Some(layout) = &self.layout else { return false };
        let all: Vec<Arc<str>> = layout.counts.keys().chain(topics).cloned().collect();
        super::group::layout(client, &all, !layout.racks.is_empty()) != *layout
    }
}

impl Consumer {
    /// Does what the group asks for, as far as it goes without waiting for other members.
    pub(super) async fn follow_group(&mut self) -> Result<()> {
        if self.group.is_none() {
            return Ok(());
        }
        loop {
            self.finish_revocation().await;
            if let Some(joined) = self.rebalance.joined.take() {
                self.enforce(*joined);
                continue;
            }
            let Some(group) = &mut self.group else {
                return Ok(());
            };
            match group.step().await? {
                Step::Stable => {
                    self.refresh_subscription().await?;
                    return Ok(());
                }
                Step::Joining => return Ok(()),
                Step::Lost => self.lose(),
                Step::Joined(joined) => self.accept(joined),
                Step::Rejoin => {
                    let assigned = self.shared.positions.lock().assigned();
                    let cooperative = self.group.as_ref().is_some_and(|group| group.is_cooperative());
                    if !cooperative && !assigned.is_empty() {
                        self.revoke(assigned);
                        continue;
                    }
                    self.before_join().await;
                    let (Some(topics), Some(group)) = (self.subscription.clone(), &mut self.group) else {
                        return Ok(());
                    };
                    group.join(topics, assigned);
                }
            }
        }
    }

    /// Members that keep their partitions commit before the group rebalances, as the Java client does.
    async fn before_join(&mut self) {
        if self.shared.config.auto_commit.is_some() {
            let offsets = self.consumed();
            self.commit_in_rebalance(&offsets).await;
        }
    }

    async fn commit_in_rebalance(&mut self, offsets: &[(TopicPartition, CommittedOffset)]) {
        // A coordinator that does not answer must not hold the group up.
        let within = self.shared.config.session_timeout / 2;
        if let Ok(Err(error)) = tokio::time::timeout(within, self.commit_offsets(offsets)).await {
            tracing::debug!(%error, "the commit before a rebalance failed");
        }
    }

    /// Begins to give partitions up: nothing of them is given out any more.
    fn revoke(&mut self, partitions: Vec<TopicPartition>) {
        let mut offsets: Vec<(TopicPartition, CommittedOffset)> = Vec::new();
        if self.shared.config.auto_commit.is_some() {
            offsets = self.consumed();
            offsets.retain(|(partition, _)| partitions.contains(partition));
        }
        for (partition, offset) in self.rebalance.revoked(&partitions) {
            offsets.retain(|(one, _)| *one != partition);
            offsets.push((partition, offset));
        }
        self.rebalance.revocation = Some(Revocation { partitions, offsets });
    }

    async fn finish_revocation(&mut self) {
        let Some(revocation) = &self.rebalance.revocation else {
            return;
        };
        let offsets = revocation.offsets.clone();
        self.commit_in_rebalance(&offsets).await;
        if let Some(revocation) = self.rebalance.revocation.take() {
            self.shared.positions.lock().remove(&revocation.partitions);
        }
    }

    /// An assignment came: first what it takes away is given up.
    fn accept(&mut self, joined: Box<Joined>) {
        let owned = self.shared.positions.lock().assigned();
        let gone: Vec<TopicPartition> = owned
            .into_iter()
            .filter(|one| !joined.assignment.contains(one))
            .collect();
        if !gone.is_empty() {
            self.revoke(gone);
            // What was given up is free for others only after another round (KIP-429).
            if let Some(group) = &self.group {
                group.rejoin();
            }
        }
        self.rebalance.joined = Some(joined);
    }

    /// The assignment is in force: what is new begins.
    fn enforce(&mut self, joined: Joined) {
        let mut positions = self.shared.positions.lock();
        let owned = positions.assigned();
        let new: Vec<TopicPartition> = joined
            .assignment
            .iter()
            .filter(|one| !owned.contains(one))
            .cloned()
            .collect();
        positions.add(&new);
        drop(positions);
        self.rebalance.layout = joined.layout;
        self.rebalance.topics = joined.topics;
        if let Some(listener) = self.rebalance.listener.get_mut() {
            listener.on_assigned(&new);
        }
    }

    fn lose(&mut self) {
        self.rebalance.revocation = None;
        self.rebalance.joined = None;
        let mut positions = self.shared.positions.lock();
        let gone = positions.assigned();
        positions.remove(&gone);
        drop(positions);
        if let Some(listener) = self
            .rebalance
            .listener
            .get_mut()
            .as_mut()
            .filter(|_| !gone.is_empty())
        {
            listener.on_lost(&gone);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leader(subscribed: &[&str], known: &[(&str, i32)]) -> Rebalance {
        let counts = known.iter().map(|(topic, count)| (Arc::from(*topic), *count));
        Rebalance {
            layout: Some(Layout {
                counts: counts.collect(),
                ..Layout::default()
            }),
            topics: subscribed.iter().map(|topic| Arc::from(*topic)).collect(),
            ..Rebalance::default()
        }
    }

    #[test]
    fn a_leader_misses_a_topic_that_is_not_there_or_has_no_partition_yet() {
        assert!(!leader(&["a", "b"], &[("a", 1), ("b", 3)]).misses_topics());
        assert!(leader(&["a", "b"], &[("a", 1)]).misses_topics());
        assert!(leader(&["a", "b"], &[("a", 1), ("b", 0)]).misses_topics());
        // What only others subscribe to is theirs to miss.
        assert!(!leader(&["a"], &[("a", 1), ("c", 0)]).misses_topics());
    }

    #[test]
    fn a_member_that_does_not_lead_misses_nothing() {
        let follower = Rebalance {
            layout: None,
            ..leader(&["a"], &[])
        };
        assert!(!follower.misses_topics());
    }
}
