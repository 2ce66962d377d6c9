//! Waking tasks of many runtimes from any thread with one message a runtime.

use std::sync::Arc;
use std::task::Waker;

use parking_lot::Mutex;
use smallvec::SmallVec;
use tokio::sync::Notify;

use crate::RuntimeId;
use crate::runtime::current_runtime;

/// A task to be woken, and the runtime that it lives on.
#[derive(Debug, Clone)]
pub struct RemoteWaker {
    runtime: Option<RuntimeId>,
    waker: Waker,
}

impl RemoteWaker {
    /// The waker of a task that is being polled on the current thread.
    pub fn of(waker: &Waker) -> RemoteWaker {
        RemoteWaker {
            runtime: current_runtime(),
            waker: waker.clone(),
        }
    }

    pub fn will_wake(&self, waker: &Waker) -> bool {
        self.waker.will_wake(waker)
    }
}

/// Where other threads leave wakers for one runtime.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    wakers: Mutex<Vec<Waker>>,
    notify: Notify,
}

impl Inbox {
    /// Runs for the life of the runtime: wakes what was left, on the runtime's own thread.
    pub(crate) async fn run(self: Arc<Self>) {
        let mut taken = Vec::new();
        loop {
            self.notify.notified().await;
            std::mem::swap(&mut taken, &mut *self.wakers.lock());
            for waker in taken.drain(..) {
                waker.wake();
            }
        }
    }
}

/// Wakers gathered while something advanced; delivered with one message per runtime.
#[derive(Debug, Default)]
pub struct WakeSet {
    wakers: SmallVec<[RemoteWaker; 4]>,
}

impl WakeSet {
    pub fn push(&mut self, waker: RemoteWaker) {
        self.wakers.push(waker);
    }

    pub fn is_empty(&self) -> bool {
        self.wakers.is_empty()
    }

    /// Wakes all of them. Call without any lock held.
    pub fn deliver(&mut self) {
        let here = current_runtime();
        let mut notified: SmallVec<[RuntimeId; 8]> = SmallVec::new();
        for remote in self.wakers.drain(..) {
            match remote.runtime {
                Some(runtime) if here.as_ref() != Some(&runtime) => {
                    runtime.inbox.wakers.lock().push(remote.waker);
                    if !notified.contains(&runtime) {
                        notified.push(runtime);
                    }
                }
                _ => remote.waker.wake(),
            }
        }
        for runtime in notified {
            runtime.inbox.notify.notify_one();
        }
    }
}
