//! What a log directory says of itself to whoever measures.

use super::LogDirectory;

impl LogDirectory {
    /// Bytes of chunk files: of every stream, in use and spare.
    pub fn allocated_bytes(&self) -> u64 {
        let streams = [&self.inner.stream, &self.inner.metadata];
        streams.iter().map(|stream| stream.allocated_bytes()).sum()
    }

    /// Bytes of batches that can be read.
    pub fn live_bytes(&self) -> u64 {
        self.logs().iter().map(|log| log.size_bytes()).sum()
    }

    /// How long syncs took since the directory was opened.
    pub fn sync_times(&self) -> telemetry::Snapshot {
        self.inner.shared.sync_times.snapshot()
    }
}
