//! The cleaner: keeps the space that a directory takes near what lives in it, by moving what lives out of the chunks
//! where least does (invariant 11).

mod copy;
mod space;

use std::sync::Arc;

use parking_lot::Mutex;
use rustc_hash::{FxHashMap, FxHashSet};
use types::{Offset, TopicIdPartition};

use crate::directory::Checkpointer;
use crate::format::footer::FooterState;
use crate::sorted::{Source, SourceError};
use crate::stream::{Stream, read_footer};
use crate::{Error, Log};

pub(crate) use copy::{Copier, Part};
use space::ChunkSpace;
pub use space::Space;

/// Passes of one round at most: each moves up to a chunk.
const PASSES_MAX: usize = 64;

/// One stream's cleaner. It works alone.
pub(crate) struct Cleaner {
    pub(crate) stream: Arc<Stream>,
    pub(crate) checkpointer: Arc<Checkpointer>,
    pub(crate) alone: Mutex<State>,
}

#[derive(Default)]
pub(crate) struct State {
    /// Chunks with records that cannot be read: they stay where they are.
    stuck: FxHashSet<u64>,
    /// Logs that cannot be compacted, for the same reason.
    pub(crate) unreadable: FxHashSet<(TopicIdPartition, u32)>,
    /// What had changed when the last round began.
    churn: u64,
}

/// The states that a chunk's footer has.
type States = FxHashMap<(TopicIdPartition, u32), FooterState>;

impl Cleaner {
    /// Whether enough has changed since the last round for another one. Costs nothing.
    pub(crate) fn is_due(&self) -> bool {
        let changed = self
            .alone
            .try_lock()
            .map_or(0, |state| self.stream.shared.churn().saturating_sub(state.churn));
        self.stream.options.chunk_bytes_min / 2 <= changed || (changed != 0 && self.stream.is_full())
    }

    /// Gives free what nothing lives in, and moves what lives together until the space is bounded. Gives the bytes that
    /// were moved.
    pub(crate) fn clean(&self, now_ms: i64) -> Result<u64, Error> {
        let mut state = self.alone.lock();
        state.churn = self.stream.shared.churn();
        let mut moved = 0;
        for _ in 0..PASSES_MAX {
            if self.stream.shared.is_fenced() {
                break;
            }
            self.checkpointer.reclaim()?;
            let space = self.space(now_ms)?;
            let victims = space.victims(self.stream.options.chunk_bytes_max, |chunk| {
                !state.stuck.contains(&chunk)
            });
            if victims.is_empty() {
                break;
            }
            moved += self.move_out(&mut state, &victims)?;
        }
        self.checkpointer.reclaim()?;
        Ok(moved)
    }

    /// Moves everything that lives in these chunks into sorted ones.
    fn move_out(&self, state: &mut State, victims: &[ChunkSpace]) -> Result<u64, Error> {
        let ids: FxHashSet<u64> = victims.iter().map(|chunk| chunk.id).collect();
        self.make_room(victims.iter().map(|chunk| chunk.live).sum());
        let mut states: FxHashMap<u64, States> = FxHashMap::default();
        let mut copier = Copier::new(&self.stream);
        let mut logs = self.stream.shared.logs();
        logs.sort_by_key(|log| log.target());
        for log in logs {
            for (base, next, last) in sequences(&log, &ids) {
                let known = states.entry(last).or_insert_with(|| self.states_of(last));
                let at_end = known
                    .get(&(log.target, log.incarnation))
                    .filter(|state| state.log_end == next);
                let copied = Source::of(&log, base, next)
                    .map_err(SourceError::from)
                    .and_then(|source| copier.copy(&source, at_end));
                match copied {
                    Ok(()) => {}
                    Err(SourceError::Write(error)) => return Err(error),
                    // What moved on meanwhile is another round's.
                    Err(SourceError::Read(crate::ReadError::Offline)) => {}
                    Err(SourceError::Read(error)) => {
                        tracing::error!(topic = log.topic_name(), log = %log.target, %error, action = "check the disk; what is damaged is lost unless another copy exists", "records cannot be read: their chunk stays as it is, and nothing else is touched");
                        state.stuck.extend(ids.iter().copied());
                    }
                }
            }
        }
        copier.finish()
    }

    /// On a full disk the cleaner's reserve goes for what it has to write.
    pub(crate) fn make_room(&self, bytes: u64) {
        let pool = self.stream.shared.pool();
        let free = self.stream.os.disk.free_bytes(&pool);
        if free.is_ok_and(|free| free < bytes + bytes / 8) {
            self.stream.shared.release_cleaner_reserve();
        }
    }

    fn states_of(&self, chunk: u64) -> States {
        let chunk = self.stream.chunk(chunk);
        let footer = chunk.and_then(|chunk| read_footer(&chunk).ok().flatten());
        let states = footer.map(|footer| footer.states).unwrap_or_default();
        states
            .into_iter()
            .map(|state| ((state.target, state.incarnation), state))
            .collect()
    }
}

/// Ranges of a log that lie in these chunks, neighbours together, and the chunk of each one's end.
fn sequences(log: &Arc<Log>, chunks: &FxHashSet<u64>) -> Vec<(Offset, Offset, u64)> {
    let mut found: Vec<(Offset, Offset, u64)> = Vec::new();
    if log.is_offline() {
        return found;
    }
    let inner = log.inner.lock();
    for (run, end) in inner.index.runs_from(inner.state.log_start) {
        if !chunks.contains(&run.chunk) {
            continue;
        }
        match found.last_mut().filter(|(_, next, _)| *next == run.base) {
            Some((_, next, last)) => (*next, *last) = (end, run.chunk),
            None => found.push((run.base, end, run.chunk)),
        }
    }
    found
}
