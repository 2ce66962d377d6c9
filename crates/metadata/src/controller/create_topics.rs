//! CreateTopics: every topic of a request on its own, valid ones next to refused ones (trap 94; Kafka's
//! `ReplicationControlManager.createTopics`).

use std::collections::{BTreeMap, HashMap};

use protocol::MetadataRecord;
use protocol::messages::create_topics_request::{CreatableTopic, CreateTopicsRequest};
use protocol::messages::create_topics_response::{
    CreatableTopicConfigs, CreatableTopicResult, CreateTopicsResponse,
};
use protocol::record_schemas::metadata::config_record::ConfigRecord;
use protocol::record_schemas::metadata::topic_record::TopicRecord;
use types::{ErrorCode, TopicName, Uuid};

use super::{Decision, OnlyNode, create_partitions};
use crate::image::fold;
use crate::{MetadataImage, ResourceKind};

/// A request may create this many partitions in all (trap 112).
const PARTITIONS_PER_REQUEST_MAX: i64 = 10_000;

/// What is known of topic configs.
pub trait TopicConfigRules {
    /// Why these overrides are not allowed, if they are not.
    fn check(&self, overrides: &BTreeMap<String, String>) -> Result<(), String>;

    /// All configs of a topic with these overrides, for the response.
    fn describe(&self, overrides: &BTreeMap<String, String>) -> Vec<CreatableTopicConfigs>;
}

/// What a decision needs beside the request.
pub struct CreateTopics<'a> {
    pub node: OnlyNode,
    pub default_partitions: i32,
    pub default_replication_factor: i16,
    pub rules: &'a dyn TopicConfigRules,
}

type Refusal = (ErrorCode, String);

pub fn create_topics(
    image: &MetadataImage,
    request: &CreateTopicsRequest,
    context: &CreateTopics<'_>,
    mut fresh_id: impl FnMut() -> Uuid,
) -> Decision<CreateTopicsResponse> {
    let mut decision = Decision {
        records: Vec::new(),
        response: CreateTopicsResponse::default(),
    };
    let mut partitions_left = PARTITIONS_PER_REQUEST_MAX;
    let mut chosen: HashMap<String, TopicName> = HashMap::new();
    let mut named: HashMap<&str, usize> = HashMap::new();
    for topic in &request.topics {
        *named.entry(topic.name.as_str()).or_default() += 1;
    }
    for topic in &request.topics {
        // A name that comes twice is answered once.
        let Some(times) = named.remove(topic.name.as_str()) else {
            continue;
        };
        let doubled = 1 < times;
        let outcome = if doubled {
            Err((
                ErrorCode::InvalidRequest,
                "the topic is named twice in the request".to_owned(),
            ))
        } else {
            create_topic(image, topic, context, &chosen, &mut partitions_left)
        };
        let mut result = CreatableTopicResult {
            name: topic.name.clone(),
            ..Default::default()
        };
        match outcome {
            Ok(plan) => {
                chosen.extend(fold(&plan.name).map(|folded| (folded, plan.name.clone())));
                let id = fresh_id();
                result.topic_id = if request.validate_only { Uuid::ZERO } else { id };
                result.num_partitions = plan.partitions;
                result.replication_factor = plan.replication_factor;
                result.configs = Some(context.rules.describe(&plan.overrides));
                if !request.validate_only {
                    decision.records.extend(records(&plan, id, context.node));
                }
            }
            Err((code, message)) => {
                result.error_code = code.code();
                result.error_message = Some(message.into());
            }
        }
        decision.response.topics.push(result);
    }
    decision
}

struct Plan {
    name: TopicName,
    partitions: i32,
    replication_factor: i16,
    overrides: BTreeMap<String, String>,
}

fn create_topic(
    image: &MetadataImage,
    topic: &CreatableTopic,
    context: &CreateTopics<'_>,
    chosen: &HashMap<String, TopicName>,
    partitions_left: &mut i64,
) -> Result<Plan, Refusal> {
    let name =
        TopicName::new(&topic.name).map_err(|error| (ErrorCode::InvalidTopicException, error.to_string()))?;
    if image.topic_by_name(&name).is_some() {
        return Err((
            ErrorCode::TopicAlreadyExists,
            format!("Topic '{name}' already exists."),
        ));
    }
    let earlier = fold(&name)
        .and_then(|folded| chosen.get(&folded))
        .map(TopicName::as_str);
    if let Some(other) = image.colliding(&name).or(earlier) {
        let message = format!("Topic '{name}' collides with existing topic: {other}");
        return Err((ErrorCode::InvalidTopicException, message));
    }
    let (partitions, replication_factor) = match topic.assignments.is_empty() {
        true => counts(topic, context)?,
        false => assigned(topic, context.node)?,
    };
    *partitions_left -= i64::from(partitions);
    if *partitions_left < 0 {
        let message = format!("a request may create at most {PARTITIONS_PER_REQUEST_MAX} partitions");
        return Err((ErrorCode::PolicyViolation, message));
    }
    let mut overrides = BTreeMap::new();
    for config in &topic.configs {
        let Some(value) = &config.value else {
            let message = format!(
                "the config {} is null, which only alterations may say",
                config.name
            );
            return Err((ErrorCode::InvalidConfig, message));
        };
        overrides.insert(config.name.to_string(), value.to_string());
    }
    context
        .rules
        .check(&overrides)
        .map_err(|message| (ErrorCode::InvalidConfig, message))?;
    Ok(Plan {
        name,
        partitions,
        replication_factor,
        overrides,
    })
}

/// Partitions and replicas by number; -1 asks for the broker's default.
fn counts(topic: &CreatableTopic, context: &CreateTopics<'_>) -> Result<(i32, i16), Refusal> {
    let partitions = if topic.num_partitions == -1 {
        context.default_partitions
    } else {
        topic.num_partitions
    };
    if partitions < 1 {
        let message = format!("the number of partitions is {partitions}, at least 1 is needed");
        return Err((ErrorCode::InvalidPartitions, message));
    }
    let factor = if topic.replication_factor == -1 {
        context.default_replication_factor
    } else {
        topic.replication_factor
    };
    if factor < 1 {
        let message = format!("the replication factor is {factor}, at least 1 is needed");
        return Err((ErrorCode::InvalidReplicationFactor, message));
    }
    if 1 < factor {
        let message = format!("the replication factor is {factor}, and the cluster has 1 broker");
        return Err((ErrorCode::InvalidReplicationFactor, message));
    }
    Ok((partitions, factor))
}

/// A manual assignment: consecutive partitions from 0, each on this node.
fn assigned(topic: &CreatableTopic, node: OnlyNode) -> Result<(i32, i16), Refusal> {
    if topic.num_partitions != -1 {
        let message = "partitions are given by number and by assignment";
        return Err((ErrorCode::InvalidRequest, message.to_owned()));
    }
    if topic.replication_factor != -1 {
        let message = "the replication factor is given and so is an assignment";
        return Err((ErrorCode::InvalidRequest, message.to_owned()));
    }
    let refused = |message: String| (ErrorCode::InvalidReplicaAssignment, message);
    let mut indexes: Vec<i32> = topic
        .assignments
        .iter()
        .map(|assignment| assignment.partition_index)
        .collect();
    indexes.sort_unstable();
    if indexes
        .iter()
        .enumerate()
        .any(|(at, index)| i32::try_from(at) != Ok(*index))
    {
        return Err(refused(
            "the assigned partitions are not 0, 1, 2 and so on".to_owned(),
        ));
    }
    for assignment in &topic.assignments {
        match assignment.broker_ids.as_slice() {
            [] => {
                return Err(refused(format!(
                    "partition {} has no replica",
                    assignment.partition_index
                )));
            }
            [only] if *only == node.id.0 => {}
            [only] => return Err(refused(format!("broker {only} is not known"))),
            _ => {
                return Err(refused(
                    "the assignment names a broker twice, or one that is not known".to_owned(),
                ));
            }
        }
    }
    Ok((i32::try_from(indexes.len()).unwrap_or(i32::MAX), 1))
}

fn records(plan: &Plan, id: Uuid, node: OnlyNode) -> Vec<MetadataRecord> {
    let name = plan.name.as_str();
    let mut records: Vec<MetadataRecord> = vec![
        TopicRecord {
            name: name.into(),
            topic_id: id,
            ..Default::default()
        }
        .into(),
    ];
    for (key, value) in &plan.overrides {
        let record = ConfigRecord {
            resource_type: ResourceKind::Topic as i8,
            resource_name: name.into(),
            name: key.as_str().into(),
            value: Some(value.as_str().into()),
            ..Default::default()
        };
        records.push(record.into());
    }
    records.extend((0..plan.partitions).map(|index| create_partitions::record(id, index, node)));
    records
}
