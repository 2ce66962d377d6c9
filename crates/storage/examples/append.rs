//! How fast appends are, and what they cost.
//!
//! `append <directory> <never|ack> <partitions> <writers> <appends> [batch bytes] [batches a kick]`: each writer appends
//! and kicks, as a connection's thread does, and under `ack` waits until its batches are durable.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use os::Os;
use parking_lot::{Condvar, Mutex};
use record::{BatchBuilder, BatchHeader, BatchOptions};
use storage::{
    Append, AppendError, Error, FlushPolicy, Identity, Log, LogDirectory, Moved, Observer, Options,
};
use types::{BrokerId, LeaderEpoch, Offset, PartitionIndex, TopicIdPartition, Uuid};

#[derive(Default)]
struct Progress {
    moved: Mutex<u64>,
    wake: Condvar,
}

impl Observer for Progress {
    fn advanced(&self, _: &[Moved]) {
        *self.moved.lock() += 1;
        self.wake.notify_all();
    }

    fn fenced(&self, _: &[Arc<Log>], error: &Error) {
        eprintln!("fenced: {error}");
    }
}

impl Progress {
    fn wait(&self, log: &Log, end: Offset) {
        let mut moved = self.moved.lock();
        while log.synced_end() < end {
            self.wake.wait(&mut moved);
        }
    }
}

struct Job {
    directory: LogDirectory,
    progress: Arc<Progress>,
    logs: Vec<Arc<Log>>,
    batch: Bytes,
    appends: usize,
    per_kick: usize,
    ack: bool,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize, default: usize| {
        arguments
            .get(at)
            .and_then(|text| text.parse().ok())
            .unwrap_or(default)
    };
    let path = arguments
        .first()
        .ok_or("append <directory> <never|ack> <partitions> <writers> <appends>")?;
    let ack = arguments.get(1).is_some_and(|flush| flush == "ack");
    let (partitions, writers, appends) = (number(2, 1), number(3, 1), number(4, 100_000));
    let flush = if ack { FlushPolicy::Ack } else { FlushPolicy::Never };
    let progress = Arc::new(Progress::default());
    let identity = Identity {
        cluster_id: None,
        node_id: BrokerId(1),
    };
    let options = Options {
        flush,
        ..Options::default()
    };
    let opening = Instant::now();
    let (directory, report) =
        LogDirectory::open(&Os::real(), Path::new(path), &identity, options, progress.clone())?;
    println!("opened in {:?}: {report:?}", opening.elapsed());
    let target = |partition| TopicIdPartition {
        topic_id: Uuid([1; 16]),
        partition: PartitionIndex(partition),
    };
    let logs = (0..partitions as i32).map(|partition| directory.create_log(target(partition), "bench"));
    let logs = logs.collect::<Result<Vec<_>, _>>()?;
    directory.kick();
    let mut batch = BatchBuilder::new(BatchOptions::default());
    batch.push(1, None, Some(&vec![7; number(5, 1024)]));
    let batch = batch.build()?;
    let job = Arc::new(Job {
        directory,
        progress,
        logs,
        batch,
        appends,
        per_kick: number(6, 1),
        ack,
    });
    measure(&job, writers)?;
    let closing = Instant::now();
    job.directory.close()?;
    println!("closed in {:?}", closing.elapsed());
    Ok(())
}

fn measure(job: &Arc<Job>, writers: usize) -> Result<(), Box<dyn std::error::Error>> {
    let (start, cpu) = (Instant::now(), os::limits::cpu_time());
    let threads = (0..writers).map(|writer| {
        let job = job.clone();
        os::thread::spawn_named("writer", move || write(&job, writer, writers))
    });
    let threads = threads.collect::<Result<Vec<_>, _>>()?;
    let mut latencies: Vec<Duration> = threads
        .into_iter()
        .flat_map(|thread| thread.join().unwrap_or_default())
        .collect();
    let (took, cpu) = (start.elapsed(), os::limits::cpu_time() - cpu);
    latencies.sort();
    let rank = |share: f64| {
        latencies
            .get((latencies.len() as f64 * share) as usize)
            .copied()
            .unwrap_or_default()
    };
    let total = (job.appends / writers * writers) as f64;
    println!(
        "{:.0} appends/s, {:.1} MB/s, {:.2} CPU-us an append, kick p50 {:?} p99 {:?} p99.9 {:?}",
        total / took.as_secs_f64(),
        total * job.batch.len() as f64 / took.as_secs_f64() / 1e6,
        cpu.as_secs_f64() * 1e6 / total,
        rank(0.5),
        rank(0.99),
        rank(0.999)
    );
    Ok(())
}

fn write(job: &Job, writer: usize, writers: usize) -> Vec<Duration> {
    let header = BatchHeader::parse(&job.batch).expect("made above");
    let mut latencies = Vec::with_capacity(job.appends / writers / job.per_kick + 1);
    let mut begun = Instant::now();
    for at in 0..job.appends / writers {
        let log = &job.logs[(at * writers + writer) % job.logs.len()];
        let append = Append {
            batch: &job.batch,
            header: &header,
            leader_epoch: LeaderEpoch(0),
            marker: None,
        };
        let appended = loop {
            match log.append(&append) {
                Ok(appended) => break appended,
                Err(AppendError::Busy) => job.directory.make_room(),
                Err(error) => panic!("{error}"),
            }
        };
        if (at + 1) % job.per_kick == 0 {
            job.directory.kick();
            if job.ack {
                job.directory.request_sync();
                job.progress.wait(log, appended.last_offset.plus(1));
            }
            latencies.push(begun.elapsed());
            begun = Instant::now();
        }
    }
    latencies
}
