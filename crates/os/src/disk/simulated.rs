//! A disk in memory that can lose what was not synced, tear writes, fail and fill up.
//!
//! A file is what reads see now, what is durable, and the writes between the two. Names are the same: a created,
//! renamed or removed name is durable when its directory is synced. [`SimDisk::crash`] gives the disk as it may be after
//! a power loss: of the pending writes of each file a random subset, each possibly cut.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;

use super::OpenOptions;
use crate::Random;

/// What goes wrong, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The n-th sync from now fails (1 is the next), and what it should have saved is lost.
    Sync(u64),
    /// The n-th write from now fails.
    Write(u64),
    /// Every read of a byte in this file fails.
    Reads,
}

#[derive(Debug, Clone, Default)]
pub struct SimDisk(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// What programs see.
    names: BTreeMap<PathBuf, Arc<Mutex<Content>>>,
    /// What a power loss leaves.
    durable_names: BTreeMap<PathBuf, Arc<Mutex<Content>>>,
    capacity: Option<u64>,
    faults: Vec<Fault>,
    syncs: u64,
}

#[derive(Debug, Default, Clone)]
struct Content {
    now: Vec<u8>,
    durable: Vec<u8>,
    pending: Vec<(u64, Vec<u8>)>,
}

#[derive(Debug, Clone)]
pub struct SimFile {
    disk: SimDisk,
    content: Arc<Mutex<Content>>,
}

fn put(bytes: &mut Vec<u8>, position: u64, data: &[u8]) {
    let (start, end) = (position as usize, position as usize + data.len());
    if bytes.len() < end {
        bytes.resize(end, 0);
    }
    bytes[start..end].copy_from_slice(data);
}

fn eio() -> io::Error {
    io::Error::from_raw_os_error(libc::EIO)
}

impl SimDisk {
    pub fn new() -> SimDisk {
        SimDisk::default()
    }

    pub fn fail(&self, fault: Fault) {
        self.0.lock().faults.push(fault);
    }

    pub fn heal(&self) {
        self.0.lock().faults.clear();
    }

    pub fn set_capacity(&self, bytes: Option<u64>) {
        self.0.lock().capacity = bytes;
    }

    /// Syncs so far, failed ones included.
    pub fn syncs(&self) -> u64 {
        self.0.lock().syncs
    }

    /// Writes that a power loss may lose, over all files.
    pub fn pending_writes(&self) -> usize {
        self.0
            .lock()
            .names
            .values()
            .map(|content| content.lock().pending.len())
            .sum()
    }

    /// The disk after a power loss.
    pub fn crash(&self, random: &Random) -> SimDisk {
        let state = self.0.lock();
        let mut names = BTreeMap::new();
        for (path, content) in &state.durable_names {
            let mut after = content.lock().clone();
            for (position, data) in std::mem::take(&mut after.pending) {
                let kept = match random.u64() % 4 {
                    0 => 0,
                    1 => random.u64() as usize % (data.len() + 1),
                    _ => data.len(),
                };
                put(&mut after.durable, position, &data[..kept]);
            }
            after.now = after.durable.clone();
            names.insert(path.clone(), Arc::new(Mutex::new(after)));
        }
        let durable_names = names.clone();
        SimDisk(Arc::new(Mutex::new(State {
            names,
            durable_names,
            ..State::default()
        })))
    }

    /// An independent copy of what programs see, all of it durable: for tests that damage it.
    pub fn copy(&self) -> SimDisk {
        let state = self.0.lock();
        let copy = |content: &Arc<Mutex<Content>>| {
            let now = content.lock().now.clone();
            Arc::new(Mutex::new(Content {
                durable: now.clone(),
                now,
                pending: Vec::new(),
            }))
        };
        let names: BTreeMap<_, _> = state
            .names
            .iter()
            .map(|(path, content)| (path.clone(), copy(content)))
            .collect();
        let durable_names = names.clone();
        SimDisk(Arc::new(Mutex::new(State {
            names,
            durable_names,
            ..State::default()
        })))
    }

    /// Changes bytes behind everybody's back.
    pub fn damage(&self, path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
        if let Some(content) = self.0.lock().names.get(path) {
            let mut content = content.lock();
            change(&mut content.now);
            content.durable = content.now.clone();
        }
    }

    /// Every file and its length.
    pub fn files(&self) -> Vec<(PathBuf, usize)> {
        let state = self.0.lock();
        state
            .names
            .iter()
            .map(|(path, content)| (path.clone(), content.lock().now.len()))
            .collect()
    }

    pub(super) fn open(&self, path: &Path, options: OpenOptions) -> io::Result<SimFile> {
        let mut state = self.0.lock();
        let content = match state.names.get(path) {
            Some(content) => content.clone(),
            None if options.create => {
                let content = Arc::new(Mutex::new(Content::default()));
                state.names.insert(path.to_owned(), content.clone());
                content
            }
            None => return Err(io::ErrorKind::NotFound.into()),
        };
        if options.truncate {
            *content.lock() = Content::default();
        }
        Ok(SimFile {
            disk: self.clone(),
            content,
        })
    }

    pub(super) fn create_directories(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }

    pub(super) fn list(&self, path: &Path) -> io::Result<Vec<PathBuf>> {
        let state = self.0.lock();
        Ok(state
            .names
            .keys()
            .filter(|name| name.parent() == Some(path))
            .cloned()
            .collect())
    }

    pub(super) fn exists(&self, path: &Path) -> bool {
        self.0.lock().names.keys().any(|name| name.starts_with(path))
    }

    pub(super) fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.0.lock();
        let content = state.names.remove(from).ok_or(io::ErrorKind::NotFound)?;
        state.names.insert(to.to_owned(), content);
        Ok(())
    }

    pub(super) fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.0
            .lock()
            .names
            .remove(path)
            .map(|_| ())
            .ok_or(io::ErrorKind::NotFound.into())
    }

    pub(super) fn sync_directory(&self, path: &Path) -> io::Result<()> {
        let mut state = self.0.lock();
        state.count_sync()?;
        let inside = |name: &Path| name.parent() == Some(path);
        let now: Vec<_> = state.names.iter().filter(|(name, _)| inside(name)).collect();
        let now: Vec<_> = now
            .into_iter()
            .map(|(name, content)| (name.clone(), content.clone()))
            .collect();
        state.durable_names.retain(|name, _| !inside(name));
        state.durable_names.extend(now);
        Ok(())
    }

    pub(super) fn free_bytes(&self) -> u64 {
        let state = self.0.lock();
        let used: u64 = state
            .names
            .values()
            .map(|content| content.lock().now.len() as u64)
            .sum();
        state
            .capacity
            .map_or(u64::MAX, |capacity| capacity.saturating_sub(used))
    }
}

impl State {
    fn count_sync(&mut self) -> io::Result<()> {
        self.syncs += 1;
        let mut failed = false;
        self.faults.retain_mut(|fault| {
            if let Fault::Sync(left) = fault {
                *left -= 1;
                failed |= *left == 0;
                return *left != 0;
            }
            true
        });
        if failed { Err(eio()) } else { Ok(()) }
    }

    fn count_write(&mut self) -> io::Result<()> {
        let mut failed = false;
        self.faults.retain_mut(|fault| {
            if let Fault::Write(left) = fault {
                *left -= 1;
                failed |= *left == 0;
                return *left != 0;
            }
            true
        });
        if failed { Err(eio()) } else { Ok(()) }
    }
}

impl SimFile {
    pub(super) fn write_all_at(&self, slices: &mut [io::IoSlice<'_>], position: u64) -> io::Result<()> {
        self.disk.0.lock().count_write()?;
        let data: Vec<u8> = slices.iter().flat_map(|slice| slice.iter().copied()).collect();
        let grows = (position + data.len() as u64).saturating_sub(self.content.lock().now.len() as u64);
        if self.disk.free_bytes() < grows {
            return Err(io::Error::from_raw_os_error(libc::ENOSPC));
        }
        let mut content = self.content.lock();
        put(&mut content.now, position, &data);
        content.pending.push((position, data));
        Ok(())
    }

    pub(super) fn read_exact_at(&self, into: &mut [u8], position: u64) -> io::Result<()> {
        if self.disk.0.lock().faults.contains(&Fault::Reads) {
            return Err(eio());
        }
        let content = self.content.lock();
        let start = position as usize;
        let bytes = content
            .now
            .get(start..start + into.len())
            .ok_or(io::ErrorKind::UnexpectedEof)?;
        into.copy_from_slice(bytes);
        Ok(())
    }

    pub(super) fn try_read_cached_at(&self, into: &mut [u8], position: u64) -> io::Result<bool> {
        self.read_exact_at(into, position).map(|()| true)
    }

    pub(super) fn len(&self) -> io::Result<u64> {
        Ok(self.content.lock().now.len() as u64)
    }

    pub(super) fn allocate(&self, bytes: u64) -> io::Result<()> {
        let zeros = vec![0; bytes as usize];
        self.write_all_at(&mut [io::IoSlice::new(&zeros)], 0)
    }

    pub(super) fn reserve(&self, bytes: u64) -> io::Result<()> {
        self.allocate(bytes)
    }

    pub(super) fn sync_data(&self) -> io::Result<()> {
        let failed = self.disk.0.lock().count_sync();
        let mut content = self.content.lock();
        let pending = std::mem::take(&mut content.pending);
        // A failed sync forgets what was dirty: trying again would succeed and save nothing.
        failed?;
        for (position, data) in pending {
            put(&mut content.durable, position, &data);
        }
        Ok(())
    }

    pub(super) fn sync_all(&self) -> io::Result<()> {
        self.sync_data()
    }

    /// After a failed sync the durable bytes are the truth.
    pub(super) fn drop_cache(&self) {
        let mut content = self.content.lock();
        if content.pending.is_empty() {
            content.now = content.durable.clone();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(disk: &SimDisk) -> SimFile {
        disk.open(
            Path::new("/d/f"),
            OpenOptions {
                create: true,
                truncate: false,
            },
        )
        .expect("room")
    }

    fn write(file: &SimFile, position: u64, data: &[u8]) -> io::Result<()> {
        file.write_all_at(&mut [io::IoSlice::new(data)], position)
    }

    #[test]
    fn what_is_synced_survives_and_names_need_their_directory() {
        let disk = SimDisk::new();
        let open = file(&disk);
        write(&open, 0, b"abc").expect("room");
        open.sync_data().expect("no fault");
        assert_eq!(disk.crash(&Random::seeded(1)).files(), []);
        disk.sync_directory(Path::new("/d")).expect("no fault");
        assert_eq!(disk.crash(&Random::seeded(1)).files(), [("/d/f".into(), 3)]);
    }

    #[test]
    fn unsynced_writes_are_lost_kept_or_torn() {
        let disk = SimDisk::new();
        let open = file(&disk);
        disk.sync_directory(Path::new("/d")).expect("no fault");
        write(&open, 0, &[7; 100]).expect("room");
        let lengths: Vec<usize> = (0..50)
            .map(|seed| disk.crash(&Random::seeded(seed)).files()[0].1)
            .collect();
        assert!(lengths.contains(&0) && lengths.contains(&100));
        assert!(lengths.iter().any(|length| 0 < *length && *length < 100));
    }

    #[test]
    fn a_failed_sync_loses_what_it_should_have_saved() {
        let disk = SimDisk::new();
        let open = file(&disk);
        disk.sync_directory(Path::new("/d")).expect("no fault");
        write(&open, 0, b"abc").expect("room");
        disk.fail(Fault::Sync(1));
        assert!(open.sync_data().is_err());
        assert!(open.sync_data().is_ok());
        assert_eq!(disk.crash(&Random::seeded(2)).files()[0].1, 0);
    }

    #[test]
    fn a_full_disk_says_so() {
        let disk = SimDisk::new();
        disk.set_capacity(Some(10));
        let open = file(&disk);
        assert!(write(&open, 0, &[0; 10]).is_ok());
        assert_eq!(
            write(&open, 10, &[0]).expect_err("full").raw_os_error(),
            Some(libc::ENOSPC)
        );
        assert!(write(&open, 3, &[1]).is_ok());
    }
}
