//! Where a consumer stands in each of its partitions, and what was fetched ahead. Shared by the consumer and its
//! fetcher; decides what may be fetched and what an answer changes, and talks to nobody.

use std::collections::VecDeque;

use rustc_hash::FxHashMap;
use tokio::time::Instant;

use super::decode::Chunk;
use crate::{Error, OffsetSpec, TopicPartition};

/// Where one partition stands.
#[derive(Debug, Clone)]
pub(super) struct Position {
    /// Counts seeks and assignments: what was fetched under an older one is worthless.
    pub(super) incarnation: u64,
    /// The next record that a poll gives; `None` until it is looked up.
    pub(super) offset: Option<i64>,
    /// The leader epoch of the record before it; -1 if it is not known.
    pub(super) epoch: i32,
    /// What is fetched next: `offset` plus what is fetched ahead.
    fetch_offset: i64,
    fetch_epoch: i32,
    /// Look the offset up here instead of at what is committed.
    pub(super) reset: Option<OffsetSpec>,
    pub(super) paused: bool,
    in_flight: bool,
    buffered_bytes: usize,
    not_before: Option<Instant>,
    pub(super) high_watermark: i64,
    pub(super) last_stable_offset: i64,
}

/// A partition that may be fetched now.
#[derive(Debug, Clone)]
pub(super) struct Fetchable {
    pub(super) partition: TopicPartition,
    pub(super) incarnation: u64,
    pub(super) offset: i64,
    pub(super) last_fetched_epoch: i32,
}

/// How much may be fetched ahead.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    pub(super) partition_bytes: usize,
    pub(super) total_bytes: usize,
}

#[derive(Debug)]
pub(super) struct Positions {
    partitions: FxHashMap<TopicPartition, Position>,
    buffered: VecDeque<Chunk>,
    buffered_bytes: usize,
    errors: VecDeque<Error>,
    next_incarnation: u64,
    bounds: Bounds,
    pub(super) closed: bool,
}

impl Positions {
    pub(super) fn new(bounds: Bounds) -> Positions {
        Positions {
            partitions: FxHashMap::default(),
            buffered: VecDeque::new(),
            buffered_bytes: 0,
            errors: VecDeque::new(),
            next_incarnation: 0,
            bounds,
            closed: false,
        }
    }

    /// Takes partitions on, their offsets still to be looked up. Those that are here already stay as they are.
    pub(super) fn add(&mut self, partitions: &[TopicPartition]) {
        for partition in partitions {
            if self.partitions.contains_key(partition) {
                continue;
            }
            self.next_incarnation += 1;
            let position = Position {
                incarnation: self.next_incarnation,
                offset: None,
                epoch: -1,
                fetch_offset: 0,
                fetch_epoch: -1,
                reset: None,
                paused: false,
                in_flight: false,
                buffered_bytes: 0,
                not_before: None,
                high_watermark: -1,
                last_stable_offset: -1,
            };
            self.partitions.insert(partition.clone(), position);
        }
    }

    pub(super) fn remove(&mut self, partitions: &[TopicPartition]) {
        for partition in partitions {
            self.partitions.remove(partition);
            self.drop_buffered(partition);
        }
    }

    /// Lets go of every partition.
    pub(super) fn clear(&mut self) {
        let all = self.assigned();
        self.remove(&all);
    }

    pub(super) fn assigned(&self) -> Vec<TopicPartition> {
        let mut assigned: Vec<TopicPartition> = self.partitions.keys().cloned().collect();
        assigned.sort();
        assigned
    }

    pub(super) fn get(&self, partition: &TopicPartition) -> Option<&Position> {
        self.partitions.get(partition)
    }

    /// What a commit of everything that was given out would say.
    pub(super) fn consumed(&self) -> Vec<(TopicPartition, i64, i32)> {
        let known = self.partitions.iter();
        known
            .filter_map(|(partition, one)| Some((partition.clone(), one.offset?, one.epoch)))
            .collect()
    }

    /// Partitions without an offset, with their incarnations and where they are to be looked up.
    pub(super) fn unknown(&self) -> Vec<(TopicPartition, u64, Option<OffsetSpec>)> {
        let unknown = self.partitions.iter().filter(|(_, one)| one.offset.is_none());
        unknown
            .map(|(partition, one)| (partition.clone(), one.incarnation, one.reset))
            .collect()
    }

    /// Moves to an offset. Says whether the partition is there.
    pub(super) fn seek(&mut self, partition: &TopicPartition, offset: i64, epoch: i32) -> bool {
        self.move_to(partition, Some(offset), epoch, None)
    }

    /// Moves to an offset that is looked up with the next poll.
    pub(super) fn seek_to(&mut self, partition: &TopicPartition, spec: OffsetSpec) -> bool {
        self.move_to(partition, None, -1, Some(spec))
    }

    /// An offset was looked up; counts only if nobody sought meanwhile.
    pub(super) fn found(&mut self, partition: &TopicPartition, incarnation: u64, offset: i64, epoch: i32) {
        if self
            .partitions
            .get(partition)
            .is_some_and(|one| one.incarnation == incarnation)
        {
            self.move_to(partition, Some(offset), epoch, None);
        }
    }

    fn move_to(
        &mut self,
        partition: &TopicPartition,
        offset: Option<i64>,
        epoch: i32,
        reset: Option<OffsetSpec>,
    ) -> bool {
        self.drop_buffered(partition);
        let Some(position) = self.partitions.get_mut(partition) else {
            return false;
        };
        self.next_incarnation += 1;
        position.incarnation = self.next_incarnation;
        (position.offset, position.epoch, position.reset) = (offset, epoch, reset);
        position.fetch_offset = offset.unwrap_or_default();
        position.fetch_epoch = epoch;
        position.not_before = None;
        true
    }

    fn drop_buffered(&mut self, partition: &TopicPartition) {
        let mut freed = 0;
        self.buffered.retain(|chunk| {
            let other = chunk.partition != *partition;
            freed += if other { 0 } else { chunk.bytes.len() };
            other
        });
        self.buffered_bytes -= freed;
        if let Some(position) = self.partitions.get_mut(partition) {
            position.buffered_bytes = 0;
        }
    }

    pub(super) fn pause(&mut self, partition: &TopicPartition, paused: bool) -> bool {
        let position = self.partitions.get_mut(partition);
        position.is_some_and(|position| {
            position.paused = paused;
            true
        })
    }

    /// What may be fetched now, in a fair order, and when there may be more.
    pub(super) fn fetchable(&self, now: Instant) -> (Vec<Fetchable>, Option<Instant>) {
        if self.bounds.total_bytes <= self.buffered_bytes {
            return (Vec::new(), None);
        }
        let mut next: Option<Instant> = None;
        let mut all = Vec::new();
        for (partition, one) in &self.partitions {
            let ready = one.offset.is_some() && !one.paused && !one.in_flight;
            if !ready || self.bounds.partition_bytes <= one.buffered_bytes {
                continue;
            }
            if let Some(at) = one.not_before.filter(|at| now < *at) {
                next = Some(next.map_or(at, |next| next.min(at)));
                continue;
            }
            all.push(Fetchable {
                partition: partition.clone(),
                incarnation: one.incarnation,
                offset: one.fetch_offset,
                last_fetched_epoch: one.fetch_epoch,
            });
        }
        // Those with least fetched ahead first: brokers fill an answer in the order of the request.
        all.sort_by_key(|one| self.partitions.get(&one.partition).map(|one| one.buffered_bytes));
        (all, next)
    }

    /// Bytes that may still be fetched ahead.
    pub(super) fn room_bytes(&self) -> usize {
        self.bounds.total_bytes.saturating_sub(self.buffered_bytes)
    }

    pub(super) fn mark_in_flight(&mut self, partition: &TopicPartition, in_flight: bool) {
        if let Some(position) = self.partitions.get_mut(partition) {
            position.in_flight = in_flight;
        }
    }

    /// Leaves a partition alone until then.
    pub(super) fn wait_until(&mut self, partition: &TopicPartition, at: Instant) {
        if let Some(position) = self.partitions.get_mut(partition) {
            position.not_before = Some(at);
        }
    }

    fn current(&mut self, partition: &TopicPartition, incarnation: u64) -> Option<&mut Position> {
        self.partitions
            .get_mut(partition)
            .filter(|one| one.incarnation == incarnation)
    }

    /// An answer told how far the log goes.
    pub(super) fn on_ends(
        &mut self,
        partition: &TopicPartition,
        high_watermark: i64,
        last_stable_offset: i64,
    ) {
        if let Some(position) = self.partitions.get_mut(partition) {
            position.high_watermark = high_watermark;
            position.last_stable_offset = last_stable_offset;
        }
    }

    /// Keeps what was fetched, if it is still wanted.
    pub(super) fn on_chunk(&mut self, chunk: Chunk, last_epoch: i32) {
        let bytes = chunk.bytes.len();
        let Some(position) = self.current(&chunk.partition, chunk.incarnation) else {
            return;
        };
        position.fetch_offset = chunk.to;
        position.fetch_epoch = last_epoch;
        position.buffered_bytes += bytes;
        self.buffered_bytes += bytes;
        self.buffered.push_back(chunk);
    }

    /// The log was cut below the position (KIP-320): goes on where it was cut.
    pub(super) fn on_truncated(&mut self, partition: &TopicPartition, incarnation: u64, end_offset: i64) {
        let Some(position) = self.current(partition, incarnation) else {
            return;
        };
        let offset = position.offset.unwrap_or(end_offset).min(end_offset);
        tracing::warn!(%partition, offset, "the log was truncated");
        self.move_to(partition, Some(offset), -1, None);
    }

    /// The position is out of the log. `reset` says where to go on; without it polls fail.
    pub(super) fn on_out_of_range(
        &mut self,
        partition: &TopicPartition,
        incarnation: u64,
        reset: Option<OffsetSpec>,
    ) {
        let Some(position) = self.current(partition, incarnation) else {
            return;
        };
        // What was fetched ahead may end before the log does; what is consumed counts.
        let offset = position.offset;
        match reset {
            Some(spec) => {
                tracing::info!(%partition, ?offset, "the position is out of the log's range and is reset");
                self.move_to(partition, None, -1, Some(spec));
            }
            None => {
                position.paused = true;
                self.errors.push_back(Error::NoOffset {
                    partition: partition.to_string(),
                    reason: "the position is out of the log's range, and auto.offset.reset is none",
                });
            }
        }
    }

    /// A failure for the application.
    pub(super) fn on_error(&mut self, error: Error) {
        // The same failure comes with every fetch; the application hears of it once a poll.
        if self.errors.is_empty() {
            self.errors.push_back(error);
        }
    }

    pub(super) fn take_error(&mut self) -> Option<Error> {
        self.errors.pop_front()
    }

    /// The next chunk for the application. What is paused stays; what is worthless goes.
    pub(super) fn take(&mut self) -> Option<Chunk> {
        let place = self.buffered.iter().position(|chunk| {
            self.partitions
                .get(&chunk.partition)
                .is_some_and(|one| !one.paused)
        })?;
        let chunk = self.buffered.remove(place)?;
        self.buffered_bytes -= chunk.bytes.len();
        if let Some(position) = self.partitions.get_mut(&chunk.partition) {
            position.buffered_bytes = position.buffered_bytes.saturating_sub(chunk.bytes.len());
        }
        Some(chunk)
    }

    /// The rest of a chunk is given out first, next time.
    pub(super) fn put_back(&mut self, chunk: Chunk) {
        let bytes = chunk.bytes.len();
        if let Some(position) = self.current(&chunk.partition, chunk.incarnation) {
            position.buffered_bytes += bytes;
            self.buffered_bytes += bytes;
            self.buffered.push_front(chunk);
        }
    }

    /// Records up to `offset` were given out.
    pub(super) fn consume(&mut self, partition: &TopicPartition, incarnation: u64, offset: i64, epoch: i32) {
        if let Some(position) = self.current(partition, incarnation) {
            position.offset = Some(offset);
            position.epoch = epoch;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn positions() -> (Positions, TopicPartition) {
        let mut positions = Positions::new(Bounds {
            partition_bytes: 100,
            total_bytes: 150,
        });
        let partition = TopicPartition::new("t", 0);
        positions.add(std::slice::from_ref(&partition));
        positions.seek(&partition, 10, -1);
        (positions, partition)
    }

    fn chunk(positions: &Positions, partition: &TopicPartition, to: i64, bytes: usize) -> Chunk {
        Chunk {
            partition: partition.clone(),
            incarnation: positions.get(partition).expect("assigned").incarnation,
            from: 10,
            to,
            bytes: vec![0; bytes].into(),
            aborted: Vec::new(),
            high_watermark: 99,
        }
    }

    fn offsets(positions: &Positions) -> Vec<i64> {
        positions
            .fetchable(Instant::now())
            .0
            .iter()
            .map(|one| one.offset)
            .collect()
    }

    #[tokio::test]
    async fn fetching_ahead_ends_at_its_bounds() {
        let (mut positions, partition) = positions();
        assert_eq!(offsets(&positions), [10]);
        positions.on_chunk(chunk(&positions, &partition, 20, 60), 3);
        assert_eq!(offsets(&positions), [20]);
        positions.on_chunk(chunk(&positions, &partition, 30, 60), 3);
        assert_eq!(offsets(&positions), [0; 0]);
        assert_eq!(positions.take().map(|chunk| chunk.to), Some(20));
        assert_eq!(offsets(&positions), [30]);
    }

    #[tokio::test]
    async fn a_seek_makes_what_was_fetched_worthless() {
        let (mut positions, partition) = positions();
        let late = chunk(&positions, &partition, 20, 10);
        positions.on_chunk(late.clone(), 3);
        positions.seek(&partition, 50, -1);
        positions.on_chunk(late, 3);
        assert!(positions.take().is_none());
        assert_eq!(offsets(&positions), [50]);
        assert_eq!(positions.room_bytes(), 150);
    }

    #[tokio::test]
    async fn what_is_paused_stays_for_later() {
        let (mut positions, partition) = positions();
        positions.on_chunk(chunk(&positions, &partition, 20, 10), 3);
        positions.pause(&partition, true);
        assert!(positions.take().is_none());
        positions.pause(&partition, false);
        assert!(positions.take().is_some());
    }
}
