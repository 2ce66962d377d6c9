//! Flipped bits and writes that went astray, over several chunks, footers and checkpoints: no wrong record is served.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use os::Random;
use os::disk::{Fault, SimDisk};
use storage::Log;

use crate::crash::cases;
use crate::harness::{World, open, target, try_open, values};

type Values = Vec<(i64, String)>;

/// Three chunks with footers, two checkpoints, two partitions.
fn filled(seed: u64) -> World {
    let world = open(&SimDisk::new(), seed);
    for sequence in 0..240 {
        world.append(sequence % 2, sequence / 2, 1, 900).expect("room");
        world.directory.kick();
        if sequence % 40 == 39 {
            world.directory.sync_now().expect("no fault");
        }
        if sequence % 90 == 89 {
            world.directory.checkpoint().expect("no fault");
        }
    }
    world.directory.sync_now().expect("no fault");
    world
}

/// Reads what there is. A log that serves must serve the truth; one that lacks something must have said so.
fn check_served(log: &Arc<Log>, truth: &Values, reported: bool, what: &str) {
    // A flipped leader epoch lies outside Kafka's checksum; the harness looks at it, and a wrong one panics.
    let Ok(read) = values(log) else { return };
    assert!(
        read.iter().all(|record| truth.contains(record)),
        "{what}: a record that never was"
    );
    let whole = read.len() == truth.len();
    assert!(
        whole || reported || log.is_offline(),
        "{what}: {} of {} in silence",
        read.len(),
        truth.len()
    );
}

#[test]
fn two_thousand_flips_and_no_wrong_record() {
    let world = filled(1);
    let truth = [0, 1].map(|partition| values(&world.log(partition)).expect("sound"));
    let files = world.disk.files();
    let random = Random::seeded(8);
    for case in 0..cases(400).min(2000) {
        let damaged = world.disk.copy();
        let (path, length) = &files[random.u64() as usize % files.len()];
        let (byte, bit) = (random.u64() as usize % (*length).max(1), random.u64() % 8);
        damaged.damage(path, |bytes| {
            bytes
                .iter_mut()
                .skip(byte)
                .take(1)
                .for_each(|byte| *byte ^= 1 << bit)
        });
        let what = format!("case {case}: {} byte {byte} bit {bit}", path.display());
        let opened = catch_unwind(AssertUnwindSafe(|| try_open(&damaged, 2)));
        let Ok(again) = opened.unwrap_or_else(|_| panic!("{what}: a panic is no answer")) else {
            continue;
        };
        // The very last synced group may look like a torn end: one copy cannot tell.
        let reported = !again.report.damage.is_empty() || again.report.cut != 0;
        for (partition, truth) in (0..).zip(&truth) {
            match again.directory.log(target(partition)) {
                Some(log) => check_served(&log, truth, reported, &what),
                None => assert!(reported, "{what}: gone in silence"),
            }
        }
    }
}

#[test]
fn a_read_that_the_drive_gets_wrong_is_no_record() {
    let world = filled(2);
    let truth = values(&world.log(0)).expect("sound");
    for nth in 1..60 {
        world.disk.fail(Fault::FlippedRead(nth));
        match values(&world.log(0)) {
            Ok(read) => assert!(read == truth, "read {nth}"),
            Err(error) => assert!(error.to_string().contains("damaged"), "read {nth}: {error}"),
        }
        world.disk.heal();
    }
    assert!(values(&world.log(0)).expect("sound") == truth);
}

#[test]
fn writes_that_the_drive_lost_or_put_elsewhere_are_seen() {
    for nth in 1..60 {
        for fault in [Fault::LostWrite(nth), Fault::Misdirected(nth, 8192)] {
            let world = open(&SimDisk::new(), nth);
            world.commit(0, 0, 1);
            world.disk.fail(fault);
            for sequence in 1..80 {
                world.commit(0, sequence, 1);
            }
            let truth: Values = (0..80)
                .map(|at| (at, format!("0/{at}/{}", "x".repeat(20))))
                .collect();
            let Ok(again) = try_open(&world.disk.copy(), 3) else {
                continue;
            };
            let reported = !again.report.damage.is_empty();
            match again.directory.log(target(0)) {
                Some(log) => check_served(&log, &truth, reported, &format!("{fault:?}")),
                None => assert!(reported, "{fault:?}"),
            }
        }
    }
}
