//! The first page of a chunk.

use types::Uuid;

use super::{FORMAT_VERSION, MIN_READER_VERSION, le, put};

pub const CHUNK_HEADER_BYTES: usize = 4096;
const MAGIC: u64 = u64::from_le_bytes(*b"OTTLACHK");
const CRC_AT: usize = 4092;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum ChunkKind {
    /// Groups of many partitions, recycled.
    Stream = 1,
    /// Runs by partition, immutable.
    Sorted = 2,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChunkHeader {
    pub kind: ChunkKind,
    pub stream: u16,
    /// Monotone in the directory, never used again.
    pub chunk_id: u64,
    /// Random in every life of the file; salts every checksum in it.
    pub life: u64,
    pub chunk_bytes: u64,
    pub first_lsn: u64,
    pub prev_chunk_id: u64,
    pub prev_end: u64,
    pub prev_chain: u32,
    pub directory_id: Uuid,
}

impl ChunkHeader {
    pub fn encode(&self) -> Vec<u8> {
        let mut page = vec![0; CHUNK_HEADER_BYTES];
        put(&mut page, 0, &MAGIC.to_le_bytes());
        put(&mut page, 8, &FORMAT_VERSION.to_le_bytes());
        put(&mut page, 10, &MIN_READER_VERSION.to_le_bytes());
        put(&mut page, 12, &[self.kind as u8, 0]);
        put(&mut page, 14, &self.stream.to_le_bytes());
        put(&mut page, 16, &self.chunk_id.to_le_bytes());
        put(&mut page, 24, &self.life.to_le_bytes());
        put(&mut page, 32, &self.chunk_bytes.to_le_bytes());
        put(&mut page, 40, &self.first_lsn.to_le_bytes());
        put(&mut page, 48, &self.prev_chunk_id.to_le_bytes());
        put(&mut page, 56, &self.prev_end.to_le_bytes());
        put(&mut page, 64, &self.prev_chain.to_le_bytes());
        put(&mut page, 72, &self.directory_id.0);
        let crc = record::crc32c(page.get(..CRC_AT).unwrap_or_default());
        put(&mut page, CRC_AT, &crc.to_le_bytes());
        page
    }

    /// `None` for a page that is no header, torn or of another kind; `Err` for one that only a newer reader knows.
    pub fn decode(page: &[u8]) -> Result<Option<ChunkHeader>, u16> {
        let whole = page.get(..CHUNK_HEADER_BYTES);
        let Some(page) = whole.filter(|page| u64::from_le_bytes(le(page, 0)) == MAGIC) else {
            return Ok(None);
        };
        let stored = u32::from_le_bytes(le(page, CRC_AT));
        if stored != record::crc32c(page.get(..CRC_AT).unwrap_or_default()) {
            return Ok(None);
        }
        let min_reader = u16::from_le_bytes(le(page, 10));
        if FORMAT_VERSION < min_reader {
            return Err(min_reader);
        }
        let kind = match page.get(12) {
            Some(1) => ChunkKind::Stream,
            Some(2) => ChunkKind::Sorted,
            _ => return Ok(None),
        };
        Ok(Some(ChunkHeader {
            kind,
            stream: u16::from_le_bytes(le(page, 14)),
            chunk_id: u64::from_le_bytes(le(page, 16)),
            life: u64::from_le_bytes(le(page, 24)),
            chunk_bytes: u64::from_le_bytes(le(page, 32)),
            first_lsn: u64::from_le_bytes(le(page, 40)),
            prev_chunk_id: u64::from_le_bytes(le(page, 48)),
            prev_end: u64::from_le_bytes(le(page, 56)),
            prev_chain: u32::from_le_bytes(le(page, 64)),
            directory_id: Uuid(le(page, 72)),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> ChunkHeader {
        ChunkHeader {
            kind: ChunkKind::Stream,
            stream: 3,
            chunk_id: 0x0102_0304,
            life: 0xdead_beef,
            chunk_bytes: 4 << 20,
            first_lsn: 77,
            prev_chunk_id: 9,
            prev_end: 4_000_000,
            prev_chain: 0xabcd,
            directory_id: Uuid([7; 16]),
        }
    }

    #[test]
    fn a_header_round_trips() {
        assert_eq!(ChunkHeader::decode(&sample().encode()), Ok(Some(sample())));
    }

    #[test]
    fn any_flipped_bit_is_seen() {
        let page = sample().encode();
        for at in (0..90).chain([2000, 4090, 4095]) {
            let mut damaged = page.clone();
            damaged[at] ^= 1;
            assert_eq!(ChunkHeader::decode(&damaged), Ok(None), "byte {at}");
        }
    }

    #[test]
    fn a_newer_format_is_refused_by_number() {
        let mut page = sample().encode();
        page[10] = 2;
        let crc = record::crc32c(&page[..CRC_AT]);
        page[CRC_AT..].copy_from_slice(&crc.to_le_bytes());
        assert_eq!(ChunkHeader::decode(&page), Err(2));
    }
}
