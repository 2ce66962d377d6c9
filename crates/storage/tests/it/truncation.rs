//! Cutting off ends, and what is rebuilt from the rest (invariant 10).

use os::Random;
use os::disk::SimDisk;
use storage::AppendError;
use types::{LeaderEpoch, Offset};

use crate::harness::{check_prefix, open, values};

#[test]
fn after_a_truncation_the_log_is_as_if_the_end_had_never_been() {
    for checkpoint in [false, true] {
        let world = open(&SimDisk::new(), 1);
        let log = world.log(0);
        log.set_leader_epoch(LeaderEpoch(3)).expect("room");
        for sequence in 0..200 {
            world.append(0, sequence, 1, 1000).expect("room");
            world.directory.kick();
            if sequence == 150 {
                log.set_leader_epoch(LeaderEpoch(5)).expect("room");
            }
        }
        world.directory.sync_now().expect("no fault");
        if checkpoint {
            world.directory.checkpoint().expect("no fault");
        }
        log.truncate(Offset(120)).expect("no fault");
        assert_eq!((log.written_end(), log.synced_end()), (Offset(120), Offset(120)));
        assert_eq!(log.latest_epoch(), Some(LeaderEpoch(3)));
        // The producer goes on where the log does.
        let refused = world
            .append(0, 200, 1, 10)
            .expect_err("sequences before it are gone");
        assert_eq!(
            refused,
            AppendError::OutOfOrder {
                found: 200,
                last: 119
            }
        );
        assert!(world.append(0, 119, 1, 1000).expect("known").duplicate);
        assert_eq!(world.commit(0, 120, 2), Offset(120));
        assert_eq!(check_prefix(&log, 0), 122);
        let again = open(&world.disk.copy(), 2);
        assert_eq!(again.report.damage, Vec::<String>::new());
        assert_eq!(check_prefix(&again.log(0), 0), 122);
        assert_eq!(again.log(0).latest_epoch(), Some(LeaderEpoch(3)));
        assert!(
            again.append(0, 121, 1, 20).is_err(),
            "a part of a batch is no duplicate"
        );
        assert_eq!(again.commit(0, 122, 1), Offset(122));
    }
}

#[test]
fn many_truncations_and_power_losses_end_in_one_prefix() {
    for seed in 0..40 {
        let random = Random::seeded(seed);
        let mut world = open(&SimDisk::new(), seed);
        let (mut next, mut synced) = (0, 0);
        for round in 0..120 {
            world
                .append(0, next, 1, (random.u64() % 2000) as usize)
                .expect("room");
            next += 1;
            match random.u64() % 16 {
                0 => world.directory.kick(),
                1 => {
                    world.directory.sync_now().expect("no fault");
                    synced = next;
                }
                2 => world.directory.checkpoint().expect("no fault"),
                3 => {
                    let cut = (random.u64() % (next as u64 + 1)) as i32;
                    world.log(0).truncate(Offset(i64::from(cut))).expect("no fault");
                    next = next.min(cut);
                    synced = synced.min(cut);
                }
                4 => {
                    world = open(
                        &world.disk.crash(&Random::seeded(seed + round)),
                        seed * 1000 + round,
                    );
                    assert_eq!(
                        world.report.damage,
                        Vec::<String>::new(),
                        "seed {seed} round {round}"
                    );
                    // The truncation itself may be lost: then more is there than was left.
                    next = check_prefix(&world.log(0), 0) as i32;
                    assert!(synced <= next, "seed {seed} round {round}");
                    synced = next;
                }
                _ => {}
            }
        }
        world.directory.kick();
        assert_eq!(check_prefix(&world.log(0), 0), i64::from(next), "seed {seed}");
    }
}

#[test]
fn a_replica_out_of_range_begins_where_its_leader_does() {
    let world = open(&SimDisk::new(), 1);
    world.commit(0, 0, 5);
    let log = world.log(0);
    log.reset_to(Offset(1000)).expect("no fault");
    assert_eq!((log.log_start(), log.written_end()), (Offset(1000), Offset(1000)));
    assert_eq!(world.commit(0, 77, 1), Offset(1000));
    for checkpointed in [false, true] {
        if checkpointed {
            world.directory.checkpoint().expect("no fault");
        }
        let again = open(&world.disk.copy(), 2);
        assert_eq!(again.report.damage, Vec::<String>::new());
        let found = values(&again.log(0)).expect("sound");
        assert_eq!(
            found.iter().map(|(offset, _)| *offset).collect::<Vec<_>>(),
            [1000]
        );
    }
}

#[test]
fn a_replica_whose_leader_begins_below_it_keeps_what_comes_then() {
    let world = open(&SimDisk::new(), 1);
    world.commit(0, 0, 50);
    let log = world.log(0);
    log.advance_start(Offset(40)).expect("room");
    log.reset_to(Offset(10)).expect("no fault");
    assert_eq!(world.commit(0, 500, 2), Offset(10));
    for checkpointed in [false, true] {
        if checkpointed {
            world.directory.checkpoint().expect("no fault");
        }
        let again = open(&world.disk.copy(), 2);
        assert_eq!(again.report.damage, Vec::<String>::new());
        let log = again.log(0);
        assert_eq!((log.log_start(), log.written_end()), (Offset(10), Offset(12)));
        assert_eq!(values(&log).expect("sound").len(), 2);
    }
}
