//! The image, and how an answer of a broker changes it.

use std::sync::Arc;

use protocol::messages::metadata_response::{
    MetadataResponse, MetadataResponsePartition, MetadataResponseTopic,
};
use rustc_hash::FxHashMap;
use types::{BrokerId, LeaderEpoch, PartitionIndex, TopicId};

use crate::{Error, Result};

/// A broker and where it listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broker {
    /// Its node id.
    pub id: BrokerId,
    /// The advertised host.
    pub host: String,
    /// The advertised port.
    pub port: u16,
    /// Its rack, if it has one.
    pub rack: Option<String>,
}

/// A partition of a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partition {
    /// Its number.
    pub index: PartitionIndex,
    /// Its leader; -1 while it has none.
    pub leader: BrokerId,
    /// The leader's epoch; -1 if the broker does not tell.
    pub leader_epoch: LeaderEpoch,
    /// The brokers that hold it, preferred leader first.
    pub replicas: Vec<BrokerId>,
    /// Those that are in sync.
    pub in_sync: Vec<BrokerId>,
    /// Those that are off line.
    pub offline: Vec<BrokerId>,
}

/// A topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topic {
    /// Its name.
    pub name: Arc<str>,
    /// Its id; zero if the broker does not tell.
    pub id: TopicId,
    /// Whether it is one of Kafka's own.
    pub internal: bool,
    /// Its partitions, by number from 0.
    pub partitions: Vec<Partition>,
}

impl Topic {
    /// A partition, or an error that says how many there are.
    ///
    /// ```
    /// # testkit::with_node(async |servers| -> client::Result<()> {
    /// # let client = client::Client::new(client::ClientConfig::new(&servers))?;
    /// # client.admin().create_topics(&[client::NewTopic::new("orders").partitions(3)]).await?;
    /// let described = client.admin().describe_topics(&["orders"]).await?;
    /// let orders = described[0].1.as_ref().expect("it is there");
    /// assert!(orders.partition(2).is_ok());
    /// println!("{}", orders.partition(3).expect_err("there are three"));
    /// # Ok(())
    /// # });
    /// ```
    pub fn partition(&self, index: i32) -> Result<&Partition> {
        let partition = usize::try_from(index)
            .ok()
            .and_then(|index| self.partitions.get(index));
        partition.ok_or_else(|| Error::NoPartition {
            topic: self.name.to_string(),
            partition: index,
            partitions: self.partitions.len(),
        })
    }
}

/// An image of the cluster. Topics that nobody asked for are not in it.
#[derive(Debug, Clone, Default)]
pub struct Metadata {
    /// The cluster's id, once a broker told it.
    pub cluster_id: Option<String>,
    /// The controller, or a broker that forwards to it; -1 if none is known.
    pub controller: BrokerId,
    /// Every broker, by id ascending.
    pub brokers: Vec<Broker>,
    topics: FxHashMap<Arc<str>, Arc<Topic>>,
    /// Topics that do not exist or may not be seen, as the last answer said.
    errors: FxHashMap<Arc<str>, Error>,
}

impl Metadata {
    /// A broker by id.
    pub fn broker(&self, id: BrokerId) -> Option<&Broker> {
        self.brokers.iter().find(|broker| broker.id == id)
    }

    /// A topic by name, if it is known.
    pub fn topic(&self, name: &str) -> Option<&Arc<Topic>> {
        self.topics.get(name)
    }

    /// A topic by id.
    pub fn topic_of(&self, id: TopicId) -> Option<&Arc<Topic>> {
        self.topics.values().find(|topic| topic.id == id)
    }

    /// Every known topic, in no order.
    pub fn topics(&self) -> impl Iterator<Item = &Arc<Topic>> {
        self.topics.values()
    }

    /// Why a topic is not known.
    pub fn error_of(&self, name: &str) -> Option<&Error> {
        self.errors.get(name)
    }

    /// The image after an answer. `all` says that the answer has every topic, so that others are gone.
    pub(crate) fn updated(&self, response: &MetadataResponse, all: bool) -> Metadata {
        let mut next = Metadata {
            cluster_id: response
                .cluster_id
                .as_ref()
                .map(|id| id.as_str().to_owned())
                .or(self.cluster_id.clone()),
            controller: BrokerId(response.controller_id),
            brokers: brokers(response),
            topics: if all {
                FxHashMap::default()
            } else {
                self.topics.clone()
            },
            errors: FxHashMap::default(),
        };
        for answer in &response.topics {
            let Some(name) = answer.name.as_deref() else {
                continue;
            };
            let name: Arc<str> = name.into();
            let checked = Error::check(answer.error_code, || format!("topic {name}"));
            match checked {
                Ok(()) => {
                    let topic = topic(name.clone(), answer, self.topic(&name));
                    next.topics.insert(name, Arc::new(topic));
                }
                Err(error) => {
                    next.topics.remove(&name);
                    next.errors.insert(name, error);
                }
            }
        }
        next
    }

    /// The image after a broker named a partition's new leader in a refusal (KIP-951); `None` if that is no news.
    pub(crate) fn with_leader(
        &self,
        topic: &str,
        partition: i32,
        leader: BrokerId,
        epoch: LeaderEpoch,
        endpoint: Option<Broker>,
    ) -> Option<Metadata> {
        let known = self.topic(topic)?;
        let current = known.partition(partition).ok()?;
        let news = current.leader_epoch < epoch && 0 <= leader.0;
        if !news || (endpoint.is_none() && self.broker(leader).is_none()) {
            return None;
        }
        let mut changed = Topic::clone(known);
        let place = changed.partitions.get_mut(partition as usize)?;
        (place.leader, place.leader_epoch) = (leader, epoch);
        let mut next = self.clone();
        next.topics.insert(known.name.clone(), Arc::new(changed));
        if let Some(endpoint) = endpoint {
            next.brokers.retain(|broker| broker.id != endpoint.id);
            next.brokers.push(endpoint);
            next.brokers.sort_by_key(|broker| broker.id);
        }
        Some(next)
    }
}

fn brokers(response: &MetadataResponse) -> Vec<Broker> {
    let mut brokers: Vec<Broker> = response
        .brokers
        .iter()
        .filter_map(|broker| {
            Some(Broker {
                id: BrokerId(broker.node_id),
                host: broker.host.as_str().to_owned(),
                port: u16::try_from(broker.port).ok()?,
                rack: broker.rack.as_ref().map(|rack| rack.as_str().to_owned()),
            })
        })
        .collect();
    brokers.sort_by_key(|broker| broker.id);
    brokers
}

fn topic(name: Arc<str>, answer: &MetadataResponseTopic, known: Option<&Arc<Topic>>) -> Topic {
    // A topic that was deleted and created again starts its epochs anew.
    let same = known.filter(|known| known.id == answer.topic_id);
    let mut partitions: Vec<Partition> = answer
        .partitions
        .iter()
        .map(|partition| {
            let before = same.and_then(|topic| topic.partition(partition.partition_index).ok());
            newer(partition, before)
        })
        .collect();
    partitions.sort_by_key(|partition| partition.index);
    // A list with holes or doubles would make an index point at another partition.
    let whole = (0..)
        .zip(&partitions)
        .all(|(index, partition)| partition.index.0 == index);
    if !whole {
        tracing::warn!(topic = %name, "a broker gave partitions that are not 0, 1, ...: taken as none");
        partitions.clear();
    }
    Topic {
        name,
        id: answer.topic_id,
        internal: answer.is_internal,
        partitions,
    }
}

/// An answer of an older leader epoch than is known comes from a broker that is behind: what is known stays.
fn newer(answer: &MetadataResponsePartition, known: Option<&Partition>) -> Partition {
    if let Some(known) = known
        && 0 <= answer.leader_epoch
        && answer.leader_epoch < known.leader_epoch.0
    {
        return known.clone();
    }
    let ids = |nodes: &[i32]| nodes.iter().map(|node| BrokerId(*node)).collect();
    Partition {
        index: PartitionIndex(answer.partition_index),
        leader: BrokerId(answer.leader_id),
        leader_epoch: LeaderEpoch(answer.leader_epoch),
        replicas: ids(&answer.replica_nodes),
        in_sync: ids(&answer.isr_nodes),
        offline: ids(&answer.offline_replicas),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(epoch: i32, leader: i32, id: u8) -> MetadataResponse {
        MetadataResponse {
            topics: vec![MetadataResponseTopic {
                name: Some("t".into()),
                topic_id: types::Uuid([id; 16]),
                partitions: vec![MetadataResponsePartition {
                    leader_id: leader,
                    leader_epoch: epoch,
                    ..MetadataResponsePartition::default()
                }],
                ..MetadataResponseTopic::default()
            }],
            ..MetadataResponse::default()
        }
    }

    fn leader(image: &Metadata) -> BrokerId {
        image.topic("t").expect("known").partitions[0].leader
    }

    #[test]
    fn an_older_leader_epoch_changes_nothing_unless_the_topic_is_another() {
        let image = Metadata::default().updated(&answer(5, 1, 1), false);
        let image = image.updated(&answer(4, 2, 1), false);
        assert_eq!(leader(&image), BrokerId(1));
        let image = image.updated(&answer(6, 2, 1), false);
        assert_eq!(leader(&image), BrokerId(2));
        let image = image.updated(&answer(0, 3, 2), false);
        assert_eq!(leader(&image), BrokerId(3));
    }

    #[test]
    fn a_leader_hint_counts_only_if_it_is_newer_and_reachable() {
        let image = Metadata::default().updated(&answer(5, 1, 1), false);
        let hint = |epoch, endpoint| image.with_leader("t", 0, BrokerId(7), LeaderEpoch(epoch), endpoint);
        let endpoint = Broker {
            id: BrokerId(7),
            host: "h".into(),
            port: 1,
            rack: None,
        };
        assert!(hint(5, Some(endpoint.clone())).is_none());
        assert!(hint(6, None).is_none());
        let next = hint(6, Some(endpoint)).expect("news");
        assert_eq!(leader(&next), BrokerId(7));
        assert!(next.broker(BrokerId(7)).is_some());
    }

    #[test]
    fn partitions_with_holes_are_not_believed() {
        let mut hole = answer(0, 1, 1);
        hole.topics[0].partitions[0].partition_index = 3;
        let image = Metadata::default().updated(&hole, true);
        assert!(image.topic("t").expect("known").partitions.is_empty());
    }
}
