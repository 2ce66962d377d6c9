//! Sealed chunks are read again: rot is found, named, and stays with its partition. And what is read after a failed sync.

use std::path::Path;

use os::disk::{Fault, SimDisk};
use os::{Clock, Disk, Os, Random};
use storage::{FlushPolicy, Identity, LogDirectory, Options, zero_spares};
use types::{BrokerId, Offset};

use crate::harness::{Heard, PATH, World, check_prefix, open, options, target, try_open, values};

/// Two chunks with footers and a third, two partitions.
fn filled() -> World {
    let world = open(&SimDisk::new(), 1);
    for sequence in 0..200 {
        world.append(sequence % 2, sequence / 2, 1, 900).expect("room");
        world.directory.kick();
    }
    world.directory.sync_now().expect("no fault");
    world
}

/// Changes a byte of the record with this value prefix in some chunk; gives whether it was there.
fn rot(disk: &SimDisk, value: &str) -> bool {
    for (path, _) in disk.files() {
        if path.extension().is_none_or(|extension| extension != "stream") {
            continue;
        }
        let bytes = Disk::Simulated(disk.clone()).read(&path).expect("readable");
        let found = bytes
            .windows(value.len())
            .position(|window| window == value.as_bytes());
        if let Some(at) = found {
            disk.damage(&path, |bytes| bytes[at] ^= 1);
            return true;
        }
    }
    false
}

#[test]
fn a_pass_over_sound_chunks_reads_all_that_lives_in_them_and_finds_nothing() {
    let world = filled();
    let report = world.directory.scrub();
    assert!(2 <= report.chunks, "{report:?}");
    assert_eq!((&report.damage, &report.footers), (&Vec::new(), &Vec::new()));
    let all: u64 = [0, 1]
        .map(|partition| world.log(partition).size_bytes())
        .iter()
        .sum();
    assert!(
        all / 2 < report.bytes && report.bytes <= all,
        "{} of {all}",
        report.bytes
    );
    // What is dropped is not read again.
    world.log(0).advance_start(Offset(100)).expect("room");
    world.log(1).advance_start(Offset(100)).expect("room");
    assert_eq!(world.directory.scrub().bytes, 0);
}

#[test]
fn rot_is_named_and_the_other_partition_is_read_as_before() {
    let world = filled();
    assert!(rot(&world.disk, "1/7/x"));
    let report = world.directory.scrub();
    let [damage] = &report.damage[..] else {
        panic!("one record is damaged: {report:?}");
    };
    assert_eq!((damage.log, damage.topic.as_str()), (target(1), "topic"));
    assert_eq!(damage.offsets, (Offset(7), Offset(7)));
    assert!(
        damage
            .to_string()
            .starts_with("topic-1: offsets 7 to 7 in chunk "),
        "{damage}"
    );
    assert_eq!(world.directory.damage(), report.damage);
    // Found again, it is told once.
    world.directory.scrub();
    assert_eq!(world.directory.damage().len(), 1);
    assert_eq!(check_prefix(&world.log(0), 0), 100);
    assert!(
        values(&world.log(1))
            .expect_err("offset 7 is lost")
            .to_string()
            .contains("damaged")
    );
}

#[test]
fn rot_in_what_nobody_can_read_any_more_is_no_damage() {
    let world = filled();
    assert!(rot(&world.disk, "1/7/x"));
    world.log(1).advance_start(Offset(8)).expect("room");
    assert_eq!(world.directory.scrub().damage, []);
}

#[test]
fn a_chunk_without_a_footer_that_holds_is_still_read() {
    let world = filled();
    for (path, length) in world.disk.files() {
        if path.starts_with(format!("{PATH}/chunks")) {
            world.disk.damage(&path, |bytes| bytes[length - 10] ^= 1);
        }
    }
    assert!(rot(&world.disk, "0/3/x"));
    let report = world.directory.scrub();
    assert_eq!(report.footers.len(), report.chunks);
    // The group does not hold, so the index that is rebuilt has none of it: the log is known to lack it.
    assert!(values(&world.log(0)).is_err());
    assert_eq!(check_prefix(&world.log(1), 1), 100);
}

/// A directory whose last sync failed, and that was written to before.
fn fenced() -> (SimDisk, i64) {
    let world = open(&SimDisk::new(), 1);
    world.commit(0, 0, 3);
    world.append(0, 3, 2, 20).expect("room");
    world.directory.kick();
    world.disk.fail(Fault::Sync(1));
    assert!(world.directory.sync_now().is_err());
    assert!(world.heard.fenced.lock().is_some());
    let synced = world.log(0).synced_end().0;
    drop(world.directory);
    world.disk.heal();
    (world.disk, synced)
}

#[test]
fn after_a_failed_sync_a_start_believes_the_disk_and_not_the_cache() {
    let (disk, synced) = fenced();
    let again = open(&disk, 2);
    assert_eq!(check_prefix(&again.log(0), 0), synced);
    assert_eq!(again.commit(0, synced as i32, 1), Offset(synced));
    let marker = format!("{PATH}/fenced");
    assert!(!Disk::Simulated(disk).exists(Path::new(&marker)));
}

#[test]
fn a_cache_that_cannot_be_dropped_refuses_the_directory() {
    let (disk, synced) = fenced();
    disk.keep_cache();
    let refused = try_open(&disk, 2)
        .err()
        .expect("the cache shows what the disk does not have");
    assert!(refused.to_string().contains("page cache"), "{refused}");
    // The machine starts anew: only what is durable is there.
    let again = open(&disk.crash_after(0, 0), 3);
    assert_eq!(check_prefix(&again.log(0), 0), synced);
}

#[test]
fn chunks_are_not_used_again_where_the_file_system_copies_on_write() {
    let spares = |copies: bool| {
        let disk = SimDisk::new();
        if copies {
            disk.set_copy_on_write();
        }
        let world = open(&disk, 1);
        let mut files = 0;
        for sequence in 0..1000 {
            world.append(0, sequence, 1, 1000).expect("room");
            world.directory.kick();
            if sequence % 100 == 99 {
                world
                    .log(0)
                    .advance_start(Offset(i64::from(sequence)))
                    .expect("room");
                world.directory.checkpoint().expect("no fault");
                let pool = disk
                    .files()
                    .into_iter()
                    .filter(|(path, _)| path.starts_with(format!("{PATH}/pool")));
                let spares = pool.filter(|(path, _)| path.extension().is_some_and(|e| e == "spare"));
                files = files.max(spares.count());
            }
        }
        assert_eq!(world.directory.file_system().copy_on_write, copies);
        (
            files,
            disk.files()
                .iter()
                .filter(|(path, _)| path.starts_with(format!("{PATH}/chunks")))
                .count(),
        )
    };
    let (kept, chunks) = spares(false);
    let (kept_with_copies, chunks_with_copies) = spares(true);
    assert!(kept_with_copies < kept, "{kept_with_copies} of {kept}");
    assert!(chunks_with_copies <= chunks, "what is not used again is removed");
}

#[test]
fn spares_of_a_stopped_directory_are_zeroed() {
    let disk = SimDisk::new();
    let os = Os {
        disk: Disk::Simulated(disk.clone()),
        clock: Clock::real(),
        random: Random::seeded(1),
    };
    let (path, identity) = (
        Path::new(PATH),
        Identity {
            cluster_id: None,
            node_id: BrokerId(1),
        },
    );
    let options = Options {
        flush: FlushPolicy::Never,
        ..options()
    };
    let opened = LogDirectory::open(&os, path, &identity, options, std::sync::Arc::<Heard>::default());
    let world = World {
        disk: disk.clone(),
        directory: opened.expect("an empty disk").0,
        report: Default::default(),
        heard: Default::default(),
    };
    for sequence in 0..400 {
        world.append(0, sequence, 1, 1000).expect("room");
        world.directory.kick();
        if sequence % 50 == 49 {
            world
                .log(0)
                .advance_start(Offset(i64::from(sequence)))
                .expect("room");
            world.directory.checkpoint().expect("no fault");
        }
    }
    world.directory.close().expect("no fault");
    let spares = || {
        let files = disk.files().into_iter().map(|(path, _)| path);
        let spares: Vec<_> = files
            .filter(|path| path.extension().is_some_and(|e| e == "spare"))
            .collect();
        let bytes = spares.iter().flat_map(|path| os.disk.read(path).expect("there"));
        (spares.len(), bytes.filter(|byte| *byte != 0).count())
    };
    let (files, used) = spares();
    assert!(
        0 < files && 0 < used,
        "a spare holds what it held before: {files} {used}"
    );
    let (zeroed, bytes) = zero_spares(&os, path).expect("stopped");
    assert!(files <= zeroed && 0 < bytes);
    assert_eq!(spares(), (files, 0));
    assert!(zero_spares(&os, Path::new("/elsewhere")).is_err());
}
