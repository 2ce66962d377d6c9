//! Settings of topics, brokers, groups and client metrics.

use protocol::messages::describe_configs_request::{DescribeConfigsRequest, DescribeConfigsResource};
use protocol::messages::describe_configs_response::{DescribeConfigsResourceResult, DescribeConfigsResponse};
use protocol::messages::incremental_alter_configs_request::{
    AlterConfigsResource, AlterableConfig, IncrementalAlterConfigsRequest,
};
use protocol::messages::incremental_alter_configs_response::IncrementalAlterConfigsResponse;
use types::BrokerId;

use super::{Admin, Each, moved};
use crate::{Error, Result, To};

/// What has settings (`ConfigResource.Type`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(i8)]
pub enum ResourceKind {
    /// A topic.
    Topic = 2,
    /// A broker; the empty name is the default of all.
    Broker = 4,
    /// The log levels of a broker.
    BrokerLogger = 8,
    /// A subscription to client metrics.
    ClientMetrics = 16,
    /// A group.
    Group = 32,
}

/// Something that has settings.
///
/// ```
/// use client::{Resource, ResourceKind};
/// assert_eq!(Resource::topic("orders").kind, ResourceKind::Topic);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Resource {
    /// What it is.
    pub kind: ResourceKind,
    /// Its name.
    pub name: String,
}

impl Resource {
    /// A topic's settings.
    pub fn topic(name: &str) -> Resource {
        Resource::new(ResourceKind::Topic, name)
    }

    /// A broker's settings.
    pub fn broker(id: BrokerId) -> Resource {
        Resource::new(ResourceKind::Broker, &id.to_string())
    }

    /// The settings that hold for every broker that has none of its own.
    pub fn all_brokers() -> Resource {
        Resource::new(ResourceKind::Broker, "")
    }

    /// A group's settings.
    pub fn group(name: &str) -> Resource {
        Resource::new(ResourceKind::Group, name)
    }

    /// Settings of any kind.
    pub fn new(kind: ResourceKind, name: &str) -> Resource {
        Resource {
            kind,
            name: name.to_owned(),
        }
    }

    /// Settings of a broker are asked of that broker; others of any.
    fn place(&self) -> To<'static> {
        let is_broker = matches!(self.kind, ResourceKind::Broker | ResourceKind::BrokerLogger);
        match self.name.parse() {
            Ok(id) if is_broker => To::Broker(BrokerId(id)),
            _ => To::Any,
        }
    }
}

/// Where a value comes from (`ConfigEntry.ConfigSource`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConfigSource {
    /// Set on the topic.
    Topic,
    /// Set on the broker while it runs.
    DynamicBroker,
    /// Set for all brokers while they run.
    DynamicDefaultBroker,
    /// In the broker's file.
    StaticBroker,
    /// Kafka's default.
    Default,
    /// The log levels of a broker.
    DynamicBrokerLogger,
    /// Set on a subscription to client metrics.
    ClientMetrics,
    /// Set on the group.
    Group,
    /// A number that Kafka 4.3 does not have.
    Unknown(i8),
}

impl ConfigSource {
    fn from_code(code: i8) -> ConfigSource {
        match code {
            1 => ConfigSource::Topic,
            2 => ConfigSource::DynamicBroker,
            3 => ConfigSource::DynamicDefaultBroker,
            4 => ConfigSource::StaticBroker,
            5 => ConfigSource::Default,
            6 => ConfigSource::DynamicBrokerLogger,
            7 => ConfigSource::ClientMetrics,
            8 => ConfigSource::Group,
            code => ConfigSource::Unknown(code),
        }
    }
}

/// A setting and its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigEntry {
    /// Its name.
    pub name: String,
    /// Its value; `None` if it has none or is secret.
    pub value: Option<String>,
    /// Where the value comes from.
    pub source: ConfigSource,
    /// Whether it cannot be changed while the broker runs.
    pub read_only: bool,
    /// Whether its value is secret.
    pub sensitive: bool,
    /// Every place that sets it, the one that counts first: name, value and source.
    pub synonyms: Vec<(String, Option<String>, ConfigSource)>,
}

/// A change of one setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConfigChange {
    /// Sets a value.
    Set(String, String),
    /// Goes back to the default.
    Delete(String),
    /// Adds to a list.
    Append(String, String),
    /// Takes out of a list.
    Subtract(String, String),
}

impl ConfigChange {
    fn message(&self) -> AlterableConfig {
        let (operation, name, value) = match self {
            ConfigChange::Set(name, value) => (0, name, Some(value)),
            ConfigChange::Delete(name) => (1, name, None),
            ConfigChange::Append(name, value) => (2, name, Some(value)),
            ConfigChange::Subtract(name, value) => (3, name, Some(value)),
        };
        AlterableConfig {
            name: name.as_str().into(),
            config_operation: operation,
            value: value.map(|value| value.as_str().into()),
            ..AlterableConfig::default()
        }
    }
}

fn entry(result: &DescribeConfigsResourceResult) -> ConfigEntry {
    let text = |text: &Option<protocol::Str>| text.as_ref().map(|text| text.as_str().to_owned());
    ConfigEntry {
        name: result.name.as_str().to_owned(),
        value: text(&result.value),
        source: ConfigSource::from_code(result.config_source),
        read_only: result.read_only,
        sensitive: result.is_sensitive,
        synonyms: result
            .synonyms
            .iter()
            .map(|one| {
                (
                    one.name.as_str().to_owned(),
                    text(&one.value),
                    ConfigSource::from_code(one.source),
                )
            })
            .collect(),
    }
}

impl Admin {
    /// Every setting of each resource.
    ///
    /// ```
    /// # testkit::with_node(async |servers| -> client::Result<()> {
    /// # let client = client::Client::new(client::ClientConfig::new(&servers))?;
    /// # client.admin().create_topics(&[client::NewTopic::new("orders").partitions(3)]).await?;
    /// # let admin = client.admin();
    /// use client::Resource;
    ///
    /// for (topic, settings) in admin.describe_configs(&[Resource::topic("orders")]).await? {
    ///     let settings = settings?;
    ///     let retention = settings.iter().find(|one| one.name == "retention.ms");
    ///     assert_eq!(retention.and_then(|one| one.value.as_deref()), Some("604800000"));
    /// }
    /// # Ok(())
    /// # });
    /// ```
    pub async fn describe_configs(&self, resources: &[Resource]) -> Result<Each<Resource, Vec<ConfigEntry>>> {
        let mut outcomes = Vec::with_capacity(resources.len());
        for resource in resources {
            let request = DescribeConfigsRequest {
                resources: vec![DescribeConfigsResource {
                    resource_type: resource.kind as i8,
                    resource_name: resource.name.as_str().into(),
                    configuration_keys: None,
                    ..DescribeConfigsResource::default()
                }],
                include_synonyms: true,
                ..DescribeConfigsRequest::default()
            };
            let none = |_: &DescribeConfigsResponse| Ok(());
            let answer = self
                .ask(resource.place(), "describing settings", &request, none)
                .await?;
            let outcome = answer
                .results
                .first()
                .ok_or_else(|| left_out(resource))
                .and_then(|result| {
                    Error::check_with(result.error_code, result.error_message.as_ref(), || {
                        about(resource)
                    })?;
                    Ok(result.configs.iter().map(entry).collect())
                });
            outcomes.push((resource.clone(), outcome));
        }
        Ok(outcomes)
    }

    /// Changes settings; each resource's changes hold together or not at all.
    ///
    /// ```
    /// # testkit::with_node(async |servers| -> client::Result<()> {
    /// # let client = client::Client::new(client::ClientConfig::new(&servers))?;
    /// # client.admin().create_topics(&[client::NewTopic::new("orders").partitions(3)]).await?;
    /// # let admin = client.admin();
    /// use client::{ConfigChange, Resource};
    ///
    /// let day = ConfigChange::Set("retention.ms".into(), "86400000".into());
    /// for (topic, outcome) in admin.alter_configs(&[(Resource::topic("orders"), vec![day])], false).await? {
    ///     outcome?;
    /// }
    /// # Ok(())
    /// # });
    /// ```
    pub async fn alter_configs(
        &self,
        changes: &[(Resource, Vec<ConfigChange>)],
        validate_only: bool,
    ) -> Result<Each<Resource, ()>> {
        let mut outcomes = Vec::with_capacity(changes.len());
        for (resource, changes) in changes {
            let request = IncrementalAlterConfigsRequest {
                resources: vec![AlterConfigsResource {
                    resource_type: resource.kind as i8,
                    resource_name: resource.name.as_str().into(),
                    configs: changes.iter().map(ConfigChange::message).collect(),
                    ..AlterConfigsResource::default()
                }],
                validate_only,
                ..IncrementalAlterConfigsRequest::default()
            };
            let to = match resource.place() {
                To::Any => To::Controller,
                broker => broker,
            };
            let verdict = |answer: &IncrementalAlterConfigsResponse| {
                moved(answer.responses.iter().map(|one| one.error_code))
            };
            let answer = self.ask(to, "changing settings", &request, verdict).await?;
            let outcome = answer
                .responses
                .first()
                .ok_or_else(|| left_out(resource))
                .and_then(|result| {
                    Error::check_with(result.error_code, result.error_message.as_ref(), || {
                        about(resource)
                    })
                });
            outcomes.push((resource.clone(), outcome));
        }
        Ok(outcomes)
    }
}

fn about(resource: &Resource) -> String {
    format!("settings of {:?} {}", resource.kind, resource.name)
}

fn left_out(resource: &Resource) -> Error {
    Error::Protocol {
        address: "the broker".into(),
        reason: format!("its answer leaves out the {}", about(resource)),
    }
}
