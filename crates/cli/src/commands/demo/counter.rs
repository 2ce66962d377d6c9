//! A consumer of the group that counts: what it reads goes into the ledger, and what is in the ledger is committed.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use client::{Client, Consumer, ConsumerConfig, Reset};
use tokio::task::JoinHandle;

use super::failed;
use super::ledger::Ledger;
use crate::Failure;

pub(super) const TOPIC: &str = "orders";
pub(super) const GROUP: &str = "counters";

const POLL: Duration = Duration::from_millis(100);
/// After a poll that failed: the node may be on its way back.
const PAUSE: Duration = Duration::from_millis(50);

/// A member that counts in the background.
pub(super) struct Counter {
    shared: Arc<Shared>,
    task: JoinHandle<client::Result<()>>,
}

#[derive(Default)]
struct Shared {
    counted: AtomicUsize,
    leaving: AtomicBool,
    owns: Mutex<Vec<i32>>,
}

impl Counter {
    /// Joins the group.
    pub(super) fn start(client: &Client, ledger: Arc<Ledger>) -> client::Result<Counter> {
        let config = ConsumerConfig {
            reset: Reset::Earliest,
            session_timeout: Duration::from_secs(2),
            heartbeat_interval: Duration::from_millis(200),
            auto_commit: Some(Duration::from_millis(200)),
            fetch_wait_max: Duration::from_millis(50),
            ..ConsumerConfig::group(GROUP)
        };
        let mut consumer = client.consumer(config)?;
        consumer.subscribe(&[TOPIC])?;
        let shared = Arc::new(Shared::default());
        let task = tokio::spawn(count(consumer, shared.clone(), ledger));
        Ok(Counter { shared, task })
    }

    /// Records that it has read.
    pub(super) fn counted(&self) -> usize {
        self.shared.counted.load(Ordering::Relaxed)
    }

    /// Its partitions, ascending.
    pub(super) fn owns(&self) -> Vec<i32> {
        let owns = self.shared.owns.lock();
        owns.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Ends it in the middle of what it does: nothing more is committed, and the group is not told.
    pub(super) fn kill(&self) {
        self.task.abort();
    }

    /// Commits and leaves the group.
    pub(super) async fn leave(self, within: Duration) -> Result<(), Failure> {
        self.shared.leaving.store(true, Ordering::Relaxed);
        let ended = tokio::time::timeout(within, self.task).await;
        let ended = ended.map_err(|_| Failure::failed("a consumer did not leave in time"))?;
        ended
            .map_err(|_| Failure::failed("a consumer ended early"))?
            .map_err(failed)
    }
}

async fn count(mut consumer: Consumer, shared: Arc<Shared>, ledger: Arc<Ledger>) -> client::Result<()> {
    while !shared.leaving.load(Ordering::Relaxed) {
        match consumer.poll(POLL).await {
            Ok(records) => {
                for (partition, record) in records.iter() {
                    let (key, value) = (record.key.unwrap_or_default(), record.value.unwrap_or_default());
                    ledger.enter(partition.partition, record.offset.0, key, value);
                    shared.counted.fetch_add(1, Ordering::Relaxed);
                }
            }
            // While the node is away; the story ends in time if it does not come back.
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
        let mut owns: Vec<i32> = consumer.assignment().iter().map(|one| one.partition).collect();
        owns.sort_unstable();
        *shared.owns.lock().unwrap_or_else(PoisonError::into_inner) = owns;
    }
    consumer.close().await
}
