//! The host of the group coordinators: one shard per partition of `__consumer_offsets` (`architecture.md` 4).
//!
//! Decides under a shard's lock, appends through the partition as Produce does, applies, and lets an answer go when
//! what it has seen is committed. A shard that cannot append is thrown away and loaded anew from its log. One thread
//! loads shards and lets time pass for them.

mod append;
mod load;
mod settings;
mod slot;
mod thread;
mod wait;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::Sender;

use coordinator::group::{GroupConfig, Ticket};
use coordinator::partition_for;
use parking_lot::{Mutex, RwLock};
use record::Codec;
use types::{ErrorCode, TopicId};

use crate::Broker;
use crate::partition::Partition;

pub use slot::{OnFailure, Slot, Waited};
pub use wait::{answer_later, answer_when, committed};

use thread::Message;

/// Kafka's topic of groups and their offsets.
pub const OFFSETS_TOPIC: &str = "__consumer_offsets";

/// All shards of this node.
pub struct Coordinators {
    config: Arc<GroupConfig>,
    /// Of the batches that are written.
    codec: Codec,
    /// By partition of the offsets topic.
    slots: RwLock<Vec<Option<Arc<Slot>>>>,
    /// The thread wakes by itself at this time, in the milliseconds of the broker's clock.
    wakes_at_ms: AtomicU64,
    next_ticket: AtomicU64,
    thread: Mutex<Thread>,
}

struct Thread {
    sender: Sender<Message>,
    /// Until the thread is started.
    receiver: Option<std::sync::mpsc::Receiver<Message>>,
}

impl Coordinators {
    pub fn new(config: &config::BrokerConfig) -> Coordinators {
        let (sender, receiver) = std::sync::mpsc::channel();
        Coordinators {
            config: Arc::new(settings::group_config(config)),
            codec: Codec::from_attributes(config.groups.topic_codec).unwrap_or(Codec::None),
            slots: RwLock::default(),
            wakes_at_ms: AtomicU64::new(u64::MAX),
            next_ticket: AtomicU64::new(1),
            thread: Mutex::new(Thread {
                sender,
                receiver: Some(receiver),
            }),
        }
    }

    pub fn config(&self) -> &Arc<GroupConfig> {
        &self.config
    }

    fn codec(&self) -> Codec {
        self.codec
    }

    /// The shard of a group, or what to answer if it is not here.
    pub fn slot_of(&self, broker: &Broker, group: &str) -> Result<Arc<Slot>, ErrorCode> {
        let image = broker.image();
        let topic = image
            .topic_by_name(OFFSETS_TOPIC)
            .ok_or(ErrorCode::NotCoordinator)?;
        let count = i32::try_from(topic.partitions.len()).map_err(|_| ErrorCode::NotCoordinator)?;
        let index = usize::try_from(partition_for(group, count)).map_err(|_| ErrorCode::NotCoordinator)?;
        let slot = self.slots.read().get(index).cloned().flatten();
        slot.ok_or(ErrorCode::NotCoordinator)
    }

    /// All shards, by partition.
    pub fn slots(&self) -> Vec<Arc<Slot>> {
        self.slots.read().iter().flatten().cloned().collect()
    }

    pub fn ticket(&self) -> Ticket {
        Ticket(self.next_ticket.fetch_add(1, Ordering::Relaxed))
    }

    /// Takes a partition of the offsets topic into service. One without records is ready at once.
    pub fn adopt(&self, broker: &Broker, partition: &Arc<Partition>) {
        let Ok(index) = usize::try_from(partition.index.0) else {
            return;
        };
        let mut slots = self.slots.write();
        let known = slots.get(index).and_then(Option::as_ref);
        if known.is_some_and(|slot| Arc::ptr_eq(slot.partition(), partition)) {
            return;
        }
        let slot = Slot::new(partition.clone());
        if slots.len() <= index {
            slots.resize(index + 1, None);
        }
        if let Some(place) = slots.get_mut(index) {
            *place = Some(slot.clone());
        }
        drop(slots);
        let log = partition.log();
        if log.log_start() == log.written_end() {
            slot.load(broker);
        } else {
            self.send(Message::Load(slot));
        }
    }

    /// Topics are gone, and with them what was committed for them.
    pub fn topics_deleted(&self, broker: &Broker, deleted: &[(TopicId, types::TopicName)]) {
        let names: Vec<&str> = deleted.iter().map(|(_, name)| name.as_str()).collect();
        if names.is_empty() {
            return;
        }
        if names.contains(&OFFSETS_TOPIC) {
            let gone = std::mem::take(&mut *self.slots.write());
            gone.iter().flatten().for_each(|slot| slot.fail());
        }
        for slot in self.slots() {
            // A shard that is loading looks at the topics by itself.
            let forget = slot.decide(broker, OnFailure::Keep, |shard, now| {
                ((), shard.forget_topics(now, |topic, _| names.contains(&topic)))
            });
            if let Err(code) = forget {
                tracing::debug!(?code, "offsets of deleted topics are left to the next load");
            }
        }
        broker.directory.kick();
        broker.directory.request_sync();
    }

    fn send(&self, message: Message) {
        // Without its thread the broker is closing, and nobody waits any more.
        let _ = self.thread.lock().sender.send(message);
    }

    /// A shard wants to be called at this time.
    fn note_deadline(&self, at_ms: Option<u64>) {
        if at_ms.is_some_and(|at_ms| at_ms < self.wakes_at_ms.load(Ordering::SeqCst)) {
            self.send(Message::Wake);
        }
    }
}
