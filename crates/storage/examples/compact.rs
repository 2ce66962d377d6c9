//! How fast compaction is: `compact <directory> [MiB] [value bytes] [keys] [codec 0..4] [records a batch]`.
//!
//! Writes a log of so many MiB over so many keys, compacts it, and prints the bytes read a second of CPU; with a codec
//! also how fast the codec is by itself, on the same batches.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use os::Os;
use record::{BatchBuilder, BatchHeader, BatchOptions, Codec, HEADER_BYTES, ReusedPacker, ReusedUnpacker};
use storage::{
    Append, AppendError, CompactionSettings, Error, FlushPolicy, Identity, Log, LogDirectory, Moved,
    Observer, Options, SegmentLimits,
};
use types::{BrokerId, LeaderEpoch, Offset, PartitionIndex, TopicIdPartition, Uuid};

struct Deaf;

impl Observer for Deaf {
    fn advanced(&self, _: &[Moved]) {}
    fn fenced(&self, _: &[Arc<Log>], error: &Error) {
        eprintln!("fenced: {error}");
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize, default: u64| {
        arguments
            .get(at)
            .and_then(|text| text.parse().ok())
            .unwrap_or(default)
    };
    let path = arguments.first().ok_or("a directory is needed")?;
    let (mib, value_bytes, keys) = (number(1, 512), number(2, 100), number(3, 100_000));
    let (codec, per_batch) = (number(4, 0), number(5, 100));
    let options = Options {
        flush: FlushPolicy::Never,
        threads: false,
        ..Options::default()
    };
    let identity = Identity {
        cluster_id: None,
        node_id: BrokerId(1),
    };
    let (directory, _) =
        LogDirectory::open(&Os::real(), Path::new(path), &identity, options, Arc::new(Deaf))?;
    let target = TopicIdPartition {
        topic_id: Uuid([1; 16]),
        partition: PartitionIndex(0),
    };
    let log = directory.create_log(target, "t")?;
    log.limit_segments(SegmentLimits {
        bytes: 64 << 20,
        ..SegmentLimits::default()
    });
    let some = fill(
        &directory,
        &log,
        mib << 20,
        value_bytes as usize,
        keys,
        codec as i16,
        per_batch,
    )?;
    directory.sync_now()?;
    let settings = CompactionSettings {
        delete_retention_ms: 0,
        lag_min_ms: 0,
        lag_max_ms: i64::MAX,
        dirty_ratio_min: 0.0,
        segment_bytes: 64 << 20,
        buffer_bytes: 128 << 20,
        load_factor: 0.9,
        stable: Offset(i64::MAX),
        now_ms: 2_000_000_000_000,
    };
    let (cpu, began) = (os::limits::cpu_time(), Instant::now());
    let done = directory.compact(&log, &settings)?.ok_or("nothing was dirty")?;
    let (cpu, wall) = (os::limits::cpu_time() - cpu, began.elapsed());
    let rate = |seconds: f64| done.bytes_read as f64 / 1e6 / seconds;
    println!(
        "{} MB read, {} MB left, {:.0} MB/s a core ({:.0} MB/s by the clock)",
        done.bytes_read / 1_000_000,
        done.bytes_left / 1_000_000,
        rate(cpu.as_secs_f64()),
        rate(wall.as_secs_f64()),
    );
    codec_alone(codec as i16, &some)?;
    directory.close()?;
    Ok(())
}

/// Batches that are kept for a look at the codec.
const SAMPLE: usize = 2000;

/// What the codec takes of each packed byte: opening is needed twice, packing for what is left of a batch.
fn codec_alone(codec: i16, batches: &[Bytes]) -> Result<(), Box<dyn std::error::Error>> {
    let codec = Codec::from_attributes(codec)?;
    if codec == Codec::None {
        return Ok(());
    }
    let bytes: usize = batches.iter().map(Bytes::len).sum();
    let (mut unpacker, mut packer, mut packing) = Default::default();
    let mut plain_bytes = 0;
    let began = os::limits::cpu_time();
    for batch in batches {
        let packed = batch.get(HEADER_BYTES..).unwrap_or_default();
        let plain = ReusedUnpacker::open(&mut unpacker, codec, packed, 64 << 20)?;
        plain_bytes += plain.len();
        let before = os::limits::cpu_time();
        ReusedPacker::pack(&mut packer, codec, plain)?;
        packing += os::limits::cpu_time() - before;
    }
    let opening = os::limits::cpu_time() - began - packing;
    println!(
        "the codec alone: opening {:.0} MB/s a core, packing {:.0} MB/s, of packed bytes, each {:.1} plain ones",
        bytes as f64 / 1e6 / opening.as_secs_f64(),
        bytes as f64 / 1e6 / std::time::Duration::as_secs_f64(&packing),
        plain_bytes as f64 / bytes as f64,
    );
    Ok(())
}

fn fill(
    directory: &LogDirectory,
    log: &Arc<Log>,
    bytes: u64,
    value_bytes: usize,
    keys: u64,
    codec: i16,
    per_batch: u64,
) -> Result<Vec<Bytes>, Box<dyn std::error::Error>> {
    let mut some = Vec::new();
    let mut seed = 1u64;
    let mut written = 0;
    while written < bytes {
        let mut builder = BatchBuilder::new(BatchOptions {
            codec: Codec::from_attributes(codec)?,
            ..BatchOptions::default()
        });
        for _ in 0..per_batch {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let key = format!("key-{:016}", (seed >> 33) % keys);
            let value: Vec<u8> = seed.to_le_bytes().into_iter().cycle().take(value_bytes).collect();
            builder.push(1_000_000, Some(key.as_bytes()), Some(&value));
        }
        let batch = builder.build()?;
        let header = BatchHeader::parse(&batch)?;
        let append = Append {
            batch: &batch,
            header: &header,
            leader_epoch: LeaderEpoch(0),
            marker: None,
        };
        while let Err(error) = log.append(&append) {
            if error != AppendError::Busy {
                return Err(error.into());
            }
            directory.make_room();
        }
        written += batch.len() as u64;
        directory.kick();
        if some.len() < SAMPLE {
            some.push(batch);
        }
    }
    Ok(some)
}
