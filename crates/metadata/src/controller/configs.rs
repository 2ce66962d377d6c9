//! What requests alter of settings: each resource of a request on its own (Kafka's `ConfigAdminManager` and
//! `ConfigurationControlManager`). AlterConfigs and IncrementalAlterConfigs are two ways to say it.
//!
//! Loggers are no metadata and never come here.

use std::collections::{BTreeMap, HashMap, HashSet};

use protocol::record_schemas::metadata::config_record::ConfigRecord;
use protocol::{MetadataRecord, Str};
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

/// What a request says of one resource.
#[derive(Debug, Clone)]
pub struct Alteration {
    /// Kafka's code of the kind of resource, as it came.
    pub kind: i8,
    pub name: Str,
    pub changes: Changes,
}

/// How it says it.
#[derive(Debug, Clone)]
pub enum Changes {
    /// One by one (IncrementalAlterConfigs).
    Each(Vec<Change>),
    /// Everything that is to be said of the resource from now on; what is not named goes (AlterConfigs).
    Whole(Vec<(Str, Option<Str>)>),
}

/// One change of one setting.
#[derive(Debug, Clone)]
pub struct Change {
    pub name: Str,
    /// Kafka's code of the operation, as it came.
    pub operation: i8,
    pub value: Option<Str>,
}

/// What became of an [`Alteration`].
#[derive(Debug, Clone)]
pub struct Altered {
    pub kind: i8,
    pub name: Str,
    pub outcome: Result<(), Refusal>,
}

/// A resource that a request may alter.
struct Target {
    kind: ResourceKind,
    /// As the metadata has it: a broker's number is written in one way.
    name: String,
}

/// Decides a request, resource by resource, in its order. With `validate_only` nothing is written.
pub fn alter_configs(
    image: &MetadataImage,
    alterations: &[Alteration],
    validate_only: bool,
    context: &AlterConfigs<'_>,
) -> Decision<Vec<Altered>> {
    let mut records = Vec::new();
    let key = |alteration: &Alteration| (alteration.kind, alteration.name.to_string());
    let doubled = doubled(alterations.iter().map(key));
    let mut alter = |alteration: &Alteration| {
        let decided =
            refuse_doubled(&doubled, &key(alteration)).and_then(|()| decide(image, alteration, context));
        Altered {
            kind: alteration.kind,
            name: alteration.name.clone(),
            outcome: decided.map(|new| records.extend(new)),
        }
    };
    let response = alterations.iter().map(&mut alter).collect();
    if validate_only {
        records.clear();
    }
    Decision { records, response }
}

type Key = (i8, String);

/// What is said of settings from now on; none takes one back.
type Said = BTreeMap<String, Option<String>>;

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

fn decide(
    image: &MetadataImage,
    alteration: &Alteration,
    context: &AlterConfigs<'_>,
) -> Result<Vec<MetadataRecord>, Refusal> {
    alteration.changes.check()?;
    let target = target(alteration.kind, &alteration.name, context)?;
    let before = image.configs(target.kind, &target.name);
    let changes = match &alteration.changes {
        Changes::Each(changes) => increment(&target, changes, &before, context)?,
        Changes::Whole(values) => replace(values, &before),
    };
    write(image, &target, &before, changes, context)
}

impl Changes {
    /// No setting twice, none without the value that it needs.
    fn check(&self) -> Result<(), Refusal> {
        match self {
            Changes::Each(changes) => {
                refuse_repeated(changes.iter().map(|change| change.name.as_str()))?;
                let is_null = |change: &&Change| {
                    change.value.is_none()
                        && Operation::from_code(change.operation) != Some(Operation::Delete)
                };
                let nulls = changes.iter().filter(is_null);
                refuse_nulls(nulls.map(|change| change.name.as_str()))
            }
            Changes::Whole(values) => {
                refuse_repeated(values.iter().map(|(name, _)| name.as_str()))?;
                let nulls = values.iter().filter(|(_, value)| value.is_none());
                refuse_nulls(nulls.map(|(name, _)| name.as_str()))
            }
        }
    }
}

fn increment(
    target: &Target,
    changes: &[Change],
    before: &Configs,
    context: &AlterConfigs<'_>,
) -> Result<Said, Refusal> {
    let mut said = Said::new();
    for change in changes {
        let name = change.name.to_string();
        let value = operate(target, change, before.get(&name), context)?;
        said.insert(name, value);
    }
    Ok(said)
}

/// What is not named goes.
fn replace(values: &[(Str, Option<Str>)], before: &Configs) -> Said {
    let mut said: Said = before.keys().map(|name| (name.clone(), None)).collect();
    for (name, value) in values {
        said.insert(name.to_string(), value.as_ref().map(ToString::to_string));
    }
    said
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
    change: &Change,
    before: Option<&String>,
    context: &AlterConfigs<'_>,
) -> Result<Option<String>, Refusal> {
    let code = change.operation;
    let operation = Operation::from_code(code)
        .ok_or_else(|| request(format!("operation {code} on {} is not known", change.name)))?;
    let said = change.value.as_deref().unwrap_or_default();
    match operation {
        Operation::Set => return Ok(Some(said.to_owned())),
        Operation::Delete => return Ok(None),
        Operation::Append | Operation::Subtract => {}
    }
    let default = context
        .rules
        .list_default(target.kind, &change.name)
        .ok_or_else(|| {
            let message = format!(
                "{} is not a list: nothing can be added or taken away",
                change.name
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
fn write(
    image: &MetadataImage,
    target: &Target,
    before: &Configs,
    changes: Said,
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
