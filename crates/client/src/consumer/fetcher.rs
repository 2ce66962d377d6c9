//! The consumer's fetching task: one long poll to each broker that leads partitions, ahead of the application.

use std::sync::Arc;
use std::time::Duration;

use protocol::messages::fetch_request::FetchRequest;
use protocol::messages::fetch_response::{FetchResponse, PartitionData};
use rustc_hash::FxHashMap;
use tokio::sync::mpsc;
use tokio::time::Instant;
use types::{BrokerId, ErrorCode, LeaderEpoch, TopicId};

use super::Shared;
use super::decode::{Chunk, end_of};
use super::positions::Fetchable;
use super::session::{BY_ID_FROM, Session, Wanted};
use crate::client::Wanted as Topics;
use crate::metadata::{Broker, Metadata};
use crate::pool::Lane;
use crate::wire::Connection;
use crate::{Error, Isolation, OffsetSpec, Result, To, backoff};

enum Event {
    Connected(BrokerId, Result<Connection>),
    Answered(BrokerId, Vec<(Wanted, u64)>, Result<FetchResponse>),
    Refreshed,
}

/// A broker that leads partitions of ours.
#[derive(Default)]
struct Node {
    connection: Option<Connection>,
    busy: bool,
    session: Session,
    failures: u32,
    not_before: Option<Instant>,
}

struct Fetcher {
    shared: Arc<Shared>,
    nodes: FxHashMap<BrokerId, Node>,
    events: mpsc::UnboundedSender<Event>,
    wants_metadata: bool,
    refreshing: bool,
    refresh_not_before: Option<Instant>,
}

/// Fetches until the consumer is closed.
pub(super) async fn run(shared: Arc<Shared>) {
    let (events, mut arrived) = mpsc::unbounded_channel();
    let mut fetcher = Fetcher {
        shared: shared.clone(),
        nodes: FxHashMap::default(),
        events,
        wants_metadata: false,
        refreshing: false,
        refresh_not_before: None,
    };
    while !shared.positions.lock().closed {
        let next = fetcher.turn(Instant::now());
        let sleep = async {
            match next {
                Some(at) => tokio::time::sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            Some(event) = arrived.recv() => fetcher.on_event(event),
            () = shared.news.notified() => {}
            () = sleep => {}
        }
    }
}

impl Fetcher {
    fn turn(&mut self, now: Instant) -> Option<Instant> {
        let (fetchable, mut next) = self.shared.positions.lock().fetchable(now);
        let metadata = self.shared.client.metadata();
        let mut by_leader: FxHashMap<BrokerId, Vec<(Wanted, u64)>> = FxHashMap::default();
        for one in fetchable {
            match wanted(&metadata, &one) {
                Some((leader, wanted)) => by_leader
                    .entry(leader)
                    .or_default()
                    .push((wanted, one.incarnation)),
                None => self.wants_metadata = true,
            }
        }
        for (leader, wanted) in by_leader {
            let node = self.nodes.entry(leader).or_default();
            if node.busy {
                continue;
            }
            if let Some(at) = node.not_before.filter(|at| now < *at) {
                next = Some(next.map_or(at, |next| next.min(at)));
                continue;
            }
            match node.connection.clone().filter(Connection::is_open) {
                Some(connection) => self.fetch(leader, &connection, wanted),
                None => self.connect(leader),
            }
        }
        let refresh_at = self.refresh(now);
        match (next, refresh_at) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        }
    }

    fn connect(&mut self, leader: BrokerId) {
        let node = self.nodes.entry(leader).or_default();
        node.busy = true;
        node.connection = None;
        node.session.restart();
        let (client, events) = (self.shared.client.clone(), self.events.clone());
        tokio::spawn(async move {
            let connection = client.connection(To::Broker(leader), Lane::Fetch).await;
            let _ = events.send(Event::Connected(leader, connection));
        });
    }

    fn fetch(&mut self, leader: BrokerId, connection: &Connection, wanted: Vec<(Wanted, u64)>) {
        let config = &self.shared.config;
        let all_have_ids = wanted.iter().all(|(one, _)| !one.topic_id.is_zero());
        let versions = 4..=if all_have_ids { 18 } else { BY_ID_FROM - 1 };
        let sent = connection
            .version_of::<FetchRequest>(&versions)
            .and_then(|version| {
                let room = i32::try_from(self.shared.positions.lock().room_bytes()).unwrap_or(i32::MAX);
                let mut request = FetchRequest {
                    max_wait_ms: i32::try_from(config.fetch_wait_max.as_millis()).unwrap_or(i32::MAX),
                    min_bytes: config.fetch_bytes_min,
                    max_bytes: config.fetch_bytes_max.min(room),
                    isolation_level: config.isolation.code(),
                    ..FetchRequest::default()
                };
                let said = wanted
                    .iter()
                    .map(|(one, _)| as_of(one.clone(), version))
                    .collect();
                let Some(node) = self.nodes.get_mut(&leader) else {
                    return Err(Error::State("fetching from a broker that is not known"));
                };
                if version < 7 {
                    node.session = Session::default();
                }
                node.session
                    .fill(&mut request, said, version, config.partition_bytes_max);
                if version < 7 {
                    (request.session_id, request.session_epoch) = (0, -1);
                }
                node.busy = true;
                let timeout = self.shared.client.config().request_timeout + config.fetch_wait_max;
                connection.send(&request, &(version..=version), timeout)
            });
        match sent {
            Ok(answer) => {
                let mut positions = self.shared.positions.lock();
                wanted
                    .iter()
                    .for_each(|(one, _)| positions.mark_in_flight(&one.partition, true));
                drop(positions);
                let events = self.events.clone();
                tokio::spawn(async move {
                    let answer = answer.receive().await;
                    let _ = events.send(Event::Answered(leader, wanted, answer));
                });
            }
            Err(error) => self.on_failed(leader, &error),
        }
    }

    fn on_event(&mut self, event: Event) {
        match event {
            Event::Refreshed => {
                self.refreshing = false;
                let pause = self.pause(1);
                self.refresh_not_before = Some(Instant::now() + pause);
            }
            Event::Connected(leader, connection) => match connection {
                Ok(connection) => {
                    if let Some(node) = self.nodes.get_mut(&leader) {
                        node.connection = Some(connection);
                        node.busy = false;
                        node.failures = 0;
                    }
                }
                Err(error) => self.on_failed(leader, &error),
            },
            Event::Answered(leader, wanted, answer) => {
                {
                    let mut positions = self.shared.positions.lock();
                    wanted
                        .iter()
                        .for_each(|(one, _)| positions.mark_in_flight(&one.partition, false));
                }
                match answer {
                    Ok(answer) => self.on_answer(leader, &wanted, &answer),
                    Err(error) => self.on_failed(leader, &error),
                }
            }
        }
    }

    fn on_failed(&mut self, leader: BrokerId, error: &Error) {
        tracing::debug!(broker = %leader, %error, "a fetch failed");
        let failures = self.nodes.get(&leader).map_or(0, |node| node.failures) + 1;
        let pause = self.pause(failures);
        if let Some(node) = self.nodes.get_mut(&leader) {
            node.busy = false;
            node.failures = failures;
            node.not_before = Some(Instant::now() + pause);
            node.session.restart();
        }
        self.wants_metadata = true;
        if !error.is_retriable() && !matches!(error, Error::Protocol { .. }) {
            self.shared.positions.lock().on_error(error.clone());
            self.shared.arrived.notify_one();
        }
    }

    fn on_answer(&mut self, leader: BrokerId, wanted: &[(Wanted, u64)], answer: &FetchResponse) {
        let pause = self.pause(1);
        let Some(node) = self.nodes.get_mut(&leader) else {
            return;
        };
        node.busy = false;
        if 0 < answer.throttle_time_ms {
            node.not_before = Some(Instant::now() + Duration::from_millis(answer.throttle_time_ms as u64));
        }
        if !node.session.answered(answer) {
            let lost = [
                ErrorCode::FetchSessionIdNotFound,
                ErrorCode::InvalidFetchSessionEpoch,
            ];
            let again = lost.iter().any(|code| code.code() == answer.error_code);
            if !again {
                node.not_before = Some(Instant::now() + pause);
                self.wants_metadata = true;
            }
            return;
        }
        let asked = by_name(wanted);
        for topic in &answer.responses {
            for data in &topic.partitions {
                let name = (topic.topic_id, topic.topic.as_str(), data.partition_index);
                if let Some((asked, incarnation)) = asked.get(&name) {
                    self.on_partition(asked, *incarnation, data, answer);
                }
            }
        }
        self.shared.arrived.notify_one();
    }

    fn on_partition(
        &mut self,
        asked: &Wanted,
        incarnation: u64,
        data: &PartitionData,
        answer: &FetchResponse,
    ) {
        let partition = &asked.partition;
        let mut positions = self.shared.positions.lock();
        if let Err(error) = Error::check(data.error_code, || partition.to_string()) {
            drop(positions);
            return self.on_partition_error(asked, incarnation, data, answer, error);
        }
        if 0 <= data.diverging_epoch.end_offset {
            return positions.on_truncated(partition, incarnation, data.diverging_epoch.end_offset);
        }
        positions.on_ends(partition, data.high_watermark, data.last_stable_offset);
        let Some(records) = data.records.as_ref().filter(|records| !records.is_empty()) else {
            return;
        };
        let bytes = records.to_bytes();
        let Some((to, epoch)) = end_of(&bytes).filter(|(to, _)| asked.offset < *to) else {
            // Bytes without a whole batch, or one that lies behind: a broker that goes on so would be asked for ever.
            positions.wait_until(partition, Instant::now() + Duration::from_millis(100));
            return;
        };
        let aborted = data.aborted_transactions.iter().flatten();
        let ends_at = match self.shared.config.isolation {
            Isolation::ReadUncommitted => data.high_watermark,
            Isolation::ReadCommitted => data.last_stable_offset,
        };
        let chunk = Chunk {
            partition: partition.clone(),
            incarnation,
            from: asked.offset,
            to,
            bytes,
            aborted: aborted.map(|one| (one.producer_id, one.first_offset)).collect(),
            high_watermark: ends_at,
        };
        positions.on_chunk(chunk, epoch);
    }

    fn on_partition_error(
        &mut self,
        asked: &Wanted,
        incarnation: u64,
        data: &PartitionData,
        answer: &FetchResponse,
        error: Error,
    ) {
        let partition = &asked.partition;
        if error.code() == Some(ErrorCode::OffsetOutOfRange) {
            let reset = self.shared.reset();
            self.shared
                .positions
                .lock()
                .on_out_of_range(partition, incarnation, reset);
            return;
        }
        if !error.is_retriable() && !error.wants_metadata() {
            let mut positions = self.shared.positions.lock();
            positions.wait_until(partition, Instant::now() + Duration::from_secs(1));
            return positions.on_error(error);
        }
        if self.learn_leader(asked, data, answer) {
            return;
        }
        self.wants_metadata |= error.wants_metadata();
        let pause = self.pause(1);
        self.shared
            .positions
            .lock()
            .wait_until(partition, Instant::now() + pause);
    }

    /// A refusal may name the new leader (KIP-951).
    fn learn_leader(&self, asked: &Wanted, data: &PartitionData, answer: &FetchResponse) -> bool {
        let leader = BrokerId(data.current_leader.leader_id);
        if leader.0 < 0 {
            return false;
        }
        let node = answer.node_endpoints.iter().find(|node| node.node_id == leader.0);
        let endpoint = node.and_then(|node| {
            Some(Broker {
                id: leader,
                host: node.host.as_str().to_owned(),
                port: u16::try_from(node.port).ok()?,
                rack: node.rack.as_ref().map(|rack| rack.as_str().to_owned()),
            })
        });
        let epoch = LeaderEpoch(data.current_leader.leader_epoch);
        let partition = asked.partition.partition;
        self.shared
            .client
            .learn_leader(&asked.partition.topic, partition, (leader, epoch), endpoint)
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

    fn refresh(&mut self, now: Instant) -> Option<Instant> {
        if !self.wants_metadata || self.refreshing {
            return None;
        }
        if let Some(at) = self.refresh_not_before.filter(|at| now < *at) {
            return Some(at);
        }
        self.wants_metadata = false;
        self.refreshing = true;
        let mut names: Vec<Arc<str>> = self
            .shared
            .positions
            .lock()
            .assigned()
            .into_iter()
            .map(|one| one.topic)
            .collect();
        names.dedup();
        let (client, events) = (self.shared.client.clone(), self.events.clone());
        tokio::spawn(async move {
            let names: Vec<&str> = names.iter().map(|name| &**name).collect();
            let _ = client.refresh(Topics::Names(&names)).await;
            let _ = events.send(Event::Refreshed);
        });
        None
    }
}

/// What was asked for, under both names that an answer may use: a topic's id, or its name.
fn by_name(wanted: &[(Wanted, u64)]) -> FxHashMap<(TopicId, &str, i32), &(Wanted, u64)> {
    let both = wanted.iter().flat_map(|one| {
        let (partition, id) = (&one.0.partition, one.0.topic_id);
        let by_topic = (TopicId::ZERO, &*partition.topic, partition.partition);
        [((id, "", partition.partition), one), (by_topic, one)]
    });
    both.collect()
}

/// The leader of a partition, and how it is asked.
fn wanted(metadata: &Metadata, one: &Fetchable) -> Option<(BrokerId, Wanted)> {
    let topic = metadata.topic(&one.partition.topic)?;
    let partition = topic.partition(one.partition.partition).ok()?;
    let wanted = Wanted {
        partition: one.partition.clone(),
        topic_id: topic.id,
        offset: one.offset,
        leader_epoch: partition.leader_epoch.0,
        last_fetched_epoch: one.last_fetched_epoch,
    };
    (partition.leader != BrokerId::NONE).then_some((partition.leader, wanted))
}

/// Older versions cannot say epochs.
fn as_of(mut wanted: Wanted, version: i16) -> Wanted {
    if version < 9 {
        wanted.leader_epoch = -1;
    }
    if version < 12 {
        wanted.last_fetched_epoch = -1;
    }
    wanted
}

impl Shared {
    /// Where to go on if a position is out of the log; `None` if polls are to fail.
    pub(super) fn reset(&self) -> Option<OffsetSpec> {
        self.config.reset.spec(self.client.config().clock.wall_ms())
    }
}
