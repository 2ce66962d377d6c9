//! Reading: from memory at the tail, from cached pages without waiting, from the disk on somebody else's thread.
//!
//! Bytes of a chunk reach a reader only through memory of ours (invariant 6), and only after their batches have been
//! checked against the index and their own checksums: damage is an error, never a wrong record.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use smallvec::SmallVec;
use types::Offset;

use super::{Extent, Inner, Log};
use crate::ReadError;
use crate::chunk::Chunk;

/// What is wanted.
#[derive(Debug, Clone, Copy)]
pub struct Read {
    pub from: Offset,
    /// Exclusive; a batch that crosses it is left out.
    pub limit: Offset,
    pub bytes_max: usize,
    /// The first batch comes even if it is larger than `bytes_max`.
    pub at_least_one: bool,
}

/// Whole batches, the first of which holds the offset that was asked for.
#[derive(Debug, Clone)]
pub struct Slices {
    pub segments: SmallVec<[Bytes; 2]>,
    pub bytes: usize,
    /// After the last batch.
    pub next_offset: Offset,
}

pub enum ReadOutcome {
    Ready(Slices),
    /// The disk must be waited for.
    Cold(ColdRead),
}

/// A read that waits for the disk: run it where waiting is allowed.
pub struct ColdRead {
    pieces: Vec<Piece>,
    from: Offset,
    next_offset: Offset,
    bytes: usize,
}

/// Neighbouring extents of one chunk, read by one call.
struct Piece {
    chunk: Arc<Chunk>,
    position: u64,
    length: usize,
    extents: Vec<Extent>,
}

/// Extents this close are read together: a gap costs less than a call.
const GAP_BYTES_MAX: u64 = 16 << 10;
/// One call reads at most this.
const PIECE_BYTES_MAX: u64 = 4 << 20;

impl Log {
    pub fn read(&self, read: &Read) -> Result<ReadOutcome, ReadError> {
        let inner = self.inner.lock();
        let (start, end) = (inner.state.log_start, self.written_end());
        if read.from < start || end < read.from {
            return Err(ReadError::OutOfRange { wanted: read.from, start, end });
        }
        if let Some(slices) = from_tail(&inner, read) {
            return Ok(ReadOutcome::Ready(slices));
        }
        let extents = choose(&inner, read);
        drop(inner);
        let cold = self.plan(extents, read.from)?;
        match cold.try_cached()? {
            Some(slices) => Ok(ReadOutcome::Ready(slices)),
            None => Ok(ReadOutcome::Cold(cold)),
        }
    }

    fn plan(&self, extents: Vec<Extent>, from: Offset) -> Result<ColdRead, ReadError> {
        let next_offset = extents.last().map_or(from, |extent| extent.next);
        let bytes = extents.iter().map(|extent| extent.bytes as usize).sum();
        let mut pieces: Vec<Piece> = Vec::new();
        for extent in extents {
            let end = extent.position + u64::from(extent.bytes);
            if let Some(piece) = pieces.last_mut().filter(|piece| piece.chunk.id == extent.chunk) {
                let piece_end = piece.position + piece.length as u64;
                let close = piece_end <= extent.position && extent.position - piece_end <= GAP_BYTES_MAX;
                if close && end - piece.position <= PIECE_BYTES_MAX {
                    piece.length = (end - piece.position) as usize;
                    piece.extents.push(extent);
                    continue;
                }
            }
            let chunk = self.stream.chunk(extent.chunk).ok_or(ReadError::Offline)?;
            let length = extent.bytes as usize;
            pieces.push(Piece { chunk, position: extent.position, length, extents: vec![extent] });
        }
        Ok(ColdRead { pieces, from, next_offset, bytes })
    }
}

/// Serves a read whose batches are all in memory.
fn from_tail(inner: &Inner, read: &Read) -> Option<Slices> {
    let first = inner.tail.partition_point(|tail| tail.next <= read.from);
    inner.tail.get(first).filter(|tail| tail.base <= read.from)?;
    let mut slices = Slices { segments: SmallVec::new(), bytes: 0, next_offset: read.from };
    for tail in inner.tail.range(first..) {
        let fits = slices.bytes + tail.bytes <= read.bytes_max || (slices.bytes == 0 && read.at_least_one);
        if read.limit < tail.next || !fits {
            break;
        }
        slices.bytes += tail.bytes;
        slices.next_offset = tail.next;
        slices.segments.extend(tail.segments.iter().cloned());
    }
    Some(slices)
}

fn choose(inner: &Inner, read: &Read) -> Vec<Extent> {
    let mut chosen = Vec::new();
    let mut bytes = 0;
    for extent in inner.index.from(read.from) {
        let fits = bytes + extent.bytes as usize <= read.bytes_max || (bytes == 0 && read.at_least_one);
        if read.limit < extent.next || !fits {
            break;
        }
        bytes += extent.bytes as usize;
        chosen.push(*extent);
    }
    chosen
}

impl ColdRead {
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Reads, waiting for the disk.
    pub fn run(self) -> Result<Slices, ReadError> {
        self.collect(|piece, into| piece.chunk.file.read_exact_at(into, piece.position).map(|()| true))
            .map(|slices| slices.unwrap_or_else(|| self.empty()))
    }

    fn try_cached(&self) -> Result<Option<Slices>, ReadError> {
        self.collect(|piece, into| piece.chunk.file.try_read_cached_at(into, piece.position))
    }

    fn empty(&self) -> Slices {
        Slices { segments: SmallVec::new(), bytes: 0, next_offset: self.from }
    }

    fn collect(
        &self,
        read: impl Fn(&Piece, &mut [u8]) -> std::io::Result<bool>,
    ) -> Result<Option<Slices>, ReadError> {
        let mut slices = Slices { bytes: self.bytes, next_offset: self.next_offset, ..self.empty() };
        for piece in &self.pieces {
            let mut buffer = BytesMut::zeroed(piece.length);
            if !read(piece, &mut buffer)? {
                return Ok(None);
            }
            let buffer = buffer.freeze();
            for extent in &piece.extents {
                let at = (extent.position - piece.position) as usize;
                let batches = buffer.slice(at..at + extent.bytes as usize);
                verify(&piece.chunk, extent, &batches)?;
                slices.segments.push(batches);
            }
        }
        Ok(Some(slices))
    }
}

/// Compares what was read with what the index says lies there.
pub(crate) fn verify(chunk: &Chunk, extent: &Extent, bytes: &[u8]) -> Result<(), ReadError> {
    let damaged = |what: String| ReadError::Damaged { chunk: chunk.id, position: extent.position, what };
    let mut next = extent.base;
    for batch in record::batches(bytes) {
        let (header, batch) = batch.map_err(|error| damaged(error.to_string()))?;
        if header.base_offset != next {
            return Err(damaged(format!("offset {next} is wanted, {} is there", header.base_offset)));
        }
        record::check_crc(&header, batch).map_err(|error| damaged(error.to_string()))?;
        next = header.next_offset();
    }
    if next == extent.next { Ok(()) } else { Err(damaged("batches are missing".to_owned())) }
}
