//! Reading: from memory at the tail, from cached pages without waiting, from the disk on somebody else's thread.
//!
//! Bytes of a chunk reach a reader only through memory of ours (invariant 6), and only after their batches have been
//! checked against the index and their own checksums: damage is an error, never a wrong record.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use smallvec::SmallVec;
use types::{LeaderEpoch, Offset};

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
pub struct ColdRead(Cold);

enum Cold {
    Planned(Plan),
    /// Where the batches lie is not in memory either.
    Unplanned {
        log: Arc<Log>,
        read: Read,
    },
}

struct Plan {
    pieces: Vec<Piece>,
    from: Offset,
    next_offset: Offset,
    bytes: usize,
    /// Of every batch, where there is only one.
    epoch: Option<LeaderEpoch>,
}

/// Neighbouring extents of one chunk, read by one call. Holds its chunk, which is not recycled meanwhile.
struct Piece {
    chunk: Arc<Chunk>,
    position: u64,
    length: usize,
    extents: Vec<Extent>,
}

/// What a read comes to, or the chunk whose fine index it needs first.
enum Chosen {
    Extents(Vec<Extent>),
    NeedsFine(u64),
}

/// Extents this close are read together: a gap costs less than a call.
const GAP_BYTES_MAX: u64 = 16 << 10;
/// One call reads at most this.
const PIECE_BYTES_MAX: u64 = 256 << 10;

impl Log {
    /// Reads what is in memory or in cached pages; the rest is given back to be waited for.
    pub fn read(self: &Arc<Log>, read: &Read) -> Result<ReadOutcome, ReadError> {
        let inner = self.inner.lock();
        self.check_range(&inner, read.from)?;
        let read = &Read {
            limit: read.limit.min(inner.segment_end(read.from)),
            ..*read
        };
        if let Some(slices) = from_tail(&inner, read) {
            return Ok(ReadOutcome::Ready(slices));
        }
        let chosen = self.choose(&inner, read);
        drop(inner);
        let Chosen::Extents(extents) = chosen else {
            let cold = Cold::Unplanned {
                log: self.clone(),
                read: *read,
            };
            return Ok(ReadOutcome::Cold(ColdRead(cold)));
        };
        let plan = self.plan(extents, read.from)?;
        match plan.try_cached()? {
            Some(slices) => Ok(ReadOutcome::Ready(slices)),
            None => Ok(ReadOutcome::Cold(ColdRead(Cold::Planned(plan)))),
        }
    }

    fn check_range(&self, inner: &Inner, from: Offset) -> Result<(), ReadError> {
        let (start, end) = (inner.state.log_start, self.written_end());
        if from < start || end < from {
            return Err(ReadError::OutOfRange {
                wanted: from,
                start,
                end,
            });
        }
        Ok(())
    }

    /// As [`Log::read`], waiting for the disk where that must be.
    pub(crate) fn read_waiting(&self, read: &Read) -> Result<Slices, ReadError> {
        loop {
            let inner = self.inner.lock();
            self.check_range(&inner, read.from)?;
            let chosen = self.choose(&inner, read);
            drop(inner);
            match chosen {
                Chosen::Extents(extents) => return self.plan(extents, read.from)?.run(),
                Chosen::NeedsFine(chunk) => match self.stream.load_fine(chunk) {
                    Err(ReadError::Offline) => return Err(self.chunk_is_gone(read.from)),
                    loaded => loaded.map(|_| ())?,
                },
            }
        }
    }

    /// The extents that a read takes: of runs by their fine index, then of the unsealed chunk.
    fn choose(&self, inner: &Inner, read: &Read) -> Chosen {
        let mut chosen: Vec<Extent> = Vec::new();
        let mut bytes = 0;
        let mut take = |extent: Extent, chosen: &mut Vec<Extent>| {
            let fits = bytes + extent.bytes as usize <= read.bytes_max || (bytes == 0 && read.at_least_one);
            if read.limit < extent.next || !fits {
                return false;
            }
            bytes += extent.bytes as usize;
            chosen.push(extent);
            true
        };
        for (run, end) in inner.index.runs_from(read.from) {
            if read.limit <= run.base {
                return Chosen::Extents(chosen);
            }
            let Some(fine) = self.stream.fine_cached(run.chunk) else {
                return if chosen.is_empty() {
                    Chosen::NeedsFine(run.chunk)
                } else {
                    Chosen::Extents(chosen)
                };
            };
            let log = (self.target, self.incarnation);
            for extent in fine.extents(log, run.chunk, read.from, end) {
                if !take(extent, &mut chosen) {
                    return Chosen::Extents(chosen);
                }
            }
        }
        for extent in inner.index.open_from(read.from) {
            if !take(*extent, &mut chosen) {
                break;
            }
        }
        Chosen::Extents(chosen)
    }

    /// The epoch that all of these were written in, if it is one.
    fn one_epoch(&self, extents: &[Extent]) -> Option<LeaderEpoch> {
        let (first, last) = (extents.first()?, extents.last()?);
        let inner = self.inner.lock();
        let epoch = inner.state.epochs.epoch_of(first.base);
        let at_end = inner.state.epochs.epoch_of(Offset(last.next.0 - 1));
        (epoch == at_end && epoch != LeaderEpoch::NONE).then_some(epoch)
    }

    fn plan(&self, extents: Vec<Extent>, from: Offset) -> Result<Plan, ReadError> {
        let next_offset = extents.last().map_or(from, |extent| extent.next);
        let bytes = extents.iter().map(|extent| extent.bytes as usize).sum();
        if let Some(first) = extents.first().filter(|first| from < first.base) {
            let what = format!("no batch holds offset {from}");
            return Err(ReadError::Damaged {
                chunk: first.chunk,
                position: first.position,
                what,
            });
        }
        let epoch = self.one_epoch(&extents);
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
            let chunk = self
                .stream
                .chunk(extent.chunk)
                .ok_or_else(|| self.chunk_is_gone(from))?;
            let length = extent.bytes as usize;
            pieces.push(Piece {
                chunk,
                position: extent.position,
                length,
                extents: vec![extent],
            });
        }
        Ok(Plan {
            pieces,
            from,
            next_offset,
            bytes,
            epoch,
        })
    }

    /// A chunk that the index named is not there: the start of the log has moved over it meanwhile.
    fn chunk_is_gone(&self, from: Offset) -> ReadError {
        let (start, end) = (self.log_start(), self.written_end());
        if from < start {
            ReadError::OutOfRange {
                wanted: from,
                start,
                end,
            }
        } else {
            ReadError::Offline
        }
    }
}

/// Serves a read whose batches are all in memory.
fn from_tail(inner: &Inner, read: &Read) -> Option<Slices> {
    let first = inner.tail.partition_point(|tail| tail.next <= read.from);
    inner.tail.get(first).filter(|tail| tail.base <= read.from)?;
    let mut slices = Slices {
        segments: SmallVec::new(),
        bytes: 0,
        next_offset: read.from,
    };
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

impl ColdRead {
    /// What it will give at most.
    pub fn bytes(&self) -> usize {
        match &self.0 {
            Cold::Planned(plan) => plan.bytes,
            Cold::Unplanned { read, .. } => read.bytes_max,
        }
    }

    /// Reads, waiting for the disk.
    pub fn run(self) -> Result<Slices, ReadError> {
        match self.0 {
            Cold::Planned(plan) => plan.run(),
            Cold::Unplanned { log, read } => log.read_waiting(&read),
        }
    }
}

impl Plan {
    fn run(self) -> Result<Slices, ReadError> {
        self.collect(|piece, into| {
            let file = &piece.chunk.file;
            file.append_exact_at(into, piece.length, piece.position)
                .map(|()| true)
        })
        .map(|slices| slices.unwrap_or_else(|| self.empty()))
    }

    fn try_cached(&self) -> Result<Option<Slices>, ReadError> {
        self.collect(|piece, into| {
            let file = &piece.chunk.file;
            file.try_append_cached_at(into, piece.length, piece.position)
        })
    }

    fn empty(&self) -> Slices {
        Slices {
            segments: SmallVec::new(),
            bytes: 0,
            next_offset: self.from,
        }
    }

    fn collect(
        &self,
        read: impl Fn(&Piece, &mut BytesMut) -> std::io::Result<bool>,
    ) -> Result<Option<Slices>, ReadError> {
        let mut slices = Slices {
            next_offset: self.next_offset,
            ..self.empty()
        };
        for piece in &self.pieces {
            let mut buffer = BytesMut::with_capacity(piece.length);
            if !read(piece, &mut buffer)? {
                return Ok(None);
            }
            let buffer = buffer.freeze();
            for extent in &piece.extents {
                let at = (extent.position - piece.position) as usize;
                let batches = buffer.slice(at..at + extent.bytes as usize);
                let whole = verify(&piece.chunk, extent, &batches, self.epoch)?;
                slices.bytes += whole;
                slices.segments.push(batches.slice(..whole));
            }
        }
        Ok(Some(slices))
    }
}

/// Compares what was read with what the index says lies there. Gives the bytes of the batches that were not cut off.
pub(crate) fn verify(
    chunk: &Chunk,
    extent: &Extent,
    bytes: &[u8],
    epoch: Option<LeaderEpoch>,
) -> Result<usize, ReadError> {
    let damaged = |what: String| ReadError::Damaged {
        chunk: chunk.id,
        position: extent.position,
        what,
    };
    let mut next = extent.base;
    let mut whole = 0;
    for batch in record::batches(bytes) {
        let (header, batch) = batch.map_err(|error| damaged(error.to_string()))?;
        if header.base_offset != next {
            return Err(damaged(format!(
                "offset {next} is wanted, {} is there",
                header.base_offset
            )));
        }
        // The checksum leaves the leader epoch out; the log's history has it.
        if let Some(epoch) = epoch.filter(|epoch| *epoch != header.leader_epoch) {
            return Err(damaged(format!(
                "epoch {epoch} is wanted, {} is there",
                header.leader_epoch
            )));
        }
        record::check_crc(&header, batch).map_err(|error| damaged(error.to_string()))?;
        if extent.next < header.next_offset() {
            // A truncation cut it off.
            return Ok(whole);
        }
        whole += batch.len();
        next = header.next_offset();
    }
    if next == extent.next {
        Ok(whole)
    } else {
        Err(damaged("batches are missing".to_owned()))
    }
}
