//! Reads groups from a chunk and says whether they hold.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};

use crate::Error;
use crate::chunk::Chunk;
use crate::format::{
    ENTRY_BYTES, Entry, EntryType, GROUP_ALIGN, GROUP_HEADER_BYTES, GroupHeader, group_crc,
    payload_crc_of_batches,
};
use crate::stream::Place;

/// Read at once.
const WINDOW_BYTES: usize = 1 << 20;
const PAGE_BYTES: u64 = 4096;

/// A group that holds.
pub(super) struct Group {
    pub(super) header: GroupHeader,
    /// Entries and where their payloads begin, counted from the group's start.
    pub(super) entries: Vec<(Entry, u64)>,
    /// Those, by index, whose payloads do not hold. The table does: so it is known whose they are.
    pub(super) rotten: Vec<usize>,
}

pub(super) enum Found {
    Whole(Group),
    /// Only payloads do not hold. At the end of a stream that is a torn write, elsewhere damage to their logs alone.
    Rotten(Group),
    /// No group that holds; what is wrong, if there is something at all.
    Bad(Option<&'static str>),
}

/// A later group of the same life.
pub(super) struct Later {
    pub(super) position: u64,
    pub(super) chain: u32,
    pub(super) lsn: u64,
    /// The highest lsn that it or a group behind it calls synced.
    pub(super) synced_lsn_max: u64,
}

/// Reads one chunk through a window.
pub(super) struct Scanner {
    chunk: Arc<Chunk>,
    start: u64,
    window: Bytes,
    /// A seeded bug.
    pub(super) keeps_torn: bool,
}

impl Scanner {
    pub(super) fn new(chunk: Arc<Chunk>) -> Scanner {
        Scanner {
            chunk,
            start: 0,
            window: Bytes::new(),
            keeps_torn: false,
        }
    }

    /// The bytes at `position`; fewer where the chunk ends.
    pub(super) fn bytes(&mut self, position: u64, length: usize) -> Result<Bytes, Error> {
        let length = length.min(self.chunk.bytes.saturating_sub(position) as usize);
        let inside =
            self.start <= position && position + length as u64 <= self.start + self.window.len() as u64;
        if !inside {
            let wanted = WINDOW_BYTES
                .max(length)
                .min(self.chunk.bytes.saturating_sub(position) as usize);
            let mut window = BytesMut::zeroed(wanted);
            let read = self.chunk.read_sound(&mut window, position, false);
            read.map_err(|error| Error::io(&self.chunk.path, error))?;
            self.start = position;
            self.window = window.freeze();
        }
        let at = (position - self.start) as usize;
        Ok(self.window.slice(at..at + length))
    }

    /// The group that should be at `place`.
    pub(super) fn group(&mut self, place: &Place) -> Result<Found, Error> {
        let head = self.bytes(place.position, GROUP_HEADER_BYTES)?;
        let Some(header) = GroupHeader::decode(&head) else {
            return Ok(Found::Bad(None));
        };
        if header.lsn != place.lsn + 1 || header.chain != place.chain {
            return Ok(Found::Bad(Some("a group out of order")));
        }
        let Some(table) = self.table(place.position, &header)? else {
            return Ok(Found::Bad(Some("a group's checksum")));
        };
        let mut at = header.table_end() as u64;
        let mut entries = Vec::with_capacity(usize::from(header.entries));
        let mut rotten = Vec::new();
        for bytes in table
            .get(GROUP_HEADER_BYTES..)
            .unwrap_or_default()
            .chunks_exact(ENTRY_BYTES)
        {
            let Some(entry) = self.entry(bytes)? else {
                // Its payload lies before those of the entries behind it.
                at += u64::from(Entry::payload_bytes_of(bytes));
                continue;
            };
            let payload = self.bytes(place.position + at, entry.payload_bytes as usize)?;
            if payload.len() < entry.payload_bytes as usize || !(self.keeps_torn || holds(&entry, &payload)) {
                rotten.push(entries.len());
            }
            entries.push((entry, at));
            at += u64::from(entry.payload_bytes);
        }
        if header.group_bytes < at {
            return Ok(Found::Bad(Some("a group's length")));
        }
        let group = Group {
            header,
            entries,
            rotten,
        };
        Ok(if group.rotten.is_empty() {
            Found::Whole(group)
        } else {
            Found::Rotten(group)
        })
    }

    /// Header and entry table, if their length can be and their checksum holds.
    fn table(&mut self, position: u64, header: &GroupHeader) -> Result<Option<Bytes>, Error> {
        let end = position.checked_add(header.group_bytes);
        let can_be = header.group_bytes.is_multiple_of(GROUP_ALIGN as u64)
            && header.table_end() as u64 <= header.group_bytes
            && end.is_some_and(|end| end <= self.chunk.bytes);
        if !can_be {
            return Ok(None);
        }
        let table = self.bytes(position, header.table_end())?;
        Ok((group_crc(self.chunk.life, &table) == header.crc).then_some(table))
    }

    /// An entry of a type that is not known is passed over, unless it says that it must not be.
    fn entry(&self, bytes: &[u8]) -> Result<Option<Entry>, Error> {
        match Entry::decode(bytes) {
            Ok(entry) => Ok(Some(entry)),
            Err(_) if bytes.get(1).is_some_and(|flags| flags & 0x80 == 0) => Ok(None),
            Err(code) => Err(Error::Unusable {
                path: self.chunk.path.clone(),
                reason: format!("entry type {code} needs a newer reader"),
            }),
        }
    }

    /// The next group of this life behind a bad place, and what all that follow know to be durable. Found by salted
    /// checksums, so that neither an earlier life nor a client's payload can pass for one.
    pub(super) fn later_group(&mut self, place: &Place) -> Result<Option<Later>, Error> {
        let mut found: Option<Later> = None;
        let mut position = place.position + GROUP_ALIGN as u64;
        while let Some(at) = self.next_magic(position)? {
            position = at + GROUP_ALIGN as u64;
            let head = self.bytes(at, GROUP_HEADER_BYTES)?;
            let Some(header) = GroupHeader::decode(&head).filter(|header| place.lsn < header.lsn) else {
                continue;
            };
            if self.table(at, &header)?.is_none() {
                continue;
            }
            let GroupHeader {
                chain,
                lsn,
                synced_lsn,
                ..
            } = header;
            let first = found.get_or_insert(Later {
                position: at,
                chain,
                lsn,
                synced_lsn_max: 0,
            });
            first.synced_lsn_max = first.synced_lsn_max.max(synced_lsn);
        }
        Ok(found)
    }

    /// The next aligned place, from `position` on, where a group may begin.
    fn next_magic(&mut self, mut position: u64) -> Result<Option<u64>, Error> {
        while position + (GROUP_HEADER_BYTES as u64) <= self.chunk.bytes {
            let left = (self.chunk.bytes - position) as usize;
            let window = self.bytes(position, left.min(WINDOW_BYTES / 4))?;
            let words = window.chunks_exact(GROUP_ALIGN);
            if let Some(word) = words.clone().position(GroupHeader::begins_with) {
                return Ok(Some(position + (word * GROUP_ALIGN) as u64));
            }
            position += (words.len().max(1) * GROUP_ALIGN) as u64;
        }
        Ok(None)
    }

    /// The used bytes of the page that `position` lies in.
    pub(super) fn page_tail(&mut self, position: u64) -> Result<Vec<u8>, Error> {
        let page = position - position % PAGE_BYTES;
        Ok(self.bytes(page, (position - page) as usize)?.to_vec())
    }
}

/// Whether a payload is what its entry says.
fn holds(entry: &Entry, payload: &[u8]) -> bool {
    if entry.kind != EntryType::Data {
        return record::crc32c(payload) == entry.payload_crc;
    }
    if payload_crc_of_batches(payload) != Some(entry.payload_crc) {
        return false;
    }
    let mut next = entry.base_offset;
    for batch in record::batches(payload) {
        let Ok((header, bytes)) = batch else { return false };
        if header.base_offset != next || record::check_crc(&header, bytes).is_err() {
            return false;
        }
        next = header.next_offset();
    }
    next == entry.next_offset
}
