//! A group: what one write appends. Header, entry table, payloads in table order.

use types::{LeaderEpoch, Offset, PartitionIndex, TopicIdPartition, Uuid};

use super::{le, put};

pub const GROUP_HEADER_BYTES: usize = 64;
pub const ENTRY_BYTES: usize = 64;
pub const GROUP_ALIGN: usize = 8;
pub const ENTRIES_MAX: usize = 4096;
/// A group is at most this large, unless it is one batch.
pub const GROUP_BYTES_MAX: usize = 8 << 20;
/// An entry's checksum covers this much of each batch; Kafka's own, which lies in it, covers the rest.
pub const BATCH_COVER_BYTES: usize = 21;
const MAGIC: u32 = u32::from_le_bytes(*b"OGRP");

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GroupHeader {
    pub crc: u32,
    /// The checksum of the group before it.
    pub chain: u32,
    pub entries: u16,
    pub flags: u16,
    /// With padding.
    pub group_bytes: u64,
    pub lsn: u64,
    /// The highest lsn known durable when this was built.
    pub synced_lsn: u64,
    pub wall_ms: i64,
}

impl GroupHeader {
    /// Without its checksum, which [`group_crc`] gives.
    pub fn encode(&self) -> [u8; GROUP_HEADER_BYTES] {
        let mut out = [0; GROUP_HEADER_BYTES];
        put(&mut out, 0, &MAGIC.to_le_bytes());
        put(&mut out, 4, &self.crc.to_le_bytes());
        put(&mut out, 8, &self.chain.to_le_bytes());
        put(&mut out, 12, &self.entries.to_le_bytes());
        put(&mut out, 14, &self.flags.to_le_bytes());
        put(&mut out, 16, &self.group_bytes.to_le_bytes());
        put(&mut out, 24, &self.lsn.to_le_bytes());
        put(&mut out, 32, &self.synced_lsn.to_le_bytes());
        put(&mut out, 40, &self.wall_ms.to_le_bytes());
        out
    }

    pub fn begins_with(bytes: &[u8]) -> bool {
        bytes.starts_with(&MAGIC.to_le_bytes())
    }

    /// `None` where no group begins. The checksum is not looked at here.
    pub fn decode(bytes: &[u8]) -> Option<GroupHeader> {
        let bytes = bytes.get(..GROUP_HEADER_BYTES)?;
        if u32::from_le_bytes(le(bytes, 0)) != MAGIC {
            return None;
        }
        Some(GroupHeader {
            crc: u32::from_le_bytes(le(bytes, 4)),
            chain: u32::from_le_bytes(le(bytes, 8)),
            entries: u16::from_le_bytes(le(bytes, 12)),
            flags: u16::from_le_bytes(le(bytes, 14)),
            group_bytes: u64::from_le_bytes(le(bytes, 16)),
            lsn: u64::from_le_bytes(le(bytes, 24)),
            synced_lsn: u64::from_le_bytes(le(bytes, 32)),
            wall_ms: i64::from_le_bytes(le(bytes, 40)),
        })
    }

    /// Header and entry table.
    pub fn table_end(&self) -> usize {
        let table = ENTRY_BYTES.saturating_mul(usize::from(self.entries));
        GROUP_HEADER_BYTES.saturating_add(table)
    }
}

/// The checksum of a group: over its chunk's life, and its bytes from 8 to the end of the entry table.
pub fn group_crc(life: u64, header_and_table: &[u8]) -> u32 {
    let mut crc = record::Crc32c::default();
    crc.update(&life.to_le_bytes());
    crc.update(header_and_table.get(8..).unwrap_or_default());
    crc.finish()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum EntryType {
    /// Whole batches of one partition and one leader epoch, ascending, contiguous.
    Data = 1,
    /// Offsets from `base_offset` on are dropped.
    Truncate = 2,
    /// The log starts at `base_offset`.
    Start = 3,
    /// `leader_epoch` begins at `base_offset`.
    Epoch = 4,
    /// An incarnation begins; the payload is the topic's name.
    Create = 5,
    /// An incarnation ends.
    Drop = 6,
    /// An offset range is now served by a sorted chunk.
    Replace = 7,
    /// A virtual segment begins at `base_offset`.
    Roll = 8,
    /// The last group of the chunk.
    Seal = 9,
}

impl EntryType {
    pub fn from_code(code: u8) -> Option<EntryType> {
        use EntryType::*;
        [Data, Truncate, Start, Epoch, Create, Drop, Replace, Roll, Seal]
            .into_iter()
            .find(|known| *known as u8 == code)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    pub kind: EntryType,
    pub target: TopicIdPartition,
    pub incarnation: u32,
    pub payload_bytes: u32,
    pub base_offset: Offset,
    pub next_offset: Offset,
    pub leader_epoch: LeaderEpoch,
    pub payload_crc: u32,
    pub max_timestamp: i64,
}

impl Entry {
    pub fn encode(&self) -> [u8; ENTRY_BYTES] {
        let mut out = [0; ENTRY_BYTES];
        put(&mut out, 0, &[self.kind as u8, 0]);
        put(&mut out, 4, &self.target.partition.0.to_le_bytes());
        put(&mut out, 8, &self.target.topic_id.0);
        put(&mut out, 24, &self.incarnation.to_le_bytes());
        put(&mut out, 28, &self.payload_bytes.to_le_bytes());
        put(&mut out, 32, &self.base_offset.0.to_le_bytes());
        put(&mut out, 40, &self.next_offset.0.to_le_bytes());
        put(&mut out, 48, &self.leader_epoch.0.to_le_bytes());
        put(&mut out, 52, &self.payload_crc.to_le_bytes());
        put(&mut out, 56, &self.max_timestamp.to_le_bytes());
        out
    }

    /// How long the payload is, also of an entry whose type is not known.
    pub fn payload_bytes_of(bytes: &[u8]) -> u32 {
        u32::from_le_bytes(le(bytes, 28))
    }

    /// The entry, or the code of a type that is not known.
    pub fn decode(bytes: &[u8]) -> Result<Entry, u8> {
        let code = bytes.first().copied().unwrap_or(0);
        let kind = EntryType::from_code(code).ok_or(code)?;
        let partition = PartitionIndex(i32::from_le_bytes(le(bytes, 4)));
        Ok(Entry {
            kind,
            target: TopicIdPartition {
                topic_id: Uuid(le(bytes, 8)),
                partition,
            },
            incarnation: u32::from_le_bytes(le(bytes, 24)),
            payload_bytes: u32::from_le_bytes(le(bytes, 28)),
            base_offset: Offset(i64::from_le_bytes(le(bytes, 32))),
            next_offset: Offset(i64::from_le_bytes(le(bytes, 40))),
            leader_epoch: LeaderEpoch(i32::from_le_bytes(le(bytes, 48))),
            payload_crc: u32::from_le_bytes(le(bytes, 52)),
            max_timestamp: i64::from_le_bytes(le(bytes, 56)),
        })
    }
}

/// The checksum of a DATA entry: over the first 21 bytes of each batch. `None` if a batch is cut.
pub fn payload_crc_of_batches(payload: &[u8]) -> Option<u32> {
    let mut crc = record::Crc32c::default();
    for batch in record::batches(payload) {
        let (_, bytes) = batch.ok()?;
        crc.update(bytes.get(..BATCH_COVER_BYTES)?);
    }
    Some(crc.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_and_entries_round_trip() {
        let header = GroupHeader {
            crc: 1,
            chain: 2,
            entries: 3,
            flags: 4,
            group_bytes: 5,
            lsn: 6,
            synced_lsn: 7,
            wall_ms: 8,
        };
        assert_eq!(GroupHeader::decode(&header.encode()), Some(header));
        assert_eq!(GroupHeader::decode(&[0; 64]), None);
        let entry = Entry {
            kind: EntryType::Data,
            target: TopicIdPartition {
                topic_id: Uuid([9; 16]),
                partition: PartitionIndex(5),
            },
            incarnation: 1,
            payload_bytes: 2,
            base_offset: Offset(3),
            next_offset: Offset(4),
            leader_epoch: LeaderEpoch(5),
            payload_crc: 6,
            max_timestamp: 7,
        };
        assert_eq!(Entry::decode(&entry.encode()), Ok(entry));
        assert_eq!(Entry::decode(&[200; 64]), Err(200));
    }

    #[test]
    fn the_life_salts_the_checksum() {
        assert_ne!(group_crc(1, &[0; 128]), group_crc(2, &[0; 128]));
    }
}
