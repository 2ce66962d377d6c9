//! Compaction of topics with `cleanup.policy=compact`: the dirtiest log first, until none is worth it
//! (`LogCleanerManager.grabFilthiestCompactedLog`).

use std::sync::Arc;

use config::BrokerConfig;
use storage::CompactionSettings;

use crate::Broker;
use crate::partition::Partition;

/// Logs that are compacted in one round at most, so that retention has its turn.
const LOGS_MAX: usize = 64;

/// Compacts what is worth it. True if there may be more.
pub(super) fn round(broker: &Arc<Broker>, now_ms: i64) -> bool {
    let settings = broker.settings();
    if !settings.cleaner_enable {
        return false;
    }
    let mut dirty: Vec<(f64, Arc<Partition>)> = Vec::new();
    for topic in broker.topics.all() {
        for partition in topic.partitions() {
            if let Some(ratio) = partition.dirty_ratio(&settings, now_ms) {
                dirty.push((ratio, partition));
            }
        }
    }
    dirty.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    let more = LOGS_MAX < dirty.len();
    for (_, partition) in dirty.iter().take(LOGS_MAX) {
        if broker.directory.is_fenced() {
            return false;
        }
        partition.compact(broker, &settings, now_ms);
    }
    more
}

impl Partition {
    /// How much of the log is not compacted, if it is to be compacted at all.
    fn dirty_ratio(&self, broker: &BrokerConfig, now_ms: i64) -> Option<f64> {
        if self.is_offline() || !self.settings().compacted {
            return None;
        }
        let cleanable = self.log().cleanable(&self.compaction(broker, now_ms))?;
        Some(cleanable.ratio)
    }

    fn compaction(&self, broker: &BrokerConfig, now_ms: i64) -> CompactionSettings {
        let settings = self.settings();
        CompactionSettings {
            delete_retention_ms: settings.delete_retention_ms,
            lag_min_ms: settings.min_compaction_lag_ms,
            lag_max_ms: settings.max_compaction_lag_ms,
            dirty_ratio_min: settings.min_cleanable_dirty_ratio,
            segment_bytes: settings.segment_bytes,
            buffer_bytes: broker.cleaner_dedupe_buffer_bytes,
            load_factor: broker.cleaner_load_factor,
            stable: self.last_stable_offset(),
            now_ms,
        }
    }

    fn compact(&self, broker: &Broker, settings: &BrokerConfig, now_ms: i64) {
        let of = self.compaction(settings, now_ms);
        match broker.directory.compact(self.log(), &of) {
            Ok(None) => {}
            Ok(Some(done)) => tracing::info!(
                topic = %self.topic,
                partition = %self.index,
                read = done.bytes_read,
                left = done.bytes_left,
                cleaned_to = done.cleaned_to.0,
                "a log was compacted"
            ),
            Err(error) => {
                tracing::warn!(topic = %self.topic, partition = %self.index, %error, "a log could not be compacted yet");
            }
        }
    }
}
