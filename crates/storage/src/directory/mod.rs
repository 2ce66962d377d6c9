//! A log directory: a failure domain with streams, a pool of spare chunks, and the logs in it.

mod checkpoint;
mod gauges;
mod meta;
mod open;
mod shared;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::Bytes;
use os::{DirectoryLock, FileSystem, Os};
use parking_lot::Mutex;
use types::{LeaderEpoch, Offset, TopicIdPartition, Uuid};

pub(crate) use checkpoint::Checkpointer;
pub(crate) use checkpoint::{
    CLEAN_STOP, CheckpointFile, FOLDER as CHECKPOINT_FOLDER, list as list_checkpoints,
};
pub(crate) use shared::Shared;

use crate::format::EntryType;
use crate::log::Inner;
use crate::stream::Stream;
use crate::{Damage, Error, Log, Options};

/// The stream of the metadata log.
pub(crate) const METADATA_STREAM: u16 = 65535;
pub(crate) const METADATA_FOLDER: &str = "__cluster_metadata-0";

/// An open log directory. Clones share it.
#[derive(Clone)]
pub struct LogDirectory {
    pub(crate) inner: Arc<Directory>,
}

pub(crate) struct Directory {
    pub(crate) os: Os,
    path: PathBuf,
    cluster_id: String,
    directory_id: Uuid,
    options: Options,
    pub(crate) shared: Arc<Shared>,
    pub(crate) stream: Arc<Stream>,
    pub(crate) metadata: Arc<Stream>,
    pub(crate) metadata_log: Arc<Log>,
    checkpointer: Arc<Checkpointer>,
    cleaner: crate::clean::Cleaner,
    sync_time: Duration,
    file_system: FileSystem,
    newest_wall_ms: i64,
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

    /// The latest wall clock that the log knew of when it was opened; 0 in a new one.
    pub fn newest_wall_ms(&self) -> i64 {
        self.inner.newest_wall_ms
    }

    /// What holds the directory; on one that copies on write chunks are not used again.
    pub fn file_system(&self) -> FileSystem {
        self.inner.file_system
    }

    /// Records that the scrubber found damaged in this process, oldest finding first.
    pub fn damage(&self) -> Vec<Damage> {
        self.inner.shared.damage()
    }

    pub fn is_fenced(&self) -> bool {
        self.inner.shared.is_fenced()
    }

    /// Whether the disk has no room for a next chunk: what is produced is refused until there is some.
    pub fn is_full(&self) -> bool {
        self.inner.stream.is_full() || self.inner.metadata.is_full()
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

    /// Begins a log. Nothing is written for it before its first entry: a log without data has no bytes on disk, and is
    /// begun again from the metadata after a restart.
    pub fn create_log(&self, target: TopicIdPartition, topic_name: &str) -> Result<Arc<Log>, Error> {
        let _alone = self.inner.creating.lock();
        if let Some(log) = self.log(target) {
            return Ok(log);
        }
        if self.is_fenced() {
            return Err(Error::Fenced {
                reason: "no log begins in it".to_owned(),
            });
        }
        let stream = self.inner.stream.clone();
        let incarnation = self.inner.shared.next_incarnation();
        let log = Log::new(
            target,
            topic_name.to_owned(),
            incarnation,
            stream,
            Inner::unwritten(),
        );
        self.inner.shared.insert(log.clone());
        Ok(log)
    }

    /// Ends a log: its records are gone.
    pub fn drop_log(&self, target: TopicIdPartition) -> Result<(), Error> {
        let _alone = self.inner.creating.lock();
        let Some(log) = self.log(target) else {
            return Ok(());
        };
        if !log.is_unwritten() {
            self.push_event(&log, EntryType::Drop, Bytes::new())?;
        }
        log.take_offline();
        log.ended();
        self.inner.shared.remove(target);
        self.inner.shared.freed(log.size_bytes());
        Ok(())
    }

    fn push_event(&self, log: &Arc<Log>, kind: EntryType, body: Bytes) -> Result<(), Error> {
        log.with_room(|| {
            let mut inner = log.inner.lock();
            log.push_event(&mut inner, kind, Offset(0), LeaderEpoch::NONE, body.clone())
        })
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

    /// Waits until the metadata log is durable up to `end`. An error: it never will be.
    pub fn wait_for_metadata(&self, end: Offset) -> Result<(), Error> {
        self.inner.metadata.wait_for_sync(&self.inner.metadata_log, end)
    }

    /// Somebody waits until what is written is durable.
    pub fn request_sync(&self) {
        self.inner.stream.request_sync();
    }

    /// Writes what is queued and waits for the next chunk to be reserved. Blocks.
    pub fn make_room(&self) {
        self.inner.stream.make_room();
        self.inner.metadata.make_room();
    }

    /// Writes a checkpoint, so that the next start reads little, and makes chunks free that hold nothing any more.
    pub fn checkpoint(&self) -> Result<(), Error> {
        self.inner.checkpointer.run(false)
    }

    /// How much room the records take, and how much of it they need (`log-format.md` 3.11).
    pub fn space(&self) -> Result<crate::Space, Error> {
        self.inner.cleaner.space(self.inner.os.clock.wall_ms())
    }

    /// Whether a round of cleaning may find something to do.
    pub fn wants_cleaning(&self) -> bool {
        self.inner.cleaner.is_due()
    }

    /// Brings the room that the records take within its bound. Blocks. Gives the bytes that were moved.
    pub fn clean(&self) -> Result<u64, Error> {
        self.inner.cleaner.clean(self.inner.os.clock.wall_ms())
    }

    /// Leaves of each key of a log the last record, if that is worth it (`Cleaner`). Blocks. None: nothing was done.
    pub fn compact(
        &self,
        log: &Arc<Log>,
        settings: &crate::CompactionSettings,
    ) -> Result<Option<crate::Compacted>, Error> {
        self.inner.cleaner.compact(log, settings)
    }

    /// Gives chunks free in which nothing lives any more, if there are some.
    pub fn reclaim(&self) -> Result<(), Error> {
        self.inner.checkpointer.reclaim()
    }

    /// One round of everything that threads do otherwise: for simulation.
    pub fn step(&self) -> Result<(), Error> {
        self.make_room();
        self.sync_now()?;
        if self.inner.shared.checkpoint_is_due() {
            self.checkpoint()
        } else {
            Ok(())
        }
    }

    /// Writes and syncs everything, on this thread.
    pub fn sync_now(&self) -> Result<(), Error> {
        for stream in [&self.inner.stream, &self.inner.metadata] {
            stream.drain();
            stream
                .sync_now()
                .inspect_err(|error| self.inner.shared.fence(error))?;
        }
        Ok(())
    }

    /// Stops: everything is written and synced, and the threads end.
    pub fn close(&self) -> Result<(), Error> {
        let inner = &self.inner;
        inner.shared.stop_checkpoints();
        let synced = if self.is_fenced() { Ok(()) } else { self.sync_now() };
        inner.end_threads();
        // Nothing is written any more: what the next start finds here is all there ever was.
        let stopped = synced.and_then(|()| {
            if self.is_fenced() {
                Ok(())
            } else {
                inner.checkpointer.run(true)
            }
        });
        inner.forget_logs();
        stopped
    }
}

impl Directory {
    fn end_threads(&self) {
        self.shared.stop_checkpoints();
        self.shared.stop_scrubber();
        for stream in [&self.stream, &self.metadata] {
            stream.stop();
        }
        let me = std::thread::current().id();
        for thread in self.threads.lock().drain(..) {
            // Whoever drops the last handle may be one of them: it ends by itself. One that panicked has said so.
            if thread.thread().id() != me {
                let _ = thread.join();
            }
        }
    }

    /// Logs name their stream, and streams their logs: somebody has to let go.
    fn forget_logs(&self) {
        self.metadata_log.take_offline();
        self.shared.clear();
        for stream in [&self.stream, &self.metadata] {
            stream.forget_logs();
        }
    }
}

/// A directory that is dropped without [`LogDirectory::close`] stops as if its process had died: what is queued is not
/// written, what is written is not synced.
impl Drop for Directory {
    fn drop(&mut self) {
        self.end_threads();
        self.forget_logs();
    }
}

#[cfg(test)]
mod tests {
    use os::disk::SimDisk;
    use os::{Clock, Disk, Random};
    use types::{BrokerId, PartitionIndex};

    use super::*;
    use crate::{FlushPolicy, Identity, Moved, Observer};

    struct Deaf;

    impl Observer for Deaf {
        fn advanced(&self, _: &[Moved]) {}
        fn fenced(&self, _: &[Arc<Log>], _: &Error) {}
    }

    /// False: there was no room.
    fn append_one(log: &Arc<Log>) -> bool {
        let mut batch = record::BatchBuilder::new(record::BatchOptions::default());
        batch.push(0, None, Some(&[7; 5000]));
        let batch = batch.build().expect("memory");
        let header = record::BatchHeader::parse(&batch).expect("ours");
        let append = crate::Append {
            batch: &batch,
            header: &header,
            leader_epoch: LeaderEpoch(0),
            marker: None,
        };
        log.append(&append).is_ok()
    }

    #[test]
    fn a_chunk_that_is_read_is_not_used_again() {
        let disk = SimDisk::new();
        let os = Os {
            disk: Disk::Simulated(disk.clone()),
            clock: Clock::real(),
            random: Random::seeded(1),
        };
        let options = Options {
            flush: FlushPolicy::Never,
            chunk_bytes_min: 64 << 10,
            threads: false,
            ..Options::default()
        };
        let identity = Identity {
            cluster_id: None,
            node_id: BrokerId(1),
        };
        let opened = LogDirectory::open(&os, Path::new("/d"), &identity, options, Arc::new(Deaf));
        let directory = opened.expect("an empty disk").0;
        let target = TopicIdPartition {
            topic_id: Uuid([1; 16]),
            partition: PartitionIndex(0),
        };
        let log = directory.create_log(target, "t").expect("room");
        let first = directory.inner.stream.place().expect("begun").chunk;
        while directory.inner.stream.place().expect("begun").chunk == first {
            if !append_one(&log) {
                directory.make_room();
            }
            directory.kick();
        }
        log.advance_start(log.written_end()).expect("room");
        let reader = directory.inner.stream.chunk(first).expect("there");
        let path = reader.path.clone();
        // The first checkpoint without it, and the one that is kept behind that.
        directory.checkpoint().expect("no fault");
        assert!(directory.inner.stream.chunk(first).is_some());
        directory.checkpoint().expect("no fault");
        assert!(
            directory.inner.stream.chunk(first).is_none(),
            "no new reader finds it"
        );
        assert!(os.disk.exists(&path));
        drop(reader);
        directory.checkpoint().expect("no fault");
        assert!(!os.disk.exists(&path));
    }

    #[test]
    fn a_directory_that_is_dropped_without_a_close_leaves_nothing_behind() {
        let os = Os {
            disk: Disk::Simulated(SimDisk::new()),
            clock: Clock::real(),
            random: Random::seeded(3),
        };
        let identity = Identity {
            cluster_id: None,
            node_id: BrokerId(1),
        };
        for (threads, closes) in [(false, false), (true, false), (true, true)] {
            let options = Options {
                threads,
                chunk_bytes_min: 64 << 10,
                ..Options::default()
            };
            let opened = LogDirectory::open(&os, Path::new("/dropped"), &identity, options, Arc::new(Deaf));
            let directory = opened.expect("a sound disk").0;
            let target = TopicIdPartition {
                topic_id: Uuid([6; 16]),
                partition: PartitionIndex(0),
            };
            let log = directory.create_log(target, "topic").expect("room");
            append_one(&log);
            directory.kick();
            append_one(&log);
            let shared = Arc::downgrade(&directory.inner.shared);
            let stream = Arc::downgrade(&directory.inner.stream);
            let held = Arc::downgrade(&log);
            drop(log);
            if closes {
                directory.close().expect("no fault");
            }
            drop(directory);
            assert!(
                held.upgrade().is_none(),
                "threads {threads}, closed {closes}: the log"
            );
            assert!(
                stream.upgrade().is_none(),
                "threads {threads}, closed {closes}: the stream"
            );
            assert!(
                shared.upgrade().is_none(),
                "threads {threads}, closed {closes}: what they share"
            );
        }
    }
}
