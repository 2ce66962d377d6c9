//! From the log of a partition of the offsets topic to the state of its groups.

use bytes::{Bytes, BytesMut};
use coordinator::group::{Record, RecordError, State};
use record::{BatchHeader, ControlType};
use rustc_hash::FxHashMap;
use storage::{Read, ReadOutcome, Slices};
use types::{Offset, ProducerId};

use crate::partition::Partition;

const READ_BYTES: usize = 4 << 20;

/// A replay under way.
struct Replay {
    state: State,
    /// Offsets that were committed in transactions that are not decided (written by Apache Kafka).
    undecided: FxHashMap<ProducerId, Vec<(Offset, Record)>>,
    /// Records of other protocols, which this version keeps in the log and does not read.
    unknown: u64,
}

/// Reads everything that is in the log. Records that are not committed yet count: answers wait for them.
pub(super) fn read_state(partition: &Partition) -> Result<State, String> {
    let log = partition.log();
    let end = log.written_end();
    let mut next = log.log_start();
    let mut replay = Replay {
        state: State::default(),
        undecided: FxHashMap::default(),
        unknown: 0,
    };
    while next < end {
        let read = Read {
            from: next,
            limit: end,
            bytes_max: READ_BYTES,
            at_least_one: true,
        };
        let slices = match log.read(&read).map_err(|error| error.to_string())? {
            ReadOutcome::Ready(slices) => slices,
            ReadOutcome::Cold(cold) => cold.run().map_err(|error| error.to_string())?,
        };
        if slices.next_offset <= next {
            return Err(format!("the log ends at {next} instead of {end}"));
        }
        let bytes = whole(&slices);
        for batch in record::batches(&bytes) {
            let (header, batch) = batch.map_err(|error| error.to_string())?;
            replay.batch(&header, &bytes.slice_ref(batch))?;
        }
        next = slices.next_offset;
    }
    if 0 < replay.unknown {
        let (topic, partition, count) = (&partition.topic, partition.index, replay.unknown);
        tracing::warn!(%topic, %partition, count, "records of a group protocol that is not served are left as they are");
    }
    Ok(replay.state)
}

fn whole(slices: &Slices) -> Bytes {
    if let [one] = slices.segments.as_slice() {
        return one.clone();
    }
    let mut whole = BytesMut::with_capacity(slices.bytes);
    slices
        .segments
        .iter()
        .for_each(|segment| whole.extend_from_slice(segment));
    whole.freeze()
}

impl Replay {
    fn batch(&mut self, header: &BatchHeader, batch: &Bytes) -> Result<(), String> {
        let payload = batch.slice(record::HEADER_BYTES.min(batch.len())..);
        let codec = header.codec().map_err(|error| error.to_string())?;
        let payload = match codec {
            record::Codec::None => payload,
            codec => record::decompress(codec, &payload, DECOMPRESSED_BYTES_MAX)
                .map_err(|error| error.to_string())?,
        };
        for read in record::walk(header, &payload) {
            let read = read.map_err(|error| error.to_string())?;
            let offset = header.base_offset.plus(i64::from(read.offset_delta));
            if header.is_control() {
                self.marker(header.producer_id, read.key);
                continue;
            }
            match Record::decode(read.key, read.value) {
                Ok(change) if header.is_transactional() => {
                    let undecided = self.undecided.entry(header.producer_id).or_default();
                    undecided.push((offset.plus(1), change));
                }
                Ok(change) => self.state.apply(offset.plus(1), &change),
                Err(RecordError::UnknownType(_)) => self.unknown += 1,
                Err(error) => return Err(format!("the record at {offset}: {error}")),
            }
        }
        Ok(())
    }

    /// A transaction's end: what it committed counts from here.
    fn marker(&mut self, producer: ProducerId, key: Option<&[u8]>) {
        let kind = key.and_then(ControlType::from_key);
        for (end, change) in self.undecided.remove(&producer).unwrap_or_default() {
            if kind == Some(ControlType::Commit) {
                self.state.apply(end, &change);
            }
        }
    }
}

/// A batch of ours is never larger than a message may be; Apache's may be compressed.
const DECOMPRESSED_BYTES_MAX: usize = 256 << 20;
