//! Every moment at which the power may go.

use os::Random;
use os::disk::SimDisk;

use crate::harness::{World, check_prefix, open, target};

fn acknowledged(world: &World) -> [i64; 3] {
    [0, 1, 2].map(|partition| {
        world
            .directory
            .log(target(partition))
            .map_or(0, |log| log.synced_end().0)
    })
}

/// The image opens without damage, as a prefix with everything acknowledged, and goes on.
fn check(image: &SimDisk, acknowledged: &[i64; 3], what: &str) -> [i64; 3] {
    let again = open(image, 77);
    assert_eq!(again.report.damage, Vec::<String>::new(), "{what}");
    let mut found = [0; 3];
    for partition in 0..3 {
        let at = partition as usize;
        if let Some(log) = again.directory.log(target(partition)) {
            found[at] = check_prefix(&log, partition);
            assert!(!log.is_offline(), "{what}");
        }
        assert!(
            acknowledged[at] <= found[at],
            "{what}: {found:?} of {acknowledged:?}"
        );
        again.commit(partition, found[at] as i32, 1);
    }
    found
}

#[test]
fn every_cut_in_time_of_unsynced_groups_is_what_was_written_until_then() {
    let world = open(&SimDisk::new(), 5);
    world.commit(0, 0, 2);
    world.commit(1, 0, 1);
    let synced = acknowledged(&world);
    // Three groups, the last one of three partitions.
    world.append(0, 2, 1, 40).expect("room");
    world.directory.kick();
    world.append(1, 1, 3, 10).expect("room");
    world.directory.kick();
    world.append(0, 3, 1, 20).expect("room");
    world.append(1, 4, 1, 20).expect("room");
    world.append(2, 0, 1, 20).expect("room");
    world.directory.kick();
    let pending = world.disk.pending();
    assert_eq!(pending.len(), 3, "{pending:?}");
    let mut last = synced;
    for (whole, write) in pending.iter().enumerate() {
        for bytes in 0..=write.bytes {
            let what = format!("write {whole} cut at {bytes}");
            let found = check(&world.disk.crash_after(whole, bytes), &synced, &what);
            assert!(
                last.iter().zip(&found).all(|(last, found)| last <= found),
                "{what}: later is more"
            );
            last = found;
        }
    }
    assert_eq!(last, [4, 5, 1]);
}

#[test]
fn a_switch_of_chunks_survives_a_power_loss_at_any_moment() {
    // The chunk is all but full; what follows goes over to the next one. The n-th sync never comes.
    let mut opened = 0;
    for nth in 1..12 {
        for seed in 0..6 {
            let world = open(&SimDisk::new(), seed);
            let mut sequence = 0;
            world.commit(0, sequence, 1);
            world.disk.fail(os::disk::Fault::Sync(nth));
            for _ in 0..90 {
                sequence += 1;
                if world.append(0, sequence, 1, 1400).is_err() {
                    break;
                }
                world.directory.kick();
                if sequence % 30 == 0 {
                    // Fails when it is its turn, and fences.
                    let _ = world.directory.sync_now();
                }
            }
            let synced = acknowledged(&world);
            let image = world.disk.crash(&Random::seeded(seed * 100 + nth));
            check(&image, &synced, &format!("sync {nth}, seed {seed}"));
            opened += 1;
        }
    }
    assert_eq!(opened, 66);
}
