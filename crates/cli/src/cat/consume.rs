//! `-C` and `-G`: messages of a topic's partitions, or of a group's share of topics.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use client::{
    Client, Consumer, ConsumerConfig, Error, Isolation, Offset, OffsetSpec, Records, TopicPartition,
};
use regex::Regex;

use super::format::{Format, Message};
use super::options::{Options, Start};
use super::properties::Properties;
use super::{Stop, said};
use crate::kafka::signals;
use crate::offsets;
use crate::when::Place;

/// How long one poll waits: ends of partitions are noticed in between.
const POLL: Duration = Duration::from_millis(100);

/// A topic's partitions, taken by hand.
pub(super) async fn run(options: &Options, properties: &Properties) -> Result<(), Stop> {
    let format = Format::of(options)?;
    let client = properties.client()?;
    let partitions = partitions(options, &client).await?;
    let mut config = config(properties)?;
    config.auto_commit = None;
    if options.start != Some(Start::Stored) {
        config.group = None;
    } else if config.group.is_none() {
        return Err(Stop::fatal(
            "-o stored needs the group whose offsets are meant: -X group.id=GROUP",
        ));
    }
    let failed = |error: Error| Stop::fatal(format!("Failed to start consuming: {}", said(&error)));
    let mut consumer = client.consumer(config).map_err(failed)?;
    consumer.assign(&partitions).map_err(failed)?;
    begin(options, &client, &mut consumer, &partitions)
        .await
        .map_err(failed)?;
    let mut reading = Reading::new(options, &client, format, false);
    reading.left = partitions.into_iter().collect();
    reading.until_told(&mut consumer).await?;
    let _ = consumer.close().await;
    reading.outcome()
}

/// A member of a group; the arguments are topics, or patterns with `^` in front.
pub(super) async fn run_group(options: &Options, properties: &Properties, group: &str) -> Result<(), Stop> {
    let format = Format::of(options)?;
    let client = properties.client()?;
    let mut config = config(properties)?;
    config.group = Some(group.to_owned());
    let failed = |error: Error| Stop::fatal(format!("Failed to create consumer: {error}"));
    let mut consumer = client.consumer(config).map_err(failed)?;
    subscribe(&mut consumer, &options.arguments)?;
    options.say("Waiting for group rebalance");
    let mut reading = Reading::new(options, &client, format, true);
    reading.group = Some(group.to_owned());
    let outcome = reading.until_told(&mut consumer).await;
    reading.follow_assignment(Vec::new(), &consumer.member_id());
    let closed = consumer.close().await;
    outcome?;
    closed.map_err(|error| Stop::fatal(format!("Failed to close consumer: {}", said(&error))))?;
    reading.outcome()
}

fn config(properties: &Properties) -> Result<ConsumerConfig, Stop> {
    let mut config = properties.consumer()?;
    if properties.get("isolation.level").is_none() {
        // librdkafka's default, unlike Java's.
        config.isolation = Isolation::ReadCommitted;
    }
    config.fetch_wait_max = config.fetch_wait_max.min(POLL);
    Ok(config)
}

fn subscribe(consumer: &mut Consumer, topics: &[String]) -> Result<(), Stop> {
    let failed = |reason: String| {
        Stop::fatal(format!(
            "Failed to subscribe to {} topics: {reason}",
            topics.len()
        ))
    };
    if topics.is_empty() {
        return Err(failed("name them behind the options".to_owned()));
    }
    if topics.iter().all(|topic| !topic.starts_with('^')) {
        let names: Vec<&str> = topics.iter().map(String::as_str).collect();
        return consumer
            .subscribe(&names)
            .map_err(|error| failed(error.to_string()));
    }
    let (patterns, names): (Vec<String>, Vec<String>) =
        topics.iter().cloned().partition(|topic| topic.starts_with('^'));
    let patterns: Vec<Regex> = patterns
        .iter()
        .map(|pattern| Regex::new(pattern))
        .collect::<Result<_, _>>()
        .map_err(|error| failed(error.to_string()))?;
    let wanted = move |topic: &str| {
        names.iter().any(|name| name == topic) || patterns.iter().any(|pattern| pattern.is_match(topic))
    };
    consumer
        .subscribe_matching(wanted)
        .map_err(|error| failed(error.to_string()))
}

/// The partitions of the topic that are to be read.
async fn partitions(options: &Options, client: &Client) -> Result<Vec<TopicPartition>, Stop> {
    let topic = options.topic();
    let unknown = |error: &Error| {
        Stop::fatal(format!(
            "Failed to query metadata for topic {topic}: {}",
            said(error)
        ))
    };
    let described = client.admin().describe_topics(&[topic]).await;
    let described = described.map_err(|error| unknown(&error))?;
    let found = described.into_iter().next().map(|(_, outcome)| outcome);
    let found = found.ok_or_else(|| Stop::fatal(format!("No such topic in cluster: {topic}")))?;
    let found = found.map_err(|error| Stop::fatal(format!("Topic {topic} error: {}", said(&error))))?;
    let mut all: Vec<i32> = found
        .partitions
        .iter()
        .map(|partition| partition.index.0)
        .collect();
    all.sort_unstable();
    if let Some(wanted) = options.partition {
        if !all.contains(&wanted) {
            return Err(Stop::fatal(format!(
                "Topic {topic} (with partitions 0..{}): partition {wanted} does not exist",
                all.len().saturating_sub(1)
            )));
        }
        all = vec![wanted];
    }
    Ok(all
        .into_iter()
        .map(|partition| TopicPartition::new(topic, partition))
        .collect())
}

/// Goes to where `-o` says; without it, to the beginning.
async fn begin(
    options: &Options,
    client: &Client,
    consumer: &mut Consumer,
    partitions: &[TopicPartition],
) -> client::Result<()> {
    let place = match options.start.unwrap_or(Start::Beginning) {
        Start::Stored => return Ok(()),
        Start::Beginning => return to_all(consumer, partitions, OffsetSpec::Earliest),
        Start::End => return to_all(consumer, partitions, OffsetSpec::Latest),
        Start::At(offset) => {
            let mut each = partitions.iter();
            return each.try_for_each(|name| consumer.seek(name, Offset(offset)));
        }
        Start::Tail(count) => Place::BeforeEnd(count),
        Start::Time(ms) => Place::Time(ms),
    };
    for (name, offset) in offsets::resolve(&client.admin(), partitions, place).await? {
        consumer.seek(&name, offset)?;
    }
    Ok(())
}

fn to_all(consumer: &mut Consumer, partitions: &[TopicPartition], spec: OffsetSpec) -> client::Result<()> {
    partitions
        .iter()
        .try_for_each(|name| consumer.seek_to(name, spec))
}

/// Reading, until enough was read or it is told to end.
struct Reading<'a> {
    options: &'a Options,
    client: &'a Client,
    format: Format,
    is_group: bool,
    group: Option<String>,
    /// Partitions whose end is not reached; only where reading ends with it.
    left: BTreeSet<TopicPartition>,
    /// The end that was said last, by partition.
    ends: BTreeMap<TopicPartition, Offset>,
    assigned: Vec<TopicPartition>,
    leaders: BTreeMap<TopicPartition, i32>,
    shown: u64,
    over: bool,
    failure: Option<Stop>,
}

impl<'a> Reading<'a> {
    fn new(options: &'a Options, client: &'a Client, format: Format, is_group: bool) -> Reading<'a> {
        Reading {
            options,
            client,
            format,
            is_group,
            group: None,
            left: BTreeSet::new(),
            ends: BTreeMap::new(),
            assigned: Vec::new(),
            leaders: BTreeMap::new(),
            shown: 0,
            over: false,
            failure: None,
        }
    }

    fn outcome(self) -> Result<(), Stop> {
        self.failure.map_or(Ok(()), Err)
    }

    async fn until_told(&mut self, consumer: &mut Consumer) -> Result<(), Stop> {
        let mut ended = std::pin::pin!(signals::ended());
        while !self.over {
            let polled = tokio::select! {
                biased;
                _ = &mut ended => return Ok(()),
                polled = consumer.poll(POLL) => polled,
            };
            let records = match polled {
                Ok(records) => records,
                Err(error) if self.options.go_on || error.is_retriable() => {
                    eprintln!("% ERROR: {}", said(&error));
                    // An error may come at once: without a pause this loop would do nothing but print.
                    tokio::time::sleep(POLL).await;
                    continue;
                }
                Err(error) => return Err(Stop::fatal(format!("Consumer error: {}", said(&error)))),
            };
            let fresh = self.follow_group(consumer);
            if self.options.json {
                self.find_leaders(&records).await;
            }
            self.show(&records, &fresh, consumer)?;
            self.notice_ends(consumer);
        }
        Ok(())
    }

    /// Says what was assigned, and goes to where `-o` says in what is new; gives those partitions.
    fn follow_group(&mut self, consumer: &mut Consumer) -> Vec<TopicPartition> {
        if !self.is_group {
            return Vec::new();
        }
        let now = consumer.assignment();
        let fresh: Vec<TopicPartition> = match self.options.start {
            Some(_) => now
                .iter()
                .filter(|name| !self.assigned.contains(name))
                .cloned()
                .collect(),
            None => Vec::new(),
        };
        for name in &fresh {
            // A partition that went away meanwhile needs no place.
            let _ = match self.options.start {
                Some(Start::Beginning) => consumer.seek_to(name, OffsetSpec::Earliest),
                Some(Start::End) => consumer.seek_to(name, OffsetSpec::Latest),
                Some(Start::At(offset)) => consumer.seek(name, Offset(offset)),
                _ => Ok(()),
            };
        }
        self.follow_assignment(now, &consumer.member_id());
        fresh
    }

    fn follow_assignment(&mut self, mut now: Vec<TopicPartition>, member: &str) {
        now.sort();
        if now == self.assigned {
            return;
        }
        let (what, list) = match now.is_empty() {
            true => ("revoked", std::mem::take(&mut self.assigned)),
            false => ("assigned", now.clone()),
        };
        let each: Vec<String> = list
            .iter()
            .map(|name| format!("{} [{}]", name.topic, name.partition))
            .collect();
        let group = self.group.as_deref().unwrap_or_default();
        self.options.say(&format!(
            "Group {group} rebalanced (memberid {member}): {what}: {}",
            each.join(", ")
        ));
        if self.options.exit_at_end {
            self.left = now.iter().cloned().collect();
        }
        self.assigned = now;
    }

    /// Prints messages. Those of `fresh` partitions were read from the wrong place, and those that are too many count
    /// as not read.
    fn show(
        &mut self,
        records: &Records,
        fresh: &[TopicPartition],
        consumer: &mut Consumer,
    ) -> Result<(), Stop> {
        let mut out = Vec::new();
        let mut unread: BTreeMap<TopicPartition, Offset> = BTreeMap::new();
        for (partition, record) in records.iter().filter(|(partition, _)| !fresh.contains(partition)) {
            let stops = self.options.exit_at_end || self.options.stop_time.is_some();
            if stops && !self.is_group && !self.left.contains(partition) {
                continue;
            }
            if self.over {
                unread.entry(partition.clone()).or_insert(record.offset);
                continue;
            }
            if self
                .options
                .stop_time
                .is_some_and(|stop| stop <= record.timestamp)
            {
                self.stop(
                    partition,
                    &format!("stop timestamp for topic {}", partition.topic),
                    record.offset,
                );
                continue;
            }
            let broker = self.leaders.get(partition).copied().unwrap_or(-1);
            let message = Message {
                partition,
                record,
                broker,
            };
            if let Err(reason) = self.format.write(&message, &mut out) {
                self.fail(&message, &reason);
            }
            self.shown += 1;
            self.over |= self.options.count == Some(self.shown);
        }
        for (partition, offset) in unread {
            let _ = consumer.seek(&partition, offset);
        }
        super::printed(&out)
    }

    fn fail(&mut self, message: &Message<'_>, reason: &str) {
        let said = format!(
            "Failed to format message in {} [{}] at offset {}: {reason}",
            message.partition.topic, message.partition.partition, message.record.offset.0
        );
        if self.options.go_on {
            eprintln!("% ERROR: {said}");
            return;
        }
        self.over = true;
        self.failure = Some(Stop::Fatal(format!("{said}: terminating")));
    }

    /// A partition is read to where it is to end.
    fn stop(&mut self, partition: &TopicPartition, what: &str, at: Offset) {
        self.left.remove(partition);
        self.over |= self.left.is_empty();
        let over = if self.over { ": exiting" } else { "" };
        self.options.say(&format!(
            "Reached {what} [{}] at offset {}{over}",
            partition.partition, at.0
        ));
    }

    fn notice_ends(&mut self, consumer: &Consumer) {
        for name in consumer.assignment() {
            let (Some(0), Some(at)) = (consumer.lag(&name), consumer.position(&name)) else {
                continue;
            };
            let stopped = self.options.exit_at_end && !self.left.contains(&name);
            if self.over || stopped || self.ends.get(&name) == Some(&at) {
                continue;
            }
            self.ends.insert(name.clone(), at);
            let what = format!("end of topic {}", name.topic);
            if self.options.exit_at_end {
                self.stop(&name, &what, at);
            } else {
                self.options
                    .say(&format!("Reached {what} [{}] at offset {}", name.partition, at.0));
            }
        }
    }

    /// The leaders of partitions that are new here, for the JSON envelope.
    async fn find_leaders(&mut self, records: &Records) {
        let unknown: BTreeSet<String> = records
            .partitions()
            .iter()
            .map(|one| one.partition())
            .filter(|name| !self.leaders.contains_key(name))
            .map(|name| name.topic.to_string())
            .collect();
        if unknown.is_empty() {
            return;
        }
        let names: Vec<&str> = unknown.iter().map(String::as_str).collect();
        // Without an answer the envelope says -1, as kcat does when it does not know.
        let Ok(described) = self.client.admin().describe_topics(&names).await else {
            return;
        };
        for (topic, found) in described {
            for partition in found.iter().flat_map(|topic| &topic.partitions) {
                let name = TopicPartition::new(topic.as_str(), partition.index.0);
                self.leaders.insert(name, partition.leader.0);
            }
        }
    }
}
