//! The machine's own files.

use std::fs;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::BytesMut;

use super::OpenOptions;

/// Slices that one call may take (IOV_MAX).
const SLICES_MAX: usize = 1024;
static ZEROS: [u8; 64 << 10] = [0; 64 << 10];

#[derive(Debug, Clone)]
pub struct RealFile(Arc<fs::File>);

pub(super) fn open(path: &Path, options: OpenOptions) -> io::Result<RealFile> {
    let file = fs::OpenOptions::new()
        .read(true)
        .write(true)
        .create(options.create)
        .truncate(options.truncate)
        .open(path)?;
    Ok(RealFile(Arc::new(file)))
}

impl RealFile {
    pub(super) fn write_all_at(&self, slices: &mut [io::IoSlice<'_>], position: u64) -> io::Result<()> {
        let (mut rest, mut position) = (slices, position);
        io::IoSlice::advance_slices(&mut rest, 0);
        while !rest.is_empty() {
            let written = self.write_vectored_at(rest, position)?;
            if written == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            position += written as u64;
            io::IoSlice::advance_slices(&mut rest, written);
        }
        Ok(())
    }

    #[allow(unsafe_code)]
    fn write_vectored_at(&self, slices: &[io::IoSlice<'_>], position: u64) -> io::Result<usize> {
        let count = slices.len().min(SLICES_MAX) as libc::c_int;
        let position = libc::off_t::try_from(position).map_err(io::Error::other)?;
        loop {
            // SAFETY: IoSlice is guaranteed to have the layout of iovec, `count` is at most their number, and the
            // kernel only reads from them.
            let written =
                unsafe { libc::pwritev(self.0.as_raw_fd(), slices.as_ptr().cast(), count, position) };
            if let Ok(written) = usize::try_from(written) {
                return Ok(written);
            }
            let error = io::Error::last_os_error();
            if error.kind() != io::ErrorKind::Interrupted {
                return Err(error);
            }
        }
    }

    pub(super) fn read_exact_at(&self, into: &mut [u8], position: u64) -> io::Result<()> {
        self.0.read_exact_at(into, position)
    }

    /// Appends `length` bytes of the file to `into`, whose new room is not zeroed first.
    pub(super) fn append_exact_at(
        &self,
        into: &mut BytesMut,
        length: usize,
        position: u64,
    ) -> io::Result<()> {
        self.append_at(into, length, position, 0).map(|_| ())
    }

    /// As `append_exact_at`, if no disk has to be waited for; `false`, and nothing appended, if one would be.
    pub(super) fn try_append_cached_at(
        &self,
        into: &mut BytesMut,
        length: usize,
        position: u64,
    ) -> io::Result<bool> {
        self.append_at(into, length, position, libc::RWF_NOWAIT)
    }

    #[allow(unsafe_code)]
    fn append_at(
        &self,
        into: &mut BytesMut,
        length: usize,
        position: u64,
        flags: libc::c_int,
    ) -> io::Result<bool> {
        into.reserve(length);
        let room = into.spare_capacity_mut().get_mut(..length);
        let whole = self.fill_at(room.unwrap_or_default(), position, flags)?;
        if whole {
            // SAFETY: `reserve` made room for `length` bytes and `fill_at` has written every one of them.
            unsafe { into.set_len(into.len() + length) };
        }
        Ok(whole)
    }

    /// Writes every byte of `into`, or gives `false` where the flags forbid to wait for the rest.
    #[allow(unsafe_code)]
    fn fill_at(&self, into: &mut [MaybeUninit<u8>], position: u64, flags: libc::c_int) -> io::Result<bool> {
        let mut done = 0;
        while done < into.len() {
            let rest = into.get_mut(done..).unwrap_or_default();
            let slice = libc::iovec {
                iov_base: rest.as_mut_ptr().cast(),
                iov_len: rest.len(),
            };
            let at = libc::off_t::try_from(position + done as u64).map_err(io::Error::other)?;
            // SAFETY: the one iovec names a live, exclusively borrowed slice, into which the kernel may write.
            let read = unsafe { libc::preadv2(self.0.as_raw_fd(), &raw const slice, 1, at, flags) };
            match usize::try_from(read) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(read) => done += read,
                Err(_) => match io::Error::last_os_error() {
                    error if error.kind() == io::ErrorKind::Interrupted => {}
                    // Not cached, or a file system that cannot say: the caller waits for it elsewhere.
                    error if flags != 0 && cannot_say(&error) => return Ok(false),
                    error => return Err(error),
                },
            }
        }
        Ok(true)
    }

    pub(super) fn len(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    pub(super) fn allocate(&self, bytes: u64) -> io::Result<()> {
        self.reserve(bytes)?;
        let mut at = 0;
        while at < bytes {
            let length = (bytes - at).min(ZEROS.len() as u64);
            self.0
                .write_all_at(ZEROS.get(..length as usize).unwrap_or_default(), at)?;
            at += length;
        }
        Ok(())
    }

    #[allow(unsafe_code)]
    pub(super) fn reserve(&self, bytes: u64) -> io::Result<()> {
        let bytes = libc::off_t::try_from(bytes).map_err(io::Error::other)?;
        // SAFETY: the call takes numbers and touches no memory of ours.
        match unsafe { libc::posix_fallocate(self.0.as_raw_fd(), 0, bytes) } {
            0 => Ok(()),
            // A file system that cannot reserve: the length is set, and writing takes the room.
            libc::EOPNOTSUPP | libc::EINVAL => self.0.set_len(bytes as u64),
            code => Err(io::Error::from_raw_os_error(code)),
        }
    }

    pub(super) fn sync_data(&self) -> io::Result<()> {
        self.0.sync_data()
    }

    pub(super) fn sync_all(&self) -> io::Result<()> {
        self.0.sync_all()
    }

    pub(super) fn read_past_cache_at(&self, into: &mut [u8], position: u64) -> io::Result<bool> {
        super::past::read_at(&self.0, into, position)
    }

    #[allow(unsafe_code)]
    pub(super) fn drop_cache(&self) {
        // SAFETY: the call takes numbers and touches no memory of ours. It is advice: its result changes nothing.
        unsafe { libc::posix_fadvise(self.0.as_raw_fd(), 0, 0, libc::POSIX_FADV_DONTNEED) };
    }
}

/// What a read that must not wait answers where it would have to, or where the file system has no such reads.
fn cannot_say(error: &io::Error) -> bool {
    let code = error.raw_os_error().unwrap_or_default();
    [libc::EAGAIN, libc::EOPNOTSUPP, libc::EINVAL, libc::ENOSYS].contains(&code)
}

pub(super) fn list(path: &Path) -> io::Result<Vec<PathBuf>> {
    let mut names = fs::read_dir(path)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<io::Result<Vec<_>>>()?;
    names.sort();
    Ok(names)
}

#[allow(unsafe_code)]
pub(super) fn free_bytes(path: &Path) -> io::Result<u64> {
    use std::os::unix::ffi::OsStrExt;
    let path = std::ffi::CString::new(path.as_os_str().as_bytes()).map_err(io::Error::other)?;
    // SAFETY: statvfs is plain numbers, for which zeros are a value.
    let mut stat: libc::statvfs = unsafe { std::mem::zeroed() };
    // SAFETY: the path ends with a zero byte, and the call writes one statvfs, which is ours.
    if unsafe { libc::statvfs(path.as_ptr(), &raw mut stat) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
}

/// A directory that is ours until this is dropped, or the process ends.
#[derive(Debug)]
pub struct DirectoryLock {
    _file: Option<fs::File>,
}

impl DirectoryLock {
    #[cfg(debug_assertions)]
    pub(super) fn simulated() -> DirectoryLock {
        DirectoryLock { _file: None }
    }
}

#[allow(unsafe_code)]
pub(super) fn lock(path: &Path) -> io::Result<Option<DirectoryLock>> {
    let file = fs::OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path.join(".lock"))?;
    // SAFETY: the call takes numbers and touches no memory of ours.
    if unsafe { libc::flock(file.as_raw_fd(), libc::LOCK_EX | libc::LOCK_NB) } == 0 {
        return Ok(Some(DirectoryLock { _file: Some(file) }));
    }
    let error = io::Error::last_os_error();
    if error.kind() == io::ErrorKind::WouldBlock {
        Ok(None)
    } else {
        Err(error)
    }
}
