//! Entries of a group, applied to the logs that they are of.

use types::Offset;

use super::scan::{Group, Scanner};
use super::{Building, Recovered};
use crate::Error;
use crate::format::{Entry, EntryType};
use crate::log::{Extent, Inner};
use crate::state::Marker;
use crate::stream::Place;

impl Recovered {
    /// Applies a group; true if it seals its chunk.
    pub(super) fn apply(&mut self, scanner: &mut Scanner, place: &Place, group: &Group) -> Result<bool, Error> {
        let mut sealed = false;
        for (entry, at) in &group.entries {
            let position = place.position + at;
            match entry.kind {
                EntryType::Seal => sealed = true,
                EntryType::Drop => {
                    self.logs.remove(&entry.target);
                }
                EntryType::Create => {
                    let name = scanner.bytes(position, entry.payload_bytes as usize)?;
                    let topic_name = String::from_utf8_lossy(&name).into_owned();
                    let building = Building { topic_name, incarnation: entry.incarnation, ..Building::default() };
                    self.logs.insert(entry.target, building);
                }
                _ => self.apply_to_log(scanner, place, entry, position)?,
            }
        }
        Ok(sealed)
    }

    fn apply_to_log(
        &mut self,
        scanner: &mut Scanner,
        place: &Place,
        entry: &Entry,
        position: u64,
    ) -> Result<(), Error> {
        let building = self.logs.entry(entry.target).or_default();
        let inner = &mut building.inner;
        match entry.kind {
            EntryType::Data => {
                if inner.assigned != entry.base_offset {
                    // Records before these are lost: readers must not skip over them unawares.
                    building.damaged = true;
                }
                building.doubtful = false;
                let payload = scanner.bytes(position, entry.payload_bytes as usize)?;
                apply_batches(inner, &payload);
                inner.assigned = entry.next_offset;
                inner.index.push(Extent {
                    base: entry.base_offset,
                    next: entry.next_offset,
                    chunk: place.chunk.id,
                    position,
                    bytes: entry.payload_bytes,
                    max_timestamp: entry.max_timestamp,
                });
            }
            EntryType::Epoch => inner.state.apply_epoch(entry.leader_epoch, entry.base_offset),
            EntryType::Start => {
                inner.state.apply_start(entry.base_offset);
                inner.index.drop_before(entry.base_offset);
                inner.assigned = inner.assigned.max(entry.base_offset);
            }
            EntryType::Truncate => truncate(inner, scanner, entry.base_offset)?,
            EntryType::Roll | EntryType::Replace | EntryType::Create | EntryType::Drop | EntryType::Seal => {}
        }
        Ok(())
    }
}

fn apply_batches(inner: &mut Inner, payload: &[u8]) {
    for batch in record::batches(payload).flatten() {
        let (header, bytes) = batch;
        inner.state.apply_batch(&header, Marker::of_batch(&header, bytes).as_ref());
    }
}

/// Drops offsets, and rebuilds what the dropped batches had changed from the ones that stay (invariant 10).
fn truncate(inner: &mut Inner, scanner: &mut Scanner, end: Offset) -> Result<(), Error> {
    if let Some(cut) = inner.index.truncate(end) {
        keep_front(inner, scanner, cut, end)?;
    }
    inner.assigned = end;
    inner.state.epochs.truncate_to(end);
    let (epochs, log_start) = (std::mem::take(&mut inner.state.epochs), inner.state.log_start);
    inner.state = crate::state::PartitionState { epochs, log_start, ..Default::default() };
    for extent in inner.index.all().to_vec() {
        let payload = scanner.bytes(extent.position, extent.bytes as usize)?;
        apply_batches(inner, &payload);
    }
    Ok(())
}

/// Keeps the batches of a cut extent that lie below the end.
fn keep_front(inner: &mut Inner, scanner: &mut Scanner, extent: Extent, end: Offset) -> Result<(), Error> {
    let payload = scanner.bytes(extent.position, extent.bytes as usize)?;
    let mut kept = Extent { next: extent.base, bytes: 0, max_timestamp: i64::MIN, ..extent };
    for (header, bytes) in record::batches(&payload).flatten() {
        if end < header.next_offset() {
            break;
        }
        kept.next = header.next_offset();
        kept.bytes += bytes.len() as u32;
        kept.max_timestamp = kept.max_timestamp.max(header.max_timestamp);
    }
    if kept.bytes != 0 {
        inner.index.push(kept);
    }
    Ok(())
}
