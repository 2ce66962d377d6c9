//! What a topic's settings come to: its own, else the broker's, else the default.

use std::collections::BTreeMap;

use crate::table::{self, Scope, Setting};
use crate::{BrokerConfig, Dynamic, Error, Flush, value};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimestampType {
    CreateTime,
    LogAppendTime,
}

/// `compression.type` with the level that goes with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// Batches stay as producers packed them.
    Producer,
    Uncompressed,
    /// 1 to 9, or -1 for the codec's own default.
    Gzip(i32),
    Snappy,
    /// 1 to 17.
    Lz4(i32),
    /// -131072 to 22.
    Zstd(i32),
}

/// The settings of a topic that the broker reads, resolved: what a live partition goes by. Times are in ms, sizes in
/// bytes.
#[derive(Debug, Clone, PartialEq)]
pub struct TopicConfig {
    pub max_message_bytes: usize,
    pub timestamp_type: TimestampType,
    pub timestamp_before_max_ms: i64,
    pub timestamp_after_max_ms: i64,
    /// `cleanup.policy` names compact.
    pub compacted: bool,
    /// `cleanup.policy` names delete; with neither word nothing is ever removed.
    pub deletes: bool,
    /// None keeps records whatever their age.
    pub retention_ms: Option<i64>,
    /// None keeps records whatever their size.
    pub retention_bytes: Option<u64>,
    pub segment_bytes: u64,
    pub segment_ms: i64,
    /// At most this much is taken off `segment_ms`, by chance.
    pub segment_jitter_ms: i64,
    /// How long tombstones and transaction markers stay after their segment was cleaned.
    pub delete_retention_ms: i64,
    pub min_compaction_lag_ms: i64,
    pub max_compaction_lag_ms: i64,
    /// Of the log, 0 to 1.
    pub min_cleanable_dirty_ratio: f64,
    pub file_delete_delay_ms: i64,
    pub min_insync_replicas: i32,
    pub compression: Compression,
    /// `ottla.flush` of the topic, else of the broker.
    pub flush: Flush,
}

impl TopicConfig {
    /// The age at which a segment ends: of a compacted topic also soon enough to be compacted in time
    /// (`LogConfig.maxSegmentMs`).
    pub fn segment_ms_max(&self) -> i64 {
        if self.compacted && 0 < self.max_compaction_lag_ms {
            self.segment_ms.min(self.max_compaction_lag_ms)
        } else {
            self.segment_ms
        }
    }
}

/// Checks a topic's own settings: names, values, and values against each other.
pub fn check_topic(overrides: &BTreeMap<String, String>) -> Result<(), Error> {
    check_each(Scope::Topic, overrides)?;
    let tiered = overrides
        .get("remote.storage.enable")
        .and_then(|said| value::boolean(said));
    if tiered == Some(true) {
        let wanted = "tiered storage is not there".to_owned();
        return Err(Error::Value {
            name: "remote.storage.enable".into(),
            value: "true".into(),
            wanted,
        });
    }
    let number = |name: &str| {
        overrides
            .get(name)
            .and_then(|said| said.trim().parse::<i64>().ok())
    };
    if let (Some(min), Some(max)) = (number("min.compaction.lag.ms"), number("max.compaction.lag.ms"))
        && max < min
    {
        let wanted = format!("it cannot be above max.compaction.lag.ms={max}");
        return Err(Error::Value {
            name: "min.compaction.lag.ms".into(),
            value: min.to_string(),
            wanted,
        });
    }
    Ok(())
}

pub(crate) fn check_each(scope: Scope, overrides: &BTreeMap<String, String>) -> Result<(), Error> {
    for (name, said) in overrides {
        let Some(setting) = table::find(scope, name) else {
            let nearest = table::nearest(scope, name);
            return Err(Error::Unknown {
                name: name.clone(),
                nearest,
            });
        };
        value::check_said(setting, said)?;
    }
    Ok(())
}

/// A setting's value where nothing of its own is said: what `broker` knows under its synonyms, else the default.
pub(crate) fn inherited<'a>(setting: &Setting, broker: impl Fn(&str) -> Option<&'a str>) -> Option<String> {
    for synonym in setting.synonyms {
        if let Some(value) = broker(synonym) {
            return Some(in_ms(synonym, value));
        }
    }
    setting.default.map(str::to_owned)
}

/// Broker settings in hours and minutes stand for topic settings in ms.
fn in_ms(synonym: &str, value: &str) -> String {
    let factor: i64 = match synonym {
        name if name.ends_with(".hours") => 3_600_000,
        name if name.ends_with(".minutes") => 60_000,
        _ => return value.to_owned(),
    };
    match value.parse::<i64>() {
        Ok(number) if 0 <= number => number.saturating_mul(factor).to_string(),
        _ => value.to_owned(),
    }
}

impl TopicConfig {
    /// Overrides were checked when the topic was created or altered.
    pub fn resolve(
        overrides: &BTreeMap<String, String>,
        dynamic: Dynamic<'_>,
        broker: &BrokerConfig,
    ) -> TopicConfig {
        let get = |name: &str| -> String {
            let own = overrides
                .get(name)
                .map(|said| said.trim().trim_start_matches('+').to_owned());
            let setting = table::find(Scope::Topic, name);
            let above = |setting| inherited(setting, |name| dynamic.or_static(broker, name));
            own.or_else(|| setting.and_then(above)).unwrap_or_default()
        };
        let number = |name: &str| get(name).parse::<i64>().unwrap_or(0);
        let log_append = get("message.timestamp.type") == "LogAppendTime";
        let policy = get("cleanup.policy");
        let has = |wanted: &str| value::list(&policy).any(|word| word == wanted);
        TopicConfig {
            max_message_bytes: usize::try_from(number("max.message.bytes")).unwrap_or(0),
            timestamp_type: if log_append {
                TimestampType::LogAppendTime
            } else {
                TimestampType::CreateTime
            },
            timestamp_before_max_ms: number("message.timestamp.before.max.ms"),
            timestamp_after_max_ms: number("message.timestamp.after.max.ms"),
            compacted: has("compact"),
            deletes: has("delete"),
            retention_ms: Some(number("retention.ms")).filter(|ms| 0 <= *ms),
            retention_bytes: u64::try_from(number("retention.bytes")).ok(),
            segment_bytes: number("segment.bytes").unsigned_abs(),
            segment_ms: number("segment.ms"),
            segment_jitter_ms: number("segment.jitter.ms"),
            delete_retention_ms: number("delete.retention.ms"),
            min_compaction_lag_ms: number("min.compaction.lag.ms"),
            max_compaction_lag_ms: number("max.compaction.lag.ms"),
            min_cleanable_dirty_ratio: get("min.cleanable.dirty.ratio").parse().unwrap_or(0.5),
            file_delete_delay_ms: number("file.delete.delay.ms"),
            min_insync_replicas: number("min.insync.replicas") as i32,
            compression: compression(&get("compression.type"), |name| number(name) as i32),
            flush: Flush::from_word(&get("ottla.flush")),
        }
    }
}

fn compression(word: &str, level: impl Fn(&str) -> i32) -> Compression {
    match word {
        "uncompressed" => Compression::Uncompressed,
        "gzip" => Compression::Gzip(level("compression.gzip.level")),
        "snappy" => Compression::Snappy,
        "lz4" => Compression::Lz4(level("compression.lz4.level")),
        "zstd" => Compression::Zstd(level("compression.zstd.level")),
        _ => Compression::Producer,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Layers;

    #[test]
    fn a_topics_own_word_comes_before_the_brokers() {
        let mut layers = Layers::default();
        layers.set("message.max.bytes", "500", "--set");
        layers.set("log.message.timestamp.type", "LogAppendTime", "--set");
        let broker = BrokerConfig::new(&layers.check().expect("legal")).expect("legal");
        let own = BTreeMap::from([("message.timestamp.type".to_owned(), "CreateTime".to_owned())]);
        let nothing = BTreeMap::new();
        let dynamic = Dynamic {
            own: &nothing,
            cluster: &nothing,
        };
        let config = TopicConfig::resolve(&own, dynamic, &broker);
        assert_eq!(
            (config.max_message_bytes, config.timestamp_type),
            (500, TimestampType::CreateTime)
        );
        let config = TopicConfig::resolve(&nothing, dynamic, &broker);
        assert_eq!(config.timestamp_type, TimestampType::LogAppendTime);
        assert_eq!(config.timestamp_after_max_ms, 3_600_000);

        let all = BTreeMap::from([("message.max.bytes".to_owned(), "600".to_owned())]);
        let one = BTreeMap::from([("message.max.bytes".to_owned(), "700".to_owned())]);
        let resolved = |own, cluster| {
            TopicConfig::resolve(&nothing, Dynamic { own, cluster }, &broker).max_message_bytes
        };
        assert_eq!(resolved(&nothing, &all), 600);
        assert_eq!(resolved(&one, &all), 700);
    }

    #[test]
    fn settings_are_checked_against_each_other() {
        let pair = |min: &str, max: &str| {
            BTreeMap::from([
                ("min.compaction.lag.ms".to_owned(), min.to_owned()),
                ("max.compaction.lag.ms".to_owned(), max.to_owned()),
            ])
        };
        assert!(check_topic(&pair("1", "2")).is_ok());
        assert!(check_topic(&pair("3", "2")).is_err());
    }

    #[test]
    fn a_topic_may_sync_otherwise_than_its_broker() {
        let mut layers = Layers::default();
        layers.set("ottla.flush", "never", "--set");
        let broker = BrokerConfig::new(&layers.check().expect("legal")).expect("legal");
        let nothing = BTreeMap::new();
        let dynamic = Dynamic {
            own: &nothing,
            cluster: &nothing,
        };
        let own = BTreeMap::from([("ottla.flush".to_owned(), "ack".to_owned())]);
        assert_eq!(
            TopicConfig::resolve(&nothing, dynamic, &broker).flush,
            Flush::Never
        );
        assert_eq!(TopicConfig::resolve(&own, dynamic, &broker).flush, Flush::Ack);
    }

    #[test]
    fn limits_that_are_none_and_codecs_with_their_levels() {
        let broker = BrokerConfig::new(&Layers::default().check().expect("legal")).expect("legal");
        let nothing = BTreeMap::new();
        let dynamic = Dynamic {
            own: &nothing,
            cluster: &nothing,
        };
        let plain = TopicConfig::resolve(&nothing, dynamic, &broker);
        assert_eq!(
            (plain.retention_ms, plain.retention_bytes),
            (Some(604_800_000), None)
        );
        assert_eq!((plain.deletes, plain.compacted), (true, false));
        assert_eq!(plain.compression, Compression::Producer);
        let said = |pairs: &[(&str, &str)]| {
            let owned = |(name, value): &(&str, &str)| (name.to_string(), value.to_string());
            TopicConfig::resolve(&pairs.iter().map(owned).collect(), dynamic, &broker)
        };
        let forever = said(&[
            ("retention.ms", "-1"),
            ("cleanup.policy", "compact"),
            ("compression.type", "zstd"),
            ("compression.zstd.level", "-7"),
        ]);
        assert_eq!((forever.retention_ms, forever.deletes), (None, false));
        assert_eq!(forever.compression, Compression::Zstd(-7));
    }
}
