//! A chunk file: preallocated, written once from front to back in each life, read by `pread` only.

use std::io::IoSlice;
use std::path::{Path, PathBuf};

use os::{File, OpenOptions, Os};
use parking_lot::Mutex;

use crate::Error;
use crate::format::{ChunkHeader, ChunkKind};

/// Compared at once.
const PROOF_BYTES: usize = 1 << 20;

/// An open chunk.
#[derive(Debug)]
pub(crate) struct Chunk {
    pub(crate) id: u64,
    pub(crate) kind: ChunkKind,
    pub(crate) life: u64,
    pub(crate) bytes: u64,
    pub(crate) file: File,
    pub(crate) path: PathBuf,
    /// Whether a sync of it failed. Held while one runs: the kernel tells of a failure once, to one caller, and a
    /// second sync beside it would succeed and save nothing.
    sync_failed: Mutex<bool>,
    /// Recovery reads what the disk has, and does not believe the page cache.
    past_the_cache: bool,
}

impl Chunk {
    pub(crate) fn new(header: &ChunkHeader, file: File, path: PathBuf) -> Chunk {
        Chunk {
            id: header.chunk_id,
            kind: header.kind,
            life: header.life,
            bytes: header.chunk_bytes,
            file,
            path,
            sync_failed: Mutex::new(false),
            past_the_cache: false,
        }
    }

    pub(crate) fn past_the_cache(self, past_the_cache: bool) -> Chunk {
        Chunk {
            past_the_cache,
            ..self
        }
    }

    /// As recovery and the scrubber read: from the disk itself where that is asked for, and possible.
    pub(crate) fn read_sound(
        &self,
        into: &mut [u8],
        position: u64,
        past_the_cache: bool,
    ) -> std::io::Result<()> {
        let past = past_the_cache || self.past_the_cache;
        if past && self.file.read_past_cache_at(into, position)? {
            return Ok(());
        }
        self.file.read_exact_at(into, position)
    }

    /// The kernel's copy is what the disk has: what is read from now on is what was recovered. Without direct reads the
    /// copy was dropped, and nothing more can be said.
    pub(crate) fn check_cache(&self) -> Result<(), Error> {
        let failed = |error| Error::io(&self.path, error);
        self.file.drop_cache();
        let (mut disk, mut cache) = (vec![0; PROOF_BYTES], vec![0; PROOF_BYTES]);
        let mut at = 0;
        while at < self.bytes {
            let length = (self.bytes - at).min(PROOF_BYTES as u64) as usize;
            let (disk, cache) = (disk.get_mut(..length), cache.get_mut(..length));
            let (disk, cache) = (disk.unwrap_or_default(), cache.unwrap_or_default());
            if !self.file.read_past_cache_at(disk, at).map_err(failed)? {
                tracing::warn!(
                    path = %self.path.display(),
                    "this file system cannot be read past its cache: after the failed sync the cache was dropped, and is believed"
                );
                return Ok(());
            }
            self.file.read_exact_at(cache, at).map_err(failed)?;
            if disk != cache {
                return Err(Error::Unusable {
                    path: self.path.clone(),
                    reason: "after a failed sync the kernel still holds bytes that the disk does not have; \
                             restart the machine, or drop its page cache, and start again"
                        .to_owned(),
                });
            }
            at += length as u64;
        }
        Ok(())
    }

    /// What was written before is on stable storage, or the chunk has failed for good.
    pub(crate) fn sync(&self) -> Result<(), Error> {
        let mut failed = self.sync_failed.lock();
        if *failed {
            return Err(Error::Fenced {
                reason: format!("{} was not synced", self.path.display()),
            });
        }
        let synced = self.file.sync_data();
        *failed = synced.is_err();
        synced.map_err(|error| Error::io(&self.path, error))
    }

    pub(crate) fn file_name(kind: ChunkKind, id: u64) -> String {
        match kind {
            ChunkKind::Stream => format!("{id:016x}.stream"),
            ChunkKind::Sorted => format!("{id:016x}.sorted"),
        }
    }

    /// Immutable, read by partition, unlinked when nothing lives in it.
    pub(crate) fn is_sorted(&self) -> bool {
        self.kind == ChunkKind::Sorted
    }
}

/// A file that was reserved and filled, waiting to become a chunk.
#[derive(Debug)]
pub(crate) struct Spare {
    pub(crate) path: PathBuf,
    pub(crate) file: File,
    pub(crate) bytes: u64,
}

/// Spares that were chunks before, or were prepared and not used.
#[derive(Debug, Default)]
pub(crate) struct Pool(Mutex<Vec<Spare>>);

/// Spares that are kept; more go back to the file system.
const SPARES_MAX: usize = 2;

impl Pool {
    /// Bytes of all spares.
    pub(crate) fn bytes(&self) -> u64 {
        self.0.lock().iter().map(|spare| spare.bytes).sum()
    }

    /// The smallest spare of at least `bytes`.
    pub(crate) fn take(&self, bytes: u64) -> Option<Spare> {
        let mut spares = self.0.lock();
        let fits = spares
            .iter()
            .enumerate()
            .filter(|(_, spare)| bytes <= spare.bytes);
        let at = fits.min_by_key(|(_, spare)| spare.bytes)?.0;
        Some(spares.swap_remove(at))
    }

    pub(crate) fn put(&self, os: &Os, spare: Spare) {
        let mut spares = self.0.lock();
        spares.push(spare);
        if spares.len() <= SPARES_MAX {
            return;
        }
        let smallest = spares
            .iter()
            .enumerate()
            .min_by_key(|(_, spare)| spare.bytes)
            .map(|(at, _)| at);
        let Some(spare) = smallest.map(|at| spares.swap_remove(at)) else {
            return;
        };
        drop(spares);
        if let Err(error) = os.disk.remove_file(&spare.path) {
            tracing::warn!(path = %spare.path.display(), %error, "a spare chunk was not removed");
        }
    }
}

/// Reserves a file of `bytes` under a temporary name. Filled with zeros (`fill`), later writes change no metadata and
/// syncs are cheaper; where nobody waits for syncs, filling only costs.
pub(crate) fn prepare(os: &Os, folder: &Path, name: &str, bytes: u64, fill: bool) -> Result<Spare, Error> {
    let path = folder.join(name);
    let failed = |error| Error::io(&path, error);
    let file = os
        .disk
        .open(
            &path,
            OpenOptions {
                create: true,
                truncate: true,
            },
        )
        .map_err(failed)?;
    let reserved = if fill {
        file.allocate(bytes)
    } else {
        file.reserve(bytes)
    };
    if let Err(error) = reserved {
        // A spare that could not be reserved whole must not keep the space from others.
        let _ = os.disk.remove_file(&path);
        return Err(failed(error));
    }
    file.sync_all().map_err(failed)?;
    Ok(Spare { file, bytes, path })
}

/// Turns a spare into a chunk. Its header is durable before it gets its name, so a chunk whose header does not hold is
/// damaged, and not one that never began.
pub(crate) fn begin(os: &Os, folder: &Path, spare: Spare, header: &ChunkHeader) -> Result<Chunk, Error> {
    let path = folder.join(Chunk::file_name(header.kind, header.chunk_id));
    let failed = |error| Error::io(&path, error);
    let page = header.encode();
    spare
        .file
        .write_all_at(&mut [IoSlice::new(&page)], 0)
        .map_err(failed)?;
    spare.file.sync_data().map_err(failed)?;
    os.disk.rename(&spare.path, &path).map_err(failed)?;
    os.disk.sync_directory(folder).map_err(failed)?;
    Ok(Chunk::new(header, spare.file, path))
}
