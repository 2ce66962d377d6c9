//! Writes a sorted chunk: runs one after the other, the footer, the header last, all of it durable before it is named.

use std::io::IoSlice;
use std::path::PathBuf;

use os::{File, OpenOptions};
use record::BatchHeader;
use types::{Lsn, Offset, TopicIdPartition};

use crate::Error;
use crate::chunk::Chunk;
use crate::format::footer::{FineExtent, Footer, FooterRun, FooterState, TRAILER_BYTES, Trailer};
use crate::format::{BATCH_COVER_BYTES, CHUNK_HEADER_BYTES, ChunkHeader, ChunkKind};
use crate::log::Run;
use crate::stream::Stream;

/// An extent holds at most this, unless it is one batch.
const EXTENT_BYTES_MAX: u32 = 64 << 10;
/// A run from here on begins in a page of its own.
const ALIGNED_RUN_BYTES: u64 = 64 << 10;
const PAGE_BYTES: u64 = 4096;
/// Written at once.
const WRITE_BYTES: usize = 1 << 20;

/// A run in the making.
struct Open {
    run: FooterRun,
    extent: Option<OpenExtent>,
}

struct OpenExtent {
    base: Offset,
    position: u64,
    bytes: u32,
    max_timestamp: i64,
    cover: record::Crc32c,
}

/// A chunk in the making. Dropped, it leaves nothing.
pub(crate) struct SortedWriter<'a> {
    stream: &'a Stream,
    life: u64,
    file: File,
    path: PathBuf,
    buffer: Vec<u8>,
    /// Of the buffer's first byte.
    flushed: u64,
    footer: Footer,
    /// The extents of the open run, whose times are counted from its largest once that is known.
    times: Vec<i64>,
    open: Option<Open>,
    named: bool,
}

impl Drop for SortedWriter<'_> {
    fn drop(&mut self) {
        if !self.named {
            // A leftover is removed at the next start as well.
            let _ = self.stream.os.disk.remove_file(&self.path);
        }
    }
}

impl<'a> SortedWriter<'a> {
    pub(crate) fn begin(stream: &'a Stream) -> Result<SortedWriter<'a>, Error> {
        let path = stream.shared.pool().join(stream.shared.next_spare_name());
        let options = OpenOptions {
            create: true,
            truncate: true,
        };
        let file = stream
            .os
            .disk
            .open(&path, options)
            .map_err(|error| Error::io(&path, error))?;
        Ok(SortedWriter {
            stream,
            life: stream.os.random.u64(),
            file,
            path,
            buffer: Vec::new(),
            flushed: CHUNK_HEADER_BYTES as u64,
            footer: Footer::default(),
            times: Vec::new(),
            open: None,
            named: false,
        })
    }

    fn position(&self) -> u64 {
        self.flushed + self.buffer.len() as u64
    }

    /// Bytes so far, with the footer.
    pub(crate) fn bytes(&self) -> u64 {
        let extents: usize = self.footer.runs.iter().map(|run| run.extents.len()).sum();
        self.position() + (20 * extents + 128 * self.footer.runs.len()) as u64
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.footer.runs.is_empty() && self.open.is_none()
    }

    /// Begins a run that serves offsets from `base` on, of about so many bytes.
    pub(crate) fn begin_run(&mut self, target: TopicIdPartition, incarnation: u32, base: Offset, about: u64) {
        if ALIGNED_RUN_BYTES <= about {
            let page_end = self.position().next_multiple_of(PAGE_BYTES);
            self.buffer.resize((page_end - self.flushed) as usize, 0);
        }
        let run = FooterRun {
            target,
            incarnation,
            base,
            next: base,
            bytes: 0,
            batches: 0,
            max_timestamp: -1,
            max_wall_ms: 0,
            first_lsn: Lsn(0),
            last_lsn: Lsn(0),
            extents: Vec::new(),
        };
        self.open = Some(Open { run, extent: None });
    }

    /// A virtual segment ends here: so does the extent, for a read ends with its segment.
    pub(crate) fn end_extent(&mut self) {
        let Some(open) = &mut self.open else { return };
        let Some(extent) = open.extent.take() else { return };
        open.run.max_timestamp = open.run.max_timestamp.max(extent.max_timestamp);
        self.times.push(extent.max_timestamp);
        open.run.extents.push(FineExtent {
            offset_delta: u32::try_from(extent.base.0 - open.run.base.0).unwrap_or(u32::MAX),
            position: u32::try_from(extent.position).unwrap_or(u32::MAX),
            bytes: extent.bytes,
            ts_delta: 0,
            cover_crc: extent.cover.finish(),
        });
    }

    /// Puts one batch. It begins at or behind the end of the one before.
    pub(crate) fn batch(&mut self, header: &BatchHeader, batch: &[u8]) -> Result<(), Error> {
        let position = self.position();
        let bytes = batch.len() as u32;
        let full = |extent: &OpenExtent| EXTENT_BYTES_MAX < extent.bytes.saturating_add(bytes);
        let ends = |open: &Open| open.extent.as_ref().is_some_and(full);
        if self.open.as_ref().is_some_and(ends) {
            self.end_extent();
        }
        let Some(open) = &mut self.open else { return Ok(()) };
        let first = open.run.extents.is_empty();
        let extent = open.extent.get_or_insert_with(|| OpenExtent {
            // The first covers what is missing before it.
            base: if first { open.run.base } else { header.base_offset },
            position,
            bytes: 0,
            max_timestamp: -1,
            cover: record::Crc32c::default(),
        });
        extent.bytes += bytes;
        extent.max_timestamp = extent.max_timestamp.max(header.max_timestamp);
        extent
            .cover
            .update(batch.get(..BATCH_COVER_BYTES).unwrap_or_default());
        open.run.bytes += u64::from(bytes);
        open.run.batches += 1;
        self.buffer.extend_from_slice(batch);
        if WRITE_BYTES <= self.buffer.len() {
            self.flush()?;
        }
        Ok(())
    }

    /// Ends the run at `next`. Gives it as an index has it; none if it holds nothing.
    pub(crate) fn end_run(&mut self, next: Offset) -> Option<Run> {
        self.end_extent();
        let mut run = self.open.take()?.run;
        run.next = next;
        for (extent, time) in run.extents.iter_mut().zip(self.times.drain(..)) {
            extent.ts_delta = u32::try_from(run.max_timestamp.saturating_sub(time)).unwrap_or(u32::MAX);
        }
        let found = Run {
            chunk: 0,
            base: run.base,
            bytes: run.bytes,
            max_timestamp: run.max_timestamp,
        };
        let holds = run.batches != 0;
        // A run of nothing is named too: nothing older serves its offsets.
        self.footer.runs.push(run);
        holds.then_some(found)
    }

    /// What the partition was at the end of a run.
    pub(crate) fn state(&mut self, state: FooterState) {
        self.footer
            .states
            .retain(|known| (known.target, known.incarnation) != (state.target, state.incarnation));
        self.footer.states.push(state);
    }

    fn flush(&mut self) -> Result<(), Error> {
        let written = self
            .file
            .write_all_at(&mut [IoSlice::new(&self.buffer)], self.flushed);
        written.map_err(|error| Error::io(&self.path, error))?;
        self.flushed += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }

    /// Footer, trailer, header, sync, name, sync of the folder: then the chunk is there for good (invariant 4). Nobody
    /// is told of it yet.
    pub(crate) fn seal(mut self) -> Result<(Chunk, Footer), Error> {
        let start = self.position().next_multiple_of(PAGE_BYTES);
        self.buffer.resize((start - self.flushed) as usize, 0);
        let blocks = self.footer.encode_sorted(self.life);
        let chunk_bytes = (start + blocks.len() as u64 + TRAILER_BYTES as u64).next_multiple_of(PAGE_BYTES);
        let trailer = Trailer {
            position: start,
            bytes: blocks.len() as u64,
            is_delta: false,
        };
        self.buffer.extend_from_slice(&blocks);
        let trailer_at = chunk_bytes - self.flushed - TRAILER_BYTES as u64;
        self.buffer.resize(trailer_at as usize, 0);
        self.buffer.extend_from_slice(&trailer.encode(self.life));
        self.flush()?;
        let header = ChunkHeader {
            kind: ChunkKind::Sorted,
            stream: self.stream.id,
            chunk_id: self.stream.shared.next_chunk_id(),
            life: self.life,
            chunk_bytes,
            first_lsn: 0,
            prev_chunk_id: 0,
            prev_end: 0,
            prev_chain: 0,
            directory_id: self.stream.directory_id,
        };
        let failed = |error| Error::io(&self.path, error);
        self.file
            .write_all_at(&mut [IoSlice::new(&header.encode())], 0)
            .map_err(failed)?;
        self.file.sync_all().map_err(failed)?;
        let folder = &self.stream.folder;
        let path = folder.join(Chunk::file_name(header.kind, header.chunk_id));
        self.stream.os.disk.rename(&self.path, &path).map_err(failed)?;
        self.named = true;
        self.stream
            .os
            .disk
            .sync_directory(folder)
            .map_err(|error| Error::io(folder, error))?;
        let chunk = Chunk::new(&header, self.file.clone(), path);
        Ok((chunk, std::mem::take(&mut self.footer)))
    }
}
