//! The place of one shard: loading, deciding, or failed; and who waits for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use coordinator::group::{Answer, Effects, GroupShard, Now, Ticket};
use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use tokio::sync::oneshot;
use types::{ErrorCode, Offset, Uuid};

use super::append::append;
use super::load::read_state;
use super::thread::Message;
use crate::Broker;
use crate::partition::Partition;

/// One partition of the offsets topic and its shard.
pub struct Slot {
    partition: Arc<Partition>,
    inner: Mutex<Inner>,
    /// When the shard wants to be called next; the largest u64: not at all.
    deadline_ms: AtomicU64,
}

struct Inner {
    status: Status,
    waiting: FxHashMap<Ticket, oneshot::Sender<Waited>>,
}

enum Status {
    Loading,
    Active(Box<GroupShard>),
    /// The log takes nothing any more.
    Failed,
}

/// An answer that was waited for, and the offset below which everything must be committed before it leaves.
#[derive(Debug)]
pub struct Waited {
    pub answer: Answer,
    pub end: Offset,
}

/// A decision that is in the log.
#[derive(Debug)]
pub struct Decided<R> {
    pub response: R,
    /// The response leaves when everything below is committed.
    pub end: Offset,
    /// Something was appended: the caller kicks the log.
    pub appended: bool,
}

/// What becomes of the shard if a decision cannot be appended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnFailure {
    /// Live state has moved on with the decision: throw it away.
    Reload,
    /// Nothing but the records would have changed.
    Keep,
}

impl Slot {
    pub(super) fn new(partition: Arc<Partition>) -> Arc<Slot> {
        Arc::new(Slot {
            partition,
            inner: Mutex::new(Inner {
                status: Status::Loading,
                waiting: FxHashMap::default(),
            }),
            deadline_ms: AtomicU64::new(u64::MAX),
        })
    }

    pub fn partition(&self) -> &Arc<Partition> {
        &self.partition
    }

    pub(super) fn deadline_ms(&self) -> u64 {
        self.deadline_ms.load(Ordering::SeqCst)
    }

    /// Decides, appends and applies.
    pub fn decide<R>(
        self: &Arc<Slot>,
        broker: &Broker,
        on_failure: OnFailure,
        act: impl FnOnce(&mut GroupShard, Now) -> (R, Effects),
    ) -> Result<Decided<R>, ErrorCode> {
        let mut inner = self.inner.lock();
        let shard = self.active(&mut inner)?;
        let (response, effects) = act(shard, now(broker));
        let appended = !effects.records.is_empty();
        if let Err(code) = self.settle(broker, &mut inner, effects) {
            if on_failure == OnFailure::Reload {
                self.throw_away(broker, &mut inner);
            }
            return Err(code);
        }
        let end = match &inner.status {
            Status::Active(shard) => shard.state().end(),
            Status::Loading | Status::Failed => return Err(ErrorCode::NotCoordinator),
        };
        self.note_deadline(broker, &inner);
        Ok(Decided {
            response,
            end,
            appended,
        })
    }

    /// Decides about a request whose answer may come much later.
    pub fn decide_parked(
        self: &Arc<Slot>,
        broker: &Broker,
        act: impl FnOnce(&mut GroupShard, Now, Ticket) -> Effects,
    ) -> Result<(oneshot::Receiver<Waited>, bool), ErrorCode> {
        let ticket = broker.coordinators.ticket();
        let (sender, receiver) = oneshot::channel();
        let mut inner = self.inner.lock();
        self.active(&mut inner)?;
        inner.waiting.insert(ticket, sender);
        drop(inner);
        let decided = self.decide(broker, OnFailure::Reload, |shard, now| {
            ((), act(shard, now, ticket))
        });
        if decided.is_err() {
            self.inner.lock().waiting.remove(&ticket);
        }
        decided.map(|decided| (receiver, decided.appended))
    }

    /// Looks at the shard, and at times moves what is not written (sessions).
    pub fn look<R>(
        &self,
        broker: &Broker,
        act: impl FnOnce(&mut GroupShard, Now) -> R,
    ) -> Result<R, ErrorCode> {
        let mut inner = self.inner.lock();
        let result = act(self.active(&mut inner)?, now(broker));
        self.note_deadline(broker, &inner);
        Ok(result)
    }

    fn active<'a>(&self, inner: &'a mut Inner) -> Result<&'a mut GroupShard, ErrorCode> {
        if self.partition.is_offline() {
            inner.fail();
        }
        match &mut inner.status {
            Status::Loading => Err(ErrorCode::CoordinatorLoadInProgress),
            Status::Failed => Err(ErrorCode::NotCoordinator),
            Status::Active(shard) => Ok(shard),
        }
    }

    /// Appends and applies the records, and hands the answers to those who wait.
    fn settle(&self, broker: &Broker, inner: &mut Inner, effects: Effects) -> Result<(), ErrorCode> {
        let Status::Active(shard) = &mut inner.status else {
            return Err(ErrorCode::NotCoordinator);
        };
        append(broker, &self.partition, shard, &effects.records)?;
        let end = shard.state().end();
        for (ticket, answer) in effects.answers {
            if let Some(sender) = inner.waiting.remove(&ticket) {
                // Whoever asked may be gone; what was decided stands.
                let _ = sender.send(Waited { answer, end });
            }
        }
        Ok(())
    }

    /// The shard could not write: its state is what the log says, not what was decided.
    fn throw_away(self: &Arc<Slot>, broker: &Broker, inner: &mut Inner) {
        let (topic, partition) = (&self.partition.topic, self.partition.index);
        if self.partition.is_offline() {
            inner.fail();
            return;
        }
        tracing::warn!(%topic, %partition, "a group coordinator could not write and is loaded anew");
        inner.status = Status::Loading;
        inner.waiting.clear();
        self.deadline_ms.store(u64::MAX, Ordering::SeqCst);
        broker.coordinators.send(Message::Load(self.clone()));
    }

    /// Reads the log and begins to decide. Runs where waiting for the disk is allowed.
    pub(super) fn load(self: &Arc<Slot>, broker: &Broker) {
        let state = match read_state(&self.partition) {
            Ok(state) => state,
            Err(error) => {
                let (topic, partition) = (&self.partition.topic, self.partition.index);
                tracing::error!(%topic, %partition, %error, action = "check the disk, then restart: the groups of this partition cannot be joined until it is read", "groups cannot be loaded; their partition's log is not readable");
                self.fail();
                return;
            }
        };
        let (shard, effects) = GroupShard::load(state, broker.coordinators.config().clone(), now(broker));
        let mut inner = self.inner.lock();
        inner.status = Status::Active(Box::new(shard));
        let settled = self.settle(broker, &mut inner, effects);
        if settled.is_err() {
            inner.fail();
            return;
        }
        self.note_deadline(broker, &inner);
        drop(inner);
        self.forget_missing_topics(broker);
    }

    /// A crash can come between a topic's end and that of its offsets; the name may have begun a new life since.
    fn forget_missing_topics(self: &Arc<Slot>, broker: &Broker) {
        let image = broker.image();
        let forgotten = self.decide(broker, OnFailure::Keep, |shard, now| {
            let gone = |topic: &str, id: Uuid| match image.topic_by_name(topic) {
                Some(topic) => !id.is_zero() && id != topic.id,
                None => true,
            };
            ((), shard.forget_topics(now, gone))
        });
        if let Err(code) = forgotten {
            tracing::debug!(?code, "offsets of deleted topics are left to the next load");
        }
    }

    /// Ends the shard for good: whoever waits is told to look for another coordinator.
    pub(super) fn fail(&self) {
        self.inner.lock().fail();
        self.deadline_ms.store(u64::MAX, Ordering::SeqCst);
    }

    /// Lets what is due happen.
    pub(super) fn on_time(self: &Arc<Slot>, broker: &Broker) -> bool {
        let decided = self.decide(broker, OnFailure::Reload, |shard, now| ((), shard.on_time(now)));
        match decided {
            Ok(decided) => decided.appended,
            Err(_) => {
                self.deadline_ms.store(u64::MAX, Ordering::SeqCst);
                false
            }
        }
    }

    fn note_deadline(&self, broker: &Broker, inner: &Inner) {
        if let Status::Active(shard) = &inner.status {
            let next = shard.next_deadline_ms();
            self.deadline_ms.store(next.unwrap_or(u64::MAX), Ordering::SeqCst);
            broker.coordinators.note_deadline(next);
        }
    }
}

impl Inner {
    fn fail(&mut self) {
        self.status = Status::Failed;
        // Their receivers hear of it and answer NOT_COORDINATOR.
        self.waiting.clear();
    }
}

fn now(broker: &Broker) -> Now {
    Now {
        elapsed_ms: broker.now_ms(),
        wall_ms: broker.clock.wall_ms(),
    }
}
