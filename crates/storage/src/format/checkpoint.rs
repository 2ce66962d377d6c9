//! A checkpoint: every partition that ever held data, and where each stream stood. Replay begins there. A delta says the
//! same of the partitions that were touched since the checkpoint before it.

use types::{Offset, TopicIdPartition, Uuid};

use super::codec::{CodecError, Reader, Writer, from_blocks, to_blocks};
use super::{le, put};

const MAGIC: u64 = u64::from_le_bytes(*b"OTTLACKP");
const DELTA_MAGIC: u64 = u64::from_le_bytes(*b"OTTLADLT");
const VERSION: u16 = 1;
const HEAD_BYTES: usize = 64;

/// Where replay of a stream begins: the end of its group `lsn`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamPlace {
    pub stream: u16,
    pub chunk: u64,
    pub position: u64,
    pub chain: u32,
    pub lsn: u64,
}

/// A chunk and what lives in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChunkInUse {
    pub stream: u16,
    pub chunk: u64,
    pub kind: u8,
    pub live_bytes: u64,
}

/// The batches of a partition in a sealed chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunRecord {
    pub chunk: u64,
    pub base: Offset,
    pub bytes: u64,
    pub max_timestamp: i64,
}

/// A piece of an unsealed chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExtentRecord {
    pub chunk: u64,
    pub base: Offset,
    pub next: Offset,
    pub position: u64,
    pub bytes: u32,
    pub max_timestamp: i64,
}

/// A partition, whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogRecord {
    pub stream: u16,
    pub target: TopicIdPartition,
    pub incarnation: u32,
    pub topic_name: String,
    /// The state is that of a log which ends here.
    pub end: Offset,
    /// The end of what the runs and extents name; batches between it and `end` are found in replay.
    pub indexed: Offset,
    /// Something of it is lost.
    pub damaged: bool,
    pub state: Vec<u8>,
    pub runs: Vec<RunRecord>,
    pub extents: Vec<ExtentRecord>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checkpoint {
    pub directory_id: Uuid,
    pub wall_ms: i64,
    pub broker_epoch: i64,
    /// Nothing was written after it before the process ended.
    pub clean_stop: bool,
    pub next_chunk: u64,
    pub next_incarnation: u32,
    pub streams: Vec<StreamPlace>,
    pub chunks: Vec<ChunkInUse>,
    pub logs: Vec<LogRecord>,
}

const STREAM_BYTES: usize = 2 + 8 + 8 + 4 + 8;
const CHUNK_BYTES: usize = 2 + 8 + 1 + 8;
const RUN_BYTES: usize = 8 * 4;
const EXTENT_BYTES: usize = 8 * 4 + 4 + 8;
const LOG_BYTES: usize = 2 + 20 + 4 + 4 + 8 + 8 + 1 + 4 + 4 + 4;

/// What changed since the checkpoint before: its lists of streams and chunks are whole, of the logs it has those that
/// were touched.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CheckpointDelta {
    /// The base that it stands on in the end.
    pub base: u64,
    /// The checkpoint before it: the base, or another delta.
    pub previous: u64,
    /// Logs that hold nothing any more: incarnations up to this one.
    pub gone: Vec<(TopicIdPartition, u32)>,
    pub checkpoint: Checkpoint,
}

const GONE_BYTES: usize = 20 + 4;

impl Checkpoint {
    /// The file of a base. `seq` is its number, and salts its checksums.
    pub fn encode(&self, seq: u64) -> Vec<u8> {
        let mut out = Writer::default();
        self.encode_body(&mut out);
        to_file(MAGIC, seq, &out.0)
    }

    /// The base with the number `seq`.
    pub fn decode(seq: u64, file: &[u8]) -> Result<Checkpoint, CodecError> {
        let body = from_file(MAGIC, seq, file)?;
        decode_body(&mut Reader(&body))
    }

    fn encode_body(&self, out: &mut Writer) {
        out.0.extend_from_slice(&self.directory_id.0);
        out.i64(self.wall_ms);
        out.i64(self.broker_epoch);
        out.u8(u8::from(self.clean_stop));
        out.u64(self.next_chunk);
        out.u32(self.next_incarnation);
        out.count(self.streams.len());
        for place in &self.streams {
            out.u16(place.stream);
            out.u64(place.chunk);
            out.u64(place.position);
            out.u32(place.chain);
            out.u64(place.lsn);
        }
        out.count(self.chunks.len());
        for chunk in &self.chunks {
            out.u16(chunk.stream);
            out.u64(chunk.chunk);
            out.u8(chunk.kind);
            out.u64(chunk.live_bytes);
        }
        out.count(self.logs.len());
        self.logs.iter().for_each(|log| encode_log(out, log));
    }
}

impl CheckpointDelta {
    /// The file. `seq` is its number, in the same row as those of bases, and salts its checksums.
    pub fn encode(&self, seq: u64) -> Vec<u8> {
        let mut out = Writer::default();
        out.u64(self.base);
        out.u64(self.previous);
        out.count(self.gone.len());
        for (target, incarnation) in &self.gone {
            out.target(*target);
            out.u32(*incarnation);
        }
        self.checkpoint.encode_body(&mut out);
        to_file(DELTA_MAGIC, seq, &out.0)
    }

    /// The delta with the number `seq`.
    pub fn decode(seq: u64, file: &[u8]) -> Result<CheckpointDelta, CodecError> {
        let body = from_file(DELTA_MAGIC, seq, file)?;
        let mut reader = Reader(&body);
        let (base, previous) = (reader.u64()?, reader.u64()?);
        let mut gone = Vec::new();
        for _ in 0..reader.count(GONE_BYTES)? {
            gone.push((reader.target()?, reader.u32()?));
        }
        Ok(CheckpointDelta {
            base,
            previous,
            gone,
            checkpoint: decode_body(&mut reader)?,
        })
    }
}

fn to_file(magic: u64, seq: u64, body: &[u8]) -> Vec<u8> {
    let blocks = to_blocks(seq, body);
    let mut file = vec![0; HEAD_BYTES];
    put(&mut file, 0, &magic.to_le_bytes());
    put(&mut file, 8, &VERSION.to_le_bytes());
    put(&mut file, 16, &seq.to_le_bytes());
    put(&mut file, 24, &(blocks.len() as u64).to_le_bytes());
    let crc = record::crc32c(file.get(..60).unwrap_or_default());
    put(&mut file, 60, &crc.to_le_bytes());
    file.extend_from_slice(&blocks);
    file
}

fn from_file(magic: u64, seq: u64, file: &[u8]) -> Result<Vec<u8>, CodecError> {
    let (head, blocks) = file.split_at_checked(HEAD_BYTES).ok_or(CodecError::Short)?;
    let sound = u64::from_le_bytes(le(head, 0)) == magic
        && u64::from_le_bytes(le(head, 16)) == seq
        && u32::from_le_bytes(le(head, 60)) == record::crc32c(head.get(..60).unwrap_or_default());
    if !sound {
        return Err(CodecError::Checksum);
    }
    let version = u16::from_le_bytes(le(head, 8));
    if version != VERSION {
        return Err(CodecError::Version(version));
    }
    if u64::from_le_bytes(le(head, 24)) != blocks.len() as u64 {
        return Err(CodecError::Short);
    }
    from_blocks(seq, blocks)
}

fn decode_body(reader: &mut Reader<'_>) -> Result<Checkpoint, CodecError> {
    let mut checkpoint = Checkpoint {
        directory_id: Uuid(le(reader.take(16)?, 0)),
        wall_ms: reader.i64()?,
        broker_epoch: reader.i64()?,
        clean_stop: reader.u8()? != 0,
        next_chunk: reader.u64()?,
        next_incarnation: reader.u32()?,
        ..Checkpoint::default()
    };
    for _ in 0..reader.count(STREAM_BYTES)? {
        checkpoint.streams.push(StreamPlace {
            stream: reader.u16()?,
            chunk: reader.u64()?,
            position: reader.u64()?,
            chain: reader.u32()?,
            lsn: reader.u64()?,
        });
    }
    for _ in 0..reader.count(CHUNK_BYTES)? {
        checkpoint.chunks.push(ChunkInUse {
            stream: reader.u16()?,
            chunk: reader.u64()?,
            kind: reader.u8()?,
            live_bytes: reader.u64()?,
        });
    }
    for _ in 0..reader.count(LOG_BYTES)? {
        checkpoint.logs.push(decode_log(reader)?);
    }
    Ok(checkpoint)
}

fn encode_log(out: &mut Writer, log: &LogRecord) {
    out.u16(log.stream);
    out.target(log.target);
    out.u32(log.incarnation);
    out.bytes(log.topic_name.as_bytes());
    out.i64(log.end.0);
    out.i64(log.indexed.0);
    out.u8(u8::from(log.damaged));
    out.bytes(&log.state);
    out.count(log.runs.len());
    for run in &log.runs {
        out.u64(run.chunk);
        out.i64(run.base.0);
        out.u64(run.bytes);
        out.i64(run.max_timestamp);
    }
    out.count(log.extents.len());
    for extent in &log.extents {
        out.u64(extent.chunk);
        out.i64(extent.base.0);
        out.i64(extent.next.0);
        out.u64(extent.position);
        out.u32(extent.bytes);
        out.i64(extent.max_timestamp);
    }
}

fn decode_log(reader: &mut Reader<'_>) -> Result<LogRecord, CodecError> {
    let mut log = LogRecord {
        stream: reader.u16()?,
        target: reader.target()?,
        incarnation: reader.u32()?,
        topic_name: String::from_utf8_lossy(reader.bytes()?).into_owned(),
        end: Offset(reader.i64()?),
        indexed: Offset(reader.i64()?),
        damaged: reader.u8()? != 0,
        state: reader.bytes()?.to_vec(),
        runs: Vec::new(),
        extents: Vec::new(),
    };
    for _ in 0..reader.count(RUN_BYTES)? {
        log.runs.push(RunRecord {
            chunk: reader.u64()?,
            base: Offset(reader.i64()?),
            bytes: reader.u64()?,
            max_timestamp: reader.i64()?,
        });
    }
    for _ in 0..reader.count(EXTENT_BYTES)? {
        log.extents.push(ExtentRecord {
            chunk: reader.u64()?,
            base: Offset(reader.i64()?),
            next: Offset(reader.i64()?),
            position: reader.u64()?,
            bytes: reader.u32()?,
            max_timestamp: reader.i64()?,
        });
    }
    Ok(log)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use types::PartitionIndex;

    use super::*;

    fn sample() -> Checkpoint {
        let run = RunRecord {
            chunk: 1,
            base: Offset(0),
            bytes: 100,
            max_timestamp: 5,
        };
        let extent = ExtentRecord {
            chunk: 2,
            base: Offset(7),
            next: Offset(9),
            position: 4096,
            bytes: 70,
            max_timestamp: 6,
        };
        Checkpoint {
            directory_id: Uuid([1; 16]),
            wall_ms: 2,
            broker_epoch: 3,
            clean_stop: true,
            next_chunk: 4,
            next_incarnation: 5,
            streams: vec![StreamPlace {
                stream: 0,
                chunk: 2,
                position: 8192,
                chain: 6,
                lsn: 7,
            }],
            chunks: vec![ChunkInUse {
                stream: 0,
                chunk: 1,
                kind: 1,
                live_bytes: 100,
            }],
            logs: vec![LogRecord {
                stream: 0,
                target: TopicIdPartition {
                    topic_id: Uuid([9; 16]),
                    partition: PartitionIndex(1),
                },
                incarnation: 8,
                topic_name: "orders".to_owned(),
                end: Offset(10),
                indexed: Offset(9),
                damaged: false,
                state: vec![1, 2],
                runs: vec![run],
                extents: vec![extent],
            }],
        }
    }

    #[test]
    fn a_checkpoint_round_trips_under_its_own_number() {
        let file = sample().encode(3);
        assert_eq!(Checkpoint::decode(3, &file), Ok(sample()));
        assert!(Checkpoint::decode(4, &file).is_err());
        assert!(Checkpoint::decode(3, &file[..file.len() - 1]).is_err());
    }

    #[test]
    fn a_delta_round_trips_and_is_no_base() {
        let delta = CheckpointDelta {
            base: 3,
            previous: 4,
            gone: vec![(sample().logs[0].target, 9)],
            checkpoint: sample(),
        };
        let file = delta.encode(5);
        assert_eq!(CheckpointDelta::decode(5, &file), Ok(delta));
        assert!(CheckpointDelta::decode(6, &file).is_err());
        assert!(Checkpoint::decode(5, &file).is_err());
        assert!(CheckpointDelta::decode(3, &sample().encode(3)).is_err());
    }

    proptest! {
        #[test]
        fn any_flipped_bit_is_seen(at in 0usize..10_000, bit in 0u8..8) {
            let mut file = sample().encode(3);
            let place = at % file.len();
            file[place] ^= 1 << bit;
            prop_assert!(Checkpoint::decode(3, &file).is_err());
        }

        #[test]
        fn arbitrary_bodies_never_panic(body in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = decode_body(&mut Reader(&body));
        }
    }
}
