//! What a topic's settings come to: its own, else the broker's, else the default.

use std::collections::BTreeMap;

use crate::table::{self, Scope, Setting};
use crate::{BrokerConfig, Dynamic, Error, value};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimestampType {
    CreateTime,
    LogAppendTime,
}

/// The settings of a topic that the broker reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicConfig {
    pub max_message_bytes: usize,
    pub timestamp_type: TimestampType,
    pub timestamp_before_max_ms: i64,
    pub timestamp_after_max_ms: i64,
    pub compacted: bool,
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

/// Checks a group's own settings: names and values.
pub fn check_group(overrides: &BTreeMap<String, String>) -> Result<(), Error> {
    check_each(Scope::Group, overrides)
}

fn check_each(scope: Scope, overrides: &BTreeMap<String, String>) -> Result<(), Error> {
    for (name, said) in overrides {
        let Some(setting) = table::find(scope, name) else {
            let nearest = table::nearest(scope, name);
            return Err(Error::Unknown {
                name: name.clone(),
                nearest,
            });
        };
        value::check(setting, said)?;
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
            let own = overrides.get(name).map(|said| said.trim().to_owned());
            let setting = table::find(Scope::Topic, name);
            let above = |setting| inherited(setting, |name| dynamic.or_static(broker, name));
            own.or_else(|| setting.and_then(above)).unwrap_or_default()
        };
        let number = |name: &str| get(name).parse::<i64>().unwrap_or(0);
        let log_append = get("message.timestamp.type") == "LogAppendTime";
        TopicConfig {
            max_message_bytes: usize::try_from(number("max.message.bytes")).unwrap_or(0),
            timestamp_type: if log_append {
                TimestampType::LogAppendTime
            } else {
                TimestampType::CreateTime
            },
            timestamp_before_max_ms: number("message.timestamp.before.max.ms"),
            timestamp_after_max_ms: number("message.timestamp.after.max.ms"),
            compacted: value::list(&get("cleanup.policy")).any(|policy| policy == "compact"),
        }
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
}
