//! One single-threaded runtime a core. A connection stays on the runtime that accepted it.

use std::cell::RefCell;
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;

use tokio::runtime::{Builder, Handle};
use tokio::sync::watch;

use crate::wake::Inbox;

/// A runtime of this process, by which others find its inbox.
#[derive(Debug, Clone)]
pub struct RuntimeId {
    pub(crate) inbox: Arc<Inbox>,
}

impl PartialEq for RuntimeId {
    fn eq(&self, other: &RuntimeId) -> bool {
        Arc::ptr_eq(&self.inbox, &other.inbox)
    }
}

thread_local! {
    static CURRENT: RefCell<Option<RuntimeId>> = const { RefCell::new(None) };
}

/// The runtime whose thread this is, if it is one of ours.
pub(crate) fn current_runtime() -> Option<RuntimeId> {
    CURRENT.with(|current| current.borrow().clone())
}

/// Spawns on the runtimes of a process without keeping them alive: what is spawned after their end is dropped.
#[derive(Debug, Clone)]
pub(crate) struct Spawner(Arc<[Handle]>);

impl Spawner {
    pub(crate) fn spawn_on(&self, index: usize, task: impl Future<Output = ()> + Send + 'static) {
        if let Some(handle) = index.checked_rem(self.0.len()).and_then(|at| self.0.get(at)) {
            handle.spawn(task);
        }
    }
}

/// All runtimes of a process. Dropping it stops them and waits for their threads.
#[derive(Debug)]
pub struct Runtimes {
    handles: Vec<Handle>,
    stop: watch::Sender<bool>,
    threads: Vec<JoinHandle<()>>,
}

impl Runtimes {
    /// Starts `count` runtimes, each on a thread of its own.
    pub fn start(count: usize) -> io::Result<Runtimes> {
        let (stop, stopped) = watch::channel(false);
        let mut runtimes = Runtimes {
            handles: Vec::new(),
            stop,
            threads: Vec::new(),
        };
        for index in 0..count.max(1) {
            let runtime = Builder::new_current_thread()
                .enable_all()
                .max_blocking_threads(8)
                .build()?;
            runtimes.handles.push(runtime.handle().clone());
            let mut stopped = stopped.clone();
            let run = move || {
                let inbox = Arc::new(Inbox::default());
                CURRENT.with(|current| *current.borrow_mut() = Some(RuntimeId { inbox: inbox.clone() }));
                runtime.spawn(inbox.run());
                // An error here means that the owner is gone, which is a stop as well.
                let _ = runtime.block_on(stopped.wait_for(|stop| *stop));
                runtime.shutdown_background();
            };
            runtimes
                .threads
                .push(os::thread::spawn_named(&format!("ottla-net-{index}"), run)?);
        }
        Ok(runtimes)
    }

    pub fn count(&self) -> usize {
        self.handles.len()
    }

    /// Spawns a task on the runtime `index`.
    pub fn spawn_on(&self, index: usize, task: impl Future<Output = ()> + Send + 'static) {
        if let Some(handle) = self.handles.get(index % self.handles.len()) {
            handle.spawn(task);
        }
    }

    pub(crate) fn spawner(&self) -> Spawner {
        Spawner(self.handles.clone().into())
    }

    /// Runs a future on the first runtime and waits for it on this thread, which must not be a runtime's own.
    pub fn block_on<T: Send>(&self, future: impl Future<Output = T>) -> T {
        let first = self
            .handles
            .first()
            .expect("there is a runtime as long as this is");
        first.block_on(future)
    }
}

impl Drop for Runtimes {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        for thread in self.threads.drain(..) {
            // A panicking runtime thread has said so on stderr; stopping goes on.
            let _ = thread.join();
        }
    }
}
