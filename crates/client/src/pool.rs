//! Connections by broker and use. One dial at a time to each; a broker that refused is left alone for a while.

use std::sync::Arc;

use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use tokio::time::Instant;
use types::BrokerId;

use crate::metadata::Broker;
use crate::wire::{Connection, Dialed};
use crate::{ClientConfig, Result, backoff};

/// What a connection is for. Kafka's brokers serve a connection's requests one after the other, so a long poll or a
/// waiting JoinGroup must not stand in front of a heartbeat or a produce request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Lane {
    Calls,
    Produce,
    Fetch,
    Join,
    Group,
}

/// Where a connection goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Target {
    Bootstrap(usize),
    Broker(BrokerId, Lane),
}

#[derive(Debug, Default)]
struct Slot {
    connection: Option<Connection>,
    host: String,
    port: u16,
    failures: u32,
    not_before: Option<Instant>,
}

/// A slot is locked while it is dialled: others wait for that dial.
type Slots = FxHashMap<Target, Arc<tokio::sync::Mutex<Slot>>>;

#[derive(Debug)]
pub(crate) struct Pool {
    bootstrap: Vec<(String, u16)>,
    slots: Mutex<Slots>,
}

impl Pool {
    pub(crate) fn new(config: &ClientConfig) -> Result<Pool> {
        Ok(Pool {
            bootstrap: config.addresses()?,
            slots: Mutex::default(),
        })
    }

    pub(crate) fn bootstrap(&self) -> &[(String, u16)] {
        &self.bootstrap
    }

    /// A connection for calls that is open now.
    pub(crate) fn any_open(&self) -> Option<Connection> {
        let slots = self.slots.lock();
        let candidates = slots
            .iter()
            .filter(|(target, _)| matches!(target, Target::Broker(_, Lane::Calls) | Target::Bootstrap(_)));
        let mut open = candidates.filter_map(|(target, slot)| {
            let connection = slot.try_lock().ok()?.connection.clone()?;
            connection
                .is_open()
                .then_some((matches!(target, Target::Bootstrap(_)), connection))
        });
        // A broker by its own address before a bootstrap address, which may be a load balancer's.
        let first = open.next()?;
        let better = first.0.then(|| open.find(|(bootstrap, _)| !bootstrap)).flatten();
        Some(better.unwrap_or(first).1)
    }

    pub(crate) async fn get(
        &self,
        config: &ClientConfig,
        target: Target,
        host: &str,
        port: u16,
    ) -> Result<Connection> {
        let slot = self.slots.lock().entry(target).or_default().clone();
        let mut slot = slot.lock().await;
        if slot.host != host || slot.port != port {
            *slot = Slot {
                host: host.to_owned(),
                port,
                ..Slot::default()
            };
        }
        if let Some(open) = slot.connection.as_ref().filter(|connection| connection.is_open()) {
            return Ok(open.clone());
        }
        slot.connection = None;
        if let Some(not_before) = slot.not_before {
            tokio::time::sleep_until(not_before).await;
        }
        let to = Dialed {
            host: host.to_owned(),
            port,
        };
        // Counted as a failure until it has succeeded: also if the caller gives up meanwhile.
        slot.failures += 1;
        let pause = backoff::pause(
            config.reconnect_backoff,
            config.reconnect_backoff_max,
            slot.failures,
            &config.random,
        );
        slot.not_before = Some(Instant::now() + pause);
        let connection = Connection::open(config, &to).await?;
        slot.failures = 0;
        slot.not_before = None;
        slot.connection = Some(connection.clone());
        Ok(connection)
    }

    /// Lets go of connections to brokers that are not in the cluster any more.
    pub(crate) fn keep(&self, brokers: &[Broker]) {
        self.slots.lock().retain(|target, _| match target {
            Target::Bootstrap(_) => true,
            Target::Broker(id, _) => brokers.iter().any(|broker| broker.id == *id),
        });
    }
}
