//! Compaction: of each key exactly the last record, in order, at its offset, whatever happens meanwhile.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use os::Random;
use os::disk::{Fault, SimDisk};
use record::{BatchBuilder, BatchHeader, BatchOptions, Codec, HEADER_BYTES, decompress};
use storage::{Append, AppendError, CompactionSettings, Log, Read, ReadOutcome, SegmentLimits};
use types::{LeaderEpoch, Offset, ProducerEpoch, ProducerId};

use crate::crash::cases;
use crate::harness::{World, open, target, try_open};

/// What was appended: key, value, time.
type Given = (Vec<u8>, Option<Vec<u8>>, i64);

/// A record as a reader finds it.
#[derive(Debug, Clone, PartialEq)]
struct Found {
    offset: i64,
    key: Vec<u8>,
    value: Option<Vec<u8>>,
    timestamp: i64,
}

const CODECS: [Codec; 5] = [Codec::None, Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd];

fn settings(now_ms: i64) -> CompactionSettings {
    CompactionSettings {
        delete_retention_ms: 1000,
        lag_min_ms: 0,
        lag_max_ms: i64::MAX,
        dirty_ratio_min: 0.01,
        segment_bytes: 8 << 10,
        buffer_bytes: 64 << 10,
        load_factor: 0.9,
        stable: Offset(i64::MAX),
        now_ms,
    }
}

fn read_all(log: &Arc<Log>) -> Vec<Found> {
    let mut out = Vec::new();
    let (mut from, end) = (log.log_start(), log.written_end());
    while from < end {
        let read = Read {
            from,
            limit: end,
            bytes_max: 3000,
            at_least_one: true,
        };
        let slices = match log.read(&read).expect("in range") {
            ReadOutcome::Ready(slices) => slices,
            ReadOutcome::Cold(cold) => cold.run().expect("sound"),
        };
        let whole = Bytes::from(slices.segments.concat());
        let mut next = slices.next_offset;
        for batch in record::batches(&whole) {
            let (header, batch) = batch.expect("whole");
            record::check_crc(&header, batch).expect("sound");
            let payload = whole.slice_ref(batch).slice(HEADER_BYTES..);
            let plain = match header.codec().expect("known") {
                Codec::None => payload,
                codec => decompress(codec, &payload, 1 << 20).expect("sound"),
            };
            for record in record::walk(&header, &plain) {
                let record = record.expect("sound");
                out.push(Found {
                    offset: header.base_offset.0 + i64::from(record.offset_delta),
                    key: record.key.unwrap_or_default().to_vec(),
                    value: record.value.map(<[u8]>::to_vec),
                    timestamp: record.timestamp,
                });
            }
            next = header.next_offset();
        }
        assert!(from < next || whole.is_empty(), "a read goes on");
        if whole.is_empty() {
            break;
        }
        from = next;
    }
    out
}

/// One log and everything that was ever appended to it, by offset.
struct History {
    random: Random,
    given: Vec<Given>,
    sequence: i32,
    now_ms: i64,
    /// When each tombstone was compacted for the first time, at the earliest.
    waits: BTreeMap<i64, i64>,
}

impl History {
    fn new(seed: u64) -> History {
        History {
            random: Random::seeded(seed),
            given: Vec::new(),
            sequence: 0,
            now_ms: 1_000_000,
            waits: BTreeMap::new(),
        }
    }

    fn below(&self, most: u64) -> u64 {
        self.random.u64() % most
    }

    /// A batch of a few records over few keys.
    fn append(&mut self, world: &World) {
        let producer = self.below(2) == 0;
        let mut builder = BatchBuilder::new(BatchOptions {
            codec: CODECS[self.below(5) as usize],
            producer_id: if producer { ProducerId(5) } else { ProducerId::NONE },
            producer_epoch: if producer {
                ProducerEpoch(0)
            } else {
                ProducerEpoch::NONE
            },
            base_sequence: if producer { self.sequence } else { -1 },
            ..BatchOptions::default()
        });
        let count = 1 + self.below(6);
        let mut records: Vec<Given> = Vec::new();
        for _ in 0..count {
            let key = format!("key-{}", self.below(12)).into_bytes();
            let value = (self.below(5) != 0).then(|| {
                let offset = self.given.len() + records.len();
                format!("{offset}/{}", "v".repeat(self.below(300) as usize)).into_bytes()
            });
            self.now_ms += self.below(20) as i64;
            builder.push(self.now_ms, Some(&key), value.as_deref());
            records.push((key, value, self.now_ms));
        }
        let batch = builder.build().expect("memory suffices");
        let header = BatchHeader::parse(&batch).expect("ours");
        let append = Append {
            batch: &batch,
            header: &header,
            leader_epoch: LeaderEpoch(3),
            marker: None,
        };
        let log = world.log(0);
        let appended = match log.append(&append) {
            Err(AppendError::Busy) => {
                world.directory.make_room();
                log.append(&append)
            }
            other => other,
        };
        let appended = appended.expect("room");
        assert_eq!(appended.base_offset.0, self.given.len() as i64);
        if producer {
            self.sequence += count as i32;
        }
        self.given.extend(records);
        world.directory.kick();
    }

    fn compact(&mut self, world: &World) -> bool {
        self.now_ms += self.below(2000) as i64;
        let done = world.directory.compact(&world.log(0), &settings(self.now_ms));
        done.is_ok()
    }

    /// Every record that a reader finds was appended there; below where the log was compacted to each key is there once,
    /// with its last record, unless that is a tombstone whose time has come.
    fn check(&mut self, log: &Arc<Log>, note: &str) {
        let found = read_all(log);
        let cleaned_to = log.cleaned_to().0;
        for pair in found.windows(2) {
            assert!(pair[0].offset < pair[1].offset, "{note}");
        }
        for record in &found {
            let (key, value, timestamp) = &self.given[record.offset as usize];
            let same = (key, value, *timestamp) == (&record.key, &record.value, record.timestamp);
            assert!(same, "{note}: offset {}", record.offset);
        }
        let mut last: BTreeMap<&[u8], usize> = BTreeMap::new();
        for (offset, (key, ..)) in self.given.iter().enumerate().take(cleaned_to as usize) {
            last.insert(key, offset);
        }
        let there: BTreeMap<i64, &Found> = found.iter().map(|record| (record.offset, record)).collect();
        for (offset, (key, value, _)) in self.given.iter().enumerate() {
            let is_there = there.contains_key(&(offset as i64));
            if cleaned_to as usize <= offset {
                assert!(is_there, "{note}: {offset} is not compacted yet");
            } else if last.get(key.as_slice()) != Some(&offset) {
                assert!(!is_there, "{note}: {offset} has a later record");
            } else if value.is_some() {
                assert!(is_there, "{note}: {offset} is the last of its key");
            } else if !is_there {
                // A tombstone goes a second after a compaction saw it first, not before.
                let since = self.waits.get(&(offset as i64)).copied();
                assert!(
                    since.is_some_and(|since| since + 1000 <= self.now_ms),
                    "{note}: {offset} went too early"
                );
            } else {
                self.waits.entry(offset as i64).or_insert(self.now_ms);
            }
        }
    }
}

fn limit(world: &World) {
    world.log(0).limit_segments(SegmentLimits {
        bytes: 4000,
        ms: i64::MAX,
        ..SegmentLimits::default()
    });
}

/// A log lives: appends, compactions, cleanings, checkpoints, power losses in the middle of any of them.
fn live(seed: u64, steps: u64) -> usize {
    let mut history = History::new(seed);
    let mut world = open(&SimDisk::new(), seed);
    limit(&world);
    let mut compactions = 0;
    for step in 0..steps {
        let note = format!("seed {seed}, step {step}");
        match history.below(30) {
            0..20 => history.append(&world),
            20..23 => {
                world.directory.sync_now().expect("no fault");
                history.compact(&world);
                compactions += 1;
                history.check(&world.log(0), &note);
            }
            23 => drop(world.directory.clean().expect("no fault")),
            24 => world.directory.checkpoint().expect("no fault"),
            25 => {
                world = open(&world.disk.copy(), seed + step);
                limit(&world);
                history.check(&world.log(0), &note);
            }
            _ => {
                world.directory.sync_now().expect("no fault");
                let fault = history.below(25) + 1;
                let faults = [Fault::Write(fault), Fault::Sync(fault / 2 + 1)];
                world.disk.fail(faults[history.below(2) as usize]);
                history.compact(&world);
                world.disk.heal();
                let after = world.disk.crash(&Random::seeded(seed * 1000 + step));
                world = try_open(&after, seed + step).expect("it opens");
                assert_eq!(world.report.damage, Vec::<String>::new(), "{note}");
                limit(&world);
                let end = world.log(0).written_end().0;
                assert_eq!(
                    end,
                    history.given.len() as i64,
                    "{note}: what was synced is there"
                );
                history.check(&world.log(0), &note);
            }
        }
    }
    compactions
}

#[test]
fn compaction_keeps_the_last_record_of_each_key_over_random_histories_with_crashes() {
    let mut compactions = 0;
    for seed in 0..cases(25) {
        compactions += live(seed, 150);
    }
    assert!(0 < compactions);
}

#[test]
fn a_producers_last_batch_stays_without_records_so_that_its_sequence_is_known() {
    let world = open(&SimDisk::new(), 1);
    limit(&world);
    let mut history = History::new(3);
    for _ in 0..200 {
        history.append(&world);
    }
    world.directory.sync_now().expect("no fault");
    world
        .directory
        .compact(&world.log(0), &settings(history.now_ms))
        .expect("no fault")
        .expect("dirty");
    // A year later, with the same state: tombstones are gone, and what is empty may be read over.
    history.now_ms += 1_000_000;
    for _ in 0..60 {
        history.append(&world);
    }
    world
        .directory
        .compact(&world.log(0), &settings(history.now_ms))
        .expect("no fault")
        .expect("dirty");
    let log = world.log(0);
    let before = read_all(&log);
    let again = open(&world.disk.copy(), 2);
    assert!(read_all(&again.log(0)) == before);
    history.append(&again);
    // Few segments are left of many.
    assert!(again.log(0).segments().len() < 8, "{:?}", again.log(0).segments());
}

#[test]
fn a_compacted_log_without_its_checkpoints_is_the_same_log() {
    for seed in 0..cases(6) {
        let world = open(&SimDisk::new(), seed);
        limit(&world);
        let mut history = History::new(seed);
        for round in 0..6 {
            for _ in 0..60 {
                history.append(&world);
            }
            world.directory.sync_now().expect("no fault");
            history.compact(&world);
            if round % 2 == 1 {
                world.directory.clean().expect("no fault");
            }
        }
        let truth = read_all(&world.log(0));
        let disk = world.disk.copy();
        for (path, _) in disk.files() {
            if path.starts_with("/data/checkpoint") {
                os::Disk::Simulated(disk.clone())
                    .remove_file(&path)
                    .expect("there");
            }
        }
        let again = open(&disk, seed + 50);
        assert_eq!(again.report.damage, Vec::<String>::new(), "seed {seed}");
        let log = again.directory.log(target(0)).expect("it holds data");
        assert_eq!(log.written_end(), world.log(0).written_end(), "seed {seed}");
        assert!(
            read_all(&log) == truth,
            "seed {seed}: {} of {}",
            read_all(&log).len(),
            truth.len()
        );
    }
}

#[test]
fn a_small_memory_compacts_in_several_rounds() {
    let world = open(&SimDisk::new(), 5);
    limit(&world);
    let mut history = History::new(5);
    for _ in 0..300 {
        history.append(&world);
    }
    world.directory.sync_now().expect("no fault");
    // Room for a few keys only: a round ends where the next key has none.
    let small = CompactionSettings {
        buffer_bytes: 1,
        load_factor: 0.6,
        dirty_ratio_min: 0.0,
        ..settings(history.now_ms)
    };
    let mut rounds = 0;
    while world
        .directory
        .compact(&world.log(0), &small)
        .expect("no fault")
        .is_some()
    {
        rounds += 1;
        assert!(rounds < 2000, "every round gets on");
    }
    assert!(3 < rounds, "{rounds}");
    history.check(&world.log(0), "small");
}
