//! Kafka's five codecs. Decompression streams into a bounded buffer: what a length field in the input claims buys no
//! memory (`security.md` 5).

use std::io::{Read, Write};

use bytes::Bytes;

use crate::BatchError;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Codec {
    None,
    Gzip,
    Snappy,
    Lz4,
    Zstd,
}

/// Java's block framing around raw snappy (xerial snappy-java): magic, version, compatible version.
const XERIAL_MAGIC: [u8; 8] = [0x82, b'S', b'N', b'A', b'P', b'P', b'Y', 0];
const XERIAL_HEADER_BYTES: usize = 16;
const XERIAL_BLOCK_BYTES: usize = 32 << 10;

impl Codec {
    pub const ALL: [Codec; 5] = [Codec::None, Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd];

    pub fn from_attributes(attributes: i16) -> Result<Codec, BatchError> {
        match attributes & 7 {
            0 => Ok(Codec::None),
            1 => Ok(Codec::Gzip),
            2 => Ok(Codec::Snappy),
            3 => Ok(Codec::Lz4),
            4 => Ok(Codec::Zstd),
            codec => Err(BatchError::UnknownCodec { codec }),
        }
    }

    pub fn attributes(self) -> i16 {
        self as i16
    }
}

pub fn compress(codec: Codec, plain: &[u8]) -> std::io::Result<Bytes> {
    Ok(match codec {
        Codec::None => Bytes::copy_from_slice(plain),
        Codec::Gzip => {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
            encoder.write_all(plain)?;
            encoder.finish()?.into()
        }
        Codec::Snappy => snappy(plain)?,
        Codec::Lz4 => {
            let mut encoder = lz4::EncoderBuilder::new()
                .block_mode(lz4::BlockMode::Independent)
                .block_size(lz4::BlockSize::Max64KB)
                .checksum(lz4::ContentChecksum::NoChecksum)
                .build(Vec::new())?;
            encoder.write_all(plain)?;
            let (out, result) = encoder.finish();
            result?;
            out.into()
        }
        Codec::Zstd => zstd::stream::encode_all(plain, 3)?.into(),
    })
}

fn snappy(plain: &[u8]) -> std::io::Result<Bytes> {
    let mut out = Vec::with_capacity(XERIAL_HEADER_BYTES + plain.len() / 2);
    out.extend_from_slice(&XERIAL_MAGIC);
    out.extend_from_slice(&1i32.to_be_bytes());
    out.extend_from_slice(&1i32.to_be_bytes());
    let mut encoder = snap::raw::Encoder::new();
    for block in plain.chunks(XERIAL_BLOCK_BYTES) {
        let packed = encoder.compress_vec(block).map_err(std::io::Error::other)?;
        out.extend_from_slice(&(packed.len() as i32).to_be_bytes());
        out.extend_from_slice(&packed);
    }
    Ok(out.into())
}

/// The plain bytes, at most `max` of them.
pub fn decompress(codec: Codec, packed: &Bytes, max: usize) -> Result<Bytes, BatchError> {
    match codec {
        Codec::None => Ok(packed.clone()),
        // Of several members, as Java's GZIPInputStream reads them.
        Codec::Gzip => read_capped(flate2::read::MultiGzDecoder::new(&packed[..]), max),
        Codec::Snappy => unsnappy(packed, max),
        Codec::Lz4 => {
            let mut decoder = lz4::Decoder::new(&packed[..]).map_err(failed)?;
            let plain = read_capped(&mut decoder, max)?;
            // The decoder says nothing of a frame that is cut, until it is asked.
            decoder.finish().1.map_err(failed)?;
            Ok(plain)
        }
        Codec::Zstd => {
            let mut decoder = zstd::stream::read::Decoder::new(&packed[..]).map_err(failed)?;
            // Producers at levels 20 to 22 ask for windows of up to 128 MiB, which is also where zstd-jni ends. Of a
            // window only what was written to is touched, and `max` bounds that.
            decoder.window_log_max(27).map_err(failed)?;
            read_capped(decoder, max)
        }
    }
}

fn failed(error: impl std::fmt::Display) -> BatchError {
    BatchError::Decompress {
        what: error.to_string(),
    }
}

fn read_capped(source: impl Read, max: usize) -> Result<Bytes, BatchError> {
    let mut out = Vec::new();
    source
        .take(max as u64 + 1)
        .read_to_end(&mut out)
        .map_err(failed)?;
    if max < out.len() {
        return Err(BatchError::Bomb { max });
    }
    Ok(out.into())
}

fn unsnappy(packed: &[u8], max: usize) -> Result<Bytes, BatchError> {
    let mut out = Vec::new();
    if !packed.starts_with(&XERIAL_MAGIC) {
        unsnappy_block(packed, max, &mut out)?;
        return Ok(out.into());
    }
    let mut rest = packed
        .get(XERIAL_HEADER_BYTES..)
        .ok_or_else(|| failed("the snappy header is cut"))?;
    while !rest.is_empty() {
        let (length, after) = rest
            .split_first_chunk::<4>()
            .ok_or_else(|| failed("a snappy block is cut"))?;
        let length = usize::try_from(i32::from_be_bytes(*length)).map_err(failed)?;
        let (block, after) = after
            .split_at_checked(length)
            .ok_or_else(|| failed("a snappy block is cut"))?;
        unsnappy_block(block, max, &mut out)?;
        rest = after;
    }
    Ok(out.into())
}

fn unsnappy_block(block: &[u8], max: usize, out: &mut Vec<u8>) -> Result<(), BatchError> {
    let claimed = snap::raw::decompress_len(block).map_err(failed)?;
    if max < out.len().saturating_add(claimed) {
        return Err(BatchError::Bomb { max });
    }
    // A snappy byte of input gives at most 64 bytes or so of output: a larger claim is forged.
    if block.len().saturating_mul(64).saturating_add(64) < claimed {
        return Err(failed("the snappy length is forged"));
    }
    let start = out.len();
    out.resize(start + claimed, 0);
    let place = out.get_mut(start..).unwrap_or_default();
    let written = snap::raw::Decoder::new()
        .decompress(block, place)
        .map_err(failed)?;
    out.truncate(start + written);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_codec_round_trips() {
        let plain: Vec<u8> = (0..100_000u32).flat_map(|n| (n / 7).to_le_bytes()).collect();
        for codec in Codec::ALL {
            let packed = compress(codec, &plain).expect("memory suffices");
            assert_eq!(
                decompress(codec, &packed, plain.len()).as_deref(),
                Ok(&plain[..]),
                "{codec:?}"
            );
            if codec != Codec::None {
                let bomb = decompress(codec, &packed, plain.len() - 1);
                assert_eq!(bomb, Err(BatchError::Bomb { max: plain.len() - 1 }), "{codec:?}");
            }
        }
    }

    #[test]
    fn raw_snappy_is_read_too() {
        let packed = snap::raw::Encoder::new()
            .compress_vec(b"hello hello hello")
            .expect("small");
        assert_eq!(
            decompress(Codec::Snappy, &packed.into(), 100).as_deref(),
            Ok(&b"hello hello hello"[..])
        );
    }

    #[test]
    fn garbage_is_an_error() {
        let garbage = Bytes::from_static(&[0xff; 40]);
        for codec in [Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd] {
            assert!(decompress(codec, &garbage, 1 << 20).is_err(), "{codec:?}");
        }
    }
}
