//! DescribeConfigs: every setting of a resource with where its value comes from (trap 92).

use std::collections::BTreeMap;

use crate::table::{self, Kind, Scope, Setting};
use crate::topic::inherited;
use crate::{BrokerConfig, alter, value};

/// Kafka's `ConfigEntry.ConfigSource`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i8)]
pub enum ConfigSource {
    DynamicTopic = 1,
    DynamicBroker = 2,
    DynamicDefaultBroker = 3,
    StaticBroker = 4,
    Default = 5,
    DynamicBrokerLogger = 6,
    DynamicClientMetrics = 7,
    DynamicGroup = 8,
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

/// What was said while brokers run. What is said of one broker is stronger than what is said of all.
#[derive(Debug, Clone, Copy)]
pub struct Dynamic<'a> {
    pub own: &'a BTreeMap<String, String>,
    pub cluster: &'a BTreeMap<String, String>,
}

impl Dynamic<'_> {
    /// What a broker setting is now, if anything was said.
    pub(crate) fn or_static<'a>(&'a self, broker: &'a BrokerConfig, name: &str) -> Option<&'a str> {
        let dynamic = self.own.get(name).or_else(|| self.cluster.get(name));
        dynamic.map(String::as_str).or_else(|| said(broker, name))
    }
}

/// `node.id` and `broker.id` are one thing under two names.
fn said<'a>(broker: &'a BrokerConfig, name: &str) -> Option<&'a str> {
    let other = match name {
        "node.id" => "broker.id",
        "broker.id" => "node.id",
        _ => name,
    };
    let found = broker.said.get(name).or_else(|| broker.said.get(other));
    found.map(String::as_str)
}

/// All settings of a topic.
pub fn describe_topic(
    overrides: &BTreeMap<String, String>,
    dynamic: Dynamic<'_>,
    broker: &BrokerConfig,
) -> Vec<ConfigEntry> {
    let row = |setting| row(setting, overrides, ConfigSource::DynamicTopic, dynamic, broker);
    table::topic_settings().iter().map(row).collect()
}

/// All settings of a group.
pub fn describe_group(
    overrides: &BTreeMap<String, String>,
    dynamic: Dynamic<'_>,
    broker: &BrokerConfig,
) -> Vec<ConfigEntry> {
    let row = |setting| row(setting, overrides, ConfigSource::DynamicGroup, dynamic, broker);
    table::group_settings().iter().map(row).collect()
}

/// A setting of a topic or group. Its default may come from the broker.
fn row(
    setting: &'static Setting,
    overrides: &BTreeMap<String, String>,
    source: ConfigSource,
    dynamic: Dynamic<'_>,
    broker: &BrokerConfig,
) -> ConfigEntry {
    let mut synonyms = Vec::new();
    let mut push = |value: &str, source| {
        synonyms.push(Synonym {
            name: setting.name.to_owned(),
            value: Some(value.to_owned()),
            source,
        });
    };
    if let Some(own) = overrides.get(setting.name) {
        push(own, source);
    }
    match (setting.synonyms.first(), setting.default) {
        (Some(first), _) => synonyms.extend(broker_synonyms(first, dynamic, broker)),
        (None, Some(default)) if setting.scope == Scope::Group => push(default, ConfigSource::Default),
        _ => {}
    }
    let inherited = || inherited(setting, |name| dynamic.or_static(broker, name));
    let (value, source) = match synonyms.first() {
        Some(first) => (first.value.clone(), first.source),
        None => (inherited(), ConfigSource::Default),
    };
    entry(setting, value, source, synonyms)
}

/// All settings of a client-metrics subscription.
pub fn describe_client_metrics(said: &BTreeMap<String, String>) -> Vec<ConfigEntry> {
    let row = |setting: &'static Setting| {
        let own = said.get(setting.name);
        let source = ConfigSource::DynamicClientMetrics;
        let synonym = |own: &String| Synonym {
            name: setting.name.to_owned(),
            value: Some(own.clone()),
            source,
        };
        let synonyms: Vec<Synonym> = own.map(synonym).into_iter().collect();
        let default = || setting.default.map(str::to_owned);
        let source = own.map_or(ConfigSource::Default, |_| source);
        entry(setting, own.cloned().or_else(default), source, synonyms)
    };
    alter::CLIENT_METRICS.iter().map(row).collect()
}

/// What was said of all brokers at once, as it was said.
pub fn describe_defaults(cluster: &BTreeMap<String, String>) -> Vec<ConfigEntry> {
    let row = |(name, value): (&String, &String)| said_alone(name, value, ConfigSource::DynamicDefaultBroker);
    cluster.iter().map(row).collect()
}

/// A name that the table lacks, or whose default is not asked for. As in Kafka, what nobody knows may be a secret.
fn said_alone(name: &str, value: &str, source: ConfigSource) -> ConfigEntry {
    let kind = alter::dynamic_broker_kind(name);
    let known = table::find(Scope::Broker, name);
    let is_sensitive = kind.is_none_or(|kind| kind == Kind::Password);
    let value = (!is_sensitive).then(|| value.to_owned());
    ConfigEntry {
        name: name.to_owned(),
        value: value.clone(),
        source,
        read_only: known.map_or(
            !name.contains(".throttled.") && !name.contains(".io.max."),
            |known| known.read_only,
        ),
        is_sensitive,
        kind,
        documentation: known.map_or("", Setting::documentation),
        synonyms: vec![Synonym {
            name: name.to_owned(),
            value,
            source,
        }],
    }
}

/// Settings that were said and that the table does not have: of one listener, or anybody's own.
fn beyond_the_table(dynamic: Dynamic<'_>, broker: &BrokerConfig) -> Vec<ConfigEntry> {
    let mut found: BTreeMap<&str, ConfigEntry> = BTreeMap::new();
    for (said, source) in [
        (dynamic.own, ConfigSource::DynamicBroker),
        (dynamic.cluster, ConfigSource::DynamicDefaultBroker),
        (&broker.said, ConfigSource::StaticBroker),
    ] {
        let unknown = |name: &&String| table::find(Scope::Broker, name).is_none();
        for name in said.keys().filter(unknown) {
            let weaker = said_alone(name, said.get(name).map_or("", String::as_str), source);
            match found.get_mut(name.as_str()) {
                Some(entry) => entry.synonyms.extend(weaker.synonyms),
                None => {
                    found.insert(name, weaker);
                }
            }
        }
    }
    found.into_values().collect()
}

/// All settings of this broker.
pub fn describe_broker(dynamic: Dynamic<'_>, broker: &BrokerConfig) -> Vec<ConfigEntry> {
    let describe = |setting: &'static Setting| {
        let synonyms = broker_synonyms(setting.name, dynamic, broker);
        let (value, source) = match synonyms.first() {
            Some(first) => (first.value.clone(), first.source),
            None => (None, ConfigSource::Default),
        };
        entry(setting, value, source, synonyms)
    };
    let mut entries: Vec<ConfigEntry> = table::broker_settings().iter().map(describe).collect();
    entries.extend(beyond_the_table(dynamic, broker));
    entries
}

/// A broker setting's values under all its names, the one that holds first. As in Kafka, what stands before the first
/// value under the name itself is left out: `log.retention.hours` alone is no synonym of `log.retention.ms`.
fn broker_synonyms(name: &'static str, dynamic: Dynamic<'_>, broker: &BrokerConfig) -> Vec<Synonym> {
    let alone = [name];
    let names = match table::broker_names(name) {
        [] => &alone,
        names => names,
    };
    let default = |name: &str| table::find(Scope::Broker, name).and_then(|setting| setting.default);
    let mut synonyms = Vec::new();
    for source in [
        ConfigSource::DynamicBroker,
        ConfigSource::DynamicDefaultBroker,
        ConfigSource::StaticBroker,
        ConfigSource::Default,
    ] {
        let value = |name: &str| match source {
            ConfigSource::DynamicBroker => dynamic.own.get(name).map(String::as_str),
            ConfigSource::DynamicDefaultBroker => dynamic.cluster.get(name).map(String::as_str),
            ConfigSource::StaticBroker => said(broker, name),
            _ => default(name),
        };
        for name in names {
            if let Some(value) = value(name) {
                synonyms.push(Synonym {
                    name: (*name).to_owned(),
                    value: Some(value.to_owned()),
                    source,
                });
            }
        }
    }
    synonyms
        .into_iter()
        .skip_while(|synonym| synonym.name != name)
        .collect()
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
        value: hide(value.map(|value| value::shown(setting.kind, &value))),
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
        let dynamic = Dynamic {
            own: &BTreeMap::new(),
            cluster: &dynamic,
        };
        let entries = describe_topic(&overrides, dynamic, &broker);
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
