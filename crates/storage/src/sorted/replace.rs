//! A sorted chunk goes into service: each log that has a run in it is told, in the log itself (REPLACE).

use std::sync::Arc;

use types::Offset;

use crate::chunk::Chunk;
use crate::format::footer::Footer;
use crate::format::{Compaction, Replacement};
use crate::log::Run;
use crate::stream::{Fine, Stream};
use crate::{Error, Log};

/// A run in a new chunk, and the range of its log that it is to serve.
pub(crate) struct Placed {
    pub(crate) log: Arc<Log>,
    pub(crate) base: Offset,
    pub(crate) next: Offset,
    /// None if nothing is left of the range.
    pub(crate) run: Option<Run>,
    /// Bytes of the range by the chunk that they lie in now.
    pub(crate) taken: Vec<(u64, u64)>,
    /// See `Source::cuts`.
    pub(crate) cuts: u64,
    pub(crate) compaction: Option<Compaction>,
}

/// Puts a durable chunk into service. Gives how many of the ranges it serves now; what moved on meanwhile stays as it is.
pub(crate) fn commit(
    stream: &Stream,
    (chunk, footer): (Chunk, Footer),
    placed: &[Placed],
) -> Result<usize, Error> {
    let mut replaced = 0;
    {
        // A checkpoint between the chunk and its REPLACE would find nothing living in it.
        let _still = stream.shared.still.lock();
        let id = chunk.id;
        stream.add_chunk(Arc::new(chunk));
        stream.keep_fine(id, Arc::new(Fine::new(footer)));
        for placed in placed {
            replaced += usize::from(replace(stream, placed, id)?);
        }
    }
    stream.drain();
    Ok(replaced)
}

fn replace(stream: &Stream, placed: &Placed, chunk: u64) -> Result<bool, Error> {
    match placed.log.replace(placed, chunk) {
        Err(Error::Full) => {
            stream.drain();
            stream.prepare_next();
            placed.log.replace(placed, chunk)
        }
        other => other,
    }
}

impl Placed {
    pub(crate) fn replacement(&self, chunk: u64, rest_bytes: u64) -> Replacement {
        Replacement {
            chunk,
            bytes: self.run.map_or(0, |run| run.bytes),
            max_timestamp: self.run.map_or(-1, |run| run.max_timestamp),
            rest_bytes,
            compaction: self.compaction.clone(),
        }
    }
}
