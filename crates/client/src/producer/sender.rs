//! The producer's task: connections to leaders, requests out, answers in, metadata when it is needed.

use std::sync::Arc;
use std::time::Duration;

use protocol::messages::init_producer_id_request::InitProducerIdRequest;
use protocol::messages::produce_request::ProduceRequest;
use protocol::messages::produce_response::ProduceResponse;
use rustc_hash::FxHashMap;
use tokio::sync::mpsc;
use tokio::time::Instant;
use types::{BrokerId, ProducerEpoch, ProducerId};

use super::accumulator::{Door, Item};
use super::queue::{After, Identity};
use super::record::Landed;
use super::request::{self, Batches};
use super::{Acks, Shared};
use crate::client::Wanted;
use crate::pool::Lane;
use crate::wire::{Connection, Request};
use crate::{Error, Result, To, backoff};

/// What a task of the sender's brought.
enum Event {
    Connected(BrokerId, Result<Connection>),
    Answered(BrokerId, Batches, Result<ProduceResponse>),
    Refreshed(Result<()>),
    Identified(Result<Identity>),
}

/// A broker that leads partitions with work.
#[derive(Default)]
struct Node {
    connection: Option<Connection>,
    connecting: bool,
    in_flight: usize,
    failures: u32,
    /// It asked for a pause, or could not be reached.
    not_before: Option<Instant>,
}

/// A thing that is asked for by one task at a time, with pauses after failures.
#[derive(Default)]
struct Asking {
    under_way: bool,
    failures: u32,
    not_before: Option<Instant>,
    wanted: bool,
}

struct Sender {
    shared: Arc<Shared>,
    nodes: FxHashMap<BrokerId, Node>,
    metadata: Asking,
    identity: Asking,
    metadata_at: Instant,
    events: mpsc::UnboundedSender<Event>,
}

/// Sends until the producer is closed and everything is delivered or given up.
pub(super) async fn run(shared: Arc<Shared>) {
    let (events, mut arrived) = mpsc::unbounded_channel();
    let mut sender = Sender {
        shared: shared.clone(),
        nodes: FxHashMap::default(),
        metadata: Asking::default(),
        identity: Asking::default(),
        metadata_at: Instant::now(),
        events,
    };
    loop {
        let next = sender.turn(Instant::now());
        if sender.is_over() {
            break;
        }
        let sleep = async {
            match next {
                Some(at) => tokio::time::sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            Some(event) = arrived.recv() => {
                sender.on_event(event);
                while let Ok(event) = arrived.try_recv() {
                    sender.on_event(event);
                }
            }
            () = shared.news.notified() => {}
            () = sleep => {}
        }
    }
    shared.ended.notify_waiters();
}

impl Sender {
    fn is_over(&self) -> bool {
        let accumulator = self.shared.accumulator.lock();
        accumulator.closed && accumulator.is_empty()
    }

    /// Sends what can be sent. Gives the time at which there may be more, if nothing else happens.
    fn turn(&mut self, now: Instant) -> Option<Instant> {
        let mut next = None;
        loop {
            let (mut work, freed) = {
                let mut accumulator = self.shared.accumulator.lock();
                accumulator.learn(&self.shared.client.metadata());
                let freed = accumulator.expire(now);
                (accumulator.drain(now, |broker| self.door(broker, now)), freed)
            };
            if freed {
                self.shared.room.notify_waiters();
            }
            let sent = !work.requests.is_empty();
            for (broker, items) in work.requests.drain(..) {
                self.send(broker, items);
            }
            work.connect.iter().for_each(|broker| self.connect(*broker, now));
            self.metadata.wanted |= work.wants_metadata;
            self.identity.wanted |= work.wants_identity;
            next = earliest(next, work.next);
            if !sent {
                break;
            }
            next = None;
        }
        let max_age = self.shared.client.config().metadata_max_age;
        self.metadata.wanted |= self.metadata_at + max_age <= now;
        next = earliest(next, Some(self.metadata_at + max_age));
        next = earliest(next, self.ask_for_metadata(now));
        earliest(next, self.ask_for_identity(now)).map(|at| at.max(now + Duration::from_micros(100)))
    }

    fn door(&self, broker: BrokerId, now: Instant) -> Door {
        let Some(node) = self.nodes.get(&broker) else {
            return Door::Unconnected;
        };
        if node.connecting || self.shared.config.in_flight_max <= node.in_flight {
            return Door::Busy(None);
        }
        if let Some(not_before) = node.not_before.filter(|at| now < *at) {
            return Door::Busy(Some(not_before));
        }
        match &node.connection {
            Some(connection) if connection.is_open() => Door::Open,
            // The answers of the old connection fail first: they come before anything else is sent.
            _ if 0 < node.in_flight => Door::Busy(None),
            _ => Door::Unconnected,
        }
    }

    fn connect(&mut self, broker: BrokerId, _now: Instant) {
        let node = self.nodes.entry(broker).or_default();
        node.connecting = true;
        let (client, events) = (self.shared.client.clone(), self.events.clone());
        tokio::spawn(async move {
            let connection = client.connection(To::Broker(broker), Lane::Produce).await;
            let _ = events.send(Event::Connected(broker, connection));
        });
    }

    fn send(&mut self, broker: BrokerId, items: Vec<Item>) {
        let batches: Batches = {
            let accumulator = self.shared.accumulator.lock();
            items
                .into_iter()
                .filter_map(|item| Some((accumulator.name(item.topic)?, item)))
                .collect()
        };
        let Some(node) = self.nodes.get_mut(&broker) else {
            return;
        };
        let Some(connection) = node.connection.clone() else {
            return;
        };
        let config = &self.shared.config;
        let timeout = self.shared.client.config().request_timeout;
        let timeout_ms = i32::try_from(timeout.as_millis()).unwrap_or(i32::MAX);
        let versions = request::versions(config, &batches);
        let sent = connection
            .version_of::<ProduceRequest>(&versions)
            .and_then(|version| {
                let request = request::build(config, timeout_ms, version, &batches);
                if config.acks == Acks::None {
                    connection.send_unanswered(&request, &(version..=version))?;
                    return Ok(None);
                }
                connection.send(&request, &(version..=version), timeout).map(Some)
            });
        match sent {
            Ok(Some(answer)) => {
                node.in_flight += 1;
                let events = self.events.clone();
                tokio::spawn(async move {
                    let answer = answer.receive().await;
                    let _ = events.send(Event::Answered(broker, batches, answer));
                });
            }
            Ok(None) => {
                let unknown = Landed {
                    base_offset: None,
                    log_append_time: None,
                };
                batches
                    .iter()
                    .for_each(|(_, item)| self.settle(item, Ok(unknown.clone()), false));
            }
            Err(error) => {
                self.metadata.wanted |= error.wants_metadata();
                batches
                    .iter()
                    .for_each(|(_, item)| self.settle(item, Err(error.clone()), false));
            }
        }
    }

    fn on_event(&mut self, event: Event) {
        match event {
            Event::Connected(broker, connection) => self.on_connected(broker, connection),
            Event::Answered(broker, batches, answer) => self.on_answered(broker, &batches, answer),
            Event::Refreshed(outcome) => {
                self.metadata_at = Instant::now();
                let pause = self.pause(self.metadata.failures + 1);
                // Not more often than the pause even if all goes well: a partition without a leader would spin.
                self.metadata
                    .done(outcome.is_ok(), Some(self.metadata_at + pause));
            }
            Event::Identified(outcome) => self.on_identified(outcome),
        }
    }

    fn on_connected(&mut self, broker: BrokerId, connection: Result<Connection>) {
        let failures = self.nodes.get(&broker).map_or(0, |node| node.failures) + 1;
        let pause = self.pause(failures);
        let Some(node) = self.nodes.get_mut(&broker) else {
            return;
        };
        node.connecting = false;
        match connection {
            Ok(connection) => {
                node.connection = Some(connection);
                node.failures = 0;
            }
            Err(error) => {
                tracing::debug!(%broker, %error, "a leader cannot be reached");
                node.failures = failures;
                node.not_before = Some(Instant::now() + pause);
                self.metadata.wanted = true;
            }
        }
    }

    fn on_answered(&mut self, broker: BrokerId, batches: &Batches, answer: Result<ProduceResponse>) {
        if let Some(node) = self.nodes.get_mut(&broker) {
            node.in_flight = node.in_flight.saturating_sub(1);
            if let Ok(answer) = &answer
                && 0 < answer.throttle_time_ms
            {
                let pause = Duration::from_millis(answer.throttle_time_ms as u64);
                node.not_before = Some(Instant::now() + pause);
            }
        }
        for (topic, item) in batches {
            match &answer {
                Err(error) => {
                    self.metadata.wanted |= error.wants_metadata();
                    self.settle(item, Err(error.clone()), false);
                }
                Ok(answer) => {
                    let (outcome, hint) = request::outcome(answer, topic, item);
                    let partition = item.partition as i32;
                    let client = &self.shared.client;
                    let hinted = hint.is_some_and(|hint| {
                        client.learn_leader(&topic.name, partition, (hint.leader, hint.epoch), hint.endpoint)
                    });
                    let stale = outcome.as_ref().is_err_and(Error::wants_metadata);
                    self.metadata.wanted |= stale && !hinted;
                    self.settle(item, outcome, hinted);
                }
            }
        }
        self.shared.room.notify_waiters();
    }

    /// Tells a batch's queue what became of it. `at_once`: if it is sent again, without a pause.
    fn settle(&self, item: &Item, outcome: Result<Landed>, at_once: bool) {
        let mut accumulator = self.shared.accumulator.lock();
        let rules = accumulator.rules;
        let pause = |failures| {
            if at_once {
                Duration::ZERO
            } else {
                self.pause(failures)
            }
        };
        let after = accumulator
            .queue(item)
            .map(|queue| queue.answered(Instant::now(), &rules, item.batch.number, outcome, pause));
        if let Some(After::Freed(bytes)) = after {
            accumulator.free(bytes);
        }
    }

    fn pause(&self, failures: u32) -> Duration {
        let config = self.shared.client.config();
        backoff::pause(
            config.retry_backoff,
            config.retry_backoff_max,
            failures,
            &config.random,
        )
    }

    fn ask_for_metadata(&mut self, now: Instant) -> Option<Instant> {
        if !self.metadata.may_start(now) {
            return self.metadata.next();
        }
        let (client, events) = (self.shared.client.clone(), self.events.clone());
        let names = self.shared.accumulator.lock().names();
        tokio::spawn(async move {
            let names: Vec<&str> = names.iter().map(|name| &**name).collect();
            let outcome = client.refresh(Wanted::Names(&names)).await;
            let _ = events.send(Event::Refreshed(outcome));
        });
        None
    }

    fn ask_for_identity(&mut self, now: Instant) -> Option<Instant> {
        if !self.identity.may_start(now) {
            return self.identity.next();
        }
        let (client, events) = (self.shared.client.clone(), self.events.clone());
        tokio::spawn(async move {
            let _ = events.send(Event::Identified(identify(&client).await));
        });
        None
    }

    fn on_identified(&mut self, outcome: Result<Identity>) {
        let pause = self.pause(self.identity.failures + 1);
        let mut accumulator = self.shared.accumulator.lock();
        match &outcome {
            Ok(identity) => accumulator.identity = Some(*identity),
            // Nothing can be sent without one: as the Java client, everything that waits for it fails.
            Err(error) if !error.is_retriable() => {
                accumulator.fail_all(error);
                self.shared.room.notify_waiters();
            }
            Err(_) => {}
        }
        drop(accumulator);
        let not_before = outcome.is_err().then(|| Instant::now() + pause);
        self.identity.done(outcome.is_ok(), not_before);
    }
}

impl Asking {
    fn may_start(&mut self, now: Instant) -> bool {
        let starts = self.wanted && !self.under_way && self.not_before.is_none_or(|at| at <= now);
        if starts {
            self.under_way = true;
            self.wanted = false;
        }
        starts
    }

    /// When it may start, if it is wanted and only time is in the way.
    fn next(&self) -> Option<Instant> {
        self.not_before.filter(|_| self.wanted && !self.under_way)
    }

    fn done(&mut self, well: bool, not_before: Option<Instant>) {
        self.under_way = false;
        self.failures = if well { 0 } else { self.failures + 1 };
        self.wanted |= !well;
        self.not_before = not_before;
    }
}

async fn identify(client: &crate::Client) -> Result<Identity> {
    let request = InitProducerIdRequest {
        transactional_id: None,
        transaction_timeout_ms: i32::MAX,
        ..InitProducerIdRequest::default()
    };
    let answer = client
        .call_within(To::Any, &request, &InitProducerIdRequest::VERSIONS)
        .await?;
    Error::check(answer.error_code, || "a producer id".into())?;
    Ok(Identity {
        id: ProducerId(answer.producer_id),
        epoch: ProducerEpoch(answer.producer_epoch),
    })
}

fn earliest(one: Option<Instant>, other: Option<Instant>) -> Option<Instant> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}
