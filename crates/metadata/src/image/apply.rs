//! Records, applied. Total and deterministic: what the log holds was decided by a leader.

use std::sync::Arc;

use protocol::MetadataRecord;
use protocol::record_schemas::metadata::broker_registration_change_record::BrokerRegistrationChangeRecord;
use protocol::record_schemas::metadata::config_record::ConfigRecord;
use protocol::record_schemas::metadata::partition_change_record::PartitionChangeRecord;
use protocol::record_schemas::metadata::partition_record::PartitionRecord;
use protocol::record_schemas::metadata::register_broker_record::RegisterBrokerRecord;
use protocol::record_schemas::metadata::topic_record::TopicRecord;
use types::{BrokerId, LeaderEpoch, Offset, TopicId, TopicName};

use super::{BrokerImage, Configs, Endpoint, MetadataImage, PartitionImage, Rare, Shared, TopicImage, fold};

/// What changed between two images, for whoever keeps something in step with them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Delta {
    /// Created or changed.
    pub topics: Vec<TopicId>,
    pub deleted: Vec<TopicId>,
    /// (resource type, name)
    pub configs: Vec<(i8, String)>,
}

impl Delta {
    fn touch(&mut self, topic: TopicId) {
        if self.topics.last() != Some(&topic) {
            self.topics.push(topic);
        }
    }
}

impl MetadataImage {
    /// Applies the record at `offset`.
    pub fn apply(&mut self, offset: Offset, record: &MetadataRecord, delta: &mut Delta) {
        self.offset = Some(offset);
        match record {
            MetadataRecord::FeatureLevelRecord(record) => {
                Arc::make_mut(&mut self.features).insert(record.name.to_string(), record.feature_level);
            }
            MetadataRecord::TopicRecord(record) => self.apply_topic(record, delta),
            MetadataRecord::PartitionRecord(record) => {
                self.apply_partitions(std::slice::from_ref(record), delta);
            }
            MetadataRecord::PartitionChangeRecord(record) => self.apply_partition_change(record, delta),
            MetadataRecord::RemoveTopicRecord(record) => self.apply_remove_topic(record.topic_id, delta),
            MetadataRecord::ConfigRecord(record) => self.apply_config(record, delta),
            MetadataRecord::RegisterBrokerRecord(record) => self.apply_register_broker(record),
            MetadataRecord::UnregisterBrokerRecord(record) => {
                Arc::make_mut(&mut self.brokers).remove(&record.broker_id);
            }
            MetadataRecord::BrokerRegistrationChangeRecord(record) => self.apply_broker_change(record),
            MetadataRecord::ProducerIdsRecord(record) => self.next_producer_id = record.next_producer_id,
            MetadataRecord::RegisterControllerRecord(record) => {
                Arc::make_mut(&mut self.controllers).insert(record.controller_id, record.clone());
            }
            MetadataRecord::FenceBrokerRecord(record) => self.set_fenced(record.id, true),
            MetadataRecord::UnfenceBrokerRecord(record) => self.set_fenced(record.id, false),
            MetadataRecord::ClearElrRecord(record) => self.clear_elr(&record.topic_name, delta),
            MetadataRecord::BeginTransactionRecord(_) => {
                let before = MetadataImage {
                    before: None,
                    ..self.clone()
                };
                self.before = Some(Arc::new(before));
            }
            MetadataRecord::EndTransactionRecord(_) => self.before = None,
            MetadataRecord::AbortTransactionRecord(_) => self.abort_transaction(),
            other => self.kept.apply(other),
        }
    }

    /// Chooses the image in front of the transaction: there is no undo.
    fn abort_transaction(&mut self) {
        if let Some(before) = self.before.take() {
            *self = MetadataImage {
                offset: self.offset,
                ..(*before).clone()
            };
        }
    }

    fn set_fenced(&mut self, broker: i32, fenced: bool) {
        if let Some(broker) = Arc::make_mut(&mut self.brokers).get_mut(&broker) {
            broker.fenced = fenced;
        }
    }

    /// Of one topic, or of all if it has no name.
    fn clear_elr(&mut self, name: &str, delta: &mut Delta) {
        let touched: Vec<TopicId> = match name {
            "" => self.topics.keys().copied().collect(),
            name => self.names.get(name).copied().into_iter().collect(),
        };
        for id in touched {
            let Some(topic) = self.topics.get_mut(&id) else {
                continue;
            };
            let has_elr = |partition: &PartitionImage| partition.rare.is_some();
            if !topic.partitions.iter().any(has_elr) {
                continue;
            }
            for partition in &mut Arc::make_mut(topic).partitions {
                change_rare(partition, |rare| {
                    rare.eligible_leader_replicas.clear();
                    rare.last_known_elr.clear();
                });
            }
            delta.touch(id);
        }
    }

    /// A batch without records of ours, such as a leader change.
    pub fn pass(&mut self, offset: Offset) {
        self.offset = Some(offset);
    }

    fn apply_topic(&mut self, record: &TopicRecord, delta: &mut Delta) {
        let Ok(name) = TopicName::new(&record.name) else {
            return;
        };
        let topic = TopicImage {
            name: name.clone(),
            id: record.topic_id,
            partitions: Vec::new(),
        };
        if let Some(folded) = fold(&name) {
            self.colliding.insert_mut((folded, name.to_string()), ());
        }
        self.names.insert_mut(name, record.topic_id);
        self.topics.insert_mut(record.topic_id, Arc::new(topic));
        delta.touch(record.topic_id);
    }

    /// Partitions of one topic, one after the other: the topic is looked up once.
    pub(crate) fn apply_partitions(&mut self, records: &[PartitionRecord], delta: &mut Delta) {
        let Some(id) = records.first().map(|record| record.topic_id) else {
            return;
        };
        let Some(topic) = self.topics.get_mut(&id) else {
            return;
        };
        let partitions = &mut Arc::make_mut(topic).partitions;
        partitions.reserve(records.len());
        for record in records {
            let partition = partition_image(record, &mut self.shared);
            let index = usize::try_from(record.partition_id).unwrap_or(0);
            if index == partitions.len() {
                partitions.push(partition);
            } else if let Some(place) = partitions.get_mut(index) {
                *place = partition;
            }
        }
        delta.touch(id);
    }

    fn apply_partition_change(&mut self, record: &PartitionChangeRecord, delta: &mut Delta) {
        let Some(topic) = self.topics.get_mut(&record.topic_id) else {
            return;
        };
        let index = usize::try_from(record.partition_id).unwrap_or(usize::MAX);
        let Some(partition) = Arc::make_mut(topic).partitions.get_mut(index) else {
            return;
        };
        let in_sync: Vec<BrokerId> = match &record.isr {
            Some(isr) => brokers(isr).collect(),
            None => partition.in_sync().to_vec(),
        };
        if let Some(replicas) = &record.replicas {
            partition.replicas = brokers(replicas).collect();
        }
        partition.in_sync = unless_all(in_sync, &partition.replicas);
        // -2 leaves the leader as it is (`LeaderConstants.NO_LEADER_CHANGE`).
        if record.leader != -2 {
            partition.leader = BrokerId(record.leader);
            partition.leader_epoch = LeaderEpoch(partition.leader_epoch.0.saturating_add(1));
        }
        if let Some(directories) = &record.directories {
            partition.directories = self.shared.list(directories);
        }
        change_rare(partition, |rare| change_rare_fields(rare, record));
        partition.partition_epoch = partition.partition_epoch.saturating_add(1);
        delta.touch(record.topic_id);
    }

    fn apply_remove_topic(&mut self, id: TopicId, delta: &mut Delta) {
        let Some(topic) = self.topics.get(&id).cloned() else {
            return;
        };
        self.topics.remove_mut(&id);
        if self.names.get(&topic.name) == Some(&id) {
            self.names.remove_mut(&topic.name);
            if let Some(folded) = fold(&topic.name) {
                self.colliding.remove_mut(&(folded, topic.name.to_string()));
            }
        }
        self.configs
            .remove_mut(&(super::ResourceKind::Topic as i8, topic.name.to_string()));
        delta.topics.retain(|known| *known != id);
        delta.deleted.push(id);
    }

    fn apply_config(&mut self, record: &ConfigRecord, delta: &mut Delta) {
        let key = (record.resource_type, record.resource_name.to_string());
        let mut configs: Configs = self
            .configs
            .get(&key)
            .map(|known| (**known).clone())
            .unwrap_or_default();
        match &record.value {
            Some(value) => {
                configs.insert(record.name.to_string(), value.to_string());
            }
            None => {
                configs.remove(record.name.as_str());
            }
        }
        if configs.is_empty() {
            self.configs.remove_mut(&key);
        } else {
            self.configs.insert_mut(key.clone(), Arc::new(configs));
        }
        delta.configs.push(key);
    }

    fn apply_register_broker(&mut self, record: &RegisterBrokerRecord) {
        let endpoint =
            |endpoint: &protocol::record_schemas::metadata::register_broker_record::BrokerEndpoint| {
                Endpoint {
                    listener: endpoint.name.to_string(),
                    host: endpoint.host.to_string(),
                    port: endpoint.port,
                    security_protocol: endpoint.security_protocol,
                }
            };
        let broker = BrokerImage {
            id: BrokerId(record.broker_id),
            incarnation_id: record.incarnation_id,
            epoch: record.broker_epoch,
            endpoints: record.end_points.iter().map(endpoint).collect(),
            rack: record.rack.as_ref().map(ToString::to_string),
            fenced: record.fenced,
            in_controlled_shutdown: record.in_controlled_shutdown,
            log_dirs: record.log_dirs.clone(),
            registration: Arc::new(RegisterBrokerRecord {
                fenced: false,
                in_controlled_shutdown: false,
                log_dirs: Vec::new(),
                cordoned_log_dirs: None,
                ..record.clone()
            }),
            cordoned_log_dirs: record.cordoned_log_dirs.clone(),
        };
        Arc::make_mut(&mut self.brokers).insert(record.broker_id, broker);
    }

    fn apply_broker_change(&mut self, record: &BrokerRegistrationChangeRecord) {
        let Some(broker) = Arc::make_mut(&mut self.brokers).get_mut(&record.broker_id) else {
            return;
        };
        match record.fenced {
            -1 => broker.fenced = false,
            1 => broker.fenced = true,
            _ => {}
        }
        broker.in_controlled_shutdown |= record.in_controlled_shutdown == 1;
        if !record.log_dirs.is_empty() {
            broker.log_dirs.clone_from(&record.log_dirs);
        }
        if record.cordoned_log_dirs.is_some() {
            broker.cordoned_log_dirs.clone_from(&record.cordoned_log_dirs);
        }
    }
}

fn partition_image(record: &PartitionRecord, shared: &mut Shared) -> PartitionImage {
    let rare = Rare {
        eligible_leader_replicas: list(record.eligible_leader_replicas.as_deref()),
        last_known_elr: list(record.last_known_elr.as_deref()),
        adding_replicas: list(Some(&record.adding_replicas)),
        removing_replicas: list(Some(&record.removing_replicas)),
        leader_recovery_state: record.leader_recovery_state,
    };
    let in_sync = if record.isr == record.replicas {
        None
    } else {
        Some(brokers(&record.isr).collect())
    };
    PartitionImage {
        replicas: brokers(&record.replicas).collect(),
        in_sync,
        directories: shared.list(&record.directories),
        rare: (rare != Rare::default()).then(|| Box::new(rare)),
        leader: BrokerId(record.leader),
        leader_epoch: LeaderEpoch(record.leader_epoch),
        partition_epoch: record.partition_epoch,
    }
}

/// None if the in-sync replicas are all replicas in their order.
fn unless_all(in_sync: Vec<BrokerId>, replicas: &[BrokerId]) -> Option<Box<[BrokerId]>> {
    (in_sync != replicas).then(|| in_sync.into_boxed_slice())
}

/// Changes what few partitions have, and drops it where nothing is left.
fn change_rare(partition: &mut PartitionImage, change: impl FnOnce(&mut Rare)) {
    let mut rare = partition.rare.take().unwrap_or_default();
    change(&mut rare);
    partition.rare = (*rare != Rare::default()).then_some(rare);
}

/// An absent list leaves what is there; so does a recovery state of -1.
fn change_rare_fields(rare: &mut Rare, record: &PartitionChangeRecord) {
    let put = |list: &mut Vec<BrokerId>, ids: &Option<Vec<i32>>| {
        if let Some(ids) = ids {
            *list = brokers(ids).collect();
        }
    };
    put(
        &mut rare.eligible_leader_replicas,
        &record.eligible_leader_replicas,
    );
    put(&mut rare.last_known_elr, &record.last_known_elr);
    put(&mut rare.adding_replicas, &record.adding_replicas);
    put(&mut rare.removing_replicas, &record.removing_replicas);
    if 0 <= record.leader_recovery_state {
        rare.leader_recovery_state = record.leader_recovery_state;
    }
}

fn list(ids: Option<&[i32]>) -> Vec<BrokerId> {
    brokers(ids.unwrap_or(&[])).collect()
}

fn brokers(ids: &[i32]) -> impl Iterator<Item = BrokerId> + use<'_> {
    ids.iter().map(|id| BrokerId(*id))
}
