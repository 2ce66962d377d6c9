//! Power losses: what was acknowledged is there, and what is there is a prefix.

use os::Random;
use os::disk::SimDisk;

use crate::harness::{World, check_prefix, open, target};

/// Images to try; `OTTLA_CASES` asks for more.
pub fn cases(short: u64) -> u64 {
    std::env::var("OTTLA_CASES")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(short)
}

/// Commits some batches, then writes some that are not synced. Gives what was acknowledged per partition.
fn busy(seed: u64) -> (World, [i64; 3]) {
    let random = Random::seeded(seed);
    let world = open(&SimDisk::new(), seed);
    let (mut next, mut acknowledged) = ([0; 3], [0; 3]);
    for _ in 0..random.u64() % 40 {
        let partition = (random.u64() % 3) as usize;
        let count = 1 + (random.u64() % 4) as i32;
        world
            .append(
                partition as i32,
                next[partition],
                count,
                (random.u64() % 900) as usize,
            )
            .expect("room");
        next[partition] += count;
        if random.u64().is_multiple_of(2) {
            world.directory.kick();
        }
        if random.u64().is_multiple_of(4) {
            world.directory.sync_now().expect("no fault");
            acknowledged = next.map(i64::from);
        }
    }
    world.directory.kick();
    (world, acknowledged)
}

fn check(disk: &SimDisk, acknowledged: &[i64; 3], seed: u64) {
    let again = open(disk, seed + 1_000_000);
    assert_eq!(again.report.damage, Vec::<String>::new(), "seed {seed}");
    for partition in 0..3 {
        let Some(log) = again.directory.log(target(partition)) else {
            assert_eq!(acknowledged[partition as usize], 0, "seed {seed}");
            continue;
        };
        let found = check_prefix(&log, partition);
        assert!(
            acknowledged[partition as usize] <= found,
            "seed {seed}: {found} of {acknowledged:?}"
        );
        // And it goes on from there.
        again.commit(partition, found as i32, 1);
        assert_eq!(check_prefix(&log, partition), found + 1);
    }
}

#[test]
fn random_subsets_of_unsynced_writes_open_as_a_prefix_with_everything_acknowledged() {
    for seed in 0..cases(400) {
        let (world, acknowledged) = busy(seed);
        check(
            &world.disk.crash(&Random::seeded(seed * 31 + 7)),
            &acknowledged,
            seed,
        );
    }
}

#[test]
fn two_power_losses_in_a_row_lose_nothing_acknowledged() {
    for seed in 0..cases(400) / 4 {
        let (world, acknowledged) = busy(seed);
        let first = open(&world.disk.crash(&Random::seeded(seed)), seed + 1);
        let mut kept = acknowledged;
        for partition in 0..3 {
            if let Some(log) = first.directory.log(target(partition)) {
                let found = log.written_end().0;
                first.commit(partition, found as i32, 2);
                kept[partition as usize] = found + 2;
            }
        }
        check(&first.disk.crash(&Random::seeded(seed + 2)), &kept, seed);
    }
}

#[test]
fn every_byte_cut_of_the_last_three_groups_opens_as_a_prefix() {
    let world = open(&SimDisk::new(), 9);
    for sequence in 0..6 {
        world.append(0, sequence, 1, 30).expect("room");
        world.directory.kick();
    }
    let (path, bytes) = chunk_with_data(&world.disk);
    let end = bytes.iter().rposition(|byte| *byte != 0).expect("data") + 1;
    let mut lengths = std::collections::BTreeSet::new();
    for cut in end - 3 * 330..=end {
        let torn = world.disk.copy();
        torn.damage(&path, |bytes| bytes[cut..].fill(0));
        let again = open(&torn, 10);
        assert_eq!(again.report.damage, Vec::<String>::new(), "cut at {cut}");
        lengths.insert(check_prefix(&again.log(0), 0));
    }
    assert!(3 <= lengths.len() && lengths.contains(&6), "{lengths:?}");
}

/// The chunk of the data stream that holds something.
pub fn chunk_with_data(disk: &SimDisk) -> (std::path::PathBuf, Vec<u8>) {
    let os = os::Disk::Simulated(disk.clone());
    let (path, _) = disk
        .files()
        .into_iter()
        .find(|(path, _)| path.starts_with("/data/chunks") && path.extension().is_some_and(|e| e == "stream"))
        .expect("a chunk");
    let bytes = os.read(&path).expect("readable");
    (path, bytes)
}

#[test]
fn a_cut_tail_does_not_come_back() {
    let world = open(&SimDisk::new(), 3);
    for sequence in 0..3 {
        world.append(0, sequence, 1, 30).expect("room");
        world.directory.kick();
    }
    // The second group is torn, the third is whole behind it.
    let (path, bytes) = chunk_with_data(&world.disk);
    let second = bytes
        .windows(5)
        .position(|window| window == b"0/1/x")
        .expect("the second value");
    world.disk.damage(&path, |bytes| bytes[second] ^= 1);
    let again = open(&world.disk, 4);
    assert_eq!(check_prefix(&again.log(0), 0), 1);
    // A new second group of the same length: the old third must not follow it.
    again.append(0, 1, 1, 30).expect("room");
    again.directory.kick();
    let third = open(&again.disk, 5);
    assert_eq!(check_prefix(&third.log(0), 0), 2);
}
