//! How long a start takes: `reopen <new directory> [MiB] [partitions] [batch bytes] [MiB between checkpoints] [times]`.
//!
//! Writes so much, a group for each batch, and leaves without a clean stop; then opens it again and again and prints how
//! long that took, what was read, and the checkpoint that was there.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use os::Os;
use record::{BatchBuilder, BatchHeader, BatchOptions};
use storage::{
    Append, AppendError, Error, FlushPolicy, Identity, Log, LogDirectory, Moved, Observer, Options,
};
use types::{BrokerId, LeaderEpoch, PartitionIndex, TopicIdPartition, Uuid};

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
        let given = arguments.get(at).and_then(|text| text.parse().ok());
        given.unwrap_or(default)
    };
    let path = arguments.first().ok_or("a directory is needed")?;
    let (mib, partitions, bytes) = (number(1, 64), number(2, 100), number(3, 200));
    let options = Options {
        flush: FlushPolicy::Never,
        threads: false,
        checkpoint_every_bytes: number(4, 1 << 20) << 20,
        ..Options::default()
    };
    let open = || {
        let identity = Identity {
            cluster_id: None,
            node_id: BrokerId(1),
        };
        LogDirectory::open(
            &Os::real(),
            Path::new(path),
            &identity,
            options.clone(),
            Arc::new(Deaf),
        )
    };
    let (directory, _) = open()?;
    fill(&directory, mib << 20, partitions as i32, bytes as usize)?;
    drop(directory);
    for _ in 0..number(5, 3) {
        let (began, cpu) = (Instant::now(), os::limits::cpu_time());
        let (directory, report) = open()?;
        let (took, cpu) = (began.elapsed(), os::limits::cpu_time() - cpu);
        println!(
            "open after {:.0} ms ({:.0} ms of CPU): {report:?}",
            took.as_secs_f64() * 1e3,
            cpu.as_secs_f64() * 1e3
        );
        drop(directory);
    }
    Ok(())
}

fn fill(
    directory: &LogDirectory,
    bytes: u64,
    partitions: i32,
    batch_bytes: usize,
) -> Result<(), Box<dyn std::error::Error>> {
    let target = |partition| TopicIdPartition {
        topic_id: Uuid([1; 16]),
        partition: PartitionIndex(partition),
    };
    let logs: Result<Vec<Arc<Log>>, Error> = (0..partitions)
        .map(|partition| directory.create_log(target(partition), "t"))
        .collect();
    let logs = logs?;
    let mut builder = BatchBuilder::new(BatchOptions::default());
    builder.push(1_000_000, None, Some(&vec![7; batch_bytes.saturating_sub(70)]));
    let batch = builder.build()?;
    let header = BatchHeader::parse(&batch)?;
    let append = Append {
        batch: &batch,
        header: &header,
        leader_epoch: LeaderEpoch(0),
        marker: None,
    };
    let mut written = 0;
    for log in logs.iter().cycle() {
        if bytes <= written {
            break;
        }
        while let Err(error) = log.append(&append) {
            if error != AppendError::Busy {
                return Err(error.into());
            }
            directory.make_room();
        }
        // A group: its header, an entry, the batch.
        written += 128 + batch.len() as u64;
        directory.kick();
    }
    directory.sync_now()?;
    Ok(())
}
