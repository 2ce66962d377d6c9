//! Whether the wall clock may be believed when records are to be deleted by their age (`log-format.md` 5). Pure.

use std::time::Duration;

/// The wall clock may leave the monotonic one by so much.
const JUMP_MAX_MS: i64 = 3_600_000;
/// A clock that has jumped and stays where it is is believed after this.
const BELIEVED_AFTER: Duration = Duration::from_secs(24 * 3600);
/// A start may be so far ahead of the newest record of the log.
const AHEAD_MAX_MS: i64 = 24 * 3_600_000;
/// After a doubtful start people have so long to set the clock right.
const DOUBTFUL_START: Duration = Duration::from_secs(600);

/// Watches the wall clock against the monotonic one.
#[derive(Debug)]
pub(super) struct ClockWatch {
    /// Wall minus monotonic, as it is believed to be.
    offset_ms: i64,
    /// Since when it is another.
    jumped_at: Option<Duration>,
    /// Nothing is believed before.
    waits_until: Duration,
}

impl ClockWatch {
    /// `newest_ms` is the latest time that the log knows of; 0 in a new log.
    pub(super) fn at_start(wall_ms: i64, now: Duration, newest_ms: i64) -> ClockWatch {
        let is_behind = wall_ms < newest_ms;
        let is_ahead = AHEAD_MAX_MS < wall_ms.saturating_sub(newest_ms);
        let doubtful = newest_ms != 0 && (is_behind || is_ahead);
        if doubtful {
            tracing::warn!(
                wall_ms,
                newest_ms,
                "the clock is behind, or more than a day ahead of, what the log knows: nothing is deleted by its age for 10 minutes; set the clock right if it is wrong"
            );
        }
        ClockWatch {
            offset_ms: offset(wall_ms, now),
            jumped_at: None,
            waits_until: if doubtful {
                now + DOUBTFUL_START
            } else {
                Duration::ZERO
            },
        }
    }

    /// Whether ages may be counted now.
    pub(super) fn trusts(&mut self, wall_ms: i64, now: Duration) -> bool {
        let offset_ms = offset(wall_ms, now);
        if offset_ms.abs_diff(self.offset_ms) <= JUMP_MAX_MS as u64 {
            // Slow corrections are followed.
            self.offset_ms = offset_ms;
            if self.jumped_at.take().is_some() {
                tracing::info!("the clock is back, records are deleted by their age again");
            }
            return self.waits_until <= now;
        }
        let since = *self.jumped_at.get_or_insert_with(|| {
            let by_ms = offset_ms.saturating_sub(self.offset_ms);
            tracing::error!(
                by_ms,
                action = "set the clock right, or restart if it is right",
                "the clock jumped: nothing is deleted by its age until it is back, or for 24 hours"
            );
            now
        });
        if BELIEVED_AFTER <= now.saturating_sub(since) {
            self.offset_ms = offset_ms;
            self.jumped_at = None;
        }
        self.jumped_at.is_none() && self.waits_until <= now
    }
}

fn offset(wall_ms: i64, now: Duration) -> i64 {
    wall_ms.saturating_sub(i64::try_from(now.as_millis()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;
    const NOW: i64 = 1_700_000_000_000;

    fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_jump_pauses_until_the_clock_is_back() {
        let mut watch = ClockWatch::at_start(NOW, s(0), NOW - HOUR);
        assert!(watch.trusts(NOW + 1000, s(1)));
        assert!(!watch.trusts(NOW + 2 * HOUR, s(2)));
        assert!(!watch.trusts(NOW - 2 * HOUR, s(3)));
        assert!(watch.trusts(NOW + 4000, s(4)));
    }

    #[test]
    fn a_jump_that_stays_is_believed_after_a_day() {
        let mut watch = ClockWatch::at_start(NOW, s(0), 0);
        let jumped = NOW + 1000 * HOUR;
        assert!(!watch.trusts(jumped, s(0)));
        assert!(!watch.trusts(jumped + 23 * HOUR, s(23 * 3600)));
        assert!(watch.trusts(jumped + 24 * HOUR, s(24 * 3600)));
    }

    #[test]
    fn a_slow_correction_is_no_jump() {
        let mut watch = ClockWatch::at_start(NOW, s(0), NOW);
        for step in 0..100 {
            assert!(watch.trusts(NOW + step * HOUR / 2, s(0)));
        }
    }

    #[test]
    fn a_start_in_another_time_waits_ten_minutes() {
        for newest in [NOW + 1, NOW - 25 * HOUR] {
            let mut watch = ClockWatch::at_start(NOW, s(5), newest);
            assert!(!watch.trusts(NOW, s(5)));
            assert!(!watch.trusts(NOW + 599_000, s(604)));
            assert!(watch.trusts(NOW + 600_000, s(605)));
        }
        assert!(ClockWatch::at_start(NOW, s(5), 0).trusts(NOW, s(5)));
    }
}
