//! What of a log lives, and where: for the cleaner.

use super::Log;

/// The living bytes of a log in one chunk.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Living {
    pub(crate) chunk: u64,
    pub(crate) bytes: u64,
    /// Retention is about to drop it: within a tenth of its time.
    pub(crate) soon: bool,
}

impl Log {
    /// Where it has batches, and how much. Of a run that the start of the log lies in, only what can still be read.
    pub(crate) fn living(&self, now_ms: i64) -> Vec<Living> {
        let (mut found, cut) = {
            let inner = self.inner.lock();
            let start = inner.state.log_start;
            let retention = inner.limits.retention_ms;
            let soon = |max_timestamp: i64| {
                retention.is_some_and(|keeps| {
                    0 <= max_timestamp && keeps - keeps / 10 < now_ms.saturating_sub(max_timestamp)
                })
            };
            let runs = inner.index.runs().iter().map(|run| Living {
                chunk: run.chunk,
                bytes: run.bytes,
                soon: soon(run.max_timestamp),
            });
            let open = inner.index.open().iter().map(|extent| Living {
                chunk: extent.chunk,
                bytes: u64::from(extent.bytes),
                soon: false,
            });
            let cut = inner.index.runs_from(start).next();
            let cut = cut.filter(|(run, _)| run.base < start);
            (runs.chain(open).collect::<Vec<_>>(), cut.map(|cut| (cut, start)))
        };
        if let Some(((run, end), start)) = cut
            && let Ok(fine) = self.stream.load_fine(run.chunk)
        {
            let left = fine.extents((self.target, self.incarnation), &run, start, end);
            let left = left.map(|extent| u64::from(extent.bytes)).sum();
            found
                .iter_mut()
                .filter(|living| living.chunk == run.chunk)
                .take(1)
                .for_each(|living| living.bytes = living.bytes.min(left));
        }
        found
    }
}
