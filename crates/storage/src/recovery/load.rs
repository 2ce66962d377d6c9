//! The newest checkpoint that holds.

use std::path::Path;

use os::Os;
use rustc_hash::FxHashMap;
use types::{TopicIdPartition, Uuid};

use super::{Building, From, RecoveryReport};
use crate::Error;
use crate::directory::{CHECKPOINT_FOLDER, CLEAN_STOP, list_checkpoints};
use crate::format::checkpoint::{Checkpoint, LogRecord};
use crate::log::{Extent, Index, Inner, Run};
use crate::state::PartitionState;

/// What the checkpoints gave.
#[derive(Default)]
pub(crate) struct Loaded {
    pub(crate) seq: u64,
    pub(crate) checkpoint: Checkpoint,
    pub(crate) clean: bool,
}

/// Loads the newest checkpoint that holds, or an empty one. A damaged one is reported, and kept for people to look at.
pub(crate) fn load(
    os: &Os,
    path: &Path,
    directory_id: Uuid,
    report: &mut RecoveryReport,
) -> Result<Loaded, Error> {
    let found = list_checkpoints(os, &path.join(CHECKPOINT_FOLDER))?;
    let newest = found.last().map_or(0, |(seq, _)| *seq);
    for (seq, path_of) in found.into_iter().rev() {
        let file = os
            .disk
            .read(&path_of)
            .map_err(|error| Error::io(&path_of, error))?;
        match Checkpoint::decode(seq, &file) {
            Ok(checkpoint) if checkpoint.directory_id == directory_id => {
                report.newest_wall_ms = checkpoint.wall_ms;
                let clean = checkpoint.clean_stop && seq == newest && clean_seq(os, path) == Some(seq);
                return Ok(Loaded {
                    seq: newest,
                    checkpoint,
                    clean,
                });
            }
            Ok(_) => {
                return Err(Error::Unusable {
                    path: path_of,
                    reason: "it belongs to another directory".into(),
                });
            }
            Err(error) => {
                tracing::error!(path = %path_of.display(), %error, "a checkpoint is damaged, an older one is taken");
                report.damaged_checkpoints += 1;
            }
        }
    }
    Ok(Loaded {
        seq: newest,
        ..Loaded::default()
    })
}

fn clean_seq(os: &Os, path: &Path) -> Option<u64> {
    let bytes = os.disk.read(&path.join(CLEAN_STOP)).ok()?;
    String::from_utf8(bytes).ok()?.trim().parse().ok()
}

impl Loaded {
    /// What is in it for one stream.
    pub(crate) fn of_stream(
        &mut self,
        stream: u16,
        past_the_cache: bool,
        report: &mut RecoveryReport,
    ) -> From {
        let place = self
            .checkpoint
            .streams
            .iter()
            .find(|place| place.stream == stream)
            .copied();
        let records = self.checkpoint.logs.extract_if(.., |log| log.stream == stream);
        let mut logs = FxHashMap::default();
        for record in records {
            let target: TopicIdPartition = record.target;
            match building(record) {
                Ok(building) => {
                    if building.damaged {
                        report.damage.push(format!("{target} was found damaged before"));
                    }
                    logs.insert(target, building);
                }
                Err(error) => report.damage.push(format!("{target} in the checkpoint: {error}")),
            }
        }
        From {
            place,
            logs,
            past_the_cache,
            clean: self.clean,
        }
    }
}

fn building(record: LogRecord) -> Result<Building, crate::format::codec::CodecError> {
    let run = |run: &crate::format::checkpoint::RunRecord| Run {
        chunk: run.chunk,
        base: run.base,
        bytes: run.bytes,
        max_timestamp: run.max_timestamp,
    };
    let extent = |extent: &crate::format::checkpoint::ExtentRecord| Extent {
        base: extent.base,
        next: extent.next,
        chunk: extent.chunk,
        position: extent.position,
        bytes: extent.bytes,
        max_timestamp: extent.max_timestamp,
        cover_crc: 0,
    };
    let runs = record.runs.iter().map(run).collect();
    let index = Index::new(runs, record.extents.iter().map(extent).collect(), record.indexed);
    let state = PartitionState::decode(&record.state)?;
    let inner = Inner {
        assigned: record.end,
        state,
        index,
        ..Inner::default()
    };
    Ok(Building {
        topic_name: record.topic_name,
        incarnation: record.incarnation,
        inner,
        damaged: record.damaged,
        doubtful: false,
        start_guessed: false,
        gaps: Vec::new(),
    })
}
