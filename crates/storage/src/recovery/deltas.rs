//! Sealed chunks that a start need not read: their footers say where the batches lie and what each log was at the end.
//!
//! A sealed chunk was durable before its follower had a name (invariant 3), so nothing in it is a torn end. Its batches
//! are checked when they are read, and by the scrubber. A chunk in which logs began, ended, were cut or moved is read:
//! its trailer does not call it a delta.

use types::{Offset, TopicIdPartition};

use super::{Building, Recovered, RecoveryReport};
use crate::Error;
use crate::format::ChunkHeader;
use crate::format::footer::{Footer, FooterRun};
use crate::log::Run;
use crate::state::PartitionState;
use crate::stream::{Place, read_footer, read_trailer};

impl Recovered {
    /// Nothing was found damaged or missing so far: what a footer says joins what is known.
    pub(super) fn is_sound(&self) -> bool {
        let is_whole = |building: &Building| !building.damaged && !building.doubtful;
        !self.prefix_lost && self.damage.is_empty() && self.logs.values().all(is_whole)
    }

    /// Takes the footer of the chunk that replay has come to in place of its groups, if its follower shows that it was
    /// sealed, and the footer says all. False: the chunk must be read, and nothing happened.
    pub(super) fn take_delta(
        &mut self,
        follower: &ChunkHeader,
        report: &mut RecoveryReport,
    ) -> Result<bool, Error> {
        let Some(place) = self.place.as_ref().filter(|place| {
            place.chunk.id == follower.prev_chunk_id && place.lsn < follower.first_lsn && !place.sealed
        }) else {
            return Ok(false);
        };
        let chunk = place.chunk.clone();
        let failed = |error| Error::io(&chunk.path, error);
        if !read_trailer(&chunk)
            .map_err(failed)?
            .is_some_and(|trailer| trailer.is_delta)
        {
            return Ok(false);
        }
        let Some(states) = read_footer(&chunk)
            .map_err(failed)?
            .and_then(|footer| self.joined(chunk.id, footer))
        else {
            return Ok(false);
        };
        for joined in states {
            report.newest_wall_ms = report.newest_wall_ms.max(joined.wall_ms);
            self.join(chunk.id, joined);
        }
        report.footers += 1;
        self.place = Some(Place {
            chunk,
            position: follower.prev_end,
            chain: follower.prev_chain,
            lsn: follower.first_lsn - 1,
            tail: Vec::new(),
            sealed: true,
        });
        Ok(true)
    }

    /// What the footer says of each log, if every one is known, can be read and goes on where it ended.
    fn joined(&self, chunk: u64, footer: Footer) -> Option<Vec<Joined>> {
        let mut runs = footer.runs;
        let joined = footer.states.into_iter().map(|of| {
            let known = self.logs.get(&of.target)?;
            let state = PartitionState::decode(&of.state).ok()?;
            let is_ours = |run: &FooterRun| (run.target, run.incarnation) == (of.target, of.incarnation);
            let run = runs.iter().position(is_ours).map(|at| runs.swap_remove(at));
            let wall_ms = run.as_ref().map_or(0, |run| run.max_wall_ms);
            let run = run.map(|run| {
                let next = run.next;
                let run = Run {
                    chunk,
                    base: run.base,
                    bytes: run.bytes,
                    max_timestamp: run.max_timestamp,
                };
                (run, next)
            });
            let index = &known.inner.index;
            // Without a batch in the chunk the end did not move: the log was cut since, which the groups tell.
            let was_cut = run.is_none() && known.inner.assigned < of.log_end;
            let joins = run
                .as_ref()
                .is_none_or(|(run, next)| index.joins(run, *next, state.log_start));
            (known.incarnation == of.incarnation && joins && !was_cut).then_some(Joined {
                target: of.target,
                run,
                log_end: of.log_end,
                state,
                wall_ms,
            })
        });
        let joined = joined.collect::<Option<Vec<_>>>()?;
        runs.is_empty().then_some(joined)
    }

    /// The chunk's part of a log becomes a run. A checkpoint may have looked at the log later than at the stream: what
    /// it knows beyond the chunk stays.
    fn join(&mut self, chunk: u64, joined: Joined) {
        let Some(building) = self.logs.get_mut(&joined.target) else {
            return;
        };
        let inner = &mut building.inner;
        if inner.assigned <= joined.log_end {
            inner.assigned = joined.log_end;
            inner.index.drop_before(joined.state.log_start);
            inner.state = joined.state;
        }
        inner.index.join(chunk, joined.run, joined.log_end);
    }
}

/// What a footer says of a log.
struct Joined {
    target: TopicIdPartition,
    /// With where it ends.
    run: Option<(Run, Offset)>,
    log_end: Offset,
    state: PartitionState,
    wall_ms: i64,
}
