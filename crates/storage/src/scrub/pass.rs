//! One pass over the sealed chunks: everything that lives in them is read and checked as a reader would.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use types::{Offset, TopicIdPartition};

use super::{Damage, ScrubReport};
use crate::chunk::Chunk;
use crate::directory::Shared;
use crate::log::{Extent, Run, verify};
use crate::stream::{Fine, Stream, read_footer};
use crate::{Log, ReadError};

/// Read at once.
const WINDOW_BYTES: usize = 1 << 20;

/// The chunks that are not written to any more, by number.
pub(super) fn sealed(stream: &Stream) -> Vec<u64> {
    let current = stream.place().map_or(0, |place| place.chunk);
    stream.look_again();
    let is_sealed = |id: &u64| *id < current || stream.chunk(*id).is_some_and(|chunk| chunk.is_sorted());
    stream.chunk_ids().into_iter().filter(is_sealed).collect()
}

/// Reads one chunk; `pace` hears of every piece that was read, and gives `false` to end early. Gives whether the chunk
/// was read to its end.
pub(super) fn chunk(
    stream: &Stream,
    id: u64,
    extra: Option<&Arc<Log>>,
    pace: &mut dyn FnMut(u64) -> bool,
    report: &mut ScrubReport,
) -> bool {
    let Some(chunk) = stream.chunk(id) else {
        return true;
    };
    report.chunks += 1;
    let footer = match read_footer(&chunk) {
        Ok(Some(footer)) => footer,
        _ => {
            report.footers.push(id);
            match crate::recovery::rebuild_footer(&chunk) {
                Ok(footer) => footer,
                Err(error) => {
                    let action = "check the disk; take the data from another copy if there is one";
                    tracing::error!(chunk = format!("{id:016x}"), %error, action = action, "a chunk cannot be read");
                    return true;
                }
            }
        }
    };
    let fine = Fine::new(footer);
    // The pin goes while nothing is read: a slow pass must not keep chunks from being used again.
    let life = chunk.life;
    drop(chunk);
    let mut window = Window::default();
    for key in fine.logs() {
        let Some(log) = log_of(&stream.shared, key, extra) else {
            continue;
        };
        for (run, from, end) in living(&log, id) {
            for extent in fine.extents(key, &run, from, end) {
                let Some(chunk) = stream.chunk(id).filter(|chunk| chunk.life == life) else {
                    return true;
                };
                let read = check(&mut window, &chunk, &log, &extent);
                drop(chunk);
                match read {
                    Ok(()) => report.bytes += u64::from(extent.bytes),
                    Err(error) => note(report, &log, &extent, &error),
                }
                if !pace(u64::from(extent.bytes)) {
                    return false;
                }
            }
        }
    }
    true
}

fn log_of(shared: &Shared, key: (TopicIdPartition, u32), extra: Option<&Arc<Log>>) -> Option<Arc<Log>> {
    let extra = extra.filter(|log| log.target() == key.0).cloned();
    let log = extra.or_else(|| shared.log(key.0))?;
    (log.incarnation == key.1).then_some(log)
}

/// The runs of a log in a chunk, and what of each can still be read.
fn living(log: &Log, chunk: u64) -> Vec<(Run, Offset, Offset)> {
    let inner = log.inner.lock();
    let start = inner.state.log_start;
    let runs = inner.index.runs_from(start).filter(|(run, _)| run.chunk == chunk);
    runs.map(|(run, end)| (run, run.base.max(start), end)).collect()
}

fn check(window: &mut Window, chunk: &Chunk, log: &Log, extent: &Extent) -> Result<(), ReadError> {
    let bytes = window.bytes(chunk, extent.position, extent.bytes as usize)?;
    let epoch = log.one_epoch(std::slice::from_ref(extent));
    match verify(chunk, extent, &bytes, epoch) {
        Ok(_) => Ok(()),
        // A truncation, a compaction or retention may have been here since: only what is still served counts.
        Err(error) if still_serves(log, extent) => Err(error),
        Err(_) => Ok(()),
    }
}

fn still_serves(log: &Log, extent: &Extent) -> bool {
    living(log, extent.chunk)
        .iter()
        .any(|(run, from, end)| run.base <= extent.base && *from < extent.next && extent.next <= *end)
}

fn note(report: &mut ScrubReport, log: &Log, extent: &Extent, error: &ReadError) {
    let damage = Damage {
        log: log.target(),
        topic: log.topic_name().to_owned(),
        offsets: (extent.base, Offset(extent.next.0 - 1)),
        chunk: extent.chunk,
        position: extent.position,
        what: error.to_string(),
    };
    let action = "check the disk, and write the records anew from another copy";
    tracing::error!(%damage, action = action, "records are damaged; other partitions in the chunk are not concerned");
    report.damage.push(damage);
}

/// What was read last, past the cache.
#[derive(Default)]
struct Window {
    start: u64,
    bytes: Bytes,
}

impl Window {
    fn bytes(&mut self, chunk: &Chunk, position: u64, length: usize) -> Result<Bytes, ReadError> {
        let end = position + length as u64;
        let inside = self.start <= position && end <= self.start + self.bytes.len() as u64;
        if !inside {
            let left = chunk.bytes.saturating_sub(position);
            let wanted = WINDOW_BYTES
                .max(length)
                .min(usize::try_from(left).unwrap_or(usize::MAX));
            let mut read = BytesMut::zeroed(wanted);
            chunk.read_sound(&mut read, position, true)?;
            (self.start, self.bytes) = (position, read.freeze());
        }
        let at = (position - self.start) as usize;
        match self.bytes.get(at..at + length) {
            Some(_) => Ok(self.bytes.slice(at..at + length)),
            None => Err(ReadError::Damaged {
                chunk: chunk.id,
                position,
                what: "it lies behind the end of the chunk".to_owned(),
            }),
        }
    }
}
