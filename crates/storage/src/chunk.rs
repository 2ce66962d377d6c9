//! A chunk file: preallocated, written once from front to back in each life, read by `pread` only.

use std::io::IoSlice;
use std::path::{Path, PathBuf};

use os::{File, OpenOptions, Os};

use crate::Error;
use crate::format::ChunkHeader;

/// An open chunk.
#[derive(Debug)]
pub(crate) struct Chunk {
    pub(crate) id: u64,
    pub(crate) life: u64,
    pub(crate) bytes: u64,
    pub(crate) file: File,
    pub(crate) path: PathBuf,
}

impl Chunk {
    pub(crate) fn file_name(id: u64) -> String {
        format!("{id:016x}.stream")
    }
}

/// A file that was reserved and filled, waiting to become a chunk.
#[derive(Debug)]
pub(crate) struct Spare {
    pub(crate) path: PathBuf,
    pub(crate) file: File,
    pub(crate) bytes: u64,
}

/// Reserves a file of `bytes` under a temporary name.
pub(crate) fn prepare(os: &Os, folder: &Path, name: &str, bytes: u64) -> Result<Spare, Error> {
    let path = folder.join(name);
    let failed = |error| Error::io(&path, error);
    let file = os.disk.open(&path, OpenOptions { create: true, truncate: true }).map_err(failed)?;
    if let Err(error) = file.allocate(bytes) {
        // A spare that could not be reserved whole must not keep the space from others.
        let _ = os.disk.remove_file(&path);
        return Err(failed(error));
    }
    file.sync_all().map_err(failed)?;
    Ok(Spare { file, bytes, path })
}

/// Turns a spare into a chunk: header, name, and both durable.
pub(crate) fn begin(os: &Os, folder: &Path, spare: Spare, header: &ChunkHeader) -> Result<Chunk, Error> {
    let path = folder.join(Chunk::file_name(header.chunk_id));
    let failed = |error| Error::io(&path, error);
    let page = header.encode();
    spare.file.write_all_at(&mut [IoSlice::new(&page)], 0).map_err(failed)?;
    os.disk.rename(&spare.path, &path).map_err(failed)?;
    spare.file.sync_data().map_err(failed)?;
    os.disk.sync_directory(folder).map_err(failed)?;
    Ok(Chunk { id: header.chunk_id, life: header.life, bytes: header.chunk_bytes, file: spare.file, path })
}
