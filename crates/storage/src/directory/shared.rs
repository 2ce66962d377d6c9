//! What the streams of a directory share: its logs, its chunk numbers, and whether it is fenced.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use os::Os;
use parking_lot::{Condvar, Mutex, RwLock};
use rustc_hash::FxHashMap;
use telemetry::Histogram;
use types::TopicIdPartition;

use crate::{Damage, Error, Log, Observer};

/// The file that remembers a failed write or sync until the next start has read past the page cache.
pub(super) const FENCED_MARKER: &str = "fenced";

/// Files in the pool that only hold room.
pub(super) const RESERVE: &str = "reserve";
pub(super) const RESERVE_OF_CLEANER: &str = "reserve.cleaner";

#[derive(Debug, Default)]
struct CheckpointSignal {
    wanted: bool,
    stop: bool,
}

pub(crate) struct Shared {
    os: Os,
    path: PathBuf,
    pub(crate) observer: Arc<dyn Observer>,
    fenced: AtomicBool,
    next_chunk: AtomicU64,
    next_spare: AtomicU64,
    next_incarnation: AtomicU32,
    /// Held while a checkpoint looks at the logs, and while a log is cut: neither may meet the other.
    pub(crate) still: Mutex<()>,
    /// Bytes written, and bytes that died, since the last checkpoint.
    written: AtomicU64,
    freed: AtomicU64,
    due: AtomicU64,
    /// Both, since the start: how much has changed for the cleaner.
    churn: AtomicU64,
    checkpoint_signal: (Mutex<CheckpointSignal>, Condvar),
    logs: RwLock<FxHashMap<TopicIdPartition, Arc<Log>>>,
    /// Logs that are not what the newest checkpoint says, each once.
    changed: Mutex<Vec<Arc<Log>>>,
    /// Bytes of batches that live in each chunk. Below zero for a moment, where what was just written dies at once.
    live: Mutex<FxHashMap<u64, i64>>,
    damage: Mutex<Vec<Damage>>,
    /// The scrubber has to end.
    stopping: (Mutex<bool>, Condvar),
    /// How long syncs took.
    pub(crate) sync_times: Histogram,
}

impl Shared {
    pub(super) fn new(os: &Os, path: PathBuf, observer: Arc<dyn Observer>) -> Arc<Shared> {
        Arc::new(Shared {
            os: os.clone(),
            path,
            observer,
            fenced: AtomicBool::new(false),
            next_chunk: AtomicU64::new(1),
            next_spare: AtomicU64::new(1),
            next_incarnation: AtomicU32::new(1),
            still: Mutex::default(),
            written: AtomicU64::new(0),
            freed: AtomicU64::new(0),
            due: AtomicU64::new(u64::MAX),
            churn: AtomicU64::new(0),
            checkpoint_signal: Default::default(),
            logs: RwLock::default(),
            changed: Mutex::default(),
            live: Mutex::default(),
            damage: Mutex::default(),
            stopping: Default::default(),
            sync_times: Histogram::default(),
        })
    }

    pub(crate) fn pool(&self) -> PathBuf {
        self.path.join("pool")
    }

    pub(crate) fn next_spare_name(&self) -> String {
        format!("{}.spare", self.next_spare.fetch_add(1, Ordering::SeqCst))
    }

    pub(super) fn next_incarnation(&self) -> u32 {
        self.next_incarnation.fetch_add(1, Ordering::SeqCst)
    }

    /// Incarnations up to this one were used.
    pub(super) fn saw_incarnation(&self, incarnation: u32) {
        self.next_incarnation
            .fetch_max(incarnation.saturating_add(1), Ordering::SeqCst);
    }

    /// A group was written.
    pub(crate) fn wrote(&self, bytes: u64) {
        self.churn.fetch_add(bytes, Ordering::Relaxed);
        if self.due.load(Ordering::Relaxed) <= self.written.fetch_add(bytes, Ordering::Relaxed) + bytes {
            self.want_checkpoint();
        }
    }

    /// Bytes of the log are no longer wanted.
    pub(crate) fn freed(&self, bytes: u64) {
        self.churn.fetch_add(bytes, Ordering::Relaxed);
        if self.due.load(Ordering::Relaxed) <= self.freed.fetch_add(bytes, Ordering::Relaxed) + bytes {
            self.want_checkpoint();
        }
    }

    /// Bytes written and bytes that died, since the start.
    pub(crate) fn churn(&self) -> u64 {
        self.churn.load(Ordering::Relaxed)
    }

    /// After so many bytes the next checkpoint is due.
    pub(super) fn checkpoint_after(&self, bytes: u64) {
        self.written.store(0, Ordering::Relaxed);
        self.freed.store(0, Ordering::Relaxed);
        self.due.store(bytes, Ordering::Relaxed);
        self.checkpoint_signal.0.lock().wanted = false;
    }

    pub(super) fn checkpoint_is_due(&self) -> bool {
        self.checkpoint_signal.0.lock().wanted
    }

    pub(crate) fn want_checkpoint(&self) {
        let mut signal = self.checkpoint_signal.0.lock();
        if !signal.wanted {
            signal.wanted = true;
            self.checkpoint_signal.1.notify_one();
        }
    }

    pub(super) fn stop_checkpoints(&self) {
        self.checkpoint_signal.0.lock().stop = true;
        self.checkpoint_signal.1.notify_one();
    }

    /// Waits until a checkpoint is due. False: stop.
    pub(super) fn wait_for_checkpoint(&self) -> bool {
        let mut signal = self.checkpoint_signal.0.lock();
        while !signal.wanted && !signal.stop {
            self.checkpoint_signal.1.wait(&mut signal);
        }
        signal.wanted = false;
        !signal.stop
    }

    pub(super) fn stop_scrubber(&self) {
        *self.stopping.0.lock() = true;
        self.stopping.1.notify_all();
    }

    /// Waits; true if the directory stops meanwhile.
    pub(crate) fn wait_for_stop(&self, patience: Duration) -> bool {
        let mut stopping = self.stopping.0.lock();
        if !*stopping {
            self.stopping.1.wait_for(&mut stopping, patience);
        }
        *stopping || self.is_fenced()
    }

    pub(crate) fn found_damage(&self, found: &[Damage]) {
        let mut damage = self.damage.lock();
        for found in found {
            if !damage.contains(found) {
                damage.push(found.clone());
            }
        }
    }

    pub(super) fn damage(&self) -> Vec<Damage> {
        self.damage.lock().clone()
    }

    /// A small text beside the log. Losing it costs nothing but work.
    pub(crate) fn read_note(&self, name: &str) -> Option<String> {
        let bytes = self.os.disk.read(&self.path.join(name)).ok()?;
        String::from_utf8(bytes).ok()
    }

    pub(crate) fn write_note(&self, name: &str, text: &str) -> Result<(), Error> {
        let path = self.path.join(name);
        let written = self.os.disk.write_atomically(&path, text.as_bytes());
        written.map_err(|error| Error::io(&path, error))
    }

    pub(crate) fn next_chunk_id(&self) -> u64 {
        self.next_chunk.fetch_add(1, Ordering::SeqCst)
    }

    /// Ids up to this one are in use.
    pub(super) fn chunk_ids_below(&self) -> u64 {
        self.next_chunk.load(Ordering::SeqCst)
    }

    pub(super) fn incarnations_below(&self) -> u32 {
        self.next_incarnation.load(Ordering::SeqCst)
    }

    pub(super) fn saw_chunk(&self, id: u64) {
        self.next_chunk.fetch_max(id + 1, Ordering::SeqCst);
    }

    pub(super) fn insert(&self, log: Arc<Log>) {
        self.logs.write().insert(log.target(), log);
    }

    pub(super) fn remove(&self, target: TopicIdPartition) {
        self.logs.write().remove(&target);
    }

    /// Nothing is appended any more, and nobody finds a log any more.
    pub(super) fn clear(&self) {
        let logs = std::mem::take(&mut *self.logs.write());
        logs.values().for_each(|log| log.take_offline());
        self.changed.lock().clear();
    }

    /// The log is not what the newest checkpoint says: the next one has it. Called by whoever changes its state under
    /// the partition lock, or its index after that.
    pub(crate) fn changed(&self, log: &Arc<Log>) {
        if !log.changed.load(Ordering::Relaxed) && !log.changed.swap(true, Ordering::SeqCst) {
            self.changed.lock().push(log.clone());
        }
    }

    /// The logs that changed since this was called last. What changes from now on is on the next list.
    pub(super) fn take_changed(&self) -> Vec<Arc<Log>> {
        let logs = std::mem::take(&mut *self.changed.lock());
        logs.iter()
            .for_each(|log| log.changed.store(false, Ordering::SeqCst));
        logs
    }

    /// Batches of so many bytes are in the chunk now, or, below zero, are no longer wanted there.
    pub(crate) fn lives(&self, chunk: u64, bytes: i64) {
        if bytes != 0 {
            *self.live.lock().entry(chunk).or_default() += bytes;
        }
    }

    /// The bytes of one log, by chunk, before and after a change.
    pub(crate) fn moved_bytes(&self, before: &FxHashMap<u64, u64>, after: &FxHashMap<u64, u64>) {
        let mut live = self.live.lock();
        let mut add = |chunk: u64, bytes: i64| *live.entry(chunk).or_default() += bytes;
        before
            .iter()
            .for_each(|(chunk, bytes)| add(*chunk, -(*bytes as i64)));
        after.iter().for_each(|(chunk, bytes)| add(*chunk, *bytes as i64));
    }

    /// The chunk is gone.
    pub(super) fn forget_live(&self, chunk: u64) {
        self.live.lock().remove(&chunk);
    }

    /// Bytes of batches that live in each chunk; a chunk without any may be missing.
    pub(crate) fn live(&self) -> FxHashMap<u64, u64> {
        let live = self.live.lock();
        live.iter()
            .map(|(chunk, bytes)| (*chunk, u64::try_from(*bytes).unwrap_or(0)))
            .collect()
    }

    pub(crate) fn log(&self, target: TopicIdPartition) -> Option<Arc<Log>> {
        self.logs.read().get(&target).cloned()
    }

    pub(crate) fn logs(&self) -> Vec<Arc<Log>> {
        self.logs.read().values().cloned().collect()
    }

    /// Gives up the room that is held for the cleaner. False if there is none: it was given up before.
    pub(crate) fn release_cleaner_reserve(&self) -> bool {
        self.release(RESERVE_OF_CLEANER)
    }

    /// The same of the room that is held for metadata, deletions and checkpoints.
    pub(crate) fn release_reserve(&self) -> bool {
        self.release(RESERVE)
    }

    fn release(&self, name: &str) -> bool {
        let held = self.pool().join(name);
        self.os.disk.exists(&held) && self.os.disk.remove_file(&held).is_ok()
    }

    pub(crate) fn is_fenced(&self) -> bool {
        self.fenced.load(Ordering::SeqCst)
    }

    /// Ends all writing to this directory for the life of the process.
    pub(crate) fn fence(&self, error: &Error) {
        if self.fenced.swap(true, Ordering::SeqCst) {
            return;
        }
        let marker = self.path.join(FENCED_MARKER);
        if let Err(failed) = self
            .os
            .disk
            .write_atomically(&marker, error.to_string().as_bytes())
        {
            tracing::error!(error = %failed, action = "replace the disk: not even a mark can be written to it", "the fenced marker could not be written");
        }
        let logs = self.logs();
        logs.iter().for_each(|log| log.take_offline());
        self.observer.fenced(&logs, error);
    }
}
