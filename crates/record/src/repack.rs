//! Batches in another codec than their producer's: a topic says which (`compression.type`; `LogValidator`).

use std::io::{self, Write};

use bytes::{Bytes, BytesMut};

use crate::codec::{Caps, Packer, Unpacker};
use crate::header::{CRC_FROM, HEADER_BYTES, LENGTH_FROM};
use crate::scan::scan;
use crate::{BatchError, BatchHeader, Codec, Rules, check, crc32c};

/// How a topic wants its batches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packing {
    pub codec: Codec,
    /// Kafka's level; none is the codec's own.
    pub level: Option<i32>,
}

/// The batch, checked before by `check_produced`, in another codec. Compressed records are read on the way, by the same
/// rules; memory follows the result, which `bytes_max` bounds.
pub fn repack(
    batch: &Bytes,
    header: &BatchHeader,
    rules: &Rules,
    packing: Packing,
) -> Result<(Bytes, BatchHeader), BatchError> {
    let codec = header.codec()?;
    let payload = batch.get(HEADER_BYTES..).unwrap_or_default();
    let out = Bounded {
        bytes: Vec::with_capacity(HEADER_BYTES + payload.len().min(rules.bytes_max)),
        max: rules.bytes_max.saturating_sub(HEADER_BYTES),
    };
    let mut packer = Packer::new(packing.codec, packing.level, out).map_err(|_| BatchError::CannotRepack)?;
    let mut header = *header;
    let too_large = |_| BatchError::TooLarge {
        bytes: batch.len(),
        max: rules.bytes_max,
    };
    if codec == Codec::None {
        packer.write_all(payload).map_err(too_large)?;
    } else {
        let caps = Caps::produced(rules.decompressed_bytes_max);
        let unpacker = Unpacker::new(codec, payload, caps)?;
        let mut checked = check::Collected::new(header, rules);
        let copied = scan(&header, unpacker, Some(&mut packer), |index, record| {
            checked.take(index, record)
        });
        match copied {
            Err(BatchError::CannotRepack) => return Err(too_large(io::Error::other("full"))),
            other => other?,
        };
        header.max_timestamp = checked.finish()?.unwrap_or(header.max_timestamp);
    }
    let packed = packer.finish().map_err(too_large)?.bytes;
    let repacked = sealed(batch, &header, &packed, packing.codec);
    let header = BatchHeader::parse(&repacked)?;
    Ok((repacked, header))
}

/// The old header with another payload, codec, length, largest time and checksum.
fn sealed(batch: &[u8], header: &BatchHeader, packed: &[u8], codec: Codec) -> Bytes {
    let mut out = BytesMut::with_capacity(HEADER_BYTES + packed.len());
    out.extend_from_slice(batch.get(..HEADER_BYTES).unwrap_or_default());
    out.extend_from_slice(packed);
    let length = (out.len() - LENGTH_FROM) as i32;
    let attributes = (header.attributes & !7) | codec.attributes();
    let mut put = |at: usize, bytes: &[u8]| {
        if let Some(place) = out.get_mut(at..at + bytes.len()) {
            place.copy_from_slice(bytes);
        }
    };
    put(8, &length.to_be_bytes());
    put(21, &attributes.to_be_bytes());
    put(35, &header.max_timestamp.to_be_bytes());
    let crc = crc32c(out.get(CRC_FROM..).unwrap_or_default());
    if let Some(place) = out.get_mut(17..21) {
        place.copy_from_slice(&crc.to_be_bytes());
    }
    out.freeze()
}

/// Takes up to `max` bytes.
struct Bounded {
    bytes: Vec<u8>,
    max: usize,
}

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.max < self.bytes.len().saturating_add(bytes.len()) {
            return Err(io::Error::other("the batch would be too large"));
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
