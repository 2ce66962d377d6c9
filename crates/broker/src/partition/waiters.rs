//! Who waits for a partition to move: producers for an offset, fetches for bytes.
//!
//! The race between "not yet" and the advance that would have woken us is closed by order: a waiter registers, then
//! looks again; an advance publishes, then looks for waiters. Both sides are sequentially consistent.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll};

use net::{RemoteWaker, WakeSet};
use parking_lot::Mutex;
use types::Offset;

use super::Partition;

#[derive(Debug, Default)]
pub(super) struct Waiters {
    count: AtomicUsize,
    lists: Mutex<Lists>,
}

#[derive(Debug, Default)]
struct Lists {
    produces: Vec<Waiting>,
    fetches: Vec<(Arc<FetchWaiter>, RemoteWaker)>,
}

#[derive(Debug)]
struct Waiting {
    id: u64,
    until: Until,
    waker: RemoteWaker,
}

#[derive(Debug, Clone, Copy)]
enum Until {
    /// acks=1: in the log.
    Written(Offset),
    /// acks=all: committed.
    Committed(Offset),
}

impl Waiters {
    pub(super) fn wake(&self, written: Offset, committed: Offset, grew: bool, wakes: &mut WakeSet) {
        if self.count.load(Ordering::SeqCst) == 0 {
            return;
        }
        let mut lists = self.lists.lock();
        lists.produces.retain_mut(|waiting| {
            let reached = match waiting.until {
                Until::Written(offset) => offset <= written,
                Until::Committed(offset) => offset <= committed,
            };
            if reached {
                wakes.push(waiting.waker.clone());
            }
            !reached
        });
        if grew {
            lists.fetches.retain(|(waiter, waker)| {
                let enough = waiter.news();
                if enough {
                    wakes.push(waker.clone());
                }
                !enough
            });
        }
        self.recount(&lists);
    }

    pub(super) fn wake_all(&self, wakes: &mut WakeSet) {
        let mut lists = self.lists.lock();
        for waiting in lists.produces.drain(..) {
            wakes.push(waiting.waker);
        }
        for (waiter, waker) in lists.fetches.drain(..) {
            waiter.fire();
            wakes.push(waker);
        }
        self.recount(&lists);
    }

    fn recount(&self, lists: &Lists) {
        self.count
            .store(lists.produces.len() + lists.fetches.len(), Ordering::SeqCst);
    }

    fn add_produce(&self, waiting: Waiting) {
        let mut lists = self.lists.lock();
        lists.produces.push(waiting);
        self.recount(&lists);
    }

    fn remove_produce(&self, id: u64) {
        let mut lists = self.lists.lock();
        lists.produces.retain(|waiting| waiting.id != id);
        self.recount(&lists);
    }
}

/// Waits until a produced batch is in the log (acks=1) or committed (acks=all). Dropping it deregisters.
#[derive(Debug)]
pub struct ProduceWait {
    partition: Arc<Partition>,
    until: Until,
    registered: Option<u64>,
}

/// How a wait for a produced batch ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProduceEnd {
    Reached,
    Offline,
}

static NEXT_ID: AtomicU64 = AtomicU64::new(1);

impl ProduceWait {
    /// Waits for everything below `end` to be in the log.
    pub fn written(partition: Arc<Partition>, end: Offset) -> ProduceWait {
        ProduceWait {
            partition,
            until: Until::Written(end),
            registered: None,
        }
    }

    /// Waits for everything below `end` to be committed.
    pub fn committed(partition: Arc<Partition>, end: Offset) -> ProduceWait {
        ProduceWait {
            partition,
            until: Until::Committed(end),
            registered: None,
        }
    }

    fn state(&self) -> Option<ProduceEnd> {
        let reached = match self.until {
            Until::Written(end) => end <= self.partition.log.written_end(),
            Until::Committed(end) => end <= self.partition.high_watermark(),
        };
        if reached {
            return Some(ProduceEnd::Reached);
        }
        self.partition.is_offline().then_some(ProduceEnd::Offline)
    }

    pub fn poll(&mut self, context: &mut Context<'_>) -> Poll<ProduceEnd> {
        if let Some(end) = self.state() {
            return Poll::Ready(end);
        }
        if self.registered.is_none() {
            let id = NEXT_ID.fetch_add(1, Ordering::Relaxed);
            let waker = RemoteWaker::of(context.waker());
            self.registered = Some(id);
            self.partition.waiters.add_produce(Waiting {
                id,
                until: self.until,
                waker,
            });
            // The log may have got there between the look above and the registration.
            if let Some(end) = self.state() {
                return Poll::Ready(end);
            }
        }
        Poll::Pending
    }
}

impl Drop for ProduceWait {
    fn drop(&mut self) {
        if let Some(id) = self.registered {
            self.partition.waiters.remove_produce(id);
        }
    }
}

/// One parked fetch, registered on all its partitions. Fires once.
#[derive(Debug, Default)]
pub struct FetchWaiter {
    fired: AtomicBool,
}

impl FetchWaiter {
    pub fn fired(&self) -> bool {
        self.fired.load(Ordering::SeqCst)
    }

    /// Arms the waiter again after a wake-up that brought too little.
    pub fn arm(&self) {
        self.fired.store(false, Ordering::SeqCst);
    }

    fn fire(&self) {
        self.fired.store(true, Ordering::SeqCst);
    }

    /// A partition grew. True once: the fetch looks again and counts the bytes of all its partitions itself.
    fn news(&self) -> bool {
        !self.fired.swap(true, Ordering::SeqCst)
    }
}

impl Partition {
    /// Registers a parked fetch; the caller looks for bytes again afterwards.
    pub fn watch(&self, waiter: &Arc<FetchWaiter>, waker: RemoteWaker) {
        let mut lists = self.waiters.lists.lock();
        lists.fetches.retain(|(known, _)| !Arc::ptr_eq(known, waiter));
        lists.fetches.push((waiter.clone(), waker));
        self.waiters.recount(&lists);
    }

    pub fn unwatch(&self, waiter: &Arc<FetchWaiter>) {
        let mut lists = self.waiters.lists.lock();
        lists.fetches.retain(|(known, _)| !Arc::ptr_eq(known, waiter));
        self.waiters.recount(&lists);
    }
}
