//! Timers of one shard: a heap of deadlines, and deadlines that move without touching it.
//!
//! A heartbeat moves its session's deadline by one assignment. The heap's entry for it fires at the old time, finds
//! the deadline moved, and queues itself again: at most one live entry a deadline, however many heartbeats come.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use protocol::Str;

/// Whose time has come.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Timer {
    Session {
        group: Str,
        member: Str,
    },
    /// The join phase of a rebalance.
    Join {
        group: Str,
    },
    /// The sync phase of a rebalance.
    Sync {
        group: Str,
    },
    /// Expired offsets are looked for.
    Expiry,
}

/// When something is due, kept by whoever is due.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Deadline {
    /// None: not at all.
    at_ms: Option<u64>,
    /// The earliest entry of the heap that will look at this deadline.
    queued_ms: Option<u64>,
}

/// What a popped entry means.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Due {
    Now,
    /// Not yet, or not at all any more.
    No,
}

#[derive(Debug, Default)]
pub(crate) struct Timers {
    heap: BinaryHeap<Reverse<(u64, Timer)>>,
}

impl Timers {
    pub(crate) fn schedule(&mut self, deadline: &mut Deadline, at_ms: u64, timer: impl FnOnce() -> Timer) {
        deadline.at_ms = Some(at_ms);
        if deadline.queued_ms.is_none_or(|queued| at_ms < queued) {
            deadline.queued_ms = Some(at_ms);
            self.heap.push(Reverse((at_ms, timer())));
        }
    }

    /// The next entry whose time has come.
    pub(crate) fn pop(&mut self, now_ms: u64) -> Option<(u64, Timer)> {
        let Reverse((at_ms, _)) = self.heap.peek()?;
        if now_ms < *at_ms {
            return None;
        }
        self.heap.pop().map(|Reverse(entry)| entry)
    }

    /// Whether an entry of `at_ms` is due; queues it again if its deadline has moved.
    pub(crate) fn is_due(&mut self, deadline: &mut Deadline, at_ms: u64, now_ms: u64, timer: &Timer) -> Due {
        if deadline.queued_ms != Some(at_ms) {
            return Due::No;
        }
        deadline.queued_ms = None;
        match deadline.at_ms {
            Some(due) if due <= now_ms => {
                deadline.at_ms = None;
                Due::Now
            }
            Some(later) => {
                self.schedule(deadline, later, || timer.clone());
                Due::No
            }
            None => Due::No,
        }
    }

    pub(crate) fn next_ms(&self) -> Option<u64> {
        self.heap.peek().map(|Reverse((at_ms, _))| *at_ms)
    }
}

impl Deadline {
    pub(crate) fn cancel(&mut self) {
        self.at_ms = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn join() -> Timer {
        Timer::Join { group: "g".into() }
    }

    #[test]
    fn a_moved_deadline_fires_once_and_late() {
        let (mut timers, mut deadline) = (Timers::default(), Deadline::default());
        timers.schedule(&mut deadline, 10, join);
        timers.schedule(&mut deadline, 30, join);
        assert_eq!(timers.heap.len(), 1);
        let (at, timer) = timers.pop(10).expect("queued");
        assert_eq!(timers.is_due(&mut deadline, at, 10, &timer), Due::No);
        assert_eq!((timers.pop(29), timers.next_ms()), (None, Some(30)));
        let (at, timer) = timers.pop(30).expect("queued again");
        assert_eq!(timers.is_due(&mut deadline, at, 30, &timer), Due::Now);
        assert_eq!(timers.next_ms(), None);
    }

    #[test]
    fn an_earlier_deadline_overtakes_and_a_cancelled_one_is_silent() {
        let (mut timers, mut deadline) = (Timers::default(), Deadline::default());
        timers.schedule(&mut deadline, 50, join);
        timers.schedule(&mut deadline, 20, join);
        let (at, timer) = timers.pop(20).expect("the earlier one");
        assert_eq!(timers.is_due(&mut deadline, at, 20, &timer), Due::Now);
        timers.schedule(&mut deadline, 60, join);
        deadline.cancel();
        let (at, timer) = timers.pop(60).expect("the first");
        assert_eq!(
            timers.is_due(&mut deadline, at, 60, &timer),
            Due::No,
            "superseded at {at}"
        );
        let (at, timer) = timers.pop(60).expect("the last");
        assert_eq!(timers.is_due(&mut deadline, at, 60, &timer), Due::No);
    }
}
