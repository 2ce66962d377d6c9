//! Histories of groups from seeds: clients that come, go, stall and come back as strangers, admins that delete, a disk
//! that lags, and coordinators that resign. What must hold is in `model.rs`: nobody but the owner of a partition commits
//! for it, no decision is lost, no partition has two owners, nobody is thrown out who is there, and when trouble ends
//! everything is shared out; when everybody is gone, nothing is left.
//!
//! That these histories find what they look for is shown by faults that are planted (`crates/coordinator/tests/mutants`,
//! `cargo xtask mutants`).

mod client;
mod model;
mod trouble;

use coordinator::group::{Answer, GroupConfig, Join, Sync};
use protocol::Str;
use protocol::messages::join_group_response::JoinGroupResponse;
use types::ErrorCode;

use crate::world::{Dice, World};
use client::{Client, Doing};
use model::{Kept, Model};

const GROUP: &str = "g";
/// What the consumers read.
const TOPIC: &str = "t";
/// They keep offsets of it too, and are not subscribed to it.
const OTHER: &str = "u";
const PARTITIONS: i32 = 6;
/// Short ones end before a rebalance is over, long ones do not.
const SESSIONS_MS: [i32; 2] = [1_000, 3_000];
const REBALANCE_MS: i32 = 800;
const RETENTION_MS: i64 = 5_000;
const STEPS: usize = 250;

#[derive(Debug, Default, Clone, Copy)]
pub struct Counts {
    pub commits: u64,
    pub refused: u64,
    pub resigned: u64,
    pub lost_tails: u64,
    pub generations: u64,
    pub fenced: u64,
    pub deleted: u64,
    pub expired: u64,
}

struct History {
    world: World,
    clients: Vec<Client>,
    model: Model,
    dice: Dice,
    counts: Counts,
    next_offset: i64,
    session_ms: i32,
    /// How many coordinators have resigned.
    term: u64,
}

impl History {
    fn new(seed: u64) -> History {
        let mut dice = Dice::new(seed);
        let config = GroupConfig {
            session_timeout_min_ms: 100,
            initial_rebalance_delay_ms: [0, 50][dice.below(2)],
            offsets_retention_ms: RETENTION_MS,
            offsets_check_interval_ms: 700,
            ..GroupConfig::default()
        };
        let with_instances = dice.one_in(2);
        let client = |name: usize| {
            let is_static = with_instances && name.is_multiple_of(2);
            Client::new(name, is_static.then(|| format!("i{name}").into()))
        };
        let session_ms = SESSIONS_MS[dice.below(2)];
        let count = 2 + dice.below(3);
        History {
            world: World::new(config),
            clients: (0..count).map(client).collect(),
            model: Model::default(),
            dice,
            counts: Counts::default(),
            next_offset: 0,
            session_ms,
            term: 0,
        }
    }

    fn run(&mut self) {
        for _ in 0..STEPS {
            let at = self.dice.below(self.clients.len());
            match self.dice.below(20) {
                0..=5 => self.step_all(),
                6..=10 => self.commit_offset(at),
                11..=14 => self.disk_catches_up(),
                15 => self.heartbeats(),
                16 => {
                    let ms = [10, 60, 60, 400, 1_100][self.dice.below(5)];
                    self.pass(ms);
                }
                17 if self.dice.one_in(2) => self.trouble(at),
                18 if self.dice.one_in(6) => self.resign(),
                19 if self.dice.one_in(6) => self.admin(),
                _ => self.heartbeat(at),
            }
            self.model.check(&self.world);
        }
        self.peace();
        self.funeral();
    }

    fn step_all(&mut self) {
        for at in 0..self.clients.len() {
            match self.clients[at].doing {
                _ if !self.clients[at].awake => {}
                Doing::Nothing => self.join(at),
                Doing::Joined => self.sync(at),
                Doing::Joining(_) | Doing::Syncing(_) | Doing::Working => {}
            }
        }
    }

    fn pass(&mut self, ms: u64) {
        self.world.pass(ms);
        for timed in std::mem::take(&mut self.world.timed) {
            self.counts.expired += u64::from(self.model.time_wrote(&timed, RETENTION_MS));
        }
    }

    fn join(&mut self, at: usize) {
        let ticket = self.world.ticket();
        let fresh = u128::from(self.dice.next()) << 64 | u128::from(self.dice.next());
        let client = &mut self.clients[at];
        client.doing = Doing::Joining(ticket);
        if client.member.is_empty() {
            client.term = self.term;
        }
        client.safe_ms = None;
        let join = Join {
            ticket,
            group: GROUP.into(),
            member: client.member.clone(),
            instance: client.instance.clone(),
            client_id: format!("c{}", client.name).into(),
            client_host: "/127.0.0.1".into(),
            session_timeout_ms: self.session_ms,
            rebalance_timeout_ms: REBALANCE_MS,
            protocol_type: "consumer".into(),
            protocols: vec![(
                "range".into(),
                bytes::Bytes::from_static(b"\0\0\0\0\0\x01\0\x01t\xff\xff\xff\xff"),
            )],
            needs_known_member: true,
            can_skip_assignment: true,
            fresh,
        };
        let before = self.world.end();
        self.world.join(&join);
        self.replace_others(at, &join, before);
    }

    /// A static member without an id takes the place of whoever had its instance.
    fn replace_others(&mut self, at: usize, join: &Join, before: usize) {
        if join.instance.is_none() || !join.member.is_empty() {
            return;
        }
        let recorded = (before < self.world.end()).then(|| self.world.end());
        self.clients[at].superseded = false;
        for (other, client) in self.clients.iter_mut().enumerate() {
            if other == at || client.instance != join.instance {
                continue;
            }
            client.superseded = true;
            if !client.member.is_empty() {
                self.model.replace(client.member.clone(), recorded);
            }
        }
    }

    fn sync(&mut self, at: usize) {
        let ticket = self.world.ticket();
        let client = &mut self.clients[at];
        client.doing = Doing::Syncing(ticket);
        let mut assignments = Vec::new();
        for (index, (member, name)) in client.leads.iter().enumerate() {
            let mine = (0..PARTITIONS).filter(|partition| *partition as usize % client.leads.len() == index);
            let bytes = bytes::Bytes::from(mine.map(|partition| partition as u8).collect::<Vec<u8>>());
            self.model.mean(client.generation, name.clone(), bytes.clone());
            assignments.push((member.clone(), bytes));
        }
        let sync = Sync {
            ticket,
            group: GROUP.into(),
            generation: client.generation,
            member: client.member.clone(),
            instance: client.instance.clone(),
            protocol_type: Some("consumer".into()),
            protocol: Some("range".into()),
            assignments,
        };
        self.world.sync(&sync);
    }

    /// Everything that is written is on stable storage now, and the answers arrive.
    fn disk_catches_up(&mut self) {
        for (end, ticket, answer) in self.world.commit_and_tell() {
            let Some(at) = self.clients.iter().position(|client| client.waits_for(ticket)) else {
                continue;
            };
            if !self.clients[at].awake {
                // It sleeps over its answer, and will hear of it when it comes back as a stranger.
                self.clients[at].doing = Doing::Nothing;
                continue;
            }
            match answer {
                Answer::Join(response) => self.hear_join(at, response),
                Answer::Sync(response) => match code(response.error_code) {
                    ErrorCode::None => self.hear_assignment(at, end, &response.assignment),
                    ErrorCode::FencedInstanceId => self.told(at, ErrorCode::FencedInstanceId),
                    _ => self.clients[at].doing = Doing::Nothing,
                },
            }
        }
    }

    fn hear_join(&mut self, at: usize, response: JoinGroupResponse) {
        let client = &mut self.clients[at];
        match code(response.error_code) {
            ErrorCode::None => {
                self.model.name(&response.member_id, client.instance.as_ref());
                client.member = response.member_id;
                client.generation = response.generation_id;
                client.leads.clear();
                if !response.skip_assignment {
                    for member in response.members {
                        let name = self
                            .model
                            .name(&member.member_id, member.group_instance_id.as_ref());
                        client.leads.push((member.member_id, name));
                    }
                }
                client.doing = Doing::Joined;
                client.owns.clear();
                client.safe_ms = None;
            }
            ErrorCode::MemberIdRequired => {
                client.member = response.member_id;
                client.doing = Doing::Nothing;
            }
            ErrorCode::FencedInstanceId => self.told(at, ErrorCode::FencedInstanceId),
            _ => {
                client.forget();
                client.member = Str::default();
            }
        }
    }

    fn hear_assignment(&mut self, at: usize, end: usize, assignment: &bytes::Bytes) {
        self.counts.generations += 1;
        let client = &mut self.clients[at];
        client.doing = Doing::Working;
        client.owns = assignment.iter().map(|partition| i32::from(*partition)).collect();
        self.model
            .assigned(end, client.generation, &client.member, assignment);
    }

    fn commit_offset(&mut self, at: usize) {
        let client = &self.clients[at];
        let Some(partition) = client.owns.first().copied() else {
            return;
        };
        let topic = if self.dice.one_in(4) { OTHER } else { TOPIC };
        self.next_offset += 1;
        let (mut who, offset) = (client.who(), self.next_offset);
        // An old version of the request does not name the instance: then nobody is fenced, but ids are checked as ever.
        let is_old = who.instance.is_some() && self.dice.one_in(4);
        who.instance = who.instance.filter(|_| !is_old);
        match self.world.commit_offset(&who, topic, partition, offset) {
            Ok(end) => {
                self.counts.commits += 1;
                self.model
                    .check_commit(&self.world, who.generation, &who.member, partition);
                let wall_ms = self.world.now.wall_ms;
                self.model
                    .decide(end, (topic, partition), Some(Kept { offset, wall_ms }));
            }
            Err(code) => {
                self.counts.refused += 1;
                if !is_old {
                    self.told(at, code);
                }
            }
        }
    }

    fn heartbeats(&mut self) {
        for at in 0..self.clients.len() {
            self.heartbeat(at);
        }
    }

    fn heartbeat(&mut self, at: usize) {
        let client = &self.clients[at];
        if !client.awake || !matches!(client.doing, Doing::Working) {
            return;
        }
        let who = client.who();
        let (now, shard) = (self.world.now, &mut self.world.shard);
        let beat = shard.heartbeat(now, GROUP, &who.member, who.instance.as_ref(), who.generation);
        match beat {
            Ok(()) => {
                assert!(
                    !self.model.is_replaced(&who.member),
                    "a heartbeat of {who:?}, whom another one replaced"
                );
                self.clients[at].safe_ms = Some(now.elapsed_ms);
            }
            Err(code) => self.told(at, code),
        }
    }

    /// A client hears that it is out. It may be only if it had time to notice, or if another one took its place.
    fn told(&mut self, at: usize, code: ErrorCode) {
        let client = &self.clients[at];
        let replaced = self.model.is_replaced(&client.member);
        match code {
            ErrorCode::FencedInstanceId => {
                self.counts.fenced += 1;
                // A coordinator that resigns may forget an id, but not of somebody who has an assignment.
                let forgotten = client.term != self.term && client.doing != Doing::Working;
                assert!(
                    replaced || client.superseded || forgotten,
                    "{client:?} is fenced, and nobody took its place"
                );
            }
            ErrorCode::RebalanceInProgress => {}
            _ if replaced => {
                let newer = |other: &&Client| {
                    other.instance == client.instance
                        && !self.model.is_replaced(&other.member)
                        && self.is_safe(other)
                };
                assert_eq!(
                    self.clients.iter().find(newer).map(|newer| &newer.member),
                    None,
                    "{client:?} is not told that another one is in its place"
                );
            }
            _ => assert!(
                !self.is_safe(client),
                "{client:?} is thrown out with {code:?} at {:?}",
                self.world.now
            ),
        }
        self.clients[at].obey(code);
    }

    /// It is a member for certain: neither its session nor a rebalance can have ended without it.
    fn is_safe(&self, client: &Client) -> bool {
        let until = |safe_ms: u64| safe_ms + REBALANCE_MS.min(self.session_ms) as u64;
        client
            .safe_ms
            .is_some_and(|safe_ms| self.world.now.elapsed_ms < until(safe_ms))
    }
}

fn code(code: i16) -> ErrorCode {
    ErrorCode::from_code(code).expect("a code of Kafka")
}

#[test]
fn no_history_has_a_strangers_commit_a_lost_commit_or_two_owners() {
    let number = |name: &str| -> Option<u64> { std::env::var(name).ok()?.parse().ok() };
    let first = number("OTTLA_SEED").unwrap_or(0);
    let mut all = Counts::default();
    for seed in first..first + number("OTTLA_CASES").unwrap_or(300) {
        let told = std::panic::catch_unwind(|| {
            let mut history = History::new(seed);
            history.run();
            history.counts
        });
        let counts = told.unwrap_or_else(|_| panic!("seed {seed}"));
        all.add(counts);
    }
    println!("{all:?}");
    assert!(
        all.all().iter().all(|count| 0 < *count),
        "the histories do not reach everything: {all:?}"
    );
}

impl Counts {
    fn all(&self) -> [u64; 8] {
        [
            self.commits,
            self.refused,
            self.resigned,
            self.lost_tails,
            self.generations,
            self.fenced,
            self.deleted,
            self.expired,
        ]
    }

    fn add(&mut self, other: Counts) {
        self.commits += other.commits;
        self.refused += other.refused;
        self.resigned += other.resigned;
        self.lost_tails += other.lost_tails;
        self.generations += other.generations;
        self.fenced += other.fenced;
        self.deleted += other.deleted;
        self.expired += other.expired;
    }
}
