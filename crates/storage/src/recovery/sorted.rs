//! Sorted chunks at a start: which are there, and what they tell when no checkpoint does.

use std::sync::Arc;

use os::OpenOptions;
use rustc_hash::FxHashMap;
use types::{Offset, TopicIdPartition};

use super::{Building, Recovered, RecoveryReport};
use crate::Error;
use crate::chunk::Chunk;
use crate::format::footer::{FooterRun, FooterState};
use crate::format::{CHUNK_HEADER_BYTES, ChunkHeader, ChunkKind};
use crate::log::Run;
use crate::state::PartitionState;
use crate::stream::{Stream, read_footer};

/// Takes the stream's sorted chunks into service, by number. One that does not hold is named and left alone: whatever
/// log has records in it says so.
pub(super) fn open(
    stream: &Stream,
    past_the_cache: bool,
    report: &mut RecoveryReport,
) -> Result<Vec<Arc<Chunk>>, Error> {
    let folder = &stream.folder;
    let mut chunks = Vec::new();
    let paths = stream
        .os
        .disk
        .list(folder)
        .map_err(|error| Error::io(folder, error))?;
    for path in paths {
        if path.extension().is_none_or(|extension| extension != "sorted") {
            continue;
        }
        let failed = |error| Error::io(&path, error);
        let file = stream
            .os
            .disk
            .open(&path, OpenOptions::default())
            .map_err(failed)?;
        if past_the_cache {
            file.drop_cache();
        }
        let mut page = vec![0; CHUNK_HEADER_BYTES];
        let header = match file.read_exact_at(&mut page, 0) {
            Ok(()) => ChunkHeader::decode(&page),
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Ok(None),
            Err(error) => return Err(failed(error)),
        };
        let is_ours = |header: &ChunkHeader| {
            let name = Chunk::file_name(header.kind, header.chunk_id);
            header.kind == ChunkKind::Sorted
                && header.directory_id == stream.directory_id
                && path.file_name().is_some_and(|found| *found == *name)
        };
        match header.ok().flatten().filter(is_ours) {
            Some(header) => chunks.push(Arc::new(Chunk::new(&header, file, path.clone()))),
            None => report.damage.push(format!(
                "the sorted chunk {} has no header that holds",
                path.display()
            )),
        }
    }
    chunks.sort_by_key(|chunk| chunk.id);
    chunks.iter().for_each(|chunk| stream.add_chunk(chunk.clone()));
    Ok(chunks)
}

/// What the footers of sorted chunks say of one log.
#[derive(Default)]
struct Told {
    /// By chunk, newest last.
    runs: Vec<(u64, FooterRun)>,
    states: Vec<FooterState>,
}

impl Recovered {
    /// Without checkpoints, and with chunks gone that were used again: what lay in them, and was kept, lies in sorted
    /// chunks, whose footers say of what. The newest one that serves an offset serves it.
    pub(super) fn adopt(&mut self, stream: &Stream, chunks: &[Arc<Chunk>]) -> Result<(), Error> {
        let mut told: FxHashMap<(TopicIdPartition, u32), Told> = FxHashMap::default();
        for chunk in chunks {
            let footer = read_footer(chunk).map_err(|error| Error::io(&chunk.path, error))?;
            for run in footer.iter().flat_map(|footer| footer.runs.clone()) {
                let of = told.entry((run.target, run.incarnation)).or_default();
                of.runs.push((chunk.id, run));
            }
            for state in footer.into_iter().flat_map(|footer| footer.states) {
                let of = told.entry((state.target, state.incarnation)).or_default();
                of.states.push(state);
            }
        }
        for ((target, incarnation), told) in told {
            let fresh = || Building {
                incarnation,
                start_guessed: true,
                ..Building::default()
            };
            let building = self.logs.entry(target).or_insert_with(fresh);
            if building.incarnation == incarnation {
                adopt(building, stream, told);
            }
        }
        Ok(())
    }
}

fn adopt(building: &mut Building, stream: &Stream, told: Told) {
    let inner = &mut building.inner;
    let mut gaps = std::mem::take(&mut building.gaps);
    gaps.extend(inner.index.drop_missing(|chunk| stream.chunk(chunk).is_some()));
    let first = inner.index.first_base().unwrap_or(inner.index.end());
    gaps.push((Offset(0), first));
    gaps.push((inner.index.end(), Offset(i64::MAX)));
    for (chunk, run) in told.runs.iter().rev() {
        let mut left = Vec::new();
        for (from, until) in gaps {
            let (base, next) = (from.max(run.base), until.min(run.next));
            if next <= base {
                left.push((from, until));
                continue;
            }
            left.extend(
                [(from, base), (next, until)]
                    .into_iter()
                    .filter(|(from, until)| from < until),
            );
            if run.bytes != 0 {
                inner.index.insert(Run {
                    chunk: *chunk,
                    base,
                    bytes: run.bytes,
                    max_timestamp: run.max_timestamp,
                });
            }
            inner.index.end_at_least(next);
        }
        gaps = left;
    }
    adopt_state(building, &told.states);
    let inner = &building.inner;
    let lies_inside = |(from, until): &(Offset, Offset)| {
        inner.state.log_start.max(*from) < *until && *until < Offset(i64::MAX)
    };
    building.damaged |= gaps.iter().any(lies_inside);
}

/// The state at the new end, or that of the log's earlier part with what is known of the later one.
fn adopt_state(building: &mut Building, states: &[FooterState]) {
    let inner = &mut building.inner;
    let end = inner.index.end();
    let newest = states.iter().rev().find_map(|state| {
        let decoded = PartitionState::decode(&state.state).ok()?;
        Some((state.log_end, decoded))
    });
    if let Some((log_end, state)) = newest {
        if inner.assigned < end && log_end == end {
            inner.state = state;
        } else if building.start_guessed {
            let later = std::mem::replace(&mut inner.state, state);
            for (epoch, start) in later.epochs.entries() {
                inner.state.apply_epoch(*epoch, *start);
            }
            if inner.state.compacted_to < later.compacted_to {
                // Its REPLACE said what became of all segments before.
                inner.state.segments = later.segments.clone();
            } else {
                inner.state.segments.extend(&later.segments);
            }
            inner.state.cleaned_to = inner.state.cleaned_to.max(later.cleaned_to);
            inner.state.compacted_to = inner.state.compacted_to.max(later.compacted_to);
            inner.state.apply_high_watermark(later.high_watermark);
            if !later.has_no_producers() {
                inner.state.take_producers(later);
            }
        }
    }
    inner.assigned = inner.assigned.max(end);
    let first = inner.index.first_base().unwrap_or(end);
    if building.start_guessed && inner.state.log_start < first && inner.state.compacted_to <= first {
        inner.state.apply_start(first);
    }
}
