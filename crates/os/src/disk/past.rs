//! Past the page cache, and what lies below it.

use std::fs;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use super::FileSystem;

/// Positions, lengths and memory of direct reads are multiples of this on every disk in use.
const ALIGN: usize = 4096;

/// Reads with O_DIRECT, through memory that is aligned for it. `false` if the file system cannot.
pub(super) fn read_at(file: &fs::File, into: &mut [u8], position: u64) -> io::Result<bool> {
    let direct = fs::OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_DIRECT)
        .open(format!("/proc/self/fd/{}", file.as_raw_fd()));
    let direct = match direct {
        Ok(direct) => direct,
        Err(error) if cannot(&error) => return Ok(false),
        Err(error) => return Err(error),
    };
    let skipped = (position % ALIGN as u64) as usize;
    let wanted = (skipped + into.len()).next_multiple_of(ALIGN);
    let mut memory = vec![0; wanted + ALIGN];
    let from = memory.as_ptr().align_offset(ALIGN);
    let aligned = memory.get_mut(from..from + wanted).unwrap_or_default();
    let mut done = 0;
    while done < skipped + into.len() {
        let rest = aligned.get_mut(done..).unwrap_or_default();
        match direct.read_at(rest, position - skipped as u64 + done as u64) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            // A read that ends inside a page ends with the file.
            Ok(read) => done += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if done == 0 && cannot(&error) => return Ok(false),
            Err(error) => return Err(error),
        }
    }
    let read = aligned.get(skipped..skipped + into.len()).unwrap_or_default();
    into.copy_from_slice(read);
    Ok(true)
}

fn cannot(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error(),
        Some(libc::EINVAL | libc::EOPNOTSUPP | libc::ENOENT | libc::ENOSYS)
    )
}

/// By the number that statfs gives (`linux/magic.h`, and those of file systems outside the kernel).
#[cfg(target_os = "linux")]
#[allow(unsafe_code)]
pub(super) fn file_system(path: &Path) -> io::Result<FileSystem> {
    use std::os::unix::ffi::OsStrExt;
    let path = std::ffi::CString::new(path.as_os_str().as_bytes()).map_err(io::Error::other)?;
    // SAFETY: statfs is plain numbers, for which zeros are a value.
    let mut stat: libc::statfs = unsafe { std::mem::zeroed() };
    // SAFETY: the path ends with a zero byte, and the call writes one statfs, which is ours.
    if unsafe { libc::statfs(path.as_ptr(), &raw mut stat) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(named(stat.f_type as u32))
}

/// Every other system with such files: APFS writes elsewhere.
#[cfg(not(target_os = "linux"))]
pub(super) fn file_system(_: &Path) -> io::Result<FileSystem> {
    Ok(FileSystem {
        name: "other",
        copy_on_write: cfg!(target_os = "macos"),
    })
}

#[cfg(target_os = "linux")]
fn named(magic: u32) -> FileSystem {
    let (name, copy_on_write) = match magic {
        0x9123_683e => ("btrfs", true),
        0x2fc1_2fc1 => ("zfs", true),
        0xca45_1a4e => ("bcachefs", true),
        0x0000_ef53 => ("ext4", false),
        0x5846_5342 => ("xfs", false),
        0x0102_1994 => ("tmpfs", false),
        0x794c_7630 => ("overlayfs", false),
        0x0000_6969 => ("nfs", false),
        _ => ("other", false),
    };
    FileSystem { name, copy_on_write }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_systems_that_copy_on_write_are_known() {
        for (magic, name) in [
            (0x9123_683e, "btrfs"),
            (0x2fc1_2fc1, "zfs"),
            (0xca45_1a4e, "bcachefs"),
        ] {
            let copy_on_write = true;
            assert_eq!(named(magic), FileSystem { name, copy_on_write });
        }
        assert!(!named(0xef53).copy_on_write && !named(0x5846_5342).copy_on_write && !named(7).copy_on_write);
    }
}
