//! A simulated day of mixed retention: whatever is kept, and for however long, the room that it takes is bounded
//! (`log-format.md` 3.11) and nothing that is to be kept is lost.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use broker::life::retention::{Retained, retained};
use bytes::Bytes;
use config::TopicConfig;
use os::clock::SimClock;
use os::disk::SimDisk;
use os::{Clock, Disk, Os, Random};
use record::{BatchBuilder, BatchHeader, BatchOptions};
use storage::{
    Append, AppendError, CompactionSettings, Error, FlushPolicy, Identity, Log, LogDirectory, Moved,
    Observer, Options, Read, ReadOutcome, SegmentLimits,
};
use types::{BrokerId, LeaderEpoch, Offset, PartitionIndex, TopicIdPartition, Uuid};

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const CHUNK_BYTES_MAX: u64 = 2 << 20;
const RECORD_BYTES_MAX: usize = 1 << 20;

struct Deaf;

impl Observer for Deaf {
    fn advanced(&self, _: &[Moved]) {}

    fn fenced(&self, _: &[Arc<Log>], error: &Error) {
        panic!("fenced: {error}");
    }
}

/// What one topic is like.
#[derive(Clone, Copy)]
struct Kind {
    retention_ms: Option<i64>,
    retention_bytes: Option<u64>,
    compacted: bool,
    /// Of a record: from this to eight times this.
    bytes: usize,
    /// Records a minute, on average, times ten.
    rate_tenths: u64,
    keys: u64,
}

const fn kind(retention_ms: Option<i64>, bytes: usize, rate_tenths: u64) -> Kind {
    Kind {
        retention_ms,
        retention_bytes: None,
        compacted: false,
        bytes,
        rate_tenths,
        keys: 0,
    }
}

const fn compacted(bytes: usize, rate_tenths: u64, keys: u64) -> Kind {
    Kind {
        compacted: true,
        keys,
        ..kind(None, bytes, rate_tenths)
    }
}

const KINDS: [Kind; 12] = [
    kind(Some(5 * MINUTE_MS), 1000, 400),
    kind(Some(20 * MINUTE_MS), 100, 900),
    kind(Some(HOUR_MS), 10_000, 30),
    kind(Some(3 * HOUR_MS), 131_072, 3),
    kind(Some(6 * HOUR_MS), 3000, 20),
    kind(Some(12 * HOUR_MS), 100, 50),
    kind(None, 100, 60),
    kind(None, 20_000, 1),
    compacted(100, 300, 500),
    compacted(2000, 60, 40),
    Kind {
        retention_ms: Some(2 * HOUR_MS),
        ..compacted(500, 100, 200)
    },
    Kind {
        retention_bytes: Some(4 << 20),
        ..kind(None, 5000, 60)
    },
];

struct Day {
    clock: Arc<SimClock>,
    disk: SimDisk,
    directory: LogDirectory,
    logs: Vec<Arc<Log>>,
    settings: Vec<TopicConfig>,
    random: Random,
}

impl Day {
    fn begin(seed: u64) -> Day {
        let clock = Arc::new(SimClock::default());
        clock.set_wall_ms(1_700_000_000_000);
        let disk = SimDisk::new();
        let os = Os {
            disk: Disk::Simulated(disk.clone()),
            clock: Clock::Simulated(clock.clone()),
            random: Random::seeded(seed),
        };
        let options = Options {
            flush: FlushPolicy::Never,
            chunk_bytes_min: 256 << 10,
            chunk_bytes_max: CHUNK_BYTES_MAX,
            tail_cache_bytes: 1 << 20,
            threads: false,
            ..Options::default()
        };
        let identity = Identity {
            cluster_id: None,
            node_id: BrokerId(1),
        };
        let opened = LogDirectory::open(&os, Path::new("/data"), &identity, options, Arc::new(Deaf));
        let directory = opened.expect("an empty disk").0;
        let logs = (0..KINDS.len() as i32).map(|index| {
            let target = TopicIdPartition {
                topic_id: Uuid([7; 16]),
                partition: PartitionIndex(index),
            };
            directory.create_log(target, "t").expect("room")
        });
        let logs: Vec<Arc<Log>> = logs.collect();
        let settings: Vec<TopicConfig> = KINDS.iter().map(settings).collect();
        for (log, settings) in logs.iter().zip(&settings) {
            log.limit_segments(SegmentLimits {
                bytes: settings.segment_bytes,
                ms: settings.segment_ms,
                jitter_ms: 0,
                retention_ms: settings.retention_ms,
            });
        }
        Day {
            clock,
            disk,
            directory,
            logs,
            settings,
            random: Random::seeded(seed + 1),
        }
    }

    fn now_ms(&self) -> i64 {
        Clock::Simulated(self.clock.clone()).wall_ms()
    }

    fn below(&self, most: u64) -> u64 {
        self.random.u64() % most
    }

    fn minute(&self, minute: u64) {
        for (log, kind) in self.logs.iter().zip(&KINDS) {
            // Some hours are busier than others.
            let busy = 1 + (minute / 60 + kind.bytes as u64) % 3;
            let tenths = kind.rate_tenths * busy / 2;
            let count = tenths / 10 + u64::from(self.below(10) < tenths % 10);
            (0..count).for_each(|_| self.append(log, kind));
        }
        self.directory.kick();
        self.directory.sync_now().expect("no fault");
        self.clock.advance(Duration::from_secs(60));
    }

    fn append(&self, log: &Arc<Log>, kind: &Kind) {
        let mut builder = BatchBuilder::new(BatchOptions::default());
        let bytes = (kind.bytes + self.below(7 * kind.bytes as u64) as usize).min(RECORD_BYTES_MAX);
        let key = format!("key-{}", self.below(kind.keys.max(1)));
        let is_tombstone = kind.compacted && self.below(20) == 0;
        let value = vec![b'v'; bytes];
        builder.push(
            self.now_ms(),
            Some(key.as_bytes()),
            (!is_tombstone).then_some(&value[..]),
        );
        let batch = builder.build().expect("memory suffices");
        let header = BatchHeader::parse(&batch).expect("ours");
        let append = Append {
            batch: &batch,
            header: &header,
            leader_epoch: LeaderEpoch(0),
            marker: None,
        };
        loop {
            match log.append(&append) {
                Ok(_) => return,
                Err(AppendError::Busy) => self.directory.make_room(),
                Err(error) => panic!("{error}"),
            }
        }
    }

    /// What the broker's upkeep does, by the same decisions.
    fn upkeep(&self) {
        for (log, settings) in self.logs.iter().zip(&self.settings) {
            let found = retained(&log.segments(), log.written_end(), settings, self.now_ms());
            if let Some(Retained { start, rolls }) = found {
                if rolls {
                    log.roll().expect("room");
                }
                log.advance_start(start).expect("room");
            }
            if settings.compacted {
                let of = CompactionSettings {
                    delete_retention_ms: HOUR_MS,
                    lag_min_ms: 0,
                    lag_max_ms: i64::MAX,
                    dirty_ratio_min: settings.min_cleanable_dirty_ratio,
                    segment_bytes: settings.segment_bytes,
                    buffer_bytes: 1 << 20,
                    load_factor: 0.9,
                    stable: log.written_end(),
                    now_ms: self.now_ms(),
                };
                self.directory.compact(log, &of).expect("no fault");
            }
        }
        self.directory.kick();
        self.directory.clean().expect("no fault");
    }

    /// Bytes of all chunk files.
    fn allocated(&self) -> u64 {
        let files = self.disk.files().into_iter();
        let chunks = files.filter(|(path, _)| path.starts_with("/data/chunks"));
        chunks.map(|(_, length)| length as u64).sum()
    }

    /// Of the two chunks that a stream may have beside what lives in them: the one that is written and the next.
    fn check_space(&self, note: &str) {
        let (space, allocated) = (self.directory.space().expect("sound"), self.allocated());
        assert_eq!(space.allocated, allocated, "{note}");
        let bound = space.live * 13 / 10 + 2 * CHUNK_BYTES_MAX;
        assert!(
            allocated <= bound,
            "{note}: {allocated} bytes for {} that live",
            space.live
        );
    }

    /// What can be read is what counts as living, and as much as is to be kept.
    fn check_records(&self, note: &str) {
        let mut bytes = 0;
        for (log, (kind, settings)) in self.logs.iter().zip(KINDS.iter().zip(&self.settings)) {
            let (read, batches) = read_all(log);
            bytes += read;
            let end = log.written_end().0;
            if !kind.compacted {
                assert_eq!(batches, end - log.log_start().0, "{note}: no offset is missing");
            }
            if kind.retention_ms.is_none() && kind.retention_bytes.is_none() {
                assert_eq!(log.log_start(), Offset(0), "{note}");
            }
            if kind.compacted && kind.retention_ms.is_none() {
                // What is closed is there about once a key.
                let closed = settings.segment_bytes / (kind.bytes as u64 * 4) * 4;
                assert!(
                    batches <= 3 * kind.keys as i64 + closed as i64,
                    "{note}: {batches} records of {} keys",
                    kind.keys
                );
            }
        }
        let live = self.directory.space().expect("sound").live;
        assert_eq!(live, bytes, "{note}: what lives is what can be read");
    }
}

fn settings(kind: &Kind) -> TopicConfig {
    let loaded = config::Layers::default().check().expect("legal");
    let broker = config::BrokerConfig::new(&loaded).expect("legal");
    let nothing = Default::default();
    let dynamic = config::Dynamic {
        own: &nothing,
        cluster: &nothing,
    };
    TopicConfig {
        retention_ms: kind.retention_ms,
        retention_bytes: kind.retention_bytes,
        deletes: kind.retention_ms.is_some() || kind.retention_bytes.is_some(),
        compacted: kind.compacted,
        segment_bytes: 1 << 20,
        segment_ms: kind
            .retention_ms
            .map_or(6 * HOUR_MS, |keeps| (keeps / 6).max(MINUTE_MS)),
        ..TopicConfig::resolve(&nothing, dynamic, &broker)
    }
}

/// Bytes and batches of a log.
fn read_all(log: &Arc<Log>) -> (u64, i64) {
    let (mut bytes, mut batches) = (0, 0);
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
        let whole: Bytes = slices.segments.concat().into();
        bytes += whole.len() as u64;
        batches += record::batches(&whole).count() as i64;
        if slices.next_offset <= from {
            break;
        }
        from = slices.next_offset;
    }
    (bytes, batches)
}

fn live(seed: u64, minutes: u64) {
    let day = Day::begin(seed);
    for minute in 0..minutes {
        day.minute(minute);
        let note = format!("seed {seed}, minute {minute}");
        day.upkeep();
        day.check_space(&note);
        if minute % 120 == 119 {
            day.check_records(&note);
        }
    }
    day.check_records(&format!("seed {seed}, at the end"));
}

/// Four hours, or, if `OTTLA_CASES` says so, that many whole days.
#[test]
fn the_room_that_records_take_is_bounded_through_a_day_of_mixed_retention() {
    match std::env::var("OTTLA_CASES")
        .ok()
        .and_then(|text| text.parse::<u64>().ok())
    {
        Some(days) => (0..days).for_each(|seed| live(seed, 24 * 60)),
        None => live(1, 4 * 60),
    }
}
