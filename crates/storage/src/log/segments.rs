//! Virtual segments: where Kafka would begin a new file. Tools and tests observe them, retention drops whole ones, and a
//! read ends with one (trap 107).

use std::sync::Arc;

use bytes::Bytes;
use record::BatchHeader;
use types::{LeaderEpoch, Offset};

use super::{Inner, Log};
use crate::format::EntryType;
use crate::{AppendError, Error};

/// `segment.bytes`, `segment.ms` and `segment.jitter.ms` of the topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SegmentLimits {
    pub bytes: u64,
    pub ms: i64,
    /// Each segment ends up to so much earlier, so that not all of a topic end at once.
    pub jitter_ms: i64,
    /// After so long retention drops a segment; the cleaner does not move what is about to go. None: never.
    pub retention_ms: Option<i64>,
}

impl Default for SegmentLimits {
    /// Kafka's: 1 GiB, 7 days.
    fn default() -> SegmentLimits {
        SegmentLimits {
            bytes: 1 << 30,
            ms: 7 * 24 * 3600 * 1000,
            jitter_ms: 0,
            retention_ms: None,
        }
    }
}

/// A virtual segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment {
    pub base: Offset,
    pub next: Offset,
    pub bytes: u64,
    /// -1 where no record has one.
    pub max_timestamp: i64,
    /// When it was last written to, if no record in it has a time and that is known.
    pub written_ms: Option<i64>,
}

impl Log {
    /// The topic's limits, from now on.
    pub fn limit_segments(&self, limits: SegmentLimits) {
        self.inner.lock().limits = limits;
    }

    /// All segments, ascending; the last is the active one. The first may begin below the start of the log, which lies
    /// in it then.
    pub fn segments(&self) -> Vec<Segment> {
        let inner = self.inner.lock();
        let list = inner.state.segments.list();
        let end = |at: usize| list.get(at + 1).map_or(inner.assigned, |next| next.base);
        let segments = list.iter().enumerate().map(|(at, segment)| Segment {
            base: segment.base,
            next: end(at),
            bytes: segment.bytes,
            max_timestamp: segment.max_timestamp,
            written_ms: segment.written_ms(),
        });
        segments.collect()
    }

    /// Kafka's size of the log: all its segments, whole.
    pub fn segments_bytes(&self) -> u64 {
        self.inner.lock().state.segments.bytes()
    }

    /// Where segments begin inside `base..next`.
    pub(crate) fn segment_bases(&self, base: Offset, next: Offset) -> Vec<Offset> {
        let inner = self.inner.lock();
        let bases = inner.state.segments.list().iter().map(|segment| segment.base);
        bases.filter(|at| base < *at && *at < next).collect()
    }

    /// Begins a segment at the end of the log, unless the active one is empty (`UnifiedLog.roll`).
    pub fn roll(self: &Arc<Log>) -> Result<(), Error> {
        let mut inner = self.inner.lock();
        let at = inner.assigned;
        let holds = inner
            .state
            .segments
            .active()
            .is_some_and(|active| active.base < at);
        if holds {
            self.push_event(&mut inner, EntryType::Roll, at, LeaderEpoch::NONE, Bytes::new())?;
            inner.state.apply_roll(at);
        }
        Ok(())
    }

    /// Begins a segment if the batch does not fit into the active one (`LogSegment.shouldRoll`).
    pub(super) fn roll_if_due(
        self: &Arc<Log>,
        inner: &mut Inner,
        header: &BatchHeader,
    ) -> Result<(), AppendError> {
        let Some(active) = inner.state.segments.active().copied() else {
            return Ok(());
        };
        let limits = inner.limits;
        let holds = active.bytes != 0;
        let too_large = holds && limits.bytes < active.bytes + header.total_bytes() as u64;
        let waited = header.max_timestamp.saturating_sub(active.first_timestamp);
        // An unknown age is no age.
        let ages = holds && 0 <= active.first_timestamp;
        let too_old = ages && limits.ms.saturating_sub(self.jitter(&limits, active.base)) < waited;
        // A segment's offsets are counted in 32 bits.
        let too_long = i64::from(i32::MAX) < header.last_offset().0 - active.base.0;
        if (too_large || too_old || too_long) && active.base < header.base_offset {
            let at = header.base_offset;
            let waits_for = self.push_entry(EntryType::Roll, at, LeaderEpoch::NONE, Bytes::new())?;
            inner.before_change(waits_for);
            inner.state.apply_roll(at);
        }
        Ok(())
    }

    /// What a segment ends earlier than `segment.ms` says: anything up to the jitter, the same at every look.
    fn jitter(&self, limits: &SegmentLimits, base: Offset) -> i64 {
        let most = limits.jitter_ms.min(limits.ms);
        if most <= 0 {
            return 0;
        }
        let mut seed = record::Crc32c::default();
        seed.update(&self.target.topic_id.0);
        seed.update(&self.target.partition.0.to_le_bytes());
        seed.update(&base.0.to_le_bytes());
        i64::from(seed.finish()) % most
    }
}

impl Inner {
    /// Where a read that begins at `from` ends at the latest.
    pub(super) fn segment_end(&self, from: Offset) -> Offset {
        self.state.segments.end_of(from).unwrap_or(Offset(i64::MAX))
    }
}
