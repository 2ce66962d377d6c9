//! What the streams of a directory share: its logs, its chunk numbers, and whether it is fenced.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use os::Os;
use parking_lot::RwLock;
use rustc_hash::FxHashMap;
use types::TopicIdPartition;

use crate::{Error, Log, Observer};

/// The file that remembers a failed write or sync until the next start has read past the page cache.
pub(super) const FENCED_MARKER: &str = "fenced";

pub(crate) struct Shared {
    os: Os,
    path: PathBuf,
    pub(crate) observer: Arc<dyn Observer>,
    fenced: AtomicBool,
    next_chunk: AtomicU64,
    next_spare: AtomicU64,
    logs: RwLock<FxHashMap<TopicIdPartition, Arc<Log>>>,
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
            logs: RwLock::default(),
        })
    }

    pub(crate) fn pool(&self) -> PathBuf {
        self.path.join("pool")
    }

    pub(crate) fn next_spare_name(&self) -> String {
        format!("{}.spare", self.next_spare.fetch_add(1, Ordering::SeqCst))
    }

    pub(crate) fn next_chunk_id(&self) -> u64 {
        self.next_chunk.fetch_add(1, Ordering::SeqCst)
    }

    /// Ids up to this one are in use.
    pub(super) fn saw_chunk(&self, id: u64) {
        self.next_chunk.fetch_max(id + 1, Ordering::SeqCst);
    }

    pub(super) fn insert(&self, log: Arc<Log>) {
        self.logs.write().insert(log.target(), log);
    }

    pub(super) fn remove(&self, target: TopicIdPartition) {
        self.logs.write().remove(&target);
    }

    pub(super) fn clear(&self) {
        self.logs.write().clear();
    }

    pub(super) fn log(&self, target: TopicIdPartition) -> Option<Arc<Log>> {
        self.logs.read().get(&target).cloned()
    }

    pub(super) fn logs(&self) -> Vec<Arc<Log>> {
        self.logs.read().values().cloned().collect()
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
        if let Err(failed) = self.os.disk.write_atomically(&marker, error.to_string().as_bytes()) {
            tracing::error!(error = %failed, "the fenced marker could not be written");
        }
        let logs = self.logs();
        logs.iter().for_each(|log| log.take_offline());
        self.observer.fenced(&logs, error);
    }
}
