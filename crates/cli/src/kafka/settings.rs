//! Settings of a Java producer or consumer, by Kafka's names, as those of our clients.
//!
//! What our client has no setting for is passed over; values are checked as Kafka's `ConfigDef` checks them.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::time::Duration;

use client::{Acks, Assignor, ClientConfig, Codec, ConsumerConfig, Isolation, ProducerConfig, Reset};

use super::options::Options;
use super::{Stop, connect, properties};

/// Names and values.
#[derive(Debug, Default, Clone)]
pub(crate) struct Settings(BTreeMap<String, String>);

/// `java.io`'s word for a file that is not there, or what the system said.
pub(crate) fn unreadable(path: &str, error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => format!("java.nio.file.NoSuchFileException: {path}"),
        _ => format!("java.io.IOException: {path}: {error}"),
    }
}

impl Settings {
    /// Those of a file, if the flag is given, and over them those of a flag of pairs.
    pub(crate) fn of(options: &Options, file: &str, pairs: &str) -> Result<Settings, String> {
        let mut settings = Settings::of_file(options, file)?;
        settings.extend(Settings::of_pairs(options, pairs));
        Ok(settings)
    }

    /// Those of the file that a flag names; an error is what Java's exception says.
    pub(crate) fn of_file(options: &Options, flag: &str) -> Result<Settings, String> {
        let Some(path) = options.value(flag) else {
            return Ok(Settings::default());
        };
        let text = std::fs::read_to_string(path).map_err(|error| unreadable(path, &error))?;
        Ok(Settings(properties::parse(&text).into_iter().collect()))
    }

    /// Those of a flag that may come more than once; without a value they are empty
    /// (`CommandLineUtils.parseKeyValueArgs`).
    pub(crate) fn of_pairs(options: &Options, flag: &str) -> Settings {
        let mut settings = Settings::default();
        for text in options.values(flag) {
            let (name, value) = text.split_once('=').unwrap_or((text, ""));
            settings.set(name, value);
        }
        settings
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.0.insert(name.to_owned(), value.to_owned());
    }

    /// Others over these.
    pub(crate) fn extend(&mut self, others: Settings) {
        self.0.extend(others.0);
    }

    /// The value of a flag if it is given, else `otherwise` unless there is a value already
    /// (`CommandLineUtils.maybeMergeOptions`).
    pub(crate) fn merge(&mut self, name: &str, given: Option<&str>, otherwise: &str) {
        match given {
            Some(value) => self.set(name, value),
            None if self.get(name).is_none() => self.set(name, otherwise),
            None => {}
        }
    }

    /// A switch as Kafka's formatters and readers understand it: anything but `true` is no.
    pub(crate) fn is_true(&self, name: &str) -> bool {
        self.get(name)
            .is_some_and(|value| value.trim().eq_ignore_ascii_case("true"))
    }

    fn number<T: FromStr>(&self, name: &str, kind: &str) -> Result<Option<T>, String> {
        let Some(text) = self.get(name) else {
            return Ok(None);
        };
        let wrong = |_| format!("Invalid value {text} for configuration {name}: Not a number of type {kind}");
        text.trim().parse().map(Some).map_err(wrong)
    }

    fn milliseconds(&self, name: &str) -> Result<Option<Duration>, String> {
        let found: Option<u64> = self.number(name, "LONG")?;
        Ok(found.map(Duration::from_millis))
    }

    fn one_of<T: Copy>(&self, name: &str, choices: &[(&str, T)]) -> Result<Option<T>, String> {
        let Some(text) = self.get(name) else {
            return Ok(None);
        };
        let found = choices.iter().find(|(choice, _)| *choice == text);
        let Some((_, meant)) = found else {
            let names: Vec<&str> = choices.iter().map(|(choice, _)| *choice).collect();
            return Err(format!(
                "Invalid value {text} for configuration {name}: String must be one of: {}",
                names.join(", ")
            ));
        };
        Ok(Some(*meant))
    }

    /// What every client has.
    pub(crate) fn client(&self, servers: &str) -> Result<ClientConfig, Stop> {
        let mut config = ClientConfig::new(servers);
        for (name, value) in &self.0 {
            connect::apply(&mut config, name, value)?;
        }
        let milliseconds = |name| self.milliseconds(name).map_err(Stop::Usage);
        if let Some(backoff) = milliseconds("retry.backoff.ms")? {
            config.retry_backoff = backoff;
        }
        if let Some(age) = milliseconds("metadata.max.age.ms")? {
            config.metadata_max_age = age;
        }
        Ok(config)
    }

    /// A producer's; Kafka's defaults where nothing is said.
    pub(crate) fn producer(&self) -> Result<ProducerConfig, String> {
        let mut config = ProducerConfig {
            batch_bytes: 16 << 10,
            ..ProducerConfig::default()
        };
        let acks = [
            ("all", Acks::All),
            ("-1", Acks::All),
            ("0", Acks::None),
            ("1", Acks::Leader),
        ];
        put(&mut config.acks, self.one_of("acks", &acks)?);
        put(&mut config.codec, self.one_of("compression.type", CODECS)?);
        put(&mut config.linger, self.milliseconds("linger.ms")?);
        put(&mut config.block_max, self.milliseconds("max.block.ms")?);
        put(
            &mut config.delivery_timeout,
            self.milliseconds("delivery.timeout.ms")?,
        );
        put(&mut config.batch_bytes, self.number("batch.size", "INT")?);
        put(&mut config.buffer_bytes, self.number("buffer.memory", "LONG")?);
        put(&mut config.request_bytes, self.number("max.request.size", "INT")?);
        let in_flight = "max.in.flight.requests.per.connection";
        put(&mut config.in_flight_max, self.number(in_flight, "INT")?);
        let switches = [("true", true), ("false", false)];
        config.idempotence = self.one_of("enable.idempotence", &switches)?;
        config.batch_bytes = config.batch_bytes.max(1);
        config.request_bytes = config.request_bytes.min(config.buffer_bytes);
        Ok(config)
    }

    /// A consumer's; Kafka's defaults where nothing is said.
    pub(crate) fn consumer(&self) -> Result<ConsumerConfig, String> {
        let mut config = ConsumerConfig {
            group: self.get("group.id").map(str::to_owned),
            instance_id: self.get("group.instance.id").map(str::to_owned),
            // Kafka's 500: a tool that ends after some records has little to give back.
            poll_records_max: 500,
            ..ConsumerConfig::default()
        };
        if let Some(text) = self.get("auto.offset.reset") {
            config.reset = reset(text)?;
        }
        let levels = [
            ("read_committed", Isolation::ReadCommitted),
            ("read_uncommitted", Isolation::ReadUncommitted),
        ];
        put(&mut config.isolation, self.one_of("isolation.level", &levels)?);
        put(
            &mut config.session_timeout,
            self.milliseconds("session.timeout.ms")?,
        );
        put(
            &mut config.heartbeat_interval,
            self.milliseconds("heartbeat.interval.ms")?,
        );
        put(
            &mut config.poll_interval_max,
            self.milliseconds("max.poll.interval.ms")?,
        );
        put(
            &mut config.poll_records_max,
            self.number("max.poll.records", "INT")?,
        );
        put(
            &mut config.fetch_bytes_min,
            self.number("fetch.min.bytes", "INT")?,
        );
        put(
            &mut config.fetch_wait_max,
            self.milliseconds("fetch.max.wait.ms")?,
        );
        put(
            &mut config.fetch_bytes_max,
            self.number("fetch.max.bytes", "INT")?,
        );
        put(
            &mut config.partition_bytes_max,
            self.number("max.partition.fetch.bytes", "INT")?,
        );
        let switches = [("true", true), ("false", false)];
        put(&mut config.check_crcs, self.one_of("check.crcs", &switches)?);
        let interval = self.milliseconds("auto.commit.interval.ms")?;
        let commits = self.one_of("enable.auto.commit", &switches)?.unwrap_or(true);
        config.auto_commit = commits.then(|| interval.unwrap_or(Duration::from_secs(5)));
        if let Some(text) = self.get("partition.assignment.strategy") {
            config.assignors = text.split(',').map(assignor).collect::<Result<_, _>>()?;
        }
        Ok(config)
    }
}

pub(crate) const CODECS: &[(&str, Codec)] = &[
    ("none", Codec::None),
    ("gzip", Codec::Gzip),
    ("snappy", Codec::Snappy),
    ("lz4", Codec::Lz4),
    ("zstd", Codec::Zstd),
];

fn put<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}

fn reset(text: &str) -> Result<Reset, String> {
    match text {
        "earliest" => Ok(Reset::Earliest),
        "latest" => Ok(Reset::Latest),
        "none" => Ok(Reset::Fail),
        _ => Err(format!(
            "Invalid value {text} for configuration auto.offset.reset: Invalid value `{text}` for configuration \
             auto.offset.reset. The value must be either 'earliest', 'latest', 'none' or of the format \
             'by_duration:<PnDTnHnMn.nS.>'."
        )),
    }
}

/// By the class's name, with or without its package.
fn assignor(class: &str) -> Result<Assignor, String> {
    let name = class.trim().rsplit('.').next().unwrap_or_default();
    match name {
        "RangeAssignor" => Ok(Assignor::Range),
        "RoundRobinAssignor" => Ok(Assignor::RoundRobin),
        "StickyAssignor" => Ok(Assignor::Sticky),
        "CooperativeStickyAssignor" => Ok(Assignor::CooperativeSticky),
        _ => Err(format!(
            "Invalid value {class} for configuration partition.assignment.strategy: Class {class} could not be found."
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(pairs: &[(&str, &str)]) -> Settings {
        let mut settings = Settings::default();
        for (name, value) in pairs {
            settings.set(name, value);
        }
        settings
    }

    #[test]
    fn a_flag_wins_over_a_property_and_a_property_over_the_default() {
        let mut given = settings(&[("acks", "1")]);
        given.merge("acks", None, "-1");
        given.merge("linger.ms", None, "1000");
        assert_eq!(
            (given.get("acks"), given.get("linger.ms")),
            (Some("1"), Some("1000"))
        );
        given.merge("acks", Some("0"), "-1");
        assert_eq!(given.producer().expect("good").acks, Acks::None);
        assert_eq!(given.producer().expect("good").linger, Duration::from_secs(1));
    }

    #[test]
    fn values_are_refused_in_kafkas_words() {
        let refused = |name, value| {
            let given = settings(&[(name, value)]);
            let producer = given.producer().err();
            producer.or_else(|| given.consumer().err()).unwrap_or_default()
        };
        assert_eq!(
            refused("acks", "7"),
            "Invalid value 7 for configuration acks: String must be one of: all, -1, 0, 1"
        );
        assert_eq!(
            refused("linger.ms", "x"),
            "Invalid value x for configuration linger.ms: Not a number of type LONG"
        );
        assert!(refused("isolation.level", "x").contains("read_committed"));
        assert!(refused("auto.offset.reset", "x").contains("auto.offset.reset"));
    }

    #[test]
    fn a_consumer_commits_unless_it_is_told_not_to() {
        let config = settings(&[("auto.commit.interval.ms", "100")])
            .consumer()
            .expect("good");
        assert_eq!(config.auto_commit, Some(Duration::from_millis(100)));
        let config = settings(&[("enable.auto.commit", "false")])
            .consumer()
            .expect("good");
        assert_eq!(config.auto_commit, None);
        let strategy = "org.apache.kafka.clients.consumer.RangeAssignor,StickyAssignor";
        let config = settings(&[("partition.assignment.strategy", strategy)])
            .consumer()
            .expect("good");
        assert_eq!(config.assignors, [Assignor::Range, Assignor::Sticky]);
    }
}
