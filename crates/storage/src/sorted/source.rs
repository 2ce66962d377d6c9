//! What a range of a log's offsets consists of, and its batches one by one: for the cleaner and for compaction.

use std::sync::Arc;

use bytes::BytesMut;
use record::BatchHeader;
use types::Offset;

use crate::chunk::Chunk;
use crate::log::{Extent, verify};
use crate::{Error, Log, ReadError};

/// One call reads at most this, unless an extent is larger.
const READ_BYTES: u64 = 1 << 20;
/// Extents this close are read together.
const GAP_BYTES_MAX: u64 = 16 << 10;

/// Why a range could not be copied.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SourceError {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Write(#[from] Error),
}

/// A range of a log as it was when somebody looked. It holds its chunks, which are not used again meanwhile.
pub(crate) struct Source {
    pub(crate) log: Arc<Log>,
    pub(crate) base: Offset,
    pub(crate) next: Offset,
    /// Nothing below lives any more.
    pub(crate) log_start: Offset,
    /// How often the log had been cut then: after another cut this range is not the log's any more.
    pub(crate) cuts: u64,
    pub(crate) bytes: u64,
    extents: Vec<Extent>,
    chunks: Vec<Arc<Chunk>>,
}

impl Source {
    /// The batches of `base..next`. May wait for the disk.
    pub(crate) fn of(log: &Arc<Log>, base: Offset, next: Offset) -> Result<Source, ReadError> {
        let (runs, open, log_start, cuts) = {
            let inner = log.inner.lock();
            let runs: Vec<_> = inner
                .index
                .runs_from(base)
                .take_while(|(run, _)| run.base < next)
                .collect();
            let open = inner.index.open_from(base).iter();
            let open: Vec<Extent> = open.take_while(|extent| extent.next <= next).copied().collect();
            (runs, open, inner.state.log_start, inner.cuts)
        };
        let mut extents = Vec::new();
        for (run, end) in runs {
            let fine = log.stream.load_fine(run.chunk)?;
            extents.extend(fine.extents((log.target, log.incarnation), &run, base, end.min(next)));
        }
        extents.extend(open);
        let mut chunks: Vec<Arc<Chunk>> = Vec::new();
        for extent in &extents {
            if chunks.last().is_none_or(|chunk| chunk.id != extent.chunk) {
                chunks.push(log.stream.chunk(extent.chunk).ok_or(ReadError::Offline)?);
            }
        }
        Ok(Source {
            log: log.clone(),
            base,
            next,
            log_start,
            cuts,
            bytes: extents.iter().map(|extent| u64::from(extent.bytes)).sum(),
            extents,
            chunks,
        })
    }

    /// Of each chunk, how many bytes of the range lie in it.
    pub(crate) fn taken(&self, from: Offset, next: Offset) -> Vec<(u64, u64)> {
        let mut taken: Vec<(u64, u64)> = Vec::new();
        let inside = |extent: &&Extent| from <= extent.base && extent.base < next;
        for extent in self.extents.iter().filter(inside) {
            match taken.last_mut().filter(|(chunk, _)| *chunk == extent.chunk) {
                Some((_, bytes)) => *bytes += u64::from(extent.bytes),
                None => taken.push((extent.chunk, u64::from(extent.bytes))),
            }
        }
        taken
    }

    /// Gives every batch that lives, in order, checked.
    pub(crate) fn each(
        &self,
        mut give: impl FnMut(&BatchHeader, &[u8]) -> Result<(), SourceError>,
    ) -> Result<(), SourceError> {
        let mut buffer = BytesMut::new();
        let mut rest = self.extents.as_slice();
        while let Some(first) = rest.first() {
            let count = together(rest);
            let (piece, after) = rest.split_at(count);
            rest = after;
            let living = piece.iter().any(|extent| self.log_start < extent.next);
            if living {
                self.read_piece(first.chunk, piece, &mut buffer, &mut give)?;
            }
        }
        Ok(())
    }

    fn read_piece(
        &self,
        chunk: u64,
        piece: &[Extent],
        buffer: &mut BytesMut,
        give: &mut impl FnMut(&BatchHeader, &[u8]) -> Result<(), SourceError>,
    ) -> Result<(), SourceError> {
        let found = self.chunks.iter().find(|held| held.id == chunk);
        let chunk = found.ok_or(ReadError::Offline)?;
        let (Some(first), Some(last)) = (piece.first(), piece.last()) else {
            return Ok(());
        };
        let length = (last.position + u64::from(last.bytes) - first.position) as usize;
        buffer.clear();
        let read = chunk.file.append_exact_at(buffer, length, first.position);
        read.map_err(ReadError::Io)?;
        for extent in piece {
            let at = (extent.position - first.position) as usize;
            let bytes = buffer.get(at..at + extent.bytes as usize).unwrap_or_default();
            let whole = verify(chunk, extent, bytes, None)?;
            for batch in record::batches(bytes.get(..whole).unwrap_or_default()) {
                let (header, batch) = batch.map_err(ReadError::Batch)?;
                let inside = self.base < header.next_offset() && self.log_start < header.next_offset();
                if inside {
                    give(&header, batch)?;
                }
            }
        }
        Ok(())
    }
}

/// How many of the first extents one call reads.
fn together(extents: &[Extent]) -> usize {
    let Some(first) = extents.first() else { return 0 };
    let mut end = first.position + u64::from(first.bytes);
    let mut count = 1;
    for extent in extents.iter().skip(1) {
        let extent_end = extent.position + u64::from(extent.bytes);
        let close = extent.chunk == first.chunk
            && end <= extent.position
            && extent.position - end <= GAP_BYTES_MAX
            && extent_end - first.position <= READ_BYTES;
        if !close {
            break;
        }
        end = extent_end;
        count += 1;
    }
    count
}
