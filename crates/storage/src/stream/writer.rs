//! The one who writes: groups into the current chunk, and from a full chunk over to the next.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use rustc_hash::FxHashMap;
use smallvec::SmallVec;
use types::{LeaderEpoch, Lsn, Offset, PartitionIndex, TopicIdPartition, Uuid};

use super::build::{Desk, Frame, PAGE_BYTES, Payloads};
use super::tail::{self, Copies};
use super::{Payload, Slice, Stream};
use crate::chunk::{self, Chunk, Spare};
use crate::directory::METADATA_STREAM;
use crate::format::checkpoint::StreamPlace;
use crate::format::footer::{EXTENT_BYTES, TRAILER_BYTES};
use crate::format::{
    CHUNK_HEADER_BYTES, ChunkHeader, ChunkKind, ENTRIES_MAX, ENTRY_BYTES, Entry, EntryType, GROUP_BYTES_MAX,
    GROUP_HEADER_BYTES, GroupHeader,
};
use crate::log::Extent;
use crate::{Error, Log, Moved, SeededBug};

/// Kept at the end of every chunk for its SEAL.
const SEAL_BYTES: u64 = (GROUP_HEADER_BYTES + ENTRY_BYTES + 64) as u64;
/// Kept for the footer: its trailer, its first block and that it begins in a page of its own.
const FOOTER_BYTES: u64 = (TRAILER_BYTES + 64 + PAGE_BYTES) as u64;
/// Kept for each log in the footer. What takes more leaves the chunk without a footer, which costs a scan at most.
const TOUCHED_BYTES: u64 = 256;

/// One part of so many of a chunk is kept for events.
const EVENTS_SHARE: u64 = 32;

/// Between two syncs there are one or two.
type Chunks = SmallVec<[Arc<Chunk>; 2]>;

/// A log with entries in the current chunk.
#[derive(Debug)]
pub(super) struct Touched {
    pub(super) log: Arc<Log>,
    pub(super) first_lsn: u64,
    pub(super) last_lsn: u64,
    pub(super) max_wall_ms: i64,
}

/// Where the stream ends.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) chunk: Arc<Chunk>,
    pub(crate) position: u64,
    pub(crate) chain: u32,
    pub(crate) lsn: u64,
    /// The used bytes of the page that `position` lies in.
    pub(crate) tail: Vec<u8>,
    /// The chunk has its SEAL: only a switch can follow.
    pub(crate) sealed: bool,
}

impl Place {
    /// Before the first group of a chunk.
    pub(crate) fn at_begin(chunk: Arc<Chunk>, header: &ChunkHeader) -> Place {
        Place {
            chunk,
            position: CHUNK_HEADER_BYTES as u64,
            chain: header.prev_chain,
            lsn: header.first_lsn.saturating_sub(1),
            tail: Vec::new(),
            sealed: false,
        }
    }

    /// Where a checkpoint was taken.
    pub(crate) fn at_checkpoint(chunk: Arc<Chunk>, place: &StreamPlace) -> Place {
        let StreamPlace {
            position, chain, lsn, ..
        } = *place;
        Place {
            chunk,
            position,
            chain,
            lsn,
            tail: Vec::new(),
            sealed: false,
        }
    }

    /// Goes behind a group.
    pub(crate) fn pass(&mut self, group: &GroupHeader) {
        self.position += group.group_bytes;
        self.chain = group.crc;
        self.lsn = group.lsn;
    }

    /// Goes on at a later group, whose predecessor is lost.
    pub(crate) fn jump(&mut self, position: u64, chain: u32, lsn: u64) {
        self.position = position;
        self.chain = chain;
        self.lsn = lsn - 1;
    }
}

#[derive(Debug, Default)]
pub(crate) struct Writer {
    place: Option<Place>,
    spare: Option<Spare>,
    next_chunk_bytes: u64,
    /// Written to, not synced.
    unsynced: Chunks,
    /// Logs with entries in the current chunk.
    touched: FxHashMap<(TopicIdPartition, u32), Touched>,
    /// Extents in the current chunk.
    extents: u64,
    /// A log began, ended, was cut or moved in the current chunk, or that is not known.
    has_structure: bool,
    slices: Vec<Slice>,
    desk: Desk,
    /// A write failed: nothing may follow it, whoever gets the lock next.
    failed: bool,
    /// Batches in memory, oldest first, with what they are charged.
    cached: VecDeque<(Arc<Log>, Offset, usize)>,
    copies: Copies,
    cached_bytes: usize,
}

impl Stream {
    /// Continues where recovery ended, or begins the first chunk.
    pub(crate) fn begin(&self, place: Option<Place>, logs: &[Arc<Log>]) -> Result<(), Error> {
        let mut writer = self.writer.lock();
        if let Some(place) = &place {
            for log in logs {
                let extents = log.extents_in(place.chunk.id);
                writer.extents += extents as u64;
                let touched = Touched {
                    log: log.clone(),
                    first_lsn: place.lsn,
                    last_lsn: place.lsn,
                    max_wall_ms: 0,
                };
                if extents != 0 {
                    writer.touched.insert((log.target(), log.incarnation), touched);
                }
            }
        }
        writer.next_chunk_bytes = self.options.chunk_bytes_min;
        let goes_on = place.as_ref().is_some_and(|place| !place.sealed);
        writer.has_structure = goes_on;
        if let Some(place) = place {
            self.written_lsn.store(place.lsn, Ordering::SeqCst);
            self.synced_lsn.store(place.lsn, Ordering::SeqCst);
            writer.next_chunk_bytes = place.chunk.bytes;
            let mut queue = self.queue.lock();
            queue.keep_for_events(place.chunk.bytes / EVENTS_SHARE);
            queue.set_current_left(writer.left(&place));
            drop(queue);
            writer.place = Some(place);
        }
        if !goes_on {
            writer.spare = Some(self.prepare(writer.next_chunk_bytes)?);
            self.switch(&mut writer)?;
        }
        Ok(())
    }

    fn prepare(&self, bytes: u64) -> Result<Spare, Error> {
        if let Some(spare) = self.pool.take(bytes) {
            return Ok(spare);
        }
        chunk::prepare(
            &self.os,
            &self.shared.pool(),
            &self.shared.next_spare_name(),
            bytes,
            self.options.flush == crate::FlushPolicy::Ack,
        )
    }

    /// Reserves the next chunk on disk, if that is not done yet. Writes go on meanwhile.
    pub(crate) fn prepare_next(&self) {
        // Whoever comes second waits: the first one's chunk is theirs as well.
        let _alone = self.preparing.lock();
        let wanted = {
            let queue = self.queue.lock();
            if queue.has_next() || queue.has_overflowed() || self.shared.is_fenced() {
                return;
            }
            queue.wanted()
        };
        let last = self.writer.lock().next_chunk_bytes;
        self.look_again();
        // A batch too large for a chunk gets one of its own size.
        let needed = chunk_bytes_for(wanted);
        let bytes = (last * 2).min(self.options.chunk_bytes_max).max(needed);
        let spare = self
            .prepare(bytes)
            .or_else(|_| self.prepare(self.options.chunk_bytes_min.max(needed)))
            .or_else(|error| self.prepare_from_reserve(self.options.chunk_bytes_min.max(needed), error));
        match spare {
            Ok(spare) => {
                self.offer(spare);
                self.look_again();
            }
            Err(error) => {
                let was_full = std::mem::replace(&mut self.queue.lock().full, true);
                if !was_full {
                    // A checkpoint may find chunks in which nothing lives any more.
                    self.shared.want_checkpoint();
                    // It looks again from time to time, which it does not know yet if this is another thread.
                    self.wake_writer();
                    tracing::warn!(%error, "no room for the next chunk, producers are told to try again");
                }
            }
        }
    }

    /// A full disk stops producers, and not those who may make room: metadata, with topics that are deleted, goes on.
    fn prepare_from_reserve(&self, bytes: u64, error: Error) -> Result<Spare, Error> {
        if self.id == METADATA_STREAM && self.shared.release_reserve() {
            tracing::warn!("the disk is full: metadata takes its reserve");
            return self.prepare(bytes);
        }
        Err(error)
    }

    fn offer(&self, spare: Spare) {
        let mut writer = self.writer.lock();
        let mut queue = self.queue.lock();
        if queue.has_overflowed() {
            // Room in the one that was offered before has been taken meanwhile.
            self.pool.put(&self.os, spare);
            return;
        }
        writer.next_chunk_bytes = spare.bytes.min(self.options.chunk_bytes_max);
        queue.set_next(
            room(spare.bytes, CHUNK_HEADER_BYTES as u64),
            spare.bytes / EVENTS_SHARE,
        );
        if let Some(smaller) = writer.spare.replace(spare) {
            self.pool.put(&self.os, smaller);
        }
    }

    /// Writes one group of what is queued.
    pub(super) fn write_group(&self, writer: &mut Writer) -> Result<SmallVec<[Moved; 4]>, Error> {
        if writer.failed {
            return Err(Error::Fenced {
                reason: "a write failed before".to_owned(),
            });
        }
        let moved = self.write_next_group(writer);
        writer.failed = moved.is_err();
        moved
    }

    fn write_next_group(&self, writer: &mut Writer) -> Result<SmallVec<[Moved; 4]>, Error> {
        if self.queue.lock().needs_switch() {
            self.switch(writer)?;
            self.wake_writer();
        }
        let mut slices = std::mem::take(&mut writer.slices);
        self.queue
            .lock()
            .take(ENTRIES_MAX, GROUP_BYTES_MAX as u64, &mut slices);
        if slices.is_empty() {
            writer.slices = slices;
            return Ok(SmallVec::new());
        }
        let start = self.append(writer, &slices)?;
        let moved = self.publish(writer, &slices, start);
        slices.clear();
        writer.slices = slices;
        if let Some(place) = &writer.place {
            let left = writer.left(place);
            let mut queue = self.queue.lock();
            queue.set_current_left(left);
            // Half used: time to have the next one ready.
            if !queue.has_next() && left < place.chunk.bytes / 2 {
                drop(queue);
                self.wake_writer();
            }
        }
        Ok(moved)
    }

    /// Builds and writes a group; gives where its payloads lie.
    fn append(&self, writer: &mut Writer, slices: &[Slice]) -> Result<Written, Error> {
        let place = writer.place.as_mut().ok_or(Error::Full)?;
        let frame = Frame {
            life: place.chunk.life,
            chain: place.chain,
            lsn: place.lsn + 1,
            synced_lsn: self.synced_lsn.load(Ordering::SeqCst),
            wall_ms: self.os.clock.wall_ms(),
        };
        let group = writer.desk.build(slices, &place.tail, &frame);
        let page = place.position - place.position % PAGE_BYTES as u64;
        place
            .chunk
            .file
            .write_all_at(&mut writer.desk.pieces(&group, slices), page)
            .map_err(|error| Error::io(&place.chunk.path, error))?;
        let start = place.position;
        place.position += group.bytes;
        place.chain = group.crc;
        place.lsn = frame.lsn;
        writer.desk.turn_page(&mut place.tail);
        if !writer.unsynced.iter().any(|chunk| chunk.id == place.chunk.id) {
            writer.unsynced.push(place.chunk.clone());
        }
        self.unsynced_bytes.fetch_add(group.bytes, Ordering::Relaxed);
        let chunk = place.chunk.id;
        let payloads = group.payloads;
        self.shared.wrote(group.bytes);
        Ok(Written {
            chunk,
            start,
            payloads,
            lsn: frame.lsn,
            wall_ms: frame.wall_ms,
        })
    }

    /// Tells the logs of the group where their batches are.
    fn publish(&self, writer: &mut Writer, slices: &[Slice], written: Written) -> SmallVec<[Moved; 4]> {
        let mut moved: SmallVec<[Moved; 4]> = SmallVec::new();
        let mut lives = 0;
        for (slice, at) in slices.iter().zip(written.payloads) {
            writer.has_structure |= is_structure(slice.entry.kind);
            let Some(log) = &slice.log else { continue };
            writer.touch(log, written.lsn, written.wall_ms);
            if slice.entry.kind != EntryType::Data {
                continue;
            }
            writer.extents += 1;
            let tail = writer.copies.tail_of(slice);
            let cost = tail::cost(tail.bytes);
            writer.cached_bytes += cost;
            writer.cached.push_back((log.clone(), tail.base, cost));
            let is_wanted = log.wrote(
                Extent {
                    base: slice.entry.base_offset,
                    next: slice.entry.next_offset,
                    chunk: written.chunk,
                    position: written.start + at,
                    bytes: slice.entry.payload_bytes,
                    max_timestamp: slice.entry.max_timestamp,
                    cover_crc: 0,
                },
                tail,
                written.wall_ms,
            );
            if is_wanted {
                lives += i64::from(slice.entry.payload_bytes);
            }
            self.shared.changed(log);
            if self.options.has_bug(SeededBug::AckBeforeSync) {
                log.synced_to(log.written_end());
            }
            // After the log knows: the sync that takes it from the list sees the new end.
            self.mark_dirty(log);
            if log.first_in(written.lsn) {
                moved.push(Moved {
                    log: log.clone(),
                    written: Offset(0),
                    synced: log.synced_end(),
                });
            }
        }
        self.shared.lives(written.chunk, lives);
        for moved in &mut moved {
            moved.written = moved.log.written_end();
        }
        // After the logs know: a sync that sees this lsn covers what they say.
        if let Some(place) = &writer.place {
            self.written_lsn.store(place.lsn, Ordering::SeqCst);
        }
        while self.options.tail_cache_bytes < writer.cached_bytes {
            let Some((log, base, cost)) = writer.cached.pop_front() else {
                break;
            };
            log.evict_tail(base);
            writer.cached_bytes -= cost;
        }
        moved
    }

    /// Seals the current chunk and goes over to the prepared one (invariant 3).
    fn switch(&self, writer: &mut Writer) -> Result<(), Error> {
        let spare = writer.spare.take().ok_or(Error::Full)?;
        let chunk_id = self.shared.next_chunk_id();
        if writer.place.as_ref().is_some_and(|place| !place.sealed) {
            self.seal(writer, chunk_id)?;
        }
        let sealed = writer.place.take();
        let header = ChunkHeader {
            kind: ChunkKind::Stream,
            stream: self.id,
            chunk_id,
            life: self.os.random.u64(),
            chunk_bytes: spare.bytes,
            first_lsn: sealed.as_ref().map_or(1, |place| place.lsn + 1),
            prev_chunk_id: sealed.as_ref().map_or(0, |place| place.chunk.id),
            prev_end: sealed.as_ref().map_or(0, |place| place.position),
            prev_chain: sealed.as_ref().map_or(0, |place| place.chain),
            directory_id: self.directory_id,
        };
        let chunk = Arc::new(chunk::begin(&self.os, &self.folder, spare, &header)?);
        self.add_chunk(chunk.clone());
        writer.place = Some(Place::at_begin(chunk, &header));
        writer.extents = 0;
        writer.has_structure = false;
        let left = room(header.chunk_bytes, CHUNK_HEADER_BYTES as u64);
        let mut queue = self.queue.lock();
        queue.begin_next(left);
        queue.switched(header.chunk_bytes / EVENTS_SHARE);
        Ok(())
    }

    /// The last group of a chunk names the next one; then all of it is synced.
    fn seal(&self, writer: &mut Writer, next_chunk: u64) -> Result<(), Error> {
        let target = TopicIdPartition {
            topic_id: Uuid::ZERO,
            partition: PartitionIndex(0),
        };
        let body = bytes::Bytes::copy_from_slice(&next_chunk.to_le_bytes());
        let entry = Entry {
            kind: EntryType::Seal,
            target,
            incarnation: 0,
            payload_bytes: body.len() as u32,
            base_offset: Offset(0),
            next_offset: Offset(0),
            leader_epoch: LeaderEpoch(0),
            payload_crc: record::crc32c(&body),
            max_timestamp: 0,
        };
        let slice = Slice {
            log: None,
            entry,
            payload: Payload { prefix: None, body },
            in_next: false,
        };
        self.append(writer, std::slice::from_ref(&slice))?;
        self.write_footer(writer)?;
        for chunk in std::mem::take(&mut writer.unsynced) {
            chunk.sync()?;
        }
        Ok(())
    }

    /// What a sync has to cover: the chunks, and the lsn up to which it does.
    pub(super) fn unsynced(&self) -> Result<(Chunks, Lsn), Error> {
        let mut writer = self.writer.lock();
        if writer.failed {
            // A seal may have failed to sync what is on no list any more.
            return Err(Error::Fenced {
                reason: "a write failed before".to_owned(),
            });
        }
        let lsn = Lsn(writer.place.as_ref().map_or(0, |place| place.lsn));
        Ok((std::mem::take(&mut writer.unsynced), lsn))
    }
}

/// What neither a run nor a state in a footer tells.
fn is_structure(kind: EntryType) -> bool {
    match kind {
        EntryType::Data | EntryType::Start | EntryType::Epoch | EntryType::Roll | EntryType::Seal => false,
        EntryType::Create | EntryType::Drop | EntryType::Truncate | EntryType::Replace => true,
    }
}

struct Written {
    chunk: u64,
    start: u64,
    payloads: Payloads,
    lsn: u64,
    wall_ms: i64,
}

impl Writer {
    pub(super) fn place(&self) -> Option<&Place> {
        self.place.as_ref()
    }

    pub(super) fn has_structure(&self) -> bool {
        self.has_structure
    }

    pub(super) fn forget_logs(&mut self) {
        self.touched.clear();
        self.slices.clear();
        self.cached.clear();
        self.cached_bytes = 0;
    }

    pub(super) fn take_touched(&mut self) -> Vec<Touched> {
        self.touched.drain().map(|(_, touched)| touched).collect()
    }

    /// Notes for the footer that a log has an entry in the current chunk.
    fn touch(&mut self, log: &Arc<Log>, lsn: u64, wall_ms: i64) {
        let fresh = || Touched {
            log: log.clone(),
            first_lsn: lsn,
            last_lsn: lsn,
            max_wall_ms: wall_ms,
        };
        let touched = self
            .touched
            .entry((log.target(), log.incarnation))
            .or_insert_with(fresh);
        touched.last_lsn = lsn;
        touched.max_wall_ms = touched.max_wall_ms.max(wall_ms);
    }

    /// Bytes of the current chunk that groups may still take, with room left for the footer.
    fn left(&self, place: &Place) -> u64 {
        let footer = self.extents * EXTENT_BYTES as u64 + self.touched.len() as u64 * TOUCHED_BYTES;
        room(place.chunk.bytes, place.position).saturating_sub(footer)
    }
}

/// Bytes of a chunk that groups may still take.
fn room(chunk_bytes: u64, position: u64) -> u64 {
    chunk_bytes
        .saturating_sub(position)
        .saturating_sub(SEAL_BYTES + FOOTER_BYTES)
}

/// A chunk in which a slice of `cost` finds room.
fn chunk_bytes_for(cost: u64) -> u64 {
    let used = cost + CHUNK_HEADER_BYTES as u64 + SEAL_BYTES + FOOTER_BYTES;
    (used + used / (EVENTS_SHARE / 2)).next_multiple_of(PAGE_BYTES as u64)
}
