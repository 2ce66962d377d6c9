//! Virtual segments: where Kafka would begin a new file. Tools and tests observe them, retention drops whole ones, and a
//! read ends with one (trap 107).

use std::sync::Arc;

use bytes::Bytes;
use record::BatchHeader;
use types::{LeaderEpoch, Offset};

use super::{Inner, Log};
use crate::AppendError;
use crate::format::EntryType;

/// `segment.bytes` and `segment.ms` of the topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SegmentLimits {
    pub bytes: u64,
    pub ms: i64,
}

impl Default for SegmentLimits {
    /// Kafka's: 1 GiB, 7 days.
    fn default() -> SegmentLimits {
        SegmentLimits {
            bytes: 1 << 30,
            ms: 7 * 24 * 3600 * 1000,
        }
    }
}

/// A virtual segment. Bytes and largest timestamp are those of the runs that begin in it or reach into it: the timestamp
/// is never too small.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment {
    pub base: Offset,
    pub next: Offset,
    pub bytes: u64,
    pub max_timestamp: i64,
}

/// The segment that is appended to.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Active {
    bytes: u64,
    first_timestamp: Option<i64>,
}

impl Log {
    /// The topic's limits, from now on.
    pub fn limit_segments(&self, limits: SegmentLimits) {
        self.inner.lock().limits = limits;
    }

    /// All segments, ascending; the last is the active one.
    pub fn segments(&self) -> Vec<Segment> {
        let inner = self.inner.lock();
        let start = inner.state.log_start;
        let later = inner.state.segments.iter().copied().filter(|base| start < *base);
        let bases: Vec<Offset> = std::iter::once(start).chain(later).collect();
        let end = |at: usize| bases.get(at + 1).copied().unwrap_or(inner.assigned);
        let mut segments: Vec<Segment> = bases
            .iter()
            .enumerate()
            .map(|(at, base)| Segment {
                base: *base,
                next: end(at),
                bytes: 0,
                max_timestamp: -1,
            })
            .collect();
        let runs = inner
            .index
            .runs_from(start)
            .map(|(run, end)| (run.base, end, run.bytes, run.max_timestamp));
        let open = inner.index.open_from(start).iter();
        let open = open.map(|extent| {
            (
                extent.base,
                extent.next,
                u64::from(extent.bytes),
                extent.max_timestamp,
            )
        });
        for (base, end, bytes, max_timestamp) in runs.chain(open) {
            let first = bases
                .partition_point(|segment| *segment <= base)
                .saturating_sub(1);
            segments
                .get_mut(first)
                .into_iter()
                .for_each(|segment| segment.bytes += bytes);
            for segment in segments
                .iter_mut()
                .skip(first)
                .take_while(|segment| segment.base < end)
            {
                segment.max_timestamp = segment.max_timestamp.max(max_timestamp);
            }
        }
        segments
    }

    /// Begins a segment if the batch does not fit into the active one (`LogSegment.shouldRoll`).
    pub(super) fn roll_if_due(
        self: &Arc<Log>,
        inner: &mut Inner,
        header: &BatchHeader,
    ) -> Result<(), AppendError> {
        let bytes = header.total_bytes() as u64;
        let active = inner.active;
        let too_large = active.bytes != 0 && inner.limits.bytes < active.bytes + bytes;
        let waited = active
            .first_timestamp
            .map_or(0, |first| header.max_timestamp.saturating_sub(first));
        let too_old = active.bytes != 0 && inner.limits.ms < waited;
        let begins = inner
            .state
            .segments
            .last()
            .copied()
            .unwrap_or(inner.state.log_start);
        // A segment's offsets are counted in 32 bits.
        let too_long = i64::from(i32::MAX) < header.last_offset().0 - begins.0;
        if (too_large || too_old || too_long) && begins < header.base_offset {
            let waits_for = self.push_entry(
                EntryType::Roll,
                header.base_offset,
                LeaderEpoch::NONE,
                Bytes::new(),
            )?;
            inner.before_change(waits_for);
            inner.state.apply_roll(header.base_offset);
            inner.active = Active::default();
        }
        Ok(())
    }
}

impl Inner {
    /// A batch was appended to the active segment.
    pub(super) fn count_in_segment(&mut self, header: &BatchHeader) {
        self.active.bytes += header.total_bytes() as u64;
        self.active.first_timestamp.get_or_insert(header.max_timestamp);
    }

    /// What the active segment holds, after a start or a truncation.
    pub(crate) fn measure_active(&mut self) {
        let begins = self
            .state
            .segments
            .last()
            .copied()
            .unwrap_or(self.state.log_start);
        let runs = self
            .index
            .runs_from(begins)
            .filter(|(run, _)| begins <= run.base)
            .map(|(run, _)| run.bytes);
        let open = self
            .index
            .open_from(begins)
            .iter()
            .map(|extent| u64::from(extent.bytes));
        self.active = Active {
            bytes: runs.chain(open).sum(),
            first_timestamp: None,
        };
    }

    /// Where a read that begins at `from` ends at the latest.
    pub(super) fn segment_end(&self, from: Offset) -> Offset {
        let after = self.state.segments.partition_point(|base| *base <= from);
        self.state
            .segments
            .get(after)
            .copied()
            .unwrap_or(Offset(i64::MAX))
    }
}
