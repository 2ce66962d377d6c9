//! Everything at once, on real threads: nothing hangs, and what is acknowledged is there.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

use os::disk::SimDisk;
use os::{Clock, Disk, Os, Random};
use record::BatchHeader;
use storage::{Append, AppendError, Identity, Log, LogDirectory, Options};
use types::{BrokerId, LeaderEpoch, Offset};

use crate::crash::cases;
use crate::harness::{Heard, PATH, batch, check_prefix, open, options, target, values};

const BATCHES: i32 = 400;

/// Sets the flag, also when an assertion fails: nobody waits for ever then.
struct Ends<'a>(&'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

fn try_append(log: &Arc<Log>, partition: i32, sequence: i32) -> Result<(), AppendError> {
    let batch = batch(partition, sequence, 1, 400);
    let header = BatchHeader::parse(&batch).expect("ours");
    let append = Append {
        batch: &batch,
        header: &header,
        leader_epoch: LeaderEpoch(3),
        marker: None,
    };
    log.append(&append).map(|_| ())
}

fn append(directory: &LogDirectory, log: &Arc<Log>, partition: i32, sequence: i32) {
    while let Err(error) = try_append(log, partition, sequence) {
        assert_eq!(error, AppendError::Busy);
        directory.make_room();
    }
    directory.kick();
    if sequence % 16 == 15 {
        directory.request_sync();
    }
}

/// Nothing of this takes so long unless it hangs.
const PATIENCE: Duration = Duration::from_secs(90);

/// Runs a round; one that hangs ends the process, since no thread of it can be ended.
fn watched(seed: u64, round: impl FnOnce()) {
    let (done, ended) = std::sync::mpsc::channel::<()>();
    let watch = std::thread::spawn(move || {
        if ended.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
            eprintln!("seed {seed}: hangs for {PATIENCE:?}");
            std::process::abort();
        }
    });
    round();
    drop(done);
    watch.join().expect("the watch ends with the round");
}

#[test]
fn appends_syncs_checkpoints_cuts_and_reads_go_on_together() {
    for seed in 0..cases(2) {
        watched(seed, || everything_at_once(seed));
    }
}

fn on_threads(disk: &SimDisk, seed: u64, options: Options) -> LogDirectory {
    let os = Os {
        disk: Disk::Simulated(disk.clone()),
        clock: Clock::real(),
        random: Random::seeded(seed),
    };
    let options = Options {
        threads: true,
        ..options
    };
    let identity = Identity {
        cluster_id: None,
        node_id: BrokerId(1),
    };
    let opened = LogDirectory::open(&os, Path::new(PATH), &identity, options, Arc::<Heard>::default());
    opened.expect("a sound disk").0
}

fn everything_at_once(seed: u64) {
    let disk = SimDisk::new();
    let options = Options {
        checkpoint_every_bytes: 64 << 10,
        ..options()
    };
    let directory = on_threads(&disk, seed, options);
    let logs: Vec<Arc<Log>> = (0..4)
        .map(|partition| directory.create_log(target(partition), "topic").expect("room"))
        .collect();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let appenders: Vec<_> = (0..4)
            .map(|partition| {
                let (directory, log) = (&directory, &logs[partition as usize]);
                scope.spawn(move || {
                    for sequence in 0..BATCHES {
                        append(directory, log, partition, sequence);
                        if partition == 0 && sequence % 100 == 99 {
                            log.advance_start(Offset(i64::from(sequence) - 20)).expect("room");
                        }
                        if partition == 1 && sequence % 50 == 49 {
                            log.truncate(Offset(i64::from(sequence) - 10)).expect("no fault");
                            for again in sequence - 10..=sequence {
                                append(directory, log, partition, again);
                            }
                        }
                    }
                })
            })
            .collect();
        let (directory, log, done) = (&directory, &logs[2], &done);
        scope.spawn(move || {
            while !done.load(Ordering::SeqCst) {
                directory.checkpoint().expect("no fault");
            }
        });
        scope.spawn(move || {
            while !done.load(Ordering::SeqCst) {
                check_prefix(log, 2);
            }
        });
        let _ends = Ends(done);
        appenders
            .into_iter()
            .for_each(|appender| appender.join().expect("no assertion failed"));
    });
    directory.sync_now().expect("no fault");
    let crashed = disk.crash(&Random::seeded(seed + 1));
    directory.close().expect("no fault");
    for disk in [crashed, disk] {
        let again = open(&disk, 3);
        assert_eq!(again.report.damage, Vec::<String>::new());
        for partition in 1..4 {
            assert_eq!(check_prefix(&again.log(partition), partition), i64::from(BATCHES));
        }
        assert_eq!(values(&again.log(0)).expect("sound").len(), 21);
    }
    assert!(!directory.is_fenced());
}

#[test]
fn a_disk_that_was_full_is_written_to_again_whoever_found_it_full() {
    watched(0, || {
        let disk = SimDisk::new();
        let directory = on_threads(&disk, 1, options());
        let log = directory.create_log(target(0), "topic").expect("room");
        let used: usize = disk.files().iter().map(|(_, length)| *length).sum();
        disk.set_capacity(Some(used as u64 + (700 << 10)));
        let mut sequence = 0;
        let mut is_full = false;
        while !is_full {
            match try_append(&log, 0, sequence) {
                Ok(()) => sequence += 1,
                // This thread, and not the writer's, finds that there is no room.
                Err(AppendError::Busy) => directory.make_room(),
                Err(error) => {
                    assert_eq!(error, AppendError::Full);
                    is_full = true;
                }
            }
            directory.kick();
        }
        std::thread::sleep(Duration::from_millis(50));
        disk.set_capacity(None);
        while try_append(&log, 0, sequence).is_err() {
            std::thread::sleep(Duration::from_millis(10));
        }
        directory.sync_now().expect("no fault");
        assert_eq!(check_prefix(&log, 0), i64::from(sequence) + 1);
        directory.close().expect("no fault");
    });
}
