//! Builds a group in memory: small payloads copied together, large ones by reference.

use std::io::IoSlice;

use bytes::{Bytes, BytesMut};
use smallvec::SmallVec;

use super::Slice;
use crate::format::{ENTRY_BYTES, GROUP_ALIGN, GROUP_HEADER_BYTES, GroupHeader, group_crc};
use crate::log::Tail;

/// The page in which a write may not begin or end half-way: the kernel would have to read the rest of it.
pub(super) const PAGE_BYTES: usize = 4096;
/// Bodies from here on are written from where they were received.
const BY_REFERENCE_BYTES: usize = 16 << 10;

/// Where each payload of a group begins, counted from the group's start, and its pieces.
pub(super) type Payloads = SmallVec<[(u64, SmallVec<[Bytes; 2]>); 1]>;

/// A group ready to be written, with the page that it begins in.
pub(super) struct Group {
    /// What is written, from the start of the tail page to the end of the last page.
    pieces: SmallVec<[Bytes; 3]>,
    /// Of the group, without the tail before it.
    pub(super) bytes: u64,
    pub(super) crc: u32,
    pub(super) payloads: Payloads,
}

/// What a group is told by its stream.
pub(super) struct Frame {
    pub(super) life: u64,
    pub(super) chain: u32,
    pub(super) lsn: u64,
    pub(super) synced_lsn: u64,
    pub(super) wall_ms: i64,
}

/// The group of these slices behind `tail`, the used bytes of the page it begins in. `next_tail` becomes the used bytes
/// of its last page.
pub(super) fn build(slices: &[Slice], tail: &[u8], next_tail: &mut Vec<u8>, frame: &Frame) -> Group {
    let table_bytes = GROUP_HEADER_BYTES + ENTRY_BYTES * slices.len();
    let copied: usize = slices.iter().map(copied_bytes).sum();
    let mut buffer = BytesMut::with_capacity(tail.len() + table_bytes + copied + PAGE_BYTES + GROUP_ALIGN);
    buffer.extend_from_slice(tail);
    let payload_bytes: usize = slices.iter().map(|slice| slice.payload.bytes()).sum();
    let bytes = (table_bytes + payload_bytes).next_multiple_of(GROUP_ALIGN);
    let mut header = GroupHeader {
        crc: 0,
        chain: frame.chain,
        entries: slices.len() as u16,
        flags: 0,
        group_bytes: bytes as u64,
        lsn: frame.lsn,
        synced_lsn: frame.synced_lsn,
        wall_ms: frame.wall_ms,
    };
    buffer.extend_from_slice(&header.encode());
    for slice in slices {
        buffer.extend_from_slice(&slice.entry.encode());
    }
    header.crc = group_crc(frame.life, buffer.get(tail.len()..).unwrap_or_default());
    if let Some(place) = buffer.get_mut(tail.len()..tail.len() + GROUP_HEADER_BYTES) {
        place.copy_from_slice(&header.encode());
    }
    let group = lay_out(buffer, slices, tail.len(), bytes, header.crc);
    last_page(&group.pieces, tail.len() + bytes, next_tail);
    group
}

fn copied_bytes(slice: &Slice) -> usize {
    let by_reference = BY_REFERENCE_BYTES <= slice.payload.body.len();
    if by_reference {
        record::PREFIX_BYTES
    } else {
        slice.payload.bytes()
    }
}

/// Puts the payloads behind the table, and remembers where each lies.
fn lay_out(mut buffer: BytesMut, slices: &[Slice], tail_bytes: usize, bytes: usize, crc: u32) -> Group {
    // (place in the buffer, bytes that come before what is there)
    let mut large: SmallVec<[(usize, Bytes); 1]> = SmallVec::new();
    let mut places: SmallVec<[(usize, usize); 4]> = SmallVec::with_capacity(slices.len());
    let mut large_bytes = 0;
    for slice in slices {
        let start = buffer.len();
        places.push((start, start + large_bytes));
        if let Some(prefix) = &slice.payload.prefix {
            buffer.extend_from_slice(prefix);
        }
        if BY_REFERENCE_BYTES <= slice.payload.body.len() {
            large.push((buffer.len(), slice.payload.body.clone()));
            large_bytes += slice.payload.body.len();
        } else {
            buffer.extend_from_slice(&slice.payload.body);
        }
    }
    let end = tail_bytes + bytes;
    let page_end = end.next_multiple_of(PAGE_BYTES);
    buffer.resize(page_end - large_bytes, 0);
    let buffer = buffer.freeze();
    let payload = |(slice, (start, position)): (&Slice, &(usize, usize))| {
        let copied = copied_bytes_of(slice);
        let mut pieces: SmallVec<[Bytes; 2]> = SmallVec::new();
        if copied != 0 {
            pieces.push(buffer.slice(*start..*start + copied));
        }
        if BY_REFERENCE_BYTES <= slice.payload.body.len() {
            pieces.push(slice.payload.body.clone());
        }
        ((*position - tail_bytes) as u64, pieces)
    };
    let payloads = slices.iter().zip(&places).map(payload).collect();
    let pieces = cut(&buffer, large);
    Group {
        pieces,
        bytes: bytes as u64,
        crc,
        payloads,
    }
}

/// The bytes of a slice that lie in the group's own buffer.
fn copied_bytes_of(slice: &Slice) -> usize {
    let prefix = if slice.payload.prefix.is_some() {
        record::PREFIX_BYTES
    } else {
        0
    };
    let body = slice.payload.body.len();
    prefix + if BY_REFERENCE_BYTES <= body { 0 } else { body }
}

fn cut(buffer: &Bytes, large: SmallVec<[(usize, Bytes); 1]>) -> SmallVec<[Bytes; 3]> {
    let mut pieces = SmallVec::with_capacity(2 * large.len() + 1);
    let mut at = 0;
    for (place, bytes) in large {
        pieces.push(buffer.slice(at..place));
        pieces.push(bytes);
        at = place;
    }
    pieces.push(buffer.slice(at..));
    pieces
}

/// The used bytes of the last page: the next write begins with them.
fn last_page(pieces: &[Bytes], end: usize, tail: &mut Vec<u8>) {
    tail.clear();
    let used = end % PAGE_BYTES;
    if used == 0 {
        return;
    }
    let from = end - used;
    tail.reserve(PAGE_BYTES);
    let mut at = 0;
    for piece in pieces {
        let piece_end = at + piece.len();
        if from < piece_end {
            let start = from.saturating_sub(at);
            tail.extend_from_slice(piece.get(start..).unwrap_or_default());
        }
        at = piece_end;
    }
    tail.truncate(used);
}

impl Group {
    pub(super) fn slices(&self) -> SmallVec<[IoSlice<'_>; 16]> {
        self.pieces
            .iter()
            .filter(|piece| !piece.is_empty())
            .map(|piece| IoSlice::new(piece))
            .collect()
    }
}

/// The batches of a slice as they stay in memory.
pub(super) fn tail_of(slice: &Slice, segments: SmallVec<[Bytes; 2]>) -> Tail {
    Tail {
        base: slice.entry.base_offset,
        next: slice.entry.next_offset,
        bytes: slice.payload.bytes(),
        segments,
    }
}
