//! Deltas: what changed since the checkpoint before, on a base.

use os::Disk;
use os::disk::SimDisk;
use types::Offset;

use crate::checkpoints::{checkpoint_files, everything, filled, without_checkpoints};
use crate::harness::{World, check_prefix, open, target, values};

fn is_delta(path: &std::path::Path) -> bool {
    path.extension().is_some_and(|extension| extension == "delta")
}

fn deltas(disk: &SimDisk) -> Vec<std::path::PathBuf> {
    let files = checkpoint_files(disk).into_iter();
    files.filter(|path| is_delta(path)).collect()
}

fn length(disk: &SimDisk, wanted: &std::path::Path) -> usize {
    let files = disk.files();
    let found = files.iter().find(|(path, _)| path == wanted);
    found.map_or(0, |(_, length)| *length)
}

/// A world with so many logs that hold a record each, a base with all of them, and then some work on two.
fn with_idle_logs(idle: i32) -> World {
    let world = open(&SimDisk::new(), 1);
    for partition in 0..idle {
        world.append(partition, 0, 1, 10).expect("room");
        if partition % 100 == 99 {
            world.directory.kick();
        }
    }
    world.directory.checkpoint().expect("no fault");
    world.commit(0, 1, 1);
    world.commit(1, 1, 1);
    world.directory.checkpoint().expect("no fault");
    world
}

#[test]
fn a_delta_has_the_logs_that_were_touched_however_many_there_are() {
    let [few, many] = [20, 2000].map(|idle| {
        let world = with_idle_logs(idle);
        let [delta] = &deltas(&world.disk)[..] else {
            panic!("one delta: {:?}", checkpoint_files(&world.disk));
        };
        let again = open(&world.disk.copy(), 2);
        assert_eq!(again.report.damage, Vec::<String>::new());
        assert_eq!(again.report.groups, 0, "nothing is left to replay");
        for partition in 0..idle {
            let expected = if partition < 2 { 2 } else { 1 };
            let log = again.directory.log(target(partition)).expect("it holds data");
            assert_eq!(check_prefix(&log, partition), expected);
        }
        length(&world.disk, delta)
    });
    // The list of chunks is in it as well: there are more of them.
    assert!(many < few + 500, "{few} bytes with 20 logs, {many} with 2000");
}

#[test]
fn a_log_with_deltas_is_the_log_without_them() {
    let world = filled(1, true);
    assert!(
        !deltas(&world.disk).is_empty(),
        "{:?}",
        checkpoint_files(&world.disk)
    );
    let truth = everything(&world);
    let without_deltas = world.disk.copy();
    for path in deltas(&without_deltas) {
        Disk::Simulated(without_deltas.clone())
            .remove_file(&path)
            .expect("there");
    }
    for (name, disk) in [
        ("with", world.disk.copy()),
        ("without deltas", without_deltas),
        ("without any", without_checkpoints(&world.disk)),
    ] {
        let again = open(&disk, 2);
        assert_eq!(again.report.damage, Vec::<String>::new(), "{name}");
        assert!(everything(&again) == truth, "{name}");
        assert!(again.append(1, 99, 1, 1000).expect("known").duplicate, "{name}");
        assert_eq!(again.commit(1, 100, 1), Offset(100), "{name}");
    }
}

#[test]
fn a_damaged_delta_in_the_middle_leaves_the_chunks_to_rebuild_from() {
    let world = with_idle_logs(100);
    for round in 2..6 {
        world.commit(0, round, 1);
        world.directory.checkpoint().expect("no fault");
    }
    let deltas = deltas(&world.disk);
    assert!(3 < deltas.len(), "{deltas:?}");
    for (at, delta) in deltas.iter().enumerate() {
        let disk = world.disk.copy();
        disk.damage(delta, |bytes| bytes[100] ^= 1);
        let again = open(&disk, 2);
        assert_eq!(
            (again.report.damaged_checkpoints, &again.report.damage),
            (1, &Vec::new())
        );
        // Without the last one the one before it serves; without an earlier one the chunks it needs may be gone.
        assert_eq!(
            1 < again.report.groups,
            at + 1 < deltas.len(),
            "delta {at}: {:?}",
            again.report
        );
        for partition in 0..100 {
            assert_eq!(
                values(&again.log(partition)).expect("sound"),
                values(&world.log(partition)).expect("sound"),
                "delta {at}"
            );
        }
    }
}

#[test]
fn a_log_that_is_dropped_or_emptied_does_not_come_back_from_the_base() {
    let world = with_idle_logs(100);
    world.directory.drop_log(target(5)).expect("room");
    world.directory.drop_log(target(6)).expect("room");
    world.log(7).reset_to(Offset(0)).expect("room");
    world.commit(6, 0, 3);
    world.directory.checkpoint().expect("no fault");
    assert!(is_delta(
        checkpoint_files(&world.disk).last().expect("a checkpoint")
    ));
    let again = open(&world.disk.copy(), 2);
    assert!(again.directory.log(target(5)).is_none());
    assert_eq!(check_prefix(&again.log(6), 6), 3);
    assert_eq!(again.log(7).written_end(), Offset(0));
    assert_eq!(again.commit(7, 0, 1), Offset(0));
}

#[test]
fn deltas_end_in_a_base_and_old_files_go() {
    let world = with_idle_logs(50);
    let mut bases = 0;
    let mut was_base = false;
    for round in 2..400 {
        world.commit(0, round, 1);
        world.directory.checkpoint().expect("no fault");
        let files = checkpoint_files(&world.disk);
        let is_base = !is_delta(files.last().expect("written"));
        bases += usize::from(is_base);
        assert!(!(is_base && was_base), "two bases in a row");
        was_base = is_base;
        assert!(
            files.iter().filter(|path| !is_delta(path)).count() <= 2,
            "{files:?}"
        );
        assert!(!is_delta(&files[0]), "what is kept begins with a base: {files:?}");
    }
    assert!(2 < bases && bases < 100, "{bases}");
    assert_eq!(check_prefix(&open(&world.disk.copy(), 2).log(0), 0), 400);
}
