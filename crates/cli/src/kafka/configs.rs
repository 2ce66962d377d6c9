//! `kafka-configs.sh` (`ConfigCommand` of Kafka 4.3) for topics, brokers and groups.

use client::{Admin, ConfigChange, ConfigEntry, ConfigSource, Resource, ResourceKind};

use super::connect::{self, exception};
use super::options::{Flag, Options, flag, valued};
use super::{Output, Stop, Tool, properties};

pub(super) static TOOL: Tool = Tool {
    name: "kafka-configs",
    about: "Shows and changes settings of topics, brokers and groups.",
    flags: FLAGS,
    run,
};

const FLAGS: &[Flag] = &[
    valued(
        "bootstrap-server",
        "the cluster, host:port[,host:port...]; needed",
    ),
    valued("command-config", "a properties file for the client"),
    flag("describe", "show settings"),
    flag("alter", "change settings"),
    valued("entity-type", "topics, brokers or groups"),
    valued("entity-name", "the name of one of them"),
    flag("entity-default", "the default of all brokers"),
    valued("topic", "short for --entity-type topics --entity-name"),
    valued("broker", "short for --entity-type brokers --entity-name"),
    flag(
        "broker-defaults",
        "short for --entity-type brokers --entity-default",
    ),
    valued("group", "short for --entity-type groups --entity-name"),
    valued("add-config", "name=value,name=[v1,v2]"),
    valued("add-config-file", "a properties file with settings to set"),
    valued("delete-config", "name,name: back to the default"),
    flag(
        "all",
        "with --describe: every setting, also those that were not set",
    ),
    valued("client", "not served yet"),
    flag("client-defaults", "not served yet"),
    valued("user", "not served yet"),
    flag("user-defaults", "not served yet"),
    valued("ip", "not served yet"),
    flag("ip-defaults", "not served yet"),
    valued("client-metrics", "not served yet"),
    valued("broker-logger", "the log levels of a broker"),
    valued("bootstrap-controller", "not served yet"),
    flag("force", "accepted, as in Kafka"),
    flag("help", "show this"),
    flag("version", "show the version"),
];

/// What the settings belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Entity {
    Topic,
    Broker,
    Logger,
    Group,
}

impl Entity {
    fn noun(self) -> &'static str {
        match self {
            Entity::Topic => "topic",
            Entity::Broker => "broker",
            Entity::Logger => "broker-logger",
            Entity::Group => "group",
        }
    }

    fn resource(self, name: &str) -> Resource {
        let kind = match self {
            Entity::Topic => ResourceKind::Topic,
            Entity::Broker => ResourceKind::Broker,
            Entity::Logger => ResourceKind::BrokerLogger,
            Entity::Group => ResourceKind::Group,
        };
        Resource::new(kind, name)
    }

    /// The source of values that were set on the entity itself.
    fn own(self, name: &str) -> ConfigSource {
        match self {
            Entity::Topic => ConfigSource::Topic,
            Entity::Broker if name.is_empty() => ConfigSource::DynamicDefaultBroker,
            Entity::Broker => ConfigSource::DynamicBroker,
            Entity::Logger => ConfigSource::DynamicBrokerLogger,
            Entity::Group => ConfigSource::Group,
        }
    }
}

/// An entity and its name; without a name every one of its kind.
struct Target {
    entity: Entity,
    name: Option<String>,
}

const SHORT: &[(&str, Entity)] = &[
    ("topic", Entity::Topic),
    ("broker", Entity::Broker),
    ("broker-logger", Entity::Logger),
    ("group", Entity::Group),
];
const TYPES: &[(&str, Entity)] = &[
    ("topics", Entity::Topic),
    ("brokers", Entity::Broker),
    ("broker-loggers", Entity::Logger),
    ("groups", Entity::Group),
];
const UNSERVED: &[&str] = &[
    "client",
    "client-defaults",
    "user",
    "user-defaults",
    "ip",
    "ip-defaults",
    "client-metrics",
    "bootstrap-controller",
];

fn run(options: &Options, output: &mut Output) -> Result<(), Stop> {
    let action = options.action(
        &["alter", "describe"],
        "Command must include exactly one action: --describe, --alter",
    )?;
    let stop = |message: String, output: &mut Output| {
        output.error_line(message);
        Stop::Exit(1)
    };
    let target = target(options).map_err(|message| stop(message, output))?;
    if action == "alter" {
        let changes = changes(options).map_err(|message| stop(message, output))?;
        return connect::with_admin(options, async |admin| {
            alter(options, &admin, &target, changes, output).await
        });
    }
    connect::with_admin(options, async |admin| {
        let shown = describe(options, &admin, &target, output).await;
        shown.map_err(|error| failed(options, &error, output))
    })
}

fn failed(options: &Options, error: &client::Error, output: &mut Output) -> Stop {
    output.error_line(format!(
        "Error while executing config command with args '{}'",
        options.words.join(" ")
    ));
    output.error_line(format!(
        "java.util.concurrent.ExecutionException: {}",
        exception(error)
    ));
    Stop::Exit(1)
}

fn target(options: &Options) -> Result<Target, String> {
    if let Some(flag) = UNSERVED.iter().find(|flag| options.has(flag)) {
        return Err(format!("--{flag} is not served yet"));
    }
    if options.has("broker-defaults") {
        return Ok(Target {
            entity: Entity::Broker,
            name: Some(String::new()),
        });
    }
    for (flag, entity) in SHORT {
        if let Some(name) = options.value(flag) {
            return Ok(Target {
                entity: *entity,
                name: Some(name.to_owned()),
            });
        }
    }
    let Some(kind) = options.value("entity-type") else {
        return Err("At least one entity type must be specified".to_owned());
    };
    let found = TYPES.iter().find(|(name, _)| *name == kind);
    let Some((_, entity)) = found else {
        if ["clients", "users", "ips", "client-metrics"].contains(&kind) {
            return Err(format!("the entity type {kind} is not served yet"));
        }
        return Err(format!(
            "Invalid entity type {kind}, the entity type must be one of topics, clients, users, brokers, ips, \
             client-metrics, groups, broker-loggers with a --bootstrap-server or --bootstrap-controller argument"
        ));
    };
    let name = match options.has("entity-default") {
        true => Some(String::new()),
        false => options.value("entity-name").map(str::to_owned),
    };
    Ok(Target {
        entity: *entity,
        name,
    })
}

fn changes(options: &Options) -> Result<Vec<ConfigChange>, String> {
    let mut changes = Vec::new();
    if let Some(path) = options.value("add-config-file") {
        let text = std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
        let set = |(name, value)| ConfigChange::Set(name, value);
        changes.extend(properties::parse(&text).into_iter().map(set));
    }
    for text in options.values("add-config") {
        for pair in split_outside_brackets(text) {
            let wrong = || {
                format!(
                    "requirement failed: Invalid entity config: all configs to be added must be in the format \"key=val\" or \"key=[val1,val2]\". ({pair})"
                )
            };
            let (name, value) = pair.split_once('=').ok_or_else(wrong)?;
            let value = value.trim();
            let bare = value
                .strip_prefix('[')
                .and_then(|value| value.strip_suffix(']'))
                .unwrap_or(value);
            changes.push(ConfigChange::Set(name.trim().to_owned(), bare.to_owned()));
        }
    }
    for text in options.values("delete-config") {
        let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
        changes.extend(names.map(|name| ConfigChange::Delete(name.to_owned())));
    }
    if changes.is_empty() {
        return Err(
            "At least one of --add-config, --add-config-file, or --delete-config must be specified with --alter"
                .to_owned(),
        );
    }
    Ok(changes)
}

/// Splits by commas that are not between brackets.
fn split_outside_brackets(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut depth) = (0, 0_usize);
    for (at, c) in text.char_indices() {
        match c {
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parts.extend(text.get(start..at));
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.extend(text.get(start..));
    parts
        .into_iter()
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .collect()
}

async fn alter(
    options: &Options,
    admin: &Admin,
    target: &Target,
    changes: Vec<ConfigChange>,
    output: &mut Output,
) -> Result<(), Stop> {
    let Some(name) = &target.name else {
        output.error_line("an entity name must be specified with --alter of topics, brokers or groups");
        return Err(Stop::Exit(1));
    };
    let resource = target.entity.resource(name);
    let answered = admin.alter_configs(&[(resource, changes)], false).await;
    let outcomes = answered.map_err(|error| failed(options, &error, output))?;
    for (_, outcome) in outcomes {
        outcome.map_err(|error| failed(options, &error, output))?;
    }
    match name.as_str() {
        "" => output.line("Completed updating default config for brokers in the cluster."),
        name => output.line(format!(
            "Completed updating config for {} {name}.",
            target.entity.noun()
        )),
    }
    Ok(())
}

async fn describe(
    options: &Options,
    admin: &Admin,
    target: &Target,
    output: &mut Output,
) -> client::Result<()> {
    let noun = target.entity.noun();
    if let Some(name) = target.name.as_deref().filter(|name| !name.is_empty()) {
        let entries = entries(admin, target.entity, name).await;
        let is_missing = match (target.entity, &entries) {
            (Entity::Topic, Err(error)) => error.code() == Some(client::ErrorCode::UnknownTopicOrPartition),
            (Entity::Group, Ok(entries)) => {
                let own = entries.iter().any(|entry| entry.source == ConfigSource::Group);
                !own && !admin.list_groups().await?.iter().any(|group| group.group == name)
            }
            _ => false,
        };
        if is_missing {
            output.line(format!(
                "The {noun} '{name}' doesn't exist and doesn't have dynamic config."
            ));
            return Ok(());
        }
        show(options, target.entity, name, &entries?, output);
        return Ok(());
    }
    for name in names(admin, target).await? {
        let entries = entries(admin, target.entity, &name).await?;
        show(options, target.entity, &name, &entries, output);
    }
    Ok(())
}

/// Every entity of a kind; of brokers also the default of all.
async fn names(admin: &Admin, target: &Target) -> client::Result<Vec<String>> {
    if let Some(name) = &target.name {
        return Ok(vec![name.clone()]);
    }
    Ok(match target.entity {
        Entity::Topic => admin
            .list_topics()
            .await?
            .into_iter()
            .map(|topic| topic.name)
            .collect(),
        Entity::Group => admin
            .list_groups()
            .await?
            .into_iter()
            .map(|group| group.group)
            .collect(),
        Entity::Broker | Entity::Logger => {
            let brokers = admin.describe_cluster().await?.brokers;
            let mut names: Vec<String> = brokers.iter().map(|broker| broker.id.0.to_string()).collect();
            if target.entity == Entity::Broker {
                names.push(String::new());
            }
            names
        }
    })
}

async fn entries(admin: &Admin, entity: Entity, name: &str) -> client::Result<Vec<ConfigEntry>> {
    let mut found = Vec::new();
    for (_, entries) in admin.describe_configs(&[entity.resource(name)]).await? {
        found.extend(entries?);
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

fn show(options: &Options, entity: Entity, name: &str, entries: &[ConfigEntry], output: &mut Output) {
    let all = options.has("all") && !name.is_empty();
    let scope = if all { "All" } else { "Dynamic" };
    match (entity, name) {
        (Entity::Broker, "") => output.line("Default configs for brokers in the cluster are:"),
        (entity, name) => output.line(format!("{scope} configs for {} {name} are:", entity.noun())),
    }
    let own = entity.own(name);
    for entry in entries
        .iter()
        .filter(|entry| all || entity == Entity::Logger || entry.source == own)
    {
        let synonyms: Vec<String> = entry
            .synonyms
            .iter()
            .map(|(name, value, from)| format!("{}:{name}={}", source(*from), shown(value)))
            .collect();
        output.line(format!(
            "  {}={} sensitive={} synonyms={{{}}}",
            entry.name,
            shown(&entry.value),
            entry.sensitive,
            synonyms.join(", ")
        ));
    }
}

fn shown(value: &Option<String>) -> &str {
    value.as_deref().unwrap_or("null")
}

/// The source's name in `ConfigEntry.ConfigSource`.
fn source(source: ConfigSource) -> &'static str {
    match source {
        ConfigSource::Topic => "DYNAMIC_TOPIC_CONFIG",
        ConfigSource::DynamicBroker => "DYNAMIC_BROKER_CONFIG",
        ConfigSource::DynamicDefaultBroker => "DYNAMIC_DEFAULT_BROKER_CONFIG",
        ConfigSource::StaticBroker => "STATIC_BROKER_CONFIG",
        ConfigSource::Default => "DEFAULT_CONFIG",
        ConfigSource::DynamicBrokerLogger => "DYNAMIC_BROKER_LOGGER_CONFIG",
        ConfigSource::ClientMetrics => "DYNAMIC_CLIENT_METRICS_CONFIG",
        ConfigSource::Group => "DYNAMIC_GROUP_CONFIG",
        ConfigSource::Unknown(_) => "UNKNOWN",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_between_brackets_belong_to_the_value() {
        assert_eq!(
            split_outside_brackets("a=1,b=[x,y], c=2"),
            ["a=1", "b=[x,y]", "c=2"]
        );
    }
}
