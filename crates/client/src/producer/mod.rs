//! The producer: records into batches, batches to brokers, in order and once.
//!
//! `queue` decides for one partition, `accumulator` for all, `partitioner` which partition a record goes to, `split`
//! cuts what is too large; `sender` is the only one that talks to brokers.

mod accumulator;
mod config;
#[cfg(test)]
pub(crate) mod hostile;
mod partitioner;
mod queue;
mod record;
mod request;
mod sender;
mod split;

pub use config::{Acks, ProducerConfig};
pub use partitioner::partition_of_key;
pub use record::{Delivered, Delivery, NewRecord};

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::Instant;

use self::accumulator::{Accumulator, Append};
use self::queue::Rules;
use crate::{Client, Error, Result};

/// Sends records. Cheap to clone; clones share batches and connections.
///
/// ```
/// # testkit::with_node(async |servers| -> client::Result<()> {
/// # let client = client::Client::new(client::ClientConfig::new(&servers))?;
/// # client.admin().create_topics(&[client::NewTopic::new("orders").partitions(3)]).await?;
/// use client::{NewRecord, Offset, ProducerConfig};
///
/// let producer = client.producer(ProducerConfig::default())?;
/// let delivery = producer.send(NewRecord::to("orders").key("42").value("paid")).await?;
/// let delivered = delivery.await?;
/// assert_eq!(delivered.offset, Some(Offset(0)));
/// producer.close(std::time::Duration::from_secs(10)).await?;
/// # Ok(())
/// # });
/// ```
#[derive(Debug, Clone)]
pub struct Producer {
    handle: Arc<Handle>,
}

/// Ends the sender when the last producer is dropped; what is batched is still sent.
#[derive(Debug)]
struct Handle {
    shared: Arc<Shared>,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.shared.accumulator.lock().closed = true;
        self.shared.news.notify_one();
    }
}

/// What producers and their sender share.
#[derive(Debug)]
struct Shared {
    client: Client,
    config: ProducerConfig,
    accumulator: Mutex<Accumulator>,
    /// The sender has something to look at.
    news: Notify,
    /// Memory came free.
    room: Notify,
    /// The sender ended.
    ended: Notify,
}

/// A flush that waits; batches linger no longer while it lives.
struct Hurry<'a>(&'a Shared);

impl<'a> Hurry<'a> {
    fn new(shared: &'a Shared) -> Hurry<'a> {
        shared.accumulator.lock().hurry += 1;
        shared.news.notify_one();
        Hurry(shared)
    }
}

impl Drop for Hurry<'_> {
    fn drop(&mut self) {
        self.0.accumulator.lock().hurry -= 1;
    }
}

impl Client {
    /// A producer with connections of its own. Call inside a tokio runtime: its sender is a task of it.
    ///
    /// ```
    /// # testkit::with_node(async |servers| -> client::Result<()> {
    /// # let client = client::Client::new(client::ClientConfig::new(&servers))?;
    /// use client::{Codec, ProducerConfig};
    ///
    /// let producer = client.producer(ProducerConfig { codec: Codec::Zstd, ..ProducerConfig::default() })?;
    /// # Ok(())
    /// # });
    /// ```
    pub fn producer(&self, config: ProducerConfig) -> Result<Producer> {
        config.check()?;
        let rules = Rules {
            batch_bytes: config.batch_bytes.min(config.request_bytes),
            linger: config.linger,
            delivery_timeout: config.delivery_timeout,
            codec: config.codec,
            idempotent: config.is_idempotent(),
        };
        let accumulator = Accumulator::new(rules, config.buffer_bytes, config.request_bytes);
        let shared = Arc::new(Shared {
            client: self.fork()?,
            config,
            accumulator: Mutex::new(accumulator),
            news: Notify::new(),
            room: Notify::new(),
            ended: Notify::new(),
        });
        tokio::spawn(sender::run(shared.clone()));
        Ok(Producer {
            handle: Arc::new(Handle { shared }),
        })
    }
}

impl Producer {
    /// Takes a record into a batch. Waits only if the topic is not known yet or no memory is left, at most
    /// `max.block.ms`. If this future is dropped before it ends, the record was not taken.
    ///
    /// The delivery that comes back may be dropped; the record is sent all the same.
    ///
    /// ```
    /// # testkit::with_node(async |servers| -> client::Result<()> {
    /// # let client = client::Client::new(client::ClientConfig::new(&servers))?;
    /// # client.admin().create_topics(&[client::NewTopic::new("orders").partitions(3)]).await?;
    /// # let producer = client.producer(client::ProducerConfig::default())?;
    /// use client::NewRecord;
    ///
    /// // Sends all of them, then looks what became of each.
    /// let mut deliveries = Vec::new();
    /// for n in 0..100 {
    ///     let value = n.to_string();
    ///     deliveries.push(producer.send(NewRecord::to("orders").value(&value)).await?);
    /// }
    /// for delivery in deliveries {
    ///     delivery.await?;
    /// }
    /// # Ok(())
    /// # });
    /// ```
    pub async fn send(&self, record: NewRecord<'_>) -> Result<Delivery> {
        if let Some(delivery) = self.try_send(&record)? {
            return Ok(delivery);
        }
        let shared = &self.handle.shared;
        let block_max = shared.config.block_max;
        match tokio::time::timeout(block_max, self.send_waiting(&record)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Error::TimedOut {
                what: format!("room for a record of {}", record.topic),
                after: block_max,
                last: None,
            }),
        }
    }

    async fn send_waiting(&self, record: &NewRecord<'_>) -> Result<Delivery> {
        let shared = &self.handle.shared;
        loop {
            // Listens before it looks, so that room made in between is noticed.
            let mut room = std::pin::pin!(shared.room.notified());
            room.as_mut().enable();
            match self.append(record)? {
                Append::Taken { delivery, .. } => return Ok(delivery),
                Append::Full => room.await,
                Append::NoTopic => {
                    let topic = shared
                        .client
                        .topic(record.topic, shared.config.create_topics)
                        .await?;
                    shared.accumulator.lock().add_topic(&topic);
                }
            }
        }
    }

    /// Takes a record into a batch if that needs no waiting; `None` if it does.
    ///
    /// ```
    /// # testkit::with_node(async |servers| -> client::Result<()> {
    /// # let client = client::Client::new(client::ClientConfig::new(&servers))?;
    /// # client.admin().create_topics(&[client::NewTopic::new("orders").partitions(3)]).await?;
    /// # let producer = client.producer(client::ProducerConfig::default())?;
    /// use client::NewRecord;
    ///
    /// let record = NewRecord::to("orders").value("paid");
    /// // The topic is not known before the first record: that one waits.
    /// let first = match producer.try_send(&record)? {
    ///     Some(delivery) => delivery,
    ///     None => producer.send(record.clone()).await?,
    /// };
    /// first.await?;
    /// assert!(producer.try_send(&record)?.is_some());
    /// # Ok(())
    /// # });
    /// ```
    pub fn try_send(&self, record: &NewRecord<'_>) -> Result<Option<Delivery>> {
        match self.append(record)? {
            Append::Taken { delivery, .. } => Ok(Some(delivery)),
            Append::Full | Append::NoTopic => Ok(None),
        }
    }

    fn append(&self, record: &NewRecord<'_>) -> Result<Append> {
        let shared = &self.handle.shared;
        let config = shared.client.config();
        let wall_ms = match record.timestamp {
            Some(timestamp) => timestamp,
            None => config.clock.wall_ms(),
        };
        let appended = shared
            .accumulator
            .lock()
            .append(Instant::now, wall_ms, record, &config.random)?;
        if matches!(appended, Append::Taken { news: true, .. } | Append::Full) {
            shared.news.notify_one();
        }
        Ok(appended)
    }

    /// Sends what is batched now, and waits until all of it is delivered or given up. Records that are sent
    /// meanwhile are not waited for.
    ///
    /// ```
    /// # testkit::with_node(async |servers| -> client::Result<()> {
    /// # let client = client::Client::new(client::ClientConfig::new(&servers))?;
    /// # client.admin().create_topics(&[client::NewTopic::new("orders").partitions(3)]).await?;
    /// # let producer = client.producer(client::ProducerConfig::default())?;
    /// use client::NewRecord;
    ///
    /// let delivery = producer.send(NewRecord::to("orders").value("paid")).await?;
    /// producer.flush().await;
    /// assert!(delivery.await.is_ok());
    /// # Ok(())
    /// # });
    /// ```
    pub async fn flush(&self) {
        let shared = &self.handle.shared;
        let _hurry = Hurry::new(shared);
        let fates = shared.accumulator.lock().fates();
        for fate in fates {
            fate.settled().await;
        }
    }

    /// Takes no more records, sends what is batched and waits for it, at most `within`. What is not delivered then is
    /// given up with [`Error::Closed`]. Every clone is closed with it.
    ///
    /// ```
    /// # testkit::with_node(async |servers| -> client::Result<()> {
    /// # let client = client::Client::new(client::ClientConfig::new(&servers))?;
    /// # client.admin().create_topics(&[client::NewTopic::new("orders").partitions(3)]).await?;
    /// # let producer = client.producer(client::ProducerConfig::default())?;
    /// use std::time::Duration;
    ///
    /// producer.close(Duration::from_secs(10)).await?;
    /// assert!(producer.send(client::NewRecord::to("orders").value("late")).await.is_err());
    /// # Ok(())
    /// # });
    /// ```
    pub async fn close(&self, within: Duration) -> Result<()> {
        let shared = &self.handle.shared;
        shared.accumulator.lock().closed = true;
        shared.news.notify_one();
        let flushed = tokio::time::timeout(within, self.flush()).await;
        if flushed.is_err() {
            shared.accumulator.lock().fail_all(&Error::Closed);
            shared.news.notify_one();
            return Err(Error::TimedOut {
                what: "closing the producer".into(),
                after: within,
                last: None,
            });
        }
        Ok(())
    }
}
