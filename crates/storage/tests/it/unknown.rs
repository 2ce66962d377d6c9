//! Entries that only a later version writes: passed over, or refused where they say that they must not be.

use os::disk::SimDisk;
use record::{BatchHeader, PREFIX_BYTES, prefix};
use storage::format::{
    CHUNK_HEADER_BYTES, ChunkHeader, ENTRY_BYTES, Entry, EntryType, GROUP_HEADER_BYTES, GroupHeader,
    group_crc, payload_crc_of_batches,
};
use types::{LeaderEpoch, Offset};

use crate::crash::chunk_with_data;
use crate::harness::{batch, check_prefix, open, target, try_open};

const UNKNOWN_TYPE: u8 = 70;
const MUST_KNOW: u8 = 0x80;

/// A disk with one record of ours and, behind it, a group of a later version: something unknown, then a batch.
fn disk_of_the_future(flags: u8) -> SimDisk {
    let world = open(&SimDisk::new(), 1);
    world.commit(0, 0, 1);
    let (path, bytes) = chunk_with_data(&world.disk);
    let header = ChunkHeader::decode(&bytes).expect("ours").expect("a header");
    let (mut at, mut last) = (CHUNK_HEADER_BYTES, None);
    while let Some(group) = GroupHeader::decode(&bytes[at..]) {
        at += group.group_bytes as usize;
        last = Some(group);
    }
    let group = future_group(flags, &header, &last.expect("a group"), &bytes);
    world
        .disk
        .damage(&path, |bytes| bytes[at..at + group.len()].copy_from_slice(&group));
    world.disk.copy()
}

fn future_group(flags: u8, header: &ChunkHeader, last: &GroupHeader, bytes: &[u8]) -> Vec<u8> {
    let mut batch = batch(0, 1, 1, 20).to_vec();
    let parsed = BatchHeader::parse(&batch).expect("ours");
    batch[..PREFIX_BYTES].copy_from_slice(&prefix(Offset(1), parsed.batch_length, LeaderEpoch(3)));
    let data = Entry {
        kind: EntryType::Data,
        target: target(0),
        incarnation: incarnation_of(bytes),
        payload_bytes: batch.len() as u32,
        base_offset: Offset(1),
        next_offset: Offset(2),
        leader_epoch: LeaderEpoch(3),
        payload_crc: payload_crc_of_batches(&batch).expect("whole"),
        max_timestamp: parsed.max_timestamp,
    };
    let surprise = b"what is this?";
    let mut unknown = Entry {
        payload_bytes: surprise.len() as u32,
        ..data
    }
    .encode();
    (unknown[0], unknown[1]) = (UNKNOWN_TYPE, flags);
    let payloads = [&surprise[..], &batch].concat();
    let length = GROUP_HEADER_BYTES + 2 * ENTRY_BYTES + payloads.len();
    let mut group = GroupHeader {
        chain: last.crc,
        entries: 2,
        group_bytes: length.next_multiple_of(8) as u64,
        lsn: last.lsn + 1,
        ..*last
    };
    let table = [unknown, data.encode()].concat();
    group.crc = group_crc(header.life, &[&group.encode()[..], &table].concat());
    let mut out = [&group.encode()[..], &table, &payloads].concat();
    out.resize(group.group_bytes as usize, 0);
    out
}

/// Of the first DATA entry.
fn incarnation_of(bytes: &[u8]) -> u32 {
    let groups = bytes[CHUNK_HEADER_BYTES..].chunks_exact(8).enumerate();
    let starts = groups
        .filter(|(_, word)| GroupHeader::begins_with(word))
        .map(|(at, _)| CHUNK_HEADER_BYTES + at * 8);
    for start in starts {
        let group = GroupHeader::decode(&bytes[start..]).expect("begins here");
        let table = &bytes[start + GROUP_HEADER_BYTES..start + group.table_end()];
        let found = table
            .chunks_exact(ENTRY_BYTES)
            .filter_map(|entry| Entry::decode(entry).ok());
        if let Some(entry) = found.into_iter().find(|entry| entry.kind == EntryType::Data) {
            return entry.incarnation;
        }
    }
    panic!("no batch was written");
}

#[test]
fn an_unknown_entry_is_passed_over_with_its_payload() {
    let again = open(&disk_of_the_future(0), 2);
    assert_eq!(
        (again.report.damage.len(), again.report.cut),
        (0, 0),
        "{:?}",
        again.report
    );
    assert_eq!(check_prefix(&again.log(0), 0), 2);
    again.commit(0, 2, 1);
    assert_eq!(check_prefix(&again.log(0), 0), 3);
}

#[test]
fn an_entry_that_must_be_known_refuses_the_directory() {
    let error = try_open(&disk_of_the_future(MUST_KNOW), 2)
        .err()
        .expect("refused");
    assert!(
        error.to_string().contains("entry type 70 needs a newer reader"),
        "{error}"
    );
}
