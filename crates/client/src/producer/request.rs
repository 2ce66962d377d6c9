//! Produce requests out of batches, and what their answers say of each batch.

use std::ops::RangeInclusive;

use protocol::messages::produce_request::{PartitionProduceData, ProduceRequest, TopicProduceData};
use protocol::messages::produce_response::{PartitionProduceResponse, ProduceResponse};
use record::Codec;
use types::{BrokerId, LeaderEpoch};

use super::ProducerConfig;
use super::accumulator::{Item, TopicName};
use super::record::Landed;
use crate::metadata::Broker;
use crate::{Error, Result};

/// From this version on topics go by id.
const BY_ID_FROM: i16 = 13;
/// Codec zstd needs this.
const ZSTD_FROM: i16 = 7;

/// A request's batches, each with its topic.
pub(super) type Batches = Vec<(TopicName, Item)>;

/// The versions that can say what is to be said.
pub(super) fn versions(config: &ProducerConfig, batches: &Batches) -> RangeInclusive<i16> {
    let lowest = if config.codec == Codec::Zstd { ZSTD_FROM } else { 3 };
    let all_have_ids = batches.iter().all(|(topic, _)| !topic.id.is_zero());
    lowest..=if all_have_ids { BY_ID_FROM } else { BY_ID_FROM - 1 }
}

pub(super) fn build(
    config: &ProducerConfig,
    timeout_ms: i32,
    version: i16,
    batches: &Batches,
) -> ProduceRequest {
    let by_id = BY_ID_FROM <= version;
    let mut topics: Vec<(usize, TopicProduceData)> = Vec::new();
    for (name, item) in batches {
        let data = PartitionProduceData {
            index: item.partition as i32,
            records: Some(item.batch.bytes.clone().into()),
            ..PartitionProduceData::default()
        };
        if let Some((_, topic)) = topics.iter_mut().find(|(place, _)| *place == item.topic) {
            topic.partition_data.push(data);
            continue;
        }
        let mut topic = TopicProduceData {
            partition_data: vec![data],
            ..TopicProduceData::default()
        };
        if by_id {
            topic.topic_id = name.id;
        } else {
            topic.name = (&*name.name).into();
        }
        topics.push((item.topic, topic));
    }
    ProduceRequest {
        acks: config.acks.code(),
        timeout_ms,
        topic_data: topics.into_iter().map(|(_, topic)| topic).collect(),
        ..ProduceRequest::default()
    }
}

/// A new leader that a refusal named (KIP-951).
pub(super) struct Hint {
    pub(super) leader: BrokerId,
    pub(super) epoch: LeaderEpoch,
    pub(super) endpoint: Option<Broker>,
}

/// What an answer says of a batch.
pub(super) fn outcome(
    answer: &ProduceResponse,
    topic: &TopicName,
    item: &Item,
) -> (Result<Landed>, Option<Hint>) {
    let what = || format!("{}-{}", topic.name, item.partition);
    let topics = answer.responses.iter().filter(|one| {
        if one.topic_id.is_zero() {
            one.name == *topic.name
        } else {
            one.topic_id == topic.id
        }
    });
    let mut partitions = topics.flat_map(|topic| &topic.partition_responses);
    let Some(one) = partitions.find(|one| one.index == item.partition as i32) else {
        let error = Error::Protocol {
            address: "the leader".into(),
            reason: format!("its answer leaves out {}", what()),
        };
        return (Err(error), None);
    };
    let message = one.error_message.clone().or_else(|| record_errors(one));
    match Error::check_with(one.error_code, message.as_ref(), what) {
        Ok(()) => {
            let landed = Landed {
                base_offset: (0 <= one.base_offset).then_some(one.base_offset),
                log_append_time: (0 <= one.log_append_time_ms).then_some(one.log_append_time_ms),
            };
            (Ok(landed), None)
        }
        Err(error) => (Err(error), hint(answer, one)),
    }
}

fn record_errors(one: &PartitionProduceResponse) -> Option<protocol::Str> {
    let first = one.record_errors.first()?;
    let words = first
        .batch_index_error_message
        .as_ref()
        .map_or("no reason given", |words| words.as_str());
    Some(format!("record {} of its batch: {words}", first.batch_index).into())
}

fn hint(answer: &ProduceResponse, one: &PartitionProduceResponse) -> Option<Hint> {
    let leader = BrokerId(one.current_leader.leader_id);
    if leader.0 < 0 {
        return None;
    }
    let endpoint = answer.node_endpoints.iter().find(|node| node.node_id == leader.0);
    let endpoint = endpoint.and_then(|node| {
        Some(Broker {
            id: leader,
            host: node.host.as_str().to_owned(),
            port: u16::try_from(node.port).ok()?,
            rack: node.rack.as_ref().map(|rack| rack.as_str().to_owned()),
        })
    });
    Some(Hint {
        leader,
        epoch: LeaderEpoch(one.current_leader.leader_epoch),
        endpoint,
    })
}
