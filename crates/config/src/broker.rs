//! The settings that the broker reads, typed.

use std::collections::BTreeMap;

use crate::listeners::parse_http;
use crate::table::{self, Scope};
use crate::{
    ConnectionSettings, Error, GroupSettings, ListenerAddress, Loaded, parse_advertised, parse_listeners,
    value,
};

/// When an acknowledged record is on stable storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flush {
    Ack,
    Interval,
    Never,
}

impl Flush {
    /// The mode of this name; what the table refuses is the safest one.
    pub(crate) fn from_word(word: &str) -> Flush {
        match word {
            "never" => Flush::Never,
            "interval" => Flush::Interval,
            _ => Flush::Ack,
        }
    }
}

/// A broker's settings. Values are legal: they were checked against the table.
#[derive(Debug, Clone)]
pub struct BrokerConfig {
    pub node_id: i32,
    pub listeners: Vec<ListenerAddress>,
    pub advertised: Vec<ListenerAddress>,
    pub log_dir: String,
    pub rack: Option<String>,
    /// Where metrics and health are served.
    pub http_listeners: Vec<ListenerAddress>,
    pub num_partitions: i32,
    pub default_replication_factor: i16,
    pub auto_create_topics: bool,
    pub delete_topics: bool,
    pub socket_request_max_bytes: i32,
    pub fetch_max_bytes: i32,
    pub fetch_session_slots: usize,
    pub connections_max_idle_ms: u64,
    pub connections: ConnectionSettings,
    pub producer_id_expiration_ms: i64,
    pub retention_check_interval_ms: u64,
    pub cleaner_enable: bool,
    pub cleaner_backoff_ms: u64,
    /// Bytes for the keys of one compaction.
    pub cleaner_dedupe_buffer_bytes: usize,
    /// How full that may become.
    pub cleaner_load_factor: f64,
    /// `metadata.log.max.record.bytes.between.snapshots`
    pub metadata_snapshot_bytes: u64,
    /// `metadata.log.max.snapshot.interval.ms`; 0: only bytes count.
    pub metadata_snapshot_interval_ms: u64,
    pub groups: GroupSettings,
    pub flush: Flush,
    pub flush_interval_ms: u64,
    pub memory_bytes: u64,
    pub tail_cache_bytes: usize,
    /// What was said, by name: topics' defaults and DescribeConfigs come from here.
    pub said: BTreeMap<String, String>,
}

/// Where the broker listens when nothing is said.
const DEFAULT_LISTENERS: &str = "PLAINTEXT://127.0.0.1:9092";
const DEFAULT_LOG_DIR: &str = "./ottla-data";

impl BrokerConfig {
    pub fn new(loaded: &Loaded) -> Result<BrokerConfig, Error> {
        let said = &loaded.values;
        let get = |name: &str| Self::value_of(said, name);
        let number = |name: &str| get(name).and_then(|text| text.parse::<i64>().ok()).unwrap_or(0);
        let flag = |name: &str| get(name).and_then(|text| value::boolean(&text)).unwrap_or(false);
        let text = |name: &str| said.get(name).filter(|value| !value.is_empty()).cloned();
        let node_id = if said.contains_key("node.id") {
            number("node.id")
        } else {
            number("broker.id")
        };
        let flush = Flush::from_word(&get("ottla.flush").unwrap_or_default());
        let dirs = text("log.dirs").or_else(|| text("log.dir"));
        let log_dir = dirs.and_then(|dirs| value::list(&dirs).next().map(str::to_owned));
        Ok(BrokerConfig {
            node_id: if node_id < 0 { 1 } else { node_id as i32 },
            listeners: parse_listeners(&text("listeners").unwrap_or_else(|| DEFAULT_LISTENERS.to_owned()))?,
            advertised: parse_advertised(&text("advertised.listeners").unwrap_or_default())?,
            log_dir: log_dir.unwrap_or_else(|| DEFAULT_LOG_DIR.to_owned()),
            rack: text("broker.rack"),
            http_listeners: parse_http(&get("ottla.http.listeners").unwrap_or_default())?,
            num_partitions: number("num.partitions") as i32,
            default_replication_factor: number("default.replication.factor") as i16,
            auto_create_topics: flag("auto.create.topics.enable"),
            delete_topics: flag("delete.topic.enable"),
            socket_request_max_bytes: number("socket.request.max.bytes") as i32,
            fetch_max_bytes: number("fetch.max.bytes") as i32,
            fetch_session_slots: number("max.incremental.fetch.session.cache.slots") as usize,
            connections_max_idle_ms: number("connections.max.idle.ms") as u64,
            connections: ConnectionSettings::new(get),
            producer_id_expiration_ms: number("producer.id.expiration.ms"),
            retention_check_interval_ms: number("log.retention.check.interval.ms") as u64,
            cleaner_enable: flag("log.cleaner.enable"),
            cleaner_backoff_ms: number("log.cleaner.backoff.ms") as u64,
            cleaner_dedupe_buffer_bytes: usize::try_from(number("log.cleaner.dedupe.buffer.size"))
                .unwrap_or(0),
            cleaner_load_factor: get("log.cleaner.io.buffer.load.factor")
                .and_then(|text| text.parse().ok())
                .unwrap_or(0.9),
            metadata_snapshot_bytes: number("metadata.log.max.record.bytes.between.snapshots") as u64,
            metadata_snapshot_interval_ms: number("metadata.log.max.snapshot.interval.ms") as u64,
            groups: GroupSettings::new(said),
            flush,
            flush_interval_ms: number("ottla.flush.interval.ms") as u64,
            memory_bytes: number("ottla.memory.bytes") as u64,
            tail_cache_bytes: number("ottla.tail.cache.bytes") as usize,
            said: said.clone(),
        })
    }

    /// These settings with what was said since: what the broker goes by now. DescribeConfigs wants the settings
    /// without it, since it tells where a value comes from.
    pub fn with_dynamic(&self, dynamic: crate::Dynamic<'_>) -> BrokerConfig {
        let mut loaded = Loaded {
            values: self.said.clone(),
            ..Loaded::default()
        };
        for (name, value) in dynamic.cluster.iter().chain(dynamic.own) {
            loaded
                .values
                .insert(name.clone(), value.trim().trim_start_matches('+').to_owned());
        }
        // What was altered was checked when it was; the addresses, if no longer legal, stay as they were.
        BrokerConfig::new(&loaded).unwrap_or_else(|_| self.clone())
    }

    /// Whether a setting was said, and not taken from the table.
    pub fn is_said(&self, name: &str) -> bool {
        self.said.contains_key(name)
    }

    /// What was said, or the default.
    pub(crate) fn value_of(said: &BTreeMap<String, String>, name: &str) -> Option<String> {
        let default = || table::find(Scope::Broker, name).and_then(|setting| setting.default);
        said.get(name).cloned().or_else(|| default().map(str::to_owned))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Layers;

    fn config(set: &[(&str, &str)]) -> BrokerConfig {
        let mut layers = Layers::default();
        set.iter()
            .for_each(|(name, value)| layers.set(name, value, "--set"));
        BrokerConfig::new(&layers.check().expect("legal")).expect("legal")
    }

    #[test]
    fn nothing_said_is_a_node_on_loopback() {
        let config = config(&[]);
        assert_eq!((config.node_id, config.num_partitions), (1, 1));
        assert_eq!(
            (config.listeners[0].host.as_str(), config.listeners[0].port),
            ("127.0.0.1", 9092)
        );
        assert_eq!(
            (config.flush, config.log_dir.as_str()),
            (Flush::Ack, "./ottla-data")
        );
        assert_eq!(config.socket_request_max_bytes, 104_857_600);
        assert!(config.auto_create_topics && config.delete_topics);
    }

    #[test]
    fn the_newer_name_of_the_node_wins() {
        assert_eq!(config(&[("broker.id", "3")]).node_id, 3);
        assert_eq!(config(&[("broker.id", "3"), ("node.id", "4")]).node_id, 4);
    }
}
