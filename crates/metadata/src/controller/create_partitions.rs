//! CreatePartitions: topics grow (Kafka's `ReplicationControlManager.createPartitions`).
//!
//! All of a topic's new partitions or none; Kafka gives up at 10,000 in the middle of it (trap 112).

use std::collections::{HashMap, HashSet};

use protocol::MetadataRecord;
use protocol::messages::create_partitions_request::{
    CreatePartitionsAssignment, CreatePartitionsRequest, CreatePartitionsTopic,
};
use protocol::messages::create_partitions_response::{CreatePartitionsResponse, CreatePartitionsTopicResult};
use protocol::record_schemas::metadata::partition_record::PartitionRecord;
use types::{ErrorCode, Uuid};

use super::{Decision, OnlyNode};
use crate::{MetadataImage, TopicImage};

/// A request may add this many partitions in all: more would keep the controller from others for too long.
const PARTITIONS_PER_REQUEST_MAX: usize = 100_000;

type Refusal = (ErrorCode, String);

pub fn create_partitions(
    image: &MetadataImage,
    request: &CreatePartitionsRequest,
    node: OnlyNode,
) -> Decision<CreatePartitionsResponse> {
    let mut times: HashMap<&str, usize> = HashMap::new();
    for topic in &request.topics {
        *times.entry(topic.name.as_str()).or_default() += 1;
    }
    let mut told = HashSet::new();
    let mut decision = Decision {
        records: Vec::new(),
        response: CreatePartitionsResponse::default(),
    };
    for topic in &request.topics {
        // A name that comes twice is refused, and told so once.
        if !told.insert(topic.name.as_str()) {
            continue;
        }
        let once = times.get(topic.name.as_str()) == Some(&1);
        let left = PARTITIONS_PER_REQUEST_MAX - decision.records.len();
        let grown = if once {
            grow(image, topic, node, left)
        } else {
            Err((
                ErrorCode::InvalidRequest,
                "the request names the topic more than once".to_owned(),
            ))
        };
        let mut result = CreatePartitionsTopicResult {
            name: topic.name.clone(),
            ..Default::default()
        };
        match grown {
            Ok(records) => decision.records.extend(records),
            Err((code, message)) => {
                result.error_code = code.code();
                result.error_message = Some(message.into());
            }
        }
        decision.response.results.push(result);
    }
    if request.validate_only {
        decision.records.clear();
    }
    decision
}

fn grow(
    image: &MetadataImage,
    wanted: &CreatePartitionsTopic,
    node: OnlyNode,
    left: usize,
) -> Result<Vec<MetadataRecord>, Refusal> {
    let missing = || {
        (
            ErrorCode::UnknownTopicOrPartition,
            "the topic does not exist".to_owned(),
        )
    };
    let topic = image.topic_by_name(&wanted.name).ok_or_else(missing)?;
    let there = topic.partitions.len();
    let more = usize::try_from(wanted.count)
        .ok()
        .and_then(|count| count.checked_sub(there))
        .filter(|more| 0 < *more)
        .ok_or_else(|| {
            let message = format!("the topic has {there} partitions, {} is no growth", wanted.count);
            (ErrorCode::InvalidPartitions, message)
        })?;
    if let Some(assignments) = &wanted.assignments {
        check_assignments(topic, assignments, more, node)?;
    }
    if left < more {
        let message = format!("a request may add at most {PARTITIONS_PER_REQUEST_MAX} partitions");
        return Err((ErrorCode::PolicyViolation, message));
    }
    let indexes = (0..).zip(0..there + more).skip(there).map(|(index, _)| index);
    Ok(indexes.map(|index| record(topic.id, index, node)).collect())
}

fn check_assignments(
    topic: &TopicImage,
    assignments: &[CreatePartitionsAssignment],
    more: usize,
    node: OnlyNode,
) -> Result<(), Refusal> {
    let refused = |message: String| Err((ErrorCode::InvalidReplicaAssignment, message));
    if assignments.len() != more {
        return refused(format!(
            "{more} partitions are to be added, and {} are assigned",
            assignments.len()
        ));
    }
    let factor = topic
        .partitions
        .first()
        .map_or(1, |partition| partition.replicas().len());
    for assignment in assignments {
        let brokers = &assignment.broker_ids;
        if brokers.is_empty() {
            return refused("a partition is assigned to no broker".to_owned());
        }
        if let Some(stranger) = brokers.iter().find(|broker| **broker != node.id.0) {
            return refused(format!("broker {stranger} is not known"));
        }
        let distinct: HashSet<&i32> = brokers.iter().collect();
        if distinct.len() != brokers.len() {
            return refused("a partition is assigned to one broker twice".to_owned());
        }
        if brokers.len() != factor {
            return refused(format!(
                "a partition is assigned to {} brokers, the topic's others to {factor}",
                brokers.len()
            ));
        }
    }
    Ok(())
}

/// A new partition with this node as its only replica.
pub(super) fn record(topic_id: Uuid, index: i32, node: OnlyNode) -> MetadataRecord {
    PartitionRecord {
        partition_id: index,
        topic_id,
        replicas: vec![node.id.0],
        isr: vec![node.id.0],
        leader: node.id.0,
        leader_epoch: 0,
        partition_epoch: 0,
        directories: vec![node.directory_id],
        ..Default::default()
    }
    .into()
}
