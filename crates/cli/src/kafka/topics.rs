//! `kafka-topics.sh` (`TopicCommand` of Kafka 4.3).

use client::protocol::messages::describe_topic_partitions_request::{
    DescribeTopicPartitionsRequest, TopicRequest,
};
use client::protocol::messages::describe_topic_partitions_response::DescribeTopicPartitionsResponseTopic;
use client::{Admin, BrokerId, Client, ConfigSource, Error, ErrorCode, NewTopic, Resource, To};

use super::connect::{self, said};
use super::options::{Flag, Options, flag, valued};
use super::pattern::{Pattern, is_internal};
use super::{Output, Stop, Tool};

pub(super) static TOOL: Tool = Tool {
    name: "kafka-topics",
    about: "Lists, creates, describes, alters and deletes topics.",
    flags: FLAGS,
    run,
};

const FLAGS: &[Flag] = &[
    valued(
        "bootstrap-server",
        "the cluster, host:port[,host:port...]; needed",
    ),
    valued("command-config", "a properties file for the client"),
    flag("list", "list the topics"),
    flag("create", "create a topic"),
    flag("delete", "delete topics"),
    flag("alter", "give topics more partitions"),
    flag("describe", "show partitions, leaders, replicas and settings"),
    valued("topic", "the topic; a regular expression except with --create"),
    valued("topic-id", "describe the topic of this id"),
    valued("config", "name=value, with --create; may come more than once"),
    valued("delete-config", "no longer supported, as in Kafka 4"),
    valued("partitions", "how many partitions"),
    valued("replication-factor", "how many replicas each has"),
    valued("replica-assignment", "brokers of each partition: 1:2,2:3"),
    flag(
        "under-replicated-partitions",
        "describe only partitions whose in-sync set is not whole",
    ),
    flag(
        "unavailable-partitions",
        "describe only partitions without a leader",
    ),
    flag(
        "under-min-isr-partitions",
        "describe only partitions below min.insync.replicas",
    ),
    flag(
        "at-min-isr-partitions",
        "describe only partitions at min.insync.replicas",
    ),
    flag(
        "topics-with-overrides",
        "describe only topics with settings of their own",
    ),
    flag("if-exists", "a topic that is missing is no error"),
    flag("if-not-exists", "a topic that exists is no error"),
    flag("exclude-internal", "leave out Kafka's own topics"),
    valued(
        "partition-size-limit-per-response",
        "accepted; answers are not cut here",
    ),
    flag("help", "show this"),
    flag("version", "show the version"),
];

const ACTIONS: &[&str] = &["create", "list", "alter", "describe", "delete"];
const ONE_ACTION: &str =
    "Command must include exactly one action: --list, --describe, --create, --alter or --delete";

fn run(options: &Options, output: &mut Output) -> Result<(), Stop> {
    let action = options.action(ACTIONS, ONE_ACTION)?;
    check(options, action)?;
    connect::with_admin(options, async |admin| {
        let done = match action {
            "create" => create(options, &admin, output).await,
            "list" => list(options, &admin, output).await,
            "alter" => alter(options, &admin, output).await,
            "delete" => delete(options, &admin, output).await,
            _ => describe(options, &admin, output).await,
        };
        done.map_err(|message| {
            output.line(format!("Error while executing topic command : {message}"));
            Stop::Exit(1)
        })
    })
}

fn check(options: &Options, action: &str) -> Result<(), Stop> {
    let reports = [
        "under-replicated-partitions",
        "unavailable-partitions",
        "under-min-isr-partitions",
        "at-min-isr-partitions",
        "topics-with-overrides",
    ];
    options.required("bootstrap-server")?;
    if action == "create" || (action == "alter" && !options.has("topic")) {
        options.required("topic")?;
    }
    if matches!(action, "list" | "describe" | "delete") {
        options.refuse(
            action,
            &["partitions", "replication-factor", "replica-assignment"],
        )?;
    }
    if action != "create" {
        options.refuse(action, &["config", "if-not-exists"])?;
    }
    if action != "describe" {
        options.refuse(action, &reports)?;
    }
    if matches!(action, "list" | "create") {
        options.refuse(action, &["if-exists"])?;
    }
    Ok(())
}

async fn create(options: &Options, admin: &Admin, output: &mut Output) -> Result<(), String> {
    let name = options.value("topic").unwrap_or_default();
    if name.contains(['.', '_']) {
        output.line(
            "WARNING: Due to limitations in metric names, topics with a period ('.') or underscore ('_') could \
             collide. To avoid issues it is best to use either, but not both.",
        );
    }
    let topic = wanted(options, name)?;
    for (_, outcome) in admin
        .create_topics(&[topic])
        .await
        .map_err(|error| said(&error))?
    {
        match outcome {
            Ok(_) => output.line(format!("Created topic {name}.")),
            Err(error)
                if options.has("if-not-exists") && error.code() == Some(ErrorCode::TopicAlreadyExists) => {}
            Err(error) => return Err(said(&error)),
        }
    }
    Ok(())
}

fn wanted(options: &Options, name: &str) -> Result<NewTopic, String> {
    let mut topic = NewTopic::new(name);
    let number = |flag: &str| options.value(flag).map(str::parse::<i32>);
    let broken = |flag: &str| {
        format!(
            "Cannot parse argument '{}' of option {flag}",
            options.value(flag).unwrap_or_default()
        )
    };
    if let Some(count) = number("partitions") {
        let count = count.map_err(|_| broken("partitions"))?;
        if count < 1 {
            return Err("The partitions must be greater than 0".to_owned());
        }
        topic = topic.partitions(count);
    }
    if let Some(count) = number("replication-factor") {
        let count = count.map_err(|_| broken("replication-factor"))?;
        let count = i16::try_from(count).ok().filter(|count| 0 < *count);
        let count = count.ok_or("The replication factor must be between 1 and 32767 inclusive")?;
        topic = topic.replication_factor(count);
    }
    for config in options.values("config") {
        let wrong = || {
            format!(
                "requirement failed: Invalid topic config: all configs to be added must be in the format \"key=val\": {config}"
            )
        };
        let (name, value) = config.split_once('=').ok_or_else(wrong)?;
        topic = topic.config(name.trim(), value.trim());
    }
    if let Some(assignment) = options.value("replica-assignment") {
        for partition in assignment.split(',') {
            let ids = partition.split(':').map(|id| id.trim().parse().map(BrokerId));
            let ids: Vec<BrokerId> = ids
                .collect::<Result<_, _>>()
                .map_err(|_| broken("replica-assignment"))?;
            topic = topic.assign(&ids);
        }
    }
    Ok(topic)
}

/// The topics that `--topic` and `--exclude-internal` leave, by name.
async fn matching(options: &Options, admin: &Admin) -> Result<Vec<String>, String> {
    let topics = admin.list_topics().await.map_err(|error| said(&error))?;
    let pattern = match options.value("topic") {
        Some(text) => Some(Pattern::new(text).map_err(|_| format!("{text} is an invalid regex."))?),
        None => None,
    };
    let wanted = |name: &String| {
        pattern.as_ref().is_none_or(|pattern| pattern.matches(name))
            && !(options.has("exclude-internal") && is_internal(name))
    };
    Ok(topics
        .into_iter()
        .map(|topic| topic.name)
        .filter(wanted)
        .collect())
}

/// As Kafka's tools say it when nothing matches and `--if-exists` is not given.
fn ensure(options: &Options, found: &[String]) -> Result<(), String> {
    match options.value("topic") {
        Some(topic) if found.is_empty() && !options.has("if-exists") => {
            Err(format!("Topic '{topic}' does not exist as expected"))
        }
        _ => Ok(()),
    }
}

async fn list(options: &Options, admin: &Admin, output: &mut Output) -> Result<(), String> {
    let names = matching(options, admin).await?;
    output.line(names.join("\n"));
    Ok(())
}

async fn alter(options: &Options, admin: &Admin, _: &mut Output) -> Result<(), String> {
    let names = matching(options, admin).await?;
    ensure(options, &names)?;
    let Some(count) = options.value("partitions") else {
        return Ok(());
    };
    let count: i32 = count
        .parse()
        .map_err(|_| format!("Cannot parse argument '{count}' of option partitions"))?;
    let wanted: Vec<(&str, i32)> = names.iter().map(|name| (name.as_str(), count)).collect();
    for (_, outcome) in admin
        .create_partitions(&wanted, false)
        .await
        .map_err(|error| said(&error))?
    {
        outcome.map_err(|error| said(&error))?;
    }
    Ok(())
}

async fn delete(options: &Options, admin: &Admin, _: &mut Output) -> Result<(), String> {
    let names = matching(options, admin).await?;
    ensure(options, &names)?;
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    for (_, outcome) in admin.delete_topics(&names).await.map_err(|error| said(&error))? {
        outcome.map_err(|error| said(&error))?;
    }
    Ok(())
}

async fn describe(options: &Options, admin: &Admin, output: &mut Output) -> Result<(), String> {
    let mut names = matching(options, admin).await?;
    if let Some(id) = options.value("topic-id") {
        let topics = admin.list_topics().await.map_err(|error| said(&error))?;
        names = topics
            .into_iter()
            .filter(|topic| topic.id.to_string() == id)
            .map(|topic| topic.name)
            .collect();
        if names.is_empty() && !options.has("if-exists") {
            return Err(format!("TopicId '{id}' does not exist as expected"));
        }
    }
    ensure(options, &names)?;
    for name in names {
        let topic = partitions(admin.client(), &name)
            .await
            .map_err(|error| said(&error))?;
        let configs = configs(admin, &name).await.map_err(|error| said(&error))?;
        show(options, &topic, &configs, output);
    }
    Ok(())
}

async fn partitions(client: &Client, name: &str) -> client::Result<DescribeTopicPartitionsResponseTopic> {
    let request = DescribeTopicPartitionsRequest {
        topics: vec![TopicRequest {
            name: name.into(),
            ..TopicRequest::default()
        }],
        response_partition_limit: 2000,
        ..DescribeTopicPartitionsRequest::default()
    };
    let mut answer = client.call(To::Any, &request).await?;
    let Some(mut topic) = answer.topics.pop() else {
        return Err(Error::State("the answer leaves the topic out"));
    };
    let mut cursor = answer.next_cursor;
    while let Some(at) = cursor {
        let next = DescribeTopicPartitionsRequest {
            cursor: Some(
                client::protocol::messages::describe_topic_partitions_request::Cursor {
                    topic_name: at.topic_name,
                    partition_index: at.partition_index,
                    ..Default::default()
                },
            ),
            ..request.clone()
        };
        let mut more = client.call(To::Any, &next).await?;
        topic.partitions.extend(
            more.topics
                .pop()
                .map(|topic| topic.partitions)
                .unwrap_or_default(),
        );
        cursor = more.next_cursor;
    }
    Ok(topic)
}

/// The settings that are not Kafka's defaults, in the broker's order, and `min.insync.replicas`.
async fn configs(admin: &Admin, name: &str) -> client::Result<Vec<(String, String, ConfigSource)>> {
    let mut configs = Vec::new();
    for (_, entries) in admin.describe_configs(&[Resource::topic(name)]).await? {
        let changed = |entry: &client::ConfigEntry| {
            entry.source != ConfigSource::Default || entry.name == "min.insync.replicas"
        };
        for entry in entries?.into_iter().filter(changed) {
            configs.push((entry.name, entry.value.unwrap_or_default(), entry.source));
        }
    }
    Ok(configs)
}

fn ids(ids: &[i32]) -> String {
    let each: Vec<String> = ids.iter().map(ToString::to_string).collect();
    each.join(",")
}

fn show(
    options: &Options,
    topic: &DescribeTopicPartitionsResponseTopic,
    configs: &[(String, String, ConfigSource)],
    output: &mut Output,
) {
    let name = topic.name.as_ref().map(|name| name.as_str()).unwrap_or_default();
    let overrides = options.has("topics-with-overrides");
    let changed = configs
        .iter()
        .filter(|(_, _, source)| *source != ConfigSource::Default);
    let pairs: Vec<String> = changed
        .map(|(name, value, _)| format!("{name}={value}"))
        .collect();
    let filters = [
        "under-replicated-partitions",
        "unavailable-partitions",
        "under-min-isr-partitions",
        "at-min-isr-partitions",
    ];
    let filtered = filters.iter().any(|filter| options.has(filter));
    let hidden = filtered || (overrides && pairs.is_empty());
    if !hidden {
        let copies = topic
            .partitions
            .first()
            .map_or(0, |partition| partition.replica_nodes.len());
        output.line(format!(
            "Topic: {name}\tTopicId: {}\tPartitionCount: {}\tReplicationFactor: {copies}\tConfigs: {}",
            topic.topic_id,
            topic.partitions.len(),
            pairs.join(",")
        ));
    }
    if overrides {
        return;
    }
    let least = configs.iter().find(|(name, ..)| name == "min.insync.replicas");
    let least: usize = least.and_then(|(_, value, _)| value.parse().ok()).unwrap_or(1);
    for partition in &topic.partitions {
        let in_sync = partition.isr_nodes.len();
        let shown = !filtered
            || (options.has(filters[0]) && in_sync < partition.replica_nodes.len())
            || (options.has(filters[1]) && partition.leader_id < 0)
            || (options.has(filters[2]) && in_sync < least)
            || (options.has(filters[3]) && in_sync == least);
        if !shown {
            continue;
        }
        let leader = if partition.leader_id < 0 {
            "none".to_owned()
        } else {
            partition.leader_id.to_string()
        };
        output.line(format!(
            "\tTopic: {name}\tPartition: {}\tLeader: {leader}\tReplicas: {}\tIsr: {}\tElr: {}\tLastKnownElr: {}",
            partition.partition_index,
            ids(&partition.replica_nodes),
            ids(&partition.isr_nodes),
            ids(partition.eligible_leader_replicas.as_deref().unwrap_or_default()),
            ids(partition.last_known_elr.as_deref().unwrap_or_default()),
        ));
    }
}
