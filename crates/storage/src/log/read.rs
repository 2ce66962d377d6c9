//! Reading: from memory at the tail, from cached pages without waiting, from the disk on somebody else's thread.
//!
//! Bytes of a chunk reach a reader only through memory of ours (invariant 6), and only after their batches have been
//! checked against the index and their own checksums: damage is an error, never a wrong record.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use smallvec::SmallVec;
use types::{LeaderEpoch, Offset};

use super::{Extent, Inner, Log, read_buffer};
use crate::ReadError;
use crate::chunk::Chunk;
use crate::format::BATCH_COVER_BYTES;

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
    /// After the last batch, and what is known to be missing behind it.
    pub next_offset: Offset,
    /// There is more below the limit, which did not fit.
    refused: bool,
}

pub enum ReadOutcome {
    Ready(Slices),
    /// The disk must be waited for.
    Cold(ColdRead),
}

/// A read that waits for the disk: run it where waiting is allowed.
pub struct ColdRead(Cold);

enum Cold {
    Planned {
        plan: Plan,
        log: Arc<Log>,
        read: Read,
    },
    /// Where the batches lie is not in memory either.
    Unplanned {
        log: Arc<Log>,
        read: Read,
    },
}

struct Plan {
    pieces: Vec<Piece>,
    read: Read,
    next_offset: Offset,
    refused: bool,
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
    Extents(Taken),
    NeedsFine(u64),
}

/// Extents this close are read together: a gap costs less than a call.
const GAP_BYTES_MAX: u64 = 16 << 10;
/// One call reads at most this.
const PIECE_BYTES_MAX: u64 = 256 << 10;

impl Log {
    /// Reads what is in memory or in cached pages; the rest is given back to be waited for.
    pub fn read(self: &Arc<Log>, wanted: &Read) -> Result<ReadOutcome, ReadError> {
        let mut read = *wanted;
        loop {
            let inner = self.inner.lock();
            self.check_range(&inner, read.from)?;
            let segment_end = inner.segment_end(read.from);
            let bounded = Read {
                limit: wanted.limit.min(segment_end),
                ..read
            };
            if let Some(slices) = from_tail(&inner, &bounded) {
                return Ok(ReadOutcome::Ready(slices));
            }
            let chosen = self.choose(&inner, &bounded)?;
            drop(inner);
            let Chosen::Extents(taken) = chosen else {
                let log = self.clone();
                return Ok(ReadOutcome::Cold(ColdRead(Cold::Unplanned { log, read })));
            };
            let plan = self.plan(taken, &bounded)?;
            let Some(slices) = plan.try_cached()? else {
                let log = self.clone();
                return Ok(ReadOutcome::Cold(ColdRead(Cold::Planned { plan, log, read })));
            };
            match beyond_gap(&slices, &bounded, segment_end, wanted.limit) {
                Some(next) => read.from = next,
                None => return Ok(ReadOutcome::Ready(slices)),
            }
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
    pub(crate) fn read_waiting(&self, wanted: &Read) -> Result<Slices, ReadError> {
        let mut read = *wanted;
        loop {
            let inner = self.inner.lock();
            self.check_range(&inner, read.from)?;
            let segment_end = inner.segment_end(read.from);
            let bounded = Read {
                limit: wanted.limit.min(segment_end),
                ..read
            };
            let chosen = self.choose(&inner, &bounded)?;
            drop(inner);
            match chosen {
                Chosen::Extents(taken) => {
                    let slices = self.plan(taken, &bounded)?.run()?;
                    match beyond_gap(&slices, &bounded, segment_end, wanted.limit) {
                        Some(next) => read.from = next,
                        None => return Ok(slices),
                    }
                }
                Chosen::NeedsFine(chunk) => match self.stream.load_fine(chunk) {
                    Err(ReadError::Offline) => return Err(self.chunk_is_gone(read.from)),
                    loaded => loaded.map(|_| ())?,
                },
            }
        }
    }

    /// The extents that a read takes: of runs by their fine index, then of the unsealed chunk.
    fn choose(&self, inner: &Inner, read: &Read) -> Result<Chosen, ReadError> {
        let mut taken = Taken::default();
        'all: {
            for (run, end) in inner.index.runs_from(read.from) {
                if read.limit <= run.base {
                    break 'all;
                }
                let Some(fine) = self.stream.fine_cached(run.chunk) else {
                    if taken.extents.is_empty() {
                        return Ok(Chosen::NeedsFine(run.chunk));
                    }
                    break 'all;
                };
                let sorted = self
                    .stream
                    .chunk(run.chunk)
                    .is_some_and(|chunk| chunk.is_sorted());
                let log = (self.target, self.incarnation);
                for extent in fine.extents(log, &run, read.from, end) {
                    if !taken.take(extent, read, sorted) {
                        break 'all;
                    }
                }
            }
            for extent in inner.index.open_from(read.from) {
                if !taken.take(*extent, read, false) {
                    break 'all;
                }
            }
        }
        let gap = taken.extents.first().filter(|first| read.from < first.base);
        match gap.filter(|_| inner.state.compacted_to <= read.from) {
            Some(first) => Err(ReadError::Damaged {
                chunk: first.chunk,
                position: first.position,
                what: format!("no batch holds offset {}", read.from),
            }),
            None => Ok(Chosen::Extents(taken)),
        }
    }

    /// The epoch that all of these were written in, if it is one.
    pub(crate) fn one_epoch(&self, extents: &[Extent]) -> Option<LeaderEpoch> {
        let (first, last) = (extents.first()?, extents.last()?);
        let inner = self.inner.lock();
        let epoch = inner.state.epochs.epoch_of(first.base);
        let at_end = inner.state.epochs.epoch_of(Offset(last.next.0 - 1));
        (epoch == at_end && epoch != LeaderEpoch::NONE).then_some(epoch)
    }

    fn plan(&self, taken: Taken, read: &Read) -> Result<Plan, ReadError> {
        let Taken { extents, refused, .. } = taken;
        let from = read.from;
        let next_offset = extents.last().map_or(from, |extent| extent.next);
        let bytes = extents.iter().map(|extent| extent.bytes as usize).sum();
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
            read: *read,
            next_offset,
            refused,
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

/// Extents that were taken for a read.
#[derive(Default)]
struct Taken {
    extents: Vec<Extent>,
    bytes: usize,
    /// The next one was not.
    refused: bool,
}

impl Taken {
    /// Takes one more, if it fits. Of a sorted chunk's extent, which holds many batches, a part may be enough.
    fn take(&mut self, extent: Extent, read: &Read, sorted: bool) -> bool {
        let bytes = extent.bytes as usize;
        let fits = self.bytes + bytes <= read.bytes_max || (self.extents.is_empty() && read.at_least_one);
        let fits = fits || (sorted && self.bytes < read.bytes_max);
        let reaches = if sorted {
            read.limit <= extent.base
        } else {
            read.limit < extent.next
        };
        if reaches || !fits {
            // Beyond the limit nothing is refused: it is another read's.
            self.refused = !reaches;
            return false;
        }
        self.bytes += bytes;
        self.extents.push(extent);
        true
    }
}

/// Where a read goes on that found only offsets which a compaction removed; none if it found something, or the end.
fn beyond_gap(slices: &Slices, read: &Read, segment_end: Offset, limit: Offset) -> Option<Offset> {
    if slices.bytes != 0 {
        return None;
    }
    if read.from < slices.next_offset {
        return (slices.next_offset < limit).then_some(slices.next_offset);
    }
    // Nothing at all is left of the segment.
    (!slices.refused && segment_end < limit).then_some(segment_end)
}

/// Serves a read whose batches are all in memory.
fn from_tail(inner: &Inner, read: &Read) -> Option<Slices> {
    let first = inner.tail.partition_point(|tail| tail.next <= read.from);
    inner.tail.get(first).filter(|tail| tail.base <= read.from)?;
    let mut slices = Slices {
        segments: SmallVec::new(),
        bytes: 0,
        next_offset: read.from,
        refused: false,
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
            Cold::Planned { plan, .. } => plan.bytes,
            Cold::Unplanned { read, .. } => read.bytes_max,
        }
    }

    /// Reads, waiting for the disk.
    pub fn run(self) -> Result<Slices, ReadError> {
        match self.0 {
            Cold::Planned { plan, log, read } => {
                let slices = plan.run()?;
                // A gap: what lies behind it is looked for from there.
                if slices.bytes == 0 && read.from < slices.next_offset && slices.next_offset < read.limit {
                    let from = slices.next_offset;
                    return log.read_waiting(&Read { from, ..read });
                }
                Ok(slices)
            }
            Cold::Unplanned { log, read } => log.read_waiting(&read),
        }
    }
}

impl Plan {
    fn run(self) -> Result<Slices, ReadError> {
        let slices = self.collect(|piece| {
            let mut buffer = BytesMut::with_capacity(piece.length);
            let file = &piece.chunk.file;
            file.append_exact_at(&mut buffer, piece.length, piece.position)?;
            Ok(Some(buffer))
        })?;
        Ok(slices.unwrap_or_else(|| self.empty()))
    }

    fn try_cached(&self) -> Result<Option<Slices>, ReadError> {
        let wanted = self.pieces.iter().map(|piece| piece.length).sum();
        let mut buffer = read_buffer::take(wanted);
        let slices = self.collect(|piece| {
            let file = &piece.chunk.file;
            let is_cached = file.try_append_cached_at(&mut buffer, piece.length, piece.position)?;
            Ok(is_cached.then(|| buffer.split()))
        });
        read_buffer::keep(buffer, wanted);
        slices
    }

    fn empty(&self) -> Slices {
        Slices {
            segments: SmallVec::new(),
            bytes: 0,
            next_offset: self.read.from,
            refused: self.refused,
        }
    }

    fn collect(
        &self,
        mut read: impl FnMut(&Piece) -> std::io::Result<Option<BytesMut>>,
    ) -> Result<Option<Slices>, ReadError> {
        let mut slices = Slices {
            next_offset: self.next_offset,
            ..self.empty()
        };
        for piece in &self.pieces {
            let Some(buffer) = read(piece)?.map(BytesMut::freeze) else {
                return Ok(None);
            };
            for extent in &piece.extents {
                let at = (extent.position - piece.position) as usize;
                let batches = buffer.slice(at..at + extent.bytes as usize);
                let whole = verify(&piece.chunk, extent, &batches, self.epoch)?;
                let batches = batches.slice(..whole);
                if !piece.chunk.is_sorted() {
                    slices.bytes += whole;
                    slices.segments.push(batches);
                } else if !self.push_part(&mut slices, &batches) {
                    return Ok(Some(slices));
                }
            }
        }
        Ok(Some(slices))
    }

    /// Of a piece that holds many batches, those that the read wants. False if it wants no more.
    fn push_part(&self, slices: &mut Slices, bytes: &Bytes) -> bool {
        let (mut start, mut end) = (0, 0);
        let mut more = true;
        for (header, batch) in record::batches(bytes).flatten() {
            if header.next_offset() <= self.read.from {
                (start, end) = (start + batch.len(), end + batch.len());
                continue;
            }
            let taken = slices.bytes + (end - start);
            let fits = taken + batch.len() <= self.read.bytes_max || (taken == 0 && self.read.at_least_one);
            if self.read.limit < header.next_offset() || !fits {
                more = false;
                let last = slices.segments.is_empty() && start == end;
                slices.next_offset = if last { self.read.from } else { header.base_offset };
                slices.refused = header.next_offset() <= self.read.limit;
                break;
            }
            end += batch.len();
        }
        if start < end {
            slices.bytes += end - start;
            slices.segments.push(bytes.slice(start..end));
        }
        more
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
    if chunk.is_sorted() {
        return verify_sorted(extent, bytes).map_err(damaged);
    }
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

/// In a sorted chunk offsets may be missing; what is there is covered by the extent's own checksum.
fn verify_sorted(extent: &Extent, bytes: &[u8]) -> Result<usize, String> {
    let mut cover = record::Crc32c::default();
    let mut at = extent.base;
    let mut whole = 0;
    let mut is_cut = false;
    for batch in record::batches(bytes) {
        let (header, batch) = batch.map_err(|error| error.to_string())?;
        cover.update(batch.get(..BATCH_COVER_BYTES).unwrap_or_default());
        record::check_crc(&header, batch).map_err(|error| error.to_string())?;
        if header.base_offset < at {
            return Err(format!(
                "offset {at} or later is wanted, {} is there",
                header.base_offset
            ));
        }
        // A truncation cut it off.
        is_cut |= extent.next < header.next_offset();
        if !is_cut {
            whole += batch.len();
        }
        at = header.next_offset();
    }
    if cover.finish() == extent.cover_crc {
        Ok(whole)
    } else {
        Err("the checksum of its batches' beginnings does not hold".to_owned())
    }
}
