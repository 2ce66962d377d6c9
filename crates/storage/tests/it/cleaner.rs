//! What compaction leaves is what Apache Kafka 4.3.1's own `Cleaner` leaves, batch by batch: from a trace that
//! `tests/oracle/CleanerOracle.java` wrote. A longer one is named by `OTTLA_CLEANER_TRACE`.

use std::sync::Arc;

use bytes::Bytes;
use os::disk::SimDisk;
use record::{BatchHeader, Codec, HEADER_BYTES, decompress};
use storage::state::Marker;
use storage::{Append, AppendError, CompactionSettings, Log, Read, ReadOutcome};
use types::{LeaderEpoch, Offset};

use crate::harness::{World, open};

const TRACE: &str = include_str!("../golden/cleaner.tsv");
const DELETE_RETENTION_MS: i64 = 5000;

/// A batch, apart from how it is packed.
#[derive(Debug, PartialEq)]
struct Seen {
    offsets: (i64, i64),
    leader_epoch: LeaderEpoch,
    attributes: i16,
    timestamps: (i64, i64),
    producer: (i64, i16, i32),
    records: Vec<SeenRecord>,
}

/// Offset delta, timestamp, key, value.
type SeenRecord = (i32, i64, Option<Vec<u8>>, Option<Vec<u8>>);

fn see(batch: &Bytes) -> Seen {
    let header = BatchHeader::parse(batch).expect("whole");
    record::check_crc(&header, batch).expect("sound");
    let payload = batch.slice(HEADER_BYTES..);
    let plain = match header.codec().expect("known") {
        Codec::None => payload,
        codec => decompress(codec, &payload, 1 << 20).expect("sound"),
    };
    let records = record::walk(&header, &plain).map(|record| {
        let record = record.expect("sound");
        let owned = |bytes: Option<&[u8]>| bytes.map(<[u8]>::to_vec);
        (
            record.offset_delta,
            record.timestamp,
            owned(record.key),
            owned(record.value),
        )
    });
    Seen {
        offsets: (header.base_offset.0, header.last_offset().0),
        leader_epoch: header.leader_epoch,
        attributes: header.attributes,
        timestamps: (header.base_timestamp, header.max_timestamp),
        producer: (
            header.producer_id.0,
            header.producer_epoch.0,
            header.base_sequence,
        ),
        records: records.collect(),
    }
}

fn all(log: &Arc<Log>) -> Vec<Seen> {
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
        let whole = Bytes::from(slices.segments.concat());
        for batch in record::batches(&whole) {
            out.push(see(&whole.slice_ref(batch.expect("whole").1)));
        }
        if slices.next_offset <= from {
            break;
        }
        from = slices.next_offset;
    }
    out
}

fn append(world: &World, batch: &Bytes, begins_segment: bool) {
    let log = world.log(0);
    if begins_segment {
        log.roll().expect("room");
    }
    let header = BatchHeader::parse(batch).expect("whole");
    let append = Append {
        batch,
        header: &header,
        leader_epoch: header.leader_epoch,
        marker: Marker::of_batch(&header, batch),
    };
    if log.append_replica(&append) == Err(AppendError::Busy) {
        world.directory.make_room();
        log.append_replica(&append).expect("room");
    }
    world.directory.kick();
}

fn clean(world: &World, now_ms: i64, until: i64) -> i64 {
    let log = world.log(0);
    let settings = CompactionSettings {
        delete_retention_ms: DELETE_RETENTION_MS,
        lag_min_ms: 0,
        lag_max_ms: i64::MAX,
        dirty_ratio_min: -1.0,
        segment_bytes: 1 << 20,
        buffer_bytes: 1 << 20,
        load_factor: 0.9,
        stable: log.last_stable_offset(log.written_end()),
        now_ms,
    };
    assert_eq!(
        log.cleanable(&settings).expect("Kafka found something").until,
        Offset(until)
    );
    let done = world
        .directory
        .compact(&log, &settings)
        .expect("no fault")
        .expect("dirty");
    done.cleaned_to.0
}

fn base64(text: &str) -> Bytes {
    let value = |byte: u8| match byte {
        b'A'..=b'Z' => u32::from(byte - b'A'),
        b'a'..=b'z' => u32::from(byte - b'a') + 26,
        b'0'..=b'9' => u32::from(byte - b'0') + 52,
        b'+' => 62,
        _ => 63,
    };
    let digits: Vec<u32> = text.bytes().filter(|byte| *byte != b'=').map(value).collect();
    let mut out = Vec::new();
    for four in digits.chunks(4) {
        let bits = four.iter().fold(0, |bits, digit| bits << 6 | digit) << (6 * (4 - four.len()));
        out.extend_from_slice(&bits.to_be_bytes()[1..four.len()]);
    }
    out.into()
}

#[test]
fn what_compaction_leaves_is_what_kafkas_cleaner_leaves() {
    let longer = std::env::var("OTTLA_CLEANER_TRACE").ok();
    let longer = longer.map(|path| std::fs::read_to_string(path).expect("a trace"));
    let mut rows = longer.as_deref().unwrap_or(TRACE).lines().peekable();
    let (mut case, mut rounds) = (0, 0);
    let mut world = None;
    while let Some(row) = rows.next() {
        let fields: Vec<&str> = row.split('\t').collect();
        match fields[..] {
            ["case", number] => {
                case = number.parse().expect("a number");
                world = Some(open(&SimDisk::new(), case));
            }
            ["batch", begins, bytes] => {
                append(world.as_ref().expect("begun"), &base64(bytes), begins == "1");
            }
            ["clean", now_ms, _, until, next] => {
                let number = |text: &str| text.parse::<i64>().expect("a number");
                let world = world.as_ref().expect("begun");
                // A segment had begun already, and is empty.
                if number(until) == world.log(0).written_end().0 {
                    world.log(0).roll().expect("room");
                }
                assert_eq!(
                    clean(world, number(now_ms), number(until)),
                    number(next),
                    "case {case}"
                );
                let mut left = Vec::new();
                while let Some(bytes) = rows.peek().and_then(|row| row.strip_prefix("left\t")) {
                    left.push(see(&base64(bytes)));
                    rows.next();
                }
                let ours = all(&world.log(0));
                for (ours, kafkas) in ours.iter().zip(&left) {
                    assert_eq!(ours, kafkas, "case {case}, round {rounds}");
                }
                assert_eq!(ours.len(), left.len(), "case {case}, round {rounds}");
                rounds += 1;
            }
            _ => panic!("a row of an unknown kind: {row}"),
        }
    }
    assert!(30 < rounds, "{rounds}");
}
