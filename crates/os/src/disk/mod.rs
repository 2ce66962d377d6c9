//! Files and directories, real or simulated.

#[cfg(debug_assertions)]
mod pages;
mod past;
mod real;
#[cfg(debug_assertions)]
mod simulated;

use std::io;
use std::path::{Path, PathBuf};

use bytes::BytesMut;

pub use real::DirectoryLock;
#[cfg(debug_assertions)]
pub use simulated::{Fault, Pending, SimDisk};

/// Where files live.
#[derive(Debug, Clone)]
pub enum Disk {
    Real,
    #[cfg(debug_assertions)]
    Simulated(SimDisk),
}

/// How a file is opened. It is always readable and writable.
#[derive(Debug, Clone, Copy, Default)]
pub struct OpenOptions {
    pub create: bool,
    pub truncate: bool,
}

/// An open file; clones share it.
#[derive(Debug, Clone)]
pub enum File {
    Real(real::RealFile),
    #[cfg(debug_assertions)]
    Simulated(simulated::SimFile),
}

macro_rules! on {
    ($self:ident, $inner:ident => $run:expr) => {
        match $self {
            File::Real($inner) => $run,
            #[cfg(debug_assertions)]
            File::Simulated($inner) => $run,
        }
    };
}

impl File {
    /// Writes all slices at `position`, in one call where the kernel takes them whole.
    pub fn write_all_at(&self, slices: &mut [io::IoSlice<'_>], position: u64) -> io::Result<()> {
        on!(self, file => file.write_all_at(slices, position))
    }

    pub fn read_exact_at(&self, into: &mut [u8], position: u64) -> io::Result<()> {
        on!(self, file => file.read_exact_at(into, position))
    }

    /// Appends `length` bytes from `position` to `into`, without zeroing the room first.
    pub fn append_exact_at(&self, into: &mut BytesMut, length: usize, position: u64) -> io::Result<()> {
        on!(self, file => file.append_exact_at(into, length, position))
    }

    /// As [`File::append_exact_at`] if no disk has to be waited for; `false`, and nothing appended, if one would be.
    pub fn try_append_cached_at(
        &self,
        into: &mut BytesMut,
        length: usize,
        position: u64,
    ) -> io::Result<bool> {
        on!(self, file => file.try_append_cached_at(into, length, position))
    }

    pub fn len(&self) -> io::Result<u64> {
        on!(self, file => file.len())
    }

    pub fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }

    /// Reserves and zero-fills `bytes`, so that later writes inside change no metadata.
    pub fn allocate(&self, bytes: u64) -> io::Result<()> {
        on!(self, file => file.allocate(bytes))
    }

    /// Reserves `bytes` without filling them: cheaper, and the first sync after a write has more to note down.
    pub fn reserve(&self, bytes: u64) -> io::Result<()> {
        on!(self, file => file.reserve(bytes))
    }

    /// The data is on stable storage when this returns.
    pub fn sync_data(&self) -> io::Result<()> {
        on!(self, file => file.sync_data())
    }

    pub fn sync_all(&self) -> io::Result<()> {
        on!(self, file => file.sync_all())
    }

    /// Reads what the disk itself has, past the kernel's copy. `false`, and nothing read, where the file system has no
    /// such reads.
    pub fn read_past_cache_at(&self, into: &mut [u8], position: u64) -> io::Result<bool> {
        on!(self, file => file.read_past_cache_at(into, position))
    }

    /// Lets the kernel forget its copy, so that the next read comes from the disk.
    pub fn drop_cache(&self) {
        on!(self, file => file.drop_cache());
    }
}

/// What kind of file system holds a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileSystem {
    /// As people call it; `other` where it makes no difference.
    pub name: &'static str,
    /// It writes elsewhere what is written over: files are not kept for their room there.
    pub copy_on_write: bool,
}

impl Disk {
    pub fn real() -> Disk {
        Disk::Real
    }

    pub fn open(&self, path: &Path, options: OpenOptions) -> io::Result<File> {
        match self {
            Disk::Real => real::open(path, options).map(File::Real),
            #[cfg(debug_assertions)]
            Disk::Simulated(disk) => disk.open(path, options).map(File::Simulated),
        }
    }

    pub fn create_directories(&self, path: &Path) -> io::Result<()> {
        match self {
            Disk::Real => std::fs::create_dir_all(path),
            #[cfg(debug_assertions)]
            Disk::Simulated(disk) => disk.create_directories(path),
        }
    }

    /// The names in a directory, sorted.
    pub fn list(&self, path: &Path) -> io::Result<Vec<PathBuf>> {
        match self {
            Disk::Real => real::list(path),
            #[cfg(debug_assertions)]
            Disk::Simulated(disk) => disk.list(path),
        }
    }

    pub fn exists(&self, path: &Path) -> bool {
        match self {
            Disk::Real => path.exists(),
            #[cfg(debug_assertions)]
            Disk::Simulated(disk) => disk.exists(path),
        }
    }

    pub fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        match self {
            Disk::Real => std::fs::rename(from, to),
            #[cfg(debug_assertions)]
            Disk::Simulated(disk) => disk.rename(from, to),
        }
    }

    pub fn remove_file(&self, path: &Path) -> io::Result<()> {
        match self {
            Disk::Real => std::fs::remove_file(path),
            #[cfg(debug_assertions)]
            Disk::Simulated(disk) => disk.remove_file(path),
        }
    }

    /// Names created, renamed or removed in a directory are durable when this returns.
    pub fn sync_directory(&self, path: &Path) -> io::Result<()> {
        match self {
            Disk::Real => std::fs::File::open(path)?.sync_all(),
            #[cfg(debug_assertions)]
            Disk::Simulated(disk) => disk.sync_directory(path),
        }
    }

    /// The whole of a file.
    pub fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let file = self.open(path, OpenOptions::default())?;
        let mut bytes = vec![0; usize::try_from(file.len()?).map_err(io::Error::other)?];
        file.read_exact_at(&mut bytes, 0)?;
        Ok(bytes)
    }

    /// Replaces a file: after a crash it is the old one or the new one, whole.
    pub fn write_atomically(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let temporary = path.with_extension("tmp");
        let file = self.open(
            &temporary,
            OpenOptions {
                create: true,
                truncate: true,
            },
        )?;
        file.write_all_at(&mut [io::IoSlice::new(bytes)], 0)?;
        file.sync_all()?;
        self.rename(&temporary, path)?;
        self.sync_directory(path.parent().unwrap_or(Path::new(".")))
    }

    /// Bytes that can still be written to the file system of `path`.
    pub fn free_bytes(&self, path: &Path) -> io::Result<u64> {
        match self {
            Disk::Real => real::free_bytes(path),
            #[cfg(debug_assertions)]
            Disk::Simulated(disk) => Ok(disk.free_bytes()),
        }
    }

    /// The file system of `path`.
    pub fn file_system(&self, path: &Path) -> io::Result<FileSystem> {
        match self {
            Disk::Real => past::file_system(path),
            #[cfg(debug_assertions)]
            Disk::Simulated(disk) => Ok(disk.file_system()),
        }
    }

    /// Holds a directory against other processes; `None` if one has it.
    pub fn lock(&self, path: &Path) -> io::Result<Option<DirectoryLock>> {
        match self {
            Disk::Real => real::lock(path),
            #[cfg(debug_assertions)]
            Disk::Simulated(_) => Ok(Some(DirectoryLock::simulated())),
        }
    }
}
