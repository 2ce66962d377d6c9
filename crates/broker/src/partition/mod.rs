//! A partition that this node leads: the live thing above its log.

mod append;
mod progress;
mod read;
mod settings;
mod trim;
mod waiters;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicI64, Ordering};

use config::{Flush, TopicConfig};
use parking_lot::RwLock;
use storage::{Log, LogDirectory};
use types::{LeaderEpoch, Offset, PartitionIndex, TopicId, TopicName};

pub use append::{Acks, AppendFailure, Produced};
pub use progress::Progress;
pub use read::{Bounds, Isolation};
pub(crate) use settings::Said;
pub use waiters::{FetchWaiter, ProduceEnd, ProduceWait};

use settings::FlushCell;
use waiters::Waiters;

/// One partition. Its log holds the lock that orders appends; what is here is read without it.
pub struct Partition {
    pub topic: TopicName,
    pub topic_id: TopicId,
    pub index: PartitionIndex,
    log: Arc<Log>,
    settings: RwLock<Arc<TopicConfig>>,
    /// As the settings say, where it is read often.
    flush: FlushCell,
    /// The broker's own mode, by which the log directory syncs.
    directory_flush: Flush,
    leader_epoch: AtomicI32,
    /// Everything below is committed: consumers see it, and it survives what the flush policy promises.
    high_watermark: AtomicI64,
    offline: AtomicBool,
    waiters: Waiters,
    directory: LogDirectory,
}

impl Partition {
    /// Takes a log into service: what is on disk is committed, since this node is all of the in-sync replicas.
    pub fn new(
        topic: TopicName,
        topic_id: TopicId,
        index: PartitionIndex,
        log: Arc<Log>,
        settings: Arc<TopicConfig>,
        directory_flush: Flush,
        directory: &LogDirectory,
    ) -> Arc<Partition> {
        let partition = Arc::new(Partition {
            topic,
            topic_id,
            index,
            high_watermark: AtomicI64::new(log.synced_end().0),
            flush: FlushCell::new(settings.flush),
            settings: RwLock::new(settings),
            leader_epoch: AtomicI32::new(log.latest_epoch().unwrap_or(LeaderEpoch::NONE).0),
            directory_flush,
            offline: AtomicBool::new(false),
            waiters: Waiters::default(),
            directory: directory.clone(),
            log,
        });
        let attachment: Arc<dyn std::any::Any + Send + Sync> = partition.clone();
        partition.log.attach(Arc::downgrade(&attachment));
        partition.apply_settings();
        partition.refresh();
        partition
    }

    pub fn log(&self) -> &Arc<Log> {
        &self.log
    }

    pub fn leader_epoch(&self) -> LeaderEpoch {
        LeaderEpoch(self.leader_epoch.load(Ordering::Acquire))
    }

    pub fn high_watermark(&self) -> Offset {
        Offset(self.high_watermark.load(Ordering::SeqCst))
    }

    /// The log directory is fenced, or the topic deleted: nothing is appended or waited for any more.
    pub fn is_offline(&self) -> bool {
        self.offline.load(Ordering::SeqCst)
    }

    /// Below it, every transaction is decided.
    pub fn last_stable_offset(&self) -> Offset {
        self.log.last_stable_offset(self.high_watermark())
    }

    /// A newer leader epoch: later batches carry it.
    pub fn lead(&self, epoch: LeaderEpoch) -> Result<(), storage::Error> {
        if self.leader_epoch() < epoch || self.log.latest_epoch().is_none() {
            self.log.set_leader_epoch(epoch)?;
            self.leader_epoch.store(epoch.0, Ordering::Release);
        }
        Ok(())
    }

    /// Checks the leader epoch that a client believes in (KIP-320; trap 45): -1 asks for no check.
    pub fn check_leader_epoch(&self, believed: i32) -> Result<(), types::ErrorCode> {
        let current = self.leader_epoch().0;
        match believed {
            -1 => Ok(()),
            older if older < current => Err(types::ErrorCode::FencedLeaderEpoch),
            newer if current < newer => Err(types::ErrorCode::UnknownLeaderEpoch),
            _ => Ok(()),
        }
    }
}
