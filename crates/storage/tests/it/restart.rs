//! Invariants 8 and 10: whatever was appended, cut, checkpointed and lost, the state of a log is what its batches say.

use std::sync::Arc;

use bytes::Bytes;
use os::disk::SimDisk;
use os::{Disk, Random};
use record::{BatchBuilder, BatchHeader, BatchOptions, ControlType};
use storage::format::ChunkHeader;
use storage::state::{Marker, PartitionState};
use storage::{Append, AppendError, Appended, Log, Read, ReadOutcome};
use types::{LeaderEpoch, Offset, ProducerEpoch, ProducerId};

use crate::harness::{PATH, World, open};

const PRODUCERS: i64 = 4;

fn cases(short: u64) -> u64 {
    std::env::var("OTTLA_CASES")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(short)
}

/// Every batch of a log.
fn batches(log: &Arc<Log>) -> Vec<Bytes> {
    let mut out = Vec::new();
    let (mut from, limit) = (log.log_start(), log.written_end());
    while from < limit {
        let read = Read {
            from,
            limit,
            bytes_max: 1 << 20,
            at_least_one: true,
        };
        let slices = match log.read(&read).expect("in range") {
            ReadOutcome::Ready(slices) => slices,
            ReadOutcome::Cold(cold) => cold.run().expect("sound"),
        };
        let whole: Bytes = slices
            .segments
            .iter()
            .flat_map(|segment| segment.iter().copied())
            .collect();
        for batch in record::batches(&whole) {
            out.push(whole.slice_ref(batch.expect("whole").1));
        }
        assert!(from < slices.next_offset, "a read below the end gives something");
        from = slices.next_offset;
    }
    out
}

/// The state that these batches alone make.
fn folded(log: &Arc<Log>) -> PartitionState {
    let mut state = PartitionState::default();
    for batch in batches(log) {
        let header = BatchHeader::parse(&batch).expect("whole");
        state.apply_batch(&header, Marker::of_batch(&header, &batch).as_ref());
    }
    state.apply_high_watermark(log.written_end());
    state
}

/// What callers see of a log's state.
#[derive(Debug, PartialEq)]
struct Seen {
    ends: [Offset; 2],
    stable: Offset,
    aborted: Vec<(ProducerId, Offset)>,
    epochs: Vec<(LeaderEpoch, Offset)>,
    /// Of each producer: where its last batch lies, which must be known as a duplicate.
    last: Vec<Option<Offset>>,
}

fn see(log: &Arc<Log>) -> Seen {
    let end = log.written_end();
    let expected = folded(log);
    let last = (0..PRODUCERS).map(|producer| {
        let known = *expected.producers.get(ProducerId(producer))?.batches.back()?;
        let count = (known.last_offset.0 - known.base_offset.0) as i32 + 1;
        let epoch = expected.producers.get(ProducerId(producer))?.epoch;
        let batch = data(producer, epoch, known.first_sequence, count, true, 0);
        let appended = append(log, &batch, 9).expect("a duplicate is accepted");
        assert!(
            appended.duplicate,
            "producer {producer}: {appended:?} is no duplicate of {known:?}"
        );
        Some(appended.base_offset)
    });
    let last = last.collect();
    let seen = Seen {
        ends: [log.log_start(), end],
        stable: log.last_stable_offset(end),
        aborted: log.aborted_transactions(Offset(0), end),
        epochs: (0..12)
            .map(|epoch| log.end_offset_for_epoch(LeaderEpoch(epoch)))
            .collect(),
        last,
    };
    // The log's own state, and that of its batches.
    assert_eq!(seen.stable, expected.last_stable_offset(end));
    assert_eq!(seen.aborted, expected.aborted_between(Offset(0), end));
    seen
}

fn data(
    producer: i64,
    epoch: ProducerEpoch,
    sequence: i32,
    count: i32,
    transactional: bool,
    padding: usize,
) -> Bytes {
    let mut builder = BatchBuilder::new(BatchOptions {
        producer_id: ProducerId(producer),
        producer_epoch: epoch,
        base_sequence: sequence,
        is_transactional: transactional,
        ..BatchOptions::default()
    });
    (0..count).for_each(|_| builder.push(1000, None, Some(&vec![7; padding])));
    builder.build().expect("memory suffices")
}

fn marker(producer: i64, epoch: ProducerEpoch, aborts: bool) -> Bytes {
    let mut builder = BatchBuilder::new(BatchOptions {
        producer_id: ProducerId(producer),
        producer_epoch: epoch,
        is_transactional: true,
        is_control: true,
        ..BatchOptions::default()
    });
    let kind = if aborts {
        ControlType::Abort
    } else {
        ControlType::Commit
    };
    builder.push(1000, Some(&kind.key()), Some(&[0, 0, 0, 0, 0, 5]));
    builder.build().expect("memory suffices")
}

fn append(log: &Arc<Log>, batch: &Bytes, leader_epoch: i32) -> Result<Appended, AppendError> {
    let header = BatchHeader::parse(batch).expect("whole");
    let marker = Marker::of_batch(&header, batch);
    log.append(&Append {
        batch,
        header: &header,
        leader_epoch: LeaderEpoch(leader_epoch),
        marker,
    })
}

/// A log and what drives it.
struct Run {
    world: World,
    random: Random,
    leader_epoch: i32,
    seed: u64,
}

impl Run {
    fn log(&self) -> Arc<Log> {
        self.world.log(0)
    }

    fn below(&self, bound: u64) -> u64 {
        self.random.u64() % bound
    }

    fn append(&self, batch: &Bytes) -> Result<Appended, AppendError> {
        match append(&self.log(), batch, self.leader_epoch) {
            Err(AppendError::Busy) => {
                self.world.directory.make_room();
                append(&self.log(), batch, self.leader_epoch)
            }
            other => other,
        }
    }

    fn step(&mut self) {
        let producer = self.below(PRODUCERS as u64) as i64;
        match self.below(40) {
            0..24 => self.produce(producer),
            24..30 => self.end_transaction(producer),
            30 => {
                self.leader_epoch = (self.leader_epoch + 1).min(9);
                self.log()
                    .set_leader_epoch(LeaderEpoch(self.leader_epoch))
                    .expect("room");
            }
            31 => {
                let end = self.below(self.log().assigned_end().0 as u64 + 1);
                self.log().truncate(Offset(end as i64)).expect("no fault");
            }
            32 => self.world.directory.checkpoint().expect("no fault"),
            33 => self.world.directory.sync_now().expect("no fault"),
            _ => self.world.directory.kick(),
        }
    }

    fn produce(&self, producer: i64) {
        self.world.directory.kick();
        let state = folded(&self.log());
        let known = state.producers.get(ProducerId(producer));
        let epoch = known.map_or(ProducerEpoch(0), |known| known.epoch);
        let last = known
            .and_then(|known| known.batches.back())
            .map_or(-1, |last| last.last_sequence);
        let (count, padding) = (1 + self.below(4) as i32, self.below(1500) as usize);
        let batch = data(producer, epoch, last + 1, count, producer % 2 == 0, padding);
        let appended = self.append(&batch).expect("in order, and there is room");
        assert!(!appended.duplicate, "seed {}", self.seed);
    }

    fn end_transaction(&self, producer: i64) {
        self.world.directory.kick();
        let state = folded(&self.log());
        let Some(known) = state
            .producers
            .get(ProducerId(producer))
            .filter(|known| known.open_since.is_some())
        else {
            return;
        };
        let bump = self.below(2) as i16;
        let batch = marker(producer, ProducerEpoch(known.epoch.0 + bump), self.below(2) == 0);
        self.append(&batch)
            .expect("a marker of the current epoch or the next");
    }

    /// Opens what is on the disk now, with and without checkpoints, and compares.
    fn restart(&mut self) {
        self.world.directory.kick();
        let before = see(&self.log());
        let disk = self.world.disk.copy();
        let bare = disk.copy();
        for (path, _) in bare
            .files()
            .into_iter()
            .filter(|(path, _)| path.starts_with(format!("{PATH}/checkpoint")))
        {
            Disk::Simulated(bare.clone()).remove_file(&path).expect("there");
        }
        let seed = self.seed;
        let mut images = vec![("with its checkpoint", disk)];
        if holds_every_chunk(&bare) {
            images.insert(0, ("without a checkpoint", bare));
        }
        for (name, disk) in images {
            let again = open(&disk, seed + 1000);
            assert_eq!(again.report.damage, Vec::<String>::new(), "seed {seed} {name}");
            assert_eq!(see(&again.log(0)), before, "seed {seed} {name}");
            self.world = again;
        }
    }
}

/// Once a chunk was recycled, only a checkpoint knows that nothing is missing.
pub fn holds_every_chunk(disk: &SimDisk) -> bool {
    let os = Disk::Simulated(disk.clone());
    let paths = disk
        .files()
        .into_iter()
        .map(|(path, _)| path)
        .filter(|path| path.starts_with(format!("{PATH}/chunks")));
    let header = |path: std::path::PathBuf| {
        ChunkHeader::decode(&os.read(&path).expect("readable"))
            .expect("ours")
            .expect("a header")
    };
    let mut before = 0;
    paths
        .map(header)
        .all(|header| std::mem::replace(&mut before, header.chunk_id) == header.prev_chunk_id)
}

#[test]
fn a_restart_changes_nothing_that_anybody_sees_of_a_log() {
    for seed in 0..cases(12) {
        let world = open(&SimDisk::new(), seed);
        let mut run = Run {
            world,
            random: Random::seeded(seed),
            leader_epoch: 1,
            seed,
        };
        for _ in 0..4 {
            for _ in 0..run.below(60) {
                run.step();
            }
            run.restart();
        }
    }
}

#[test]
fn a_truncation_opens_the_transaction_again_whose_marker_it_cuts() {
    let world = open(&SimDisk::new(), 1);
    let log = world.log(0);
    append(&log, &data(0, ProducerEpoch(0), 0, 2, true, 10), 1).expect("room");
    append(&log, &marker(0, ProducerEpoch(0), true), 1).expect("room");
    world.directory.kick();
    assert_eq!(
        log.last_stable_offset(Offset(2)),
        Offset(0),
        "the marker is not replicated"
    );
    assert_eq!(log.last_stable_offset(Offset(3)), Offset(3));
    assert_eq!(
        log.aborted_transactions(Offset(0), Offset(3)),
        [(ProducerId(0), Offset(0))]
    );
    log.truncate(Offset(2)).expect("no fault");
    world.directory.kick();
    for log in [log, open(&world.disk.copy(), 2).log(0)] {
        assert_eq!(log.last_stable_offset(Offset(2)), Offset(0));
        assert_eq!(log.aborted_transactions(Offset(0), Offset(3)), []);
    }
}
