//! Facts of Apache Kafka 4.3.1, taken from its own classes and from a running node:
//!
//! - `definitions.tsv`: scope, name, type, default of every public setting (`ConfigDef`);
//! - `values.tsv`: scope, name, values that its type and validator accept, values that they refuse;
//! - `described.tsv`: DescribeConfigs of topic, broker and group by a node started with `server.properties`, with
//!   settings altered as in [`own`] and [`cluster`] and a topic created with [`overrides`].

use std::collections::{BTreeMap, BTreeSet};

use config::{BrokerConfig, ConfigEntry, ConfigSource, Dynamic, Kind, Layers, Scope, Setting};

const NULL: &str = "\\N";

/// Where we mean to differ: (setting, why).
const OUR_DEFAULTS: &[(&str, &str)] = &[
    ("listeners", "a node of ours starts on loopback"),
    ("log.dir", "data does not belong into /tmp"),
];

fn rows(text: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    text.lines().map(|line| line.split('\t').collect())
}

fn scope(name: &str) -> Scope {
    match name {
        "topic" => Scope::Topic,
        "group" => Scope::Group,
        _ => Scope::Broker,
    }
}

fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    let owned = |(name, value): &(&str, &str)| (name.to_string(), value.to_string());
    pairs.iter().map(owned).collect()
}

fn differs_on_purpose(name: &str) -> bool {
    OUR_DEFAULTS.iter().any(|(ours, _)| *ours == name)
}

#[test]
fn names_types_and_defaults_are_kafkas() {
    let mut kafkas = BTreeSet::new();
    let mut wrong = Vec::new();
    for row in rows(include_str!("kafka_4_3_1/definitions.tsv")) {
        kafkas.insert((row[0], row[1]));
        let Some(setting) = config::find(scope(row[0]), row[1]) else {
            wrong.push(format!("{} {} is missing", row[0], row[1]));
            continue;
        };
        let default = setting.default.unwrap_or(NULL);
        let required = row[3] == "\\REQ" && setting.default.is_none();
        if format!("{:?}", setting.kind).to_uppercase() != row[2] {
            wrong.push(format!("{} is {:?}, in Kafka {}", row[1], setting.kind, row[2]));
        }
        if default != row[3] && !required && !differs_on_purpose(row[1]) {
            wrong.push(format!(
                "{} defaults to {default}, in Kafka to {}",
                row[1], row[3]
            ));
        }
    }
    for (name, settings) in [
        ("broker", config::broker_settings()),
        ("topic", config::topic_settings()),
        ("group", config::group_settings()),
    ] {
        let ours = |setting: &&Setting| !setting.name.starts_with("ottla.");
        for setting in settings.iter().filter(ours) {
            if !kafkas.contains(&(name, setting.name)) {
                wrong.push(format!("{name} {} is not Kafka's", setting.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn values_are_accepted_and_refused_as_in_kafka() {
    let mut wrong = Vec::new();
    let mut probes = 0;
    for row in rows(include_str!("kafka_4_3_1/values.tsv")) {
        let setting = config::find(scope(row[0]), row[1]).expect("known");
        for (values, accepted) in [(row[2], true), (row[3], false)] {
            for value in values.split('|').filter(|value| !value.is_empty()) {
                probes += 1;
                let value = value.trim_matches('\'');
                if config::check(setting, value).is_ok() != accepted {
                    wrong.push(format!("{} {}={value:?}: Kafka says {accepted}", row[0], row[1]));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {probes}: {wrong:#?}", wrong.len());
    assert!(4_000 < probes, "{probes}");
}

fn overrides() -> BTreeMap<String, String> {
    map(&[("segment.bytes", "2000000"), ("cleanup.policy", "compact,delete")])
}

fn own() -> BTreeMap<String, String> {
    map(&[("message.max.bytes", "2000000"), ("num.io.threads", "5")])
}

/// The last one is set by Kafka itself when a cluster starts (eligible leader replicas).
fn cluster() -> BTreeMap<String, String> {
    map(&[
        ("log.segment.bytes", "3000000"),
        ("message.max.bytes", "3000000"),
        ("log.roll.ms", "5000000"),
        ("min.insync.replicas", "2"),
    ])
}

fn broker() -> BrokerConfig {
    let mut layers = Layers::default();
    let text = include_str!("kafka_4_3_1/server.properties");
    layers.file("server.properties", text).expect("legal");
    BrokerConfig::new(&layers.check().expect("legal")).expect("legal")
}

fn source(source: ConfigSource) -> &'static str {
    match source {
        ConfigSource::DynamicTopic => "DYNAMIC_TOPIC_CONFIG",
        ConfigSource::DynamicBroker => "DYNAMIC_BROKER_CONFIG",
        ConfigSource::DynamicDefaultBroker => "DYNAMIC_DEFAULT_BROKER_CONFIG",
        ConfigSource::StaticBroker => "STATIC_BROKER_CONFIG",
        ConfigSource::Default => "DEFAULT_CONFIG",
        ConfigSource::DynamicGroup => "DYNAMIC_GROUP_CONFIG",
        ConfigSource::DynamicBrokerLogger => "DYNAMIC_BROKER_LOGGER_CONFIG",
        ConfigSource::DynamicClientMetrics => "DYNAMIC_CLIENT_METRICS_CONFIG",
    }
}

fn kind(kind: Option<Kind>) -> String {
    kind.map_or("UNKNOWN".to_owned(), |kind| format!("{kind:?}").to_uppercase())
}

/// An entry as `described.tsv` has it.
fn line(resource: &str, entry: &ConfigEntry) -> String {
    let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| NULL.to_owned());
    let synonyms: Vec<String> = entry
        .synonyms
        .iter()
        .map(|synonym| {
            format!(
                "{}={}@{}",
                synonym.name,
                shown(&synonym.value),
                source(synonym.source)
            )
        })
        .collect();
    let synonyms = if synonyms.is_empty() {
        "-".to_owned()
    } else {
        synonyms.join(";")
    };
    [
        resource,
        &entry.name,
        &kind(entry.kind),
        &shown(&entry.value),
        source(entry.source),
        if entry.read_only { "ro" } else { "rw" },
        if entry.is_sensitive { "sensitive" } else { "plain" },
        &synonyms,
    ]
    .join("\t")
}

#[test]
fn a_node_describes_itself_its_topics_and_groups_as_kafka_does() {
    let (own, cluster, broker) = (own(), cluster(), broker());
    let dynamic = Dynamic {
        own: &own,
        cluster: &cluster,
    };
    let mut ours = BTreeMap::new();
    for (resource, entries) in [
        ("topic", config::describe_topic(&overrides(), dynamic, &broker)),
        ("broker", config::describe_broker(dynamic, &broker)),
        (
            "group",
            config::describe_group(&BTreeMap::new(), dynamic, &broker),
        ),
    ] {
        for entry in entries {
            ours.insert((resource, entry.name.clone()), line(resource, &entry));
        }
    }
    ours.retain(|(_, name), _| !name.starts_with("ottla."));
    let mut wrong = Vec::new();
    for kafkas in include_str!("kafka_4_3_1/described.tsv").lines() {
        let row: Vec<&str> = kafkas.split('\t').collect();
        let said = ours.remove(&(row[0], row[1].to_owned())).unwrap_or_default();
        if said != kafkas && !differs_on_purpose(row[1]) {
            wrong.push(format!("kafka {kafkas}\n ours {said}"));
        }
    }
    wrong.extend(ours.into_values().map(|line| format!("only ours {line}")));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_groups_own_word_comes_first() {
    let own = map(&[("consumer.heartbeat.interval.ms", "7000")]);
    let nothing = BTreeMap::new();
    let dynamic = Dynamic {
        own: &nothing,
        cluster: &nothing,
    };
    assert!(config::check_group(&own, dynamic, &broker()).is_ok());
    let zero = map(&[("consumer.heartbeat.interval.ms", "0")]);
    assert!(config::check_group(&zero, dynamic, &broker()).is_err());
    let entries = config::describe_group(&own, dynamic, &broker());
    let entry = entries
        .iter()
        .find(|entry| entry.name == "consumer.heartbeat.interval.ms");
    let entry = entry.expect("described");
    assert_eq!((entry.value.as_deref(), entry.source as i8), (Some("7000"), 8));
    assert_eq!(entry.synonyms.len(), 2);
}
