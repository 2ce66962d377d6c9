//! Bytes that were written once are read for ever: committed files, never written anew for a version that was released.
//!
//! `UPDATE_EXPECT=1` writes them; what changes is a change of the format.

use storage::format::checkpoint::Checkpoint;
use storage::format::footer::{Footer, Trailer};
use storage::format::{ChunkHeader, ENTRY_BYTES, Entry, GROUP_HEADER_BYTES, GroupHeader, group_crc};
use storage::state::PartitionState;

use crate::samples;

/// The committed bytes, which are what is written today.
fn golden(name: &str, written: &[u8]) -> Vec<u8> {
    let path = format!("{}/tests/golden/{name}", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&path, written).expect("a writable folder");
    }
    let committed = std::fs::read(&path).expect("committed");
    assert!(
        committed == written,
        "{name} is not what is written today: the format changed"
    );
    committed
}

#[test]
fn a_chunk_of_format_1_reads() {
    let bytes = golden("chunk.v1.stream", &samples::chunk());
    assert_eq!(ChunkHeader::decode(&bytes), Ok(Some(samples::chunk_header())));
    let mut expected = samples::entries();
    let mut position = 4096;
    let mut chain = samples::chunk_header().prev_chain;
    for lsn in [41, 42] {
        let group = GroupHeader::decode(&bytes[position..]).expect("a group");
        let table = &bytes[position..position + group.table_end()];
        assert_eq!(
            (group.lsn, group.chain, group_crc(samples::LIFE, table)),
            (lsn, chain, group.crc)
        );
        let mut at = position + group.table_end();
        for entry in table[GROUP_HEADER_BYTES..].chunks_exact(ENTRY_BYTES) {
            let (wanted, payload) = expected.remove(0);
            assert_eq!(Entry::decode(entry), Ok(wanted));
            assert_eq!(bytes[at..at + payload.len()], payload[..]);
            at += payload.len();
        }
        chain = group.crc;
        position += group.group_bytes as usize;
    }
    assert!(expected.is_empty());
    let trailer = Trailer::decode(samples::LIFE, &bytes[bytes.len() - 64..]).expect("a trailer");
    assert_eq!(trailer.position, position as u64);
    let blocks = &bytes[position..position + trailer.bytes as usize];
    assert_eq!(Footer::decode(samples::LIFE, blocks), Ok(samples::footer()));
}

#[test]
fn a_partition_state_of_version_1_reads() {
    let found = PartitionState::decode(samples::STATE_V1).expect("a newer reader knows it");
    let bases = |state: &PartitionState| {
        state
            .segments
            .list()
            .iter()
            .map(|segment| segment.base.0)
            .collect::<Vec<_>>()
    };
    assert_eq!(bases(&found), [1, 2, 5]);
    let mut today = samples::state();
    assert_eq!(bases(&today), [0, 2, 5]);
    today.segments = found.segments.clone();
    assert_eq!(found, today);
}

#[test]
fn a_partition_state_of_version_2_reads() {
    let bytes = golden("state.v2.bin", &samples::state_bytes(&samples::state()));
    assert_eq!(PartitionState::decode(&bytes), Ok(samples::state()));
}

#[test]
fn a_checkpoint_of_version_1_reads() {
    let bytes = golden("checkpoint.v1.base", &samples::checkpoint().encode(17));
    assert_eq!(Checkpoint::decode(17, &bytes), Ok(samples::checkpoint()));
}

#[test]
fn a_chunk_is_told_in_words_and_in_json() {
    let chunk = samples::chunk();
    golden("chunk.v1.txt", storage::dump::chunk(&chunk).as_bytes());
    golden("chunk.v1.jsonl", storage::dump::json_lines(&chunk).as_bytes());
}
