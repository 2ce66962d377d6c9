//! Bit rot: seen, isolated, never served.

use os::Random;
use os::disk::SimDisk;

use crate::crash::chunk_with_data;
use crate::harness::{open, target, try_open, values};

#[test]
fn damage_to_synced_groups_is_isolated_and_not_cut() {
    let world = open(&SimDisk::new(), 1);
    for sequence in 0..10 {
        world.commit(0, sequence, 1);
        world.commit(1, sequence, 1);
    }
    let (path, bytes) = chunk_with_data(&world.disk);
    let place = bytes
        .windows(4)
        .position(|window| window == b"0/4/")
        .expect("the value");
    world.disk.damage(&path, |bytes| bytes[place] ^= 1);
    let again = open(&world.disk.copy(), 2);
    assert_eq!(again.report.damage.len(), 1, "{:?}", again.report);
    let damaged = again.directory.log(target(0)).expect("reported, not dropped");
    assert!(damaged.is_offline());
    let sound = again.directory.log(target(1)).expect("there");
    assert!(!sound.is_offline());
    assert_eq!(values(&sound).expect("sound").len(), 10);
}

#[test]
fn flipped_bits_are_never_served() {
    let world = open(&SimDisk::new(), 1);
    for sequence in 0..40 {
        world.commit(sequence % 2, sequence / 2, 1);
    }
    let truth = [
        values(&world.log(0)).expect("sound"),
        values(&world.log(1)).expect("sound"),
    ];
    let (path, bytes) = chunk_with_data(&world.disk);
    let used = bytes.iter().rposition(|byte| *byte != 0).expect("data");
    let random = Random::seeded(5);
    for _ in 0..400 {
        let (byte, bit) = (random.u64() as usize % used, random.u64() % 8);
        let damaged = world.disk.copy();
        damaged.damage(&path, |bytes| bytes[byte] ^= 1 << bit);
        // Either the directory says that it cannot be opened, or every log is a prefix of the truth or offline.
        let Ok(again) = try_open(&damaged, 2) else {
            continue;
        };
        for partition in 0..2 {
            let Some(log) = again.directory.log(target(partition)) else {
                continue;
            };
            let Ok(read) = values(&log) else { continue };
            let truth = &truth[partition as usize];
            let whole = read.len() == truth.len();
            assert!(
                log.is_offline() || whole || log.written_end().0 >= truth.len() as i64 - 1,
                "byte {byte}"
            );
            assert!(
                read.iter().all(|record| truth.contains(record)),
                "byte {byte} bit {bit}"
            );
        }
    }
}

#[test]
fn rot_under_an_open_log_is_an_error_of_the_read() {
    let world = open(&SimDisk::new(), 1);
    for sequence in 0..200 {
        world.append(0, sequence, 1, 100).expect("room");
        world.directory.kick();
    }
    let (path, bytes) = chunk_with_data(&world.disk);
    let place = bytes
        .windows(4)
        .position(|window| window == b"0/3/")
        .expect("the value");
    world.disk.damage(&path, |bytes| bytes[place] ^= 1);
    let error = values(&world.log(0)).expect_err("the damage is seen");
    assert!(error.to_string().contains("damaged"), "{error}");
}

#[test]
fn damage_is_no_torn_end_if_only_a_group_far_behind_knows_that_it_was_synced() {
    let world = open(&SimDisk::new(), 1);
    // Group 2 is written; so is 3, before the sync of both; 4 says that they were synced.
    for sequence in 0..3 {
        world.append(0, sequence, 1, 30).expect("room");
        world.directory.kick();
    }
    world.directory.sync_now().expect("no fault");
    world.append(0, 3, 1, 30).expect("room");
    world.directory.kick();
    let (path, bytes) = chunk_with_data(&world.disk);
    let place = bytes
        .windows(4)
        .position(|window| window == b"0/1/")
        .expect("the value");
    world.disk.damage(&path, |bytes| bytes[place] ^= 1);
    let again = open(&world.disk.copy(), 2);
    assert_eq!(
        (again.report.damage.len(), again.report.cut),
        (1, 0),
        "{:?}",
        again.report
    );
    assert!(
        again
            .directory
            .log(target(0))
            .expect("reported, not dropped")
            .is_offline()
    );
}

#[test]
fn a_chunk_whose_header_is_damaged_is_not_thrown_away() {
    let world = open(&SimDisk::new(), 1);
    world.commit(0, 0, 5);
    let (path, _) = chunk_with_data(&world.disk);
    world.disk.damage(&path, |bytes| bytes[20] ^= 1);
    let error = try_open(&world.disk, 2).err().expect("refused");
    assert!(error.to_string().contains("damaged"), "{error}");
    world.disk.damage(&path, |bytes| bytes[20] ^= 1);
    assert_eq!(values(&open(&world.disk, 3).log(0)).expect("sound").len(), 5);
}
