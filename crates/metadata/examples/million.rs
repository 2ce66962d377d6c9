//! What an image of many partitions weighs, and how long it takes to load from a snapshot: `million [topics] [each]`.

use std::time::{Duration, Instant};

use metadata::quorum::{read_snapshot, write_snapshot};
use metadata::{Delta, MetadataImage};
use protocol::record_schemas::metadata::partition_record::PartitionRecord;
use protocol::record_schemas::metadata::topic_record::TopicRecord;
use types::{LeaderEpoch, Offset, Uuid};

fn resident_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    kib.unwrap_or(0.0) / 1024.0
}

/// What this thread has spent, which on a shared machine says more than the time that has passed.
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = stat.split_whitespace().next().and_then(|text| text.parse().ok());
    Duration::from_nanos(nanoseconds.unwrap_or(0))
}

fn main() {
    let argument = |at: usize, other: u32| {
        std::env::args()
            .nth(at)
            .and_then(|text| text.parse().ok())
            .unwrap_or(other)
    };
    let (topics, each) = (argument(1, 10_000), argument(2, 100));
    let (mut image, mut delta, mut offset) = (MetadataImage::default(), Delta::default(), 0);
    let empty = resident_mib();
    let mut apply = |record: &protocol::MetadataRecord| {
        image.apply(Offset(offset), record, &mut delta);
        offset += 1;
    };
    for topic in 0..topics {
        let mut id = [7; 16];
        id[..4].copy_from_slice(&topic.wrapping_mul(0x9E37_79B1).to_be_bytes());
        let record = TopicRecord {
            name: format!("topic-{topic}").as_str().into(),
            topic_id: Uuid(id),
            ..Default::default()
        };
        apply(&record.into());
        for partition in 0..each {
            let record = PartitionRecord {
                partition_id: partition as i32,
                topic_id: Uuid(id),
                replicas: vec![1, 2, 3],
                isr: vec![1, 2, 3],
                leader: 1,
                directories: vec![Uuid([1; 16]), Uuid([2; 16]), Uuid([3; 16])],
                ..Default::default()
            };
            apply(&record.into());
        }
    }
    let weight = resident_mib() - empty;
    let snapshot = write_snapshot(&image, &[], LeaderEpoch(1), 0).unwrap_or_default();
    drop((image, delta));
    let (begun, before) = (Instant::now(), cpu());
    let image = read_snapshot(&snapshot, Offset(1));
    let (took, spent) = (begun.elapsed(), cpu() - before);
    let begun = Instant::now();
    let copies = (0..1000).map(|_| image.clone()).collect::<Vec<_>>();
    let clone = begun.elapsed() / 1000;
    println!(
        "{} partitions: snapshot {} MiB, load {took:.2?} ({spent:.2?} of CPU), image {:.0} MiB, clone {clone:?} ({} kept)",
        topics * each,
        snapshot.len() >> 20,
        weight,
        copies.len(),
    );
}
