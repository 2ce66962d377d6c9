//! Bit rot: seen, isolated, never served.

use std::sync::Arc;

use os::Random;
use os::disk::SimDisk;
use storage::{AppendError, Log, Read, ReadError, ReadOutcome};
use types::Offset;

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
    let named = &again.report.damage[0];
    assert!(named.starts_with("topic-0 ("), "{named}");
    assert!(
        named.contains("its records 4 to 4 do not hold, in chunk "),
        "{named}"
    );
    let sound = again.directory.log(target(1)).expect("there");
    assert!(!sound.is_offline());
    assert_eq!(values(&sound).expect("sound").len(), 10);
}

/// The values from an offset on, up to the end or an error.
fn from(log: &Arc<Log>, from: i64) -> Result<usize, ReadError> {
    let read = Read {
        from: Offset(from),
        limit: log.written_end(),
        bytes_max: 1,
        at_least_one: true,
    };
    let slices = match log.read(&read)? {
        ReadOutcome::Ready(slices) => slices,
        ReadOutcome::Cold(cold) => cold.run()?,
    };
    Ok(slices.bytes)
}

#[test]
fn of_a_group_only_the_partition_whose_records_are_damaged_is_concerned() {
    let world = open(&SimDisk::new(), 1);
    // Three partitions in each group.
    for sequence in 0..10 {
        for partition in 0..3 {
            world.append(partition, sequence, 1, 30).expect("room");
        }
        world.directory.kick();
        world.directory.sync_now().expect("no fault");
    }
    // A partition without a record behind the damage.
    world.commit(3, 0, 1);
    for sequence in 10..13 {
        world.commit(0, sequence, 1);
    }
    let (path, bytes) = chunk_with_data(&world.disk);
    let value = |bytes: &[u8], text: &[u8]| bytes.windows(4).position(|window| window == text);
    let place = value(&bytes, b"1/9/").expect("the value");
    world.disk.damage(&path, |bytes| bytes[place] ^= 1);
    let again = open(&world.disk.copy(), 2);
    let [named] = &again.report.damage[..] else {
        panic!("{:?}", again.report)
    };
    assert!(
        named.contains("topic-1 (") && named.contains("records 9 to 9 do not hold"),
        "{named}"
    );
    let log = |partition| again.directory.log(target(partition)).expect("there");
    let offline = [0, 1, 2, 3].map(|partition| log(partition).is_offline());
    assert_eq!(offline, [false, true, false, false]);
    for (partition, count) in [(0, 13), (2, 10), (3, 1)] {
        assert_eq!(values(&log(partition)).expect("sound").len(), count);
        again.commit(partition, count as i32, 1);
    }
    // What lies before the damage can be read, the damage names itself, and nothing is appended behind it.
    assert!(from(&log(1), 8).is_ok());
    let error = from(&log(1), 9).expect_err("damaged");
    assert!(error.to_string().contains("is damaged at byte"), "{error}");
    assert_eq!(
        again.append(1, 10, 1, 30).expect_err("offline"),
        AppendError::Offline
    );
    // A checkpoint remembers it.
    again.directory.checkpoint().expect("no fault");
    let later = open(&again.disk.copy(), 3);
    assert_eq!(later.report.damage.len(), 1);
    assert!(
        later.report.damage[0].starts_with("topic-1 ("),
        "{:?}",
        later.report
    );
    assert!(!later.directory.log(target(2)).expect("there").is_offline());
}

#[test]
fn damage_in_a_sealed_chunk_is_an_error_of_those_records_alone() {
    let world = open(&SimDisk::new(), 1);
    for sequence in 0..200 {
        for partition in 0..2 {
            world.append(partition, sequence, 1, 600).expect("room");
        }
        world.directory.kick();
    }
    world.directory.sync_now().expect("no fault");
    let files = world.disk.files().into_iter().map(|(path, _)| path);
    let mut chunks = files.filter(|path| {
        path.starts_with("/data/chunks") && path.extension().is_some_and(|kind| kind == "stream")
    });
    // The logs began in the first; the second is one that a start need not read.
    let path = chunks.nth(1).expect("several were filled");
    let mut seen = 0;
    world.disk.damage(&path, |bytes| {
        let found = bytes
            .windows(2)
            .enumerate()
            .filter(|(_, window)| *window == b"0/");
        let digits = |at: usize| {
            bytes[at + 2..at + 6]
                .iter()
                .map_while(|byte| (*byte as char).to_digit(10))
        };
        let place = found
            .map(|(at, _)| at)
            .find(|at| digits(*at).count() != 0 && bytes[at + 3..at + 6].contains(&b'/'));
        let place = place.expect("a value");
        seen = digits(place).fold(0, |number, digit| 10 * number + i64::from(digit));
        bytes[place] ^= 1;
    });
    let again = open(&world.disk.copy(), 2);
    assert_eq!(again.report.damage, Vec::<String>::new());
    assert!(0 < again.report.footers, "{:?}", again.report);
    let (hurt, sound) = (again.log(0), again.log(1));
    assert_eq!(values(&sound).expect("sound").len(), 200);
    let error = from(&hurt, seen).expect_err("damaged").to_string();
    assert!(error.contains("is damaged at byte"), "{error}");
    for offset in (0..200).filter(|offset| *offset != seen) {
        from(&hurt, offset).expect("everything else is read");
    }
    // Both go on.
    again.commit(0, 200, 1);
    again.commit(1, 200, 1);
}

#[test]
fn damage_in_a_sorted_chunk_is_an_error_of_its_partition_alone() {
    let world = open(&SimDisk::new(), 1);
    for sequence in 0..300 {
        for partition in 0..3 {
            world.append(partition, sequence, 1, 600).expect("room");
        }
        world.directory.kick();
    }
    // Most of the first goes, so that the rest is moved together.
    world.log(0).advance_start(Offset(280)).expect("room");
    world.directory.kick();
    world.directory.sync_now().expect("no fault");
    assert!(0 < world.directory.clean().expect("no fault"));
    let files = world.disk.files().into_iter().map(|(path, _)| path);
    let sorted: Vec<_> = files
        .filter(|path| path.extension().is_some_and(|kind| kind == "sorted"))
        .collect();
    let mut hurt = 0;
    for path in &sorted {
        world.disk.damage(path, |bytes| {
            let places: Vec<usize> = bytes
                .windows(3)
                .enumerate()
                .filter(|(_, window)| *window == b"1/1")
                .map(|(at, _)| at)
                .collect();
            places.iter().for_each(|at| bytes[*at] ^= 1);
            hurt += places.len();
        });
    }
    assert!(0 < hurt, "partition 1 lies in a sorted chunk");
    let again = open(&world.disk.copy(), 2);
    for world in [&world, &again] {
        let error = values(&world.log(1)).expect_err("damaged").to_string();
        assert!(error.contains("is damaged at byte"), "{error}");
        assert_eq!(values(&world.log(2)).expect("sound").len(), 300);
        assert_eq!(values(&world.log(0)).expect("sound").len(), 20);
        assert!(!world.log(2).is_offline());
    }
    for partition in 0..3 {
        again.commit(partition, 300, 1);
    }
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
