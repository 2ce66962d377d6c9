//! Group commit: one sync serves every group that was written before it began.

use std::sync::atomic::Ordering;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};
use smallvec::SmallVec;

use super::Stream;
use crate::{Error, FlushPolicy, Moved, Options, SeededBug};

/// Under `flush=ack` unsynced bytes force a sync within this, so that acks=1 records become visible.
const UNSYNCED_MAX: Duration = Duration::from_millis(5);

#[derive(Debug, Default)]
pub(crate) struct SyncSignal {
    state: Mutex<Signal>,
    wake: Condvar,
}

#[derive(Debug, Default)]
struct Signal {
    requested: bool,
    unsynced: bool,
    stop: bool,
}

impl SyncSignal {
    /// Somebody waits for a sync.
    pub(super) fn request(&self) {
        let mut state = self.state.lock();
        if !state.requested {
            state.requested = true;
            self.wake.notify_one();
        }
    }

    /// Something was written.
    pub(super) fn unsynced(&self, options: &Options) {
        if options.flush == FlushPolicy::Never {
            return;
        }
        let mut state = self.state.lock();
        if !state.unsynced {
            state.unsynced = true;
            self.wake.notify_one();
        }
    }

    pub(super) fn stop(&self) {
        self.state.lock().stop = true;
        self.wake.notify_one();
    }

    /// Waits until a sync is due. False: stop.
    fn due(&self, policy: FlushPolicy) -> bool {
        let mut state = self.state.lock();
        loop {
            if state.stop {
                return false;
            }
            if state.requested {
                break;
            }
            if !state.unsynced {
                self.wake.wait(&mut state);
                continue;
            }
            let patience = match policy {
                FlushPolicy::Interval(interval) => interval,
                FlushPolicy::Ack | FlushPolicy::Never => UNSYNCED_MAX,
            };
            // A request cuts the wait short; so does nothing else.
            let until = std::time::Instant::now() + patience;
            while !state.requested && !state.stop {
                if self.wake.wait_until(&mut state, until).timed_out() {
                    break;
                }
            }
            if !state.stop {
                break;
            }
        }
        *state = Signal::default();
        true
    }
}

impl Stream {
    /// The sync thread.
    pub(crate) fn run_sync(&self) {
        while self.sync_signal.due(self.options.flush) {
            if self.shared.is_fenced() {
                return;
            }
            if let Err(error) = self.sync_now() {
                // Never tried again: the kernel may call the pages clean although their data is gone.
                self.shared.fence(&error);
                return;
            }
        }
    }

    /// Makes everything written so far durable, and says so.
    pub(crate) fn sync_now(&self) -> Result<(), Error> {
        // One at a time: a log on the list may lie in a chunk that another sync has in its hands.
        let mut failed = self.syncing.lock();
        if *failed {
            return Err(Error::Fenced {
                reason: "a sync failed before".to_owned(),
            });
        }
        let moved = self.sync_alone();
        *failed = moved.is_err();
        let moved = moved?;
        drop(failed);
        // Taken and let go: who looked before this and waits now is told.
        drop(self.synced.0.lock());
        self.synced.1.notify_all();
        if !moved.is_empty() {
            self.shared.observer.advanced(&moved);
        }
        Ok(())
    }

    fn sync_alone(&self) -> Result<SmallVec<[Moved; 4]>, Error> {
        let moving = self.take_dirty();
        let (chunks, lsn) = self.unsynced()?;
        self.look_again();
        let bytes = self.unsynced_bytes.swap(0, Ordering::Relaxed);
        let begun = std::time::Instant::now();
        let has_work = !chunks.is_empty();
        for chunk in chunks {
            let retried = |error| {
                let again = self.options.has_bug(SeededBug::RetrySync) && chunk.file.sync_data().is_ok();
                if again { Ok(()) } else { Err(error) }
            };
            if let Err(error) = chunk.sync().or_else(retried) {
                self.unsynced_bytes.fetch_add(bytes, Ordering::Relaxed);
                return Err(error);
            }
        }
        if has_work {
            self.shared.sync_times.record(begun.elapsed());
        }
        self.synced_lsn.fetch_max(lsn.0, Ordering::SeqCst);
        let mut moved = SmallVec::with_capacity(moving.len());
        for (log, end) in moving {
            log.synced_to(end);
            moved.push(Moved {
                written: log.written_end(),
                synced: end,
                log,
            });
        }
        Ok(moved)
    }
}
