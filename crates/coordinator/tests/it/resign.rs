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

/// A group of `members` consumers forms, commits and forms again. `at` is the decision after which the coordinator
/// resigns; true if the story is long enough to have had it.
fn story(seed: u64, members: usize, at: usize, keeps: bool) -> bool {
    let config = GroupConfig {
        initial_rebalance_delay_ms: 0,
        ..GroupConfig::default()
    };
    let mut world = World::new(config);
    let mut dice = Dice::new(seed);
    let client = |_| Client {
        member: Str::default(),
        generation: -1,
        leads: Vec::new(),
    };
    let mut clients: Vec<Client> = (0..members).map(client).collect();
    let mut resigned = false;
    let mut acknowledged = None;
    for round in 0..ROUNDS {
        let mut maybe_resign = |world: &mut World| {
            if !resigned && round < ROUNDS - 2 && at <= world.decisions {
                let kept = if keeps { world.end() } else { world.committed };
                world.resign(kept);
                resigned = true;
            }
        };
        // Everybody joins, until all have the same generation.
        for _ in 0..4 {
            let mut joins: Vec<(usize, Ticket)> = Vec::new();
            for (index, client) in clients.iter().enumerate() {
                let join = join(&mut world, &client.member, index, &mut dice);
                joins.push((index, join.ticket));
                world.join(&join);
                maybe_resign(&mut world);
            }
            world.pass(50);
            maybe_resign(&mut world);
            for (ticket, answer) in world.commit() {
                if let Some((index, _)) = joins.iter().find(|(_, waits)| *waits == ticket) {
                    hear_join(&mut clients[*index], answer);
                }
            }
            if clients
                .iter()
                .all(|client| 0 < client.generation && client.generation == clients[0].generation)
            {
                break;
            }
        }
        let mut syncs = Vec::new();
        for (index, client) in clients.iter().enumerate() {
            let sync = sync(&mut world, client);
            syncs.push((index, sync.ticket));
            world.sync(&sync);
            maybe_resign(&mut world);
        }
        let heard = world.commit();
        let synced =
            |(_, answer): &&(Ticket, Answer)| matches!(answer, Answer::Sync(sync) if sync.error_code == 0);
        if heard.iter().filter(synced).count() == clients.len() {
            let client = &clients[0];
            let who = Who {
                group: GROUP.into(),
                member: client.member.clone(),
                instance: None,
                generation: client.generation,
            };
            let end = world.commit_offset(&who, "t", 0, round).ok();
            maybe_resign(&mut world);
            if end.is_some_and(|end| end <= world.end()) && world.offset(GROUP, "t", 0) == Some(round) {
                world.commit();
                acknowledged = Some(round);
            }
        }
        let found = world.offset(GROUP, "t", 0);
        assert!(
            acknowledged <= found,
            "{acknowledged:?} was acknowledged, {found:?} is there"
        );
    }
    let last = world.offset(GROUP, "t", 0);
    assert!(
        Some(ROUNDS - 2) <= last,
        "the group lost its way: {last:?} (seed {seed}, decision {at})"
    );
    resigned
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
            while story(seed, members, at, keeps) {
                resignations += 1;
                at += 1;
            }
        }
    }
    println!("{resignations} resignations");
    assert!(cases * 20 < resignations, "only {resignations} resignations");
}
