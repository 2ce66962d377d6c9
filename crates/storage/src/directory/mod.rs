//! A log directory: a failure domain with streams, a pool of spare chunks, and the logs in it.

mod meta;
mod open;
mod shared;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::Bytes;
use os::{DirectoryLock, Os};
use parking_lot::Mutex;
use types::{LeaderEpoch, Offset, TopicIdPartition, Uuid};

pub(crate) use shared::Shared;

use crate::format::EntryType;
use crate::log::Inner;
use crate::stream::Stream;
use crate::{Error, Log, Options};

/// The stream of the metadata log.
pub(crate) const METADATA_STREAM: u16 = 65535;
pub(crate) const METADATA_FOLDER: &str = "__cluster_metadata-0";

/// An open log directory. Clones share it.
#[derive(Clone)]
pub struct LogDirectory {
    inner: Arc<Directory>,
}

struct Directory {
    os: Os,
    path: PathBuf,
    cluster_id: String,
    directory_id: Uuid,
    options: Options,
    shared: Arc<Shared>,
    stream: Arc<Stream>,
    metadata: Arc<Stream>,
    metadata_log: Arc<Log>,
    sync_time: Duration,
    /// Held by the one who begins or ends a log.
    creating: Mutex<()>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    _lock: DirectoryLock,
}

impl LogDirectory {
    pub fn path(&self) -> &Path {
        &self.inner.path
    }

    pub fn cluster_id(&self) -> &str {
        &self.inner.cluster_id
    }

    pub fn directory_id(&self) -> Uuid {
        self.inner.directory_id
    }

    /// Where snapshots of the metadata log and the quorum's state lie.
    pub fn metadata_folder(&self) -> PathBuf {
        self.inner.path.join(METADATA_FOLDER)
    }

    pub fn os(&self) -> &Os {
        &self.inner.os
    }

    /// How long a sync of a page took when the directory was opened.
    pub fn sync_time(&self) -> Duration {
        self.inner.sync_time
    }

    pub fn is_fenced(&self) -> bool {
        self.inner.shared.is_fenced()
    }

    /// Every log but the metadata log.
    pub fn logs(&self) -> Vec<Arc<Log>> {
        self.inner.shared.logs()
    }

    pub fn log(&self, target: TopicIdPartition) -> Option<Arc<Log>> {
        self.inner.shared.log(target)
    }

    /// The log of the cluster's metadata, always synced before it is answered.
    pub fn metadata_log(&self) -> Arc<Log> {
        self.inner.metadata_log.clone()
    }

    /// Begins a log. No file is made for it; it is durable with the next sync.
    pub fn create_log(&self, target: TopicIdPartition, topic_name: &str) -> Result<Arc<Log>, Error> {
        let _alone = self.inner.creating.lock();
        if let Some(log) = self.log(target) {
            return Ok(log);
        }
        let stream = self.inner.stream.clone();
        let log = Log::new(target, topic_name.to_owned(), 1, stream, Inner::default());
        let name = Bytes::copy_from_slice(topic_name.as_bytes());
        self.push_event(&log, EntryType::Create, name)?;
        self.inner.shared.insert(log.clone());
        Ok(log)
    }

    /// Ends a log: its records are gone.
    pub fn drop_log(&self, target: TopicIdPartition) -> Result<(), Error> {
        let _alone = self.inner.creating.lock();
        let Some(log) = self.log(target) else { return Ok(()) };
        self.push_event(&log, EntryType::Drop, Bytes::new())?;
        log.take_offline();
        self.inner.shared.remove(target);
        Ok(())
    }

    /// Queues an event; when the next chunk is not ready, waits for it once.
    fn push_event(&self, log: &Arc<Log>, kind: EntryType, body: Bytes) -> Result<(), Error> {
        match log.push_event(kind, Offset(0), LeaderEpoch::NONE, body.clone()) {
            Err(Error::Full) => {
                self.make_room();
                log.push_event(kind, Offset(0), LeaderEpoch::NONE, body)
            }
            other => other,
        }
    }

    /// Writes what is queued on every stream, unless somebody is at it already.
    pub fn kick(&self) {
        self.inner.stream.kick();
    }

    /// As [`LogDirectory::kick`], for the metadata log.
    pub fn kick_metadata(&self) {
        self.inner.metadata.kick();
        self.inner.metadata.request_sync();
    }

    /// Somebody waits until what is written is durable.
    pub fn request_sync(&self) {
        self.inner.stream.request_sync();
    }

    /// Writes what is queued and waits for the next chunk to be reserved. Blocks.
    pub fn make_room(&self) {
        for stream in [&self.inner.stream, &self.inner.metadata] {
            stream.drain();
            stream.prepare_next();
            stream.drain();
            stream.prepare_next();
        }
    }

    /// Writes and syncs everything, on this thread.
    pub fn sync_now(&self) -> Result<(), Error> {
        for stream in [&self.inner.stream, &self.inner.metadata] {
            stream.drain();
            stream.sync_now().inspect_err(|error| self.inner.shared.fence(error))?;
        }
        Ok(())
    }

    /// Stops: everything is written and synced, and the threads end.
    pub fn close(&self) -> Result<(), Error> {
        let synced = if self.is_fenced() { Ok(()) } else { self.sync_now() };
        for stream in [&self.inner.stream, &self.inner.metadata] {
            stream.stop();
        }
        for thread in self.inner.threads.lock().drain(..) {
            // A thread that panicked has said so; the rest still stops.
            let _ = thread.join();
        }
        self.inner.shared.clear();
        synced
    }
}
