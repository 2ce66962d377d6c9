//! What the metadata log adds up to. Cloning shares everything; applying a record copies what it touches.

mod apply;
mod features;
mod kept;
mod shared;

use std::collections::BTreeMap;
use std::sync::Arc;

use protocol::record_schemas::metadata::register_broker_record::RegisterBrokerRecord;
use protocol::record_schemas::metadata::register_controller_record::RegisterControllerRecord;
use smallvec::SmallVec;
use types::{BrokerId, LeaderEpoch, Offset, TopicId, TopicName, Uuid};

pub use apply::Delta;
pub use features::{Feature, KRAFT_VERSION, METADATA_VERSION, SUPPORTED_FEATURES};
use kept::Kept;
use shared::Shared;

/// Kafka's resource types for configs (`ConfigResource.Type`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(i8)]
pub enum ResourceKind {
    Topic = 2,
    /// Of one broker, or with an empty name the default of all.
    Broker = 4,
    BrokerLogger = 8,
    ClientMetrics = 16,
    Group = 32,
}

impl ResourceKind {
    pub fn from_code(code: i8) -> Option<ResourceKind> {
        use ResourceKind::*;
        [Topic, Broker, BrokerLogger, ClientMetrics, Group]
            .into_iter()
            .find(|kind| *kind as i8 == code)
    }
}

/// A partition. A million of them are kept: what most have in common is shared, and what few have hangs on a pointer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionImage {
    pub(crate) replicas: SmallVec<[BrokerId; 4]>,
    /// None: all replicas, in their order.
    pub(crate) in_sync: Option<Box<[BrokerId]>>,
    pub(crate) directories: Arc<[Uuid]>,
    pub(crate) rare: Option<Box<Rare>>,
    pub leader: BrokerId,
    pub leader_epoch: LeaderEpoch,
    pub partition_epoch: i32,
}

/// What a partition has while it is moved, elected uncleanly, or short of replicas.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Rare {
    pub(crate) eligible_leader_replicas: Vec<BrokerId>,
    pub(crate) last_known_elr: Vec<BrokerId>,
    pub(crate) adding_replicas: Vec<BrokerId>,
    pub(crate) removing_replicas: Vec<BrokerId>,
    /// `LeaderRecoveryState`: 0 recovered, 1 recovering.
    pub(crate) leader_recovery_state: i8,
}

impl PartitionImage {
    pub fn replicas(&self) -> &[BrokerId] {
        &self.replicas
    }

    /// The replicas that have everything that is committed.
    pub fn in_sync(&self) -> &[BrokerId] {
        self.in_sync.as_deref().unwrap_or(&self.replicas)
    }

    /// The log directory of each replica, in the order of the replicas.
    pub fn directories(&self) -> &[Uuid] {
        &self.directories
    }

    /// Replicas outside the ISR that have every committed record (KIP-966).
    pub fn eligible_leader_replicas(&self) -> &[BrokerId] {
        self.rare
            .as_ref()
            .map_or(&[], |rare| &rare.eligible_leader_replicas)
    }

    /// The last leader, if none is left that has every record.
    pub fn last_known_elr(&self) -> &[BrokerId] {
        self.rare.as_ref().map_or(&[], |rare| &rare.last_known_elr)
    }

    /// Replicas that a reassignment adds.
    pub fn adding_replicas(&self) -> &[BrokerId] {
        self.rare.as_ref().map_or(&[], |rare| &rare.adding_replicas)
    }

    /// Replicas that a reassignment removes.
    pub fn removing_replicas(&self) -> &[BrokerId] {
        self.rare.as_ref().map_or(&[], |rare| &rare.removing_replicas)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicImage {
    pub name: TopicName,
    pub id: TopicId,
    /// By index.
    pub partitions: Vec<PartitionImage>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    pub listener: String,
    pub host: String,
    pub port: u16,
    pub security_protocol: i16,
}

#[derive(Debug, Clone, PartialEq)]
pub struct BrokerImage {
    pub id: BrokerId,
    pub incarnation_id: Uuid,
    /// The offset of the registration record.
    pub epoch: i64,
    pub endpoints: Vec<Endpoint>,
    pub rack: Option<String>,
    pub fenced: bool,
    pub in_controlled_shutdown: bool,
    pub log_dirs: Vec<Uuid>,
    /// As it was registered, without what changes later: a snapshot repeats what nothing here looks at.
    pub(crate) registration: Arc<RegisterBrokerRecord>,
    pub(crate) cordoned_log_dirs: Option<Vec<Uuid>>,
}

/// Overrides of one resource.
pub type Configs = BTreeMap<String, String>;

#[derive(Debug, Clone, Default, PartialEq)]
pub struct MetadataImage {
    /// The last offset applied; -1 before the first.
    pub(crate) offset: Option<Offset>,
    pub(crate) features: Arc<BTreeMap<String, i16>>,
    pub(crate) topics: rpds::RedBlackTreeMapSync<TopicId, Arc<TopicImage>>,
    pub(crate) names: rpds::RedBlackTreeMapSync<TopicName, TopicId>,
    pub(crate) brokers: Arc<BTreeMap<i32, BrokerImage>>,
    pub(crate) configs: rpds::RedBlackTreeMapSync<(i8, String), Arc<Configs>>,
    pub(crate) next_producer_id: i64,
    pub(crate) controllers: Arc<BTreeMap<i32, RegisterControllerRecord>>,
    /// From the quorum's control records; not a feature record.
    pub(crate) kraft_version: i16,
    /// Names with a `.` or `_`, which may collide: with `_` for each, and as they are.
    pub(crate) colliding: rpds::RedBlackTreeMapSync<(String, String), ()>,
    /// Records that nothing here interprets.
    pub(crate) kept: Kept,
    /// Lists of directories that many partitions have.
    pub(crate) shared: Shared,
    /// The image in front of an open metadata transaction.
    pub(crate) before: Option<Arc<MetadataImage>>,
}

impl MetadataImage {
    /// The last offset applied, as clients see it in ApiVersions.
    pub fn offset(&self) -> Offset {
        self.offset.unwrap_or(Offset(-1))
    }

    pub fn topic(&self, id: TopicId) -> Option<&Arc<TopicImage>> {
        self.topics.get(&id)
    }

    pub fn topic_by_name(&self, name: &str) -> Option<&Arc<TopicImage>> {
        self.names.get(name).and_then(|id| self.topics.get(id))
    }

    /// What may be shown: without the records of a metadata transaction that is still open.
    pub fn committed(&self) -> &MetadataImage {
        self.before.as_deref().unwrap_or(self)
    }

    /// Whether a metadata transaction is open: its records do not count yet.
    pub fn in_transaction(&self) -> bool {
        self.before.is_some()
    }

    /// A topic whose name differs from this one in `.` and `_` only.
    pub fn colliding(&self, name: &TopicName) -> Option<&str> {
        let folded = fold(name)?;
        let from = (folded, String::new());
        let ((folded, other), ()) = self.colliding.range(&from..).next()?;
        (*folded == from.0).then_some(other.as_str())
    }

    /// Topics by name, ascending.
    pub fn topics(&self) -> impl Iterator<Item = &Arc<TopicImage>> {
        self.names.values().filter_map(|id| self.topics.get(id))
    }

    /// Topics from a name on, ascending.
    pub fn topics_from<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Arc<TopicImage>> + use<'a> {
        let names = self
            .names
            .range::<str, _>((std::ops::Bound::Included(name), std::ops::Bound::Unbounded));
        names.filter_map(|(_, id)| self.topics.get(id))
    }

    pub fn brokers(&self) -> impl Iterator<Item = &BrokerImage> {
        self.brokers.values()
    }

    pub fn broker(&self, id: BrokerId) -> Option<&BrokerImage> {
        self.brokers.get(&id.0)
    }

    /// The overrides of a resource; empty if it has none.
    pub fn configs(&self, kind: ResourceKind, name: &str) -> Arc<Configs> {
        self.configs
            .get(&(kind as i8, name.to_owned()))
            .cloned()
            .unwrap_or_default()
    }

    /// The first producer id that no block has.
    pub fn next_producer_id(&self) -> i64 {
        self.next_producer_id
    }

    /// What this node supports, and what the cluster has finalized.
    pub fn features(&self) -> impl Iterator<Item = Feature> + use<'_> {
        SUPPORTED_FEATURES.iter().map(|feature| Feature {
            finalized: match feature.name {
                KRAFT_VERSION => self.kraft_version,
                name => self.features.get(name).copied().unwrap_or(0),
            },
            ..*feature
        })
    }
}

/// A name with `_` for `.`; none if it has neither and cannot collide.
pub(crate) fn fold(name: &TopicName) -> Option<String> {
    let may_collide = name.bytes().any(|byte| matches!(byte, b'.' | b'_'));
    may_collide.then(|| name.replace('.', "_"))
}
