//! Disks that fail in the middle, and disks that fill up again and again.

use os::Random;
use os::disk::{Fault, SimDisk};
use storage::AppendError;

use crate::harness::{check_prefix, open, target, values};

/// Appends until something fails; gives what was acknowledged.
fn run_until_failure(world: &crate::harness::World, from: i32) -> i64 {
    for sequence in from..from + 200 {
        if world.append(0, sequence, 1, 900).is_err() {
            break;
        }
        world.directory.kick();
        if sequence % 3 == 0 && world.directory.sync_now().is_err() {
            break;
        }
        if sequence % 50 == 0 && world.directory.checkpoint().is_err() {
            break;
        }
    }
    world.log(0).synced_end().0
}

#[test]
fn whichever_write_fails_everything_acknowledged_is_there_afterwards() {
    for nth in (1..260).step_by(3) {
        let world = open(&SimDisk::new(), nth);
        world.commit(0, 0, 1);
        world.disk.fail(Fault::Write(nth));
        let acknowledged = run_until_failure(&world, 1);
        world.disk.heal();
        let before = world.log(0).synced_end();
        if world.directory.is_fenced() {
            assert_eq!(
                world.append(0, 999, 1, 10),
                Err(AppendError::Offline),
                "write {nth}"
            );
            assert!(
                world.directory.sync_now().is_err(),
                "write {nth}: fenced for the life of the process"
            );
            assert_eq!(world.log(0).synced_end(), before, "write {nth}");
        }
        let again = open(&world.disk.crash(&Random::seeded(nth)), nth + 1000);
        assert_eq!(again.report.damage, Vec::<String>::new(), "write {nth}");
        let found = check_prefix(&again.log(0), 0);
        assert!(acknowledged <= found, "write {nth}: {found} of {acknowledged}");
        again.commit(0, found as i32, 1);
    }
}

#[test]
fn whichever_sync_fails_nothing_more_is_acknowledged() {
    for nth in 1..90 {
        let world = open(&SimDisk::new(), nth);
        world.commit(0, 0, 1);
        world.disk.fail(Fault::Sync(nth));
        let acknowledged = run_until_failure(&world, 1);
        let again = open(&world.disk.crash(&Random::seeded(nth)), nth + 1000);
        assert_eq!(again.report.damage, Vec::<String>::new(), "sync {nth}");
        assert!(acknowledged <= check_prefix(&again.log(0), 0), "sync {nth}");
        // Where the run was over before its turn came, no sync fails.
        world.disk.heal();
        // Restarted without a power loss, it reads past the cache and says the same.
        let restarted = open(&world.disk, nth + 2000);
        assert!(acknowledged <= check_prefix(&restarted.log(0), 0), "sync {nth}");
        let found = restarted.log(0).written_end().0;
        restarted.commit(0, found as i32, 1);
    }
}

#[test]
fn a_read_that_fails_is_an_error_and_passes() {
    let world = open(&SimDisk::new(), 1);
    for sequence in 0..60 {
        world.append(0, sequence, 1, 900).expect("room");
        world.directory.kick();
    }
    world.disk.fail(Fault::Reads);
    assert!(values(&world.log(0)).is_err());
    world.disk.heal();
    assert_eq!(check_prefix(&world.log(0), 0), 60);
}

#[test]
fn a_disk_that_fills_up_again_and_again_gives_no_offset_that_it_cannot_keep() {
    let world = open(&SimDisk::new(), 1);
    world.commit(0, 0, 1);
    let (mut sequence, mut refusals) = (1, 0);
    for _ in 0..6 {
        let used: u64 = world.disk.files().iter().map(|(_, length)| *length as u64).sum();
        world.disk.set_capacity(Some(used + (5 << 10)));
        while world.append(0, sequence, 1, 1500).is_ok() {
            sequence += 1;
            world.directory.kick();
        }
        assert!(!world.directory.is_fenced());
        assert_eq!(world.append(0, sequence, 1, 1500), Err(AppendError::Full));
        refusals += 1;
        world.directory.sync_now().expect("what has an offset has room");
        assert_eq!(world.log(0).assigned_end(), world.log(0).synced_end());
        assert_eq!(check_prefix(&world.log(0), 0), i64::from(sequence));
        let again = open(&world.disk.copy(), 2);
        let log = again.directory.log(target(0)).expect("there");
        assert_eq!(check_prefix(&log, 0), i64::from(sequence));
        world.disk.set_capacity(None);
        world.directory.make_room();
        world.append(0, sequence, 1, 1500).expect("room again");
        sequence += 1;
    }
    assert_eq!(refusals, 6);
}
