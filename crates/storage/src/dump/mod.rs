//! Tells what lies in a chunk: `ottla log dump`. Pure: bytes in, lines out, whatever the bytes are.
//!
//! The life, which salts the checksums, is a secret of the directory and is not told.

mod footer;
mod line;

pub use line::{Line, Value};

use crate::format::{
    CHUNK_HEADER_BYTES, ChunkHeader, ENTRY_BYTES, Entry, EntryType, GROUP_ALIGN, GROUP_HEADER_BYTES,
    GroupHeader, group_crc, payload_crc_of_batches,
};

/// Header, groups, entries, batches and footer in words, one line each.
pub fn chunk(bytes: &[u8]) -> String {
    let mut out = String::new();
    lines(bytes, &mut |line| out += &format!("{line}\n"));
    out
}

/// The same, a JSON object a line.
pub fn json_lines(bytes: &[u8]) -> String {
    let mut out = String::new();
    lines(bytes, &mut |line| {
        out += &line.json();
        out.push('\n');
    });
    out
}

/// Gives every line as it is found. Stops where no group holds, and says why.
pub fn lines(bytes: &[u8], give: &mut dyn FnMut(&Line)) {
    let header = match ChunkHeader::decode(bytes) {
        Ok(Some(header)) => header,
        Ok(None) => return give(&Line::new(0, 0, "no_chunk_header")),
        Err(version) => return give(&Line::new(0, 0, "newer_format").number("min_reader", version)),
    };
    give(&header_line(&header));
    let mut position = CHUNK_HEADER_BYTES;
    let mut chain = header.prev_chain;
    while let Some(group) = bytes.get(position..).and_then(GroupHeader::decode) {
        if let Err(reason) = group_lines(bytes, position, &header, &group, chain, give) {
            give(
                &Line::new(position, 0, "broken_group")
                    .number("lsn", group.lsn)
                    .text("reason", reason),
            );
            break;
        }
        chain = group.crc;
        position = position.saturating_add(usize::try_from(group.group_bytes).unwrap_or(usize::MAX));
    }
    give(&Line::new(position, 0, "end_of_groups"));
    footer::lines(bytes, header.life, give);
}

fn header_line(header: &ChunkHeader) -> Line {
    Line::new(0, 0, "chunk")
        .hex("chunk", header.chunk_id)
        .text("kind", format!("{:?}", header.kind).to_lowercase())
        .number("stream", header.stream)
        .number("bytes", header.chunk_bytes)
        .number("first_lsn", header.first_lsn)
        .hex("prev_chunk", header.prev_chunk_id)
        .number("prev_end", header.prev_end)
        .number("prev_chain", header.prev_chain)
        .text("directory", header.directory_id)
}

/// The group and what is in it, or why it does not hold.
fn group_lines(
    bytes: &[u8],
    position: usize,
    header: &ChunkHeader,
    group: &GroupHeader,
    chain: u32,
    give: &mut dyn FnMut(&Line),
) -> Result<(), &'static str> {
    let length = usize::try_from(group.group_bytes).map_err(|_| "its length")?;
    let end = position.checked_add(length).ok_or("its length")?;
    let whole = bytes.get(position..end).ok_or("it is cut")?;
    let table = whole.get(..group.table_end()).ok_or("its length")?;
    if !length.is_multiple_of(GROUP_ALIGN) {
        return Err("its length");
    }
    if group_crc(header.life, table) != group.crc {
        return Err("its checksum");
    }
    if group.chain != chain {
        return Err("it does not follow the group before it");
    }
    let line = Line::new(position, 0, "group")
        .number("lsn", group.lsn)
        .number("bytes", group.group_bytes)
        .number("entries", group.entries)
        .number("synced_lsn", group.synced_lsn)
        .number("wall_ms", group.wall_ms);
    give(&line);
    let mut at = group.table_end();
    for entry in table
        .get(GROUP_HEADER_BYTES..)
        .unwrap_or_default()
        .chunks_exact(ENTRY_BYTES)
    {
        let payload_bytes = Entry::payload_bytes_of(entry) as usize;
        let payload = whole
            .get(at..)
            .and_then(|rest| rest.get(..payload_bytes))
            .ok_or("a payload is cut")?;
        entry_lines(position + at, entry, payload, give);
        at += payload_bytes;
    }
    Ok(())
}

fn entry_lines(position: usize, bytes: &[u8], payload: &[u8], give: &mut dyn FnMut(&Line)) {
    let entry = match Entry::decode(bytes) {
        Ok(entry) => entry,
        Err(code) => {
            let line = Line::new(position, 1, "unknown_entry").number("type", code);
            return give(&line.number("bytes", payload.len() as u64));
        }
    };
    let is_data = entry.kind == EntryType::Data;
    let crc = if is_data {
        payload_crc_of_batches(payload)
    } else {
        Some(record::crc32c(payload))
    };
    let mut line = Line::new(position, 1, name_of(entry.kind));
    if entry.kind != EntryType::Seal {
        line = line
            .text("partition", entry.target)
            .number("incarnation", entry.incarnation);
        line = line.number("base_offset", entry.base_offset.0);
    }
    line = match entry.kind {
        EntryType::Data => line
            .number("next_offset", entry.next_offset.0)
            .number("leader_epoch", entry.leader_epoch.0)
            .number("bytes", entry.payload_bytes)
            .number("max_timestamp", entry.max_timestamp),
        EntryType::Epoch => line.number("leader_epoch", entry.leader_epoch.0),
        EntryType::Create => line.text("topic", String::from_utf8_lossy(payload)),
        EntryType::Seal => line.hex("next_chunk", u64::from_le_bytes(crate::format::le(payload, 0))),
        _ => line,
    };
    give(&line.flag("sound", crc == Some(entry.payload_crc)));
    if is_data {
        batch_lines(position, payload, give);
    }
}

fn name_of(kind: EntryType) -> &'static str {
    match kind {
        EntryType::Data => "data",
        EntryType::Truncate => "truncate",
        EntryType::Start => "start",
        EntryType::Epoch => "epoch",
        EntryType::Create => "create",
        EntryType::Drop => "drop",
        EntryType::Replace => "replace",
        EntryType::Roll => "roll",
        EntryType::Seal => "seal",
    }
}

fn batch_lines(position: usize, payload: &[u8], give: &mut dyn FnMut(&Line)) {
    let mut at = position;
    for batch in record::batches(payload) {
        let (header, bytes) = match batch {
            Ok(batch) => batch,
            Err(error) => return give(&Line::new(at, 2, "broken_batch").text("reason", error)),
        };
        let mut line = Line::new(
            at,
            2,
            if header.is_control() {
                "control_batch"
            } else {
                "batch"
            },
        )
        .number("base_offset", header.base_offset.0)
        .number("last_offset", header.last_offset().0)
        .number("records", header.records_count)
        .number("bytes", bytes.len() as u64)
        .number("leader_epoch", header.leader_epoch.0)
        .number("attributes", header.attributes)
        .number("max_timestamp", header.max_timestamp);
        if header.has_producer() {
            line = line
                .number("producer_id", header.producer_id.0)
                .number("producer_epoch", header.producer_epoch.0)
                .number("base_sequence", header.base_sequence);
        }
        give(&line.flag("sound", record::check_crc(&header, bytes).is_ok()));
        at += bytes.len();
    }
}
