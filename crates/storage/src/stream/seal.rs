//! The footer of a chunk that is being sealed.

use std::io::IoSlice;
use std::sync::Arc;

use types::Lsn;

use super::build::PAGE_BYTES;
use super::fine::{Fine, footer_run};
use super::writer::Touched;
use super::{Stream, Writer};
use crate::Error;
use crate::format::footer::{Footer, FooterState, TRAILER_BYTES, Trailer};

impl Stream {
    /// Turns the extents of the chunk into runs, and writes where they lie into the end of the chunk, if there is room.
    /// Without a footer a chunk is scanned when it is read.
    pub(super) fn write_footer(&self, writer: &mut Writer) -> Result<(), Error> {
        let touched = writer.take_touched();
        let Some(place) = writer.place() else {
            return Ok(());
        };
        let chunk = place.chunk.clone();
        let used = place.position.next_multiple_of(PAGE_BYTES as u64);
        let generation = self.queue.lock().generation();
        let mut footer = Some(Footer::default());
        for touched in touched {
            add(&mut footer, &touched, chunk.id, generation);
            self.shared.changed(&touched.log);
        }
        let Some(footer) = footer else { return Ok(()) };
        let mut blocks = footer.encode(chunk.life);
        let bytes = blocks.len() as u64;
        self.keep_fine(chunk.id, Arc::new(Fine::new(footer)));
        let start = chunk.bytes.checked_sub(TRAILER_BYTES as u64 + bytes);
        let start = start
            .map(|start| start - start % PAGE_BYTES as u64)
            .filter(|start| used <= *start);
        let Some(start) = start else { return Ok(()) };
        let trailer = Trailer {
            position: start,
            bytes,
            is_delta: !writer.has_structure(),
        };
        blocks.resize((chunk.bytes - start) as usize - TRAILER_BYTES, 0);
        blocks.extend_from_slice(&trailer.encode(chunk.life));
        let written = chunk.file.write_all_at(&mut [IoSlice::new(&blocks)], start);
        written.map_err(|error| Error::io(&chunk.path, error))
    }
}

fn add(footer: &mut Option<Footer>, touched: &Touched, chunk: u64, generation: u64) {
    let log = &touched.log;
    let (sealed, log_end, state) = log.seal(chunk, generation);
    let Some(into) = footer else { return };
    let key = (log.target(), log.incarnation);
    if let Some((run, next, extents)) = sealed {
        let Some(mut run) = footer_run(key, &run, next, &extents) else {
            *footer = None;
            return;
        };
        run.first_lsn = Lsn(touched.first_lsn);
        run.last_lsn = Lsn(touched.last_lsn);
        run.max_wall_ms = touched.max_wall_ms;
        into.runs.push(run);
    }
    into.states.push(FooterState {
        target: key.0,
        incarnation: key.1,
        log_end,
        state,
    });
}
