//! A stream: the one sequence of groups that all partitions of it append to.
//!
//! Appends queue slices; whoever finds the writer free builds one group of all that is queued and writes it with one
//! call (a combining lock). Large drains and chunk switches are the writer thread's. Syncs have a thread of their own.

mod build;
mod fine;
mod queue;
mod seal;
mod sync;
mod tail;
mod writer;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use os::Os;
use parking_lot::{Condvar, Mutex, MutexGuard, RwLock};
use rustc_hash::FxHashMap;
use smallvec::SmallVec;
use types::{Offset, Uuid};

pub(crate) use fine::{Fine, FineCache, footer_run, read_footer, read_trailer};
pub(crate) use queue::{Payload, Queue, Slice};
pub(crate) use sync::SyncSignal;
pub(crate) use writer::{Place, Writer};

use crate::chunk::{Chunk, Pool};
use crate::directory::Shared;
use crate::format::checkpoint::StreamPlace;
use crate::{AppendError, Error, Log, Moved, Options};

/// Work that a request's own thread does; more is for the writer thread.
const INLINE_DRAIN_BYTES: u64 = 1 << 20;
const INLINE_UNSYNCED_BYTES: u64 = 8 << 20;

/// Whoever waits for a sync looks so often whether there will be one.
const FENCE_SEEN_WITHIN: std::time::Duration = std::time::Duration::from_millis(20);

/// A full disk is looked at again after this.
const FULL_RETRY: std::time::Duration = std::time::Duration::from_millis(500);

pub(crate) struct Stream {
    pub(crate) id: u16,
    pub(crate) os: Os,
    /// Where its chunks are.
    pub(crate) folder: PathBuf,
    pub(crate) directory_id: Uuid,
    pub(crate) options: Options,
    pub(crate) shared: Arc<Shared>,
    queue: Mutex<Queue>,
    writer: Mutex<Writer>,
    /// Held by the one who syncs; true once that failed.
    syncing: Mutex<bool>,
    /// Held by the one who reserves the next chunk.
    preparing: Mutex<()>,
    pub(crate) pool: Pool,
    fine: FineCache,
    chunks: RwLock<FxHashMap<u64, Arc<Chunk>>>,
    written_lsn: AtomicU64,
    synced_lsn: AtomicU64,
    unsynced_bytes: AtomicU64,
    dirty: Mutex<SmallVec<[Arc<Log>; 4]>>,
    sync_signal: SyncSignal,
    /// Told of the end of each sync.
    synced: (Mutex<()>, Condvar),
    writer_signal: (Mutex<WriterSignal>, Condvar),
}

#[derive(Debug, Default)]
struct WriterSignal {
    wanted: bool,
    stop: bool,
}

impl Stream {
    pub(crate) fn new(
        id: u16,
        os: &Os,
        folder: PathBuf,
        directory_id: Uuid,
        options: &Options,
        shared: &Arc<Shared>,
    ) -> Arc<Stream> {
        Arc::new(Stream {
            id,
            os: os.clone(),
            folder,
            directory_id,
            options: options.clone(),
            shared: shared.clone(),
            queue: Mutex::default(),
            writer: Mutex::default(),
            syncing: Mutex::default(),
            preparing: Mutex::default(),
            pool: Pool::default(),
            fine: FineCache::default(),
            chunks: RwLock::default(),
            written_lsn: AtomicU64::new(0),
            synced_lsn: AtomicU64::new(0),
            unsynced_bytes: AtomicU64::new(0),
            dirty: Mutex::default(),
            sync_signal: SyncSignal::default(),
            synced: Default::default(),
            writer_signal: Default::default(),
        })
    }

    pub(crate) fn chunk(&self, id: u64) -> Option<Arc<Chunk>> {
        self.chunks.read().get(&id).cloned()
    }

    pub(crate) fn add_chunk(&self, chunk: Arc<Chunk>) {
        self.chunks.write().insert(chunk.id, chunk);
    }

    pub(crate) fn chunk_ids(&self) -> Vec<u64> {
        let mut ids: Vec<u64> = self.chunks.read().keys().copied().collect();
        ids.sort_unstable();
        ids
    }

    /// Bytes of its chunks and spares.
    pub(crate) fn allocated_bytes(&self) -> u64 {
        let chunks: u64 = self.chunks.read().values().map(|chunk| chunk.bytes).sum();
        chunks + self.pool.bytes()
    }

    pub(crate) fn remove_chunk(&self, id: u64) -> Option<Arc<Chunk>> {
        self.fine.remove(id);
        self.chunks.write().remove(&id)
    }

    /// Where the stream stands.
    pub(crate) fn place(&self) -> Option<StreamPlace> {
        let writer = self.writer.lock();
        let place = writer.place()?;
        let Place {
            position, chain, lsn, ..
        } = *place;
        Some(StreamPlace {
            stream: self.id,
            chunk: place.chunk.id,
            position,
            chain,
            lsn,
        })
    }

    /// Bytes of the chunk that is written now.
    pub(crate) fn current_chunk_bytes(&self) -> u64 {
        let bytes = self.writer.lock().place().map_or(0, |place| place.chunk.bytes);
        self.look_again();
        bytes
    }

    /// After the writer's lock was held for something else than writing: whoever found it taken meanwhile went away in
    /// the belief that the holder looks at the queue again.
    pub(super) fn look_again(&self) {
        if !self.queue.lock().is_empty() {
            self.wake_writer();
        }
    }

    /// The disk has no room for a next chunk.
    pub(crate) fn is_full(&self) -> bool {
        self.queue.lock().full
    }

    /// Room was made: a full stream looks for it.
    pub(crate) fn try_again(&self) {
        if self.queue.lock().full {
            self.wake_writer();
        }
    }

    /// Queues a slice, or says that no byte is to be had. The partition lock is held by the caller.
    pub(crate) fn push(&self, slice: Slice) -> Result<Option<u64>, AppendError> {
        if self.shared.is_fenced() {
            return Err(AppendError::Offline);
        }
        slice.log.iter().for_each(|log| self.shared.changed(log));
        self.queue.lock().push(slice)
    }

    /// Writes what is queued, if nobody does already.
    pub(crate) fn kick(&self) {
        loop {
            {
                let queue = self.queue.lock();
                if queue.is_empty() {
                    return;
                }
                let unsynced = self.unsynced_bytes.load(Ordering::Relaxed);
                let inline = queue.bytes() <= INLINE_DRAIN_BYTES
                    && unsynced <= INLINE_UNSYNCED_BYTES
                    && !queue.needs_switch();
                let behind_is_fine = self.options.flush == crate::FlushPolicy::Never;
                let mine = inline || (behind_is_fine && !queue.needs_switch());
                if self.options.threads && !mine {
                    drop(queue);
                    self.wake_writer();
                    return;
                }
            }
            if !self.write_once() {
                return;
            }
        }
    }

    /// Writes one group. False if somebody else is at it, who will look again, or the directory is fenced.
    fn write_once(&self) -> bool {
        let Some(mut writer) = self.writer.try_lock() else {
            return false;
        };
        let moved = match self.write_group(&mut writer) {
            Ok(moved) => moved,
            Err(error) => {
                drop(writer);
                self.shared.fence(&error);
                return false;
            }
        };
        drop(writer);
        self.tell(&moved);
        true
    }

    fn tell(&self, moved: &[Moved]) {
        if moved.is_empty() {
            return;
        }
        self.shared.observer.advanced(moved);
        self.sync_signal.unsynced(&self.options);
    }

    fn wake_writer(&self) {
        self.writer_signal.0.lock().wanted = true;
        self.writer_signal.1.notify_one();
    }

    /// The writer thread: large drains, chunk switches, and the next chunk in advance.
    pub(crate) fn run_writer(&self) {
        loop {
            {
                let mut signal = self.writer_signal.0.lock();
                while !signal.wanted && !signal.stop {
                    if self.queue.lock().full {
                        // Somebody may have made room meanwhile.
                        signal.wanted = self.writer_signal.1.wait_for(&mut signal, FULL_RETRY).timed_out();
                    } else {
                        self.writer_signal.1.wait(&mut signal);
                    }
                }
                if signal.stop {
                    return;
                }
                signal.wanted = false;
            }
            self.drain();
            self.prepare_next();
        }
    }

    /// Writes all that is queued, and waits for what another thread is writing: when this returns, the logs know where
    /// everything lies that was queued before.
    pub(crate) fn drain(&self) {
        loop {
            let mut writer = self.writer.lock();
            if self.shared.is_fenced() {
                return;
            }
            if self.queue.lock().is_empty() {
                drop(writer);
                // Whoever queued meanwhile found the lock taken, and left it to its holder.
                if self.queue.lock().is_empty() {
                    return;
                }
                continue;
            }
            let result = self.write_group(&mut writer);
            drop(writer);
            match result {
                Ok(moved) => self.tell(&moved),
                Err(error) => self.shared.fence(&error),
            }
        }
    }

    /// Writes what is queued and waits for the next chunk to be reserved. Blocks.
    pub(crate) fn make_room(&self) {
        // The first round may go over to a chunk that was ready, and leave none behind it.
        for _ in 0..2 {
            self.drain();
            self.prepare_next();
        }
    }

    pub(crate) fn stop(&self) {
        self.writer_signal.0.lock().stop = true;
        self.writer_signal.1.notify_one();
        self.sync_signal.stop();
    }

    pub(crate) fn request_sync(&self) {
        // A group that is being written is neither queued nor counted as written.
        if self.synced_lsn.load(Ordering::SeqCst) < self.written_lsn.load(Ordering::SeqCst)
            || !self.queue.lock().is_empty()
            || self.writer.is_locked()
        {
            self.sync_signal.request();
        }
    }

    /// Waits until the log is durable up to `end`, or never will be.
    pub(crate) fn wait_for_sync(&self, log: &Log, end: Offset) -> Result<(), Error> {
        let mut waiting = self.synced.0.lock();
        while log.synced_end() < end {
            if self.shared.is_fenced() {
                return Err(Error::Fenced {
                    reason: "what was written is not synced any more".to_owned(),
                });
            }
            // A fence does not say so here.
            self.synced.1.wait_for(&mut waiting, FENCE_SEEN_WITHIN);
        }
        Ok(())
    }

    /// Lets go of every log, written or not: nothing is done with them any more.
    pub(crate) fn forget_logs(&self) {
        *self.queue.lock() = Queue::default();
        self.writer.lock().forget_logs();
        self.dirty.lock().clear();
    }

    /// Keeps syncs away while a log's ends go backwards.
    pub(crate) fn hold_syncs(&self) -> Result<MutexGuard<'_, bool>, Error> {
        let held = self.syncing.lock();
        if *held {
            Err(Error::Fenced {
                reason: "a sync failed before".to_owned(),
            })
        } else {
            Ok(held)
        }
    }

    /// Remembers that the next sync covers this log.
    fn mark_dirty(&self, log: &Arc<Log>) {
        if !log.dirty.swap(true, Ordering::SeqCst) {
            self.dirty.lock().push(log.clone());
        }
    }

    fn take_dirty(&self) -> SmallVec<[(Arc<Log>, Offset); 4]> {
        let logs = std::mem::take(&mut *self.dirty.lock());
        let end = |log: Arc<Log>| {
            // Cleared first: a write after this puts it on the next list.
            log.dirty.store(false, Ordering::SeqCst);
            let end = log.written_end();
            (log, end)
        };
        logs.into_iter().map(end).collect()
    }
}
