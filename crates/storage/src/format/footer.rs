//! The footer of a sealed chunk: which partitions have batches in it, and where. Behind the SEAL, in checksummed blocks;
//! the trailer in the last 64 bytes of the chunk says where it begins.

use types::{Lsn, Offset, TopicIdPartition};

use super::codec::{CodecError, Reader, Writer, from_blocks, to_blocks};
use super::{le, put};

pub const TRAILER_BYTES: usize = 64;
/// One extent in a footer.
pub const EXTENT_BYTES: usize = 16;
/// Of a stream chunk's footer.
const VERSION: u16 = 1;
/// Of a sorted chunk's: its extents have a checksum each.
const VERSION_SORTED: u16 = 2;
const MAGIC: u64 = u64::from_le_bytes(*b"OTTLAFTR");

/// A contiguous piece of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FineExtent {
    /// Above the run's base.
    pub offset_delta: u32,
    /// In the chunk.
    pub position: u32,
    pub bytes: u32,
    /// Below the run's largest timestamp; the largest value stands for everything above it.
    pub ts_delta: u32,
    /// In a sorted chunk: over the first 21 bytes of each batch, as in an entry. 0 in a stream chunk, whose entries have
    /// it.
    pub cover_crc: u32,
}

/// The batches of one partition in one chunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FooterRun {
    pub target: TopicIdPartition,
    pub incarnation: u32,
    pub base: Offset,
    pub next: Offset,
    pub bytes: u64,
    pub batches: u32,
    pub max_timestamp: i64,
    pub max_wall_ms: i64,
    pub first_lsn: Lsn,
    pub last_lsn: Lsn,
    pub extents: Vec<FineExtent>,
}

/// What a partition was at the end of the chunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FooterState {
    pub target: TopicIdPartition,
    pub incarnation: u32,
    pub log_end: Offset,
    pub state: Vec<u8>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Footer {
    pub runs: Vec<FooterRun>,
    pub states: Vec<FooterState>,
}

/// The least that a run takes in a footer.
const RUN_BYTES: usize = 20 + 4 + 8 * 3 + 4 + 8 * 4 + 8 + 4;
const STATE_BYTES: usize = 20 + 4 + 8 + 4;

impl Footer {
    /// The blocks of a stream chunk's footer, salted with the chunk's life.
    pub fn encode(&self, life: u64) -> Vec<u8> {
        self.encode_as(VERSION, life)
    }

    /// The blocks of a sorted chunk's footer.
    pub fn encode_sorted(&self, life: u64) -> Vec<u8> {
        self.encode_as(VERSION_SORTED, life)
    }

    fn encode_as(&self, version: u16, life: u64) -> Vec<u8> {
        let mut out = Writer::default();
        out.u16(version);
        out.count(self.runs.len());
        self.runs
            .iter()
            .for_each(|run| encode_run(&mut out, version, run));
        out.count(self.states.len());
        for state in &self.states {
            out.target(state.target);
            out.u32(state.incarnation);
            out.i64(state.log_end.0);
            out.bytes(&state.state);
        }
        to_blocks(life, &out.0)
    }

    pub fn decode(life: u64, blocks: &[u8]) -> Result<Footer, CodecError> {
        let body = from_blocks(life, blocks)?;
        let mut reader = Reader(&body);
        let version = reader.u16()?;
        if version != VERSION && version != VERSION_SORTED {
            return Err(CodecError::Version(version));
        }
        let runs = (0..reader.count(RUN_BYTES)?)
            .map(|_| decode_run(&mut reader, version))
            .collect::<Result<_, _>>()?;
        let mut states = Vec::new();
        for _ in 0..reader.count(STATE_BYTES)? {
            states.push(FooterState {
                target: reader.target()?,
                incarnation: reader.u32()?,
                log_end: Offset(reader.i64()?),
                state: reader.bytes()?.to_vec(),
            });
        }
        Ok(Footer { runs, states })
    }
}

fn encode_run(out: &mut Writer, version: u16, run: &FooterRun) {
    out.target(run.target);
    out.u32(run.incarnation);
    out.i64(run.base.0);
    out.i64(run.next.0);
    out.u64(run.extents.first().map_or(0, |extent| u64::from(extent.position)));
    out.u64(run.bytes);
    out.u32(run.batches);
    out.i64(run.max_timestamp);
    out.i64(run.max_wall_ms);
    out.u64(run.first_lsn.0);
    out.u64(run.last_lsn.0);
    out.count(run.extents.len());
    for extent in &run.extents {
        [
            extent.offset_delta,
            extent.position,
            extent.bytes,
            extent.ts_delta,
        ]
        .into_iter()
        .for_each(|word| out.u32(word));
        if version == VERSION_SORTED {
            out.u32(extent.cover_crc);
        }
    }
}

fn decode_run(reader: &mut Reader<'_>, version: u16) -> Result<FooterRun, CodecError> {
    let (target, incarnation) = (reader.target()?, reader.u32()?);
    let (base, next) = (Offset(reader.i64()?), Offset(reader.i64()?));
    let _position = reader.u64()?;
    let (bytes, batches) = (reader.u64()?, reader.u32()?);
    let (max_timestamp, max_wall_ms) = (reader.i64()?, reader.i64()?);
    let (first_lsn, last_lsn) = (Lsn(reader.u64()?), Lsn(reader.u64()?));
    let mut extents = Vec::new();
    for _ in 0..reader.count(EXTENT_BYTES)? {
        extents.push(FineExtent {
            offset_delta: reader.u32()?,
            position: reader.u32()?,
            bytes: reader.u32()?,
            ts_delta: reader.u32()?,
            cover_crc: if version == VERSION_SORTED {
                reader.u32()?
            } else {
                0
            },
        });
    }
    Ok(FooterRun {
        target,
        incarnation,
        base,
        next,
        bytes,
        batches,
        max_timestamp,
        max_wall_ms,
        first_lsn,
        last_lsn,
        extents,
    })
}

/// The last 64 bytes of a chunk with a footer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trailer {
    pub position: u64,
    pub bytes: u64,
    /// No log began, ended, was cut or moved in the chunk: runs and states are all that a start has to know of it.
    pub is_delta: bool,
}

/// Flags of a trailer.
const IS_DELTA: u32 = 1;

impl Trailer {
    pub fn encode(&self, life: u64) -> [u8; TRAILER_BYTES] {
        let mut out = [0; TRAILER_BYTES];
        put(&mut out, 0, &MAGIC.to_le_bytes());
        put(&mut out, 8, &self.position.to_le_bytes());
        put(&mut out, 16, &self.bytes.to_le_bytes());
        let flags = if self.is_delta { IS_DELTA } else { 0 };
        put(&mut out, 24, &flags.to_le_bytes());
        let crc = trailer_crc(life, &out);
        put(&mut out, 60, &crc.to_le_bytes());
        out
    }

    /// `None` where there is no footer of this life.
    pub fn decode(life: u64, bytes: &[u8]) -> Option<Trailer> {
        let holds = bytes.len() == TRAILER_BYTES
            && u64::from_le_bytes(le(bytes, 0)) == MAGIC
            && u32::from_le_bytes(le(bytes, 60)) == trailer_crc(life, bytes);
        holds.then(|| Trailer {
            position: u64::from_le_bytes(le(bytes, 8)),
            bytes: u64::from_le_bytes(le(bytes, 16)),
            is_delta: u32::from_le_bytes(le(bytes, 24)) & IS_DELTA != 0,
        })
    }
}

fn trailer_crc(life: u64, bytes: &[u8]) -> u32 {
    let mut crc = record::Crc32c::default();
    crc.update(&life.to_le_bytes());
    crc.update(bytes.get(..60).unwrap_or_default());
    crc.finish()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use types::{PartitionIndex, Uuid};

    use super::*;

    fn sample(extents: usize) -> Footer {
        let target = TopicIdPartition {
            topic_id: Uuid([3; 16]),
            partition: PartitionIndex(4),
        };
        let extent = |at: usize| FineExtent {
            offset_delta: at as u32,
            position: 5000,
            bytes: 80,
            ts_delta: 3,
            cover_crc: 0,
        };
        let run = FooterRun {
            target,
            incarnation: 2,
            base: Offset(10),
            next: Offset(20),
            bytes: 800,
            batches: 10,
            max_timestamp: 99,
            max_wall_ms: 100,
            first_lsn: Lsn(4),
            last_lsn: Lsn(8),
            extents: (0..extents).map(extent).collect(),
        };
        let state = FooterState {
            target,
            incarnation: 2,
            log_end: Offset(20),
            state: vec![1, 2, 3],
        };
        Footer {
            runs: vec![run],
            states: vec![state],
        }
    }

    #[test]
    fn a_footer_round_trips_also_over_many_blocks() {
        for extents in [0, 1, 10_000] {
            let blocks = sample(extents).encode(77);
            assert_eq!(Footer::decode(77, &blocks), Ok(sample(extents)));
            assert!(Footer::decode(78, &blocks).is_err());
            let mut sorted = sample(extents);
            sorted.runs[0]
                .extents
                .iter_mut()
                .for_each(|extent| extent.cover_crc = 5);
            assert_eq!(Footer::decode(77, &sorted.encode_sorted(77)), Ok(sorted));
        }
        let trailer = Trailer {
            position: 5,
            bytes: 6,
            is_delta: true,
        };
        assert_eq!(Trailer::decode(1, &trailer.encode(1)), Some(trailer));
        assert_eq!(Trailer::decode(2, &trailer.encode(1)), None);
    }

    proptest! {
        #[test]
        fn a_body_with_changed_bytes_never_panics(at in 0usize..180, value: u8) {
            let mut body = from_blocks(1, &sample(2).encode(1)).expect("ours");
            let place = at % body.len();
            body[place] = value;
            let _ = Footer::decode(1, &to_blocks(1, &body));
        }
    }
}
