//! What all requests share, and how it comes up.

use std::sync::Arc;

use arc_swap::ArcSwap;
use config::{BrokerConfig, Flush};
use metadata::{Delta, MetadataImage, ResourceKind};
use os::{Clock, Os, Random};
use storage::LogDirectory;
use telemetry::Requests;
use tracing::warn;
use types::{BrokerId, TopicId, TopicIdPartition, TopicName};

use crate::coordinator::{Coordinators, OFFSETS_TOPIC};
use crate::fetch_session::FetchSessions;
use crate::life::Upkeep;
use crate::loggers::Loggers;
use crate::node::Node;
use crate::partition::{Partition, Said};
use crate::producer_ids::ProducerIds;
use crate::quorum::{QuorumHandle, QuorumHost};
use crate::topics::{Topic, Topics};

/// A session may lose its place to a newer one after this long without use.
const SESSION_EVICTION_MS: u64 = 120_000;

/// Why a broker does not come up.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error(transparent)]
    Log(#[from] storage::Error),
    #[error("the metadata log cannot be used: {0}")]
    Metadata(String),
}

/// Somebody who keeps in step with the broker's settings.
type SettingsFollower = Box<dyn Fn(&BrokerConfig) + Send + Sync>;

/// A broker of one node.
pub struct Broker {
    /// As it was started. What may change meanwhile is in [`Broker::settings`].
    pub config: BrokerConfig,
    pub node: Node,
    pub directory: LogDirectory,
    pub topics: Topics,
    pub fetch_sessions: FetchSessions,
    pub producer_ids: ProducerIds,
    pub coordinators: Coordinators,
    pub loggers: Loggers,
    pub clock: Clock,
    /// What requests cost. Never freed, so that every answer on its way can point to it: a process has one broker.
    pub requests: &'static Requests,
    random: Random,
    image: ArcSwap<MetadataImage>,
    /// The settings with what was said since the start.
    live: ArcSwap<BrokerConfig>,
    followers: parking_lot::Mutex<Vec<SettingsFollower>>,
    quorum: QuorumHandle,
    upkeep: std::sync::OnceLock<Upkeep>,
}

impl Broker {
    /// Brings up metadata and partitions from an open log directory. Listens nowhere yet.
    pub fn open(
        os: &Os,
        config: BrokerConfig,
        node: Node,
        directory: LogDirectory,
    ) -> Result<Arc<Broker>, OpenError> {
        let mut host = QuorumHost::open(os, &directory, &node).map_err(OpenError::Metadata)?;
        host.register(&node).map_err(OpenError::Metadata)?;
        let image = host.image();
        let handle = host.handle();
        let broker = Arc::new(Broker {
            fetch_sessions: FetchSessions::new(config.fetch_session_slots, SESSION_EVICTION_MS),
            producer_ids: ProducerIds::default(),
            coordinators: Coordinators::new(&config),
            topics: Topics::default(),
            loggers: Loggers::default(),
            image: ArcSwap::from_pointee(image.clone()),
            followers: parking_lot::Mutex::default(),
            live: ArcSwap::from_pointee(config.with_dynamic(Said::of(&image, config.node_id).dynamic())),
            clock: os.clock.clone(),
            requests: Box::leak(Box::default()),
            random: os.random.clone(),
            quorum: handle,
            upkeep: std::sync::OnceLock::new(),
            config,
            node,
            directory,
        });
        let everything = Delta {
            topics: image.topics().map(|topic| topic.id).collect(),
            ..Delta::default()
        };
        broker.reconcile(&image, &everything)?;
        broker.report_strays(&image);
        broker.directory.sync_now()?;
        host.run(&broker)
            .map_err(|error| OpenError::Metadata(error.to_string()))?;
        let upkeep = Upkeep::start(&broker).map_err(|error| OpenError::Metadata(error.to_string()))?;
        broker.upkeep.get_or_init(|| upkeep);
        broker
            .coordinators
            .start(&broker)
            .map_err(|error| OpenError::Metadata(error.to_string()))?;
        Ok(broker)
    }

    pub fn image(&self) -> Arc<MetadataImage> {
        self.image.load_full()
    }

    /// The settings as they are now, with what was altered while the broker runs.
    pub fn settings(&self) -> Arc<BrokerConfig> {
        self.live.load_full()
    }

    /// Hands the settings to `follower`, now and whenever they change.
    pub fn follow_settings(&self, follower: impl Fn(&BrokerConfig) + Send + Sync + 'static) {
        let mut followers = self.followers.lock();
        follower(&self.settings());
        followers.push(Box::new(follower));
    }

    pub(crate) fn quorum(&self) -> &QuorumHandle {
        &self.quorum
    }

    pub fn now_ms(&self) -> u64 {
        u64::try_from(self.clock.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// A random number as large as a UUID.
    pub fn random_u128(&self) -> u128 {
        (u128::from(self.random.u64()) << 64) | u128::from(self.random.u64())
    }

    pub fn random_i32(&self) -> i32 {
        self.random.u64() as i32
    }

    /// The id that this node has as a broker.
    pub fn id(&self) -> BrokerId {
        self.node.id
    }

    /// Follows a committed image: partitions appear, change and go. Answers that depend on it leave afterwards.
    pub(crate) fn publish(&self, image: MetadataImage, delta: &Delta) {
        if let Err(error) = self.reconcile(&image, delta) {
            tracing::error!(
                %error,
                action = "free or replace the disk that the error names, then restart this node",
                "partitions could not follow the metadata"
            );
        }
        self.image.store(Arc::new(image));
    }

    fn reconcile(&self, image: &MetadataImage, delta: &Delta) -> Result<(), storage::Error> {
        let mut deleted = Vec::new();
        for id in &delta.deleted {
            deleted.extend(self.remove_topic(*id)?);
        }
        self.coordinators.topics_deleted(self, &deleted);
        for id in &delta.topics {
            self.bring_up(image, *id)?;
        }
        self.follow_configs(image, delta);
        self.directory.kick();
        Ok(())
    }

    /// What is said of brokers may change every topic, what is said of a topic changes that one.
    fn follow_configs(&self, image: &MetadataImage, delta: &Delta) {
        let said = Said::of(image, self.config.node_id);
        let of = |wanted: ResourceKind| {
            let is_wanted = move |(kind, _): &&(i8, String)| *kind == wanted as i8;
            delta.configs.iter().filter(is_wanted).map(|(_, name)| name)
        };
        let brokers_changed = of(ResourceKind::Broker).next().is_some();
        let topics = if brokers_changed {
            self.live
                .store(Arc::new(self.config.with_dynamic(said.dynamic())));
            self.topics.all()
        } else {
            of(ResourceKind::Topic)
                .filter_map(|name| self.topics.by_name(name))
                .collect()
        };
        for topic in topics {
            let settings = said.topic(image, &topic.name, &self.config);
            topic
                .partitions()
                .iter()
                .for_each(|partition| partition.replace_settings(settings.clone()));
        }
    }

    fn bring_up(&self, image: &MetadataImage, id: TopicId) -> Result<(), storage::Error> {
        let Some(described) = image.topic(id) else {
            return Ok(());
        };
        let settings = Said::of(image, self.config.node_id).topic(image, &described.name, &self.config);
        let known = self.topics.by_id(id);
        let topic = known.unwrap_or_else(|| Arc::new(Topic::new(described.name.clone(), id)));
        for (index, partition) in (0..).zip(&described.partitions) {
            let live = match topic.partition(index) {
                Some(live) => live,
                None => {
                    let target = TopicIdPartition {
                        topic_id: id,
                        partition: types::PartitionIndex(index),
                    };
                    let log = self.directory.create_log(target, &described.name)?;
                    let flush = self.config.flush;
                    let name = described.name.clone();
                    let index = types::PartitionIndex(index);
                    Partition::new(name, id, index, log, settings.clone(), flush, &self.directory)
                }
            };
            live.lead(partition.leader_epoch)?;
            if described.name.as_str() == OFFSETS_TOPIC {
                self.coordinators.adopt(self, &live);
            }
            topic.put(live);
        }
        self.topics.insert(topic);
        Ok(())
    }

    fn remove_topic(&self, id: TopicId) -> Result<Option<(TopicId, TopicName)>, storage::Error> {
        let Some(topic) = self.topics.remove(id) else {
            return Ok(None);
        };
        let mut wakes = net::WakeSet::default();
        for partition in topic.partitions() {
            partition.go_offline(&mut wakes);
            self.directory.drop_log(TopicIdPartition {
                topic_id: id,
                partition: partition.index,
            })?;
        }
        wakes.deliver();
        Ok(Some((id, topic.name.clone())))
    }

    /// Nothing is deleted because metadata lacks it: such logs are named and left alone.
    fn report_strays(&self, image: &MetadataImage) {
        for log in self.directory.logs() {
            if image.topic(log.target().topic_id).is_none() {
                warn!(topic = log.topic_name(), log = %log.target(), "a log without a topic in the metadata is kept");
            }
        }
    }

    /// Ends when everything that was queued is as safe as the flush mode promises.
    pub(crate) async fn settled(&self) -> Result<(), types::ErrorCode> {
        if self.flush() != Flush::Ack {
            self.directory.kick();
            return Ok(());
        }
        let directory = self.directory.clone();
        let synced = tokio::task::spawn_blocking(move || directory.sync_now()).await;
        match synced {
            Ok(Ok(())) => Ok(()),
            // The directory is fenced, and has said why.
            _ => Err(types::ErrorCode::KafkaStorageError),
        }
    }

    /// Whether records survive a power loss once they are acknowledged.
    pub fn flush(&self) -> Flush {
        self.config.flush
    }

    /// Stops upkeep and the quorum's host. Connections are closed before.
    pub fn close(&self) -> Result<(), storage::Error> {
        if let Some(upkeep) = self.upkeep.get() {
            upkeep.stop();
        }
        self.coordinators.stop();
        self.quorum.stop();
        self.directory.close()
    }
}
