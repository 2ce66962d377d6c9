//! The coordinators' thread: loads shards, and lets time pass for them. Sleeps until something is due.

use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Weak};
use std::time::Duration;

use super::{Coordinators, Slot};
use crate::Broker;

pub(super) enum Message {
    /// A deadline came that is earlier than all others.
    Wake,
    Load(Arc<Slot>),
    Stop(Sender<()>),
}

impl Coordinators {
    /// Starts the thread; it ends with [`Coordinators::stop`] or with the broker.
    pub fn start(&self, broker: &Arc<Broker>) -> std::io::Result<()> {
        let Some(receiver) = self.thread.lock().receiver.take() else {
            return Ok(());
        };
        let broker = Arc::downgrade(broker);
        os::thread::spawn_named("ottla-groups", move || run(&broker, &receiver))?;
        Ok(())
    }

    pub fn stop(&self) {
        let (done, wait) = channel();
        self.send(Message::Stop(done));
        // A closed channel means that the thread is gone already.
        let _ = wait.recv();
    }
}

fn run(broker: &Weak<Broker>, receiver: &Receiver<Message>) {
    let mut sleep = None;
    loop {
        let message = match sleep {
            Some(sleep) => receiver.recv_timeout(sleep),
            None => receiver.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        let Some(broker) = broker.upgrade() else {
            return;
        };
        match message {
            Ok(Message::Stop(done)) => {
                // The one who waits may have given up.
                let _ = done.send(());
                return;
            }
            Ok(Message::Load(slot)) => {
                slot.load(&broker);
                set_in_motion(&broker);
            }
            Ok(Message::Wake) | Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        sleep = let_time_pass(&broker);
    }
}

/// Runs what is due, and says how long nothing will be.
fn let_time_pass(broker: &Broker) -> Option<Duration> {
    let coordinators = &broker.coordinators;
    // From here on every deadline is told of, so none can come between looking and sleeping.
    coordinators.wakes_at_ms.store(u64::MAX, Ordering::SeqCst);
    let mut appended = false;
    let mut next_ms = u64::MAX;
    for slot in coordinators.slots() {
        while slot.deadline_ms() <= broker.now_ms() {
            appended |= slot.on_time(broker);
        }
        next_ms = next_ms.min(slot.deadline_ms());
    }
    if appended {
        set_in_motion(broker);
    }
    coordinators.wakes_at_ms.store(next_ms, Ordering::SeqCst);
    let left = next_ms.saturating_sub(broker.now_ms());
    // Half a millisecond more, so that the time is over when we look.
    (next_ms != u64::MAX).then(|| Duration::from_micros(left.saturating_mul(1_000).saturating_add(500)))
}

fn set_in_motion(broker: &Broker) {
    broker.directory.kick();
    broker.directory.request_sync();
}
