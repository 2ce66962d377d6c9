//! Prints a chunk for people: `ottla log dump`.

use std::fmt::Write;

use crate::format::{CHUNK_HEADER_BYTES, ChunkHeader, ENTRY_BYTES, Entry, GROUP_HEADER_BYTES, GroupHeader, group_crc};

/// A chunk's header, groups and entries, one line each. Stops where no group holds, and says so.
pub fn chunk(bytes: &[u8]) -> String {
    let mut out = String::new();
    let header = match ChunkHeader::decode(bytes) {
        Ok(Some(header)) => header,
        Ok(None) => return "no chunk header\n".to_owned(),
        Err(version) => return format!("this chunk needs a reader of format {version}\n"),
    };
    let _ = writeln!(
        out,
        "chunk {:016x} stream {} bytes {} first_lsn {} prev_chunk {:016x} prev_end {} directory {}",
        header.chunk_id,
        header.stream,
        header.chunk_bytes,
        header.first_lsn,
        header.prev_chunk_id,
        header.prev_end,
        header.directory_id
    );
    let mut position = CHUNK_HEADER_BYTES;
    while let Some(group) = bytes.get(position..).and_then(GroupHeader::decode) {
        let table = bytes.get(position..position + group.table_end()).unwrap_or_default();
        if group_crc(header.life, table) != group.crc {
            let _ = writeln!(out, "{position}: a group whose checksum does not hold");
            return out;
        }
        let _ = writeln!(
            out,
            "{position}: group lsn {} bytes {} entries {} synced_lsn {} wall_ms {}",
            group.lsn, group.group_bytes, group.entries, group.synced_lsn, group.wall_ms
        );
        entries(&mut out, table);
        position = position.saturating_add(usize::try_from(group.group_bytes).unwrap_or(usize::MAX));
    }
    let _ = writeln!(out, "{position}: end");
    out
}

fn entries(out: &mut String, table: &[u8]) {
    for bytes in table.get(GROUP_HEADER_BYTES..).unwrap_or_default().chunks_exact(ENTRY_BYTES) {
        match Entry::decode(bytes) {
            Ok(entry) => {
                let _ = writeln!(
                    out,
                    "    {:?} {} incarnation {} offsets {}..{} epoch {} bytes {} max_timestamp {}",
                    entry.kind,
                    entry.target,
                    entry.incarnation,
                    entry.base_offset,
                    entry.next_offset,
                    entry.leader_epoch,
                    entry.payload_bytes,
                    entry.max_timestamp
                );
            }
            Err(code) => {
                let _ = writeln!(out, "    an entry of unknown type {code}");
            }
        }
    }
}
