//! One partition's log: what it is, where its batches lie, how far it got.
//!
//! One mutex, the partition lock, orders appends. It is never held across a system call, and no second partition's
//! is ever taken under it; the stream's queue is the only lock below it.

mod append;
mod index;
mod living;
mod lookup;
mod read;
mod read_buffer;
mod replace;
mod segments;
mod truncate;

use std::any::Any;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use bytes::Bytes;
use parking_lot::{Mutex, RwLock};
use smallvec::SmallVec;
use types::{LeaderEpoch, Offset, ProducerId, TopicIdPartition};

pub use append::{Append, Appended};
pub(crate) use index::{Extent, Index, Run, SealedRun};
pub(crate) use read::verify;
pub use read::{ColdRead, Read, ReadOutcome, Slices};
pub use segments::{Segment, SegmentLimits};
pub(crate) use truncate::state_at;

use crate::format::checkpoint::{ExtentRecord, LogRecord, RunRecord};
use crate::format::codec::Writer;
use crate::format::footer::FooterState;
use crate::state::PartitionState;
use crate::stream::Stream;

/// The log of one partition incarnation.
pub struct Log {
    pub(crate) target: TopicIdPartition,
    topic_name: String,
    pub(crate) incarnation: u32,
    pub(crate) stream: Arc<Stream>,
    pub(crate) inner: Mutex<Inner>,
    written: AtomicI64,
    synced: AtomicI64,
    log_start: AtomicI64,
    /// The first offset of the oldest transaction that holds back readers; the largest i64 if none does.
    first_unstable: AtomicI64,
    offline: AtomicBool,
    /// On the stream's list of logs that the next sync covers.
    pub(crate) dirty: AtomicBool,
    /// On the directory's list of logs that the next checkpoint has.
    pub(crate) changed: AtomicBool,
    /// The group that told of this log last; the writer's alone.
    moved_in: AtomicU64,
    attachment: RwLock<Option<Weak<dyn Any + Send + Sync>>>,
}

#[derive(Debug, Default)]
pub(crate) struct Inner {
    /// Never below the written end.
    pub(crate) assigned: Offset,
    pub(crate) state: PartitionState,
    pub(crate) index: Index,
    /// The newest batches, in memory.
    pub(crate) tail: VecDeque<Tail>,
    /// What the log was before its first entry that waits for the next chunk: the state that the current one ends with.
    pub(crate) at_switch: Option<Box<AtSwitch>>,
    /// The checkpoints know nothing of this log, because it had no data: its CREATE is due again with the next entry.
    pub(crate) unrecorded: bool,
    /// No entry was ever queued for it.
    pub(crate) unwritten: bool,
    /// A checkpoint of this process has it.
    pub(crate) recorded: bool,
    /// It ended: what of it is still written does not live.
    pub(crate) dropped: bool,
    pub(crate) limits: SegmentLimits,
    /// How often its end was cut off.
    pub(crate) cuts: u64,
}

#[derive(Debug)]
pub(crate) struct AtSwitch {
    generation: u64,
    end: Offset,
    state: PartitionState,
}

impl Inner {
    /// A log that begins: its CREATE is due with its first entry.
    pub(crate) fn unwritten() -> Inner {
        Inner {
            unrecorded: true,
            unwritten: true,
            ..Inner::default()
        }
    }

    /// Nothing of it is on disk, and nothing in it that would have to be.
    pub(crate) fn is_only_in_memory(&self) -> bool {
        self.unwritten && self.assigned == Offset::ZERO
    }

    /// Nothing is left, and the next record has the offset `start`.
    pub(crate) fn empty(&mut self, start: Offset) {
        self.state = PartitionState {
            log_start: start,
            ..PartitionState::default()
        };
        self.assigned = start;
        self.cuts += 1;
        self.index = Index::new(Vec::new(), Vec::new(), start);
        self.tail.clear();
    }

    /// Before an entry changes the state: keeps it as it is, if the entry is the first that waits for this switch.
    pub(crate) fn before_change(&mut self, waits_for: Option<u64>) {
        let Some(generation) = waits_for else { return };
        if self
            .at_switch
            .as_ref()
            .is_none_or(|kept| kept.generation != generation)
        {
            let (end, state) = (self.assigned, self.state.clone());
            self.at_switch = Some(Box::new(AtSwitch {
                generation,
                end,
                state,
            }));
        }
    }
}

/// Batches of one write that are still in memory.
#[derive(Debug, Clone)]
pub(crate) struct Tail {
    pub(crate) base: Offset,
    pub(crate) next: Offset,
    pub(crate) bytes: usize,
    pub(crate) segments: SmallVec<[Bytes; 2]>,
}

impl std::fmt::Debug for Log {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Log({} {})", self.topic_name, self.target)
    }
}

impl Log {
    pub(crate) fn new(
        target: TopicIdPartition,
        topic_name: String,
        incarnation: u32,
        stream: Arc<Stream>,
        inner: Inner,
    ) -> Arc<Log> {
        let end = inner.assigned.0;
        let log = Log {
            target,
            topic_name,
            incarnation,
            stream,
            written: AtomicI64::new(end),
            synced: AtomicI64::new(end),
            log_start: AtomicI64::new(inner.state.log_start.0),
            first_unstable: AtomicI64::new(i64::MAX),
            inner: Mutex::new(inner),
            offline: AtomicBool::new(false),
            dirty: AtomicBool::new(false),
            changed: AtomicBool::new(false),
            moved_in: AtomicU64::new(0),
            attachment: RwLock::new(None),
        };
        log.note_state(&log.inner.lock().state);
        Arc::new(log)
    }

    /// Publishes what readers look at without the lock.
    fn note_state(&self, state: &PartitionState) {
        self.log_start.store(state.log_start.0, Ordering::SeqCst);
        let unstable = state.last_stable_offset(Offset(i64::MAX));
        self.first_unstable.store(unstable.0, Ordering::SeqCst);
    }

    pub fn target(&self) -> TopicIdPartition {
        self.target
    }

    pub fn topic_name(&self) -> &str {
        &self.topic_name
    }

    /// Everything below is in the log.
    pub fn written_end(&self) -> Offset {
        Offset(self.written.load(Ordering::SeqCst))
    }

    /// Everything below is on stable storage.
    pub fn synced_end(&self) -> Offset {
        Offset(self.synced.load(Ordering::SeqCst))
    }

    pub fn log_start(&self) -> Offset {
        Offset(self.log_start.load(Ordering::SeqCst))
    }

    /// Below it every transaction is decided, and the decision replicated. Without transactions, no lock.
    pub fn last_stable_offset(&self, high_watermark: Offset) -> Offset {
        if self.first_unstable.load(Ordering::SeqCst) == i64::MAX {
            return high_watermark;
        }
        let mut inner = self.inner.lock();
        inner.state.apply_high_watermark(high_watermark);
        self.note_state(&inner.state);
        inner.state.last_stable_offset(high_watermark)
    }

    pub fn is_offline(&self) -> bool {
        self.offline.load(Ordering::SeqCst)
    }

    pub(crate) fn take_offline(&self) {
        self.offline.store(true, Ordering::SeqCst);
    }

    pub fn latest_epoch(&self) -> Option<LeaderEpoch> {
        self.inner.lock().state.epochs.latest()
    }

    pub fn epoch_of(&self, offset: Offset) -> LeaderEpoch {
        self.inner.lock().state.epochs.epoch_of(offset)
    }

    /// Leader epochs and the offsets that they begin at.
    pub fn epochs(&self) -> Vec<(LeaderEpoch, Offset)> {
        self.inner.lock().state.epochs.entries().to_vec()
    }

    /// Where an epoch ended (KIP-320).
    pub fn end_offset_for_epoch(&self, epoch: LeaderEpoch) -> (LeaderEpoch, Offset) {
        let log_end = self.written_end();
        self.inner.lock().state.epochs.end_of(epoch, log_end)
    }

    pub fn aborted_transactions(&self, from: Offset, until: Offset) -> Vec<(ProducerId, Offset)> {
        self.inner.lock().state.aborted_between(from, until)
    }

    /// Bytes of batches in the log.
    pub fn size_bytes(&self) -> u64 {
        self.inner.lock().index.bytes()
    }

    /// Forgets producers that were quiet for so long.
    pub fn expire_producers(&self, now_ms: i64, expiration_ms: i64) {
        self.inner.lock().state.producers.expire(now_ms, expiration_ms);
    }

    /// Hangs the owner's live partition here, so that progress finds it.
    pub fn attach(&self, owner: Weak<dyn Any + Send + Sync>) {
        *self.attachment.write() = Some(owner);
    }

    pub fn attachment(&self) -> Option<Arc<dyn Any + Send + Sync>> {
        self.attachment.read().as_ref()?.upgrade()
    }

    /// A group that holds these batches is in the chunk. False if nobody wants them any more.
    pub(crate) fn wrote(&self, extent: Extent, tail: Tail, wall_ms: i64) -> bool {
        let mut inner = self.inner.lock();
        let next = extent.next;
        if extent.max_timestamp < 0 {
            inner.state.segments.note_written(extent.base, wall_ms);
        }
        inner.index.push(extent);
        inner.tail.push_back(tail);
        // Under the lock, so that a reader who sees the end also finds the extent.
        self.written.fetch_max(next.0, Ordering::SeqCst);
        !inner.dropped
    }

    /// Changes where batches lie, or which ones there are, and counts what that means for the chunks.
    pub(crate) fn counted<T>(&self, inner: &mut Inner, change: impl FnOnce(&mut Inner) -> T) -> T {
        let before = inner.index.bytes_by_chunk();
        let changed = change(inner);
        if !inner.dropped {
            let after = inner.index.bytes_by_chunk();
            self.stream.shared.moved_bytes(&before, &after);
        }
        changed
    }

    /// The log ended: none of its bytes lives.
    pub(crate) fn ended(&self) {
        let mut inner = self.inner.lock();
        let before = inner.index.bytes_by_chunk();
        inner.dropped = true;
        self.stream.shared.moved_bytes(&before, &Default::default());
    }

    /// What lives of it, by chunk.
    pub(crate) fn count_live(&self) {
        let after = self.inner.lock().index.bytes_by_chunk();
        self.stream.shared.moved_bytes(&Default::default(), &after);
    }

    /// No entry was ever queued for it.
    pub(crate) fn is_unwritten(&self) -> bool {
        self.inner.lock().unwritten
    }

    /// A checkpoint of this process has it.
    pub(crate) fn is_recorded(&self) -> bool {
        self.inner.lock().recorded
    }

    /// The chunk is sealed by this switch: what lies in it becomes a run. Gives that, and what the log was then.
    pub(crate) fn seal(&self, chunk: u64, generation: u64) -> (Option<SealedRun>, Offset, Vec<u8>) {
        let mut inner = self.inner.lock();
        let sealed = inner.index.seal(chunk);
        let mut out = Writer::default();
        let kept = inner
            .at_switch
            .take()
            .filter(|kept| kept.generation == generation);
        let end = match kept {
            Some(kept) => {
                kept.state.encode(&mut out);
                kept.end
            }
            None => {
                inner.state.encode(&mut out);
                inner.assigned
            }
        };
        (sealed, end, out.0)
    }

    /// The log for a checkpoint; none if it holds nothing, in which case it has to be created again.
    pub(crate) fn record(&self, stream: u16) -> Option<LogRecord> {
        let mut inner = self.inner.lock();
        if inner.assigned == Offset::ZERO && !self.is_offline() {
            inner.unrecorded = true;
            return None;
        }
        inner.recorded = true;
        let mut state = Writer::default();
        inner.state.encode(&mut state);
        let run = |run: &Run| {
            let Run {
                chunk,
                base,
                bytes,
                max_timestamp,
            } = *run;
            RunRecord {
                chunk,
                base,
                bytes,
                max_timestamp,
            }
        };
        let extent = |extent: &Extent| {
            let Extent {
                base,
                next,
                chunk,
                position,
                bytes,
                max_timestamp,
                ..
            } = *extent;
            ExtentRecord {
                chunk,
                base,
                next,
                position,
                bytes,
                max_timestamp,
            }
        };
        Some(LogRecord {
            stream,
            target: self.target,
            incarnation: self.incarnation,
            topic_name: self.topic_name.clone(),
            end: inner.assigned,
            indexed: inner.index.end(),
            damaged: self.is_offline(),
            state: state.0,
            runs: inner.index.runs().iter().map(run).collect(),
            extents: inner.index.open().iter().map(extent).collect(),
        })
    }

    /// What it is now, for the footer of a sorted chunk.
    pub(crate) fn footer_state(&self) -> FooterState {
        let inner = self.inner.lock();
        let mut state = Writer::default();
        inner.state.encode(&mut state);
        FooterState {
            target: self.target,
            incarnation: self.incarnation,
            log_end: inner.assigned,
            state: state.0,
        }
    }

    pub(crate) fn extents_in(&self, chunk: u64) -> usize {
        self.inner
            .lock()
            .index
            .open()
            .iter()
            .filter(|extent| extent.chunk == chunk)
            .count()
    }

    /// Whether this is the first batch of the log in a group.
    pub(crate) fn first_in(&self, lsn: u64) -> bool {
        self.moved_in.swap(lsn, Ordering::Relaxed) != lsn
    }

    pub(crate) fn evict_tail(&self, base: Offset) {
        let mut inner = self.inner.lock();
        while inner.tail.front().is_some_and(|tail| tail.base <= base) {
            inner.tail.pop_front();
        }
        if inner.tail.is_empty() {
            // A quiet log keeps no memory for what it once held.
            inner.tail = VecDeque::new();
        }
    }

    pub(crate) fn synced_to(&self, end: Offset) {
        self.synced.fetch_max(end.0, Ordering::SeqCst);
    }
}
