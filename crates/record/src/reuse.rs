//! Codecs for one payload after the other: what is dear to make (contexts, tables, room for what was opened) is made once.

use std::io::{self, Read};

use zstd::bulk::Compressor;
use zstd::zstd_safe::{CParameter, DCtx};

use crate::codec::{Caps, Unpacker, XERIAL_BLOCK_BYTES, snappy_block, snappy_head};
use crate::{BatchError, Codec, compress};

/// Magic, version 1 with independent blocks and no checksums, blocks of 64 KiB, and the checksum of these (LZ4 frame
/// format 1.6.4).
const LZ4_HEAD: [u8; 7] = [0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82];
const LZ4_BLOCK_BYTES: usize = 64 << 10;
/// A block that is stored as it is.
const LZ4_STORED: u32 = 1 << 31;
/// Room that is kept for the next payload.
const KEPT_BYTES_MAX: usize = 16 << 20;

/// Opens payloads.
#[derive(Default)]
pub struct ReusedUnpacker {
    plain: Vec<u8>,
    zstd: Option<DCtx<'static>>,
}

impl ReusedUnpacker {
    /// The plain bytes, at most `max` of them.
    pub fn open<'a>(
        &'a mut self,
        codec: Codec,
        packed: &'a [u8],
        max: usize,
    ) -> Result<&'a [u8], BatchError> {
        if codec == Codec::None {
            return Ok(packed);
        }
        self.plain.clear();
        self.plain.shrink_to(KEPT_BYTES_MAX);
        let zstd = (codec == Codec::Zstd).then(|| self.zstd.get_or_insert_with(DCtx::create));
        let mut unpacker = Unpacker::with(codec, packed, Caps::stored(max), zstd)?;
        let read = unpacker.read_to_end(&mut self.plain);
        read.map_err(|error| unpacker.refusal(&error))?;
        Ok(&self.plain)
    }
}

/// Packs payloads, at each codec's usual level.
#[derive(Default)]
pub struct ReusedPacker {
    packed: Vec<u8>,
    block: Vec<u8>,
    snappy: Option<snap::raw::Encoder>,
    zstd: Option<Compressor<'static>>,
}

impl ReusedPacker {
    pub fn pack<'a>(&'a mut self, codec: Codec, plain: &'a [u8]) -> io::Result<&'a [u8]> {
        self.packed.clear();
        self.packed.shrink_to(KEPT_BYTES_MAX);
        match codec {
            Codec::None => return Ok(plain),
            Codec::Gzip => self.packed.extend_from_slice(&compress(codec, plain)?),
            Codec::Snappy => {
                let encoder = self.snappy.get_or_insert_with(snap::raw::Encoder::new);
                snappy_head(&mut self.packed)?;
                for block in plain.chunks(XERIAL_BLOCK_BYTES) {
                    snappy_block(encoder, block, &mut self.packed)?;
                }
            }
            Codec::Lz4 => self.lz4(plain)?,
            Codec::Zstd => self.zstd(plain)?,
        }
        Ok(&self.packed)
    }

    fn lz4(&mut self, plain: &[u8]) -> io::Result<()> {
        self.packed.extend_from_slice(&LZ4_HEAD);
        for block in plain.chunks(LZ4_BLOCK_BYTES) {
            self.block.resize(lz4::block::compress_bound(LZ4_BLOCK_BYTES)?, 0);
            let bytes = lz4::block::compress_to_buffer(block, None, false, &mut self.block)?;
            let (length, body) = match self.block.get(..bytes).filter(|_| bytes < block.len()) {
                Some(packed) => (bytes as u32, packed),
                None => (block.len() as u32 | LZ4_STORED, block),
            };
            self.packed.extend_from_slice(&length.to_le_bytes());
            self.packed.extend_from_slice(body);
        }
        self.packed.extend_from_slice(&0u32.to_le_bytes());
        Ok(())
    }

    /// The size is known beforehand, so the tables fit it; the frame does not tell it, as Kafka's do not.
    fn zstd(&mut self, plain: &[u8]) -> io::Result<()> {
        let compressor = match &mut self.zstd {
            Some(compressor) => compressor,
            empty => {
                let mut compressor = Compressor::new(zstd::DEFAULT_COMPRESSION_LEVEL)?;
                compressor.set_parameter(CParameter::ContentSizeFlag(false))?;
                empty.insert(compressor)
            }
        };
        self.packed.reserve(zstd::zstd_safe::compress_bound(plain.len()));
        compressor.compress_to_buffer(plain, &mut self.packed)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::decompress;

    #[test]
    fn payloads_of_any_size_round_trip_one_after_the_other() {
        let (mut packer, mut unpacker) = (ReusedPacker::default(), ReusedUnpacker::default());
        let dull = |n: usize| (0..n).map(|at| (at / 40) as u8).collect::<Vec<u8>>();
        let mut seed = 1u32;
        let mut wild = |n: usize| {
            let next = |_| {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (seed >> 24) as u8
            };
            (0..n).map(next).collect::<Vec<u8>>()
        };
        for bytes in [0, 1, 100, 32 << 10, (64 << 10) + 1, 300_000, 7] {
            for plain in [dull(bytes), wild(bytes)] {
                for codec in Codec::ALL {
                    let packed = Bytes::copy_from_slice(packer.pack(codec, &plain).expect("memory suffices"));
                    let opened = unpacker.open(codec, &packed, bytes);
                    assert!(opened == Ok(&plain[..]), "{codec:?} {bytes}");
                    let other = decompress(codec, &packed, bytes);
                    assert!(other == Ok(Bytes::from(plain.clone())), "{codec:?} {bytes}");
                    let theirs = compress(codec, &plain).expect("memory suffices");
                    assert!(
                        unpacker.open(codec, &theirs, bytes) == Ok(&plain[..]),
                        "{codec:?} {bytes}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_payload_that_cannot_be_opened_leaves_nothing_behind() {
        let mut unpacker = ReusedUnpacker::default();
        for codec in [Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd] {
            let packed = compress(codec, &[7; 5000]).expect("memory suffices");
            assert_eq!(
                unpacker.open(codec, &packed, 4999),
                Err(BatchError::Bomb { max: 4999 })
            );
            assert!(unpacker.open(codec, &packed[..packed.len() / 2], 5000).is_err());
            assert_eq!(unpacker.open(codec, &packed, 5000), Ok(&[7; 5000][..]));
        }
    }
}
