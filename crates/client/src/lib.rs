//! A client of Kafka's protocol, for Ottla and for Apache Kafka alike: producer, consumer, admin.
//!
//! Everything is async over tokio; a [`Client`] is made from a [`ClientConfig`] and the rest from it. The client does
//! not trust its brokers: frames, arrays and decompressed sizes are bounded.
//!
//! ```
//! # testkit::with_node(async |servers| -> client::Result<()> {
//! use client::{Client, ClientConfig, NewTopic};
//!
//! let client = Client::new(ClientConfig::new(&servers))?;
//! let admin = client.admin();
//! for (topic, outcome) in admin.create_topics(&[NewTopic::new("orders").partitions(6)]).await? {
//!     println!("{topic} has {} partitions", outcome?.partitions);
//! }
//! # Ok(())
//! # });
//! ```
#![warn(missing_docs)]

mod admin;
mod backoff;
mod client;
mod config;
mod consumer;
mod error;
#[cfg(test)]
mod hostile;
mod metadata;
mod pool;
mod producer;
mod retry;
pub mod security;
pub mod transport;
mod wire;

pub use admin::*;
pub use client::{Client, To};
pub use config::ClientConfig;
pub use consumer::{
    Assignor, Consumer, ConsumerConfig, PartitionRecords, RebalanceListener, Record, Records, Reset,
};
pub use error::{Error, Result};
pub use metadata::{Broker, Metadata, Partition, Topic};
pub use producer::{Acks, Delivered, Delivery, NewRecord, Producer, ProducerConfig, partition_of_key};
pub use record::{Codec, TimestampType};
pub use types::{BrokerId, ErrorCode, LeaderEpoch, Offset, PartitionIndex, TopicId, Uuid};
pub use wire::{Feature, Handshake, Request, Versions};

/// Kafka's messages, for [`Client::call`].
pub use protocol;
