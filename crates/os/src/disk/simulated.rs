//! A disk in memory that can lose what was not synced, tear writes, fail and fill up.
//!
//! A file is what reads see now, what is durable, and the writes between the two. Names are the same: a created,
//! renamed or removed name is durable when its directory is synced. [`SimDisk::crash`] gives the disk as it may be after
//! a power loss: of the pending writes of each file a random subset, each possibly cut or with holes, and of the changed
//! names of each directory the first ones, as a journal keeps them.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::BytesMut;
use parking_lot::Mutex;

use super::OpenOptions;
use super::pages::Pages;
use crate::Random;

/// A drive writes so much at once or not at all.
const SECTOR_BYTES: usize = 512;

/// What goes wrong, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The n-th sync from now fails (1 is the next), and what it should have saved is lost.
    Sync(u64),
    /// The n-th write from now fails.
    Write(u64),
    /// Every read fails.
    Reads,
    /// The n-th write from now says that it was done, and was not.
    LostWrite(u64),
    /// The n-th write from now lands so many bytes behind its place.
    Misdirected(u64, u64),
    /// The n-th read from now gives one flipped bit; the next one of the same bytes is right again.
    FlippedRead(u64),
}

/// A write that a power loss may lose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    pub path: PathBuf,
    pub position: u64,
    pub bytes: usize,
}

/// A change of names that a power loss may lose.
#[derive(Debug, Clone)]
enum NameChange {
    Put(PathBuf, Arc<Mutex<Content>>),
    Remove(PathBuf),
    /// One change: both names are never there, nor neither.
    Rename(PathBuf, PathBuf, Arc<Mutex<Content>>),
}

#[derive(Debug, Clone, Default)]
pub struct SimDisk(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// What programs see.
    names: BTreeMap<PathBuf, Arc<Mutex<Content>>>,
    /// What a power loss leaves.
    durable_names: BTreeMap<PathBuf, Arc<Mutex<Content>>>,
    /// What was done to names since their directories were synced, in order.
    changes: Vec<NameChange>,
    capacity: Option<u64>,
    faults: Vec<Fault>,
    syncs: u64,
    /// No page is cached.
    cold: bool,
    copy_on_write: bool,
    /// Dropping the cache does nothing, as it is with pages that somebody else holds.
    keeps_cache: bool,
    /// Orders pending writes over all files.
    writes: u64,
}

#[derive(Debug, Default, Clone)]
struct Content {
    now: Pages,
    durable: Pages,
    pending: Vec<Write>,
}

/// Where, what, and when.
#[derive(Debug, Clone)]
struct Write {
    number: u64,
    position: u64,
    data: Arc<[u8]>,
}

#[derive(Debug, Clone)]
pub struct SimFile {
    disk: SimDisk,
    content: Arc<Mutex<Content>>,
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

    /// From now on every read has to wait for the disk, or none has.
    pub fn set_cold(&self, cold: bool) {
        self.0.lock().cold = cold;
    }

    /// From now on it says that it writes elsewhere what is written over.
    pub fn set_copy_on_write(&self) {
        self.0.lock().copy_on_write = true;
    }

    /// From now on the cache cannot be dropped.
    pub fn keep_cache(&self) {
        self.0.lock().keeps_cache = true;
    }

    pub(super) fn file_system(&self) -> super::FileSystem {
        super::FileSystem {
            name: "simulated",
            copy_on_write: self.0.lock().copy_on_write,
        }
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

    /// The same writes, in the order in which they were made.
    pub fn pending(&self) -> Vec<Pending> {
        let state = self.0.lock();
        let mut writes: Vec<(u64, Pending)> = Vec::new();
        for (path, content) in &state.names {
            for write in &content.lock().pending {
                let (path, position, bytes) = (path.clone(), write.position, write.data.len());
                let pending = Pending {
                    path,
                    position,
                    bytes,
                };
                writes.push((write.number, pending));
            }
        }
        writes.sort_by_key(|(number, _)| *number);
        writes.into_iter().map(|(_, pending)| pending).collect()
    }

    /// The disk after a power loss.
    pub fn crash(&self, random: &Random) -> SimDisk {
        self.image(Some(random), |write, into| keep_some(random, write, into))
    }

    /// The disk after a power loss that came when the first `whole` pending writes were done and of the next one
    /// `bytes` bytes: every cut in time. Names that were not synced are lost.
    pub fn crash_after(&self, whole: usize, bytes: usize) -> SimDisk {
        let mut numbers: Vec<u64> = Vec::new();
        for content in self.0.lock().names.values() {
            numbers.extend(content.lock().pending.iter().map(|write| write.number));
        }
        numbers.sort_unstable();
        let cut = numbers.get(whole).copied().unwrap_or(u64::MAX);
        self.image(None, |write, into| match write.number.cmp(&cut) {
            std::cmp::Ordering::Less => into.put(write.position, &write.data),
            std::cmp::Ordering::Equal => into.put(write.position, &write.data[..bytes.min(write.data.len())]),
            std::cmp::Ordering::Greater => {}
        })
    }

    /// An independent copy of what programs see, all of it durable: for tests that damage it.
    pub fn copy(&self) -> SimDisk {
        let state = self.0.lock();
        fork(&state.names, |content| content.now.clone())
    }

    /// What is durable, with whatever `keep` lets through of each pending write.
    fn image(&self, names: Option<&Random>, keep: impl Fn(&Write, &mut Pages)) -> SimDisk {
        let state = self.0.lock();
        let names = names.map_or_else(|| state.durable_names.clone(), |random| state.names_after(random));
        fork(&names, |content| {
            let mut after = content.durable.clone();
            content.pending.iter().for_each(|write| keep(write, &mut after));
            after
        })
    }

    /// Changes bytes behind everybody's back.
    pub fn damage(&self, path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
        if let Some(content) = self.0.lock().names.get(path) {
            let mut content = content.lock();
            let mut bytes = content.now.to_vec();
            change(&mut bytes);
            content.now = Pages::from_bytes(&bytes);
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
                state
                    .changes
                    .push(NameChange::Put(path.to_owned(), content.clone()));
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
        state.names.insert(to.to_owned(), content.clone());
        state
            .changes
            .push(NameChange::Rename(from.to_owned(), to.to_owned(), content));
        Ok(())
    }

    pub(super) fn remove_file(&self, path: &Path) -> io::Result<()> {
        let mut state = self.0.lock();
        state.names.remove(path).ok_or(io::ErrorKind::NotFound)?;
        state.changes.push(NameChange::Remove(path.to_owned()));
        Ok(())
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
        // A rename between directories is one change: it is durable with the first of the two.
        let changes = std::mem::take(&mut state.changes);
        for change in changes {
            match &change {
                NameChange::Rename(from, to, content) if inside(from) || inside(to) => {
                    state.durable_names.remove(from);
                    if !inside(to) {
                        state.durable_names.insert(to.clone(), content.clone());
                    }
                }
                NameChange::Put(path, _) | NameChange::Remove(path) if inside(path) => {}
                _ => state.changes.push(change),
            }
        }
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

/// A disk of its own, with bytes chosen from each file.
fn fork(names: &BTreeMap<PathBuf, Arc<Mutex<Content>>>, choose: impl Fn(&Content) -> Pages) -> SimDisk {
    let copy = |content: &Arc<Mutex<Content>>| {
        let now = choose(&content.lock());
        let durable = now.clone();
        let pending = Vec::new();
        Arc::new(Mutex::new(Content {
            now,
            durable,
            pending,
        }))
    };
    let copied = names.iter().map(|(path, content)| (path.clone(), copy(content)));
    let names: BTreeMap<_, _> = copied.collect();
    let durable_names = names.clone();
    SimDisk(Arc::new(Mutex::new(State {
        names,
        durable_names,
        ..State::default()
    })))
}

/// A write that was under way may be missing, whole, cut, or have holes where sectors were not yet written.
fn keep_some(random: &Random, write: &Write, into: &mut Pages) {
    match random.u64() % 5 {
        0 => {}
        1 => {
            let kept = random.u64() as usize % (write.data.len() + 1);
            into.put(write.position, &write.data[..kept]);
        }
        2 => {
            let mut at = write.position;
            for sector in write.data.chunks(SECTOR_BYTES) {
                if !random.u64().is_multiple_of(4) {
                    into.put(at, sector);
                }
                at += sector.len() as u64;
            }
        }
        _ => into.put(write.position, &write.data),
    }
}

impl State {
    fn count_sync(&mut self) -> io::Result<()> {
        self.syncs += 1;
        let failed = self.due(|fault| {
            if let Fault::Sync(left) = fault {
                Some(left)
            } else {
                None
            }
        });
        if failed.is_some() { Err(eio()) } else { Ok(()) }
    }

    /// What goes wrong with this write.
    fn count_write(&mut self) -> Option<Fault> {
        self.due(|fault| match fault {
            Fault::Write(left) | Fault::LostWrite(left) | Fault::Misdirected(left, _) => Some(left),
            _ => None,
        })
    }

    /// Counts down the faults of one kind; gives the one whose turn it is.
    fn due(&mut self, counter: impl Fn(&mut Fault) -> Option<&mut u64>) -> Option<Fault> {
        let mut due = None;
        self.faults.retain_mut(|fault| {
            let Some(left) = counter(fault) else { return true };
            *left -= 1;
            if *left == 0 {
                due = Some(*fault);
            }
            due != Some(*fault)
        });
        due
    }

    /// Names after a power loss: of each directory's changes the first ones.
    fn names_after(&self, random: &Random) -> BTreeMap<PathBuf, Arc<Mutex<Content>>> {
        let mut names = self.durable_names.clone();
        let kept = random.u64() as usize % (self.changes.len() + 1);
        for change in &self.changes[..kept] {
            match change {
                NameChange::Put(path, content) => drop(names.insert(path.clone(), content.clone())),
                NameChange::Remove(path) => drop(names.remove(path)),
                NameChange::Rename(from, to, content) => {
                    names.remove(from);
                    names.insert(to.clone(), content.clone());
                }
            }
        }
        names
    }
}

impl SimFile {
    pub(super) fn write_all_at(&self, slices: &mut [io::IoSlice<'_>], position: u64) -> io::Result<()> {
        let (fault, number) = {
            let mut state = self.disk.0.lock();
            state.writes += 1;
            (state.count_write(), state.writes)
        };
        let position = match fault {
            Some(Fault::LostWrite(_)) => return Ok(()),
            Some(Fault::Misdirected(_, by)) => position + by,
            Some(_) => return Err(eio()),
            None => position,
        };
        let data: Vec<u8> = slices.iter().flat_map(|slice| slice.iter().copied()).collect();
        let grows = (position + data.len() as u64).saturating_sub(self.content.lock().now.len() as u64);
        if self.disk.free_bytes() < grows {
            return Err(io::Error::from_raw_os_error(libc::ENOSPC));
        }
        let mut content = self.content.lock();
        content.now.put(position, &data);
        let data = data.into();
        content.pending.push(Write {
            number,
            position,
            data,
        });
        Ok(())
    }

    pub(super) fn read_exact_at(&self, into: &mut [u8], position: u64) -> io::Result<()> {
        let fault = {
            let mut state = self.disk.0.lock();
            if state.faults.contains(&Fault::Reads) {
                return Err(eio());
            }
            state.due(|fault| {
                if let Fault::FlippedRead(left) = fault {
                    Some(left)
                } else {
                    None
                }
            })
        };
        self.content.lock().now.get(position, into)?;
        if fault.is_some()
            && let Some(byte) = into.get_mut(into.len() / 2)
        {
            *byte ^= 4;
        }
        Ok(())
    }

    pub(super) fn append_exact_at(
        &self,
        into: &mut BytesMut,
        length: usize,
        position: u64,
    ) -> io::Result<()> {
        let before = into.len();
        into.resize(before + length, 0);
        let room = into.get_mut(before..).unwrap_or_default();
        self.read_exact_at(room, position)
            .inspect_err(|_| into.truncate(before))
    }

    pub(super) fn try_append_cached_at(
        &self,
        into: &mut BytesMut,
        length: usize,
        position: u64,
    ) -> io::Result<bool> {
        if self.disk.0.lock().cold {
            return Ok(false);
        }
        self.append_exact_at(into, length, position).map(|()| true)
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
        for write in pending {
            content.durable.put(write.position, &write.data);
        }
        Ok(())
    }

    pub(super) fn sync_all(&self) -> io::Result<()> {
        self.sync_data()
    }

    /// What is dirty is written first, as it is before a direct read; what a failed sync forgot is not dirty.
    pub(super) fn read_past_cache_at(&self, into: &mut [u8], position: u64) -> io::Result<bool> {
        let content = self.content.lock();
        let source = if content.pending.is_empty() {
            &content.durable
        } else {
            &content.now
        };
        source.get(position, into).map(|()| true)
    }

    /// After a failed sync the durable bytes are the truth.
    pub(super) fn drop_cache(&self) {
        if self.disk.0.lock().keeps_cache {
            return;
        }
        let mut content = self.content.lock();
        if content.pending.is_empty() {
            content.now = content.durable.clone();
        }
    }
}
