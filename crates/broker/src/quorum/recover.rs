//! From snapshot and log to the image, and the beginning of a new epoch.

use bytes::Bytes;
use metadata::quorum::{
    CHECKPOINT_SUFFIX, QuorumState, Voter, bootstrap_snapshot, checkpoint_name, read_snapshot, replay_batch,
};
use metadata::{Delta, MetadataImage};
use os::Os;
use storage::{Log, LogDirectory, Read, ReadOutcome};
use types::{LeaderEpoch, Offset};

const READ_BYTES: usize = 1 << 20;

/// What the disk says of the quorum.
pub(super) struct Found {
    pub(super) image: MetadataImage,
    /// Of the last leader.
    pub(super) epoch: i32,
    pub(super) is_new: bool,
}

/// Reads snapshot, log and quorum state; writes the first snapshot of a new node.
pub(super) fn recover(os: &Os, directory: &LogDirectory, voter: &Voter) -> Result<Found, String> {
    let folder = directory.metadata_folder();
    let newest = newest_snapshot(os, directory)?;
    let is_new = newest.is_none() && directory.metadata_log().written_end() == Offset(0);
    let (mut image, end) = match newest {
        Some((bytes, end)) => (read_snapshot(&bytes, end)?, end),
        None => {
            let bytes = bootstrap_snapshot(std::slice::from_ref(voter), os.clock.wall_ms())?;
            let path = folder.join(checkpoint_name(Offset(0), LeaderEpoch(0)));
            os.disk
                .write_atomically(&path, &bytes)
                .map_err(|error| error.to_string())?;
            (MetadataImage::default(), Offset(0))
        }
    };
    replay(&directory.metadata_log(), end, &mut image)?;
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
    })
}

fn newest_snapshot(os: &Os, directory: &LogDirectory) -> Result<Option<(Bytes, Offset)>, String> {
    let files = os
        .disk
        .list(&directory.metadata_folder())
        .map_err(|error| error.to_string())?;
    let end = |name: &str| {
        let (end, _) = name.strip_suffix(CHECKPOINT_SUFFIX)?.split_once('-')?;
        end.parse::<i64>().ok().map(Offset)
    };
    let named = files
        .iter()
        .filter_map(|path| Some((path, end(path.file_name()?.to_str()?)?)));
    let Some((path, end)) = named.max_by_key(|(_, end)| *end) else {
        return Ok(None);
    };
    let bytes = os.disk.read(path).map_err(|error| error.to_string())?;
    Ok(Some((bytes.into(), end)))
}

fn replay(log: &std::sync::Arc<Log>, from: Offset, image: &mut MetadataImage) -> Result<(), String> {
    let mut next = from.max(log.log_start());
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
        next = slices.next_offset;
    }
    Ok(())
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
