//! Little-endian fields, one after the other, with bounds: for footers, checkpoints and partition state.

use types::{PartitionIndex, TopicIdPartition, Uuid};

/// Why bytes are not what they should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    #[error("they end too early")]
    Short,
    #[error("a checksum does not hold")]
    Checksum,
    #[error("version {0} needs a newer reader")]
    Version(u16),
    #[error("a field has a value that cannot be")]
    Value,
}

/// Writes fields.
#[derive(Debug, Default)]
pub struct Writer(pub Vec<u8>);

impl Writer {
    pub fn u8(&mut self, value: u8) {
        self.0.push(value);
    }

    pub fn u16(&mut self, value: u16) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    pub fn u32(&mut self, value: u32) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    pub fn u64(&mut self, value: u64) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    pub fn i16(&mut self, value: i16) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    pub fn i32(&mut self, value: i32) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    pub fn i64(&mut self, value: i64) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    /// A count; everything that is counted here is far below 2^32.
    pub fn count(&mut self, count: usize) {
        self.u32(u32::try_from(count).unwrap_or(u32::MAX));
    }

    pub fn bytes(&mut self, bytes: &[u8]) {
        self.count(bytes.len());
        self.0.extend_from_slice(bytes);
    }

    pub fn target(&mut self, target: TopicIdPartition) {
        self.0.extend_from_slice(&target.topic_id.0);
        self.i32(target.partition.0);
    }
}

/// Reads fields.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a>(pub &'a [u8]);

impl<'a> Reader<'a> {
    pub fn take(&mut self, length: usize) -> Result<&'a [u8], CodecError> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(CodecError::Short)?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], CodecError> {
        self.take(N)?.first_chunk().copied().ok_or(CodecError::Short)
    }

    pub fn u8(&mut self) -> Result<u8, CodecError> {
        self.array().map(u8::from_le_bytes)
    }

    pub fn u16(&mut self) -> Result<u16, CodecError> {
        self.array().map(u16::from_le_bytes)
    }

    pub fn u32(&mut self) -> Result<u32, CodecError> {
        self.array().map(u32::from_le_bytes)
    }

    pub fn u64(&mut self) -> Result<u64, CodecError> {
        self.array().map(u64::from_le_bytes)
    }

    pub fn i16(&mut self) -> Result<i16, CodecError> {
        self.array().map(i16::from_le_bytes)
    }

    pub fn i32(&mut self) -> Result<i32, CodecError> {
        self.array().map(i32::from_le_bytes)
    }

    pub fn i64(&mut self) -> Result<i64, CodecError> {
        self.array().map(i64::from_le_bytes)
    }

    /// A count of things that take at least `each` bytes: never more than the bytes that are left can hold.
    pub fn count(&mut self, each: usize) -> Result<usize, CodecError> {
        let count = self.u32()? as usize;
        if self.0.len().checked_div(each).unwrap_or(self.0.len()) < count {
            Err(CodecError::Short)
        } else {
            Ok(count)
        }
    }

    pub fn bytes(&mut self) -> Result<&'a [u8], CodecError> {
        let length = self.count(1)?;
        self.take(length)
    }

    pub fn target(&mut self) -> Result<TopicIdPartition, CodecError> {
        let topic_id = Uuid(self.array()?);
        Ok(TopicIdPartition {
            topic_id,
            partition: PartitionIndex(self.i32()?),
        })
    }
}

/// Payload of one checksummed block.
const BLOCK_BYTES: usize = (64 << 10) - BLOCK_HEAD_BYTES;
const BLOCK_HEAD_BYTES: usize = 8;

/// Cuts a body into blocks with checksums over `salt`, their number and their bytes.
pub fn to_blocks(salt: u64, body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(blocks_bytes(body.len()));
    for (number, block) in body.chunks(BLOCK_BYTES).enumerate() {
        out.extend_from_slice(&(block.len() as u32).to_le_bytes());
        out.extend_from_slice(&block_crc(salt, number, block).to_le_bytes());
        out.extend_from_slice(block);
    }
    out
}

/// What a body takes in blocks.
pub fn blocks_bytes(body_bytes: usize) -> usize {
    let heads = body_bytes.div_ceil(BLOCK_BYTES).saturating_mul(BLOCK_HEAD_BYTES);
    body_bytes.saturating_add(heads)
}

/// The body of blocks that hold.
pub fn from_blocks(salt: u64, bytes: &[u8]) -> Result<Vec<u8>, CodecError> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut reader = Reader(bytes);
    let mut numbers = 0..;
    while !reader.0.is_empty() {
        let number = numbers.next().ok_or(CodecError::Value)?;
        let (length, crc) = (reader.u32()?, reader.u32()?);
        let block = reader.take(length as usize)?;
        if crc != block_crc(salt, number, block) {
            return Err(CodecError::Checksum);
        }
        out.extend_from_slice(block);
    }
    Ok(out)
}

fn block_crc(salt: u64, number: usize, block: &[u8]) -> u32 {
    let mut crc = record::Crc32c::default();
    crc.update(&salt.to_le_bytes());
    crc.update(&(number as u64).to_le_bytes());
    crc.update(block);
    crc.finish()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_block_that_moved_or_belongs_to_another_life_is_seen() {
        let body: Vec<u8> = (0..200_000u32).map(|at| at as u8).collect();
        let blocks = to_blocks(7, &body);
        assert_eq!(blocks.len(), blocks_bytes(body.len()));
        assert_eq!(from_blocks(7, &blocks), Ok(body));
        assert_eq!(from_blocks(8, &blocks), Err(CodecError::Checksum));
        let mut swapped = blocks[64 << 10..128 << 10].to_vec();
        swapped.extend_from_slice(&blocks[..64 << 10]);
        assert_eq!(from_blocks(7, &swapped), Err(CodecError::Checksum));
        assert_eq!(
            from_blocks(7, &blocks[..blocks.len() - 1]),
            Err(CodecError::Short)
        );
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_are_an_error_or_a_body(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(body) = from_blocks(1, &bytes) {
                prop_assert!(body.len() <= bytes.len());
            }
        }
    }
}
