//! What the log has reached, turned into the high watermark and into wake-ups.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use config::Flush;
use net::WakeSet;
use storage::{Moved, Observer};
use tracing::error;
use types::Offset;

use super::Partition;

/// Listens to a log directory for all its partitions.
#[derive(Debug, Default)]
pub struct Progress;

impl Observer for Progress {
    fn advanced(&self, moved: &[Moved]) {
        let mut wakes = WakeSet::default();
        for moved in moved {
            if let Some(partition) = partition_of(&moved.log) {
                partition.advance(moved.written, moved.synced, &mut wakes);
            }
        }
        wakes.deliver();
    }

    fn fenced(&self, logs: &[Arc<storage::Log>], error: &storage::Error) {
        error!(
            %error,
            action = "check or replace the disk, then restart: what was acknowledged is read back, nothing else is",
            "log directory fenced, its partitions are offline until a restart"
        );
        let mut wakes = WakeSet::default();
        for partition in logs.iter().filter_map(partition_of) {
            partition.go_offline(&mut wakes);
        }
        wakes.deliver();
    }
}

fn partition_of(log: &Arc<storage::Log>) -> Option<Arc<Partition>> {
    log.attachment()?.downcast::<Partition>().ok()
}

impl Partition {
    /// The log holds everything below `written`, and on stable storage everything below `synced`.
    fn advance(&self, written: Offset, synced: Offset, wakes: &mut WakeSet) {
        // This node is the whole in-sync set, so its own end is the minimum (A8).
        let committed = match self.flush.get() {
            Flush::Ack => synced,
            Flush::Interval | Flush::Never => written,
        };
        let before = self.high_watermark.fetch_max(committed.0, Ordering::SeqCst);
        let grew = committed.0 > before;
        self.waiters
            .wake(written, Offset(before.max(committed.0)), grew, wakes);
    }

    /// Catches up with what the log reached before this partition listened.
    pub(super) fn refresh(&self) {
        let mut wakes = WakeSet::default();
        self.advance(self.log.written_end(), self.log.synced_end(), &mut wakes);
        wakes.deliver();
    }

    /// Ends every wait; see [`Partition::is_offline`].
    pub fn go_offline(&self, wakes: &mut WakeSet) {
        self.offline.store(true, Ordering::SeqCst);
        self.waiters.wake_all(wakes);
    }
}
