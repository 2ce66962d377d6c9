//! Checkpoints: every log that holds data, as of now, while appends go on; and the chunks that are free afterwards.
//!
//! The places of the streams are taken first, then the logs are looked at one by one. A log's record may therefore know
//! of entries behind its stream's place; replay passes over those. What a record knows of must be durable before the
//! checkpoint is: so everything queued until then is written and synced first.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use os::Os;
use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use types::Uuid;

use super::Shared;
use crate::chunk::{Chunk, Spare};
use crate::format::ChunkKind;
use crate::format::checkpoint::{Checkpoint, ChunkInUse, LogRecord, StreamPlace};
use crate::stream::Stream;
use crate::{Error, Log, Options};

pub(crate) const FOLDER: &str = "checkpoint";
/// The file that says that the checkpoint with the number in it was the last thing written.
pub(crate) const CLEAN_STOP: &str = "clean-stop";
/// A file in the pool that only holds room.
const RESERVE: &str = "reserve";
/// The newest ones are kept.
const KEPT: usize = 2;

pub(crate) struct Checkpointer {
    pub(super) os: Os,
    pub(super) path: PathBuf,
    pub(super) directory_id: Uuid,
    pub(super) options: Options,
    pub(super) shared: Arc<Shared>,
    pub(super) streams: [Arc<Stream>; 2],
    pub(super) metadata_log: Arc<Log>,
    pub(super) state: Mutex<State>,
}

pub(super) struct State {
    /// Of the newest checkpoint.
    pub(super) seq: u64,
    /// Chunks that hold nothing, and that somebody still reads.
    pinned: Vec<(usize, Arc<Chunk>)>,
    /// What the newest checkpoint says. Should the next one be damaged, a start falls back to this one.
    newest: Needed,
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
        let mut live = rustc_hash::FxHashSet::default();
        for log in self.shared.logs().iter().chain([&self.metadata_log]) {
            log.chunks_into(&mut live);
        }
        self.streams.iter().any(|stream| {
            let current = stream.place().map_or(0, |place| place.chunk);
            stream
                .chunk_ids()
                .iter()
                .any(|chunk| *chunk < current && !live.contains(chunk))
        })
    }

    fn run_once(&self, clean_stop: bool) -> Result<(), Error> {
        let mut state = self.state.lock();
        let checkpoint = self.collect(clean_stop)?;
        let seq = state.seq + 1;
        let file = checkpoint.encode(seq);
        let folder = self.path.join(FOLDER);
        let path = folder.join(format!("{seq:016x}.base"));
        self.write(&path, &file)?;
        state.seq = seq;
        if clean_stop {
            let path = self.path.join(CLEAN_STOP);
            let written = self.os.disk.write_atomically(&path, seq.to_string().as_bytes());
            written.map_err(|error| Error::io(&path, error))?;
        }
        // Larger checkpoints are rarer: they must stay small beside the log.
        self.shared
            .checkpoint_after(self.options.checkpoint_every_bytes.max(2 * file.len() as u64));
        self.drop_old(&folder, seq)?;
        let needed = Needed::of(&checkpoint);
        self.retire(&mut state, &needed);
        state.newest = needed;
        self.recycle(&mut state)?;
        if !clean_stop {
            self.keep_reserve(2 * file.len() as u64);
        }
        Ok(())
    }

    /// Writes a checkpoint. On a full disk the reserve goes for it: only a checkpoint lets chunks be used again.
    fn write(&self, path: &Path, file: &[u8]) -> Result<(), Error> {
        if self.os.disk.write_atomically(path, file).is_ok() {
            return Ok(());
        }
        let reserve = self.shared.pool().join(RESERVE);
        if self.os.disk.exists(&reserve) {
            self.os
                .disk
                .remove_file(&reserve)
                .map_err(|error| Error::io(&reserve, error))?;
        }
        self.os
            .disk
            .write_atomically(path, file)
            .map_err(|error| Error::io(path, error))
    }

    /// Holds as much room as the next checkpoint may need.
    fn keep_reserve(&self, bytes: u64) {
        let bytes = bytes.max(self.options.chunk_bytes_min);
        let reserve = self.shared.pool().join(RESERVE);
        let holds = |path: &Path| self.os.disk.open(path, os::OpenOptions::default())?.len();
        if self.os.disk.exists(&reserve) && holds(&reserve).is_ok_and(|held| bytes <= held) {
            return;
        }
        // Without room there is no reserve; it is tried again with the next checkpoint.
        if let Err(error) = crate::chunk::prepare(&self.os, &self.shared.pool(), RESERVE, bytes, false) {
            tracing::warn!(%error, "no room for a reserve");
        }
    }

    /// What is, now.
    fn collect(&self, clean_stop: bool) -> Result<Checkpoint, Error> {
        let still = self.shared.still.lock();
        let streams = self
            .streams
            .iter()
            .map(|stream| stream.place())
            .collect::<Option<Vec<StreamPlace>>>();
        let streams = streams.ok_or(Error::Full)?;
        let of_metadata = self.metadata_log.record(self.streams[1].id);
        let logs = self.shared.logs();
        let records = logs.iter().filter_map(|log| log.record(self.streams[0].id));
        let logs: Vec<LogRecord> = records.chain(of_metadata).collect();
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
        let mut live: FxHashMap<u64, u64> = FxHashMap::default();
        for log in &logs {
            log.runs
                .iter()
                .for_each(|run| *live.entry(run.chunk).or_default() += run.bytes);
            log.extents
                .iter()
                .for_each(|extent| *live.entry(extent.chunk).or_default() += u64::from(extent.bytes));
        }
        let chunks = self.streams.iter().flat_map(|stream| {
            let of = |chunk: u64| (stream.id, chunk);
            stream.chunk_ids().into_iter().map(of).collect::<Vec<_>>()
        });
        let chunks = chunks.map(|(stream, chunk)| {
            let live_bytes = live.get(&chunk).copied().unwrap_or(0);
            let kind = self.kind_of(stream, chunk) as u8;
            ChunkInUse {
                stream,
                chunk,
                kind,
                live_bytes,
            }
        });
        let checkpoint = Checkpoint {
            directory_id: self.directory_id,
            wall_ms: self.os.clock.wall_ms(),
            broker_epoch: -1,
            clean_stop,
            next_chunk: self.shared.chunk_ids_below(),
            next_incarnation: self.shared.incarnations_below(),
            chunks: chunks.collect(),
            streams,
            logs,
        };
        Ok(checkpoint)
    }

    fn kind_of(&self, stream: u16, chunk: u64) -> ChunkKind {
        let of = self.streams.iter().find(|known| known.id == stream);
        let chunk = of.and_then(|stream| stream.chunk(chunk));
        chunk.map_or(ChunkKind::Stream, |chunk| chunk.kind)
    }

    fn drop_old(&self, folder: &Path, newest: u64) -> Result<(), Error> {
        for (seq, path) in list(&self.os, folder)? {
            if seq + KEPT as u64 <= newest {
                self.os
                    .disk
                    .remove_file(&path)
                    .map_err(|error| Error::io(&path, error))?;
            }
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
            if chunk.is_sorted() {
                // Readers keep what they hold: nothing is written to it again.
                let removed = self.os.disk.remove_file(&chunk.path);
                removed.map_err(|error| Error::io(&chunk.path, error))?;
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

/// The checkpoints in a directory by number, ascending.
pub(crate) fn list(os: &Os, folder: &Path) -> Result<Vec<(u64, PathBuf)>, Error> {
    let paths = os.disk.list(folder).map_err(|error| Error::io(folder, error))?;
    let numbered = |path: PathBuf| {
        let is_base = path.extension().is_some_and(|extension| extension == "base");
        let seq = path
            .file_stem()
            .and_then(|stem| u64::from_str_radix(stem.to_str()?, 16).ok());
        seq.filter(|_| is_base).map(|seq| (seq, path))
    };
    let mut found: Vec<_> = paths.into_iter().filter_map(numbered).collect();
    found.sort();
    Ok(found)
}
