//! Bugs on purpose, each found by what the other tests look at.

use std::path::Path;

use os::disk::{Fault, SimDisk};
use os::{Clock, Disk, Os, Random};
use storage::{Identity, LogDirectory, Options, SeededBug};
use types::BrokerId;

use crate::harness::{PATH, World, check_prefix, options, target, values};

fn open_with(disk: &SimDisk, seed: u64, bug: Option<SeededBug>) -> World {
    let os = Os {
        disk: Disk::Simulated(disk.clone()),
        clock: Clock::real(),
        random: Random::seeded(seed),
    };
    let options = Options {
        seeded_bug: bug,
        ..options()
    };
    let identity = Identity {
        cluster_id: None,
        node_id: BrokerId(1),
    };
    let heard = std::sync::Arc::<crate::harness::Heard>::default();
    let opened = LogDirectory::open(&os, Path::new(PATH), &identity, options, heard.clone());
    let (directory, report) = opened.expect("a sound disk opens");
    World {
        disk: disk.clone(),
        directory,
        report,
        heard,
    }
}

/// Whether a run with a power loss breaks a promise.
fn breaks(bug: Option<SeededBug>, seed: u64) -> bool {
    let world = open_with(&SimDisk::new(), seed, bug);
    world.commit(0, 0, 1);
    if seed.is_multiple_of(2) {
        world.disk.fail(Fault::Sync(1));
    }
    for sequence in 1..4 {
        if world.append(0, sequence, 1, 5000).is_err() {
            break;
        }
        world.directory.kick();
        if seed % 4 < 2 && world.directory.sync_now().is_err() {
            break;
        }
    }
    let acknowledged = world.log(0).synced_end().0;
    let again = open_with(&world.disk.crash(&Random::seeded(seed)), seed + 1, bug);
    let Some(log) = again.directory.log(target(0)) else {
        return true;
    };
    if values(&log).is_err() || log.is_offline() {
        return true;
    }
    let found = check_prefix(&log, 0);
    let repeated = again.append(0, 0, 1, 20).map(|appended| appended.duplicate);
    found < acknowledged || (found != 0 && repeated != Ok(true))
}

#[test]
fn every_seeded_bug_is_found_and_nothing_without_one() {
    for seed in 0..40 {
        assert!(!breaks(None, seed), "seed {seed}");
    }
    for bug in SeededBug::ALL {
        assert_eq!(SeededBug::from_name(bug.name()), Some(bug));
        assert!(
            (0..40).any(|seed| breaks(Some(bug), seed)),
            "{} is not found",
            bug.name()
        );
    }
}
