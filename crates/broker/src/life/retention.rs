//! Which segments retention drops (`UnifiedLog.deleteOldSegments`), and the round that drops them.

use std::sync::Arc;

use config::TopicConfig;
use storage::Segment;
use types::Offset;

use crate::Broker;
use crate::partition::Partition;

/// Where a log begins once retention was there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retained {
    pub start: Offset,
    /// The active segment goes too: another one begins first.
    pub rolls: bool,
}

/// What retention leaves of these segments; none if nothing is to be dropped. Size first, then time, oldest segments
/// first, and never above the high watermark.
pub fn retained(
    segments: &[Segment],
    high_watermark: Offset,
    settings: &TopicConfig,
    now_ms: i64,
) -> Option<Retained> {
    if !settings.deletes {
        return None;
    }
    let by_size = count_by_size(segments, high_watermark, settings);
    let left = segments.get(by_size..).unwrap_or_default();
    let by_time = settings.retention_ms.map_or(0, |most| {
        let too_old = |segment: &Segment| {
            let newest = Some(segment.max_timestamp).filter(|newest| 0 <= *newest);
            // Where no record has a time, the last write tells (`LogSegment.largestTimestamp`).
            let newest = newest.or(segment.written_ms);
            let aged = newest.is_some_and(|newest| most < now_ms.saturating_sub(newest));
            // A compaction may have left nothing of it.
            aged || segment.bytes == 0
        };
        count(left, high_watermark, too_old)
    });
    let dropped = by_size + by_time;
    let last = segments.get(dropped.checked_sub(1)?)?;
    Some(Retained {
        start: last.next,
        rolls: dropped == segments.len(),
    })
}

fn count_by_size(segments: &[Segment], high_watermark: Offset, settings: &TopicConfig) -> usize {
    let Some(most) = settings.retention_bytes else {
        return 0;
    };
    let bytes: u64 = segments.iter().map(|segment| segment.bytes).sum();
    let Some(mut over) = bytes.checked_sub(most) else {
        return 0;
    };
    count(segments, high_watermark, |segment| {
        match over.checked_sub(segment.bytes) {
            Some(left) => {
                over = left;
                true
            }
            None => false,
        }
    })
}

/// Leading segments that may go and should.
fn count(segments: &[Segment], high_watermark: Offset, mut should: impl FnMut(&Segment) -> bool) -> usize {
    let last = segments.len().saturating_sub(1);
    let goes = |(at, segment): &(usize, &Segment)| {
        let is_empty_active = *at == last && segment.base == segment.next;
        segment.next <= high_watermark && !is_empty_active && should(segment)
    };
    segments.iter().enumerate().take_while(goes).count()
}

/// Looks at every partition, and gives free what nobody needs any more.
pub(super) fn round(broker: &Arc<Broker>, now_ms: i64) {
    let mut freed = false;
    for topic in broker.topics.all() {
        for partition in topic.partitions() {
            match partition.retain(now_ms) {
                Ok(moved) => freed |= moved,
                Err(error) => {
                    tracing::warn!(topic = %partition.topic, partition = %partition.index, %error, "old segments could not be dropped");
                }
            }
        }
    }
    if !freed || broker.directory.is_fenced() {
        return;
    }
    broker.directory.kick();
    broker.directory.request_sync();
    if let Err(error) = broker.directory.reclaim() {
        tracing::warn!(%error, "dropped segments could not be given free yet");
    }
}

impl Partition {
    /// Drops the segments that retention no longer keeps. True if there were some.
    pub fn retain(&self, now_ms: i64) -> Result<bool, storage::Error> {
        if self.is_offline() {
            return Ok(false);
        }
        let segments = self.log().segments();
        let Some(Retained { start, rolls }) =
            retained(&segments, self.high_watermark(), &self.settings(), now_ms)
        else {
            return Ok(false);
        };
        if rolls {
            self.log().roll()?;
        }
        self.log().advance_start(start)?;
        tracing::info!(topic = %self.topic, partition = %self.index, log_start = start.0, "retention moved the log's start");
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(retention_bytes: Option<u64>, retention_ms: Option<i64>) -> TopicConfig {
        let loaded = config::Layers::default().check().expect("legal");
        let broker = config::BrokerConfig::new(&loaded).expect("legal");
        let nothing = Default::default();
        let dynamic = config::Dynamic {
            own: &nothing,
            cluster: &nothing,
        };
        TopicConfig {
            retention_bytes,
            retention_ms,
            ..TopicConfig::resolve(&nothing, dynamic, &broker)
        }
    }

    /// Segments of 10 offsets and 100 bytes whose newest record is of 1000, 2000, ...
    fn segments(count: i64) -> Vec<Segment> {
        let segment = |at: i64| Segment {
            base: Offset(10 * at),
            next: Offset(10 * at + 10),
            bytes: 100,
            max_timestamp: 1000 * (at + 1),
            written_ms: None,
        };
        (0..count).map(segment).collect()
    }

    fn start(
        segments: &[Segment],
        high_watermark: i64,
        settings: &TopicConfig,
        now_ms: i64,
    ) -> Option<(i64, bool)> {
        let retained = retained(segments, Offset(high_watermark), settings, now_ms)?;
        Some((retained.start.0, retained.rolls))
    }

    #[test]
    fn segments_older_than_the_limit_go_also_the_active_one() {
        let limit = settings(None, Some(500));
        assert_eq!(start(&segments(3), 30, &limit, 1500), None);
        assert_eq!(start(&segments(3), 30, &limit, 1501), Some((10, false)));
        assert_eq!(start(&segments(3), 30, &limit, 2501), Some((20, false)));
        assert_eq!(start(&segments(3), 30, &limit, 3501), Some((30, true)));
        assert_eq!(start(&segments(3), 30, &settings(None, None), i64::MAX), None);
    }

    #[test]
    fn nothing_above_the_high_watermark_goes() {
        let limit = settings(None, Some(500));
        assert_eq!(start(&segments(3), 19, &limit, 9999), Some((10, false)));
        assert_eq!(start(&segments(3), 9, &limit, 9999), None);
    }

    #[test]
    fn an_empty_active_segment_stays() {
        let mut of = segments(2);
        of[1].next = of[1].base;
        assert_eq!(
            start(&of, 10, &settings(None, Some(500)), 9999),
            Some((10, false))
        );
        assert_eq!(start(&of[1..], 10, &settings(None, Some(500)), 9999), None);
    }

    #[test]
    fn a_log_keeps_at_least_the_bytes_that_it_may() {
        assert_eq!(start(&segments(3), 30, &settings(Some(301), None), 0), None);
        assert_eq!(start(&segments(3), 30, &settings(Some(201), None), 0), None);
        assert_eq!(
            start(&segments(3), 30, &settings(Some(200), None), 0),
            Some((10, false))
        );
        assert_eq!(
            start(&segments(3), 30, &settings(Some(99), None), 0),
            Some((20, false))
        );
        assert_eq!(
            start(&segments(3), 30, &settings(Some(0), None), 0),
            Some((30, true))
        );
    }

    #[test]
    fn size_and_time_add_up_and_a_compacted_topic_keeps_all() {
        let limit = settings(Some(200), Some(500));
        assert_eq!(start(&segments(3), 30, &limit, 2501), Some((20, false)));
        let compacted = TopicConfig {
            deletes: false,
            ..limit
        };
        assert_eq!(start(&segments(3), 30, &compacted, 99_999), None);
    }

    #[test]
    fn records_without_a_time_are_as_old_as_their_last_write() {
        let mut of = segments(2);
        of[0].max_timestamp = -1;
        let limit = settings(None, Some(500));
        assert_eq!(start(&of, 20, &limit, 99_999), None, "nobody knows");
        of[0].written_ms = Some(1000);
        assert_eq!(start(&of, 20, &limit, 1500), None);
        assert_eq!(start(&of, 20, &limit, 1501), Some((10, false)));
    }
}
