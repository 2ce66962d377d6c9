//! The table of settings, as the controller asks it.

use std::collections::BTreeMap;

use config::{BrokerConfig, Kind, Of, Refusal, Scope};
use metadata::controller::{ConfigRules, TopicConfigRules};
use metadata::{Configs, MetadataImage, ResourceKind};
use protocol::messages::create_topics_response::CreatableTopicConfigs;
use types::ErrorCode;

use crate::partition::Said;

/// Rules that depend on what was said so far.
pub(crate) struct Rules<'a> {
    pub(crate) config: &'a BrokerConfig,
    pub(crate) image: &'a MetadataImage,
}

impl Rules<'_> {
    fn said(&self) -> Said {
        Said::of(self.image, self.config.node_id)
    }
}

fn code(refusal: Refusal) -> (ErrorCode, String) {
    match refusal {
        Refusal::Request(message) => (ErrorCode::InvalidRequest, message),
        Refusal::Config(message) => (ErrorCode::InvalidConfig, message),
    }
}

impl ConfigRules for Rules<'_> {
    fn check(&self, kind: ResourceKind, name: &str, said: &Configs) -> Result<(), (ErrorCode, String)> {
        let before = self.said();
        match kind {
            ResourceKind::Topic => {
                config::check_topic(said).map_err(|error| (ErrorCode::InvalidConfig, error.to_string()))
            }
            ResourceKind::Broker => {
                let of = if name.is_empty() { Of::All } else { Of::One };
                config::check_broker(said, of, before.dynamic(), self.config)
                    .map_err(|message| (ErrorCode::InvalidRequest, message))
            }
            ResourceKind::Group => config::check_group(said, before.dynamic(), self.config).map_err(code),
            ResourceKind::ClientMetrics => config::check_client_metrics(name, said).map_err(code),
            ResourceKind::BrokerLogger => {
                Err((ErrorCode::InvalidRequest, "loggers are no metadata".to_owned()))
            }
        }
    }

    fn list_default(&self, kind: ResourceKind, key: &str) -> Option<&'static str> {
        let scope = match kind {
            ResourceKind::Topic => Scope::Topic,
            ResourceKind::Broker => Scope::Broker,
            ResourceKind::Group => Scope::Group,
            ResourceKind::BrokerLogger | ResourceKind::ClientMetrics => return None,
        };
        let setting = config::find(scope, key)?;
        (setting.kind == Kind::List).then(|| setting.default.unwrap_or_default())
    }
}

impl TopicConfigRules for Rules<'_> {
    fn check(&self, overrides: &BTreeMap<String, String>) -> Result<(), String> {
        config::check_topic(overrides).map_err(|error| error.to_string())
    }

    fn describe(&self, overrides: &BTreeMap<String, String>) -> Vec<CreatableTopicConfigs> {
        let row = |entry: config::ConfigEntry| CreatableTopicConfigs {
            // What the request said comes back as it was said.
            value: overrides
                .get(&entry.name)
                .cloned()
                .or(entry.value)
                .map(Into::into),
            name: entry.name.into(),
            read_only: entry.read_only,
            config_source: entry.source as i8,
            is_sensitive: entry.is_sensitive,
            ..Default::default()
        };
        config::describe_topic(overrides, self.said().dynamic(), self.config)
            .into_iter()
            .map(row)
            .collect()
    }
}
