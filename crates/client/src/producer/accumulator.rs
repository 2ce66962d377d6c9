//! Every batch of a producer, by topic and partition, and the memory that they hold. Decides which go to which
//! broker next; sends nothing.

use std::sync::Arc;

use os::Random;
use record::BatchWriter;
use rustc_hash::FxHashMap;
use tokio::time::Instant;
use types::{BrokerId, TopicId};

use super::partitioner::{Sticky, partition_of_key};
use super::queue::{Drained, Identity, Queue, Rules};
use super::record::{Delivery, Fate, NewRecord};
use crate::metadata::{Metadata, Topic};
use crate::{Error, Result};

/// A topic that records were sent to.
#[derive(Debug)]
struct TopicQueues {
    name: Arc<str>,
    id: TopicId,
    sticky: Sticky,
    queues: Vec<Queue>,
    leaders: Vec<BrokerId>,
}

/// A batch that goes into a request.
#[derive(Debug, Clone)]
pub(super) struct Item {
    /// The topic's place in the accumulator.
    pub(super) topic: usize,
    pub(super) partition: usize,
    pub(super) batch: Drained,
}

/// A topic as requests name it.
#[derive(Debug, Clone)]
pub(super) struct TopicName {
    pub(super) name: Arc<str>,
    pub(super) id: TopicId,
}

/// What the sender is to do.
#[derive(Debug, Default)]
pub(super) struct Work {
    pub(super) requests: Vec<(BrokerId, Vec<Item>)>,
    /// Brokers that have work and no connection.
    pub(super) connect: Vec<BrokerId>,
    /// A partition has work and no leader.
    pub(super) wants_metadata: bool,
    /// The producer's id is used up, or there is none yet.
    pub(super) wants_identity: bool,
    /// When to look again, if nothing else happens.
    pub(super) next: Option<Instant>,
}

/// Whether a broker can take a request now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Door {
    Open,
    /// As many requests are in flight as may be, or the broker wants a pause until then.
    Busy(Option<Instant>),
    Unconnected,
}

/// What came of an attempt to take a record.
pub(super) enum Append {
    Taken {
        delivery: Delivery,
        news: bool,
    },
    /// The topic is not known yet.
    NoTopic,
    /// No memory is left.
    Full,
}

#[derive(Debug)]
pub(super) struct Accumulator {
    pub(super) rules: Rules,
    pub(super) identity: Option<Identity>,
    /// Flushes that wait, and closing: batches linger no longer.
    pub(super) hurry: usize,
    pub(super) closed: bool,
    buffer_bytes: usize,
    request_bytes: usize,
    held_bytes: usize,
    topics: Vec<TopicQueues>,
    by_name: FxHashMap<Arc<str>, usize>,
    /// Partitions that have batches.
    active: Vec<(usize, usize)>,
    /// Where the next drain begins, so that no partition always comes last.
    start: usize,
    metadata: Option<Arc<Metadata>>,
}

impl Accumulator {
    pub(super) fn new(rules: Rules, buffer_bytes: usize, request_bytes: usize) -> Accumulator {
        Accumulator {
            rules,
            identity: None,
            hurry: 0,
            closed: false,
            buffer_bytes,
            request_bytes,
            held_bytes: 0,
            topics: Vec::new(),
            by_name: FxHashMap::default(),
            active: Vec::new(),
            start: 0,
            metadata: None,
        }
    }

    /// Makes a topic known.
    pub(super) fn add_topic(&mut self, topic: &Topic) {
        if self.by_name.contains_key(&topic.name) {
            return;
        }
        self.by_name.insert(topic.name.clone(), self.topics.len());
        let mut queues = TopicQueues {
            name: topic.name.clone(),
            id: topic.id,
            sticky: Sticky::default(),
            queues: Vec::new(),
            leaders: Vec::new(),
        };
        queues.learn(topic);
        self.topics.push(queues);
    }

    /// Takes over leaders and new partitions from an image that is not the last one.
    pub(super) fn learn(&mut self, metadata: &Arc<Metadata>) {
        if self
            .metadata
            .as_ref()
            .is_some_and(|known| Arc::ptr_eq(known, metadata))
        {
            return;
        }
        for topic in &mut self.topics {
            if let Some(news) = metadata.topic(&topic.name) {
                topic.learn(news);
            }
        }
        self.metadata = Some(metadata.clone());
    }

    pub(super) fn names(&self) -> Vec<Arc<str>> {
        self.topics.iter().map(|topic| topic.name.clone()).collect()
    }

    pub(super) fn name(&self, topic: usize) -> Option<TopicName> {
        self.topics.get(topic).map(|topic| TopicName {
            name: topic.name.clone(),
            id: topic.id,
        })
    }

    /// Takes a record into a batch. The clock is read only if one begins with it: per record that would be dear.
    pub(super) fn append(
        &mut self,
        now: impl FnOnce() -> Instant,
        wall_ms: i64,
        record: &NewRecord<'_>,
        random: &Random,
    ) -> Result<Append> {
        if self.closed {
            return Err(Error::Closed);
        }
        let bytes = BatchWriter::record_bytes_max(record.key, record.value, &record.headers);
        if self.request_bytes < bytes + record::HEADER_BYTES {
            return Err(Error::RecordTooLarge {
                bytes: bytes + record::HEADER_BYTES,
                max: self.request_bytes,
            });
        }
        let Some(&place) = self.by_name.get(record.topic) else {
            return Ok(Append::NoTopic);
        };
        if self.buffer_bytes < self.held_bytes + bytes {
            return Ok(Append::Full);
        }
        let Some(topic) = self.topics.get_mut(place) else {
            return Ok(Append::NoTopic);
        };
        let partition = topic.partition_of(record, random)?;
        let timestamp = record.timestamp.unwrap_or(wall_ms);
        let Some(queue) = topic.queues.get_mut(partition) else {
            return Ok(Append::NoTopic);
        };
        if queue.is_empty() {
            self.active.push((place, partition));
        }
        let content = (timestamp, record.key, record.value);
        let taken = queue.push(now, &self.rules, bytes, content, &record.headers);
        if record.partition.is_none() && record.key.is_none() {
            topic.sticky.wrote(bytes, self.rules.batch_bytes);
        }
        self.held_bytes += bytes;
        let delivery = Delivery {
            fate: taken.fate,
            partition: partition as i32,
            index: taken.index,
            timestamp,
            slot: None,
        };
        Ok(Append::Taken {
            delivery,
            news: taken.news,
        })
    }

    /// Chooses what is sent now, at most one request for each broker.
    pub(super) fn drain(&mut self, now: Instant, doors: impl Fn(BrokerId) -> Door) -> Work {
        let mut work = Work::default();
        let hurry = 0 < self.hurry || self.closed || self.buffer_bytes / 2 < self.held_bytes;
        self.active.retain(|(topic, partition)| {
            let queue = self
                .topics
                .get(*topic)
                .and_then(|topic| topic.queues.get(*partition));
            queue.is_some_and(|queue| !queue.is_empty())
        });
        let count = self.active.len();
        self.start = if count == 0 { 0 } else { (self.start + 1) % count };
        let order = (0..count).map(|step| (self.start + step) % count);
        let active: Vec<(usize, usize)> = order
            .filter_map(|place| self.active.get(place).copied())
            .collect();
        let mut sizes: FxHashMap<BrokerId, usize> = FxHashMap::default();
        for (place, partition) in active {
            let Some(topic) = self.topics.get_mut(place) else {
                continue;
            };
            let leader = topic.leaders.get(partition).copied().unwrap_or(BrokerId::NONE);
            let Some(queue) = topic.queues.get_mut(partition) else {
                continue;
            };
            work.look_again(queue.expires_at(&self.rules));
            let Some(ready) = queue.ready_at(&self.rules, hurry) else {
                continue;
            };
            if now < ready {
                work.look_again(Some(ready));
                continue;
            }
            if leader == BrokerId::NONE {
                work.wants_metadata = true;
                continue;
            }
            if self.rules.idempotent && (self.identity.is_none() || queue.needs_another_id()) {
                work.wants_identity = true;
                continue;
            }
            match doors(leader) {
                Door::Busy(until) => work.look_again(until),
                Door::Unconnected if work.connect.contains(&leader) => {}
                Door::Unconnected => work.connect.push(leader),
                Door::Open => {
                    let size = sizes.entry(leader).or_default();
                    let large = 0 < *size && self.request_bytes < *size + self.rules.batch_bytes;
                    if large {
                        work.look_again(Some(now));
                        continue;
                    }
                    let Some(batch) = queue.drain(now, &self.rules, self.identity) else {
                        continue;
                    };
                    *size += batch.bytes.len();
                    // There may be more behind it.
                    if queue.ready_at(&self.rules, hurry).is_some_and(|at| at <= now) {
                        work.look_again(Some(now));
                    }
                    work.add(
                        leader,
                        Item {
                            topic: place,
                            partition,
                            batch,
                        },
                    );
                }
            }
        }
        work
    }

    pub(super) fn queue(&mut self, item: &Item) -> Option<&mut Queue> {
        self.topics.get_mut(item.topic)?.queues.get_mut(item.partition)
    }

    /// Gives memory back.
    pub(super) fn free(&mut self, bytes: usize) {
        self.held_bytes = self.held_bytes.saturating_sub(bytes);
    }

    /// Gives up what has had its time. Says whether memory came free.
    pub(super) fn expire(&mut self, now: Instant) -> bool {
        let mut freed = 0;
        let rules = self.rules;
        for (topic, partition) in &self.active {
            let Some(topic) = self.topics.get_mut(*topic) else {
                continue;
            };
            let Some(queue) = topic.queues.get_mut(*partition) else {
                continue;
            };
            if queue.expires_at(&rules).is_some_and(|at| at <= now) {
                let why = Error::TimedOut {
                    what: format!("the delivery to {}-{partition}", topic.name),
                    after: rules.delivery_timeout,
                    last: queue.refused().cloned().map(Box::new),
                };
                freed += queue.expire(now, &rules, &why);
            }
        }
        self.free(freed);
        0 < freed
    }

    /// Gives up everything.
    pub(super) fn fail_all(&mut self, why: &Error) {
        let queues = self.topics.iter_mut().flat_map(|topic| &mut topic.queues);
        let freed = queues.map(|queue| queue.fail_all(why)).sum();
        self.free(freed);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.topics
            .iter()
            .flat_map(|topic| &topic.queues)
            .all(Queue::is_empty)
    }

    pub(super) fn fates(&self) -> Vec<Arc<Fate>> {
        self.topics
            .iter()
            .flat_map(|topic| &topic.queues)
            .flat_map(Queue::fates)
            .collect()
    }
}

impl TopicQueues {
    fn learn(&mut self, topic: &Topic) {
        self.id = topic.id;
        self.leaders = topic
            .partitions
            .iter()
            .map(|partition| partition.leader)
            .collect();
        // A topic that was made anew with fewer partitions may leave records without a place: they expire.
        while self.queues.len() < topic.partitions.len() {
            self.queues.push(Queue::default());
        }
    }

    fn partition_of(&mut self, record: &NewRecord<'_>, random: &Random) -> Result<usize> {
        let count = self.leaders.len();
        match (record.partition, record.key) {
            (Some(wanted), _) => {
                let partition = usize::try_from(wanted)
                    .ok()
                    .filter(|partition| *partition < count);
                partition.ok_or_else(|| Error::NoPartition {
                    topic: self.name.to_string(),
                    partition: wanted,
                    partitions: count,
                })
            }
            (None, Some(key)) => Ok(partition_of_key(key, count)),
            (None, None) => {
                let (leaders, queues) = (&self.leaders, &self.queues);
                let queued = leaders
                    .iter()
                    .zip(queues)
                    .map(|(leader, queue)| (*leader != BrokerId::NONE).then(|| queue.len()));
                Ok(self.sticky.partition(queued, random))
            }
        }
    }
}

impl Work {
    fn look_again(&mut self, at: Option<Instant>) {
        self.next = match (self.next, at) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
    }

    fn add(&mut self, broker: BrokerId, item: Item) {
        match self.requests.iter_mut().find(|(known, _)| *known == broker) {
            Some((_, items)) => items.push(item),
            None => self.requests.push((broker, vec![item])),
        }
    }
}
