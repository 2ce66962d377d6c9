//! Builds a group in memory: small payloads copied together, large ones by reference.
//!
//! The memory a group is put together in belongs to the writer and serves every group; what stays for readers at the
//! tail is [`super::tail`]'s.

use std::io::IoSlice;

use smallvec::SmallVec;

use super::Slice;
use crate::format::{ENTRY_BYTES, GROUP_ALIGN, GROUP_HEADER_BYTES, GroupHeader, group_crc};

/// The page in which a write may not begin or end half-way: the kernel would have to read the rest of it.
pub(super) const PAGE_BYTES: usize = 4096;
/// Bodies from here on are written from where they were received.
const BY_REFERENCE_BYTES: usize = 16 << 10;
/// The writer keeps no more memory than this for its next group.
const KEPT_BYTES_MAX: usize = 1 << 20;

/// Where each payload of a group begins, counted from the group's start.
pub(super) type Payloads = SmallVec<[u64; 4]>;

/// Memory that groups are put together in, one after the other.
#[derive(Debug, Default)]
pub(super) struct Desk {
    /// The tail page, the group's table and its small payloads, the rest of the last page.
    bytes: Vec<u8>,
    /// Memory for the next tail page.
    next_tail: Vec<u8>,
}

/// A group ready to be written, with the page that it begins in.
pub(super) struct Group {
    /// Places on the desk before which a slice's body comes.
    large: SmallVec<[(usize, usize); 1]>,
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

impl Desk {
    /// The group of these slices behind `tail`, the used bytes of the page it begins in.
    pub(super) fn build(&mut self, slices: &[Slice], tail: &[u8], frame: &Frame) -> Group {
        let table_bytes = GROUP_HEADER_BYTES + ENTRY_BYTES * slices.len();
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
        let buffer = &mut self.bytes;
        buffer.clear();
        buffer.shrink_to(KEPT_BYTES_MAX);
        buffer.extend_from_slice(tail);
        buffer.extend_from_slice(&header.encode());
        for slice in slices {
            buffer.extend_from_slice(&slice.entry.encode());
        }
        header.crc = group_crc(frame.life, buffer.get(tail.len()..).unwrap_or_default());
        if let Some(place) = buffer.get_mut(tail.len()..tail.len() + GROUP_HEADER_BYTES) {
            place.copy_from_slice(&header.encode());
        }
        let group = self.lay_out(slices, tail.len(), bytes, header.crc);
        self.note_last_page(&group, slices, tail.len() + bytes);
        group
    }

    /// Puts the payloads behind the table, and remembers where each lies.
    fn lay_out(&mut self, slices: &[Slice], tail_bytes: usize, bytes: usize, crc: u32) -> Group {
        let buffer = &mut self.bytes;
        let mut large = SmallVec::new();
        let mut payloads = Payloads::with_capacity(slices.len());
        let mut large_bytes = 0;
        for (index, slice) in slices.iter().enumerate() {
            payloads.push((buffer.len() + large_bytes - tail_bytes) as u64);
            if let Some(prefix) = &slice.payload.prefix {
                buffer.extend_from_slice(prefix);
            }
            if BY_REFERENCE_BYTES <= slice.payload.body.len() {
                large.push((buffer.len(), index));
                large_bytes += slice.payload.body.len();
            } else {
                buffer.extend_from_slice(&slice.payload.body);
            }
        }
        let page_end = (tail_bytes + bytes).next_multiple_of(PAGE_BYTES);
        buffer.resize(page_end - large_bytes, 0);
        Group {
            large,
            bytes: bytes as u64,
            crc,
            payloads,
        }
    }

    /// What is written, from the start of the tail page to the end of the last page.
    pub(super) fn pieces<'a>(&'a self, group: &Group, slices: &'a [Slice]) -> SmallVec<[IoSlice<'a>; 16]> {
        let mut pieces: SmallVec<[IoSlice<'a>; 16]> = SmallVec::new();
        let mut at = 0;
        for &(place, index) in &group.large {
            let body = slices.get(index).map_or(&[][..], |slice| &slice.payload.body);
            pieces.push(IoSlice::new(self.bytes.get(at..place).unwrap_or_default()));
            pieces.push(IoSlice::new(body));
            at = place;
        }
        pieces.push(IoSlice::new(self.bytes.get(at..).unwrap_or_default()));
        pieces.retain(|piece| !piece.is_empty());
        pieces
    }

    /// The used bytes of the last page: the next write begins with them.
    fn note_last_page(&mut self, group: &Group, slices: &[Slice], end: usize) {
        let mut tail = std::mem::take(&mut self.next_tail);
        tail.clear();
        let used = end % PAGE_BYTES;
        let from = end - used;
        let mut at = 0;
        for piece in self.pieces(group, slices) {
            let piece_end = at + piece.len();
            if used != 0 && from < piece_end {
                tail.reserve(PAGE_BYTES);
                let start = from.saturating_sub(at);
                tail.extend_from_slice(piece.get(start..).unwrap_or_default());
            }
            at = piece_end;
        }
        tail.truncate(used);
        self.next_tail = tail;
    }

    /// The group is written: `tail` becomes the used bytes of its last page.
    pub(super) fn turn_page(&mut self, tail: &mut Vec<u8>) {
        std::mem::swap(tail, &mut self.next_tail);
    }
}
