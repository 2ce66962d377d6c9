//! The payload of a REPLACE entry: a range of offsets is served by a run of a sorted chunk from here on.
//!
//! ```text
//! 0 version u16 | 2 flags u16 (bit 0: a compaction) | 4 reserved u32 | 8 chunk u64 | 16 bytes u64 | 24 max_timestamp i64
//! 32 rest_bytes u64 | 40 cleaned_to i64 | 48 segments u32, each base i64, bytes u64, first_timestamp i64, max_timestamp i64
//!   | markers gone u32, each i64
//! ```
//! `rest_bytes` is what is left of the run that the range ends in; 0 where it ends with one. A run of 0 bytes is none.

use bytes::Bytes;
use types::Offset;

use super::codec::{CodecError, Reader, Writer};
use crate::state::SegmentState;

const VERSION: u16 = 1;
const COMPACTED: u16 = 1;
const SEGMENT_BYTES: usize = 8 * 4;

/// What serves the range of the entry's offsets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replacement {
    pub chunk: u64,
    pub bytes: u64,
    pub max_timestamp: i64,
    pub rest_bytes: u64,
    pub compaction: Option<Compaction>,
}

/// What a compaction left.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Compaction {
    /// Below it the log holds the last record of each key only.
    pub cleaned_to: Offset,
    /// What became of the segments of the range.
    pub segments: Vec<SegmentState>,
    /// Offsets of abort markers that were removed, ascending: their transactions are forgotten.
    pub markers_gone: Vec<Offset>,
}

impl Replacement {
    pub fn encode(&self) -> Bytes {
        let mut out = Writer::default();
        out.u16(VERSION);
        out.u16(if self.compaction.is_some() { COMPACTED } else { 0 });
        out.u32(0);
        out.u64(self.chunk);
        out.u64(self.bytes);
        out.i64(self.max_timestamp);
        out.u64(self.rest_bytes);
        let none = Compaction::default();
        let compaction = self.compaction.as_ref().unwrap_or(&none);
        out.i64(compaction.cleaned_to.0);
        out.count(compaction.segments.len());
        for segment in &compaction.segments {
            out.i64(segment.base.0);
            out.u64(segment.bytes);
            out.i64(segment.first_timestamp);
            out.i64(segment.max_timestamp);
        }
        out.count(compaction.markers_gone.len());
        compaction
            .markers_gone
            .iter()
            .for_each(|marker| out.i64(marker.0));
        Bytes::from(out.0)
    }

    pub fn decode(bytes: &[u8]) -> Result<Replacement, CodecError> {
        let mut reader = Reader(bytes);
        let version = reader.u16()?;
        if version != VERSION {
            return Err(CodecError::Version(version));
        }
        let flags = reader.u16()?;
        let _reserved = reader.u32()?;
        let (chunk, bytes, max_timestamp) = (reader.u64()?, reader.u64()?, reader.i64()?);
        let (rest_bytes, cleaned_to) = (reader.u64()?, Offset(reader.i64()?));
        let mut segments = Vec::new();
        for _ in 0..reader.count(SEGMENT_BYTES)? {
            segments.push(SegmentState {
                base: Offset(reader.i64()?),
                bytes: reader.u64()?,
                first_timestamp: reader.i64()?,
                max_timestamp: reader.i64()?,
            });
        }
        let mut markers_gone = Vec::new();
        for _ in 0..reader.count(8)? {
            markers_gone.push(Offset(reader.i64()?));
        }
        let compaction = (flags & COMPACTED != 0).then_some(Compaction {
            cleaned_to,
            segments,
            markers_gone,
        });
        Ok(Replacement {
            chunk,
            bytes,
            max_timestamp,
            rest_bytes,
            compaction,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn replacement(compacts: bool, segments: usize) -> Replacement {
        let segment = |at: usize| SegmentState {
            base: Offset(at as i64),
            bytes: 5,
            first_timestamp: 6,
            max_timestamp: 7,
        };
        Replacement {
            chunk: 1,
            bytes: 2,
            max_timestamp: 3,
            rest_bytes: 4,
            compaction: compacts.then(|| Compaction {
                cleaned_to: Offset(9),
                segments: (0..segments).map(segment).collect(),
                markers_gone: (0..segments as i64).map(Offset).collect(),
            }),
        }
    }

    #[test]
    fn a_replacement_is_its_bytes() {
        for wanted in [replacement(false, 0), replacement(true, 0), replacement(true, 9)] {
            let bytes = wanted.encode();
            assert_eq!(Replacement::decode(&bytes), Ok(wanted));
            assert!(Replacement::decode(&bytes[..bytes.len() - 1]).is_err());
        }
    }

    proptest! {
        #[test]
        fn any_bytes_get_an_answer(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Replacement::decode(&bytes);
        }
    }
}
