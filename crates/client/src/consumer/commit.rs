//! Commits: by hand and automatic.

use tokio::time::Instant;
use types::{LeaderEpoch, Offset};

use super::Consumer;
use super::group::Group;
use crate::admin::{CommittedOffset, Committer};
use crate::{Client, Error, Result, TopicPartition};

impl Consumer {
    /// Commits what polls gave so far, and waits for it.
    ///
    /// ```
    /// # testkit::with_node(async |servers| -> client::Result<()> {
    /// # let client = client::Client::new(client::ClientConfig::new(&servers))?;
    /// # client.admin().create_topics(&[client::NewTopic::new("orders").partitions(3)]).await?;
    /// # let producer = client.producer(client::ProducerConfig::default())?;
    /// # for n in 0..9 {
    /// #     producer.send(client::NewRecord::to("orders").value(&n.to_string())).await?;
    /// # }
    /// # producer.flush().await;
    /// # let config = client::ConsumerConfig { reset: client::Reset::Earliest, ..client::ConsumerConfig::group("billing") };
    /// # let mut consumer = client.consumer(config)?;
    /// # consumer.subscribe(&["orders"])?;
    /// use std::time::Duration;
    ///
    /// let records = consumer.poll(Duration::from_secs(5)).await?;
    /// println!("{} records", records.count());
    /// consumer.commit().await?;
    /// # Ok(())
    /// # });
    /// ```
    pub async fn commit(&mut self) -> Result<()> {
        let offsets = self.consumed();
        self.commit_offsets(&offsets).await
    }

    /// Commits offsets: of each partition the next record to be read. A member that lost its partitions is refused.
    ///
    /// ```
    /// # testkit::with_node(async |servers| -> client::Result<()> {
    /// # let client = client::Client::new(client::ClientConfig::new(&servers))?;
    /// # client.admin().create_topics(&[client::NewTopic::new("orders").partitions(3)]).await?;
    /// # let producer = client.producer(client::ProducerConfig::default())?;
    /// # for n in 0..9 {
    /// #     producer.send(client::NewRecord::to("orders").value(&n.to_string())).await?;
    /// # }
    /// # producer.flush().await;
    /// # let config = client::ConsumerConfig { reset: client::Reset::Earliest, ..client::ConsumerConfig::group("billing") };
    /// # let mut consumer = client.consumer(config)?;
    /// # consumer.subscribe(&["orders"])?;
    /// use client::{CommittedOffset, Offset};
    /// use std::time::Duration;
    ///
    /// let records = consumer.poll(Duration::from_secs(5)).await?;
    /// if let Some((partition, record)) = records.iter().next() {
    ///     let next = CommittedOffset::new(Offset(record.offset.0 + 1));
    ///     consumer.commit_offsets(&[(partition.clone(), next)]).await?;
    /// }
    /// # Ok(())
    /// # });
    /// ```
    pub async fn commit_offsets(&mut self, offsets: &[(TopicPartition, CommittedOffset)]) -> Result<()> {
        self.settle_commit().await;
        if offsets.is_empty() {
            return Ok(());
        }
        let group = self.group_name()?;
        let client = self.shared.client.clone();
        let mut retry = client
            .retry(&format!("a commit of group {group}"))
            .of_group(&group);
        loop {
            match commit_once(&client, &group, &self.committer(), offsets).await {
                Ok(()) => return Ok(()),
                Err(error) => {
                    if let Some(member) = &self.group {
                        member.on_refused(&error);
                    }
                    retry.pause(&client, error).await?;
                }
            }
        }
    }

    /// What a commit of everything that was given out says.
    pub(super) fn consumed(&self) -> Vec<(TopicPartition, CommittedOffset)> {
        let consumed = self.shared.positions.lock().consumed();
        let each = consumed.into_iter().map(|(partition, offset, epoch)| {
            let committed = CommittedOffset {
                offset: Offset(offset),
                leader_epoch: LeaderEpoch(epoch),
                metadata: String::new(),
            };
            (partition, committed)
        });
        each.collect()
    }

    fn group_name(&self) -> Result<String> {
        self.shared
            .config
            .group
            .clone()
            .ok_or(Error::State("the consumer has no group to commit for"))
    }

    pub(super) fn committer(&self) -> Committer {
        self.group
            .as_ref()
            .map_or_else(Committer::outsider, Group::committer)
    }

    /// Starts an automatic commit if one is due. Its failure is no harm: the next one says more.
    pub(super) fn auto_commit(&mut self) {
        let (Some(every), Some(at)) = (self.shared.config.auto_commit, self.auto_commit_at) else {
            return;
        };
        let Some(group) = self.shared.config.group.clone().filter(|_| at <= Instant::now()) else {
            return;
        };
        self.auto_commit_at = Some(Instant::now() + every);
        let offsets = self.consumed();
        let busy = self
            .committing
            .as_ref()
            .is_some_and(|committing| !committing.is_finished());
        if offsets.is_empty() || busy {
            return;
        }
        let (client, committer) = (self.shared.client.clone(), self.committer());
        self.committing = Some(tokio::spawn(async move {
            if let Err(error) = commit_once(&client, &group, &committer, &offsets).await {
                tracing::debug!(group, %error, "an automatic commit failed");
                if error.wants_coordinator() {
                    client.forget_coordinator(&group);
                }
            }
        }));
    }

    /// An automatic commit that is under way must not overtake one by hand.
    async fn settle_commit(&mut self) {
        if let Some(committing) = &mut self.committing {
            let _ = committing.await;
        }
        self.committing = None;
    }
}

async fn commit_once(
    client: &Client,
    group: &str,
    committer: &Committer,
    offsets: &[(TopicPartition, CommittedOffset)],
) -> Result<()> {
    let outcomes = client.admin().commit_once(group, committer, offsets).await?;
    outcomes.into_iter().try_for_each(|(_, outcome)| outcome)
}
