//! AlterConfigs and IncrementalAlterConfigs: each resource of a request on its own (Kafka's `ConfigAdminManager` and
//! `ConfigurationControlManager`).
//!
//! Loggers are no metadata and never come here.

use std::collections::{BTreeMap, HashMap, HashSet};

use protocol::MetadataRecord;
use protocol::messages::alter_configs_request::{
    AlterConfigsRequest, AlterConfigsResource as LegacyResource,
};
use protocol::messages::alter_configs_response::{AlterConfigsResourceResponse, AlterConfigsResponse};
use protocol::messages::incremental_alter_configs_request::{
    AlterConfigsResource, AlterableConfig, IncrementalAlterConfigsRequest,
};
use protocol::messages::incremental_alter_configs_response::{
    AlterConfigsResourceResponse as IncrementalResponse, IncrementalAlterConfigsResponse,
};
use protocol::record_schemas::metadata::config_record::ConfigRecord;
use types::{BrokerId, ErrorCode, TopicName};

use super::Decision;
use crate::{Configs, MetadataImage, ResourceKind};

/// What is known of configs.
pub trait ConfigRules {
    /// Why a resource cannot be told all of this, if it cannot.
    fn check(&self, kind: ResourceKind, name: &str, said: &Configs) -> Result<(), Refusal>;

    /// The default of a setting that is a list; none if it is no list.
    fn list_default(&self, kind: ResourceKind, key: &str) -> Option<&'static str>;
}

pub type Refusal = (ErrorCode, String);

/// What a decision needs beside the request.
pub struct AlterConfigs<'a> {
    /// The broker that was asked: settings of another are refused.
    pub broker: BrokerId,
    pub rules: &'a dyn ConfigRules,
}

/// Cannot be altered for one broker, nor taken back for all: the floor of the in-sync replicas is the cluster's, as in
/// Kafka from 4.1 on (KIP-966).
const FLOOR: &str = "min.insync.replicas";

/// `AlterConfigOp.OpType`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operation {
    Set,
    Delete,
    Append,
    Subtract,
}

impl Operation {
    fn from_code(code: i8) -> Option<Operation> {
        use Operation::*;
        [Set, Delete, Append, Subtract]
            .get(usize::try_from(code).ok()?)
            .copied()
    }
}

/// A resource that a request may alter.
struct Target {
    kind: ResourceKind,
    /// As the metadata has it: a broker's number is written in one way.
    name: String,
}

pub fn incremental_alter_configs(
    image: &MetadataImage,
    request: &IncrementalAlterConfigsRequest,
    context: &AlterConfigs<'_>,
) -> Decision<IncrementalAlterConfigsResponse> {
    let mut records = Vec::new();
    let key = |resource: &AlterConfigsResource| (resource.resource_type, resource.resource_name.to_string());
    let doubled = doubled(request.resources.iter().map(key));
    let mut alter = |resource: &AlterConfigsResource| {
        let outcome =
            refuse_doubled(&doubled, &key(resource)).and_then(|()| increment(image, resource, context));
        let (code, message) = split(outcome, &mut records);
        IncrementalResponse {
            error_code: code.code(),
            error_message: message.map(Into::into),
            resource_type: resource.resource_type,
            resource_name: resource.resource_name.clone(),
            ..Default::default()
        }
    };
    let responses = request.resources.iter().map(&mut alter).collect();
    Decision {
        records: if request.validate_only {
            Vec::new()
        } else {
            records
        },
        response: IncrementalAlterConfigsResponse {
            responses,
            ..Default::default()
        },
    }
}

/// Replaces everything that was said of each resource (the older request).
pub fn alter_configs(
    image: &MetadataImage,
    request: &AlterConfigsRequest,
    context: &AlterConfigs<'_>,
) -> Decision<AlterConfigsResponse> {
    let mut records = Vec::new();
    let key = |resource: &LegacyResource| (resource.resource_type, resource.resource_name.to_string());
    let doubled = doubled(request.resources.iter().map(key));
    let mut alter = |resource: &LegacyResource| {
        let outcome =
            refuse_doubled(&doubled, &key(resource)).and_then(|()| replace(image, resource, context));
        let (code, message) = split(outcome, &mut records);
        AlterConfigsResourceResponse {
            error_code: code.code(),
            error_message: message.map(Into::into),
            resource_type: resource.resource_type,
            resource_name: resource.resource_name.clone(),
            ..Default::default()
        }
    };
    let responses = request.resources.iter().map(&mut alter).collect();
    Decision {
        records: if request.validate_only {
            Vec::new()
        } else {
            records
        },
        response: AlterConfigsResponse {
            responses,
            ..Default::default()
        },
    }
}

fn split(
    outcome: Result<Vec<MetadataRecord>, Refusal>,
    records: &mut Vec<MetadataRecord>,
) -> (ErrorCode, Option<String>) {
    match outcome {
        Ok(new) => {
            records.extend(new);
            (ErrorCode::None, None)
        }
        Err((code, message)) => (code, Some(message)),
    }
}

type Key = (i8, String);

/// The resources that a request names more than once: all their entries are refused.
fn doubled(keys: impl Iterator<Item = Key>) -> HashSet<Key> {
    let mut times: HashMap<Key, usize> = HashMap::new();
    keys.for_each(|key| *times.entry(key).or_default() += 1);
    times
        .into_iter()
        .filter(|(_, times)| 1 < *times)
        .map(|(key, _)| key)
        .collect()
}

fn refuse_doubled(doubled: &HashSet<Key>, key: &Key) -> Result<(), Refusal> {
    if doubled.contains(key) {
        return Err(request(
            "the request names the resource more than once".to_owned(),
        ));
    }
    Ok(())
}

fn request(message: String) -> Refusal {
    (ErrorCode::InvalidRequest, message)
}

fn increment(
    image: &MetadataImage,
    resource: &AlterConfigsResource,
    context: &AlterConfigs<'_>,
) -> Result<Vec<MetadataRecord>, Refusal> {
    refuse_repeated(resource.configs.iter().map(|config| config.name.as_str()))?;
    let is_null = |config: &&AlterableConfig| {
        config.value.is_none() && Operation::from_code(config.config_operation) != Some(Operation::Delete)
    };
    refuse_nulls(
        resource
            .configs
            .iter()
            .filter(is_null)
            .map(|config| config.name.as_str()),
    )?;
    let target = target(resource.resource_type, &resource.resource_name, context)?;
    let before = image.configs(target.kind, &target.name);
    let mut changes = BTreeMap::new();
    for config in &resource.configs {
        let name = config.name.to_string();
        let value = operate(&target, config, before.get(&name), context)?;
        changes.insert(name, value);
    }
    decide(image, &target, &before, changes, context)
}

fn replace(
    image: &MetadataImage,
    resource: &LegacyResource,
    context: &AlterConfigs<'_>,
) -> Result<Vec<MetadataRecord>, Refusal> {
    refuse_repeated(resource.configs.iter().map(|config| config.name.as_str()))?;
    let nulls = resource.configs.iter().filter(|config| config.value.is_none());
    refuse_nulls(nulls.map(|config| config.name.as_str()))?;
    let target = target(resource.resource_type, &resource.resource_name, context)?;
    let before = image.configs(target.kind, &target.name);
    // What is not named goes.
    let mut changes: BTreeMap<String, Option<String>> =
        before.keys().map(|name| (name.clone(), None)).collect();
    for config in &resource.configs {
        changes.insert(
            config.name.to_string(),
            config.value.as_ref().map(ToString::to_string),
        );
    }
    decide(image, &target, &before, changes, context)
}

fn refuse_repeated<'a>(names: impl Iterator<Item = &'a str>) -> Result<(), Refusal> {
    let mut seen = HashSet::new();
    for name in names {
        if !seen.insert(name) {
            return Err(request(format!("the setting {name} is named more than once")));
        }
    }
    Ok(())
}

fn refuse_nulls<'a>(names: impl Iterator<Item = &'a str>) -> Result<(), Refusal> {
    let names: Vec<&str> = names.collect();
    if names.is_empty() {
        return Ok(());
    }
    Err(request(format!("no value is given for {}", names.join(", "))))
}

fn target(code: i8, name: &str, context: &AlterConfigs<'_>) -> Result<Target, Refusal> {
    let kind = match ResourceKind::from_code(code) {
        None | Some(ResourceKind::BrokerLogger) => {
            return Err(request(format!("resource type {code} cannot be altered")));
        }
        Some(kind) => kind,
    };
    let mut name = name.to_owned();
    match kind {
        ResourceKind::Broker if !name.is_empty() => {
            let number: i32 = name
                .parse()
                .map_err(|_| request(format!("\"{name}\" is not the number of a broker")))?;
            if number != context.broker.0 {
                return Err(request(format!(
                    "this is broker {}, not {number}",
                    context.broker
                )));
            }
            name = number.to_string();
        }
        ResourceKind::Topic if name.is_empty() => {
            return Err(request(
                "settings of all topics are settings of brokers".to_owned(),
            ));
        }
        ResourceKind::Topic => {
            TopicName::new(&name).map_err(|error| (ErrorCode::InvalidTopicException, error.to_string()))?;
        }
        ResourceKind::Group if name.is_empty() => {
            return Err(request(
                "settings of all groups are settings of brokers".to_owned(),
            ));
        }
        _ => {}
    }
    Ok(Target { kind, name })
}

/// What a setting is after the operation; none if it is not said any more.
fn operate(
    target: &Target,
    config: &AlterableConfig,
    before: Option<&String>,
    context: &AlterConfigs<'_>,
) -> Result<Option<String>, Refusal> {
    let code = config.config_operation;
    let operation = Operation::from_code(code)
        .ok_or_else(|| request(format!("operation {code} on {} is not known", config.name)))?;
    let said = config.value.as_deref().unwrap_or_default();
    match operation {
        Operation::Set => return Ok(Some(said.to_owned())),
        Operation::Delete => return Ok(None),
        Operation::Append | Operation::Subtract => {}
    }
    let default = context
        .rules
        .list_default(target.kind, &config.name)
        .ok_or_else(|| {
            let message = format!(
                "{} is not a list: nothing can be added or taken away",
                config.name
            );
            (ErrorCode::InvalidConfig, message)
        })?;
    let list = before.map_or(default, String::as_str);
    let mut words: Vec<&str> = list.split(',').filter(|word| !word.is_empty()).collect();
    for word in said.split(',') {
        if operation == Operation::Subtract {
            words.retain(|known| *known != word);
        } else if !words.contains(&word) {
            words.push(word);
        }
    }
    Ok(Some(words.join(",")))
}

/// Checks everything that would be said of the resource and gives the records of what changes.
fn decide(
    image: &MetadataImage,
    target: &Target,
    before: &Configs,
    changes: BTreeMap<String, Option<String>>,
    context: &AlterConfigs<'_>,
) -> Result<Vec<MetadataRecord>, Refusal> {
    let mut after = before.clone();
    for (name, value) in &changes {
        match value {
            Some(value) => after.insert(name.clone(), value.clone()),
            None => after.remove(name),
        };
    }
    context.rules.check(target.kind, &target.name, &after)?;
    if let Some(change) = changes.get(FLOOR) {
        keep_the_floor(target, change.as_ref())?;
    }
    if target.kind == ResourceKind::Topic && image.topic_by_name(&target.name).is_none() {
        return Err((
            ErrorCode::UnknownTopicOrPartition,
            format!("the topic {} does not exist", target.name),
        ));
    }
    // A broker may read its files again for a value that is the same (KAFKA-14136).
    let is_news = |name: &String, value: &Option<String>| {
        target.kind == ResourceKind::Broker || before.get(name) != value.as_ref()
    };
    let record = |(name, value): (String, Option<String>)| {
        ConfigRecord {
            resource_type: target.kind as i8,
            resource_name: target.name.as_str().into(),
            name: name.into(),
            value: value.map(Into::into),
            ..Default::default()
        }
        .into()
    };
    let news = changes.into_iter().filter(|(name, value)| is_news(name, value));
    Ok(news.map(record).collect())
}

fn keep_the_floor(target: &Target, value: Option<&String>) -> Result<(), Refusal> {
    if target.kind != ResourceKind::Broker {
        return Ok(());
    }
    let refused = |message: &str| Err((ErrorCode::InvalidConfig, format!("{FLOOR} {message}")));
    match (target.name.is_empty(), value) {
        (false, _) => refused("is said of all brokers or of topics, not of one broker"),
        (true, None) => refused("of all brokers can change, and not be taken back"),
        (true, Some(_)) => Ok(()),
    }
}
