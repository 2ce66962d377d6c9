//! `-X` and `-F`: settings by librdkafka's names, as those of our client.

use std::time::Duration;

use client::{Client, ClientConfig, ConsumerConfig, ProducerConfig};

use super::options::Options;
use super::partitioner::Partitioner;
use super::{Stop, system};
use crate::kafka::{Settings, properties};

/// librdkafka's names that are not Kafka's, and what Kafka calls the same.
const OTHER_NAMES: &[(&str, &str)] = &[
    ("metadata.broker.list", "bootstrap.servers"),
    ("request.required.acks", "acks"),
    ("compression.codec", "compression.type"),
    ("queue.buffering.max.ms", "linger.ms"),
    ("message.timeout.ms", "delivery.timeout.ms"),
    ("message.max.bytes", "max.request.size"),
    ("max.in.flight", "max.in.flight.requests.per.connection"),
    ("auto.commit.enable", "enable.auto.commit"),
    ("fetch.message.max.bytes", "max.partition.fetch.bytes"),
    ("fetch.wait.max.ms", "fetch.max.wait.ms"),
    ("topic.metadata.refresh.interval.ms", "metadata.max.age.ms"),
];

/// Beginnings of names that librdkafka has and our client has no use for.
const PASSED_OVER: &[&str] = &[
    "allow.",
    "api.version",
    "batch.",
    "broker.",
    "builtin.",
    "check.",
    "client.",
    "closesocket",
    "compression.",
    "connections.",
    "consume.",
    "coordinator.",
    "debug",
    "delivery.",
    "dr_",
    "enable.",
    "fetch.",
    "group.",
    "heartbeat.",
    "internal.",
    "interceptors",
    "isolation.",
    "linger.",
    "log",
    "log.",
    "max.",
    "message.",
    "metadata.",
    "msg_order_cmp",
    "oauthbearer",
    "offset.",
    "opaque",
    "partition.assignment",
    "plugin.",
    "produce.",
    "queue",
    "queued.",
    "receive.",
    "reconnect.",
    "request.",
    "retries",
    "retry.",
    "sasl.",
    "security.",
    "session.",
    "socket.",
    "ssl",
    "statistics.",
    "sticky.",
    "topic.",
    "transaction.",
    "acks",
    "auto.",
    "bootstrap.servers",
    "check.crcs",
];

/// The settings that were given.
#[derive(Debug, Default)]
pub(super) struct Properties {
    settings: Settings,
    partitioner: Partitioner,
    metadata_timeout: Duration,
}

impl Properties {
    /// Of files and flags; a flag wins.
    pub(super) fn of(options: &Options) -> Result<Properties, Stop> {
        let seconds = options.metadata_seconds.unwrap_or(5);
        let mut found = Properties {
            metadata_timeout: Duration::from_secs(seconds.max(1)),
            ..Properties::default()
        };
        found.default_files(options)?;
        for path in &options.files {
            found.file(options, path)?;
        }
        for (name, value) in &options.properties {
            found.set(name, value)?;
        }
        if let Some(brokers) = &options.brokers {
            found.set("bootstrap.servers", brokers)?;
        }
        Ok(found)
    }

    fn default_files(&mut self, options: &Options) -> Result<(), Stop> {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        if options.files.is_empty()
            && let Some(path) = variable("KCAT_CONFIG")
        {
            return self.file(options, &path);
        }
        if options.no_default_file {
            return Ok(());
        }
        let path = variable("HOME").map(|home| format!("{home}/.config/kcat.conf"));
        match path.filter(|path| std::path::Path::new(path).exists()) {
            Some(path) => self.file(options, &path),
            None => Ok(()),
        }
    }

    fn file(&mut self, options: &Options, path: &str) -> Result<(), Stop> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| Stop::fatal(format!("Failed to open {path}: {}", system(&error))))?;
        options.say(&format!("Reading configuration from file {path}"));
        for (name, value) in properties::parse(&text) {
            self.set(&name, value.trim_end())?;
        }
        Ok(())
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), Stop> {
        let plain = name
            .strip_prefix("topic.")
            .filter(|rest| !rest.starts_with("metadata."));
        let plain = plain.unwrap_or(name);
        match plain {
            "transactional.id" => {
                return Err(Stop::fatal(
                    "transactions are not served yet: leave transactional.id out",
                ));
            }
            "partitioner" => {
                self.partitioner = Partitioner::named(value)?;
                return Ok(());
            }
            "security.protocol" if !value.eq_ignore_ascii_case("plaintext") => {
                return Err(Stop::fatal(format!(
                    "security.protocol={value} is not served yet, only plaintext"
                )));
            }
            _ => {}
        }
        let known = OTHER_NAMES.iter().find(|(other, _)| *other == plain);
        if known.is_none() && !PASSED_OVER.iter().any(|beginning| plain.starts_with(beginning)) {
            return Err(Stop::fatal(format!("No such configuration property: \"{name}\"")));
        }
        let kafkas = known.map_or(plain, |(_, kafkas)| kafkas);
        self.settings.set(kafkas, meaning(kafkas, value));
        // A number or a word that cannot be is refused now.
        let checked = self
            .settings
            .producer()
            .err()
            .or_else(|| self.settings.consumer().err());
        match checked {
            Some(wrong) if wrong.contains("Not a number") => Err(Stop::fatal(format!(
                "Invalid value for configuration property \"{name}\""
            ))),
            Some(_) => Err(Stop::fatal(format!(
                "Invalid value \"{value}\" for configuration property \"{name}\""
            ))),
            None => Ok(()),
        }
    }

    pub(super) fn has_servers(&self) -> bool {
        self.settings.get("bootstrap.servers").is_some()
    }

    pub(super) fn partitioner(&self) -> Partitioner {
        self.partitioner
    }

    pub(super) fn client(&self) -> Result<Client, Stop> {
        let mut settings = self.settings.clone();
        settings.merge("client.id", None, "rdkafka");
        let servers = with_ports(settings.get("bootstrap.servers").unwrap_or_default());
        let mut config: ClientConfig = settings
            .client(&servers)
            .map_err(|_| Stop::fatal("a setting of the client makes no sense"))?;
        config.api_timeout = self
            .metadata_timeout
            .max(config.request_timeout.min(self.metadata_timeout));
        Client::new(config).map_err(|error| Stop::fatal(error.to_string()))
    }

    pub(super) fn producer(&self) -> Result<ProducerConfig, Stop> {
        self.settings.producer().map_err(Stop::Fatal)
    }

    pub(super) fn consumer(&self) -> Result<ConsumerConfig, Stop> {
        self.settings.consumer().map_err(Stop::Fatal)
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.settings.get(name)
    }
}

/// librdkafka's word for a value as Kafka's.
fn meaning<'a>(name: &str, value: &'a str) -> &'a str {
    match (name, value) {
        ("auto.offset.reset", "smallest" | "beginning") => "earliest",
        ("auto.offset.reset", "largest" | "end") => "latest",
        ("auto.offset.reset", "error") => "none",
        ("partition.assignment.strategy", _) => strategy(value),
        _ => value,
    }
}

/// Names of assignors as librdkafka has them.
fn strategy(value: &str) -> &str {
    match value {
        "range" => "RangeAssignor",
        "roundrobin" => "RoundRobinAssignor",
        "range,roundrobin" => "RangeAssignor,RoundRobinAssignor",
        "cooperative-sticky" => "CooperativeStickyAssignor",
        other => other,
    }
}

/// The brokers, with port 9092 where none is given.
fn with_ports(servers: &str) -> String {
    let with_port = |server: &str| {
        let host = server.rsplit_once("://").map_or(server, |(_, host)| host);
        let has_port = match host.rsplit_once(']') {
            Some((_, behind)) => behind.starts_with(':'),
            None => host.contains(':'),
        };
        if has_port {
            server.to_owned()
        } else {
            format!("{server}:9092")
        }
    };
    let each: Vec<String> = servers.split(',').map(str::trim).map(with_port).collect();
    each.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(pairs: &[(&str, &str)]) -> Result<Properties, Stop> {
        let mut found = Properties::default();
        for (name, value) in pairs {
            found.set(name, value)?;
        }
        Ok(found)
    }

    #[test]
    fn librdkafkas_names_are_kafkas_settings() {
        let found = given(&[
            ("queue.buffering.max.ms", "7"),
            ("topic.request.required.acks", "1"),
        ]);
        let config = found.expect("known").producer().expect("good");
        assert_eq!(
            (config.linger, config.acks),
            (Duration::from_millis(7), client::Acks::Leader)
        );
        let found = given(&[
            ("auto.offset.reset", "smallest"),
            ("socket.keepalive.enable", "true"),
        ]);
        assert_eq!(
            found.expect("known").consumer().expect("good").reset,
            client::Reset::Earliest
        );
    }

    #[test]
    fn what_librdkafka_would_refuse_is_refused() {
        let refused = |name, value| given(&[(name, value)]).err();
        assert_eq!(
            refused("nope", "1"),
            Some(Stop::fatal("No such configuration property: \"nope\""))
        );
        let said = "Invalid value \"nope\" for configuration property \"compression.codec\"";
        assert_eq!(refused("compression.codec", "nope"), Some(Stop::fatal(said)));
        assert!(refused("partitioner", "x").is_some());
    }

    #[test]
    fn brokers_without_a_port_are_on_9092() {
        assert_eq!(
            with_ports("a,b:1, [::1]:2,[::1]"),
            "a:9092,b:1,[::1]:2,[::1]:9092"
        );
    }
}
