//! Appending: check the producer, reserve, assign, queue. No system call.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use record::{BatchHeader, PREFIX_BYTES, prefix};
use types::{LeaderEpoch, Offset};

use super::{Inner, Log};
use crate::format::{BATCH_COVER_BYTES, Entry, EntryType};
use crate::state::{Marker, Verdict};
use crate::stream::{Payload, Slice};
use crate::{AppendError, Error};

/// An event that finds no room waits so often for a next chunk: others may take what was made.
const EVENT_TRIES: usize = 8;

/// One whole batch, checked, with the header that was read from it.
#[derive(Debug)]
pub struct Append<'a> {
    pub batch: &'a Bytes,
    pub header: &'a BatchHeader,
    pub leader_epoch: LeaderEpoch,
    /// For a control batch that ends a transaction: how.
    pub marker: Option<Marker>,
}

/// Where a batch is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    pub base_offset: Offset,
    pub last_offset: Offset,
    pub log_start: Offset,
    /// It was there before; the offsets are the old ones.
    pub duplicate: bool,
    pub max_timestamp: i64,
}

impl Log {
    /// Queues a batch under the next offsets. It is written by the next [`crate::LogDirectory::kick`].
    pub fn append(self: &Arc<Log>, append: &Append<'_>) -> Result<Appended, AppendError> {
        if self.is_offline() {
            return Err(AppendError::Offline);
        }
        let mut inner = self.inner.lock();
        let verdict = inner.state.check(append.header, append.marker.as_ref())?;
        if let Verdict::Duplicate {
            base_offset,
            last_offset,
            timestamp,
        } = verdict
        {
            return Ok(Appended {
                base_offset,
                last_offset,
                log_start: inner.state.log_start,
                duplicate: true,
                max_timestamp: timestamp,
            });
        }
        let mut header = *append.header;
        header.base_offset = inner.assigned;
        header.leader_epoch = append.leader_epoch;
        self.queue_batch(&mut inner, &header, append)
    }

    /// Queues a batch as the leader stored it: its offset and epoch stay, and its producer was checked there.
    pub fn append_replica(self: &Arc<Log>, append: &Append<'_>) -> Result<Appended, AppendError> {
        if self.is_offline() {
            return Err(AppendError::Offline);
        }
        let mut inner = self.inner.lock();
        if append.header.base_offset != inner.assigned {
            return Err(AppendError::OutOfPlace {
                found: append.header.base_offset,
                end: inner.assigned,
            });
        }
        self.queue_batch(&mut inner, append.header, append)
    }

    fn queue_batch(
        self: &Arc<Log>,
        inner: &mut Inner,
        header: &BatchHeader,
        append: &Append<'_>,
    ) -> Result<Appended, AppendError> {
        self.record_again(inner)?;
        self.roll_if_due(inner, header)?;
        let head = prefix(header.base_offset, header.batch_length, header.leader_epoch);
        let entry = Entry {
            kind: EntryType::Data,
            target: self.target,
            incarnation: self.incarnation,
            payload_bytes: u32::try_from(append.batch.len()).unwrap_or(u32::MAX),
            base_offset: header.base_offset,
            next_offset: header.next_offset(),
            leader_epoch: header.leader_epoch,
            payload_crc: cover_crc(&head, append.batch),
            max_timestamp: header.max_timestamp,
        };
        let payload = Payload {
            prefix: Some(head),
            body: append.batch.slice(PREFIX_BYTES..),
        };
        // The bytes are reserved, or nothing has happened.
        let waits_for = self.stream.push(Slice {
            log: Some(self.clone()),
            entry,
            payload,
            in_next: false,
        })?;
        inner.before_change(waits_for);
        inner.assigned = header.next_offset();
        inner.state.apply_batch(header, append.marker.as_ref());
        if header.is_transactional() || header.is_control() {
            self.note_state(&inner.state);
        }
        Ok(Appended {
            base_offset: header.base_offset,
            last_offset: header.last_offset(),
            log_start: inner.state.log_start,
            duplicate: false,
            max_timestamp: header.max_timestamp,
        })
    }

    /// Does what needs room for an event. Where the next chunk is not ready yet it is waited for, with no lock held;
    /// [`Error::Full`] means that the disk has no room for one.
    pub(crate) fn with_room<T>(&self, mut act: impl FnMut() -> Result<T, Error>) -> Result<T, Error> {
        for _ in 0..EVENT_TRIES {
            match act() {
                Err(Error::Full) => self.stream.make_room(),
                other => return other,
            }
            if self.stream.is_full() {
                break;
            }
        }
        act()
    }

    /// A leader epoch begins at the end of the log. Queued like a batch. May wait for the next chunk to be reserved.
    pub fn set_leader_epoch(self: &Arc<Log>, epoch: LeaderEpoch) -> Result<(), Error> {
        self.with_room(|| self.try_set_leader_epoch(epoch))
    }

    fn try_set_leader_epoch(self: &Arc<Log>, epoch: LeaderEpoch) -> Result<(), Error> {
        let mut inner = self.inner.lock();
        let at = inner.assigned;
        // Batches tell their epoch: one without any has nothing to say, and waits for the first.
        if !inner.is_only_in_memory() {
            self.push_event(&mut inner, EntryType::Epoch, at, epoch, Bytes::new())?;
        }
        inner.state.apply_epoch(epoch, at);
        Ok(())
    }

    /// The log starts at `start`: what lies below is gone for readers. May wait for the next chunk to be reserved.
    pub fn advance_start(self: &Arc<Log>, start: Offset) -> Result<(), Error> {
        self.with_room(|| self.try_advance_start(start))
    }

    fn try_advance_start(self: &Arc<Log>, start: Offset) -> Result<(), Error> {
        let mut inner = self.inner.lock();
        let start = start.min(inner.assigned);
        if start <= inner.state.log_start {
            return Ok(());
        }
        self.push_event(
            &mut inner,
            EntryType::Start,
            start,
            LeaderEpoch::NONE,
            Bytes::new(),
        )?;
        inner.state.apply_start(start);
        let written = self.written_end();
        // What is queued still comes, and is dropped by the next START.
        let freed = self.counted(&mut inner, |inner| inner.index.drop_before(start.min(written)));
        inner.tail.retain(|tail| start < tail.next);
        self.stream.shared.freed(freed);
        self.note_state(&inner.state);
        Ok(())
    }

    /// Queues an entry that is no batch. The caller applies it afterwards.
    pub(crate) fn push_event(
        self: &Arc<Log>,
        inner: &mut Inner,
        kind: EntryType,
        at: Offset,
        leader_epoch: LeaderEpoch,
        body: Bytes,
    ) -> Result<(), Error> {
        self.push_range_event(inner, kind, (at, at), leader_epoch, body)
    }

    /// The same for an entry that is of a range of offsets.
    pub(crate) fn push_range_event(
        self: &Arc<Log>,
        inner: &mut Inner,
        kind: EntryType,
        range: (Offset, Offset),
        leader_epoch: LeaderEpoch,
        body: Bytes,
    ) -> Result<(), Error> {
        let refused = |error| match error {
            AppendError::Full | AppendError::Busy => Error::Full,
            other => Error::Fenced {
                reason: other.to_string(),
            },
        };
        if kind != EntryType::Create && kind != EntryType::Drop {
            self.record_again(inner).map_err(refused)?;
        }
        let pushed = self.push_range(kind, range, leader_epoch, body);
        let waits_for = pushed.map_err(refused)?;
        inner.before_change(waits_for);
        Ok(())
    }

    /// The checkpoint left this log out because it was empty: now it begins once more.
    fn record_again(self: &Arc<Log>, inner: &mut Inner) -> Result<(), AppendError> {
        if inner.unrecorded {
            let name = Bytes::copy_from_slice(self.topic_name.as_bytes());
            self.push_entry(EntryType::Create, Offset(0), LeaderEpoch::NONE, name)?;
            inner.unrecorded = false;
            inner.unwritten = false;
        }
        Ok(())
    }

    pub(super) fn push_entry(
        self: &Arc<Log>,
        kind: EntryType,
        at: Offset,
        leader_epoch: LeaderEpoch,
        body: Bytes,
    ) -> Result<Option<u64>, AppendError> {
        self.push_range(kind, (at, at), leader_epoch, body)
    }

    fn push_range(
        self: &Arc<Log>,
        kind: EntryType,
        (base, next): (Offset, Offset),
        leader_epoch: LeaderEpoch,
        body: Bytes,
    ) -> Result<Option<u64>, AppendError> {
        let entry = Entry {
            kind,
            target: self.target,
            incarnation: self.incarnation,
            payload_bytes: u32::try_from(body.len()).unwrap_or(u32::MAX),
            base_offset: base,
            next_offset: next,
            leader_epoch,
            payload_crc: record::crc32c(&body),
            max_timestamp: 0,
        };
        let slice = Slice {
            log: Some(self.clone()),
            entry,
            payload: Payload { prefix: None, body },
            in_next: false,
        };
        self.stream.push(slice)
    }

    /// What was assigned, written or not.
    pub fn assigned_end(&self) -> Offset {
        let assigned = self.inner.lock().assigned;
        debug_assert!(
            self.written.load(Ordering::SeqCst) <= assigned.0,
            "written never passes assigned"
        );
        assigned
    }
}

/// The checksum over the first 21 bytes of a batch, as it will be stored.
fn cover_crc(head: &[u8; PREFIX_BYTES], batch: &[u8]) -> u32 {
    let mut cover = [0; BATCH_COVER_BYTES];
    cover[..PREFIX_BYTES].copy_from_slice(head);
    if let Some(rest) = batch.get(PREFIX_BYTES..BATCH_COVER_BYTES) {
        cover[PREFIX_BYTES..].copy_from_slice(rest);
    }
    record::crc32c(&cover)
}
