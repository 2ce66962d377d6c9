//! Partition state as bytes, for footers and checkpoints. Little-endian, versioned, decoded within bounds.

use types::{LeaderEpoch, Offset, ProducerId};

use super::{PartitionState, Segments};
use crate::format::codec::{CodecError, Reader, Writer};

/// Version 1 had of segments only where they begin.
const VERSION: u16 = 2;

impl PartitionState {
    /// Equal states give equal bytes.
    pub fn encode(&self, out: &mut Writer) {
        out.u16(VERSION);
        out.i64(self.log_start.0);
        out.i64(self.high_watermark.0);
        out.count(self.epochs.entries().len());
        for (epoch, start) in self.epochs.entries() {
            out.i32(epoch.0);
            out.i64(start.0);
        }
        self.segments.encode(out);
        out.i64(self.cleaned_to.0);
        out.i64(self.compacted_to.0);
        out.count(self.aborted.len());
        for (producer, first, marker) in &self.aborted {
            out.i64(producer.0);
            out.i64(first.0);
            out.i64(marker.0);
        }
        self.transactions.encode(out);
        self.producers.encode(out);
    }

    /// Only bytes that `encode` gives are taken.
    pub fn decode(bytes: &[u8]) -> Result<PartitionState, CodecError> {
        let mut reader = Reader(bytes);
        let version = reader.u16()?;
        if !(1..=VERSION).contains(&version) {
            return Err(CodecError::Version(version));
        }
        let (log_start, high_watermark) = (Offset(reader.i64()?), Offset(reader.i64()?));
        let mut state = PartitionState {
            log_start,
            high_watermark,
            ..PartitionState::default()
        };
        for entries in 1..=reader.count(12)? {
            let (epoch, start) = (LeaderEpoch(reader.i32()?), Offset(reader.i64()?));
            state.epochs.push(epoch, start);
            rises(state.epochs.entries().len() == entries)?;
        }
        if version == 1 {
            state.segments = Segments::decode_bases(&mut reader, log_start)?;
        } else {
            state.segments = Segments::decode(&mut reader)?;
            state.cleaned_to = Offset(reader.i64()?);
            state.compacted_to = Offset(reader.i64()?);
        }
        for _ in 0..reader.count(24)? {
            let row = (
                ProducerId(reader.i64()?),
                Offset(reader.i64()?),
                Offset(reader.i64()?),
            );
            rises(state.aborted.last().is_none_or(|(_, _, before)| *before <= row.2))?;
            state.aborted.push(row);
        }
        state.transactions.decode(&mut reader)?;
        state.producers.decode(&mut reader)?;
        for open in state
            .producers
            .iter()
            .filter_map(|(_, producer)| producer.open_since)
        {
            state.transactions.begin(open);
        }
        if reader.0.is_empty() {
            Ok(state)
        } else {
            Err(CodecError::Value)
        }
    }
}

/// Lists ascend, or they are not ours.
fn rises(holds: bool) -> Result<(), CodecError> {
    if holds { Ok(()) } else { Err(CodecError::Value) }
}
