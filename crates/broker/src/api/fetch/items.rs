//! The partitions of a fetch: asked for, found, and read.

use std::sync::Arc;

use protocol::Str;
use protocol::messages::fetch_request::view;
use storage::ReadOutcome;
use types::{ErrorCode, LeaderEpoch, Offset};

use super::answer::{Body, Row};
use super::{Items, TOPIC_ID_FROM, Terms, error_row};
use crate::Broker;
use crate::api::Call;
use crate::fetch_session::{Asked, Context, PartitionKey, TopicKey, Wanted};
use crate::partition::{Bounds, Partition};

/// One partition of a request, in the order of serving.
pub(super) struct Item {
    pub(super) key: PartitionKey,
    pub(super) wanted: Wanted,
    /// The partition, or what is wrong with the key.
    pub(super) partition: Result<Arc<Partition>, ErrorCode>,
}

/// Copies what the request says into the session's words.
pub(super) fn asked(call: &Call<'_>, request: &view::FetchRequest<'_>) -> Asked {
    let uses_ids = TOPIC_ID_FROM <= call.version();
    let mut asked = Asked {
        session_id: request.session_id,
        session_epoch: request.session_epoch,
        uses_ids,
        partitions: Default::default(),
        forgotten: Vec::new(),
    };
    for topic in request.topics.iter() {
        let name = if uses_ids {
            TopicKey::Id(topic.topic_id)
        } else {
            TopicKey::Name(name_of(call, topic.topic))
        };
        for partition in topic.partitions.iter() {
            let wanted = Wanted {
                fetch_offset: partition.fetch_offset,
                bytes_max: partition.partition_max_bytes,
                current_leader_epoch: partition.current_leader_epoch,
                last_fetched_epoch: partition.last_fetched_epoch,
                log_start_offset: partition.log_start_offset,
            };
            let key = PartitionKey {
                topic: name.clone(),
                partition: partition.partition,
            };
            asked.partitions.push((key, wanted));
        }
    }
    for topic in request.forgotten_topics_data.iter() {
        let name = if uses_ids {
            TopicKey::Id(topic.topic_id)
        } else {
            TopicKey::Name(name_of(call, topic.topic))
        };
        let key = |partition| PartitionKey {
            topic: name.clone(),
            partition,
        };
        asked.forgotten.extend(topic.partitions.iter().map(key));
    }
    asked
}

/// A name that outlives the request, whose frame must not be held while a fetch waits: of a topic that is here, the
/// topic's own.
fn name_of(call: &Call<'_>, name: &str) -> Str {
    let topic = call.broker.topics.by_name(name);
    topic.map_or_else(|| call.str(name), |topic| topic.wire_name.clone())
}

/// Finds the partitions that a context serves.
pub(super) fn resolve(broker: &Broker, context: &Context, asked: Asked) -> Items {
    let wanted = match context {
        Context::Sessionless | Context::Full(_) => asked.partitions,
        Context::Incremental(session) => session.lock().partitions(),
    };
    let item = |(key, wanted): (PartitionKey, Wanted)| {
        let partition = find(broker, &key);
        Item {
            key,
            wanted,
            partition,
        }
    };
    wanted.into_iter().map(item).collect()
}

fn find(broker: &Broker, key: &PartitionKey) -> Result<Arc<Partition>, ErrorCode> {
    let (topic, missing) = match &key.topic {
        TopicKey::Name(name) => (broker.topics.by_name(name), ErrorCode::UnknownTopicOrPartition),
        TopicKey::Id(id) => (broker.topics.by_id(*id), ErrorCode::UnknownTopicId),
    };
    let topic = topic.ok_or(missing)?;
    topic
        .partition(key.partition)
        .ok_or(ErrorCode::UnknownTopicOrPartition)
}

impl Item {
    /// Reads at most `left` bytes; more only for the first batch of the whole answer (trap 37).
    pub(super) fn read(&self, terms: &Terms, left: usize, at_least_one: bool) -> Row {
        let partition = match &self.partition {
            Ok(partition) => partition,
            Err(code) => return error_row(*code),
        };
        if partition.is_offline() {
            return error_row(ErrorCode::KafkaStorageError);
        }
        // This node has no followers: a replica that asks is not in the assignment.
        if 0 <= terms.replica {
            return error_row(ErrorCode::NotLeaderOrFollower);
        }
        if let Err(code) = partition.check_leader_epoch(self.wanted.current_leader_epoch) {
            return error_row(code);
        }
        let bounds = partition.bounds();
        match self.diverging(partition) {
            Ok(None) => {}
            Ok(Some((epoch, end))) => return Row::diverging(bounds, epoch, end),
            Err(code) => return error_row(code),
        }
        let from = Offset(self.wanted.fetch_offset);
        if let Err(code) = partition.check_fetch_offset(&bounds, from) {
            return error_row(code);
        }
        self.read_records(partition, bounds, terms, left, at_least_one)
    }

    fn read_records(
        &self,
        partition: &Arc<Partition>,
        bounds: Bounds,
        terms: &Terms,
        left: usize,
        at_least_one: bool,
    ) -> Row {
        let from = Offset(self.wanted.fetch_offset);
        let limit = bounds.limit(terms.isolation);
        let bytes_max = left.min(usize::try_from(self.wanted.bytes_max).unwrap_or(0));
        let mut row = Row::quiet(bounds, partition.clone(), from);
        if limit <= from || (bytes_max == 0 && !at_least_one) {
            return row;
        }
        match partition.read(from, limit, bytes_max, at_least_one) {
            Ok(ReadOutcome::Ready(slices)) => row.body = Body::Ready(slices),
            Ok(ReadOutcome::Cold(cold)) => row.body = Body::Cold(cold),
            Err(code) => return error_row(code),
        }
        row
    }

    /// Compares the reader's last epoch with the log's history (KIP-595, trap 46): where they part, if they do.
    fn diverging(&self, partition: &Partition) -> Result<Option<(LeaderEpoch, Offset)>, ErrorCode> {
        let last_fetched = self.wanted.last_fetched_epoch;
        if last_fetched < 0 {
            return Ok(None);
        }
        let (epoch, end) = partition.log().end_offset_for_epoch(LeaderEpoch(last_fetched));
        if epoch == LeaderEpoch::NONE || end.0 < 0 {
            // Newer than anything known here (trap 107).
            return Err(ErrorCode::OffsetOutOfRange);
        }
        let parts = epoch.0 < last_fetched || end.0 < self.wanted.fetch_offset;
        Ok(parts.then_some((epoch, end)))
    }
}
