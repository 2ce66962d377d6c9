//! The bundled events, and sending them at a pace that leaves time for accidents.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use client::{Client, NewRecord, Producer, ProducerConfig};
use tokio::task::JoinHandle;

use super::counter::TOPIC;
use super::failed;
use crate::Failure;

/// A customer, and what happened, as JSON.
pub(super) type Event = (&'static str, &'static str);

/// Of our own making: `demo/make_events.py`.
static EVENTS: &str = include_str!("../../../../../demo/events.txt");

pub(super) fn all() -> impl Iterator<Item = Event> {
    EVENTS.lines().filter_map(|line| line.split_once('|'))
}

/// Events between two pauses, and the pause: 4,000 take some three seconds.
const BURST: usize = 50;
const PAUSE: Duration = Duration::from_millis(40);

/// Events on their way.
pub(super) struct Stream {
    delivered: Arc<AtomicUsize>,
    task: JoinHandle<client::Result<()>>,
}

/// Sends events.
pub(super) fn stream(client: &Client, events: Vec<Event>) -> client::Result<Stream> {
    let producer = client.producer(ProducerConfig::default())?;
    let delivered = Arc::new(AtomicUsize::new(0));
    let task = tokio::spawn(send(producer, events, delivered.clone()));
    Ok(Stream { delivered, task })
}

async fn send(producer: Producer, events: Vec<Event>, delivered: Arc<AtomicUsize>) -> client::Result<()> {
    let mut acknowledged = Vec::with_capacity(events.len());
    for (at, (key, value)) in events.into_iter().enumerate() {
        if at % BURST == 0 {
            tokio::time::sleep(PAUSE).await;
        }
        let delivery = producer.send(NewRecord::to(TOPIC).key(key).value(value)).await?;
        let delivered = delivered.clone();
        acknowledged.push(tokio::spawn(async move {
            let outcome = delivery.await;
            delivered.fetch_add(usize::from(outcome.is_ok()), Ordering::Relaxed);
            outcome
        }));
    }
    for task in acknowledged {
        task.await.map_err(|_| client::Error::Closed)??;
    }
    producer.close(Duration::from_secs(10)).await
}

impl Stream {
    /// Events that were acknowledged so far.
    pub(super) fn delivered(&self) -> usize {
        self.delivered.load(Ordering::Relaxed)
    }

    /// Waits until every event is acknowledged; one that is not is a failure.
    pub(super) async fn finished(self, within: Duration) -> Result<(), Failure> {
        let ended = tokio::time::timeout(within, self.task).await;
        let ended = ended.map_err(|_| Failure::failed("the producer did not end in time"))?;
        ended
            .map_err(|_| Failure::failed("the producer ended early"))?
            .map_err(failed)
    }
}
