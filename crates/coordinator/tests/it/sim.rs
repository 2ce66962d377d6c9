//! Histories of groups from seeds: clients that come, go, stall and come back as strangers, a disk that lags, and
//! coordinators that resign. Nobody but the owner of a partition commits for it, no acknowledged commit is lost, and
//! no partition has two owners.

use std::collections::{BTreeMap, HashMap};

use coordinator::group::{Answer, GroupConfig, Join, Leave, Sync, Ticket};
use protocol::Str;
use types::ErrorCode;

use crate::world::{Dice, Who, World};

const GROUP: &str = "g";
const TOPIC: &str = "t";
const PARTITIONS: i32 = 6;
const SESSION_MS: i32 = 1_000;
const STEPS: usize = 250;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Doing {
    Nothing,
    Joining(Ticket),
    /// Joined a generation, has to ask for its assignment.
    Joined,
    Syncing(Ticket),
    Working,
}

/// A consumer. A stalled one keeps what it believes, and may commit with it later.
#[derive(Debug)]
struct Client {
    name: usize,
    instance: Option<Str>,
    member: Str,
    generation: i32,
    doing: Doing,
    leads: Vec<Str>,
    owns: Vec<i32>,
    /// Heartbeats and listens.
    awake: bool,
}

impl Client {
    fn who(&self) -> Who {
        Who {
            group: GROUP.into(),
            member: self.member.clone(),
            instance: self.instance.clone(),
            generation: self.generation,
        }
    }

    fn forget(&mut self) {
        self.generation = -1;
        self.doing = Doing::Nothing;
        self.leads.clear();
        self.owns.clear();
    }
}

/// What must hold.
#[derive(Debug, Default)]
struct Model {
    /// The last acknowledged commit per partition; commits count up over all partitions.
    acknowledged: BTreeMap<i32, i64>,
    /// Commits whose answer waits for the disk.
    waiting: Vec<(usize, i32, i64)>,
    /// Who was told that a partition is theirs, by generation.
    owners: HashMap<(i32, i32), Str>,
    next_offset: i64,
}

#[derive(Debug, Default, Clone, Copy)]
pub struct Counts {
    pub commits: u64,
    pub refused: u64,
    pub resigned: u64,
    pub lost_tails: u64,
    pub generations: u64,
    pub fenced: u64,
}

struct History {
    world: World,
    clients: Vec<Client>,
    model: Model,
    dice: Dice,
    counts: Counts,
}

impl History {
    fn new(seed: u64) -> History {
        let mut dice = Dice::new(seed);
        let config = GroupConfig {
            session_timeout_min_ms: 100,
            initial_rebalance_delay_ms: [0, 50][dice.below(2)],
            ..GroupConfig::default()
        };
        let with_instances = dice.one_in(2);
        let client = |name: usize| Client {
            name,
            instance: (with_instances && name.is_multiple_of(2)).then(|| format!("i{name}").into()),
            member: Str::default(),
            generation: -1,
            doing: Doing::Nothing,
            leads: Vec::new(),
            owns: Vec::new(),
            awake: true,
        };
        let count = 2 + dice.below(3);
        History {
            world: World::new(config),
            clients: (0..count).map(client).collect(),
            model: Model::default(),
            dice,
            counts: Counts::default(),
        }
    }

    fn run(&mut self) {
        for _ in 0..STEPS {
            let at = self.dice.below(self.clients.len());
            match self.dice.below(20) {
                0..=5 => (0..self.clients.len()).for_each(|at| self.step(at)),
                6..=10 => self.commit_offset(at),
                11..=14 => self.disk_catches_up(),
                15 => self.heartbeats(),
                16 => {
                    let ms = [10, 60, 60, 400, 1_100][self.dice.below(5)];
                    self.world.pass(ms);
                }
                17 if self.dice.one_in(2) => self.trouble(at),
                18 if self.dice.one_in(6) => self.resign(),
                _ => self.heartbeat(at),
            }
            self.check();
        }
    }

    fn step(&mut self, at: usize) {
        if !self.clients[at].awake {
            return;
        }
        match self.clients[at].doing {
            Doing::Nothing => self.join(at),
            Doing::Joined => self.sync(at),
            Doing::Joining(_) | Doing::Syncing(_) | Doing::Working => {}
        }
    }

    fn join(&mut self, at: usize) {
        let ticket = self.world.ticket();
        let fresh = u128::from(self.dice.next()) << 64 | u128::from(self.dice.next());
        let client = &mut self.clients[at];
        client.doing = Doing::Joining(ticket);
        let join = Join {
            ticket,
            group: GROUP.into(),
            member: client.member.clone(),
            instance: client.instance.clone(),
            client_id: format!("c{}", client.name).into(),
            client_host: "/127.0.0.1".into(),
            session_timeout_ms: SESSION_MS,
            rebalance_timeout_ms: 800,
            protocol_type: "consumer".into(),
            protocols: vec![(
                "range".into(),
                bytes::Bytes::from_static(b"\0\0\0\0\0\x01\0\x01t\xff\xff\xff\xff"),
            )],
            needs_known_member: true,
            can_skip_assignment: true,
            fresh,
        };
        self.world.join(&join);
    }

    fn sync(&mut self, at: usize) {
        let ticket = self.world.ticket();
        let client = &mut self.clients[at];
        client.doing = Doing::Syncing(ticket);
        let mut assignments = Vec::new();
        for (index, member) in client.leads.iter().enumerate() {
            let mine = (0..PARTITIONS).filter(|partition| *partition as usize % client.leads.len() == index);
            let bytes: Vec<u8> = mine.map(|partition| partition as u8).collect();
            assignments.push((member.clone(), bytes.into()));
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
        let answers = self.world.commit();
        for (_, partition, offset) in std::mem::take(&mut self.model.waiting) {
            let last = self.model.acknowledged.entry(partition).or_insert(offset);
            *last = (*last).max(offset);
        }
        for (ticket, answer) in answers {
            let waits = |client: &&mut Client| matches!(client.doing, Doing::Joining(t) | Doing::Syncing(t) if t == ticket);
            let Some(client) = self.clients.iter_mut().find(waits) else {
                continue;
            };
            if client.awake {
                hear(client, answer, &mut self.model, &mut self.counts);
            } else {
                // It sleeps over its answer, and will hear of it when it comes back as a stranger.
                client.doing = Doing::Nothing;
            }
        }
    }

    fn commit_offset(&mut self, at: usize) {
        let client = &self.clients[at];
        let Some(partition) = client.owns.first().copied() else {
            return;
        };
        self.model.next_offset += 1;
        let (who, offset) = (client.who(), self.model.next_offset);
        match self.world.commit_offset(&who, TOPIC, partition, offset) {
            Ok(end) => {
                self.counts.commits += 1;
                let owner = self.model.owners.get(&(who.generation, partition));
                let name: &str = who.instance.as_ref().unwrap_or(&who.member);
                assert_eq!(
                    owner.map(Str::as_str),
                    Some(name),
                    "a stranger's commit was taken: {who:?}"
                );
                self.model.waiting.push((end, partition, offset));
            }
            Err(code) => {
                self.counts.refused += 1;
                self.told(at, code);
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
        if let Err(code) = beat {
            self.told(at, code);
        }
    }

    /// What consumers do with an error.
    fn told(&mut self, at: usize, code: ErrorCode) {
        let client = &mut self.clients[at];
        match code {
            ErrorCode::RebalanceInProgress => client.doing = Doing::Nothing,
            ErrorCode::FencedInstanceId => {
                self.counts.fenced += 1;
                client.forget();
                client.awake = false;
            }
            ErrorCode::UnknownMemberId | ErrorCode::IllegalGeneration | ErrorCode::GroupIdNotFound => {
                client.forget();
                client.member = Str::default();
            }
            other => panic!("{other:?} was not expected"),
        }
    }

    /// A client stalls, wakes, restarts or leaves.
    fn trouble(&mut self, at: usize) {
        match self.dice.below(4) {
            0 => self.clients[at].awake = false,
            1 => self.clients[at].awake = true,
            2 => {
                // The process starts anew. A static one comes back under its name, beside its stalled self.
                let old = &self.clients[at];
                let again = Client {
                    name: old.name,
                    instance: old.instance.clone(),
                    member: Str::default(),
                    generation: -1,
                    doing: Doing::Nothing,
                    leads: Vec::new(),
                    owns: Vec::new(),
                    awake: true,
                };
                self.clients[at].awake = false;
                if self.clients.len() < 8 {
                    self.clients.push(again);
                } else {
                    self.clients[at] = again;
                }
            }
            _ => {
                let client = &mut self.clients[at];
                let leave = Leave {
                    member: client.member.clone(),
                    instance: client.instance.clone(),
                };
                client.forget();
                client.member = Str::default();
                if !leave.member.is_empty() {
                    let (left, effects) = self.world.shard.leave(self.world.now, GROUP, &[leave]);
                    assert!(left.is_ok(), "a group with a name answers each on its own");
                    self.world.settle(effects);
                }
            }
        }
    }

    fn resign(&mut self) {
        let (committed, end) = (self.world.committed, self.world.end());
        let kept = committed + self.dice.below(end - committed + 1);
        self.counts.resigned += 1;
        self.counts.lost_tails += u64::from(kept < end);
        self.model.waiting.retain(|(end, _, _)| *end <= kept);
        for ticket in self.world.resign(kept) {
            for client in &mut self.clients {
                if matches!(client.doing, Doing::Joining(t) | Doing::Syncing(t) if t == ticket) {
                    client.doing = Doing::Nothing;
                }
            }
        }
    }

    fn check(&self) {
        for (partition, offset) in &self.model.acknowledged {
            let found = self.world.offset(GROUP, TOPIC, *partition);
            assert!(
                found.is_some_and(|found| *offset <= found),
                "the acknowledged commit {offset} of partition {partition} is lost: {found:?}"
            );
        }
    }
}

fn hear(client: &mut Client, answer: Answer, model: &mut Model, counts: &mut Counts) {
    match answer {
        Answer::Join(response) => match ErrorCode::from_code(response.error_code) {
            Some(ErrorCode::None) => {
                client.member = response.member_id.clone();
                client.generation = response.generation_id;
                client.leads = response
                    .members
                    .iter()
                    .map(|member| member.member_id.clone())
                    .collect();
                client.doing = Doing::Joined;
                client.owns.clear();
                if response.skip_assignment {
                    client.leads.clear();
                }
            }
            Some(ErrorCode::MemberIdRequired) => {
                client.member = response.member_id.clone();
                client.doing = Doing::Nothing;
            }
            Some(ErrorCode::FencedInstanceId) => {
                client.forget();
                client.awake = false;
            }
            _ => {
                client.forget();
                client.member = Str::default();
            }
        },
        Answer::Sync(response) => match ErrorCode::from_code(response.error_code) {
            Some(ErrorCode::None) => {
                counts.generations += 1;
                client.doing = Doing::Working;
                client.owns = response
                    .assignment
                    .iter()
                    .map(|partition| i32::from(*partition))
                    .collect();
                let name = client.instance.clone().unwrap_or_else(|| client.member.clone());
                for partition in &client.owns {
                    let owner = model
                        .owners
                        .entry((client.generation, *partition))
                        .or_insert(name.clone());
                    assert_eq!(
                        *owner, name,
                        "partition {partition} has two owners in one generation"
                    );
                }
            }
            Some(ErrorCode::FencedInstanceId) => {
                client.forget();
                client.awake = false;
            }
            _ => client.doing = Doing::Nothing,
        },
    }
}

#[test]
fn no_history_has_a_strangers_commit_a_lost_commit_or_two_owners() {
    let cases = std::env::var("OTTLA_CASES")
        .ok()
        .and_then(|cases| cases.parse().ok());
    let first: u64 = std::env::var("OTTLA_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok())
        .unwrap_or(0);
    let mut all = Counts::default();
    for seed in first..first + cases.unwrap_or(300u64) {
        let told = std::panic::catch_unwind(|| {
            let mut history = History::new(seed);
            history.run();
            history.counts
        });
        let counts = told.unwrap_or_else(|_| panic!("seed {seed}"));
        all.commits += counts.commits;
        all.refused += counts.refused;
        all.resigned += counts.resigned;
        all.lost_tails += counts.lost_tails;
        all.generations += counts.generations;
        all.fenced += counts.fenced;
    }
    println!("{all:?}");
    let seen = [
        all.commits,
        all.refused,
        all.resigned,
        all.lost_tails,
        all.generations,
        all.fenced,
    ];
    assert!(
        seen.iter().all(|count| 0 < *count),
        "the histories do not reach everything: {all:?}"
    );
}
