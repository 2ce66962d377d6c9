//! The newest checkpoint that holds.

use std::path::Path;

use os::Os;
use rustc_hash::FxHashMap;
use types::{TopicIdPartition, Uuid};

use super::{Building, From, RecoveryReport};
use crate::Error;
use crate::directory::{CHECKPOINT_FOLDER, CLEAN_STOP, CheckpointFile, list_checkpoints};
use crate::format::checkpoint::{Checkpoint, CheckpointDelta, LogRecord};
use crate::log::{Extent, Index, Inner, Run};
use crate::state::PartitionState;

/// What the checkpoints gave.
#[derive(Default)]
pub(crate) struct Loaded {
    pub(crate) seq: u64,
    pub(crate) checkpoint: Checkpoint,
    pub(crate) clean: bool,
}

/// Loads the newest checkpoint that holds: a base and the deltas on it. If neither the newest nor the one before it is
/// to be had, none counts: the chunks that an older one needs may have been used again. A damaged file is reported, and
/// kept for people to look at.
pub(crate) fn load(
    os: &Os,
    path: &Path,
    directory_id: Uuid,
    report: &mut RecoveryReport,
) -> Result<Loaded, Error> {
    let found = list_checkpoints(os, &path.join(CHECKPOINT_FOLDER))?;
    let newest = found.last().map_or(0, |file| file.seq);
    let mut end = found.len();
    while let Some(at) = found
        .get(..end)
        .unwrap_or_default()
        .iter()
        .rposition(|file| file.is_base)
    {
        let chain = found.get(at..end).unwrap_or_default();
        end = at;
        let Some((seq, checkpoint)) = load_chain(os, chain, report)? else {
            continue;
        };
        if checkpoint.directory_id != directory_id {
            return Err(Error::Unusable {
                path: path.join(CHECKPOINT_FOLDER),
                reason: "a checkpoint in it belongs to another directory".into(),
            });
        }
        if seq + 1 < newest {
            break;
        }
        let clean = checkpoint.clean_stop && seq == newest && clean_seq(os, path) == Some(seq);
        report.newest_wall_ms = report.newest_wall_ms.max(checkpoint.wall_ms);
        return Ok(Loaded {
            seq: newest,
            checkpoint,
            clean,
        });
    }
    if newest != 0 {
        tracing::error!(path = %path.display(), action = "check the disk; nothing else is to do", "no checkpoint is whole, the log is rebuilt from its chunks");
    }
    Ok(Loaded {
        seq: newest,
        ..Loaded::default()
    })
}

/// A base and as many of its deltas as hold.
fn load_chain(
    os: &Os,
    files: &[CheckpointFile],
    report: &mut RecoveryReport,
) -> Result<Option<(u64, Checkpoint)>, Error> {
    let read = |file: &CheckpointFile| {
        os.disk
            .read(&file.path)
            .map_err(|error| Error::io(&file.path, error))
    };
    let mut is_damaged = |file: &CheckpointFile, error: &dyn std::fmt::Display| {
        let path = file.path.display();
        tracing::error!(%path, %error, action = "check the disk; nothing else is to do", "a checkpoint is damaged, an older one is taken");
        report.damaged_checkpoints += 1;
    };
    let Some((base, deltas)) = files.split_first() else {
        return Ok(None);
    };
    let mut checkpoint = match Checkpoint::decode(base.seq, &read(base)?) {
        Ok(checkpoint) => checkpoint,
        Err(error) => {
            is_damaged(base, &error);
            return Ok(None);
        }
    };
    let mut seq = base.seq;
    let mut later: FxHashMap<TopicIdPartition, Option<LogRecord>> = FxHashMap::default();
    for file in deltas {
        let delta = match CheckpointDelta::decode(file.seq, &read(file)?) {
            Ok(delta) if (delta.base, delta.previous) == (base.seq, seq) => delta,
            Ok(_) => {
                is_damaged(file, &"it does not follow the one before it");
                break;
            }
            Err(error) => {
                is_damaged(file, &error);
                break;
            }
        };
        seq = file.seq;
        later.extend(delta.gone.into_iter().map(|(target, _)| (target, None)));
        let mut next = delta.checkpoint;
        later.extend(next.logs.drain(..).map(|log| (log.target, Some(log))));
        next.logs = checkpoint.logs;
        checkpoint = next;
    }
    checkpoint.logs.retain(|log| !later.contains_key(&log.target));
    checkpoint.logs.extend(later.into_values().flatten());
    Ok(Some((seq, checkpoint)))
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
        let known_damage = report.damage.len();
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
                        let name = building.name(&target);
                        report.damage.push(format!("{name} was found damaged before"));
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
            known_damage,
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
        losses: Vec::new(),
        doubtful: false,
        start_guessed: false,
        gaps: Vec::new(),
    })
}
