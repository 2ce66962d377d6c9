//! What the assignors promise, on stories and on random groups.

use super::*;

fn counts(topics: &[(&str, i32)]) -> Layout {
    let counts = topics.iter().map(|(topic, count)| (Arc::from(*topic), *count));
    Layout {
        counts: counts.collect(),
        ..Layout::default()
    }
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
        let counts = (0..1 + draw(4)).map(|n| (Arc::from(format!("t{n}")), 1 + draw(9) as i32));
        let mut layout = Layout {
            counts: counts.collect(),
            ..Layout::default()
        };
        if draw(2) == 0 {
            layout.racks = random_racks(&layout.counts, &random);
        }
        let mut members: Vec<Member> = Vec::new();
        for generation in 1..6 {
            let joining = member(&format!("m{}", draw(1000)), &[]);
            let mut topics: Vec<Arc<str>> = layout.counts.keys().filter(|_| draw(3) != 0).cloned().collect();
            if topics.is_empty() {
                topics = layout.counts.keys().cloned().collect();
            }
            let rack = (draw(3) != 0).then(|| RACKS[draw(3) as usize].into());
            members.push(Member {
                topics,
                rack,
                ..joining
            });
            members.sort_by(|a, b| a.id.cmp(&b.id));
            members.dedup_by(|a, b| a.id == b.id);
            if 2 < members.len() && draw(2) == 0 {
                members.remove(draw(members.len() as u64) as usize);
            }
            let assignment = assign(Assignor::Sticky, &members, &layout);
            check(&members, &layout.counts, &assignment);
            for member in &mut members {
                (member.owned, member.generation) = (assignment[&member.id].clone(), generation);
            }
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
            // Racks may take another round or two until nothing can come nearer.
            let rounds = if layout.racks.is_empty() { 1 } else { 4 };
            let mut last = assignment;
            for round in 0..rounds {
                let again = assign(Assignor::Sticky, &members, &layout);
                check(&members, &layout.counts, &again);
                if round + 1 == rounds {
                    assert_eq!(sorted(&again), sorted(&last));
                }
                for member in &mut members {
                    (member.owned, member.generation) = (again[&member.id].clone(), generation);
                }
                last = again;
            }
        }
    }
}

const RACKS: [&str; 3] = ["a", "b", "c"];

fn random_racks(counts: &Counts, random: &os::Random) -> BTreeMap<Arc<str>, Vec<racks::RackSet>> {
    let of_partition = |_| {
        let replicas = 1 + random.u64() % 3;
        (0..replicas)
            .map(|_| Arc::from(RACKS[(random.u64() % 3) as usize]))
            .collect()
    };
    let topics = counts.iter();
    topics
        .map(|(topic, count)| (topic.clone(), (0..*count).map(of_partition).collect()))
        .collect()
}

fn in_racks(topics: &[(&str, &[&str])]) -> Layout {
    let sets = |racks: &[&str]| -> Vec<racks::RackSet> {
        let each = racks.iter();
        each.map(|one| one.split('+').map(Arc::from).collect()).collect()
    };
    Layout {
        counts: topics
            .iter()
            .map(|(topic, racks)| (Arc::from(*topic), racks.len() as i32))
            .collect(),
        racks: topics
            .iter()
            .map(|(topic, racks)| (Arc::from(*topic), sets(racks)))
            .collect(),
    }
}

fn member_in(id: &str, rack: &str, topics: &[&str]) -> Member {
    Member {
        rack: Some(rack.into()),
        ..member(id, topics)
    }
}

#[test]
fn range_follows_racks_within_each_members_share() {
    let members = [
        member_in("x", "a", &["t"]),
        member_in("y", "b", &["t"]),
        member_in("z", "c", &["t"]),
    ];
    let apart = in_racks(&[("t", &["c", "b", "a", "c", "b", "a"])]);
    let assignment = assign(Assignor::Range, &members, &apart);
    assert_eq!(text(&assignment), "x: t-2 t-5; y: t-1 t-4; z: t-0 t-3");
    // Everything is everywhere: racks say nothing.
    let everywhere = in_racks(&[("t", &["a+b+c"; 6])]);
    let assignment = assign(Assignor::Range, &members, &everywhere);
    assert_eq!(text(&assignment), "x: t-0 t-1; y: t-2 t-3; z: t-4 t-5");
    // All in one rack: its member gets its share and no more.
    let crowded = in_racks(&[("t", &["b", "b", "b", "b", "b", "a"])]);
    let assignment = assign(Assignor::Range, &members, &crowded);
    assert_eq!(text(&assignment), "x: t-2 t-5; y: t-0 t-1; z: t-3 t-4");
}

#[test]
fn topics_of_the_same_members_keep_their_numbers_together_before_racks() {
    let members = [member_in("x", "a", &["t", "u"]), member_in("y", "b", &["t", "u"])];
    let layout = in_racks(&[("t", &["b", "a"]), ("u", &["b", "a"])]);
    let assignment = assign(Assignor::Range, &members, &layout);
    assert_eq!(text(&assignment), "x: t-1 u-1; y: t-0 u-0");
    let crossed = in_racks(&[("t", &["b", "a"]), ("u", &["a", "b"])]);
    let assignment = assign(Assignor::Range, &members, &crossed);
    assert_eq!(text(&assignment), "x: t-0 u-0; y: t-1 u-1");
}

#[test]
fn sticky_leaves_an_owner_for_a_member_in_the_rack_and_stays_balanced() {
    let layout = in_racks(&[("t", &["a", "a", "b", "b"])]);
    let mut x = member_in("x", "b", &["t"]);
    (x.owned, x.generation) = ((0..2).map(|n| TopicPartition::new("t", n)).collect(), 1);
    let mut y = member_in("y", "a", &["t"]);
    (y.owned, y.generation) = ((2..4).map(|n| TopicPartition::new("t", n)).collect(), 1);
    let assignment = assign(Assignor::Sticky, &[x, y], &layout);
    assert_eq!(text(&assignment), "x: t-2 t-3; y: t-0 t-1");
    let crowded = in_racks(&[("t", &["a", "a", "a", "a+b"])]);
    let members = [member_in("x", "a", &["t"]), member_in("y", "b", &["t"])];
    let assignment = assign(Assignor::Sticky, &members, &crowded);
    assert_eq!((assignment["x"].len(), assignment["y"].len()), (2, 2));
    assert!(assignment["y"].contains(&TopicPartition::new("t", 3)));
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
