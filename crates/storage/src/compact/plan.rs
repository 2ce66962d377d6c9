//! Whether a log is to be compacted, and what of it (`LogCleanerManager.cleanableOffsets`, `grabFilthiestCompactedLog`).
//! Pure.

use types::Offset;

use crate::log::Segment;
use crate::state::SegmentState;

/// What a topic says of its compaction; times in ms.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CompactionSettings {
    /// `delete.retention.ms`
    pub delete_retention_ms: i64,
    /// `min.compaction.lag.ms`
    pub lag_min_ms: i64,
    /// `max.compaction.lag.ms`
    pub lag_max_ms: i64,
    /// `min.cleanable.dirty.ratio`
    pub dirty_ratio_min: f64,
    /// `segment.bytes`: what is left of segments is put together up to it.
    pub segment_bytes: u64,
    /// `log.cleaner.dedupe.buffer.size`
    pub buffer_bytes: usize,
    /// `log.cleaner.io.buffer.load.factor`
    pub load_factor: f64,
    /// Below it everything is replicated and decided: the last stable offset.
    pub stable: Offset,
    pub now_ms: i64,
}

/// What a compaction would look at.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cleanable {
    /// Below it every key is there once.
    pub dirty_from: Offset,
    /// Exclusive.
    pub until: Offset,
    /// The share of the log that was not compacted yet, of what may be.
    pub ratio: f64,
    /// A record waits longer than `max.compaction.lag.ms`.
    pub overdue: bool,
}

/// Of the log's segments, what may be compacted: closed ones below the stable offset, old enough; none if it is not
/// worth it yet.
pub(crate) fn cleanable(
    segments: &[Segment],
    states: &[SegmentState],
    dirty_from: Offset,
    settings: &CompactionSettings,
) -> Option<Cleanable> {
    let active = segments.last()?;
    let closed = segments.get(..segments.len() - 1)?;
    let too_new = |segment: &&Segment| {
        let newest = settings.now_ms.saturating_sub(settings.lag_min_ms);
        0 < settings.lag_min_ms && dirty_from < segment.next && newest < segment.max_timestamp
    };
    let lag = closed
        .iter()
        .find(too_new)
        .map_or(active.base, |segment| segment.base);
    // A segment that the stable offset lies in waits whole.
    let undecided = segments.iter().find(|segment| settings.stable < segment.next);
    let undecided = undecided.map_or(active.base, |segment| segment.base);
    let until = active.base.min(lag).min(undecided);
    if until <= dirty_from {
        return None;
    }
    let (mut clean, mut dirty) = (0, 0);
    for segment in closed.iter().filter(|segment| segment.base < until) {
        // The segment that the dirty part begins in is dirty.
        if segment.next <= dirty_from {
            clean += segment.bytes;
        } else {
            dirty += segment.bytes;
        }
    }
    if clean + dirty == 0 {
        return None;
    }
    let ratio = dirty as f64 / (clean + dirty) as f64;
    let oldest = states
        .iter()
        .zip(segments)
        .filter(|(_, segment)| dirty_from < segment.next && segment.base < active.base);
    let oldest = oldest
        .map(|(state, _)| state.first_timestamp)
        .filter(|first| 0 < *first)
        .min();
    let overdue = dirty != 0
        && oldest.is_some_and(|first| first < settings.now_ms.saturating_sub(settings.lag_max_ms.max(0)));
    (overdue || settings.dirty_ratio_min < ratio).then_some(Cleanable {
        dirty_from,
        until,
        ratio,
        overdue,
    })
}

/// Closed segments that are put together: up to `segment.bytes`, and offsets that 32 bits can count
/// (`Cleaner.groupSegmentsBySize`). Gives each group's first and last segment, by index.
pub(crate) fn groups(segments: &[Segment], bytes_max: u64) -> Vec<(usize, usize)> {
    let mut groups: Vec<(usize, usize)> = Vec::new();
    let mut bytes = 0;
    let mut base = Offset(0);
    for (at, segment) in segments.iter().enumerate() {
        let fits = bytes + segment.bytes <= bytes_max && segment.next.0 - 1 - base.0 <= i64::from(i32::MAX);
        match groups.last_mut().filter(|_| fits) {
            Some((_, last)) => {
                *last = at;
                bytes += segment.bytes;
            }
            None => {
                groups.push((at, at));
                bytes = segment.bytes;
                base = segment.base;
            }
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> CompactionSettings {
        CompactionSettings {
            delete_retention_ms: 1000,
            lag_min_ms: 0,
            lag_max_ms: i64::MAX,
            dirty_ratio_min: 0.5,
            segment_bytes: 1000,
            buffer_bytes: 1 << 20,
            load_factor: 0.9,
            stable: Offset(i64::MAX),
            now_ms: 10_000,
        }
    }

    /// Segments of 10 offsets and 100 bytes, with times 1000 to 1900, 2000 to 2900, ...
    fn segments(count: i64) -> (Vec<Segment>, Vec<SegmentState>) {
        let segment = |at: i64| Segment {
            base: Offset(10 * at),
            next: Offset(10 * at + 10),
            bytes: 100,
            max_timestamp: 1000 * (at + 1) + 900,
            written_ms: None,
        };
        let state = |segment: Segment| SegmentState {
            base: segment.base,
            bytes: segment.bytes,
            first_timestamp: segment.max_timestamp - 900,
            max_timestamp: segment.max_timestamp,
        };
        let all: Vec<Segment> = (0..count).map(segment).collect();
        let states = all.iter().copied().map(state).collect();
        (all, states)
    }

    fn found(count: i64, dirty_from: i64, settings: &CompactionSettings) -> Option<(i64, f64)> {
        let (segments, states) = segments(count);
        let found = cleanable(&segments, &states, Offset(dirty_from), settings)?;
        Some((found.until.0, found.ratio))
    }

    #[test]
    fn the_active_segment_is_never_compacted() {
        assert_eq!(found(1, 0, &settings()), None);
        assert_eq!(found(3, 0, &settings()), Some((20, 1.0)));
    }

    #[test]
    fn a_log_waits_until_enough_of_it_is_dirty() {
        assert_eq!(found(5, 20, &settings()), None);
        assert_eq!(found(6, 20, &settings()), Some((50, 0.6)));
        let eager = CompactionSettings {
            dirty_ratio_min: 0.1,
            ..settings()
        };
        assert_eq!(found(5, 30, &eager), Some((40, 0.25)));
        assert_eq!(found(5, 40, &eager), None);
    }

    #[test]
    fn records_younger_than_the_lag_wait() {
        let lag = CompactionSettings {
            lag_min_ms: 7500,
            ..settings()
        };
        // Newer than 2500: the second segment.
        assert_eq!(found(5, 0, &lag), Some((10, 1.0)));
    }

    #[test]
    fn undecided_transactions_wait_with_their_segment() {
        let undecided = CompactionSettings {
            stable: Offset(25),
            ..settings()
        };
        assert_eq!(found(5, 0, &undecided), Some((20, 1.0)));
    }

    #[test]
    fn a_record_that_waited_too_long_is_compacted_whatever_the_ratio() {
        let overdue = CompactionSettings {
            lag_max_ms: 5000,
            dirty_ratio_min: 1.0,
            ..settings()
        };
        assert_eq!(found(5, 30, &overdue), Some((40, 0.25)));
        let later = CompactionSettings {
            lag_max_ms: 6000,
            ..overdue
        };
        assert_eq!(found(5, 30, &later), None);
    }

    #[test]
    fn small_segments_are_put_together() {
        let (segments, _) = segments(7);
        assert_eq!(groups(&segments, 300), [(0, 2), (3, 5), (6, 6)]);
        assert_eq!(groups(&segments, 50).len(), 7);
        assert_eq!(groups(&[], 50), []);
    }
}
