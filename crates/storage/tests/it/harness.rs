//! A log directory on a simulated disk, driven step by step.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use os::disk::SimDisk;
use os::{Clock, Disk, Os, Random};
use parking_lot::Mutex;
use record::{BatchBuilder, BatchHeader, BatchOptions};
use storage::{
    Append, AppendError, Appended, Error, FlushPolicy, Identity, Log, LogDirectory, Moved, Observer, Options,
    Read, ReadError, ReadOutcome, RecoveryReport,
};
use types::{
    BrokerId, LeaderEpoch, Offset, PartitionIndex, ProducerEpoch, ProducerId, TopicIdPartition, Uuid,
};

pub const PATH: &str = "/data";

#[derive(Default)]
pub struct Heard {
    pub fenced: Mutex<Option<String>>,
}

impl Observer for Heard {
    fn advanced(&self, moved: &[Moved]) {
        for moved in moved {
            assert!(moved.synced <= moved.written, "synced never passes written");
        }
    }

    fn fenced(&self, _: &[Arc<Log>], error: &Error) {
        *self.fenced.lock() = Some(error.to_string());
    }
}

pub struct World {
    pub disk: SimDisk,
    pub directory: LogDirectory,
    pub report: RecoveryReport,
    pub heard: Arc<Heard>,
}

pub fn options() -> Options {
    Options {
        flush: FlushPolicy::Ack,
        chunk_bytes_min: 64 << 10,
        chunk_bytes_max: 256 << 10,
        tail_cache_bytes: 8 << 10,
        threads: false,
        ..Options::default()
    }
}

pub fn try_open(disk: &SimDisk, seed: u64) -> Result<World, Error> {
    let os = Os {
        disk: Disk::Simulated(disk.clone()),
        clock: Clock::real(),
        random: Random::seeded(seed),
    };
    let heard = Arc::new(Heard::default());
    let identity = Identity {
        cluster_id: None,
        node_id: BrokerId(1),
    };
    let (directory, report) = LogDirectory::open(&os, Path::new(PATH), &identity, options(), heard.clone())?;
    Ok(World {
        disk: disk.clone(),
        directory,
        report,
        heard,
    })
}

pub fn open(disk: &SimDisk, seed: u64) -> World {
    try_open(disk, seed).expect("a sound disk opens")
}

pub fn target(partition: i32) -> TopicIdPartition {
    TopicIdPartition {
        topic_id: Uuid([5; 16]),
        partition: PartitionIndex(partition),
    }
}

/// A batch of `count` records whose values name the log and the first sequence.
pub fn batch(partition: i32, sequence: i32, count: i32, padding: usize) -> Bytes {
    let mut builder = BatchBuilder::new(BatchOptions {
        producer_id: ProducerId(100 + i64::from(partition)),
        producer_epoch: ProducerEpoch(0),
        base_sequence: sequence,
        ..BatchOptions::default()
    });
    for index in 0..count {
        let value = format!("{partition}/{}/{}", sequence + index, "x".repeat(padding));
        builder.push(
            i64::from(1000 + sequence + index),
            Some(b"k"),
            Some(value.as_bytes()),
        );
    }
    builder.build().expect("memory suffices")
}

impl World {
    pub fn log(&self, partition: i32) -> Arc<Log> {
        self.directory
            .create_log(target(partition), "topic")
            .expect("room")
    }

    pub fn append(
        &self,
        partition: i32,
        sequence: i32,
        count: i32,
        padding: usize,
    ) -> Result<Appended, AppendError> {
        let batch = batch(partition, sequence, count, padding);
        let header = BatchHeader::parse(&batch).expect("ours");
        let log = self.log(partition);
        let append = Append {
            batch: &batch,
            header: &header,
            leader_epoch: LeaderEpoch(3),
            marker: None,
        };
        match log.append(&append) {
            Err(AppendError::Busy) => {
                self.directory.make_room();
                log.append(&append)
            }
            other => other,
        }
    }

    /// Appends, writes and syncs; what this gives is acknowledged.
    pub fn commit(&self, partition: i32, sequence: i32, count: i32) -> Offset {
        let appended = self.append(partition, sequence, count, 20).expect("room");
        self.directory.kick();
        self.directory.sync_now().expect("no fault");
        assert!(appended.last_offset < self.log(partition).synced_end());
        appended.base_offset
    }
}

/// All values of a log, in order, as (offset, text).
pub fn values(log: &Arc<Log>) -> Result<Vec<(i64, String)>, ReadError> {
    let mut out = Vec::new();
    let mut from = log.log_start();
    let end = log.written_end();
    while from < end {
        let read = Read {
            from,
            limit: end,
            bytes_max: 4096,
            at_least_one: true,
        };
        let slices = match log.read(&read)? {
            ReadOutcome::Ready(slices) => slices,
            ReadOutcome::Cold(cold) => cold.run()?,
        };
        assert!(0 < slices.bytes, "a read below the end gives something");
        let whole: Vec<u8> = slices
            .segments
            .iter()
            .flat_map(|segment| segment.iter().copied())
            .collect();
        for batch in record::batches(&whole) {
            let (header, bytes) = batch?;
            assert_eq!(header.leader_epoch, LeaderEpoch(3));
            record::check_crc(&header, bytes)?;
            for record in record::walk(&header, &bytes[record::HEADER_BYTES..]) {
                let record = record?;
                let text = String::from_utf8_lossy(record.value.unwrap_or_default()).into_owned();
                out.push((header.base_offset.0 + i64::from(record.offset_delta), text));
            }
        }
        from = slices.next_offset;
    }
    Ok(out)
}

/// Asserts that a log holds exactly the sequences 0, 1, 2, ... and says how many.
pub fn check_prefix(log: &Arc<Log>, partition: i32) -> i64 {
    let values = values(log).expect("a sound log reads");
    for (at, (offset, text)) in values.iter().enumerate() {
        assert_eq!(*offset, at as i64);
        assert!(text.starts_with(&format!("{partition}/{at}/")), "{text} at {at}");
    }
    values.len() as i64
}
