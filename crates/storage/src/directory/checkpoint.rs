//! Checkpoints: every log that holds data (a base), or those that changed since the last checkpoint (a delta), as of
//! now, while appends go on; and the chunks that are free afterwards.
//!
//! The places of the streams are taken first, then the logs are looked at one by one. A log's record may therefore know
//! of entries behind its stream's place; replay passes over those. What a record knows of must be durable before the
//! checkpoint is: so everything queued until then is written and synced first.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use os::Os;
use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use types::{TopicIdPartition, Uuid};

use super::Shared;
use super::shared::{RESERVE, RESERVE_OF_CLEANER};
use crate::chunk::{Chunk, Spare};
use crate::format::ChunkKind;
use crate::format::checkpoint::{Checkpoint, CheckpointDelta, ChunkInUse, LogRecord, StreamPlace};
use crate::stream::Stream;
use crate::{Error, Log, Options};

pub(crate) const FOLDER: &str = "checkpoint";
/// The file that says that the checkpoint with the number in it was the last thing written.
pub(crate) const CLEAN_STOP: &str = "clean-stop";
/// Deltas on one base: a start reads all of them.
const DELTAS_MAX: usize = 256;

pub(crate) struct Checkpointer {
    pub(super) os: Os,
    pub(super) path: PathBuf,
    pub(super) directory_id: Uuid,
    pub(super) options: Options,
    pub(super) shared: Arc<Shared>,
    pub(super) streams: [Arc<Stream>; 2],
    pub(super) metadata_log: Arc<Log>,
    pub(super) state: Mutex<State>,
    /// The file system writes elsewhere what is written over: there files are not kept for their room.
    pub(super) copy_on_write: bool,
}

pub(super) struct State {
    /// Of the newest checkpoint.
    pub(super) seq: u64,
    /// What the next delta stands on. None: the next one is a base.
    chain: Option<Chain>,
    /// Chunks that hold nothing, and that somebody still reads.
    pinned: Vec<(usize, Arc<Chunk>)>,
    /// What the newest checkpoint says. Should the next one be damaged, a start falls back to this one.
    newest: Needed,
}

/// A base of this process, and the deltas on it.
#[derive(Debug, Clone, Copy)]
struct Chain {
    base: u64,
    base_bytes: usize,
    deltas: usize,
    delta_bytes: usize,
}

impl Chain {
    /// Deltas pay until they are as long as the base, which every log is written into.
    fn is_long(&self) -> bool {
        DELTAS_MAX <= self.deltas || self.base_bytes <= self.delta_bytes
    }
}

/// What a checkpoint says, and whether it says it of every log.
struct Collected {
    checkpoint: Checkpoint,
    gone: Vec<(TopicIdPartition, u32)>,
}

/// What a checkpoint needs of the chunks.
#[derive(Default)]
struct Needed {
    /// Where replay begins, by stream.
    places: Vec<StreamPlace>,
    live: FxHashMap<u64, u64>,
}

impl State {
    /// After a start from this checkpoint.
    pub(super) fn after(seq: u64, checkpoint: &Checkpoint) -> State {
        State {
            seq,
            chain: None,
            pinned: Vec::new(),
            newest: Needed::of(checkpoint),
        }
    }
}

impl Needed {
    fn of(checkpoint: &Checkpoint) -> Needed {
        let live = checkpoint
            .chunks
            .iter()
            .map(|chunk| (chunk.chunk, chunk.live_bytes))
            .collect();
        Needed {
            places: checkpoint.streams.clone(),
            live,
        }
    }

    /// Neither does a record live in the chunk, nor does replay read it.
    fn spares(&self, stream: u16, chunk: &Chunk) -> bool {
        if chunk.is_sorted() {
            // One that this checkpoint does not know may be on its way into service.
            return self.live.get(&chunk.id) == Some(&0);
        }
        let chunk = chunk.id;
        let place = self.places.iter().find(|place| place.stream == stream);
        place.is_some_and(|place| chunk < place.chunk)
            && self.live.get(&chunk).is_none_or(|bytes| *bytes == 0)
    }
}

impl Checkpointer {
    /// The checkpoint thread.
    pub(super) fn run_thread(&self) {
        self.keep_reserve(0);
        while self.shared.wait_for_checkpoint() {
            if self.shared.is_fenced() {
                return;
            }
            if let Err(error) = self.run(false) {
                tracing::warn!(%error, "no checkpoint was written, the next start takes longer");
                self.shared.checkpoint_after(self.options.checkpoint_every_bytes);
            }
        }
    }

    /// Writes a checkpoint and recycles what is free with it.
    pub(super) fn run(&self, clean_stop: bool) -> Result<(), Error> {
        self.run_once(clean_stop)?;
        if !clean_stop && self.streams.iter().any(|stream| stream.is_full()) {
            // Chunks are free when two checkpoints say so, and somebody waits for them.
            self.run_once(false)?;
        }
        Ok(())
    }

    /// Gives free what nothing lives in: chunks are free when two checkpoints say so.
    pub(crate) fn reclaim(&self) -> Result<(), Error> {
        if self.shared.is_fenced() || !self.has_dead_chunks() {
            return Ok(());
        }
        self.run_once(false)?;
        self.run_once(false)
    }

    /// Whether a sealed chunk holds nothing that lives.
    fn has_dead_chunks(&self) -> bool {
        let live = self.shared.live();
        let is_dead = |chunk: &u64| live.get(chunk).is_none_or(|bytes| *bytes == 0);
        self.streams.iter().any(|stream| {
            let current = stream.place().map_or(0, |place| place.chunk);
            stream.look_again();
            let chunks = stream.chunk_ids();
            chunks.iter().any(|chunk| *chunk < current && is_dead(chunk))
        })
    }

    /// Names the checkpoint and writes it. Gives the bytes of its file.
    fn write_next(
        &self,
        state: &mut State,
        chain: Option<Chain>,
        collected: &Collected,
    ) -> Result<usize, Error> {
        let (seq, folder) = (state.seq + 1, self.path.join(FOLDER));
        let checkpoint = &collected.checkpoint;
        let Some(mut chain) = chain else {
            let file = checkpoint.encode(seq);
            self.write(&folder.join(format!("{seq:016x}.base")), &file)?;
            state.chain = Some(Chain {
                base: seq,
                base_bytes: file.len(),
                deltas: 0,
                delta_bytes: 0,
            });
            state.seq = seq;
            self.drop_old(&folder, seq)?;
            return Ok(file.len());
        };
        let delta = CheckpointDelta {
            base: chain.base,
            previous: state.seq,
            gone: collected.gone.clone(),
            checkpoint: checkpoint.clone(),
        };
        let file = delta.encode(seq);
        self.write(&folder.join(format!("{seq:016x}.delta")), &file)?;
        chain.deltas += 1;
        chain.delta_bytes += file.len();
        state.chain = Some(chain);
        state.seq = seq;
        Ok(file.len())
    }

    fn run_once(&self, clean_stop: bool) -> Result<(), Error> {
        let mut state = self.state.lock();
        // Should this fail, what changed is on no list any more.
        let chain = state.chain.take().filter(|chain| !clean_stop && !chain.is_long());
        let collected = self.collect(clean_stop, chain.is_none())?;
        let bytes = self.write_next(&mut state, chain, &collected)?;
        if clean_stop {
            let path = self.path.join(CLEAN_STOP);
            let written = self
                .os
                .disk
                .write_atomically(&path, state.seq.to_string().as_bytes());
            written.map_err(|error| Error::io(&path, error))?;
        }
        // Larger checkpoints are rarer: they must stay small beside the log.
        self.shared
            .checkpoint_after(self.options.checkpoint_every_bytes.max(2 * bytes as u64));
        let needed = Needed::of(&collected.checkpoint);
        self.retire(&mut state, &needed);
        state.newest = needed;
        self.recycle(&mut state)?;
        if !clean_stop {
            let base_bytes = state.chain.map_or(0, |chain| chain.base_bytes);
            self.keep_reserve(2 * base_bytes as u64);
        }
        Ok(())
    }

    /// Writes a checkpoint. On a full disk the reserve goes for it: only a checkpoint lets chunks be used again.
    fn write(&self, path: &Path, file: &[u8]) -> Result<(), Error> {
        if self.os.disk.write_atomically(path, file).is_ok() {
            return Ok(());
        }
        self.shared.release_reserve();
        self.os
            .disk
            .write_atomically(path, file)
            .map_err(|error| Error::io(path, error))
    }

    /// Holds room for what must go on when the disk is full: a chunk for metadata, deletions and the next checkpoint, two
    /// for the cleaner.
    fn keep_reserve(&self, checkpoint_bytes: u64) {
        let chunk = self.options.chunk_bytes_min;
        self.keep_room(RESERVE, checkpoint_bytes.max(chunk));
        self.keep_room(
            RESERVE_OF_CLEANER,
            2 * chunk.max(self.streams[0].current_chunk_bytes()),
        );
    }

    fn keep_room(&self, name: &str, bytes: u64) {
        let reserve = self.shared.pool().join(name);
        let holds = |path: &Path| self.os.disk.open(path, os::OpenOptions::default())?.len();
        if self.os.disk.exists(&reserve) && holds(&reserve).is_ok_and(|held| bytes <= held) {
            return;
        }
        // Without room there is no reserve; it is tried again with the next checkpoint.
        if let Err(error) = crate::chunk::prepare(&self.os, &self.shared.pool(), name, bytes, false) {
            tracing::debug!(%error, "no room for a reserve");
        }
    }

    /// What is, now: of every log, or of those that changed.
    fn collect(&self, clean_stop: bool, of_all: bool) -> Result<Collected, Error> {
        let still = self.shared.still.lock();
        let streams = self
            .streams
            .iter()
            .map(|stream| stream.place())
            .collect::<Option<Vec<StreamPlace>>>();
        let streams = streams.ok_or(Error::Full)?;
        let changed = self.shared.take_changed();
        let (logs, gone) = if of_all {
            let logs = self.shared.logs();
            let all = logs.iter().chain([&self.metadata_log]);
            (
                all.filter_map(|log| log.record(log.stream.id)).collect(),
                Vec::new(),
            )
        } else {
            self.records_of(&changed)
        };
        // Whatever died until now is durably so before the checkpoint is.
        let chunks = self.chunks_in_use(&self.shared.live());
        drop(still);
        for stream in &self.streams {
            stream.drain();
            stream.sync_now().inspect_err(|error| self.shared.fence(error))?;
        }
        if self.shared.is_fenced() {
            return Err(Error::Fenced {
                reason: "a fenced directory has no checkpoint".to_owned(),
            });
        }
        let checkpoint = Checkpoint {
            directory_id: self.directory_id,
            wall_ms: self.os.clock.wall_ms(),
            broker_epoch: -1,
            clean_stop,
            next_chunk: self.shared.chunk_ids_below(),
            next_incarnation: self.shared.incarnations_below(),
            chunks,
            streams,
            logs,
        };
        Ok(Collected { checkpoint, gone })
    }

    fn kind_of(&self, stream: u16, chunk: u64) -> ChunkKind {
        let of = self.streams.iter().find(|known| known.id == stream);
        let chunk = of.and_then(|stream| stream.chunk(chunk));
        chunk.map_or(ChunkKind::Stream, |chunk| chunk.kind)
    }

    /// The logs that changed, and those of them that hold nothing any more.
    fn records_of(&self, changed: &[Arc<Log>]) -> (Vec<LogRecord>, Vec<(TopicIdPartition, u32)>) {
        let (mut records, mut gone) = (Vec::new(), Vec::new());
        for log in changed {
            let is_there = Arc::ptr_eq(log, &self.metadata_log)
                || self
                    .shared
                    .log(log.target())
                    .is_some_and(|found| Arc::ptr_eq(&found, log));
            let was_recorded = log.is_recorded();
            match log.record(log.stream.id).filter(|_| is_there) {
                Some(record) => records.push(record),
                None if was_recorded => gone.push((log.target(), log.incarnation)),
                None => {}
            }
        }
        (records, gone)
    }

    fn chunks_in_use(&self, live: &FxHashMap<u64, u64>) -> Vec<ChunkInUse> {
        let of = |stream: &Arc<Stream>| {
            let id = stream.id;
            stream
                .chunk_ids()
                .into_iter()
                .map(move |chunk| (id, chunk))
                .collect::<Vec<_>>()
        };
        let chunks = self.streams.iter().flat_map(of);
        chunks
            .map(|(stream, chunk)| ChunkInUse {
                stream,
                chunk,
                kind: self.kind_of(stream, chunk) as u8,
                live_bytes: live.get(&chunk).copied().unwrap_or(0),
            })
            .collect()
    }

    /// After a base: it and the chain before it are kept, which is what the chunks are kept for as well.
    fn drop_old(&self, folder: &Path, newest: u64) -> Result<(), Error> {
        let found = list(&self.os, folder)?;
        let bases = found.iter().filter(|file| file.is_base && file.seq < newest);
        let Some(kept_from) = bases.map(|file| file.seq).max() else {
            return Ok(());
        };
        for file in found.iter().filter(|file| file.seq < kept_from) {
            self.os
                .disk
                .remove_file(&file.path)
                .map_err(|error| Error::io(&file.path, error))?;
        }
        Ok(())
    }

    /// Takes chunks out of use that neither this checkpoint needs nor the one before it (invariant 5).
    fn retire(&self, state: &mut State, needed: &Needed) {
        for (at, stream) in self.streams.iter().enumerate() {
            let spared = |id: &u64| {
                let spared = |chunk: &Arc<Chunk>| {
                    needed.spares(stream.id, chunk) && state.newest.spares(stream.id, chunk)
                };
                stream.chunk(*id).is_some_and(|chunk| spared(&chunk))
            };
            let free: Vec<u64> = stream.chunk_ids().into_iter().filter(spared).collect();
            for id in free {
                self.shared.forget_live(id);
                state
                    .pinned
                    .extend(stream.remove_chunk(id).map(|chunk| (at, chunk)));
            }
        }
    }

    /// Gives chunks that nobody reads any more back to the pool of their stream.
    fn recycle(&self, state: &mut State) -> Result<(), Error> {
        let mut spares: [Vec<Spare>; 2] = Default::default();
        for (at, chunk) in std::mem::take(&mut state.pinned) {
            if chunk.is_sorted() || self.copy_on_write {
                // Readers keep what they hold: nothing is written to it again.
                let removed = self.os.disk.remove_file(&chunk.path);
                removed.map_err(|error| Error::io(&chunk.path, error))?;
                self.streams.iter().for_each(|stream| stream.try_again());
                continue;
            }
            // Readers hold the chunk. It is on no list any more, so their number only falls.
            match Arc::try_unwrap(chunk) {
                Ok(chunk) => {
                    let path = self.shared.pool().join(self.shared.next_spare_name());
                    self.os
                        .disk
                        .rename(&chunk.path, &path)
                        .map_err(|error| Error::io(&chunk.path, error))?;
                    if let Some(spares) = spares.get_mut(at) {
                        spares.push(Spare {
                            path,
                            file: chunk.file,
                            bytes: chunk.bytes,
                        });
                    }
                }
                Err(pinned) => state.pinned.push((at, pinned)),
            }
        }
        for (stream, spares) in self
            .streams
            .iter()
            .zip(spares)
            .filter(|(_, spares)| !spares.is_empty())
        {
            // The old names are gone for good before the files get their next life.
            self.os
                .disk
                .sync_directory(&stream.folder)
                .map_err(|error| Error::io(&stream.folder, error))?;
            spares
                .into_iter()
                .for_each(|spare| stream.pool.put(&self.os, spare));
            stream.try_again();
        }
        Ok(())
    }
}

/// A file with a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct CheckpointFile {
    pub(crate) seq: u64,
    pub(crate) is_base: bool,
    pub(crate) path: PathBuf,
}

/// The checkpoints in a directory by number, ascending.
pub(crate) fn list(os: &Os, folder: &Path) -> Result<Vec<CheckpointFile>, Error> {
    let paths = os.disk.list(folder).map_err(|error| Error::io(folder, error))?;
    let numbered = |path: PathBuf| {
        let is_base = match path.extension()?.to_str()? {
            "base" => true,
            "delta" => false,
            _ => return None,
        };
        let seq = u64::from_str_radix(path.file_stem()?.to_str()?, 16).ok()?;
        Some(CheckpointFile { seq, is_base, path })
    };
    let mut found: Vec<_> = paths.into_iter().filter_map(numbered).collect();
    found.sort();
    Ok(found)
}
