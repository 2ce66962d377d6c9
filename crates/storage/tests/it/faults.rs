//! Failing and full disks.

use os::Random;
use os::disk::{Fault, SimDisk};
use storage::AppendError;

use crate::harness::{check_prefix, open, target};

#[test]
fn after_a_failed_sync_nothing_is_acknowledged_and_the_directory_is_fenced() {
    for nth in 1..8 {
        let world = open(&SimDisk::new(), nth);
        world.commit(0, 0, 1);
        world.disk.fail(Fault::Sync(nth));
        let mut acknowledged = 1;
        for sequence in 1..10 {
            if world.append(0, sequence, 1, 10).is_err() {
                break;
            }
            world.directory.kick();
            if world.directory.sync_now().is_err() {
                break;
            }
            acknowledged = sequence + 1;
        }
        assert!(world.directory.is_fenced());
        assert!(world.heard.fenced.lock().is_some());
        assert_eq!(world.append(0, 50, 1, 10), Err(AppendError::Offline));
        let synced = world.log(0).synced_end().0;
        assert_eq!(synced, i64::from(acknowledged));
        let again = open(&world.disk.crash(&Random::seeded(nth)), nth + 100);
        assert!(i64::from(acknowledged) <= check_prefix(&again.log(0), 0));
    }
}

#[test]
fn a_failed_write_fences_too() {
    let world = open(&SimDisk::new(), 1);
    world.commit(0, 0, 1);
    world.disk.fail(Fault::Write(1));
    world.append(0, 1, 1, 10).expect("room is reserved");
    world.directory.kick();
    assert!(world.directory.is_fenced());
    assert_eq!(world.log(0).written_end().0, 1);
}

#[test]
fn a_full_disk_refuses_before_an_offset_is_given_and_goes_on_when_there_is_room() {
    let world = open(&SimDisk::new(), 1);
    world.commit(0, 0, 1);
    let used: u64 = world.disk.files().iter().map(|(_, length)| *length as u64).sum();
    world.disk.set_capacity(Some(used + (10 << 10)));
    let mut sequence = 1;
    let refused = loop {
        match world.append(0, sequence, 1, 1000) {
            Ok(_) => sequence += 1,
            Err(error) => break error,
        }
        world.directory.kick();
    };
    assert_eq!(refused, AppendError::Full);
    assert_eq!(world.log(0).assigned_end().0, i64::from(sequence));
    assert_eq!(check_prefix(&world.log(0), 0), i64::from(sequence));
    world.disk.set_capacity(None);
    world.directory.make_room();
    world.append(0, sequence, 1, 1000).expect("room again");
    world.directory.sync_now().expect("no fault");
    let again = open(&world.disk.copy(), 2);
    assert_eq!(
        check_prefix(&again.directory.log(target(0)).expect("there"), 0),
        i64::from(sequence) + 1
    );
}

#[test]
fn a_batch_larger_than_a_chunk_gets_a_chunk_of_its_own_size() {
    let world = open(&SimDisk::new(), 1);
    world.commit(0, 0, 1);
    world.append(0, 1, 1, 700 << 10).expect("room is made");
    world.append(0, 2, 1, 10).expect("room");
    world.directory.sync_now().expect("no fault");
    let again = open(&world.disk.copy(), 2);
    assert_eq!(check_prefix(&again.log(0), 0), 3);
}

#[test]
fn a_sync_that_failed_beside_another_is_not_made_good_by_it() {
    let world = open(&SimDisk::new(), 1);
    world.commit(0, 0, 1);
    world.append(0, 1, 1, 10).expect("room");
    world.directory.kick();
    world.disk.fail(Fault::Sync(1));
    assert!(world.directory.sync_now().is_err());
    assert!(world.directory.sync_now().is_err());
    assert_eq!(world.log(0).synced_end().0, 1);
}

#[test]
fn a_full_disk_takes_deletions_and_goes_on_with_the_room_that_they_make() {
    let world = open(&SimDisk::new(), 1);
    world.commit(0, 0, 1);
    world.directory.checkpoint().expect("no fault");
    let used: u64 = world.disk.files().iter().map(|(_, length)| *length as u64).sum();
    world.disk.set_capacity(Some(used + (600 << 10)));
    let mut sequence = 1;
    while world.append(0, sequence, 1, 1000).is_ok() {
        world.directory.kick();
        sequence += 1;
    }
    // To the last byte: not even a checkpoint finds room.
    let used: u64 = world.disk.files().iter().map(|(_, length)| *length as u64).sum();
    world.disk.set_capacity(Some(used));
    assert_eq!(world.append(0, sequence, 1, 1000), Err(AppendError::Full));
    let log = world.log(0);
    log.advance_start(log.assigned_end())
        .expect("there is room for deletions");
    world.directory.checkpoint().expect("there is a reserve for it");
    world.directory.make_room();
    world.append(0, sequence, 1, 1000).expect("room again");
    world.directory.sync_now().expect("no fault");
    let again = open(&world.disk.crash(&Random::seeded(5)), 2);
    assert_eq!(again.report.damage, Vec::<String>::new());
    assert_eq!(again.log(0).written_end().0, i64::from(sequence) + 1);
}
