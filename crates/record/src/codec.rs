//! Kafka's five codecs. Decompression streams: what a length field in the input claims buys no memory (`security.md` 5).

use std::io::{self, Read, Write};

use bytes::Bytes;

use crate::BatchError;
use crate::snappy::{Snappy, XERIAL_MAGIC};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Codec {
    None,
    Gzip,
    Snappy,
    Lz4,
    Zstd,
}

/// Java's block of plain bytes.
pub(crate) const XERIAL_BLOCK_BYTES: usize = 32 << 10;
/// Java's default of `compression.lz4.level`, which is the fast compressor; any other level is the thorough one.
const LZ4_FAST_LEVEL: i32 = 9;
const LZ4_LEVEL_MAX: i32 = 12;
/// zstd windows up to this are opened without a second thought.
const WINDOW_LOG: u32 = 23;
/// Producers at levels 20 to 22 ask for windows of up to 128 MiB, which is also where zstd-jni ends. Of a window only
/// what was written to is touched, so a cap on the output bounds it.
const WINDOW_LOG_MAX: u32 = 27;

/// What a payload may open to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caps {
    /// Bytes in all.
    pub bytes_max: usize,
    /// Bytes in all where the whole output stays in memory: a wide zstd window.
    pub window_max: usize,
}

/// No honest payload of more than `RATIO_FREE` opened bytes grows by more than this.
const RATIO_MAX: usize = 1000;
const RATIO_FREE: usize = 16 << 20;
/// What may be in memory of a payload that a producer sent.
const PRODUCED_WINDOW_MAX: usize = 6 << 20;

impl Caps {
    /// For what a client sent: its memory does not follow its claims.
    pub fn produced(bytes_max: usize) -> Caps {
        Caps {
            bytes_max,
            window_max: bytes_max.min(PRODUCED_WINDOW_MAX),
        }
    }

    /// For what the log holds.
    pub fn stored(bytes_max: usize) -> Caps {
        Caps {
            bytes_max,
            window_max: bytes_max,
        }
    }
}

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

/// At the codec's usual level.
pub fn compress(codec: Codec, plain: &[u8]) -> io::Result<Bytes> {
    let mut packer = Packer::new(codec, None, Vec::new())?;
    packer.write_all(plain)?;
    Ok(packer.finish()?.into())
}

/// Compresses what is written to it, into `W`.
pub(crate) enum Packer<W: Write> {
    None(W),
    Gzip(flate2::write::GzEncoder<W>),
    Snappy {
        out: W,
        block: Vec<u8>,
        encoder: Box<snap::raw::Encoder>,
    },
    Lz4(lz4::Encoder<W>),
    Zstd(zstd::stream::write::Encoder<'static, W>),
}

impl<W: Write> Packer<W> {
    /// Levels are Kafka's (`compression.*.level`).
    pub(crate) fn new(codec: Codec, level: Option<i32>, mut out: W) -> io::Result<Packer<W>> {
        Ok(match codec {
            Codec::None => Packer::None(out),
            Codec::Gzip => {
                let level = level.and_then(|level| u32::try_from(level).ok());
                let level = level.map_or_else(flate2::Compression::default, flate2::Compression::new);
                Packer::Gzip(flate2::write::GzEncoder::new(out, level))
            }
            Codec::Snappy => {
                snappy_head(&mut out)?;
                Packer::Snappy {
                    out,
                    block: Vec::with_capacity(XERIAL_BLOCK_BYTES),
                    encoder: Box::new(snap::raw::Encoder::new()),
                }
            }
            Codec::Lz4 => {
                let level = level.filter(|level| *level != LZ4_FAST_LEVEL).unwrap_or(0);
                let encoder = lz4::EncoderBuilder::new()
                    .block_mode(lz4::BlockMode::Independent)
                    .block_size(lz4::BlockSize::Max64KB)
                    .checksum(lz4::ContentChecksum::NoChecksum)
                    .level(level.clamp(0, LZ4_LEVEL_MAX).unsigned_abs())
                    .build(out)?;
                Packer::Lz4(encoder)
            }
            Codec::Zstd => Packer::Zstd(zstd::stream::write::Encoder::new(out, level.unwrap_or(3))?),
        })
    }

    pub(crate) fn finish(self) -> io::Result<W> {
        match self {
            Packer::None(out) => Ok(out),
            Packer::Gzip(encoder) => encoder.finish(),
            Packer::Snappy {
                mut out,
                block,
                mut encoder,
            } => {
                snappy_block(&mut encoder, &block, &mut out)?;
                Ok(out)
            }
            Packer::Lz4(encoder) => {
                let (out, result) = encoder.finish();
                result.map(|()| out)
            }
            Packer::Zstd(encoder) => encoder.finish(),
        }
    }
}

impl<W: Write> Write for Packer<W> {
    fn write(&mut self, plain: &[u8]) -> io::Result<usize> {
        match self {
            Packer::None(out) => out.write(plain),
            Packer::Gzip(encoder) => encoder.write(plain),
            Packer::Snappy { out, block, encoder } => {
                let taken = plain.len().min(XERIAL_BLOCK_BYTES - block.len());
                block.extend_from_slice(plain.get(..taken).unwrap_or_default());
                if block.len() == XERIAL_BLOCK_BYTES {
                    snappy_block(encoder, block, out)?;
                    block.clear();
                }
                Ok(taken)
            }
            Packer::Lz4(encoder) => encoder.write(plain),
            Packer::Zstd(encoder) => encoder.write(plain),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What stands in front of xerial's blocks.
pub(crate) fn snappy_head(out: &mut impl Write) -> io::Result<()> {
    out.write_all(&XERIAL_MAGIC)?;
    out.write_all(&1i32.to_be_bytes())?;
    out.write_all(&1i32.to_be_bytes())
}

/// One of xerial's blocks.
pub(crate) fn snappy_block(
    encoder: &mut snap::raw::Encoder,
    block: &[u8],
    out: &mut impl Write,
) -> io::Result<()> {
    if block.is_empty() {
        return Ok(());
    }
    let packed = encoder.compress_vec(block).map_err(io::Error::other)?;
    out.write_all(&(packed.len() as i32).to_be_bytes())?;
    out.write_all(&packed)
}

/// The plain bytes in one piece, at most `max` of them.
pub fn decompress(codec: Codec, packed: &Bytes, max: usize) -> Result<Bytes, BatchError> {
    if codec == Codec::None {
        return Ok(packed.clone());
    }
    let mut out = Vec::new();
    let mut reader = Unpacker::new(codec, packed, Caps::stored(max))?;
    let read = reader.read_to_end(&mut out);
    read.map_err(|error| reader.refusal(&error))?;
    Ok(out.into())
}

/// Reads what a payload opens to, up to its caps.
pub(crate) struct Unpacker<'a> {
    decoder: Decoder<'a>,
    left: usize,
    max: usize,
    over: bool,
}

enum Decoder<'a> {
    Plain(&'a [u8]),
    // Of several members, as Java's GZIPInputStream reads them.
    Gzip(Box<flate2::bufread::MultiGzDecoder<&'a [u8]>>),
    Snappy(Snappy<'a>),
    Lz4(Option<lz4::Decoder<&'a [u8]>>),
    Zstd(Box<zstd::stream::read::Decoder<'a, &'a [u8]>>),
}

impl<'a> Unpacker<'a> {
    pub(crate) fn new(codec: Codec, packed: &'a [u8], caps: Caps) -> Result<Unpacker<'a>, BatchError> {
        Unpacker::with(codec, packed, caps, None)
    }

    /// With a zstd context that was made before, if it is zstd.
    pub(crate) fn with(
        codec: Codec,
        packed: &'a [u8],
        caps: Caps,
        zstd: Option<&'a mut zstd::zstd_safe::DCtx<'static>>,
    ) -> Result<Unpacker<'a>, BatchError> {
        let ratio = packed.len().saturating_mul(RATIO_MAX).max(RATIO_FREE);
        let mut max = caps.bytes_max.min(ratio);
        let decoder = match codec {
            Codec::None => Decoder::Plain(packed),
            Codec::Gzip => Decoder::Gzip(Box::new(flate2::bufread::MultiGzDecoder::new(packed))),
            Codec::Snappy => Decoder::Snappy(Snappy::new(packed).map_err(failed)?),
            Codec::Lz4 => Decoder::Lz4(Some(lz4::Decoder::new(packed).map_err(failed)?)),
            Codec::Zstd => {
                let mut decoder = match zstd {
                    Some(context) => zstd::stream::read::Decoder::with_context(packed, context),
                    None => zstd::stream::read::Decoder::with_buffer(packed).map_err(failed)?,
                };
                decoder.window_log_max(WINDOW_LOG_MAX).map_err(failed)?;
                if (1 << WINDOW_LOG) < zstd_window(packed) {
                    max = max.min(caps.window_max);
                }
                Decoder::Zstd(Box::new(decoder))
            }
        };
        Ok(Unpacker {
            decoder,
            left: max,
            max,
            over: false,
        })
    }

    /// What an error of reading means for the batch.
    pub(crate) fn refusal(&self, error: &io::Error) -> BatchError {
        if self.over {
            BatchError::Bomb { max: self.max }
        } else {
            failed(error)
        }
    }
}

impl Read for Unpacker<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        // One byte beyond the cap tells whether there is more.
        let wanted = into.len().min(self.left.saturating_add(1));
        let into = into.get_mut(..wanted).unwrap_or_default();
        let count = self.decoder.read(into)?;
        if self.left < count {
            self.over = true;
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the cap is reached"));
        }
        self.left -= count;
        Ok(count)
    }
}

impl Read for Decoder<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Decoder::Plain(bytes) => bytes.read(into),
            Decoder::Gzip(decoder) => decoder.read(into),
            Decoder::Snappy(decoder) => decoder.read(into),
            Decoder::Lz4(slot) => {
                let Some(decoder) = slot else { return Ok(0) };
                let count = decoder.read(into)?;
                if count == 0
                    && !into.is_empty()
                    && let Some(decoder) = slot.take()
                {
                    // It says nothing of a frame that is cut, until it is asked; and then in a way that asks for a retry.
                    let whole = decoder.finish().1;
                    whole.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
                }
                Ok(count)
            }
            Decoder::Zstd(decoder) => decoder.read(into),
        }
    }
}

/// The window that the first frame of a zstd payload asks for (RFC 8878, 3.1.1.1); 0 if it does not say. A frame in one
/// segment has its content as window.
fn zstd_window(packed: &[u8]) -> u64 {
    let Some(descriptor) = packed.get(4).copied() else {
        return 0;
    };
    if descriptor & 0x20 == 0 {
        let byte = packed.get(5).copied().unwrap_or(0);
        let base = 1u64 << (10 + (byte >> 3));
        return base + base / 8 * u64::from(byte & 7);
    }
    let dictionary = match descriptor & 3 {
        0 => 0,
        1 => 1,
        2 => 2,
        _ => 4,
    };
    let bytes = 1usize << (descriptor >> 6);
    let field = packed
        .get(5 + dictionary..5 + dictionary + bytes)
        .unwrap_or_default();
    field
        .iter()
        .rev()
        .fold(0, |sum, byte| (sum << 8) | u64::from(*byte))
}

fn failed(error: impl std::fmt::Display) -> BatchError {
    BatchError::Decompress {
        what: error.to_string(),
    }
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
    fn levels_are_taken() {
        let plain: Vec<u8> = (0..200_000u32)
            .flat_map(|n| (n % 997 * (n % 13) / 11).to_le_bytes())
            .collect();
        let size = |codec, level| {
            let mut packer = Packer::new(codec, Some(level), Vec::new()).expect("a level of Kafka's");
            packer.write_all(&plain).expect("memory suffices");
            packer.finish().expect("memory suffices").len()
        };
        assert!(size(Codec::Gzip, 9) < size(Codec::Gzip, 1));
        assert!(size(Codec::Zstd, 19) < size(Codec::Zstd, -50));
        assert!(size(Codec::Lz4, 17) < size(Codec::Lz4, LZ4_FAST_LEVEL));
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

    #[test]
    fn a_wide_window_is_seen() {
        let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 22).expect("a level");
        encoder.write_all(&[7; 1000]).expect("small");
        assert!(1 << WINDOW_LOG < zstd_window(&encoder.finish().expect("small")));
        let small = compress(Codec::Zstd, &[7; 1000]).expect("small");
        assert!(zstd_window(&small) <= 1 << WINDOW_LOG);
    }
}
