//! When to scrub, and how fast: a pass begins each week and may take six days of it.

use std::sync::Arc;
use std::time::Duration;

use os::Clock;

use super::{ScrubReport, pass};
use crate::directory::{Directory, Shared};
use crate::stream::Stream;
use crate::{Error, Log, LogDirectory};

/// Everything is read again within this.
const WITHIN: Duration = Duration::from_secs(7 * 24 * 3600);
/// Of it, the part that reading may take.
const READING: Duration = Duration::from_secs(6 * 24 * 3600);
/// A node that has just started has other things to do.
const FIRST_AFTER: Duration = Duration::from_secs(600);
const BYTES_PER_SECOND_MIN: u64 = 256 << 10;
/// Never more than this, however much there is: beyond 16 TiB of living data a pass takes longer.
const BYTES_PER_SECOND_MAX: u64 = 32 << 20;
/// Pieces shorter than this are not slept for one by one.
const SLICE_BYTES: u64 = 256 << 10;
/// Where the pass stands: when it began, and the number of the next chunk.
const FILE: &str = "scrub";

/// Bounds the bandwidth of a pass. Pure.
#[derive(Debug)]
pub(crate) struct Pace {
    per_second: u64,
    owed: u64,
}

impl Pace {
    /// For so many bytes in a pass.
    pub(crate) fn for_bytes(bytes: u64) -> Pace {
        let per_second = bytes / READING.as_secs();
        Pace {
            per_second: per_second.clamp(BYTES_PER_SECOND_MIN, BYTES_PER_SECOND_MAX),
            owed: 0,
        }
    }

    /// After reading so much: how long to wait.
    pub(crate) fn after(&mut self, bytes: u64) -> Option<Duration> {
        self.owed += bytes;
        if self.owed < SLICE_BYTES {
            return None;
        }
        let micros = self.owed.saturating_mul(1_000_000) / self.per_second;
        self.owed = 0;
        Some(Duration::from_micros(micros))
    }
}

impl LogDirectory {
    /// Reads every sealed chunk now, as fast as the disk gives it.
    pub fn scrub(&self) -> ScrubReport {
        let mut report = ScrubReport::default();
        let scrubber = Scrubber::of(&self.inner);
        for (stream, id) in scrubber.chunks() {
            pass::chunk(
                stream,
                id,
                Some(&scrubber.metadata_log),
                &mut |_| true,
                &mut report,
            );
        }
        scrubber.shared.found_damage(&report.damage);
        report
    }
}

/// What the scrubber's thread holds of a directory.
pub(crate) struct Scrubber {
    clock: Clock,
    shared: Arc<Shared>,
    streams: [Arc<Stream>; 2],
    metadata_log: Arc<Log>,
}

/// Where a pass stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Progress {
    began_ms: i64,
    /// 0: the pass is done.
    next_chunk: u64,
}

impl Scrubber {
    pub(crate) fn of(directory: &Directory) -> Scrubber {
        Scrubber {
            clock: directory.os.clock.clone(),
            shared: directory.shared.clone(),
            streams: [directory.stream.clone(), directory.metadata.clone()],
            metadata_log: directory.metadata_log.clone(),
        }
    }

    /// Sealed chunks of both streams, by number, which is how old they are.
    fn chunks(&self) -> Vec<(&Arc<Stream>, u64)> {
        let mut chunks: Vec<(&Arc<Stream>, u64)> = Vec::new();
        for stream in &self.streams {
            chunks.extend(pass::sealed(stream).into_iter().map(|id| (stream, id)));
        }
        chunks.sort_by_key(|(_, id)| *id);
        chunks
    }

    /// The scrubber's thread.
    pub(crate) fn run_thread(&self) {
        if self.shared.wait_for_stop(FIRST_AFTER) {
            return;
        }
        loop {
            let mut progress = self.progress();
            let since = self.clock.wall_ms().saturating_sub(progress.began_ms);
            // A clock that went back makes the pass due.
            let rests = progress.next_chunk == 0 && (0..WITHIN.as_millis() as i64).contains(&since);
            if rests {
                let left = WITHIN.saturating_sub(Duration::from_millis(since.unsigned_abs()));
                if self.shared.wait_for_stop(left) {
                    return;
                }
                continue;
            }
            if progress.next_chunk == 0 {
                progress = Progress {
                    began_ms: self.clock.wall_ms(),
                    next_chunk: 1,
                };
            }
            if !self.pass(progress) {
                return;
            }
        }
    }

    /// False: stop.
    fn pass(&self, mut progress: Progress) -> bool {
        let live: u64 = self.shared.live().values().sum();
        let mut pace = Pace::for_bytes(live);
        let mut report = ScrubReport::default();
        for (stream, id) in self.chunks() {
            if id < progress.next_chunk {
                continue;
            }
            let mut goes_on = |bytes| match pace.after(bytes) {
                Some(rest) => !self.shared.wait_for_stop(rest),
                None => true,
            };
            if !pass::chunk(stream, id, Some(&self.metadata_log), &mut goes_on, &mut report) {
                return false;
            }
            progress.next_chunk = id + 1;
            self.keep(progress);
        }
        self.shared.found_damage(&report.damage);
        tracing::info!(
            chunks = report.chunks,
            bytes = report.bytes,
            damaged = report.damage.len(),
            "every sealed chunk was read again"
        );
        progress.next_chunk = 0;
        self.keep(progress);
        true
    }

    fn progress(&self) -> Progress {
        let text = self.shared.read_note(FILE).unwrap_or_default();
        let mut words = text.split_ascii_whitespace();
        let mut next = || words.next();
        let found = (
            next().and_then(|word| word.parse().ok()),
            next().and_then(|word| word.parse().ok()),
        );
        match found {
            (Some(began_ms), Some(next_chunk)) => Progress { began_ms, next_chunk },
            _ => Progress::default(),
        }
    }

    fn keep(&self, progress: Progress) {
        let text = format!("{} {}\n", progress.began_ms, progress.next_chunk);
        if let Err(error) = self.shared.write_note(FILE, &text) {
            let error: Error = error;
            tracing::debug!(%error, "where the scrubber stands was not noted, it begins again after a restart");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Seconds that a pass over so much takes.
    fn seconds(bytes: u64) -> u64 {
        let mut pace = Pace::for_bytes(bytes);
        let (mut read, mut waited) = (0, Duration::ZERO);
        let piece = (bytes / 1000).max(1);
        while read < bytes {
            waited += pace.after(piece).unwrap_or_default();
            read += piece;
        }
        waited.as_secs()
    }

    #[test]
    fn a_pass_ends_within_its_week_and_small_ones_sooner() {
        assert!((250..=256).contains(&seconds(64 << 20)), "{}", seconds(64 << 20));
        let week = WITHIN.as_secs();
        assert!(
            (5 * week / 7..=week).contains(&seconds(1 << 40)),
            "{}",
            seconds(1 << 40)
        );
        assert!(
            (5 * week / 7..=week).contains(&seconds(16 << 40)),
            "{}",
            seconds(16 << 40)
        );
        // More than that is read at the greatest speed allowed.
        assert!(week < seconds(32 << 40));
    }
}
