//! DescribeConfigs (key 32), v1-v4: topics, brokers and their loggers, groups, client metrics (trap 92).

use std::sync::Arc;

use config::{ConfigEntry, Dynamic};
use metadata::ResourceKind;
use net::Start;
use protocol::Str;
use protocol::messages::describe_configs_request::{DescribeConfigsRequest, DescribeConfigsResource};
use protocol::messages::describe_configs_response::{
    DescribeConfigsResourceResult, DescribeConfigsResponse, DescribeConfigsResult, DescribeConfigsSynonym,
};
use types::{ErrorCode, TopicName};

use super::{Call, Pending};
use crate::Broker;

/// Kafka's config sources that are only ever said of dynamic settings.
const DYNAMIC_DEFAULT: &str = "";

pub fn start(call: &mut Call<'_>) -> Start<Pending> {
    let request: DescribeConfigsRequest = match call.decode() {
        Ok(request) => request,
        Err(close) => return Start::Done(close),
    };
    let results = request
        .resources
        .iter()
        .map(|resource| describe(call.broker, resource, &request))
        .collect();
    let response = DescribeConfigsResponse {
        results,
        ..Default::default()
    };
    Start::Done(call.reply().send(&response))
}

fn describe(
    broker: &Arc<Broker>,
    resource: &DescribeConfigsResource,
    request: &DescribeConfigsRequest,
) -> DescribeConfigsResult {
    let mut result = DescribeConfigsResult {
        resource_type: resource.resource_type,
        resource_name: resource.resource_name.clone(),
        ..Default::default()
    };
    match entries(broker, resource) {
        Ok(mut entries) => {
            // A list of names asks for these alone; a null list for all.
            if let Some(keys) = resource
                .configuration_keys
                .as_ref()
                .filter(|keys| !keys.is_empty())
            {
                entries.retain(|entry| keys.iter().any(|key| *key == *entry.name));
            }
            result.configs = entries.into_iter().map(|entry| row(entry, request)).collect();
        }
        Err((code, message)) => {
            result.error_code = code.code();
            result.error_message = Some(message.into());
        }
    }
    result
}

type Refusal = (ErrorCode, String);

fn entries(broker: &Broker, resource: &DescribeConfigsResource) -> Result<Vec<ConfigEntry>, Refusal> {
    let name: &str = &resource.resource_name;
    let image = broker.image();
    let cluster = image.configs(ResourceKind::Broker, DYNAMIC_DEFAULT);
    let own = image.configs(ResourceKind::Broker, &broker.id().to_string());
    let dynamic = Dynamic {
        own: &own,
        cluster: &cluster,
    };
    match ResourceKind::from_code(resource.resource_type) {
        Some(ResourceKind::Topic) => {
            TopicName::new(name).map_err(|error| (ErrorCode::InvalidTopicException, error.to_string()))?;
            if image.topic_by_name(name).is_none() {
                return Err((
                    ErrorCode::UnknownTopicOrPartition,
                    "the topic does not exist".to_owned(),
                ));
            }
            let overrides = image.configs(ResourceKind::Topic, name);
            Ok(config::describe_topic(&overrides, dynamic, &broker.config))
        }
        Some(ResourceKind::Broker) if name.is_empty() => Ok(config::describe_defaults(&cluster)),
        Some(ResourceKind::Broker) => {
            check_own(broker, name)?;
            Ok(config::describe_broker(dynamic, &broker.config))
        }
        Some(ResourceKind::BrokerLogger) => {
            check_own(broker, name)?;
            Ok(loggers(broker))
        }
        Some(ResourceKind::ClientMetrics) if name.is_empty() => {
            let message = "a subscription has a name".to_owned();
            Err((ErrorCode::InvalidRequest, message))
        }
        Some(ResourceKind::ClientMetrics) => {
            let said = image.configs(ResourceKind::ClientMetrics, name);
            Ok(config::describe_client_metrics(&said))
        }
        Some(ResourceKind::Group) if name.is_empty() => {
            let message = "a group has a name".to_owned();
            Err((ErrorCode::InvalidRequest, message))
        }
        Some(ResourceKind::Group) => {
            let overrides = image.configs(ResourceKind::Group, name);
            Ok(config::describe_group(&overrides, dynamic, &broker.config))
        }
        None => {
            let message = format!("resource type {} is not served", resource.resource_type);
            Err((ErrorCode::InvalidRequest, message))
        }
    }
}

/// The level of each logger of this node.
fn loggers(broker: &Broker) -> Vec<ConfigEntry> {
    let row = |(name, level): (&str, crate::loggers::Level)| ConfigEntry {
        name: name.to_owned(),
        value: Some(level.name().to_owned()),
        source: config::ConfigSource::DynamicBrokerLogger,
        read_only: false,
        is_sensitive: false,
        kind: None,
        documentation: "",
        synonyms: Vec::new(),
    };
    broker.loggers.levels().into_iter().map(row).collect()
}

fn check_own(broker: &Broker, name: &str) -> Result<(), Refusal> {
    if name.parse() == Ok(broker.id().0) {
        return Ok(());
    }
    let message = format!("this is broker {}, not \"{name}\"", broker.id());
    Err((ErrorCode::InvalidRequest, message))
}

fn row(entry: ConfigEntry, request: &DescribeConfigsRequest) -> DescribeConfigsResourceResult {
    let synonym = |synonym: config::Synonym| DescribeConfigsSynonym {
        name: synonym.name.into(),
        value: synonym.value.map(Into::into),
        source: synonym.source as i8,
        ..Default::default()
    };
    let synonyms = if request.include_synonyms {
        entry.synonyms
    } else {
        Vec::new()
    };
    DescribeConfigsResourceResult {
        name: entry.name.into(),
        value: entry.value.map(Into::into),
        read_only: entry.read_only,
        config_source: entry.source as i8,
        is_sensitive: entry.is_sensitive,
        synonyms: synonyms.into_iter().map(synonym).collect(),
        config_type: entry.kind.map_or(0, config::Kind::code),
        documentation: request
            .include_documentation
            .then(|| Str::from_static(entry.documentation)),
        ..Default::default()
    }
}
