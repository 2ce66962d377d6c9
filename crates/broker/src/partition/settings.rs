//! The live settings of a partition: the one place where what the metadata says of a topic and of brokers becomes what
//! a partition goes by. Everything that reads a setting while the partition lives (appends, retention, compaction)
//! reads it from [`Partition::settings`], so that an alteration holds from the next look on.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use config::{BrokerConfig, Flush, TopicConfig};
use metadata::{MetadataImage, ResourceKind};
use storage::SegmentLimits;

use super::{Acks, Partition};

/// What was said of brokers while they run: of this one, and of all.
pub(crate) struct Said {
    own: Arc<metadata::Configs>,
    cluster: Arc<metadata::Configs>,
}

impl Said {
    pub(crate) fn of(image: &MetadataImage, broker: i32) -> Said {
        Said {
            own: image.configs(ResourceKind::Broker, &broker.to_string()),
            cluster: image.configs(ResourceKind::Broker, ""),
        }
    }

    pub(crate) fn dynamic(&self) -> config::Dynamic<'_> {
        config::Dynamic {
            own: &self.own,
            cluster: &self.cluster,
        }
    }

    /// The settings of a topic, resolved.
    pub(crate) fn topic(&self, image: &MetadataImage, name: &str, broker: &BrokerConfig) -> Arc<TopicConfig> {
        let overrides = image.configs(ResourceKind::Topic, name);
        Arc::new(TopicConfig::resolve(&overrides, self.dynamic(), broker))
    }
}

/// A flush mode that is read without a lock, at every advance of the log.
#[derive(Debug)]
pub(super) struct FlushCell(AtomicU8);

impl FlushCell {
    pub(super) fn new(flush: Flush) -> FlushCell {
        FlushCell(AtomicU8::new(code(flush)))
    }

    pub(super) fn get(&self) -> Flush {
        match self.0.load(Ordering::Acquire) {
            0 => Flush::Ack,
            1 => Flush::Interval,
            _ => Flush::Never,
        }
    }

    fn set(&self, flush: Flush) {
        self.0.store(code(flush), Ordering::Release);
    }
}

fn code(flush: Flush) -> u8 {
    match flush {
        Flush::Ack => 0,
        Flush::Interval => 1,
        Flush::Never => 2,
    }
}

impl Partition {
    /// What the partition goes by now.
    pub fn settings(&self) -> Arc<TopicConfig> {
        self.settings.read().clone()
    }

    /// Other settings, from now on. What is acknowledged stays acknowledged.
    pub fn replace_settings(&self, settings: Arc<TopicConfig>) {
        self.flush.set(settings.flush);
        *self.settings.write() = settings;
        self.apply_settings();
        // Where the disk is no longer waited for, what is written counts.
        self.refresh();
    }

    /// Hands on what the log itself needs to know.
    pub(super) fn apply_settings(&self) {
        let settings = self.settings();
        self.log.limit_segments(SegmentLimits {
            bytes: settings.segment_bytes,
            ms: settings.segment_ms_max(),
            jitter_ms: settings.segment_jitter_ms,
            retention_ms: settings.retention_ms.filter(|_| settings.deletes),
        });
    }

    /// Whether a batch that was just queued asks for a sync: the directory syncs by the broker's mode, and a topic may
    /// be stricter.
    pub fn wants_sync(&self, acks: Acks) -> bool {
        match (self.flush.get(), self.directory_flush) {
            (Flush::Ack, Flush::Ack) => acks == Acks::All,
            (Flush::Ack, _) | (Flush::Interval, Flush::Never) => true,
            _ => false,
        }
    }
}
