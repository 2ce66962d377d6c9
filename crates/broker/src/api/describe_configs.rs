//! DescribeConfigs (key 32), v1-v4, for topics and brokers (trap 92).

use std::collections::BTreeMap;
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
        Some(ResourceKind::Broker) if name.is_empty() => Ok(dynamic_defaults(&cluster)),
        Some(ResourceKind::Broker) => {
            if name.parse() != Ok(broker.id().0) {
                let message = format!("this is broker {}, not {name}", broker.id());
                return Err((ErrorCode::InvalidRequest, message));
            }
            Ok(config::describe_broker(dynamic, &broker.config))
        }
        Some(ResourceKind::Group) if name.is_empty() => {
            let message = "a group has a name".to_owned();
            Err((ErrorCode::InvalidRequest, message))
        }
        Some(ResourceKind::Group) => {
            let overrides = image.configs(ResourceKind::Group, name);
            Ok(config::describe_group(&overrides, dynamic, &broker.config))
        }
        _ => {
            let message = format!("resource type {} is not served", resource.resource_type);
            Err((ErrorCode::InvalidRequest, message))
        }
    }
}

/// What was said for all brokers at once.
fn dynamic_defaults(dynamic: &BTreeMap<String, String>) -> Vec<ConfigEntry> {
    let setting = |(name, value): (&String, &String)| {
        let known = config::find(config::Scope::Broker, name);
        let source = config::ConfigSource::DynamicDefaultBroker;
        // As in Kafka, what the table does not know may be a secret.
        let is_sensitive = known.is_none_or(|setting| setting.is_sensitive());
        let value = (!is_sensitive).then(|| value.clone());
        ConfigEntry {
            name: name.clone(),
            value: value.clone(),
            source,
            read_only: false,
            is_sensitive,
            kind: known.map(|setting| setting.kind),
            documentation: known.map_or("", |setting| setting.documentation()),
            synonyms: vec![config::Synonym {
                name: name.clone(),
                value,
                source,
            }],
        }
    };
    dynamic.iter().map(setting).collect()
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
