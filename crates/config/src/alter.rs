//! What may be said of a running broker, a group or a client-metrics subscription, and what not (Kafka's
//! `DynamicBrokerConfig`, `GroupConfig.validate`, `ClientMetricsConfigs.validate`).

use std::collections::BTreeMap;

use crate::table::{self, Kind, Scope, Setting};
use crate::topic::check_each;
use crate::{BrokerConfig, Dynamic, value};

/// Why an alteration is refused. Kafka says some with INVALID_REQUEST, others with INVALID_CONFIG.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    Request(String),
    Config(String),
}

/// Whose settings a dynamic broker setting is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    /// One broker's.
    One,
    /// The default of all brokers.
    All,
}

/// Before a setting of one listener: `listener.name.NAME.SETTING`.
const LISTENER_PREFIX: &str = "listener.name.";
/// May be said of all brokers although they belong to a listener.
const OF_ALL_LISTENERS: [&str; 3] = [
    "max.connections",
    "max.connection.creation.rate",
    "num.network.threads",
];
/// May be said of one broker alone, beside everything that begins with `ssl.` or `sasl.`.
const OF_ONE_BROKER: [&str; 4] = [
    "cordoned.log.dirs",
    "listener.security.protocol.map",
    "listeners",
    "principal.builder.class",
];
/// May be said of one listener alone (`SslConfigs.RECONFIGURABLE_CONFIGS`).
const OF_ONE_LISTENER: [&str; 10] = [
    "ssl.key.password",
    "ssl.keystore.certificate.chain",
    "ssl.keystore.key",
    "ssl.keystore.location",
    "ssl.keystore.password",
    "ssl.keystore.type",
    "ssl.truststore.certificates",
    "ssl.truststore.location",
    "ssl.truststore.password",
    "ssl.truststore.type",
];
/// Numbers of threads change by half or double at most, from one value to the next.
const THREADS: [&str; 11] = [
    "background.threads",
    "log.cleaner.threads",
    "num.io.threads",
    "num.network.threads",
    "num.recovery.threads.per.data.dir",
    "num.replica.fetchers",
    "remote.log.manager.copier.thread.pool.size",
    "remote.log.manager.expiration.thread.pool.size",
    "remote.log.manager.follower.thread.pool.size",
    "remote.log.manager.thread.pool.size",
    "remote.log.reader.threads",
];
/// Kafka's limits of replication traffic: dynamic only, with no default.
const RATES: [&str; 3] = [
    "follower.replication.throttled.rate",
    "leader.replication.throttled.rate",
    "replica.alter.log.dirs.io.max.bytes.per.second",
];

/// The name of the setting without the listener that it is said of.
fn base_name(name: &str) -> &str {
    let rest = name.strip_prefix(LISTENER_PREFIX);
    rest.and_then(|rest| rest.split_once('.'))
        .map_or(name, |(_, base)| base)
}

/// The type of a broker setting by the name that an alteration uses.
pub fn dynamic_broker_kind(name: &str) -> Option<Kind> {
    if RATES.contains(&name) {
        return Some(Kind::Long);
    }
    table::find(Scope::Broker, base_name(name)).map(|setting| setting.kind)
}

/// Whether the broker may be told this while it runs. Names that nobody knows may be anybody's.
pub fn is_dynamic(name: &str) -> bool {
    table::find(Scope::Broker, name).is_none_or(|setting| !setting.read_only)
}

/// Checks everything that is said dynamically of one broker, or of all, as it would be after the alteration. The rules
/// come in Kafka's order; a refusal is an INVALID_REQUEST there.
pub fn check_broker(
    said: &BTreeMap<String, String>,
    of: Of,
    before: Dynamic<'_>,
    broker: &BrokerConfig,
) -> Result<(), String> {
    refuse_names(said, "cannot change while the broker runs", |name| {
        !is_dynamic(name)
    })?;
    refuse_names(
        said,
        "can only be said of a listener, as listener.name.NAME.SETTING",
        |name| OF_ONE_LISTENER.contains(&name),
    )?;
    for (name, text) in said {
        check_type(name, text)?;
    }
    if of == Of::All {
        refuse_names(said, "can only be said of one broker", of_one_broker)?;
    }
    let after = match of {
        Of::One => Dynamic { own: said, ..before },
        Of::All => Dynamic {
            cluster: said,
            ..before
        },
    };
    check_together(before, after, broker)
}

fn of_one_broker(name: &str) -> bool {
    let base = base_name(name);
    if base != name {
        return !OF_ALL_LISTENERS.contains(&base);
    }
    let security = name.starts_with("ssl.") || name.starts_with("sasl.");
    OF_ONE_BROKER.contains(&name)
        || security && is_dynamic(name) && table::find(Scope::Broker, name).is_some()
}

fn refuse_names(
    said: &BTreeMap<String, String>,
    why: &str,
    is_bad: impl Fn(&str) -> bool,
) -> Result<(), String> {
    let bad: Vec<&str> = said
        .keys()
        .map(String::as_str)
        .filter(|name| is_bad(name))
        .collect();
    if bad.is_empty() {
        Ok(())
    } else {
        Err(format!("{}: {why}", bad.join(", ")))
    }
}

fn check_type(name: &str, text: &str) -> Result<(), String> {
    if RATES.contains(&name) {
        let rate = text.trim().parse::<i64>().ok().filter(|rate| 0 <= *rate);
        return rate
            .map(|_| ())
            .ok_or_else(|| format!("{name}={text} is not legal: bytes a second are wanted, from 0"));
    }
    let Some(setting) = table::find(Scope::Broker, base_name(name)) else {
        return Ok(());
    };
    value::check_said(setting, text).map_err(|error| error.to_string())?;
    let is_default = setting.default == Some(text.trim());
    if setting.kind == Kind::Class && !is_default && !text.trim().is_empty() {
        return Err(format!(
            "{name}={text} is not legal: there are no classes to load here"
        ));
    }
    Ok(())
}

/// What the values of several settings come to.
fn check_together(before: Dynamic<'_>, after: Dynamic<'_>, broker: &BrokerConfig) -> Result<(), String> {
    let number = |dynamic: Dynamic<'_>, name: &str| -> Option<i64> {
        let said = dynamic.or_static(broker, name).map(str::to_owned);
        let default =
            || table::find(Scope::Broker, name).and_then(|setting| setting.default.map(str::to_owned));
        said.or_else(default)?.trim().parse().ok()
    };
    for name in THREADS {
        let (Some(old), Some(new)) = (number(before, name), number(after, name)) else {
            continue;
        };
        let fits = old == new || (old / 2 <= new && new <= old * 2 && 1 <= new);
        if !fits {
            return Err(format!(
                "{name}={new} is more than twice or less than half of the {old} there are"
            ));
        }
    }
    if let Some(roll) = number(after, "log.roll.ms").filter(|roll| *roll < 1) {
        return Err(format!("log.roll.ms={roll} is not legal: it must be 1 at least"));
    }
    local_within_whole(
        number(after, "log.local.retention.ms"),
        retention_ms(after, broker),
        "log.local.retention.ms",
    )?;
    local_within_whole(
        number(after, "log.local.retention.bytes"),
        number(after, "log.retention.bytes"),
        "log.local.retention.bytes",
    )?;
    let overrides = after.or_static(broker, "max.connections.per.ip.overrides");
    crate::connections::check_overrides(overrides.unwrap_or_default())?;
    cordoned(after, broker)?;
    let moved = |name: &str| after.or_static(broker, name) != before.or_static(broker, name);
    if moved("listeners") || moved("listener.security.protocol.map") {
        return Err("listeners change with a restart in this version".to_owned());
    }
    Ok(())
}

/// -2 takes the whole; a part cannot be more than that.
fn local_within_whole(local: Option<i64>, whole: Option<i64>, name: &str) -> Result<(), String> {
    let (Some(local), Some(whole)) = (local, whole) else {
        return Ok(());
    };
    let too_much = local != -2 && whole != -1 && (local == -1 || whole < local);
    if too_much {
        return Err(format!(
            "{name}={local} is more than the {whole} that are kept in all"
        ));
    }
    Ok(())
}

fn retention_ms(dynamic: Dynamic<'_>, broker: &BrokerConfig) -> Option<i64> {
    let retention = table::find(Scope::Topic, "retention.ms")?;
    let said = |name: &str| dynamic.or_static(broker, name);
    crate::topic::inherited(retention, said)?.trim().parse().ok()
}

fn cordoned(dynamic: Dynamic<'_>, broker: &BrokerConfig) -> Result<(), String> {
    let said = dynamic.or_static(broker, "cordoned.log.dirs").unwrap_or_default();
    let known = said_dirs(dynamic, broker);
    for folder in value::list(said) {
        if folder != "*" && !known.contains(&folder.to_owned()) {
            return Err(format!("cordoned.log.dirs: {folder} is no log directory"));
        }
    }
    Ok(())
}

fn said_dirs(dynamic: Dynamic<'_>, broker: &BrokerConfig) -> Vec<String> {
    let dirs = dynamic
        .or_static(broker, "log.dirs")
        .or_else(|| dynamic.or_static(broker, "log.dir"))
        .unwrap_or(&broker.log_dir);
    value::list(dirs).map(str::to_owned).collect()
}

/// A group's bound, and the broker settings between which it must lie.
const GROUP_BOUNDS: [(&str, Option<&str>, Option<&str>); 14] = {
    macro_rules! between {
        ($name:literal, $low:literal, $high:literal) => {
            ($name, Some($low), Some($high))
        };
    }
    [
        between!(
            "consumer.heartbeat.interval.ms",
            "group.consumer.min.heartbeat.interval.ms",
            "group.consumer.max.heartbeat.interval.ms"
        ),
        between!(
            "consumer.session.timeout.ms",
            "group.consumer.min.session.timeout.ms",
            "group.consumer.max.session.timeout.ms"
        ),
        between!(
            "consumer.assignment.interval.ms",
            "group.consumer.min.assignment.interval.ms",
            "group.consumer.max.assignment.interval.ms"
        ),
        between!(
            "share.heartbeat.interval.ms",
            "group.share.min.heartbeat.interval.ms",
            "group.share.max.heartbeat.interval.ms"
        ),
        between!(
            "share.session.timeout.ms",
            "group.share.min.session.timeout.ms",
            "group.share.max.session.timeout.ms"
        ),
        between!(
            "share.assignment.interval.ms",
            "group.share.min.assignment.interval.ms",
            "group.share.max.assignment.interval.ms"
        ),
        between!(
            "share.record.lock.duration.ms",
            "group.share.min.record.lock.duration.ms",
            "group.share.max.record.lock.duration.ms"
        ),
        between!(
            "share.delivery.count.limit",
            "group.share.min.delivery.count.limit",
            "group.share.max.delivery.count.limit"
        ),
        between!(
            "share.partition.max.record.locks",
            "group.share.min.partition.max.record.locks",
            "group.share.max.partition.max.record.locks"
        ),
        between!(
            "streams.heartbeat.interval.ms",
            "group.streams.min.heartbeat.interval.ms",
            "group.streams.max.heartbeat.interval.ms"
        ),
        between!(
            "streams.session.timeout.ms",
            "group.streams.min.session.timeout.ms",
            "group.streams.max.session.timeout.ms"
        ),
        between!(
            "streams.assignment.interval.ms",
            "group.streams.min.assignment.interval.ms",
            "group.streams.max.assignment.interval.ms"
        ),
        (
            "streams.num.standby.replicas",
            None,
            Some("group.streams.max.standby.replicas"),
        ),
        ("streams.initial.rebalance.delay.ms", None, None),
    ]
};

/// Checks a group's own settings: names, values, the broker's bounds, and that sessions outlast heartbeats.
pub fn check_group(
    overrides: &BTreeMap<String, String>,
    dynamic: Dynamic<'_>,
    broker: &BrokerConfig,
) -> Result<(), Refusal> {
    check_each(Scope::Group, overrides).map_err(|error| Refusal::Config(error.to_string()))?;
    let of_broker = |name: &str| -> Option<i64> {
        let default = || table::find(Scope::Broker, name).and_then(|setting| setting.default);
        dynamic
            .or_static(broker, name)
            .or_else(default)?
            .trim()
            .parse()
            .ok()
    };
    let said = |name: &str| {
        overrides
            .get(name)
            .and_then(|text| text.trim().parse::<i64>().ok())
    };
    for (name, low, high) in GROUP_BOUNDS {
        let Some(number) = said(name) else { continue };
        for (bound, word, is_outside) in [
            (
                low,
                "below",
                (|number, bound| number < bound) as fn(i64, i64) -> bool,
            ),
            (high, "above", |number, bound| bound < number),
        ] {
            let Some(bound) = bound else { continue };
            if let Some(limit) = of_broker(bound).filter(|limit| is_outside(number, *limit)) {
                return Err(Refusal::Config(format!(
                    "{name}={number} is {word} {bound}={limit}"
                )));
            }
        }
    }
    for kind in ["consumer", "share", "streams"] {
        let of = |what: &str| {
            let name = format!("{kind}.{what}");
            said(&name).or_else(|| of_broker(&format!("group.{name}")))
        };
        if let (Some(session), Some(heartbeat)) = (of("session.timeout.ms"), of("heartbeat.interval.ms"))
            && session <= heartbeat
        {
            let message = format!(
                "{kind}.session.timeout.ms={session} must be above {kind}.heartbeat.interval.ms={heartbeat}"
            );
            return Err(Refusal::Config(message));
        }
    }
    Ok(())
}

/// What a client-metrics subscription matches clients by.
const MATCHES: [&str; 6] = [
    "client_instance_id",
    "client_id",
    "client_software_name",
    "client_software_version",
    "client_source_address",
    "client_source_port",
];
/// Kafka's bounds of `interval.ms`.
const METRICS_INTERVAL_MS: std::ops::RangeInclusive<i64> = 100..=3_600_000;

/// Checks a client-metrics subscription.
pub fn check_client_metrics(name: &str, said: &BTreeMap<String, String>) -> Result<(), Refusal> {
    if name.is_empty() {
        return Err(Refusal::Request("a subscription has a name".to_owned()));
    }
    for (key, text) in said {
        match key.as_str() {
            "metrics" => {}
            "interval.ms" => {
                let number: i64 = text
                    .trim()
                    .parse::<i32>()
                    .map_err(|_| Refusal::Config(format!("interval.ms={text} is no number")))?
                    .into();
                if !METRICS_INTERVAL_MS.contains(&number) {
                    return Err(Refusal::Request(format!(
                        "interval.ms={number} is not between 100 and 3600000"
                    )));
                }
            }
            "match" => {
                for pattern in value::list(text) {
                    check_match(pattern)?;
                }
            }
            other => {
                return Err(Refusal::Request(format!(
                    "a subscription has no setting \"{other}\""
                )));
            }
        }
    }
    Ok(())
}

fn check_match(pattern: &str) -> Result<(), Refusal> {
    let legal = pattern
        .split_once('=')
        .is_some_and(|(what, expression)| MATCHES.contains(&what.trim()) && is_closed(expression));
    if legal {
        Ok(())
    } else {
        let message = format!(
            "\"{pattern}\" is no client match: one of {} = an expression",
            MATCHES.join(", ")
        );
        Err(Refusal::Config(message))
    }
}

/// Whether brackets and parentheses of a regular expression close, and it does not end in the middle of an escape.
/// What it matches is not looked at before client metrics are served.
fn is_closed(expression: &str) -> bool {
    let (mut open, mut in_class, mut escaped) = (0i32, false, false);
    for letter in expression.chars() {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '[' => in_class = true,
            ']' => in_class = false,
            '(' if !in_class => open += 1,
            ')' if !in_class => open -= 1,
            _ => {}
        }
        if open < 0 {
            return false;
        }
    }
    open == 0 && !in_class && !escaped
}

/// The settings of a client-metrics subscription: name, type, default, what it does.
pub(crate) static CLIENT_METRICS: [Setting; 3] = [
    client_metrics(
        "interval.ms",
        Kind::Int,
        "300000",
        "The time between two pushes of a client.",
    ),
    client_metrics(
        "match",
        Kind::List,
        "",
        "Which clients are asked: name=expression, all of them must fit.",
    ),
    client_metrics(
        "metrics",
        Kind::List,
        "",
        "The beginnings of the names of wanted metrics.",
    ),
];

const fn client_metrics(name: &'static str, kind: Kind, default: &'static str, doc: &'static str) -> Setting {
    Setting {
        name,
        scope: Scope::Group,
        kind,
        default: Some(default),
        rule: table::Rule::Any,
        read_only: false,
        synonyms: &[],
        doc: Some(doc),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Loaded;

    fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        let owned = |(name, value): &(&str, &str)| (name.to_string(), value.to_string());
        pairs.iter().map(owned).collect()
    }

    fn broker(of: Of, pairs: &[(&str, &str)]) -> Result<(), String> {
        let (config, nothing) = (
            BrokerConfig::new(&Loaded::default()).expect("legal"),
            BTreeMap::new(),
        );
        let before = Dynamic {
            own: &nothing,
            cluster: &nothing,
        };
        check_broker(&map(pairs), of, before, &config)
    }

    #[test]
    fn a_broker_takes_what_may_change_while_it_runs() {
        assert_eq!(
            broker(Of::One, &[("message.max.bytes", "5"), ("anybodys.own", "x")]),
            Ok(())
        );
        assert_eq!(
            broker(Of::One, &[("num.partitions", "7"), ("node.id", "3")]),
            Err("node.id, num.partitions: cannot change while the broker runs".to_owned())
        );
        assert!(broker(Of::One, &[("ssl.keystore.location", "/x")]).is_err());
        assert!(
            broker(
                Of::One,
                &[("listener.name.plaintext.ssl.keystore.location", "/x")]
            )
            .is_ok()
        );
        assert!(broker(Of::One, &[("leader.replication.throttled.rate", "-1")]).is_err());
    }

    #[test]
    fn some_settings_are_one_brokers_alone() {
        for (name, value) in [
            ("ssl.client.auth", "none"),
            ("sasl.enabled.mechanisms", "PLAIN"),
            ("cordoned.log.dirs", ""),
            ("listener.name.x.ssl.keystore.type", "JKS"),
        ] {
            assert!(broker(Of::One, &[(name, value)]).is_ok(), "{name}");
            assert!(broker(Of::All, &[(name, value)]).is_err(), "{name}");
        }
        assert!(broker(Of::All, &[("listener.name.x.max.connections", "5")]).is_ok());
        assert!(broker(Of::All, &[("max.connections", "5")]).is_ok());
    }

    #[test]
    fn values_must_fit_each_other() {
        assert!(broker(Of::One, &[("num.io.threads", "16")]).is_ok());
        assert!(broker(Of::One, &[("num.io.threads", "17")]).is_err());
        assert!(broker(Of::One, &[("background.threads", "4")]).is_err());
        assert!(broker(Of::One, &[("log.local.retention.ms", "604800001")]).is_err());
        assert!(
            broker(
                Of::One,
                &[
                    ("log.local.retention.ms", "604800001"),
                    ("log.retention.ms", "-1")
                ]
            )
            .is_ok()
        );
        assert!(broker(Of::One, &[("max.connections.per.ip.overrides", "h:5,i:x")]).is_err());
    }

    #[test]
    fn a_group_stays_in_the_brokers_bounds() {
        let (config, nothing) = (
            BrokerConfig::new(&Loaded::default()).expect("legal"),
            BTreeMap::new(),
        );
        let dynamic = Dynamic {
            own: &nothing,
            cluster: &nothing,
        };
        let check = |name, value| check_group(&map(&[(name, value)]), dynamic, &config);
        assert!(check("consumer.session.timeout.ms", "60000").is_ok());
        assert_eq!(
            check("consumer.session.timeout.ms", "60001"),
            Err(Refusal::Config(
                "consumer.session.timeout.ms=60001 is above group.consumer.max.session.timeout.ms=60000"
                    .to_owned()
            ))
        );
        assert!(check("streams.num.standby.replicas", "3").is_err());
        for (name, low, high) in GROUP_BOUNDS {
            assert!(table::find(Scope::Group, name).is_some(), "{name}");
            for bound in [low, high].into_iter().flatten() {
                assert!(table::find(Scope::Broker, bound).is_some(), "{bound}");
            }
        }
    }

    #[test]
    fn a_subscription_has_three_settings() {
        let check = |name, value| check_client_metrics("s", &map(&[(name, value)]));
        assert!(check("match", "client_id=a.*,client_software_name=x").is_ok());
        assert!(matches!(check("match", "client_id=[a"), Err(Refusal::Config(_))));
        assert!(matches!(check("interval.ms", "99"), Err(Refusal::Request(_))));
        assert!(matches!(check("interval.ms", "x"), Err(Refusal::Config(_))));
        assert!(matches!(check("other", "1"), Err(Refusal::Request(_))));
    }
}
