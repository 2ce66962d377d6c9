//! Settings of a producer. Names and defaults are Kafka's (`ProducerConfig`), where nothing else is said.

use std::time::Duration;

use record::Codec;

use crate::{Error, Result};

/// Which brokers must have a record before it counts as delivered.
///
/// ```
/// use client::{Acks, ProducerConfig};
///
/// // Idempotence goes with acks=all, and is off with less.
/// let config = ProducerConfig { acks: Acks::Leader, ..ProducerConfig::default() };
/// assert_eq!(config.idempotence, None);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Acks {
    /// `acks=0`: none; nothing is waited for, and nothing is known.
    None,
    /// `acks=1`: the leader.
    Leader,
    /// `acks=all`: every in-sync replica.
    #[default]
    All,
}

impl Acks {
    pub(super) fn code(self) -> i16 {
        match self {
            Acks::None => 0,
            Acks::Leader => 1,
            Acks::All => -1,
        }
    }
}

/// How records are sent.
///
/// ```
/// use client::{Acks, Codec, ProducerConfig};
///
/// let config = ProducerConfig { codec: Codec::Lz4, acks: Acks::Leader, ..ProducerConfig::default() };
/// ```
#[derive(Debug, Clone)]
pub struct ProducerConfig {
    /// `acks`.
    pub acks: Acks,
    /// `enable.idempotence`: a record that is sent again is stored once, and in order. `None`: yes if `acks=all`.
    pub idempotence: Option<bool>,
    /// `compression.type`.
    pub codec: Codec,
    /// `linger.ms`: how long a batch waits for more records.
    pub linger: Duration,
    /// `batch.size`: a batch of this many bytes waits no longer. 64 KiB; Kafka's default is 16.
    pub batch_bytes: usize,
    /// `buffer.memory`: bytes of records that may wait; more of them wait in `send`.
    pub buffer_bytes: usize,
    /// `max.request.size`: the largest record, and the largest request.
    pub request_bytes: usize,
    /// `max.block.ms`: how long `send` may wait for memory or for metadata.
    pub block_max: Duration,
    /// `delivery.timeout.ms`: how long a record may be tried.
    pub delivery_timeout: Duration,
    /// `max.in.flight.requests.per.connection`; at most 5 with idempotence.
    pub in_flight_max: usize,
    /// Whether a topic that is not there is created, if the broker's `auto.create.topics.enable` allows it.
    pub create_topics: bool,
}

impl Default for ProducerConfig {
    fn default() -> ProducerConfig {
        ProducerConfig {
            acks: Acks::All,
            idempotence: None,
            codec: Codec::None,
            linger: Duration::from_millis(5),
            batch_bytes: 64 << 10,
            buffer_bytes: 32 << 20,
            request_bytes: 1 << 20,
            block_max: Duration::from_secs(60),
            delivery_timeout: Duration::from_secs(120),
            in_flight_max: 5,
            create_topics: true,
        }
    }
}

impl ProducerConfig {
    pub(super) fn is_idempotent(&self) -> bool {
        self.idempotence.unwrap_or(self.acks == Acks::All)
    }

    pub(super) fn check(&self) -> Result<()> {
        let refuse = |name, reason: &str| {
            Err(Error::Config {
                name,
                reason: reason.into(),
            })
        };
        if self.is_idempotent() && self.acks != Acks::All {
            return refuse("acks", "idempotence needs acks=all");
        }
        if self.is_idempotent() && 5 < self.in_flight_max {
            return refuse(
                "max.in.flight.requests.per.connection",
                "idempotence allows at most 5",
            );
        }
        if self.in_flight_max == 0 {
            return refuse("max.in.flight.requests.per.connection", "at least 1");
        }
        if self.buffer_bytes < self.request_bytes {
            return refuse(
                "buffer.memory",
                "less than max.request.size: the largest record would never fit",
            );
        }
        if (i32::MAX as usize) / 2 < self.request_bytes {
            return refuse("max.request.size", "at most 1 GiB");
        }
        Ok(())
    }
}
