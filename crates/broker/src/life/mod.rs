//! What a node does to its logs over years: retention, compaction, forgetting producers. One thread, rounds by the
//! clock; what is to be done is decided by pure functions beside it.

mod clock;
mod compaction;
pub mod retention;

use std::sync::{Arc, Weak};
use std::thread::JoinHandle;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use crate::Broker;
use clock::ClockWatch;

/// `producer.id.expiration.check.interval.ms`, which Kafka keeps to itself.
const PRODUCER_CHECK: Duration = Duration::from_secs(600);

/// How often the log directory is looked at for room that can be given back.
const CLEANING_CHECK: Duration = Duration::from_secs(1);

/// The thread, and how to end it.
pub(crate) struct Upkeep {
    signal: Arc<(Mutex<bool>, Condvar)>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Upkeep {
    pub(crate) fn start(broker: &Arc<Broker>) -> std::io::Result<Upkeep> {
        let signal: Arc<(Mutex<bool>, Condvar)> = Arc::default();
        let mut rounds = Rounds::new(broker);
        let (weak, theirs) = (Arc::downgrade(broker), signal.clone());
        let thread = os::thread::spawn_named("ottla-upkeep", move || rounds.run(&weak, &theirs))?;
        Ok(Upkeep {
            signal,
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Ends the thread, after what it is at.
    pub(crate) fn stop(&self) {
        *self.signal.0.lock() = true;
        self.signal.1.notify_all();
        if let Some(thread) = self.thread.lock().take() {
            // One that panicked has said so.
            let _ = thread.join();
        }
    }
}

impl Drop for Upkeep {
    fn drop(&mut self) {
        // Without waiting: this may be the thread itself.
        *self.signal.0.lock() = true;
        self.signal.1.notify_all();
    }
}

/// What is due when, in time since the clock began.
struct Rounds {
    watch: ClockWatch,
    retention: Every,
    producers: Every,
    cleaning: Every,
    compaction: Every,
}

struct Every {
    interval: Duration,
    next: Duration,
}

impl Every {
    fn new(interval: Duration, now: Duration) -> Every {
        let interval = interval.max(Duration::from_millis(1));
        Every {
            interval,
            next: now + interval,
        }
    }

    fn is_due(&mut self, now: Duration) -> bool {
        let due = self.next <= now;
        if due {
            self.next = now + self.interval;
        }
        due
    }
}

/// Gives room back that deleted topics and dropped records took.
fn clean(broker: &Broker) {
    if broker.directory.is_fenced() {
        return;
    }
    match broker.directory.clean() {
        Ok(0) => {}
        Ok(bytes) => tracing::info!(bytes, "records were moved together, their chunks are free again"),
        Err(error) => tracing::warn!(%error, "room could not be given back yet"),
    }
}

impl Rounds {
    fn new(broker: &Broker) -> Rounds {
        let now = broker.clock.elapsed();
        let retention = Duration::from_millis(broker.config.retention_check_interval_ms);
        Rounds {
            watch: ClockWatch::at_start(broker.clock.wall_ms(), now, broker.directory.newest_wall_ms()),
            retention: Every::new(retention, now),
            producers: Every::new(PRODUCER_CHECK, now),
            cleaning: Every::new(CLEANING_CHECK, now),
            compaction: Every::new(Duration::from_millis(broker.config.cleaner_backoff_ms), now),
        }
    }

    fn run(&mut self, broker: &Weak<Broker>, (stopped, woken): &(Mutex<bool>, Condvar)) {
        loop {
            let Some(broker) = broker.upgrade() else { return };
            self.round(&broker);
            let rounds = [&self.retention, &self.producers, &self.cleaning, &self.compaction];
            let next = rounds
                .map(|every| every.next)
                .into_iter()
                .min()
                .unwrap_or_default();
            let nap = next.saturating_sub(broker.clock.elapsed());
            drop(broker);
            let mut stopped = stopped.lock();
            if !*stopped {
                woken.wait_for(&mut stopped, nap.max(Duration::from_millis(1)));
            }
            if *stopped {
                return;
            }
        }
    }

    fn round(&mut self, broker: &Arc<Broker>) {
        let (now, wall_ms) = (broker.clock.elapsed(), broker.clock.wall_ms());
        let trusted = self.watch.trusts(wall_ms, now);
        if self.retention.is_due(now) && trusted {
            retention::round(broker, wall_ms);
        }
        if self.producers.is_due(now) && trusted {
            let expiration_ms = broker.settings().producer_id_expiration_ms;
            let logs = broker.directory.logs();
            logs.iter()
                .for_each(|log| log.expire_producers(wall_ms, expiration_ms));
        }
        // Tombstones go by age: they wait for a clock that is right, as records do.
        if self.compaction.is_due(now) && trusted && compaction::round(broker, wall_ms) {
            self.compaction.next = now;
        }
        if self.cleaning.is_due(now) && broker.directory.wants_cleaning() {
            clean(broker);
        }
    }
}
