//! The ordinary life of a log.

use os::disk::SimDisk;
use types::{LeaderEpoch, Offset};

use crate::harness::{check_prefix, open, target, values};

#[test]
fn what_is_committed_is_there_after_a_clean_stop() {
    let world = open(&SimDisk::new(), 1);
    for sequence in 0..50 {
        world.commit(sequence % 3, sequence / 3, 1);
    }
    world.directory.close().expect("no fault");
    let again = open(&world.disk, 2);
    assert_eq!(again.report.damage, Vec::<String>::new());
    assert_eq!(again.directory.logs().len(), 3);
    for (partition, count) in [(0, 17), (1, 17), (2, 16)] {
        assert_eq!(check_prefix(&again.log(partition), partition), count);
    }
    assert_eq!(again.log(0).topic_name(), "topic");
}

#[test]
fn many_chunks_are_one_log() {
    let world = open(&SimDisk::new(), 1);
    for sequence in 0..600 {
        world.append(0, sequence, 1, 1000).expect("room");
        world.directory.kick();
    }
    world.directory.sync_now().expect("no fault");
    assert_eq!(check_prefix(&world.log(0), 0), 600);
    let again = open(&world.disk.copy(), 2);
    assert!(3 < again.report.chunks, "{:?}", again.report);
    assert_eq!(check_prefix(&again.log(0), 0), 600);
    assert_eq!(again.commit(0, 600, 1), Offset(600));
}

#[test]
fn one_write_holds_the_batches_of_many_partitions() {
    let world = open(&SimDisk::new(), 1);
    for partition in 0..20 {
        world.append(partition, 0, 2, 10).expect("room");
    }
    world.directory.kick();
    let again = open(&world.disk.copy(), 2);
    // Twenty creations and one group of data at most.
    assert!(again.report.groups <= 2, "{:?}", again.report);
    assert_eq!(check_prefix(&again.log(19), 19), 2);
}

#[test]
fn a_duplicate_has_its_old_offsets_also_after_a_restart() {
    let world = open(&SimDisk::new(), 1);
    world.commit(0, 0, 3);
    world.commit(0, 3, 3);
    let again = open(&world.disk.copy(), 2);
    for world in [&world, &again] {
        let appended = world.append(0, 0, 3, 20).expect("known");
        assert!(appended.duplicate);
        assert_eq!(
            (appended.base_offset, appended.last_offset),
            (Offset(0), Offset(2))
        );
        assert_eq!(world.log(0).assigned_end(), Offset(6));
    }
}

#[test]
fn epochs_and_starts_are_remembered() {
    let world = open(&SimDisk::new(), 1);
    let log = world.log(0);
    log.set_leader_epoch(LeaderEpoch(3)).expect("room");
    world.commit(0, 0, 5);
    world.commit(0, 5, 5);
    log.set_leader_epoch(LeaderEpoch(7)).expect("room");
    log.advance_start(Offset(5)).expect("room");
    world.directory.sync_now().expect("no fault");
    let again = open(&world.disk.copy(), 2);
    let log = again.log(0);
    assert_eq!(log.log_start(), Offset(5));
    assert_eq!(log.latest_epoch(), Some(LeaderEpoch(7)));
    assert_eq!(
        log.end_offset_for_epoch(LeaderEpoch(7)),
        (LeaderEpoch(7), Offset(10))
    );
    assert_eq!(
        values(&log).expect("sound").first().map(|(offset, _)| *offset),
        Some(5)
    );
}

#[test]
fn records_are_found_by_time() {
    let world = open(&SimDisk::new(), 1);
    for sequence in 0..100 {
        world.append(0, sequence, 1, 200).expect("room");
        world.directory.kick();
    }
    let log = world.log(0);
    let find = |timestamp| {
        log.offset_for_timestamp(timestamp)
            .expect("sound")
            .map(|found| (found.0, found.1))
    };
    assert_eq!(find(0), Some((Offset(0), 1000)));
    assert_eq!(find(1042), Some((Offset(42), 1042)));
    assert_eq!(find(1100), None);
    assert_eq!(
        log.max_timestamp().expect("sound").map(|found| found.0),
        Some(Offset(99))
    );
}

#[test]
fn a_dropped_log_stays_gone_and_its_name_can_begin_anew() {
    let world = open(&SimDisk::new(), 1);
    world.commit(0, 0, 5);
    world.directory.drop_log(target(0)).expect("room");
    world.directory.sync_now().expect("no fault");
    let again = open(&world.disk.copy(), 2);
    assert!(again.directory.log(target(0)).is_none());
    assert_eq!(again.commit(0, 0, 1), Offset(0));
}

#[test]
fn an_idle_partition_has_no_file() {
    let world = open(&SimDisk::new(), 1);
    let before = world.disk.files().len();
    for partition in 0..500 {
        world.log(partition);
    }
    world.directory.sync_now().expect("no fault");
    assert!(world.disk.files().len() <= before + 3);
}
