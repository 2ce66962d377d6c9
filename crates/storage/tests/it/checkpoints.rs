//! Checkpoints, footers and recycled chunks: what the next start reads, and that it is the same log.

use std::collections::BTreeMap;

use os::Random;
use os::disk::SimDisk;
use types::{LeaderEpoch, Offset};

use crate::harness::{PATH, World, check_prefix, open, target, try_open, values};

/// Commits in three logs until some chunks are full, with checkpoints between.
pub fn filled(seed: u64, checkpoints: bool) -> World {
    let world = open(&SimDisk::new(), seed);
    for sequence in 0..300 {
        let partition = sequence % 3;
        world.append(partition, sequence / 3, 1, 1000).expect("room");
        if sequence % 4 == 0 {
            world.directory.kick();
        }
        if checkpoints && sequence % 50 == 49 {
            world.directory.checkpoint().expect("no fault");
        }
    }
    world.directory.sync_now().expect("no fault");
    world
}

/// Bases and deltas, oldest first.
pub fn checkpoint_files(disk: &SimDisk) -> Vec<std::path::PathBuf> {
    let files = disk.files().into_iter().map(|(path, _)| path);
    files
        .filter(|path| path.extension().is_some_and(|e| e == "base" || e == "delta"))
        .collect()
}

pub fn without_checkpoints(disk: &SimDisk) -> SimDisk {
    let disk = disk.copy();
    for (path, _) in disk.files() {
        if path.starts_with(format!("{PATH}/checkpoint")) {
            os::Disk::Simulated(disk.clone())
                .remove_file(&path)
                .expect("there");
        }
    }
    disk
}

pub fn everything(world: &World) -> BTreeMap<i32, Vec<(i64, String)>> {
    (0..3)
        .map(|partition| (partition, values(&world.log(partition)).expect("sound")))
        .collect()
}

#[test]
fn a_log_without_its_checkpoints_is_the_same_log() {
    let world = filled(1, true);
    let truth = everything(&world);
    let with = open(&world.disk.copy(), 2);
    let without = open(&without_checkpoints(&world.disk), 2);
    assert!(
        with.report.chunks < without.report.chunks,
        "{:?} {:?}",
        with.report,
        without.report
    );
    for (name, again) in [("with", with), ("without", without)] {
        assert_eq!(again.report.damage, Vec::<String>::new(), "{name}");
        assert!(everything(&again) == truth, "{name}");
        // Producers go on, and their duplicates are known.
        assert!(again.append(1, 99, 1, 1000).expect("known").duplicate, "{name}");
        assert_eq!(again.commit(1, 100, 1), Offset(100), "{name}");
    }
}

#[test]
fn a_damaged_checkpoint_is_passed_over_for_the_older_one() {
    let world = filled(1, true);
    let newest = checkpoint_files(&world.disk).pop().expect("a checkpoint");
    world.disk.damage(&newest, |bytes| bytes[100] ^= 1);
    let again = open(&world.disk.copy(), 2);
    assert_eq!(again.report.damaged_checkpoints, 1);
    assert!(everything(&again) == everything(&world));
    // The next one does not take the damaged one's number.
    again.directory.checkpoint().expect("no fault");
    assert_eq!(open(&again.disk.copy(), 3).report.damaged_checkpoints, 0);
}

#[test]
fn sealed_chunks_without_footers_are_scanned() {
    let world = filled(1, false);
    let truth = everything(&world);
    let disk = world.disk.copy();
    for (path, length) in disk.files() {
        if path.extension().is_some_and(|extension| extension == "stream") {
            disk.damage(&path, |bytes| bytes[length - 64..].fill(0));
        }
    }
    let again = open(&disk, 2);
    assert!(everything(&again) == truth);
}

#[test]
fn what_a_checkpoint_saw_of_queued_batches_is_durable_before_it() {
    for seed in 0..60 {
        let random = Random::seeded(seed);
        let world = open(&SimDisk::new(), seed);
        let mut next = [0; 3];
        for _ in 0..random.u64() % 200 {
            let partition = (random.u64() % 3) as usize;
            world
                .append(
                    partition as i32,
                    next[partition],
                    1,
                    (random.u64() % 900) as usize,
                )
                .expect("room");
            next[partition] += 1;
            match random.u64() % 12 {
                0 => world.directory.kick(),
                1 => world.directory.checkpoint().expect("no fault"),
                2 => world.directory.sync_now().expect("no fault"),
                _ => {}
            }
        }
        let ends: Vec<i64> = (0..3)
            .map(|partition| world.log(partition).synced_end().0)
            .collect();
        let again = open(&world.disk.crash(&Random::seeded(seed + 7)), seed + 1);
        assert_eq!(again.report.damage, Vec::<String>::new(), "seed {seed}");
        for partition in 0..3 {
            let found = check_prefix(&again.log(partition), partition);
            assert!(ends[partition as usize] <= found, "seed {seed}");
            assert_eq!(
                again.commit(partition, found as i32, 1),
                Offset(found),
                "seed {seed}"
            );
        }
    }
}

#[test]
fn chunks_of_dropped_records_are_used_again() {
    let world = open(&SimDisk::new(), 1);
    let mut most = 0;
    for sequence in 0..4000 {
        world.append(0, sequence, 1, 1000).expect("room");
        world.directory.kick();
        if sequence % 200 == 199 {
            world
                .log(0)
                .advance_start(Offset(i64::from(sequence) - 50))
                .expect("room");
            world.directory.checkpoint().expect("no fault");
            let used: usize = world.disk.files().iter().map(|(_, length)| *length).sum();
            most = most.max(used);
        }
    }
    // 4 MB were written; what lives is 50 KB.
    assert!(most < 3 << 20, "{most}");
    let again = open(&world.disk.copy(), 2);
    let log = again.log(0);
    assert_eq!((log.log_start(), log.written_end()), (Offset(3949), Offset(4000)));
    assert_eq!(values(&log).expect("sound").len(), 51);
}

#[test]
fn a_power_loss_around_recycling_loses_nothing() {
    for seed in 0..30 {
        let random = Random::seeded(seed);
        let world = open(&SimDisk::new(), seed);
        let mut start = 0;
        let mut acknowledged = 0;
        for sequence in 0..400 + (random.u64() % 200) as i32 {
            world.append(0, sequence, 1, 1000).expect("room");
            world.directory.kick();
            match random.u64() % 60 {
                0 => {
                    world.directory.sync_now().expect("no fault");
                    acknowledged = sequence + 1;
                }
                1 => {
                    start = (i64::from(sequence) - 30).max(start);
                    world.log(0).advance_start(Offset(start)).expect("room");
                }
                2 => world.directory.checkpoint().expect("no fault"),
                _ => {}
            }
        }
        let again = open(&world.disk.crash(&Random::seeded(seed)), seed + 1);
        assert_eq!(again.report.damage, Vec::<String>::new(), "seed {seed}");
        let log = again.log(0);
        assert!(
            log.log_start().0 <= start && i64::from(acknowledged) <= log.written_end().0,
            "seed {seed}"
        );
        let found = values(&log).expect("sound");
        let offsets: Vec<i64> = found.iter().map(|(offset, _)| *offset).collect();
        assert_eq!(
            offsets,
            (log.log_start().0..log.written_end().0).collect::<Vec<_>>(),
            "seed {seed}"
        );
        assert!(
            found
                .iter()
                .all(|(offset, text)| text.starts_with(&format!("0/{offset}/"))),
            "seed {seed}"
        );
    }
}

#[test]
fn a_read_after_a_start_finds_its_batches_by_the_footer() {
    let world = filled(1, false);
    let read = storage::Read {
        from: Offset(0),
        limit: Offset(100),
        bytes_max: 4000,
        at_least_one: true,
    };
    // Nothing of the fine index is in memory after a start, so the read is cold.
    let again = open(&world.disk.copy(), 2);
    let storage::ReadOutcome::Cold(cold) = again.log(0).read(&read).expect("in range") else {
        panic!("a read of sealed chunks after a start waits for the disk");
    };
    assert_eq!(cold.run().expect("sound").next_offset, Offset(3));
    (0..3).for_each(|partition| world.log(partition).advance_start(Offset(100)).expect("room"));
    world.directory.checkpoint().expect("no fault");
    assert!(matches!(
        world.log(0).read(&read),
        Err(storage::ReadError::OutOfRange { .. })
    ));
}

#[test]
fn only_a_clean_stop_counts_as_one() {
    let world = filled(1, false);
    assert!(!world.report.clean);
    let unclean = world.disk.copy();
    world.directory.close().expect("no fault");
    assert!(!open(&unclean, 2).report.clean);
    let again = open(&world.disk, 2);
    assert!(
        again.report.clean && again.report.groups == 0,
        "{:?}",
        again.report
    );
    assert!(everything(&again) == everything(&open(&unclean, 3)));
    // Opened once more without a stop: the old clean stop is no excuse.
    assert!(!open(&again.disk.copy(), 4).report.clean);
}

#[test]
fn a_log_that_checkpoints_left_out_begins_again_with_its_name() {
    let world = open(&SimDisk::new(), 1);
    world.log(0).set_leader_epoch(LeaderEpoch(3)).expect("room");
    world.commit(1, 0, 1);
    world.directory.checkpoint().expect("no fault");
    let again = open(&world.disk.copy(), 2);
    assert!(
        again.directory.log(target(0)).is_none(),
        "a log without data has no bytes in a checkpoint"
    );
    world.commit(0, 0, 2);
    let again = open(&world.disk.copy(), 3);
    let log = again.directory.log(target(0)).expect("it holds data");
    assert_eq!((log.topic_name(), check_prefix(&log, 0)), ("topic", 2));
    // Its EPOCH lies before the checkpoint, in which it has no bytes.
    assert_eq!(log.latest_epoch(), Some(LeaderEpoch(3)));
}

#[test]
fn a_dropped_log_does_not_come_back_from_a_checkpoint() {
    let world = open(&SimDisk::new(), 1);
    world.commit(0, 0, 5);
    world.directory.checkpoint().expect("no fault");
    world.directory.drop_log(target(0)).expect("room");
    world.commit(0, 0, 2);
    for checkpointed in [false, true] {
        if checkpointed {
            world.directory.checkpoint().expect("no fault");
        }
        let again = open(&world.disk.copy(), 2);
        assert_eq!(
            check_prefix(&again.directory.log(target(0)).expect("its second life"), 0),
            2
        );
    }
    world.directory.drop_log(target(0)).expect("room");
    world.directory.checkpoint().expect("no fault");
    assert!(
        try_open(&world.disk, 3)
            .expect("sound")
            .directory
            .log(target(0))
            .is_none()
    );
}

/// Writes much in two logs, drops nearly all of one, so that chunks are used again. Gives the ends.
pub fn recycled() -> World {
    let world = open(&SimDisk::new(), 1);
    for sequence in 0..1500 {
        world.append(0, sequence, 1, 1000).expect("room");
        world.directory.kick();
        if sequence % 100 == 99 {
            let start = (sequence - 20).max(0);
            world
                .log(0)
                .advance_start(Offset(i64::from(start)))
                .expect("room");
            world.directory.checkpoint().expect("no fault");
        }
    }
    world.directory.sync_now().expect("no fault");
    world
}

#[test]
fn the_older_checkpoint_serves_also_after_chunks_were_used_again() {
    let world = recycled();
    let newest = checkpoint_files(&world.disk).pop().expect("a checkpoint");
    world.disk.damage(&newest, |bytes| bytes[100] ^= 1);
    let again = open(&world.disk.copy(), 2);
    assert_eq!(again.report.damage, Vec::<String>::new());
    let log = again.log(0);
    assert_eq!((log.log_start(), log.written_end()), (Offset(1479), Offset(1500)));
    assert_eq!(values(&log).expect("sound").len(), 21);
}

#[test]
fn without_any_checkpoint_footers_tell_what_recycled_chunks_had_said() {
    let world = recycled();
    let again = open(&without_checkpoints(&world.disk), 2);
    assert_eq!(again.report.damage, Vec::<String>::new());
    let log = again.directory.log(target(0)).expect("it holds data");
    assert_eq!((log.log_start(), log.written_end()), (Offset(1479), Offset(1500)));
    assert_eq!(
        values(&log).expect("sound"),
        values(&world.log(0)).expect("sound")
    );
    assert!(again.append(0, 1499, 1, 1000).expect("known").duplicate);
    assert_eq!(again.commit(0, 1500, 1), Offset(1500));
}
