//! The coordinator resigns between apply and commit at every decision, once with what it wrote and once without. The
//! state after the reload is that of a node that never led (`World` compares them), and the group finds its way.

use coordinator::group::{Answer, GroupConfig, Join, Sync, Ticket};
use protocol::Str;
use types::ErrorCode;

use crate::world::{Dice, Who, World};

const GROUP: &str = "g";
/// The last two are left in peace.
const ROUNDS: i64 = 7;

struct Client {
    member: Str,
    generation: i32,
    leads: Vec<Str>,
}

/// A group of consumers that forms, commits and forms again, and a coordinator that resigns once.
struct Story {
    world: World,
    dice: Dice,
    clients: Vec<Client>,
    /// After which decision the coordinator resigns.
    at: usize,
    /// Whether what it wrote outlasts it.
    keeps: bool,
    resigned: bool,
}

impl Story {
    fn new(seed: u64, members: usize, at: usize, keeps: bool) -> Story {
        let config = GroupConfig {
            initial_rebalance_delay_ms: 0,
            ..GroupConfig::default()
        };
        let client = |_| Client {
            member: Str::default(),
            generation: -1,
            leads: Vec::new(),
        };
        Story {
            world: World::new(config),
            dice: Dice::new(seed),
            clients: (0..members).map(client).collect(),
            at,
            keeps,
            resigned: false,
        }
    }

    fn maybe_resign(&mut self, round: i64) {
        if !self.resigned && round < ROUNDS - 2 && self.at <= self.world.decisions {
            let kept = if self.keeps {
                self.world.end()
            } else {
                self.world.committed
            };
            self.world.resign(kept);
            self.resigned = true;
        }
    }

    /// Everybody joins, until all have the same generation.
    fn join_all(&mut self, round: i64) {
        for _ in 0..4 {
            let mut joins: Vec<(usize, Ticket)> = Vec::new();
            for index in 0..self.clients.len() {
                let member = self.clients[index].member.clone();
                let join = join(&mut self.world, &member, index, &mut self.dice);
                joins.push((index, join.ticket));
                self.world.join(&join);
                self.maybe_resign(round);
            }
            self.world.pass(50);
            self.maybe_resign(round);
            for (ticket, answer) in self.world.commit() {
                if let Some((index, _)) = joins.iter().find(|(_, waits)| *waits == ticket) {
                    hear_join(&mut self.clients[*index], answer);
                }
            }
            let first = self.clients[0].generation;
            if 0 < first && self.clients.iter().all(|client| client.generation == first) {
                return;
            }
        }
    }

    /// Everybody asks for the assignment; true if all got theirs.
    fn sync_all(&mut self, round: i64) -> bool {
        for index in 0..self.clients.len() {
            let sync = sync(&mut self.world, &self.clients[index]);
            self.world.sync(&sync);
            self.maybe_resign(round);
        }
        let synced =
            |(_, answer): &&(Ticket, Answer)| matches!(answer, Answer::Sync(sync) if sync.error_code == 0);
        self.world.commit().iter().filter(synced).count() == self.clients.len()
    }

    /// The first one commits `round`; true if it was acknowledged.
    fn commit(&mut self, round: i64) -> bool {
        let client = &self.clients[0];
        let who = Who {
            group: GROUP.into(),
            member: client.member.clone(),
            instance: None,
            generation: client.generation,
        };
        let end = self.world.commit_offset(&who, "t", 0, round).ok();
        self.maybe_resign(round);
        let there = self.world.offset(GROUP, "t", 0) == Some(round);
        let taken = there && end.is_some_and(|end| end <= self.world.end());
        if taken {
            self.world.commit();
        }
        taken
    }
}

/// True if the story is long enough to have had the decision after which the coordinator resigns.
fn tell(seed: u64, members: usize, at: usize, keeps: bool) -> bool {
    let mut story = Story::new(seed, members, at, keeps);
    let mut acknowledged = None;
    for round in 0..ROUNDS {
        story.join_all(round);
        if story.sync_all(round) && story.commit(round) {
            acknowledged = Some(round);
        }
        let found = story.world.offset(GROUP, "t", 0);
        assert!(
            acknowledged <= found,
            "{acknowledged:?} was acknowledged, {found:?} is there"
        );
    }
    let last = story.world.offset(GROUP, "t", 0);
    assert!(
        Some(ROUNDS - 2) <= last,
        "the group lost its way: {last:?} (seed {seed}, decision {at})"
    );
    story.resigned
}

fn join(world: &mut World, member: &Str, index: usize, dice: &mut Dice) -> Join {
    Join {
        ticket: world.ticket(),
        group: GROUP.into(),
        member: member.clone(),
        instance: None,
        client_id: format!("c{index}").into(),
        client_host: "/127.0.0.1".into(),
        session_timeout_ms: 10_000,
        rebalance_timeout_ms: 120,
        protocol_type: "consumer".into(),
        protocols: vec![("range".into(), bytes::Bytes::from_static(b"\0\0"))],
        needs_known_member: dice.one_in(2),
        can_skip_assignment: true,
        fresh: u128::from(dice.next()),
    }
}

fn sync(world: &mut World, client: &Client) -> Sync {
    Sync {
        ticket: world.ticket(),
        group: GROUP.into(),
        generation: client.generation,
        member: client.member.clone(),
        instance: None,
        protocol_type: None,
        protocol: None,
        assignments: client
            .leads
            .iter()
            .map(|member| (member.clone(), member.as_bytes().clone()))
            .collect(),
    }
}

fn hear_join(client: &mut Client, answer: Answer) {
    let Answer::Join(response) = answer else { return };
    match ErrorCode::from_code(response.error_code) {
        Some(ErrorCode::None) => {
            client.member = response.member_id;
            client.generation = response.generation_id;
            client.leads = response
                .members
                .into_iter()
                .map(|member| member.member_id)
                .collect();
        }
        Some(ErrorCode::MemberIdRequired) => client.member = response.member_id,
        _ => {
            client.member = Str::default();
            client.generation = -1;
        }
    }
}

#[test]
fn a_reload_after_any_decision_is_as_if_nobody_had_led() {
    let cases: u64 = std::env::var("OTTLA_CASES")
        .ok()
        .and_then(|cases| cases.parse().ok())
        .unwrap_or(20);
    let mut resignations = 0u64;
    for seed in 0..cases {
        let members = 1 + (seed % 3) as usize;
        for keeps in [true, false] {
            let mut at = 1;
            while tell(seed, members, at, keeps) {
                resignations += 1;
                at += 1;
            }
        }
    }
    println!("{resignations} resignations");
    assert!(cases * 20 < resignations, "only {resignations} resignations");
}
