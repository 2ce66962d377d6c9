//! DescribeConfigs: every setting of a resource with where its value comes from (trap 92).

use std::collections::BTreeMap;

use crate::BrokerConfig;
use crate::table::{self, Kind, Scope, Setting};
use crate::topic::inherited;

/// Kafka's `ConfigEntry.ConfigSource`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i8)]
pub enum ConfigSource {
    DynamicTopic = 1,
    DynamicBroker = 2,
    DynamicDefaultBroker = 3,
    StaticBroker = 4,
    Default = 5,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Synonym {
    pub name: String,
    pub value: Option<String>,
    pub source: ConfigSource,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigEntry {
    pub name: String,
    /// Hidden if sensitive.
    pub value: Option<String>,
    pub source: ConfigSource,
    pub read_only: bool,
    pub is_sensitive: bool,
    pub kind: Option<Kind>,
    pub documentation: &'static str,
    pub synonyms: Vec<Synonym>,
}

/// All settings of a topic. `dynamic` are the cluster's dynamic defaults for brokers.
pub fn describe_topic(
    overrides: &BTreeMap<String, String>,
    dynamic: &BTreeMap<String, String>,
    broker: &BrokerConfig,
) -> Vec<ConfigEntry> {
    table::topic_settings()
        .iter()
        .map(|setting| topic_entry(setting, overrides, dynamic, broker))
        .collect()
}

fn topic_entry(
    setting: &Setting,
    overrides: &BTreeMap<String, String>,
    dynamic: &BTreeMap<String, String>,
    broker: &BrokerConfig,
) -> ConfigEntry {
    let mut synonyms = Vec::new();
    if let Some(own) = overrides.get(setting.name) {
        let value = Some(own.clone());
        synonyms.push(Synonym {
            name: setting.name.to_owned(),
            value,
            source: ConfigSource::DynamicTopic,
        });
    }
    if let Some(first) = setting.synonyms.first() {
        synonyms.extend(broker_synonyms(first, dynamic, broker));
    }
    let fallback = inherited(setting, &broker.said);
    let (value, source) = match synonyms.first() {
        Some(first) => (first.value.clone(), first.source),
        None => {
            let said = fallback.as_ref().is_some_and(|(_, said)| said.is_some());
            let source = if said {
                ConfigSource::StaticBroker
            } else {
                ConfigSource::Default
            };
            (fallback.map(|(value, _)| value), source)
        }
    };
    entry(setting, value, source, synonyms)
}

/// All settings of this broker, and what was said that the table does not know as a broker's.
pub fn describe_broker(
    own: &BTreeMap<String, String>,
    dynamic: &BTreeMap<String, String>,
    broker: &BrokerConfig,
) -> Vec<ConfigEntry> {
    let describe = |setting: &Setting| {
        let mut synonyms = Vec::new();
        if let Some(value) = own.get(setting.name) {
            let value = Some(value.clone());
            synonyms.push(Synonym {
                name: setting.name.to_owned(),
                value,
                source: ConfigSource::DynamicBroker,
            });
        }
        synonyms.extend(broker_synonyms(setting.name, dynamic, broker));
        let (value, source) = match synonyms.first() {
            Some(first) => (first.value.clone(), first.source),
            None => (None, ConfigSource::Default),
        };
        entry(setting, value, source, synonyms)
    };
    table::broker_settings().iter().map(describe).collect()
}

/// A broker setting's values, the one that holds first.
fn broker_synonyms(name: &str, dynamic: &BTreeMap<String, String>, broker: &BrokerConfig) -> Vec<Synonym> {
    let mut synonyms = Vec::new();
    let mut push = |value: Option<String>, source| {
        if value.is_some() {
            synonyms.push(Synonym {
                name: name.to_owned(),
                value,
                source,
            });
        }
    };
    push(dynamic.get(name).cloned(), ConfigSource::DynamicDefaultBroker);
    push(broker.said.get(name).cloned(), ConfigSource::StaticBroker);
    let default = table::find(Scope::Broker, name).and_then(|setting| setting.default);
    push(default.map(str::to_owned), ConfigSource::Default);
    synonyms
}

fn entry(
    setting: &Setting,
    value: Option<String>,
    source: ConfigSource,
    synonyms: Vec<Synonym>,
) -> ConfigEntry {
    let is_sensitive = setting.is_sensitive();
    let hide = |value: Option<String>| if is_sensitive { None } else { value };
    ConfigEntry {
        name: setting.name.to_owned(),
        value: hide(value),
        source,
        read_only: setting.read_only,
        is_sensitive,
        kind: Some(setting.kind),
        documentation: setting.documentation(),
        synonyms: synonyms
            .into_iter()
            .map(|synonym| Synonym {
                value: hide(synonym.value),
                ..synonym
            })
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Loaded;

    #[test]
    fn a_topics_entries_are_kafkas() {
        let broker = BrokerConfig::new(&Loaded::default()).expect("defaults are legal");
        let overrides = BTreeMap::from([("segment.bytes".to_owned(), "2000000".to_owned())]);
        let dynamic = BTreeMap::from([("min.insync.replicas".to_owned(), "1".to_owned())]);
        let entries = describe_topic(&overrides, &dynamic, &broker);
        let shown = |name: &str| {
            let entry = entries
                .iter()
                .find(|entry| entry.name == name)
                .expect("described");
            let synonyms: Vec<String> = entry
                .synonyms
                .iter()
                .map(|synonym| {
                    format!(
                        "{}={}@{}",
                        synonym.name,
                        synonym.value.clone().unwrap_or_default(),
                        synonym.source as i8
                    )
                })
                .collect();
            (
                entry.value.clone().unwrap_or_default(),
                entry.source,
                synonyms.join(";"),
            )
        };
        let default = ConfigSource::Default;
        assert_eq!(
            shown("cleanup.policy"),
            ("delete".into(), default, "log.cleanup.policy=delete@5".into())
        );
        assert_eq!(
            shown("retention.ms"),
            ("604800000".into(), default, String::new())
        );
        let own = "segment.bytes=2000000@1;log.segment.bytes=1073741824@5";
        assert_eq!(
            shown("segment.bytes"),
            ("2000000".into(), ConfigSource::DynamicTopic, own.into())
        );
        let replicas = "min.insync.replicas=1@3;min.insync.replicas=1@5";
        assert_eq!(shown("min.insync.replicas").2, replicas);
    }
}
