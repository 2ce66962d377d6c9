//! How the blocks of a container file are compressed.

use std::io::Read;

/// A codec of the specification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Codec {
    Null,
    /// Raw deflate (RFC 1951).
    Deflate,
    /// Raw Snappy, followed by the CRC-32 of the plain bytes, big-endian.
    Snappy,
    Zstandard,
    Bzip2,
    Xz,
}

impl Codec {
    /// Every codec.
    pub const ALL: [Codec; 6] = [
        Codec::Null,
        Codec::Deflate,
        Codec::Snappy,
        Codec::Zstandard,
        Codec::Bzip2,
        Codec::Xz,
    ];

    /// As it is written in a file's `avro.codec`.
    pub fn name(self) -> &'static str {
        match self {
            Codec::Null => "null",
            Codec::Deflate => "deflate",
            Codec::Snappy => "snappy",
            Codec::Zstandard => "zstandard",
            Codec::Bzip2 => "bzip2",
            Codec::Xz => "xz",
        }
    }

    /// The codec of that name.
    pub fn of_name(name: &str) -> Option<Codec> {
        Codec::ALL.into_iter().find(|codec| codec.name() == name)
    }

    /// Puts the compressed `plain` into `out`, which is emptied first.
    pub(super) fn compress(self, plain: &[u8], out: &mut Vec<u8>) -> Result<(), String> {
        out.clear();
        let done = match self {
            Codec::Null => {
                out.extend_from_slice(plain);
                Ok(0)
            }
            Codec::Deflate => {
                flate2::read::DeflateEncoder::new(plain, flate2::Compression::default()).read_to_end(out)
            }
            Codec::Snappy => return compress_snappy(plain, out),
            Codec::Zstandard => {
                zstd::stream::read::Encoder::new(plain, 3).and_then(|mut zstd| zstd.read_to_end(out))
            }
            Codec::Bzip2 => {
                bzip2::read::BzEncoder::new(plain, bzip2::Compression::default()).read_to_end(out)
            }
            Codec::Xz => return compress_xz(plain, out),
        };
        done.map(drop).map_err(|error| error.to_string())
    }

    /// Puts the plain bytes into `out`, which is emptied first; at most `bytes_max` of them.
    pub(super) fn decompress(self, packed: &[u8], bytes_max: usize, out: &mut Vec<u8>) -> Result<(), String> {
        out.clear();
        match self {
            Codec::Null if packed.len() <= bytes_max => {
                out.extend_from_slice(packed);
                Ok(())
            }
            Codec::Null => Err(too_large(bytes_max)),
            Codec::Deflate => read_all(flate2::read::DeflateDecoder::new(packed), bytes_max, out),
            Codec::Snappy => decompress_snappy(packed, bytes_max, out),
            Codec::Zstandard => {
                let zstd = zstd::stream::read::Decoder::new(packed).map_err(|error| error.to_string())?;
                read_all(zstd, bytes_max, out)
            }
            Codec::Bzip2 => read_all(bzip2::read::MultiBzDecoder::new(packed), bytes_max, out),
            Codec::Xz => {
                // The dictionary is memory that a header asks for.
                let memory_kib = (bytes_max / 1024).clamp(1 << 10, 128 << 10) as u32;
                let xz = lzma_rust2::XzReader::new_mem_limit(packed, true, memory_kib);
                read_all(xz, bytes_max, out)
            }
        }
    }
}

fn too_large(bytes_max: usize) -> String {
    format!("more than {bytes_max} bytes when unpacked")
}

fn read_all(reader: impl Read, bytes_max: usize, out: &mut Vec<u8>) -> Result<(), String> {
    reader
        .take(bytes_max as u64 + 1)
        .read_to_end(out)
        .map_err(|error| error.to_string())?;
    if out.len() > bytes_max {
        Err(too_large(bytes_max))
    } else {
        Ok(())
    }
}

fn crc32(bytes: &[u8]) -> u32 {
    crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32IsoHdlc, bytes) as u32
}

fn compress_snappy(plain: &[u8], out: &mut Vec<u8>) -> Result<(), String> {
    *out = snap::raw::Encoder::new()
        .compress_vec(plain)
        .map_err(|error| error.to_string())?;
    out.extend_from_slice(&crc32(plain).to_be_bytes());
    Ok(())
}

fn decompress_snappy(packed: &[u8], bytes_max: usize, out: &mut Vec<u8>) -> Result<(), String> {
    let (packed, crc) = packed.split_last_chunk::<4>().ok_or("no room for the checksum")?;
    let length = snap::raw::decompress_len(packed).map_err(|error| error.to_string())?;
    if length > bytes_max {
        return Err(too_large(bytes_max));
    }
    out.resize(length, 0);
    let done = snap::raw::Decoder::new()
        .decompress(packed, out)
        .map_err(|error| error.to_string())?;
    out.truncate(done);
    if crc32(out) == u32::from_be_bytes(*crc) {
        Ok(())
    } else {
        Err("the checksum does not match".into())
    }
}

fn compress_xz(plain: &[u8], out: &mut Vec<u8>) -> Result<(), String> {
    use std::io::Write;
    let mut options = lzma_rust2::XzOptions::with_preset(6);
    // No larger than the block needs: the reader takes as much memory.
    options.lzma_options.dict_size = (plain.len() as u32).clamp(1 << 16, 1 << 23);
    let mut writer = lzma_rust2::XzWriter::new(out, options).map_err(|error| error.to_string())?;
    writer.write_all(plain).map_err(|error| error.to_string())?;
    writer.finish().map(drop).map_err(|error| error.to_string())
}
