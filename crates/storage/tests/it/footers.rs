//! Footers as deltas: a start that believes them finds the logs that it would find by reading the groups.

use std::collections::BTreeMap;

use os::disk::SimDisk;
use os::{Disk, Random};
use record::BatchHeader;
use storage::format::checkpoint::{Checkpoint, LogRecord};
use storage::{Append, AppendError};
use types::{LeaderEpoch, Offset, TopicIdPartition};

use crate::checkpoints::{checkpoint_files, without_checkpoints};
use crate::crash::cases;
use crate::harness::{World, batch, open, target};
use crate::restart::holds_every_chunk;

const LOGS: i32 = 4;

/// Everything that a checkpoint would say of every log.
fn told(world: &World) -> BTreeMap<TopicIdPartition, LogRecord> {
    world.directory.checkpoint().expect("no fault");
    let newest = checkpoint_files(&world.disk).pop().expect("it was written");
    assert!(
        newest.extension().is_some_and(|kind| kind == "base"),
        "the first of a process"
    );
    let name = newest
        .file_stem()
        .and_then(|name| name.to_str())
        .expect("a number");
    let seq = u64::from_str_radix(name, 16).expect("a number");
    let bytes = Disk::Simulated(world.disk.clone()).read(&newest).expect("there");
    let checkpoint = Checkpoint::decode(seq, &bytes).expect("ours");
    checkpoint.logs.into_iter().map(|log| (log.target, log)).collect()
}

/// No footer holds.
fn without_footers(disk: &SimDisk) -> SimDisk {
    let disk = disk.copy();
    for (path, length) in disk.files() {
        if path.extension().is_some_and(|extension| extension == "stream") {
            disk.damage(&path, |bytes| bytes[length - 64..].fill(0));
        }
    }
    disk
}

struct History {
    world: World,
    random: Random,
    epoch: i32,
    /// Of each log's producer.
    next: [i32; LOGS as usize],
    /// Only what footers tell happens.
    is_plain: bool,
}

impl History {
    fn below(&self, bound: u64) -> u64 {
        self.random.u64() % bound
    }

    fn append(&mut self, partition: i32) {
        let next = &mut self.next[partition as usize];
        let bytes = batch(partition, *next, 1, (self.random.u64() % 900) as usize);
        let header = BatchHeader::parse(&bytes).expect("ours");
        let append = Append {
            batch: &bytes,
            header: &header,
            leader_epoch: LeaderEpoch(self.epoch),
            marker: None,
        };
        let log = self.world.log(partition);
        let done = match log.append(&append) {
            Err(AppendError::Busy) => {
                self.world.directory.make_room();
                log.append(&append)
            }
            other => other,
        };
        match done {
            Ok(_) => *next += 1,
            // A truncation or a new life forgot what the producer had sent.
            Err(AppendError::OutOfOrder { .. }) => *next = 0,
            Err(error) => panic!("{error}"),
        }
    }

    fn step(&mut self) {
        let partition = self.below(LOGS as u64) as i32;
        let log = self.world.log(partition);
        let directory = self.world.directory.clone();
        match self.below(100) {
            0..70 => self.append(partition),
            70..86 => directory.kick(),
            86..88 => {
                // What is queued below a start stays in the index until the next one.
                directory.kick();
                let start = self.below(log.assigned_end().0 as u64 + 1) as i64;
                log.advance_start(Offset(start)).expect("room");
            }
            88..90 => log.roll().expect("room"),
            90 => {
                self.epoch = (self.epoch + 1).min(9);
                log.set_leader_epoch(LeaderEpoch(self.epoch)).expect("room");
            }
            91..93 => directory.sync_now().expect("no fault"),
            93 if self.below(6) == 0 => directory.checkpoint().expect("no fault"),
            94 if !self.is_plain && self.below(4) == 0 => {
                let end = self.below(log.assigned_end().0 as u64 + 1) as i64;
                log.truncate(Offset(end)).expect("no fault");
            }
            95 if !self.is_plain && self.below(6) == 0 => {
                directory.drop_log(target(partition)).expect("room");
                self.next[partition as usize] = 0;
            }
            96 if !self.is_plain && self.below(6) == 0 => {
                directory.clean().expect("no fault");
            }
            _ => {}
        }
    }
}

/// Opens the same disk by its footers and by its groups; gives how many footers were enough.
fn compare(disk: &SimDisk, what: &str) -> usize {
    let by_footers = open(&disk.copy(), 77);
    let by_groups = open(&without_footers(disk), 77);
    assert_eq!(by_footers.report.damage, Vec::<String>::new(), "{what}");
    assert_eq!(by_groups.report.damage, Vec::<String>::new(), "{what}");
    assert_eq!(by_groups.report.footers, 0, "{what}");
    let (one, other) = (told(&by_footers), told(&by_groups));
    assert_eq!(
        one.keys().collect::<Vec<_>>(),
        other.keys().collect::<Vec<_>>(),
        "{what}"
    );
    for (target, log) in one {
        let other = &other[&target];
        assert_eq!((&log.runs, log.end), (&other.runs, other.end), "{what}");
        assert!(log == *other, "{what}, {target}");
    }
    by_footers.report.footers
}

#[test]
fn a_start_from_footers_is_the_start_from_groups() {
    let mut footers = [0; 3];
    for seed in 0..cases(24) {
        let mut history = History {
            world: open(&SimDisk::new(), seed),
            random: Random::seeded(seed),
            epoch: 1,
            next: [0; LOGS as usize],
            is_plain: seed % 2 == 0,
        };
        for round in 0..3 {
            for _ in 0..history.below(900) {
                history.step();
            }
            let what = format!("seed {seed}, round {round}");
            footers[0] += compare(&history.world.disk, &what);
            let lost = history.world.disk.crash(&Random::seeded(seed + 1));
            footers[1] += compare(&lost, &format!("{what}, after a power loss"));
            // Once a chunk was recycled, only footers tell what it had said.
            let bare = without_checkpoints(&history.world.disk);
            if history.is_plain && round == 0 && holds_every_chunk(&bare) {
                footers[2] += compare(&bare, &format!("{what}, without checkpoints"));
            }
            // The next round begins in the middle of a chunk that this process did not begin.
            history.world.directory.kick();
            history.world = open(&history.world.disk.copy(), seed + 100);
        }
    }
    assert!(footers.iter().all(|count| 3 < *count), "{footers:?}");
}
