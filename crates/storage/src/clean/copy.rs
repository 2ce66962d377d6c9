//! Copies ranges of logs into sorted chunks, one after the other, and puts each chunk into service when it is full.

use std::sync::Arc;

use record::BatchHeader;
use types::Offset;

use crate::format::Compaction;
use crate::format::footer::FooterState;
use crate::sorted::{Placed, SortedWriter, Source, SourceError, commit};
use crate::stream::Stream;
use crate::{Error, Log};

/// Where copies go.
pub(crate) struct Copier<'a> {
    stream: &'a Arc<Stream>,
    writer: Option<SortedWriter<'a>>,
    placed: Vec<Placed>,
    bytes: u64,
}

/// The run that is being written.
pub(crate) struct Part {
    base: Offset,
    /// After the last batch that was put.
    end: Offset,
    holds: bool,
}

impl<'a> Copier<'a> {
    pub(crate) fn new(stream: &'a Arc<Stream>) -> Copier<'a> {
        Copier {
            stream,
            writer: None,
            placed: Vec::new(),
            bytes: 0,
        }
    }

    /// Copies a range as it is. `at_end` is what the partition was at its end, if that is known.
    pub(crate) fn copy(&mut self, source: &Source, at_end: Option<&FooterState>) -> Result<(), SourceError> {
        let ends = source.log.segment_bases(source.base, source.next);
        let mut ends = ends.into_iter().peekable();
        let mut part = self.begin(&source.log, source.base, source.bytes)?;
        let copied = source.each(|header, batch| {
            if ends.next_if(|end| *end <= header.base_offset).is_some() {
                while ends.next_if(|end| *end <= header.base_offset).is_some() {}
                self.end_extent();
            }
            self.put(source, &mut part, header, batch)?;
            Ok(())
        });
        if let Err(error) = copied {
            // What is copied already is sound; it serves nothing.
            self.abandon(&part);
            return Err(error);
        }
        self.place(source, &part, source.next, None);
        if let Some(state) = at_end {
            self.state(state.clone());
        }
        Ok(())
    }

    pub(crate) fn begin(&mut self, log: &Arc<Log>, base: Offset, about: u64) -> Result<Part, Error> {
        let writer = match &mut self.writer {
            Some(writer) => writer,
            empty => empty.insert(SortedWriter::begin(self.stream)?),
        };
        writer.begin_run(log.target, log.incarnation, base, about);
        Ok(Part {
            base,
            end: base,
            holds: false,
        })
    }

    pub(crate) fn end_extent(&mut self) {
        if let Some(writer) = &mut self.writer {
            writer.end_extent();
        }
    }

    /// Puts a batch, into the next chunk if this one is full.
    fn put(
        &mut self,
        source: &Source,
        part: &mut Part,
        header: &BatchHeader,
        batch: &[u8],
    ) -> Result<(), Error> {
        let full = |writer: &SortedWriter<'_>| {
            self.stream.options.chunk_bytes_max < writer.bytes() + batch.len() as u64
        };
        // A run counts its offsets in 32 bits; a compacted log may have gaps that wide.
        let far = i64::from(i32::MAX) < header.last_offset().0 - part.base.0;
        let is_full = self.writer.as_ref().is_some_and(full);
        if part.holds && (is_full || far) {
            self.place(source, part, header.base_offset, None);
            if is_full {
                self.flush()?;
            }
            *part = self.begin(&source.log, header.base_offset, source.bytes)?;
        }
        self.write(part, header, batch)
    }

    pub(crate) fn write(&mut self, part: &mut Part, header: &BatchHeader, batch: &[u8]) -> Result<(), Error> {
        if let Some(writer) = &mut self.writer {
            writer.batch(header, batch)?;
        }
        self.bytes += batch.len() as u64;
        part.holds = true;
        part.end = header.next_offset();
        Ok(())
    }

    /// After a run: a chunk that is full is put into service.
    pub(crate) fn flush_if_full(&mut self) -> Result<(), Error> {
        let most = self.stream.options.chunk_bytes_max;
        if self.writer.as_ref().is_some_and(|writer| most <= writer.bytes()) {
            self.flush()?;
        }
        Ok(())
    }

    /// Ends the run: it is to serve the range up to `next`.
    pub(crate) fn place(
        &mut self,
        source: &Source,
        part: &Part,
        next: Offset,
        compaction: Option<Compaction>,
    ) {
        let run = self.writer.as_mut().and_then(|writer| writer.end_run(next));
        self.placed.push(Placed {
            log: source.log.clone(),
            base: part.base,
            next,
            run,
            taken: source.taken(part.base, next),
            cuts: source.cuts,
            compaction,
        });
    }

    /// What a partition of this chunk is.
    pub(crate) fn state(&mut self, state: FooterState) {
        if let Some(writer) = &mut self.writer {
            writer.state(state);
        }
    }

    fn abandon(&mut self, part: &Part) {
        if let Some(writer) = &mut self.writer {
            writer.end_run(part.end);
        }
    }

    /// Seals the chunk and puts it into service.
    fn flush(&mut self) -> Result<(), Error> {
        let placed = std::mem::take(&mut self.placed);
        let Some(writer) = self.writer.take().filter(|writer| !writer.is_empty()) else {
            return Ok(());
        };
        commit(self.stream, writer.seal()?, &placed)?;
        Ok(())
    }

    /// Puts the last chunk into service. Gives the bytes that were copied in all.
    pub(crate) fn finish(mut self) -> Result<u64, Error> {
        self.flush()?;
        Ok(self.bytes)
    }
}
