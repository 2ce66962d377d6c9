//! From snapshot and log to the image, and the beginning of a new epoch.

use std::path::Path;

use bytes::Bytes;
use metadata::quorum::{
    QuorumState, Voter, bootstrap_snapshot, checkpoint_name, read_snapshot, replay_batch,
};
use metadata::{Delta, MetadataImage};
use os::Os;
use storage::{Log, LogDirectory, Read, ReadOutcome};
use types::{LeaderEpoch, Offset};

use super::snapshots;

const READ_BYTES: usize = 1 << 20;

/// What the disk says of the quorum.
pub(super) struct Found {
    pub(super) image: MetadataImage,
    /// Of the last leader.
    pub(super) epoch: i32,
    pub(super) is_new: bool,
    /// Of the log behind the snapshot.
    pub(super) replayed_bytes: u64,
}

/// Reads snapshot, log and quorum state; writes the first snapshot of a new node.
pub(super) fn recover(os: &Os, directory: &LogDirectory, voter: &Voter) -> Result<Found, String> {
    let folder = directory.metadata_folder();
    let log = directory.metadata_log();
    let newest = newest_snapshot(os, &folder, log.log_start())?;
    let is_new = newest.is_none() && log.written_end() == Offset(0);
    let (mut image, end) = match newest {
        Some(found) => found,
        None if log.log_start() != Offset(0) => {
            return Err(format!(
                "the metadata log begins at {} and no snapshot in {} reaches that",
                log.log_start(),
                folder.display()
            ));
        }
        None => {
            let bytes = bootstrap_snapshot(std::slice::from_ref(voter), os.clock.wall_ms())?;
            let path = folder.join(checkpoint_name(Offset(0), LeaderEpoch(0)));
            os.disk
                .write_atomically(&path, &bytes)
                .map_err(|error| error.to_string())?;
            (MetadataImage::default(), Offset(0))
        }
    };
    let replayed_bytes = replay(&log, end, &mut image)?;
    let state = folder.join("quorum-state");
    let epoch = if os.disk.exists(&state) {
        let text = os.disk.read(&state).map_err(|error| error.to_string())?;
        QuorumState::from_json(&String::from_utf8_lossy(&text))?.leader_epoch
    } else {
        0
    };
    let logged = directory.metadata_log().latest_epoch().map_or(0, |epoch| epoch.0);
    Ok(Found {
        image,
        epoch: epoch.max(logged),
        is_new,
        replayed_bytes,
    })
}

/// The newest snapshot that holds, and where it ends. One before the start of the log is of no use.
fn newest_snapshot(
    os: &Os,
    folder: &Path,
    log_start: Offset,
) -> Result<Option<(MetadataImage, Offset)>, String> {
    let found = snapshots::list(os, folder)?;
    for file in found.into_iter().rev().filter(|file| log_start <= file.end) {
        let bytes = os.disk.read(&file.path).map_err(|error| error.to_string())?;
        match read_snapshot(&bytes.into(), file.end) {
            Ok(image) => return Ok(Some((image, file.end))),
            Err(error) => {
                let path = file.path.display();
                let action = "check the disk; nothing else is to do";
                tracing::error!(%path, %error, action = action, "a metadata snapshot is damaged, an older one is taken");
            }
        }
    }
    Ok(None)
}

/// Applies the log from the end of the snapshot on; gives the bytes that it had.
fn replay(log: &std::sync::Arc<Log>, from: Offset, image: &mut MetadataImage) -> Result<u64, String> {
    let mut bytes_read = 0;
    let mut next = from;
    let end = log.written_end();
    while next < end {
        let read = Read {
            from: next,
            limit: end,
            bytes_max: READ_BYTES,
            at_least_one: true,
        };
        let slices = match log.read(&read).map_err(|error| error.to_string())? {
            ReadOutcome::Ready(slices) => slices,
            ReadOutcome::Cold(cold) => cold.run().map_err(|error| error.to_string())?,
        };
        if slices.next_offset <= next {
            return Err(format!("the metadata log ends at {next} instead of {end}"));
        }
        for bytes in batches_of(&slices) {
            for batch in record::batches(&bytes) {
                let (header, batch) = batch.map_err(|error| error.to_string())?;
                if next <= header.base_offset {
                    replay_batch(image, &header, &bytes.slice_ref(batch), &mut Delta::default())?;
                }
            }
        }
        bytes_read += slices.bytes as u64;
        next = slices.next_offset;
    }
    Ok(bytes_read)
}

/// Slices may cut a batch into prefix and rest: one piece is easier to walk.
fn batches_of(slices: &storage::Slices) -> Vec<Bytes> {
    let mut whole = bytes::BytesMut::with_capacity(slices.bytes);
    slices
        .segments
        .iter()
        .for_each(|segment| whole.extend_from_slice(segment));
    vec![whole.freeze()]
}
