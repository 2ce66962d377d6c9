//! What the assignors promise, on stories and on random groups.

use super::*;

fn counts(topics: &[(&str, i32)]) -> Counts {
    topics
        .iter()
        .map(|(topic, count)| (Arc::from(*topic), *count))
        .collect()
}

fn member(id: &str, topics: &[&str]) -> Member {
    Member {
        id: id.into(),
        topics: topics.iter().map(|topic| Arc::from(*topic)).collect(),
        generation: -1,
        ..Member::default()
    }
}

fn text(assignment: &Assignment) -> String {
    let each = assignment.iter().map(|(id, partitions)| {
        let names: Vec<String> = partitions.iter().map(TopicPartition::to_string).collect();
        format!("{id}: {}", names.join(" "))
    });
    each.collect::<Vec<_>>().join("; ")
}

#[test]
fn range_gives_runs_and_the_first_members_one_more() {
    let members = [member("b", &["t", "u"]), member("a", &["t"])];
    let assignment = assign(Assignor::Range, &members, &counts(&[("t", 3), ("u", 2)]));
    assert_eq!(text(&assignment), "a: t-0 t-1; b: t-2 u-0 u-1");
}

#[test]
fn static_members_come_first_by_instance() {
    let mut fixed = member("z", &["t"]);
    fixed.instance_id = Some("1".into());
    let assignment = assign(
        Assignor::Range,
        &[member("a", &["t"]), fixed],
        &counts(&[("t", 1)]),
    );
    assert_eq!(text(&assignment), "a: ; z: t-0");
}

#[test]
fn round_robin_deals_over_topics_and_skips_who_does_not_subscribe() {
    // The example of Java's `RoundRobinAssignor`.
    let members = [
        member("C0", &["t0"]),
        member("C1", &["t0", "t1"]),
        member("C2", &["t0", "t1", "t2"]),
    ];
    let assignment = assign(
        Assignor::RoundRobin,
        &members,
        &counts(&[("t0", 1), ("t1", 2), ("t2", 3)]),
    );
    assert_eq!(text(&assignment), "C0: t0-0; C1: t1-0; C2: t1-1 t2-0 t2-1 t2-2");
}

#[test]
fn sticky_moves_only_what_balance_needs() {
    let counts = counts(&[("t", 6)]);
    let mut a = member("a", &["t"]);
    let mut b = member("b", &["t"]);
    let first = assign(Assignor::Sticky, &[a.clone(), b.clone()], &counts);
    (a.owned, a.generation) = (first["a"].clone(), 1);
    (b.owned, b.generation) = (first["b"].clone(), 1);
    let second = assign(
        Assignor::Sticky,
        &[a.clone(), b.clone(), member("c", &["t"])],
        &counts,
    );
    assert_eq!(second["c"].len(), 2);
    assert!(second["a"].iter().all(|partition| first["a"].contains(partition)));
    assert!(second["b"].iter().all(|partition| first["b"].contains(partition)));
}

#[test]
fn cooperative_gives_a_moving_partition_only_when_it_is_free() {
    let counts = counts(&[("t", 2)]);
    let mut a = member("a", &["t"]);
    (a.owned, a.generation) = ((0..2).map(|n| TopicPartition::new("t", n)).collect(), 1);
    let first = assign(
        Assignor::CooperativeSticky,
        &[a.clone(), member("b", &["t"])],
        &counts,
    );
    assert_eq!((first["a"].len(), first["b"].len()), (1, 0));
    a.owned = first["a"].clone();
    let second = assign(Assignor::CooperativeSticky, &[a, member("b", &["t"])], &counts);
    assert_eq!((second["a"].len(), second["b"].len()), (1, 1));
}

#[test]
fn the_latest_generation_owns_and_two_equal_claims_are_none() {
    let t0 = || vec![TopicPartition::new("t", 0)];
    let claim = |id: &str, generation| Member {
        owned: t0(),
        generation,
        ..member(id, &["t"])
    };
    let newest = assign(
        Assignor::Sticky,
        &[claim("a", 1), claim("b", 2)],
        &counts(&[("t", 1)]),
    );
    assert_eq!(text(&newest), "a: ; b: t-0");
    let cooperative = [claim("a", 2), claim("b", 2)];
    let equal = assign(Assignor::CooperativeSticky, &cooperative, &counts(&[("t", 1)]));
    assert_eq!(text(&equal), "a: t-0; b: ");
}

/// Random groups that change: every partition has one owner that subscribes to it, loads are balanced, and nothing
/// moves when nothing changed.
#[test]
fn sticky_groups_stay_whole_balanced_and_quiet_while_members_come_and_go() {
    let random = os::Random::seeded(7);
    let draw = |below: u64| random.u64() % below;
    for _ in 0..200 {
        let counts: Counts = (0..1 + draw(4))
            .map(|n| (Arc::from(format!("t{n}")), 1 + draw(9) as i32))
            .collect();
        let mut members: Vec<Member> = Vec::new();
        for generation in 1..6 {
            let joining = member(&format!("m{}", draw(1000)), &[]);
            let mut topics: Vec<Arc<str>> = counts.keys().filter(|_| draw(3) != 0).cloned().collect();
            if topics.is_empty() {
                topics = counts.keys().cloned().collect();
            }
            members.push(Member { topics, ..joining });
            members.sort_by(|a, b| a.id.cmp(&b.id));
            members.dedup_by(|a, b| a.id == b.id);
            if 2 < members.len() && draw(2) == 0 {
                members.remove(draw(members.len() as u64) as usize);
            }
            let assignment = assign(Assignor::Sticky, &members, &counts);
            check(&members, &counts, &assignment);
            for member in &mut members {
                (member.owned, member.generation) = (assignment[&member.id].clone(), generation);
            }
            let again = assign(Assignor::Sticky, &members, &counts);
            let sorted = |assignment: &Assignment| -> Vec<BTreeMapEntry> {
                assignment
                    .iter()
                    .map(|(id, partitions)| {
                        let mut partitions = partitions.clone();
                        partitions.sort();
                        (id.clone(), partitions)
                    })
                    .collect()
            };
            assert_eq!(sorted(&again), sorted(&assignment));
        }
    }
}

type BTreeMapEntry = (String, Vec<TopicPartition>);

fn check(members: &[Member], counts: &Counts, assignment: &Assignment) {
    for (topic, count) in counts {
        let wanted = members.iter().any(|member| member.subscribes(topic));
        for partition in 0..*count {
            let one = TopicPartition::new(topic.clone(), partition);
            let owners = members
                .iter()
                .filter(|member| assignment[&member.id].contains(&one));
            assert_eq!(owners.count(), usize::from(wanted), "{one}");
        }
    }
    for from in members {
        for partition in &assignment[&from.id] {
            assert!(from.subscribes(&partition.topic));
            let could = members.iter().filter(|to| to.subscribes(&partition.topic));
            let least = could.map(|to| assignment[&to.id].len()).min().unwrap_or_default();
            assert!(
                assignment[&from.id].len() <= least + 1,
                "{partition} of {} could move",
                from.id
            );
        }
    }
}
