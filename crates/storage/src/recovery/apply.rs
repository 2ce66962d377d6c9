//! Entries of a group, applied to the logs that they are of.
//!
//! A log that came out of a checkpoint may already know of an entry: its state is that of a log ending at `assigned`,
//! its index that of one ending at the index's end. Batches below are passed over; the other entries give the same
//! when they are applied twice.

use types::Offset;

use super::scan::{Group, Scanner};
use super::{Building, Recovered};
use crate::Error;
use crate::format::{Entry, EntryType, Replacement};
use crate::log::{Extent, state_at};
use crate::state::{Marker, PartitionState};
use crate::stream::{Place, Stream, read_footer};

impl Recovered {
    /// Applies a group; true if it seals its chunk.
    pub(super) fn apply(
        &mut self,
        stream: &Stream,
        scanner: &mut Scanner,
        place: &Place,
        group: &Group,
    ) -> Result<bool, Error> {
        let mut sealed = false;
        for (index, (entry, at)) in group.entries.iter().enumerate() {
            let position = place.position + at;
            if group.rotten.contains(&index) && entry.kind != EntryType::Seal {
                self.lose(place, entry, position);
                continue;
            }
            self.last_incarnation = self.last_incarnation.max(entry.incarnation);
            match entry.kind {
                EntryType::Seal => {
                    sealed = true;
                    if self.prefix_lost {
                        self.take_footer_states(place)?;
                    }
                    self.logs
                        .values_mut()
                        .for_each(|log| drop(log.inner.index.seal(place.chunk.id)));
                }
                EntryType::Drop => {
                    if self
                        .logs
                        .get(&entry.target)
                        .is_some_and(|log| log.incarnation <= entry.incarnation)
                    {
                        self.logs.remove(&entry.target);
                    }
                }
                EntryType::Create => {
                    let name = scanner.bytes(position, entry.payload_bytes as usize)?;
                    let topic_name = String::from_utf8_lossy(&name).into_owned();
                    if let Some(building) = self.building(entry) {
                        building.topic_name = topic_name;
                    }
                }
                _ => {
                    self.apply_to_log(stream, scanner, place, entry, position)?;
                    let log = self.logs.get_mut(&entry.target);
                    let timeless = entry.kind == EntryType::Data && entry.max_timestamp < 0;
                    if let Some(building) = log.filter(|_| timeless) {
                        let segments = &mut building.inner.state.segments;
                        segments.note_written(entry.base_offset, group.header.wall_ms);
                    }
                }
            }
        }
        Ok(sealed)
    }

    /// What an entry holds is damaged. It is known whose it is: nobody else is concerned.
    fn lose(&mut self, place: &Place, entry: &Entry, position: u64) {
        self.last_incarnation = self.last_incarnation.max(entry.incarnation);
        let chunk = place.chunk.id;
        let Some(building) = self.building(entry) else {
            return;
        };
        building.damaged = true;
        building.doubtful = false;
        let (inner, base, next) = (&mut building.inner, entry.base_offset, entry.next_offset);
        if entry.kind == EntryType::Data && inner.index.end() < next {
            // Whoever reads here meets the damage; what lies before and behind can be read.
            inner.index.push(extent(entry, chunk, position));
            inner.assigned = inner.assigned.max(next);
        }
        let what = if entry.kind == EntryType::Data {
            format!("its records {base} to {}", next.plus(-1))
        } else {
            format!("an entry of it ({:?})", entry.kind)
        };
        let name = building.name(&entry.target);
        building.losses.push(format!(
            "{name}: {what} do not hold, in chunk {chunk:016x} at byte {position}"
        ));
    }

    /// Without checkpoints, and with chunks before this one gone: what the logs were is in its footer.
    fn take_footer_states(&mut self, place: &Place) -> Result<(), Error> {
        let footer = read_footer(&place.chunk).map_err(|error| Error::io(&place.chunk.path, error))?;
        for found in footer.map(|footer| footer.states).unwrap_or_default() {
            let building = self.logs.get_mut(&found.target);
            let building = building.filter(|log| log.incarnation == found.incarnation);
            if let (Some(building), Ok(state)) = (building, PartitionState::decode(&found.state))
                && building.inner.assigned == found.log_end
            {
                building.inner.index.drop_before(state.log_start);
                building.inner.state = state;
                building.start_guessed = false;
            }
        }
        Ok(())
    }

    /// The log that an entry is of; none if that has been dropped and begun again since.
    fn building(&mut self, entry: &Entry) -> Option<&mut Building> {
        let fresh = || Building {
            incarnation: entry.incarnation,
            ..Building::default()
        };
        let building = self.logs.entry(entry.target).or_insert_with(fresh);
        if building.incarnation < entry.incarnation {
            // Its DROP is behind us or lost with the log that it ended.
            *building = fresh();
        }
        (building.incarnation == entry.incarnation).then_some(building)
    }

    fn apply_to_log(
        &mut self,
        stream: &Stream,
        scanner: &mut Scanner,
        place: &Place,
        entry: &Entry,
        position: u64,
    ) -> Result<(), Error> {
        let prefix_lost = self.prefix_lost;
        let Some(building) = self.building(entry) else {
            return Ok(());
        };
        let inner = &mut building.inner;
        match entry.kind {
            EntryType::Data => {
                if prefix_lost && inner.assigned == Offset::ZERO {
                    // Its CREATE was in a chunk that was used again, which is done when nothing lives in it.
                    inner.empty(entry.base_offset);
                    building.start_guessed = true;
                }
                let lost = apply_data(building, scanner, place, entry, position, prefix_lost)?;
                if let Some(before) = lost {
                    let name = building.name(&entry.target);
                    let after = entry.base_offset;
                    let last = after.plus(-1);
                    building
                        .losses
                        .push(format!("{name}: its records {before} to {last} are lost"));
                }
            }
            EntryType::Epoch => inner.state.apply_epoch(entry.leader_epoch, entry.base_offset),
            EntryType::Roll => inner.state.apply_roll(entry.base_offset),
            EntryType::Start => {
                inner.state.apply_start(entry.base_offset);
                inner.index.drop_before(entry.base_offset);
                inner.assigned = inner.assigned.max(entry.base_offset);
            }
            EntryType::Truncate => truncate(building, stream, entry)?,
            EntryType::Replace => {
                let payload = scanner.bytes(position, entry.payload_bytes as usize)?;
                replace(building, stream, entry, &payload, prefix_lost);
            }
            EntryType::Create | EntryType::Drop | EntryType::Seal => {}
        }
        Ok(())
    }
}

fn extent(entry: &Entry, chunk: u64, position: u64) -> Extent {
    Extent {
        base: entry.base_offset,
        next: entry.next_offset,
        chunk,
        position,
        bytes: entry.payload_bytes,
        max_timestamp: entry.max_timestamp,
        cover_crc: 0,
    }
}

/// If records before these are missing, from which on.
fn apply_data(
    building: &mut Building,
    scanner: &mut Scanner,
    place: &Place,
    entry: &Entry,
    position: u64,
    prefix_lost: bool,
) -> Result<Option<Offset>, Error> {
    let inner = &mut building.inner;
    building.doubtful = false;
    if prefix_lost && inner.index.end() < entry.base_offset {
        // Those between were in a chunk that is gone.
        building.gaps.push((inner.index.end(), entry.base_offset));
        inner.index.end_at_least(entry.base_offset);
        inner.assigned = inner.assigned.max(entry.base_offset);
    }
    let mut lost = None;
    if inner.index.end() < entry.next_offset {
        // Records before these are lost: readers must not skip over them unawares.
        let before = inner.index.end();
        lost = (before != entry.base_offset).then_some(before);
        building.damaged |= lost.is_some();
        inner.index.push(extent(entry, place.chunk.id, position));
    }
    if inner.assigned < entry.next_offset {
        building.damaged |= inner.assigned != entry.base_offset;
        let payload = scanner.bytes(position, entry.payload_bytes as usize)?;
        for (header, bytes) in record::batches(&payload).flatten() {
            inner
                .state
                .apply_batch(&header, Marker::of_batch(&header, bytes).as_ref());
        }
        inner.assigned = entry.next_offset;
    }
    Ok(lost)
}

fn replace(building: &mut Building, stream: &Stream, entry: &Entry, payload: &[u8], prefix_lost: bool) {
    let (base, next) = (entry.base_offset, entry.next_offset);
    if prefix_lost && building.inner.index.end() < next {
        // What it replaced is gone with its chunk, and its own chunk says what it serves.
        return;
    }
    match Replacement::decode(payload) {
        Ok(mut replacement) => {
            if replacement.rest_bytes == 0 {
                replacement.rest_bytes = rest_bytes(building, stream, entry);
            }
            building.inner.apply_replacement(base, next, &replacement);
        }
        Err(error) => {
            tracing::error!(log = %entry.target, %error, action = "check the disk, restore or delete that partition", "where records were moved to cannot be read");
            building.damaged = true;
        }
    }
}

/// A chunk that was not sealed yet when a part of it was replaced may be so before the REPLACE was written: what is left
/// of its run was not counted then.
fn rest_bytes(building: &Building, stream: &Stream, entry: &Entry) -> u64 {
    let next = entry.next_offset;
    let cut = building.inner.index.run_across(next);
    let Some((run, end)) = cut else { return 0 };
    let of = (entry.target, entry.incarnation);
    let left = stream.load_fine(run.chunk).map(|fine| {
        let left = fine.extents(of, &run, next, end);
        left.map(|extent| u64::from(extent.bytes)).sum::<u64>()
    });
    left.unwrap_or(run.bytes).max(1)
}

fn truncate(building: &mut Building, stream: &Stream, entry: &Entry) -> Result<(), Error> {
    let inner = &mut building.inner;
    let end: Offset = entry.base_offset;
    if end <= inner.state.log_start {
        inner.empty(end);
        return Ok(());
    }
    if inner.assigned <= end {
        return Ok(());
    }
    match state_at(
        stream,
        (entry.target, entry.incarnation),
        &inner.index,
        &inner.state,
        end,
    ) {
        Ok(state) => inner.state = state,
        Err(error) => {
            tracing::error!(log = %entry.target, %error, action = "check the disk, restore or delete that partition", "the state at a truncation cannot be rebuilt");
            building.damaged = true;
        }
    }
    inner.assigned = end;
    inner.index.truncate(end);
    Ok(())
}
