//! The consumer: which partitions, from where, and what of it is committed.
//!
//! `positions` is where it stands, `fetcher` brings records ahead, `decode` reads them, `group` is the membership.
//! A poll that is dropped loses nothing: records and decisions are kept before they are awaited on.

mod commit;
mod config;
mod decode;
mod fetcher;
mod group;
#[cfg(test)]
pub(crate) mod hostile;
mod positions;
mod rebalance;
mod records;
mod session;

pub use config::{ConsumerConfig, Reset};
pub use group::Assignor;
pub use rebalance::RebalanceListener;
pub use records::{PartitionRecords, Record, Records};

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::Instant;
use types::Offset;

use self::decode::DecodeRules;
use self::group::{Group, Topics};
use self::positions::{Bounds, Positions};
use self::rebalance::Rebalance;
use crate::admin::{CommittedOffset, OffsetSpec};
use crate::client::Wanted;
use crate::{Client, Error, Result, TopicPartition};

/// The most memory that a compiled pattern may take.
const PATTERN_BYTES_MAX: usize = 1 << 20;

/// Reads records, alone or as a member of a group.
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
/// use client::{ConsumerConfig, Reset};
/// use std::time::Duration;
///
/// let config = ConsumerConfig { reset: Reset::Earliest, ..ConsumerConfig::group("billing") };
/// let mut consumer = client.consumer(config)?;
/// consumer.subscribe(&["orders"])?;
/// let mut seen = 0;
/// while seen < 9 {
///     let records = consumer.poll(Duration::from_secs(1)).await?;
///     for (partition, record) in records.iter() {
///         println!("{partition} {}: {:?}", record.offset, record.value);
///         seen += 1;
///     }
/// }
/// consumer.close().await?;
/// # Ok(())
/// # });
/// ```
#[derive(Debug)]
pub struct Consumer {
    shared: Arc<Shared>,
    rules: DecodeRules,
    subscription: Option<Topics>,
    group: Option<Group>,
    rebalance: Rebalance,
    auto_commit_at: Option<Instant>,
    committing: Option<tokio::task::JoinHandle<()>>,
}

/// What the consumer and its fetcher share.
#[derive(Debug)]
struct Shared {
    client: Client,
    config: ConsumerConfig,
    positions: Mutex<Positions>,
    /// The fetcher has something to look at.
    news: Notify,
    /// A poll has something to look at.
    arrived: Arc<Notify>,
}

impl Client {
    /// A consumer with connections of its own. Call inside a tokio runtime: its fetcher is a task of it.
    ///
    /// ```
    /// # testkit::with_node(async |servers| -> client::Result<()> {
    /// # let client = client::Client::new(client::ClientConfig::new(&servers))?;
    /// # client.admin().create_topics(&[client::NewTopic::new("orders").partitions(3)]).await?;
    /// use client::{ConsumerConfig, TopicPartition};
    ///
    /// let mut alone = client.consumer(ConsumerConfig::default())?;
    /// alone.assign(&[TopicPartition::new("orders", 0)])?;
    /// let mut member = client.consumer(ConsumerConfig::group("billing"))?;
    /// member.subscribe(&["orders"])?;
    /// # Ok(())
    /// # });
    /// ```
    pub fn consumer(&self, config: ConsumerConfig) -> Result<Consumer> {
        config.check()?;
        let rules = DecodeRules {
            isolation: config.isolation,
            check_crcs: config.check_crcs,
            decompressed_bytes_max: config.decompressed_bytes_max,
        };
        let bounds = Bounds {
            partition_bytes: (config.partition_bytes_max as usize).saturating_mul(2),
            total_bytes: config.prefetch_bytes.max(1),
        };
        let auto_commit_at = config.auto_commit.map(|every| Instant::now() + every);
        let shared = Arc::new(Shared {
            client: self.fork()?,
            config,
            positions: Mutex::new(Positions::new(bounds)),
            news: Notify::new(),
            arrived: Arc::new(Notify::new()),
        });
        tokio::spawn(fetcher::run(shared.clone()));
        Ok(Consumer {
            shared,
            rules,
            subscription: None,
            group: None,
            rebalance: Rebalance::default(),
            auto_commit_at,
            committing: None,
        })
    }
}

impl Drop for Consumer {
    fn drop(&mut self) {
        self.shared.positions.lock().closed = true;
        self.shared.news.notify_one();
    }
}

impl Consumer {
    /// Takes partitions by hand, in place of those that were taken before. No group rebalances over them.
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
    /// use client::{ConsumerConfig, TopicPartition};
    ///
    /// let mut consumer = client.consumer(ConsumerConfig::default())?;
    /// let partitions = [TopicPartition::new("orders", 0), TopicPartition::new("orders", 2)];
    /// consumer.assign(&partitions)?;
    /// assert_eq!(consumer.assignment(), partitions);
    /// # Ok(())
    /// # });
    /// ```
    pub fn assign(&mut self, partitions: &[TopicPartition]) -> Result<()> {
        if self.subscription.is_some() {
            return Err(Error::State(
                "the consumer subscribes to topics; unsubscribe before partitions are assigned",
            ));
        }
        let mut positions = self.shared.positions.lock();
        let gone: Vec<TopicPartition> = positions
            .assigned()
            .into_iter()
            .filter(|one| !partitions.contains(one))
            .collect();
        positions.remove(&gone);
        positions.add(partitions);
        Ok(())
    }

    /// Subscribes to topics, in place of those before. Partitions come with the next polls.
    ///
    /// ```
    /// # testkit::with_node(async |servers| -> client::Result<()> {
    /// # let client = client::Client::new(client::ClientConfig::new(&servers))?;
    /// # client.admin().create_topics(&[client::NewTopic::new("orders").partitions(3)]).await?;
    /// use client::ConsumerConfig;
    /// use std::time::Duration;
    ///
    /// let mut consumer = client.consumer(ConsumerConfig::group("billing"))?;
    /// consumer.subscribe(&["orders"])?;
    /// while consumer.assignment().is_empty() {
    ///     consumer.poll(Duration::from_millis(100)).await?;
    /// }
    /// assert_eq!(consumer.assignment().len(), 3);
    /// # Ok(())
    /// # });
    /// ```
    pub fn subscribe(&mut self, topics: &[&str]) -> Result<()> {
        let names = topics.iter().map(|topic| Arc::from(*topic)).collect();
        self.subscribe_to(Topics::Names(names))
    }

    /// Subscribes to every topic, now and later, whose whole name matches a regular expression, in the syntax of the
    /// `regex` crate. Kafka's own topics never match. What matches is looked at anew with the metadata
    /// (`metadata.max.age.ms`).
    ///
    /// ```
    /// # testkit::with_node(async |servers| -> client::Result<()> {
    /// # let client = client::Client::new(client::ClientConfig::new(&servers))?;
    /// # client.admin().create_topics(&[client::NewTopic::new("orders-eu"), client::NewTopic::new("orders-test")]).await?;
    /// use client::ConsumerConfig;
    /// use std::time::Duration;
    ///
    /// let mut consumer = client.consumer(ConsumerConfig::group("audit"))?;
    /// consumer.subscribe_pattern("orders-(eu|us)")?;
    /// while consumer.assignment().is_empty() {
    ///     consumer.poll(Duration::from_millis(100)).await?;
    /// }
    /// assert!(consumer.assignment().iter().all(|partition| &*partition.topic == "orders-eu"));
    /// # Ok(())
    /// # });
    /// ```
    pub fn subscribe_pattern(&mut self, pattern: &str) -> Result<()> {
        let whole = regex::RegexBuilder::new(&format!("^(?:{pattern})$"))
            .size_limit(PATTERN_BYTES_MAX)
            .build();
        let whole = whole.map_err(|error| Error::Config {
            name: "pattern",
            reason: error.to_string(),
        })?;
        self.subscribe_matching(move |topic| whole.is_match(topic))
    }

    /// As [`Consumer::subscribe_pattern`], with any test of a name.
    ///
    /// ```
    /// # testkit::with_node(async |servers| -> client::Result<()> {
    /// # let client = client::Client::new(client::ClientConfig::new(&servers))?;
    /// let mut consumer = client.consumer(client::ConsumerConfig::group("audit"))?;
    /// consumer.subscribe_matching(|topic| topic.starts_with("orders-") && !topic.ends_with("-test"))?;
    /// # Ok(())
    /// # });
    /// ```
    pub fn subscribe_matching(
        &mut self,
        pattern: impl Fn(&str) -> bool + Send + Sync + 'static,
    ) -> Result<()> {
        self.subscribe_to(Topics::Matching(Arc::new(pattern)))
    }

    /// Sets who hears of partitions that come and go.
    ///
    /// ```
    /// # testkit::with_node(async |servers| -> client::Result<()> {
    /// # let client = client::Client::new(client::ClientConfig::new(&servers))?;
    /// # client.admin().create_topics(&[client::NewTopic::new("orders").partitions(3)]).await?;
    /// use client::{ConsumerConfig, RebalanceListener, TopicPartition};
    /// use std::time::Duration;
    ///
    /// struct Log(std::sync::mpsc::Sender<usize>);
    ///
    /// impl RebalanceListener for Log {
    ///     fn on_assigned(&mut self, partitions: &[TopicPartition]) {
    ///         let _ = self.0.send(partitions.len());
    ///     }
    /// }
    ///
    /// let (log, assigned) = std::sync::mpsc::channel();
    /// let mut consumer = client.consumer(ConsumerConfig::group("billing"))?;
    /// consumer.on_rebalance(Log(log));
    /// consumer.subscribe(&["orders"])?;
    /// while consumer.assignment().is_empty() {
    ///     consumer.poll(Duration::from_millis(100)).await?;
    /// }
    /// assert_eq!(assigned.try_recv(), Ok(3));
    /// # Ok(())
    /// # });
    /// ```
    pub fn on_rebalance(&mut self, listener: impl RebalanceListener + 'static) {
        *self.rebalance.listener.get_mut() = Some(Box::new(listener));
    }

    fn subscribe_to(&mut self, topics: Topics) -> Result<()> {
        let Some(name) = self.shared.config.group.clone() else {
            return Err(Error::Config {
                name: "group.id",
                reason: "a consumer that subscribes needs one".into(),
            });
        };
        if self.subscription.is_none() && !self.shared.positions.lock().assigned().is_empty() {
            return Err(Error::State(
                "partitions are assigned by hand; assign none before subscribing",
            ));
        }
        self.subscription = Some(topics);
        match &self.group {
            Some(group) => group.rejoin(),
            None => {
                let (client, config) = (&self.shared.client, &self.shared.config);
                self.group = Some(Group::new(client, config, &name, self.shared.arrived.clone()));
            }
        }
        Ok(())
    }

    /// Leaves the group and lets go of all partitions, after committing if that is automatic.
    ///
    /// ```
    /// # testkit::with_node(async |servers| -> client::Result<()> {
    /// # let client = client::Client::new(client::ClientConfig::new(&servers))?;
    /// # client.admin().create_topics(&[client::NewTopic::new("orders").partitions(3)]).await?;
    /// # let config = client::ConsumerConfig { reset: client::Reset::Earliest, ..client::ConsumerConfig::group("billing") };
    /// # let mut consumer = client.consumer(config)?;
    /// # consumer.subscribe(&["orders"])?;
    /// consumer.unsubscribe().await?;
    /// assert!(consumer.assignment().is_empty());
    /// # Ok(())
    /// # });
    /// ```
    pub async fn unsubscribe(&mut self) -> Result<()> {
        if self.shared.config.auto_commit.is_some() {
            self.commit().await?;
        }
        self.rebalance.revoked(&self.shared.positions.lock().assigned());
        self.shared.positions.lock().clear();
        self.subscription = None;
        if let Some(group) = self.group.take() {
            group.leave().await;
        }
        Ok(())
    }

    /// Gives records, waiting for them at most `timeout`; none if there are none in that time. Must be called more
    /// often than `max.poll.interval.ms` by a member of a group: joining and rebalancing happen here.
    ///
    /// What a poll gave counts as read when the next poll begins: automatic commits cover it from then on.
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
    /// for of_partition in records.partitions() {
    ///     let values: Vec<_> = of_partition.iter().filter_map(|record| record.value).collect();
    ///     println!("{}: {} values, {} behind", of_partition.partition(), values.len(), of_partition.lag());
    /// }
    /// # Ok(())
    /// # });
    /// ```
    pub async fn poll(&mut self, timeout: Duration) -> Result<Records> {
        match tokio::time::timeout(timeout, self.poll_until_records()).await {
            Ok(outcome) => outcome,
            Err(_) => Ok(Records::default()),
        }
    }

    async fn poll_until_records(&mut self) -> Result<Records> {
        loop {
            self.auto_commit();
            self.follow_group().await?;
            self.look_up_positions().await?;
            if let Some(error) = self.shared.positions.lock().take_error() {
                return Err(error);
            }
            let records = self.take_records()?;
            if !records.is_empty() {
                return Ok(records);
            }
            let auto_commit_at = self.auto_commit_at;
            let timer = async {
                match auto_commit_at {
                    Some(at) => tokio::time::sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            let config = self.shared.client.config();
            // A topic that was not there yet is asked for again soon, as Kafka's client does.
            let metadata_max_age = match self.rebalance.misses_topics() {
                true => config.retry_backoff,
                false => config.metadata_max_age,
            };
            tokio::select! {
                biased;
                () = self.shared.arrived.notified() => {}
                () = timer => {}
                () = tokio::time::sleep(metadata_max_age) => {}
            }
        }
    }

    fn take_records(&mut self) -> Result<Records> {
        let mut records = Records::default();
        let mut left = self.shared.config.poll_records_max;
        let mut positions = self.shared.positions.lock();
        // One chunk of each partition: the application gets its turn between answers.
        while let Some(chunk) = positions.take() {
            let seen = records
                .partitions
                .iter()
                .any(|one: &PartitionRecords| one.partition == chunk.partition);
            if seen || left == 0 {
                positions.put_back(chunk);
                break;
            }
            let (partition, incarnation) = (chunk.partition.clone(), chunk.incarnation);
            let kept = chunk.clone();
            let (read, rest) = match decode::decode(chunk, &self.rules, left) {
                Ok(read) => read,
                Err(error) => {
                    // The records before are given out first; the damage is met again with the next poll.
                    positions.put_back(kept);
                    if records.is_empty() {
                        return Err(error);
                    }
                    break;
                }
            };
            let epoch = read
                .batches
                .last()
                .map_or(-1, |batch| batch.header.leader_epoch.0);
            positions.consume(&partition, incarnation, read.to, epoch);
            if let Some(rest) = rest {
                positions.put_back(rest);
            }
            let limited = left != usize::MAX;
            if limited {
                left -= read.iter().count().min(left);
            }
            if read.batches.is_empty() {
                continue;
            }
            records.partitions.push(read);
        }
        drop(positions);
        self.shared.news.notify_one();
        Ok(records)
    }

    /// Finds out where partitions begin that have no position yet.
    async fn look_up_positions(&mut self) -> Result<()> {
        let unknown = self.shared.positions.lock().unknown();
        if unknown.is_empty() {
            return Ok(());
        }
        let admin = self.shared.client.admin();
        let mut open = unknown;
        if let Some(group) = &self.shared.config.group {
            let wanted: Vec<TopicPartition> = open
                .iter()
                .filter(|(_, _, reset)| reset.is_none())
                .map(|(partition, _, _)| partition.clone())
                .collect();
            if !wanted.is_empty() {
                let committed = admin.committed_offsets(group, Some(&wanted)).await?;
                let mut positions = self.shared.positions.lock();
                open.retain(|(partition, incarnation, reset)| {
                    let found = committed
                        .iter()
                        .find(|(one, _)| reset.is_none() && one == partition);
                    if let Some((_, offset)) = found {
                        positions.found(partition, *incarnation, offset.offset.0, offset.leader_epoch.0);
                    }
                    found.is_none()
                });
            }
        }
        let mut wanted = Vec::with_capacity(open.len());
        for (partition, _, reset) in &open {
            let spec = reset.or_else(|| self.shared.reset());
            let spec = spec.ok_or_else(|| Error::NoOffset {
                partition: partition.to_string(),
                reason: "nothing is committed, and auto.offset.reset is none",
            })?;
            wanted.push((partition.clone(), spec));
        }
        self.look_up(&open, &wanted).await?;
        self.shared.news.notify_one();
        Ok(())
    }

    async fn look_up(
        &self,
        open: &[(TopicPartition, u64, Option<OffsetSpec>)],
        wanted: &[(TopicPartition, OffsetSpec)],
    ) -> Result<()> {
        if wanted.is_empty() {
            return Ok(());
        }
        let admin = self.shared.client.admin();
        let isolation = self.shared.config.isolation;
        let found = admin.list_offsets(wanted, isolation).await?;
        for ((partition, incarnation, _), (_, outcome)) in open.iter().zip(found) {
            let found = outcome?;
            match found.offset {
                Some(offset) => {
                    let mut positions = self.shared.positions.lock();
                    positions.found(partition, *incarnation, offset.0, found.leader_epoch.0);
                }
                // No record is that late: what comes next is.
                None => {
                    self.shared
                        .positions
                        .lock()
                        .seek_to(partition, OffsetSpec::Latest);
                    self.shared.arrived.notify_one();
                }
            }
        }
        Ok(())
    }

    /// The partitions that the consumer has now.
    pub fn assignment(&self) -> Vec<TopicPartition> {
        self.shared.positions.lock().assigned()
    }

    /// The member id that the group's coordinator gave; empty before the first join.
    pub fn member_id(&self) -> String {
        self.group.as_ref().map_or(String::new(), Group::member_id)
    }

    /// The offset that the next poll gives of a partition; `None` if it is not known yet.
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
    /// # let config = client::ConsumerConfig { reset: client::Reset::Earliest, ..client::ConsumerConfig::default() };
    /// # let mut consumer = client.consumer(config)?;
    /// # let partition = client::TopicPartition::new("orders", 0);
    /// # consumer.assign(&[partition.clone()])?;
    /// use client::Offset;
    ///
    /// assert_eq!(consumer.position(&partition), None);
    /// consumer.seek(&partition, Offset(2))?;
    /// assert_eq!(consumer.position(&partition), Some(Offset(2)));
    /// # Ok(())
    /// # });
    /// ```
    pub fn position(&self, partition: &TopicPartition) -> Option<Offset> {
        self.shared.positions.lock().get(partition)?.offset.map(Offset)
    }

    /// Goes on at an offset.
    ///
    /// ```
    /// # testkit::with_node(async |servers| -> client::Result<()> {
    /// # let client = client::Client::new(client::ClientConfig::new(&servers))?;
    /// # client.admin().create_topics(&[client::NewTopic::new("orders").partitions(1)]).await?;
    /// # let producer = client.producer(client::ProducerConfig::default())?;
    /// # for n in 0..9 {
    /// #     producer.send(client::NewRecord::to("orders").value(&n.to_string())).await?;
    /// # }
    /// # producer.flush().await;
    /// # let config = client::ConsumerConfig { reset: client::Reset::Earliest, ..client::ConsumerConfig::default() };
    /// # let mut consumer = client.consumer(config)?;
    /// # let partition = client::TopicPartition::new("orders", 0);
    /// # consumer.assign(&[partition.clone()])?;
    /// use client::Offset;
    /// use std::time::Duration;
    ///
    /// consumer.seek(&partition, Offset(7))?;
    /// let records = consumer.poll(Duration::from_secs(5)).await?;
    /// assert_eq!(records.iter().next().map(|(_, record)| record.offset), Some(Offset(7)));
    /// # Ok(())
    /// # });
    /// ```
    pub fn seek(&mut self, partition: &TopicPartition, offset: Offset) -> Result<()> {
        let sought = self.shared.positions.lock().seek(partition, offset.0, -1);
        self.shared.news.notify_one();
        assigned(sought)
    }

    /// Goes on where `spec` says, which the next poll looks up: an end of the log, or a time.
    ///
    /// ```
    /// # testkit::with_node(async |servers| -> client::Result<()> {
    /// # let client = client::Client::new(client::ClientConfig::new(&servers))?;
    /// # client.admin().create_topics(&[client::NewTopic::new("orders").partitions(1)]).await?;
    /// # let producer = client.producer(client::ProducerConfig::default())?;
    /// # for n in 0..9 {
    /// #     producer.send(client::NewRecord::to("orders").value(&n.to_string())).await?;
    /// # }
    /// # producer.flush().await;
    /// # let config = client::ConsumerConfig { reset: client::Reset::Earliest, ..client::ConsumerConfig::default() };
    /// # let mut consumer = client.consumer(config)?;
    /// # let partition = client::TopicPartition::new("orders", 0);
    /// # consumer.assign(&[partition.clone()])?;
    /// use client::{Offset, OffsetSpec};
    /// use std::time::Duration;
    ///
    /// // Everything since the year 2020.
    /// consumer.seek_to(&partition, OffsetSpec::At(1_577_836_800_000))?;
    /// let records = consumer.poll(Duration::from_secs(5)).await?;
    /// assert_eq!(records.iter().next().map(|(_, record)| record.offset), Some(Offset(0)));
    /// # Ok(())
    /// # });
    /// ```
    pub fn seek_to(&mut self, partition: &TopicPartition, spec: OffsetSpec) -> Result<()> {
        assigned(self.shared.positions.lock().seek_to(partition, spec))
    }

    /// Gives no records of these partitions until they are resumed.
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
    /// # let config = client::ConsumerConfig { reset: client::Reset::Earliest, ..client::ConsumerConfig::default() };
    /// # let mut consumer = client.consumer(config)?;
    /// # let partition = client::TopicPartition::new("orders", 0);
    /// # consumer.assign(&[partition.clone()])?;
    /// use std::time::Duration;
    ///
    /// consumer.pause(&[partition.clone()])?;
    /// assert!(consumer.poll(Duration::from_millis(50)).await?.is_empty());
    /// consumer.resume(&[partition])?;
    /// # Ok(())
    /// # });
    /// ```
    pub fn pause(&mut self, partitions: &[TopicPartition]) -> Result<()> {
        self.set_paused(partitions, true)
    }

    /// Gives records of these partitions again.
    pub fn resume(&mut self, partitions: &[TopicPartition]) -> Result<()> {
        self.set_paused(partitions, false)
    }

    fn set_paused(&mut self, partitions: &[TopicPartition], paused: bool) -> Result<()> {
        let mut positions = self.shared.positions.lock();
        let all = partitions
            .iter()
            .all(|partition| positions.pause(partition, paused));
        drop(positions);
        self.shared.news.notify_one();
        self.shared.arrived.notify_one();
        assigned(all)
    }

    /// How many records a partition has after the position, as of the last fetch; `None` before the first.
    ///
    /// ```
    /// # testkit::with_node(async |servers| -> client::Result<()> {
    /// # let client = client::Client::new(client::ClientConfig::new(&servers))?;
    /// # client.admin().create_topics(&[client::NewTopic::new("orders").partitions(1)]).await?;
    /// # let producer = client.producer(client::ProducerConfig::default())?;
    /// # for n in 0..9 {
    /// #     producer.send(client::NewRecord::to("orders").value(&n.to_string())).await?;
    /// # }
    /// # producer.flush().await;
    /// # let config = client::ConsumerConfig { reset: client::Reset::Earliest, ..client::ConsumerConfig::default() };
    /// # let mut consumer = client.consumer(config)?;
    /// # let partition = client::TopicPartition::new("orders", 0);
    /// # consumer.assign(&[partition.clone()])?;
    /// use std::time::Duration;
    ///
    /// while consumer.lag(&partition) != Some(0) {
    ///     consumer.poll(Duration::from_millis(100)).await?;
    /// }
    /// # Ok(())
    /// # });
    /// ```
    pub fn lag(&self, partition: &TopicPartition) -> Option<u64> {
        let positions = self.shared.positions.lock();
        let position = positions.get(partition)?;
        let end = match self.shared.config.isolation {
            crate::Isolation::ReadUncommitted => position.high_watermark,
            crate::Isolation::ReadCommitted => position.last_stable_offset,
        };
        let offset = position.offset?;
        (0 <= end).then(|| u64::try_from(end.saturating_sub(offset)).unwrap_or_default())
    }

    /// What the group has committed for partitions; those without a commit are left out.
    ///
    /// ```
    /// # testkit::with_node(async |servers| -> client::Result<()> {
    /// # let client = client::Client::new(client::ClientConfig::new(&servers))?;
    /// # client.admin().create_topics(&[client::NewTopic::new("orders").partitions(3)]).await?;
    /// # let committed = client::CommittedOffset::new(client::Offset(4));
    /// # client.admin().alter_offsets("billing", &[(client::TopicPartition::new("orders", 0), committed)]).await?;
    /// # let config = client::ConsumerConfig { reset: client::Reset::Earliest, ..client::ConsumerConfig::group("billing") };
    /// # let mut consumer = client.consumer(config)?;
    /// # consumer.subscribe(&["orders"])?;
    /// use client::{Offset, TopicPartition};
    ///
    /// let committed = consumer.committed(&[TopicPartition::new("orders", 0)]).await?;
    /// assert_eq!(committed[0].1.offset, Offset(4));
    /// # Ok(())
    /// # });
    /// ```
    pub async fn committed(
        &self,
        partitions: &[TopicPartition],
    ) -> Result<Vec<(TopicPartition, CommittedOffset)>> {
        let group = self
            .shared
            .config
            .group
            .as_deref()
            .ok_or(Error::State("the consumer has no group"))?;
        self.shared
            .client
            .admin()
            .committed_offsets(group, Some(partitions))
            .await
    }

    /// Commits if that is automatic, leaves the group and ends.
    ///
    /// ```
    /// # testkit::with_node(async |servers| -> client::Result<()> {
    /// # let client = client::Client::new(client::ClientConfig::new(&servers))?;
    /// # client.admin().create_topics(&[client::NewTopic::new("orders").partitions(3)]).await?;
    /// # let config = client::ConsumerConfig { reset: client::Reset::Earliest, ..client::ConsumerConfig::group("billing") };
    /// # let mut consumer = client.consumer(config)?;
    /// # consumer.subscribe(&["orders"])?;
    /// consumer.close().await?;
    /// # Ok(())
    /// # });
    /// ```
    pub async fn close(mut self) -> Result<()> {
        let mut outcome = Ok(());
        if self.shared.config.auto_commit.is_some() && self.shared.config.group.is_some() {
            outcome = self.commit().await;
        }
        let all = self.shared.positions.lock().assigned();
        if self.group.is_some() {
            let offsets = self.rebalance.revoked(&all);
            if !offsets.is_empty() {
                outcome = outcome.and(self.commit_offsets(&offsets).await);
            }
        }
        self.shared.positions.lock().remove(&all);
        if let Some(group) = self.group.take() {
            group.leave().await;
        }
        outcome
    }

    /// Notices new topics and partitions of the subscription.
    async fn refresh_subscription(&mut self) -> Result<()> {
        if !self.rebalance.misses_topics() && !self.shared.client.metadata_is_old().await {
            return Ok(());
        }
        let Some(topics) = &self.subscription else {
            return Ok(());
        };
        let names = topics.resolve(&self.shared.client).await?;
        if matches!(topics, Topics::Names(_)) {
            let names: Vec<&str> = names.iter().map(|name| &**name).collect();
            self.shared.client.refresh(Wanted::Names(&names)).await?;
        }
        if self.rebalance.is_outdated(&self.shared.client, &names)
            && let Some(group) = &self.group
        {
            group.rejoin();
        }
        Ok(())
    }
}

fn assigned(is: bool) -> Result<()> {
    if is {
        Ok(())
    } else {
        Err(Error::State("the partition is not assigned to this consumer"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_poll_can_be_spawned() {
        fn spawned<T: Send>(_: fn(&'static mut Consumer) -> T) {}
        spawned(|consumer| consumer.poll(Duration::ZERO));
        fn shared<T: Send + Sync>() {}
        shared::<Consumer>();
    }
}
