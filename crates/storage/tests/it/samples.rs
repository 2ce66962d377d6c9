//! One of everything that lies on disk, filled in.

use bytes::Bytes;
use record::{BatchBuilder, BatchHeader, BatchOptions, ControlType};
use storage::format::checkpoint::{Checkpoint, ChunkInUse, ExtentRecord, LogRecord, RunRecord, StreamPlace};
use storage::format::codec::Writer;
use storage::format::footer::{FineExtent, Footer, FooterRun, FooterState, Trailer};
use storage::format::{
    ChunkHeader, ChunkKind, ENTRY_BYTES, Entry, EntryType, GROUP_ALIGN, GROUP_HEADER_BYTES, GroupHeader,
    group_crc, payload_crc_of_batches,
};
use storage::state::{Marker, PartitionState};
use types::{LeaderEpoch, Lsn, Offset, PartitionIndex, ProducerEpoch, ProducerId, TopicIdPartition, Uuid};

pub const LIFE: u64 = 0x0123_4567_89ab_cdef;
pub const CHUNK_BYTES: u64 = 16 << 10;

pub fn target(partition: i32) -> TopicIdPartition {
    TopicIdPartition {
        topic_id: Uuid(*b"0123456789abcdef"),
        partition: PartitionIndex(partition),
    }
}

/// A batch of two records at `base`; transactional, of producer 7.
pub fn batch(base: i64) -> Bytes {
    let mut builder = BatchBuilder::new(BatchOptions {
        base_offset: Offset(base),
        leader_epoch: LeaderEpoch(3),
        producer_id: ProducerId(7),
        producer_epoch: ProducerEpoch(1),
        base_sequence: base as i32,
        is_transactional: true,
        ..BatchOptions::default()
    });
    builder.push(1000 + base, Some(b"key"), Some(b"value"));
    builder.push(1001 + base, None, Some(b"other"));
    builder.build().expect("memory suffices")
}

/// The marker that aborts what producer 7 has open.
pub fn abort_marker(base: i64, coordinator_epoch: i32) -> Bytes {
    let mut builder = BatchBuilder::new(BatchOptions {
        base_offset: Offset(base),
        leader_epoch: LeaderEpoch(3),
        producer_id: ProducerId(7),
        producer_epoch: ProducerEpoch(1),
        is_transactional: true,
        is_control: true,
        ..BatchOptions::default()
    });
    let mut value = vec![0, 0];
    value.extend_from_slice(&coordinator_epoch.to_be_bytes());
    builder.push(1000 + base, Some(&ControlType::Abort.key()), Some(&value));
    builder.build().expect("memory suffices")
}

pub fn chunk_header() -> ChunkHeader {
    ChunkHeader {
        kind: ChunkKind::Stream,
        stream: 2,
        chunk_id: 0x1122,
        life: LIFE,
        chunk_bytes: CHUNK_BYTES,
        first_lsn: 41,
        prev_chunk_id: 0x1121,
        prev_end: 4_000_000,
        prev_chain: 0xfeed_beef,
        directory_id: Uuid([0xd1; 16]),
    }
}

fn entry(kind: EntryType, base: i64, next: i64, payload: &[u8]) -> Entry {
    let is_data = kind == EntryType::Data;
    let crc = if is_data {
        payload_crc_of_batches(payload)
    } else {
        Some(record::crc32c(payload))
    };
    Entry {
        kind,
        target: if kind == EntryType::Seal {
            TopicIdPartition {
                topic_id: Uuid([0; 16]),
                partition: PartitionIndex(0),
            }
        } else {
            target(5)
        },
        incarnation: 9,
        payload_bytes: payload.len() as u32,
        base_offset: Offset(base),
        next_offset: Offset(next),
        leader_epoch: if is_data || kind == EntryType::Epoch {
            LeaderEpoch(3)
        } else {
            LeaderEpoch(-1)
        },
        payload_crc: crc.expect("whole batches"),
        max_timestamp: if is_data { 1003 } else { 0 },
    }
}

/// Every type of entry and its payload, in the order in which a log could see them.
pub fn entries() -> Vec<(Entry, Vec<u8>)> {
    let mut batches = batch(0).to_vec();
    batches.extend_from_slice(&batch(2));
    batches.extend_from_slice(&abort_marker(4, 6));
    let rows = [
        (EntryType::Create, 0, 0, b"orders".to_vec()),
        (EntryType::Epoch, 0, 0, Vec::new()),
        (EntryType::Data, 0, 5, batches),
        (EntryType::Roll, 5, 5, Vec::new()),
        (EntryType::Truncate, 4, 4, Vec::new()),
        (EntryType::Start, 2, 2, Vec::new()),
        (EntryType::Replace, 0, 2, vec![0; 16]),
        (EntryType::Drop, 4, 4, Vec::new()),
        (EntryType::Seal, 0, 0, 0x1123u64.to_le_bytes().to_vec()),
    ];
    rows.into_iter()
        .map(|(kind, base, next, payload)| (entry(kind, base, next, &payload), payload))
        .collect()
}

/// A group of `entries`.
pub fn group(lsn: u64, chain: u32, entries: &[(Entry, Vec<u8>)]) -> Vec<u8> {
    let payloads: usize = entries.iter().map(|(_, payload)| payload.len()).sum();
    let length = GROUP_HEADER_BYTES + ENTRY_BYTES * entries.len() + payloads;
    let mut header = GroupHeader {
        crc: 0,
        chain,
        entries: entries.len() as u16,
        flags: 0,
        group_bytes: length.next_multiple_of(GROUP_ALIGN) as u64,
        lsn,
        synced_lsn: lsn - 1,
        wall_ms: 1_700_000_000_000,
    };
    let table: Vec<u8> = entries.iter().flat_map(|(entry, _)| entry.encode()).collect();
    header.crc = group_crc(LIFE, &[&header.encode()[..], &table].concat());
    let mut out = [&header.encode()[..], &table].concat();
    entries
        .iter()
        .for_each(|(_, payload)| out.extend_from_slice(payload));
    out.resize(header.group_bytes as usize, 0);
    out
}

/// A partition with something of everything: two producers, one with an open transaction, one aborted.
pub fn state() -> PartitionState {
    let mut state = PartitionState::default();
    state.apply_epoch(LeaderEpoch(1), Offset(0));
    state.apply_epoch(LeaderEpoch(3), Offset(2));
    let mut batches = vec![batch(0), batch(2), abort_marker(4, 6), batch(5)];
    batches.push(other_producer(7));
    for batch in &batches {
        let header = BatchHeader::parse(batch).expect("ours");
        if [2, 5].contains(&header.base_offset.0) {
            state.apply_roll(header.base_offset);
        }
        state.apply_batch(&header, Marker::of_batch(&header, batch).as_ref());
    }
    state.apply_high_watermark(Offset(4));
    state.apply_start(Offset(1));
    state
}

fn other_producer(base: i64) -> Bytes {
    let mut builder = BatchBuilder::new(BatchOptions {
        base_offset: Offset(base),
        producer_id: ProducerId(8),
        producer_epoch: ProducerEpoch(0),
        base_sequence: i32::MAX,
        ..BatchOptions::default()
    });
    builder.push(5000, None, Some(b"a"));
    builder.push(5001, None, Some(b"b"));
    builder.build().expect("memory suffices")
}

pub fn state_bytes(state: &PartitionState) -> Vec<u8> {
    let mut out = Writer::default();
    state.encode(&mut out);
    out.0
}

/// The state as version 1 wrote it: a footer and a checkpoint of that time have it.
pub const STATE_V1: &[u8] = include_bytes!("../golden/state.v1.bin");

pub fn footer() -> Footer {
    let extent = |delta: u32| FineExtent {
        offset_delta: delta,
        position: 4096 + delta,
        bytes: 70,
        ts_delta: 3 - delta,
        cover_crc: 0,
    };
    let run = FooterRun {
        target: target(5),
        incarnation: 9,
        base: Offset(0),
        next: Offset(5),
        bytes: 300,
        batches: 3,
        max_timestamp: 1003,
        max_wall_ms: 1_700_000_000_000,
        first_lsn: Lsn(41),
        last_lsn: Lsn(41),
        extents: vec![extent(0), extent(2)],
    };
    let state = FooterState {
        target: target(5),
        incarnation: 9,
        log_end: Offset(9),
        state: STATE_V1.to_vec(),
    };
    Footer {
        runs: vec![run],
        states: vec![state],
    }
}

/// A sealed chunk: header, one group of everything, footer, trailer.
pub fn chunk() -> Vec<u8> {
    let mut out = chunk_header().encode();
    let mut entries = entries();
    let seal = entries.pop().expect("the last");
    out.extend_from_slice(&group(41, 0xfeed_beef, &entries));
    let chain = GroupHeader::decode(&out[4096..]).expect("ours").crc;
    out.extend_from_slice(&group(42, chain, &[seal]));
    let blocks = footer().encode(LIFE);
    let trailer = Trailer {
        position: out.len() as u64,
        bytes: blocks.len() as u64,
        is_delta: false,
    };
    out.extend_from_slice(&blocks);
    out.resize(CHUNK_BYTES as usize - 64, 0);
    out.extend_from_slice(&trailer.encode(LIFE));
    out
}

pub fn checkpoint() -> Checkpoint {
    let run = RunRecord {
        chunk: 0x1121,
        base: Offset(0),
        bytes: 100,
        max_timestamp: 5,
    };
    let extent = ExtentRecord {
        chunk: 0x1122,
        base: Offset(7),
        next: Offset(9),
        position: 4096,
        bytes: 70,
        max_timestamp: 6,
    };
    Checkpoint {
        directory_id: Uuid([0xd1; 16]),
        wall_ms: 1_700_000_000_000,
        broker_epoch: 12,
        clean_stop: true,
        next_chunk: 0x1123,
        next_incarnation: 10,
        streams: vec![StreamPlace {
            stream: 2,
            chunk: 0x1122,
            position: 8192,
            chain: 0xabcd,
            lsn: 42,
        }],
        chunks: vec![ChunkInUse {
            stream: 2,
            chunk: 0x1121,
            kind: 1,
            live_bytes: 100,
        }],
        logs: vec![LogRecord {
            stream: 2,
            target: target(5),
            incarnation: 9,
            topic_name: "orders".to_owned(),
            end: Offset(9),
            indexed: Offset(9),
            damaged: false,
            state: STATE_V1.to_vec(),
            runs: vec![run],
            extents: vec![extent],
        }],
    }
}
