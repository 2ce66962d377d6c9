//! Snapshots of the committed metadata: when they are due, writing them, and dropping what they make superfluous.
//!
//! Two are kept, and the log from the end of the older one on: should the newest be damaged, nothing is lost.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use metadata::MetadataImage;
use metadata::quorum::{CHECKPOINT_SUFFIX, Voter, checkpoint_name, write_snapshot};
use os::{Clock, Os};
use storage::{Log, LogDirectory};
use types::{LeaderEpoch, Offset};

const KEPT: usize = 2;

/// `metadata.log.max.record.bytes.between.snapshots` and `metadata.log.max.snapshot.interval.ms`.
#[derive(Debug, Clone, Copy)]
pub(super) struct SnapshotRule {
    pub(super) bytes: u64,
    /// Zero: only bytes count.
    pub(super) interval: Duration,
}

/// What was committed since the last snapshot. Pure.
#[derive(Debug, Clone, Copy)]
pub(super) struct Since {
    bytes: u64,
    at: Duration,
}

impl Since {
    /// After a start that replayed so many bytes behind the newest snapshot.
    pub(super) fn started(bytes: u64, now: Duration) -> Since {
        Since { bytes, at: now }
    }

    pub(super) fn appended(&mut self, bytes: usize) {
        self.bytes += bytes as u64;
    }

    /// As Kafka's `SnapshotGenerator`: by bytes, or by time if anything changed.
    fn is_due(&self, rule: &SnapshotRule, now: Duration) -> bool {
        let by_time = !rule.interval.is_zero() && rule.interval <= now.saturating_sub(self.at);
        rule.bytes <= self.bytes || (by_time && self.bytes != 0)
    }
}

/// A snapshot's file and the offset that it ends at.
pub(super) struct SnapshotFile {
    pub(super) end: Offset,
    pub(super) path: PathBuf,
}

/// The snapshots of a folder, oldest first.
pub(super) fn list(os: &Os, folder: &Path) -> Result<Vec<SnapshotFile>, String> {
    let files = os.disk.list(folder).map_err(|error| error.to_string())?;
    let end = |path: &Path| {
        let name = path.file_name()?.to_str()?;
        let (end, _) = name.strip_suffix(CHECKPOINT_SUFFIX)?.split_once('-')?;
        end.parse::<i64>().ok().map(Offset)
    };
    let named = |path: PathBuf| end(&path).map(|end| SnapshotFile { end, path });
    let mut found: Vec<SnapshotFile> = files.into_iter().filter_map(named).collect();
    found.sort_by_key(|file| file.end);
    Ok(found)
}

/// Writes snapshots into one directory.
pub(super) struct Snapshots {
    os: Os,
    directory: LogDirectory,
    voter: Voter,
    since: Since,
}

impl Snapshots {
    pub(super) fn new(os: &Os, directory: &LogDirectory, voter: Voter, replayed_bytes: u64) -> Snapshots {
        Snapshots {
            os: os.clone(),
            directory: directory.clone(),
            voter,
            since: Since::started(replayed_bytes, os.clock.elapsed()),
        }
    }

    pub(super) fn appended(&mut self, batch: &Bytes) {
        self.since.appended(batch.len());
    }

    /// After a commit: writes a snapshot if one is due. A transaction of metadata is never cut by one.
    pub(super) fn after_commit(&mut self, rule: &SnapshotRule, image: &MetadataImage, epoch: LeaderEpoch) {
        let now = self.clock().elapsed();
        if image.in_transaction() || !self.since.is_due(rule, now) {
            return;
        }
        // Also after a failure: it is tried again when the next one is due.
        self.since = Since::started(0, now);
        if let Err(error) = self.write(image.committed(), epoch) {
            tracing::error!(
                %error,
                action = "make room on the disk of log.dirs; it is tried again with the next metadata",
                "no metadata snapshot was written"
            );
        }
    }

    fn clock(&self) -> &Clock {
        &self.os.clock
    }

    fn write(&self, image: &MetadataImage, epoch: LeaderEpoch) -> Result<(), String> {
        let end = image.offset().plus(1);
        let folder = self.directory.metadata_folder();
        let bytes = write_snapshot(
            image,
            std::slice::from_ref(&self.voter),
            epoch,
            self.clock().wall_ms(),
        )?;
        let path = folder.join(checkpoint_name(end, epoch));
        self.os
            .disk
            .write_atomically(&path, &bytes)
            .map_err(|error| format!("{}: {error}", path.display()))?;
        tracing::info!(path = %path.display(), bytes = bytes.len(), "metadata snapshot");
        self.drop_old(&folder)
    }

    /// The log begins at the end of the oldest snapshot that is kept.
    fn drop_old(&self, folder: &Path) -> Result<(), String> {
        let found = list(&self.os, folder)?;
        let Some(first_kept) = found.len().checked_sub(KEPT) else {
            return Ok(());
        };
        let start = found.get(first_kept).map_or(Offset::ZERO, |file| file.end);
        let log: Arc<Log> = self.directory.metadata_log();
        log.advance_start(start).map_err(|error| error.to_string())?;
        // Before the snapshots that such a log would need go.
        let end = log.assigned_end();
        self.directory.kick_metadata();
        self.directory
            .wait_for_metadata(end)
            .map_err(|error| error.to_string())?;
        for file in found.into_iter().take(first_kept) {
            self.os
                .disk
                .remove_file(&file.path)
                .map_err(|error| format!("{}: {error}", file.path.display()))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn snapshots_are_due_by_bytes_and_by_time_if_something_changed() {
        let rule = SnapshotRule {
            bytes: 1000,
            interval: Duration::from_secs(10),
        };
        let at = Duration::from_secs;
        let mut since = Since::started(0, at(5));
        assert!(!since.is_due(&rule, at(500)), "nothing changed");
        since.appended(999);
        assert!(!since.is_due(&rule, at(14)));
        assert!(since.is_due(&rule, at(15)));
        since.appended(1);
        assert!(since.is_due(&rule, at(5)));
        let by_bytes = SnapshotRule {
            interval: Duration::ZERO,
            ..rule
        };
        assert!(!Since::started(999, at(0)).is_due(&by_bytes, at(1_000_000)));
        assert!(Since::started(1000, at(0)).is_due(&by_bytes, at(0)));
    }
}
