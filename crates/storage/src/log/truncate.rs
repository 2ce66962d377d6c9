//! Cutting off the end of a log: a follower whose leader never had those records.
//!
//! No state is patched backwards (invariant 10): index, epochs and segments are cut, producers and aborted transactions
//! are rebuilt from the newest footer at or below the cut and the headers of the batches behind it.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use record::BatchHeader;
use types::{LeaderEpoch, Offset, TopicIdPartition};

use super::lookup::batches;
use super::{Extent, Index, Inner, Log};
use crate::format::EntryType;
use crate::state::{Marker, PartitionState, SegmentState};
use crate::stream::{Stream, read_footer};
use crate::{Error, ReadError};

impl Log {
    /// Drops every record from `end` on. Blocks: it writes what is queued, and may read the log.
    pub fn truncate(self: &Arc<Log>, end: Offset) -> Result<(), Error> {
        loop {
            let _still = self.stream.shared.still.lock();
            self.drain()?;
            let (index, state, assigned) = {
                let inner = self.inner.lock();
                (inner.index.clone(), inner.state.clone(), inner.assigned)
            };
            if assigned <= end {
                return Ok(());
            }
            if index.end() != assigned {
                // Somebody appended since: the index does not know yet where that lies.
                continue;
            }
            let end = end.max(state.log_start);
            let state = state_at(&self.stream, (self.target, self.incarnation), &index, &state, end)
                .map_err(|error| Error::Rebuild {
                    log: self.target,
                    reason: error.to_string(),
                })?;
            if self.with_room(|| self.cut(end, assigned, &state))? {
                self.stream.drain();
                return Ok(());
            }
        }
    }

    /// Drops every record, and lets the next one have the offset `start`: a follower that is out of its leader's range.
    pub fn reset_to(self: &Arc<Log>, start: Offset) -> Result<(), Error> {
        let _still = self.stream.shared.still.lock();
        loop {
            self.drain()?;
            if self.with_room(|| self.empty_to(start))? {
                self.stream.drain();
                return Ok(());
            }
        }
    }

    /// What was queued is written, or never will be.
    fn drain(&self) -> Result<(), Error> {
        self.stream.drain();
        if self.stream.shared.is_fenced() {
            return Err(Error::Fenced {
                reason: "what was queued is not written any more".to_owned(),
            });
        }
        Ok(())
    }

    /// False if something was appended meanwhile. Twice the same if it was cut short.
    fn empty_to(self: &Arc<Log>, start: Offset) -> Result<bool, Error> {
        let _no_sync = self.stream.hold_syncs()?;
        let mut inner = self.inner.lock();
        if self.written_end() != inner.assigned {
            return Ok(false);
        }
        // A TRUNCATE at or below the start of the log empties it.
        let begin = start.min(inner.state.log_start);
        self.push_event(
            &mut inner,
            EntryType::Truncate,
            begin,
            LeaderEpoch::NONE,
            Bytes::new(),
        )?;
        self.become_empty(&mut inner, begin);
        if begin < start {
            self.push_event(
                &mut inner,
                EntryType::Start,
                start,
                LeaderEpoch::NONE,
                Bytes::new(),
            )?;
            self.become_empty(&mut inner, start);
        }
        Ok(true)
    }

    fn become_empty(&self, inner: &mut Inner, start: Offset) {
        self.counted(inner, |inner| inner.empty(start));
        self.written.store(start.0, Ordering::SeqCst);
        self.synced.store(start.0, Ordering::SeqCst);
        self.note_state(&inner.state);
    }

    /// False if something was appended meanwhile.
    fn cut(self: &Arc<Log>, end: Offset, assigned: Offset, state: &PartitionState) -> Result<bool, Error> {
        // A sync under way would move the synced end to where the log ended before.
        let _no_sync = self.stream.hold_syncs()?;
        let mut inner = self.inner.lock();
        if inner.assigned != assigned || self.written_end() != assigned {
            return Ok(false);
        }
        self.push_event(
            &mut inner,
            EntryType::Truncate,
            end,
            LeaderEpoch::NONE,
            Bytes::new(),
        )?;
        inner.cuts += 1;
        inner.assigned = end;
        inner.state = state.clone();
        self.counted(&mut inner, |inner| inner.index.truncate(end));
        inner.tail.retain(|tail| tail.next <= end);
        self.written.store(end.0, Ordering::SeqCst);
        self.synced.fetch_min(end.0, Ordering::SeqCst);
        self.note_state(&inner.state);
        Ok(true)
    }
}

/// What the partition was when its log ended at `end`.
pub(crate) fn state_at(
    stream: &Stream,
    log: (TopicIdPartition, u32),
    index: &Index,
    now: &PartitionState,
    end: Offset,
) -> Result<PartitionState, ReadError> {
    let mut state = now.cut(end);
    measure_active(stream, log, index, &mut state, end, now)?;
    if now.has_no_producers() {
        return Ok(state);
    }
    let known = newest_footer_state(stream, log, index, end)?;
    let from = known.as_ref().map_or(now.log_start, |(end, _)| *end);
    if let Some((_, known)) = known {
        state.take_producers(known);
    }
    for extent in extents_between(stream, log, index, from, end)? {
        for batch in batches(stream, &extent)? {
            let header = BatchHeader::parse(&batch)?;
            if header.next_offset() <= end {
                state.apply_to_producers(&header, Marker::of_batch(&header, &batch).as_ref());
            }
        }
    }
    state.apply_start(now.log_start);
    state.apply_high_watermark(now.high_watermark.min(end));
    Ok(state)
}

/// What the cut leaves of the segment that is the active one now. Its largest timestamp stays: it is never too small.
fn measure_active(
    stream: &Stream,
    log: (TopicIdPartition, u32),
    index: &Index,
    state: &mut PartitionState,
    end: Offset,
    was: &PartitionState,
) -> Result<(), ReadError> {
    let was_end = was.segments.end_of(end).unwrap_or(index.end());
    let Some(active) = state.segments.active_mut() else {
        return Ok(());
    };
    if active.base == end {
        *active = SegmentState::empty(end);
        return Ok(());
    }
    for extent in extents_between(stream, log, index, end, was_end)? {
        for batch in batches(stream, &extent)? {
            let header = BatchHeader::parse(&batch)?;
            if end < header.next_offset() && header.base_offset < was_end {
                active.bytes = active.bytes.saturating_sub(header.total_bytes() as u64);
            }
        }
    }
    Ok(())
}

/// The state at the end of the newest run that lies whole below `end`, as its chunk's footer has it.
fn newest_footer_state(
    stream: &Stream,
    log: (TopicIdPartition, u32),
    index: &Index,
    end: Offset,
) -> Result<Option<(Offset, PartitionState)>, ReadError> {
    let runs: Vec<_> = index
        .runs_from(Offset(i64::MIN))
        .filter(|(_, run_end)| *run_end <= end)
        .collect();
    for (run, run_end) in runs.into_iter().rev() {
        let Some(chunk) = stream.chunk(run.chunk) else {
            continue;
        };
        let states = read_footer(&chunk)?
            .map(|footer| footer.states)
            .unwrap_or_default();
        // A run that a truncation cut later ends elsewhere than its footer says, and its state is not ours.
        let ours = states
            .into_iter()
            .find(|state| (state.target, state.incarnation) == log && state.log_end == run_end);
        if let Some(state) = ours.and_then(|found| PartitionState::decode(&found.state).ok()) {
            return Ok(Some((run_end, state)));
        }
    }
    Ok(None)
}

fn extents_between(
    stream: &Stream,
    log: (TopicIdPartition, u32),
    index: &Index,
    from: Offset,
    end: Offset,
) -> Result<Vec<Extent>, ReadError> {
    let mut found = Vec::new();
    for (run, run_end) in index.runs_from(from).take_while(|(run, _)| run.base < end) {
        let fine = stream.load_fine(run.chunk)?;
        found.extend(fine.extents(log, &run, from, run_end.min(end)));
    }
    found.extend(index.open_from(from).iter().filter(|extent| extent.base < end));
    Ok(found)
}
