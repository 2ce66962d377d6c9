//! The cleaner: what lives is moved into sorted chunks, nothing is lost on the way, and the room is bounded.

use std::sync::Arc;

use os::Random;
use os::disk::{Fault, SimDisk};
use storage::{Log, Read, ReadOutcome};
use types::Offset;

use crate::crash::cases;
use crate::harness::{World, open, options, target, try_open, values};

/// Three logs whose records lie side by side; most of the first one's is dropped again and again.
fn mixed(seed: u64, count: i32) -> World {
    let random = Random::seeded(seed);
    let world = open(&SimDisk::new(), seed);
    for sequence in 0..count {
        for partition in 0..3 {
            let padding = (random.u64() % 900) as usize;
            world.append(partition, sequence, 1, padding).expect("room");
        }
        world.directory.kick();
        if sequence % 50 == 49 {
            world
                .log(0)
                .advance_start(Offset(i64::from(sequence) - 5))
                .expect("room");
            world.directory.kick();
        }
    }
    world.directory.sync_now().expect("no fault");
    world
}

type Everything = Vec<(Offset, Offset, Vec<(i64, String)>)>;

fn everything(world: &World) -> Everything {
    let of = |log: Arc<Log>| (log.log_start(), log.written_end(), values(&log).expect("sound"));
    (0..3).map(|partition| of(world.log(partition))).collect()
}

/// Chunks, sealed or not, and everything that waits in the pool.
fn allocated(disk: &SimDisk) -> u64 {
    let files = disk.files().into_iter();
    let ours = files.filter(|(path, _)| path.starts_with("/data/chunks"));
    ours.map(|(_, length)| length as u64).sum()
}

fn sorted_chunks(disk: &SimDisk) -> usize {
    let is_sorted = |path: &std::path::Path| path.extension().is_some_and(|extension| extension == "sorted");
    disk.files().iter().filter(|(path, _)| is_sorted(path)).count()
}

#[test]
fn what_lives_is_moved_and_the_room_of_the_rest_comes_back() {
    let world = mixed(1, 600);
    let truth = everything(&world);
    let before = allocated(&world.disk);
    assert!(0 < world.directory.clean().expect("no fault"));
    assert!(everything(&world) == truth);
    let live: u64 = (0..3).map(|partition| world.log(partition).size_bytes()).sum();
    let after = allocated(&world.disk);
    assert!(
        after < before && after <= live * 13 / 10 + 2 * options().chunk_bytes_max,
        "{after} of {live}"
    );
    assert!(0 < sorted_chunks(&world.disk));
    // And it stays so: nothing is left to do.
    assert_eq!(world.directory.clean().expect("no fault"), 0);
    for checkpointed in [false, true] {
        if checkpointed {
            world.directory.checkpoint().expect("no fault");
        }
        let again = open(&world.disk.copy(), 2);
        assert_eq!(again.report.damage, Vec::<String>::new());
        assert!(everything(&again) == truth);
        again.commit(1, 600, 2);
    }
}

#[test]
fn reads_of_any_size_from_any_offset_give_whole_batches_of_sorted_chunks() {
    let world = mixed(2, 500);
    world.directory.clean().expect("no fault");
    let log = world.log(1);
    let random = Random::seeded(3);
    for _ in 0..2000 {
        let from = (random.u64() % 500) as i64;
        let limit = from + (random.u64() % 100) as i64;
        let read = Read {
            from: Offset(from),
            limit: Offset(limit),
            bytes_max: (random.u64() % 20_000) as usize,
            at_least_one: random.u64().is_multiple_of(2),
        };
        let slices = match log.read(&read).expect("in range") {
            ReadOutcome::Ready(slices) => slices,
            ReadOutcome::Cold(cold) => cold.run().expect("sound"),
        };
        let whole = slices.segments.concat();
        assert_eq!(whole.len(), slices.bytes);
        let mut next = from;
        for batch in record::batches(&whole) {
            assert_eq!(batch.expect("whole").0.base_offset.0, next);
            next += 1;
        }
        assert_eq!(slices.next_offset.0, next);
        assert!(next <= limit.max(from));
        let fits = slices.bytes <= read.bytes_max || (read.at_least_one && next == from + 1);
        assert!(fits, "{} bytes for {read:?}", slices.bytes);
        // Something comes whenever something may.
        assert!(from < next || limit <= from || !read.at_least_one);
    }
}

#[test]
fn a_log_without_its_checkpoints_is_the_same_log_after_cleaning() {
    for seed in 0..5 {
        let world = mixed(seed, 500);
        world.directory.clean().expect("no fault");
        for sequence in 500..520 {
            world.commit(1, sequence, 1);
        }
        let truth = everything(&world);
        let disk = world.disk.copy();
        for (path, _) in disk.files() {
            if path.starts_with("/data/checkpoint") {
                os::Disk::Simulated(disk.clone())
                    .remove_file(&path)
                    .expect("there");
            }
        }
        let again = open(&disk, seed + 9);
        assert_eq!(again.report.damage, Vec::<String>::new(), "seed {seed}");
        for (partition, wanted) in (0..3).zip(&truth) {
            let log = again.directory.log(target(partition)).expect("it holds data");
            assert_eq!(
                (log.log_start(), log.written_end()),
                (wanted.0, wanted.1),
                "seed {seed}, {partition}"
            );
            assert!(
                values(&log).expect("sound") == wanted.2,
                "seed {seed}, {partition}"
            );
        }
    }
}

/// Cleans while the n-th write or sync fails, loses power, and looks.
fn survives(seed: u64, fault: Fault) -> bool {
    let world = mixed(seed, 300);
    let truth = everything(&world);
    world.disk.fail(fault);
    let cleaned = world.directory.clean();
    world.disk.heal();
    let again = try_open(&world.disk.crash(&Random::seeded(seed + 1)), seed + 2).expect("it opens");
    assert_eq!(
        again.report.damage,
        Vec::<String>::new(),
        "{fault:?}, seed {seed}"
    );
    for (partition, (start, end, wanted)) in (0..3).zip(truth) {
        let log = again.directory.log(target(partition)).expect("it holds data");
        assert_eq!(
            (log.log_start(), log.written_end()),
            (start, end),
            "{fault:?}, seed {seed}"
        );
        assert!(values(&log).expect("sound") == wanted, "{fault:?}, seed {seed}");
    }
    // It can be cleaned then, and goes on.
    again.directory.clean().expect("no fault");
    again.commit(2, 300, 1);
    cleaned.is_ok()
}

#[test]
fn a_power_loss_at_any_write_or_sync_of_a_cleaning_loses_nothing() {
    for seed in 0..cases(2) {
        let mut done = false;
        for n in 1.. {
            // Every write, and with it what a power loss leaves of those before.
            let whole = survives(seed, Fault::Write(n));
            let synced = survives(seed, Fault::Sync(n));
            if whole && synced {
                done = true;
                break;
            }
        }
        assert!(done);
    }
}

#[test]
fn a_flipped_bit_in_a_sorted_chunk_is_never_served() {
    let world = mixed(4, 300);
    world.directory.clean().expect("no fault");
    let truth = everything(&world);
    let sorted: Vec<_> = world
        .disk
        .files()
        .into_iter()
        .filter(|(path, _)| path.extension().is_some_and(|extension| extension == "sorted"))
        .collect();
    let random = Random::seeded(5);
    let mut seen = 0;
    for _ in 0..cases(150) {
        let (path, length) = &sorted[(random.u64() as usize) % sorted.len()];
        let disk = world.disk.copy();
        let (at, bit) = ((random.u64() as usize) % length, random.u64() % 8);
        disk.damage(path, |bytes| bytes[at] ^= 1 << bit);
        let again = open(&disk, 6);
        for (partition, (_, _, wanted)) in (0..3).zip(&truth) {
            let log = again.directory.log(target(partition)).expect("it holds data");
            match values(&log) {
                Ok(found) => assert!(found == *wanted, "{at} bit {bit}"),
                Err(_) => seen += 1,
            }
        }
    }
    assert!(20 < seen, "{seen}");
}

#[test]
fn records_are_found_by_time_in_sorted_chunks_also_when_the_log_starts_inside_one() {
    let world = mixed(6, 300);
    world.directory.clean().expect("no fault");
    let log = world.log(1);
    // Timestamps are 1000 and the sequence.
    for sequence in [0, 7, 150, 299] {
        let found = log
            .offset_for_timestamp(1000 + sequence)
            .expect("sound")
            .expect("there");
        assert_eq!((found.0.0, found.1), (sequence, 1000 + sequence));
    }
    assert_eq!(log.max_timestamp().expect("sound").expect("there").0, Offset(299));
    log.advance_start(Offset(151)).expect("room");
    let found = log.offset_for_timestamp(1100).expect("sound").expect("there");
    assert_eq!((found.0, found.1), (Offset(151), 1151));
}

#[test]
fn the_newest_record_is_found_also_when_one_below_the_start_was_newer() {
    let world = open(&SimDisk::new(), 1);
    let mut builder = record::BatchBuilder::new(record::BatchOptions::default());
    for (timestamp, value) in [(9000, "a"), (500, "b"), (700, "c")] {
        builder.push(timestamp, Some(b"k"), Some(value.as_bytes()));
    }
    let batch = builder.build().expect("memory suffices");
    let header = record::BatchHeader::parse(&batch).expect("ours");
    let append = storage::Append {
        batch: &batch,
        header: &header,
        leader_epoch: types::LeaderEpoch(3),
        marker: None,
    };
    let log = world.log(0);
    log.append(&append).expect("room");
    world.directory.sync_now().expect("no fault");
    let found = |log: &Arc<Log>| {
        log.max_timestamp()
            .expect("sound")
            .map(|found| (found.0.0, found.1))
    };
    assert_eq!(found(&log), Some((0, 9000)));
    log.advance_start(Offset(1)).expect("room");
    assert_eq!(found(&log), Some((2, 700)));
    // Of a lookup by time the rest of the batch is not left out either.
    let at = |timestamp| {
        let found = log.offset_for_timestamp(timestamp).expect("sound");
        found.map(|found| (found.0.0, found.1))
    };
    assert_eq!(
        (at(100), at(600), at(8000)),
        (Some((1, 500)), Some((2, 700)), None)
    );
    log.advance_start(Offset(3)).expect("room");
    assert_eq!(found(&log), None);
}
