//! Records as a poll gives them: borrowed from the answer that brought them.

use bytes::Bytes;
use record::{BatchHeader, Headers, TimestampType};
use types::{LeaderEpoch, Offset};

use crate::TopicPartition;

/// A record. Key, value and headers borrow from the bytes that were fetched.
///
/// ```
/// # testkit::with_node(async |servers| -> client::Result<()> {
/// # let client = client::Client::new(client::ClientConfig::new(&servers))?;
/// # client.admin().create_topics(&[client::NewTopic::new("orders").partitions(3)]).await?;
/// # let producer = client.producer(client::ProducerConfig::default())?;
/// # for n in 0..9 {
/// #     producer.send(client::NewRecord::to("orders").value(&n.to_string())).await?;
/// # }
/// # producer.flush().await;
/// # let config = client::ConsumerConfig { reset: client::Reset::Earliest, ..client::ConsumerConfig::group("billing") };
/// # let mut consumer = client.consumer(config)?;
/// # consumer.subscribe(&["orders"])?;
/// use std::time::Duration;
///
/// let records = consumer.poll(Duration::from_secs(5)).await?;
/// for (_, record) in records.iter() {
///     assert!(record.key.is_none() && record.value.is_some() && record.headers.is_empty());
/// }
/// # Ok(())
/// # });
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Record<'a> {
    /// Its offset.
    pub offset: Offset,
    /// Its time in ms since 1970; -1 if it has none.
    pub timestamp: i64,
    /// Whose time that is: the producer's or the broker's.
    pub timestamp_type: TimestampType,
    /// Its key.
    pub key: Option<&'a [u8]>,
    /// Its value; `None` is a tombstone.
    pub value: Option<&'a [u8]>,
    /// Its headers, in order; names may repeat.
    pub headers: Headers<'a>,
    /// The leader epoch in which it was written; -1 if it is not known.
    pub leader_epoch: LeaderEpoch,
}

/// A batch whose records are plain and walked through once already.
#[derive(Debug, Clone)]
pub(super) struct Batch {
    pub(super) header: BatchHeader,
    pub(super) payload: Bytes,
}

/// The records of one partition, in order.
#[derive(Debug, Clone)]
pub struct PartitionRecords {
    pub(super) partition: TopicPartition,
    pub(super) batches: Vec<Batch>,
    /// Records before this were not asked for.
    pub(super) from: i64,
    /// The position after these records.
    pub(super) to: i64,
    pub(super) high_watermark: i64,
}

impl PartitionRecords {
    /// Where the records lie.
    pub fn partition(&self) -> &TopicPartition {
        &self.partition
    }

    /// The offset that is read next.
    pub fn next_offset(&self) -> Offset {
        Offset(self.to)
    }

    /// Records that the partition has after these, as of the fetch.
    pub fn lag(&self) -> u64 {
        u64::try_from(self.high_watermark.saturating_sub(self.to)).unwrap_or_default()
    }

    /// The records in order.
    pub fn iter(&self) -> impl Iterator<Item = Record<'_>> {
        let (from, to) = (self.from, self.to);
        self.batches.iter().flat_map(move |batch| {
            let timestamp_type = batch.header.timestamp_type();
            let header = &batch.header;
            let partition = &self.partition;
            let sound = record::walk(header, &batch.payload).map_while(move |one| match one {
                Ok(one) => Some(one),
                // No broker stores it, and what follows cannot be told apart from it.
                Err(error) => {
                    let base_offset = header.base_offset;
                    tracing::error!(
                        %partition,
                        %base_offset,
                        %error,
                        action = "look at this batch on the broker that served it (ottla log dump, kafka-dump-log)",
                        "records of a batch are left out"
                    );
                    None
                }
            });
            sound.filter_map(move |one| {
                let offset = header.base_offset.0.saturating_add(i64::from(one.offset_delta));
                let wanted = from <= offset && offset < to;
                wanted.then_some(Record {
                    offset: Offset(offset),
                    timestamp: match timestamp_type {
                        TimestampType::LogAppendTime => header.max_timestamp,
                        TimestampType::CreateTime => one.timestamp,
                    },
                    timestamp_type,
                    key: one.key,
                    value: one.value,
                    headers: one.headers,
                    leader_epoch: header.leader_epoch,
                })
            })
        })
    }
}

/// What a poll gave.
#[derive(Debug, Clone, Default)]
pub struct Records {
    pub(super) partitions: Vec<PartitionRecords>,
}

impl Records {
    /// Whether there is no partition with records.
    pub fn is_empty(&self) -> bool {
        self.partitions.is_empty()
    }

    /// The records by partition.
    pub fn partitions(&self) -> &[PartitionRecords] {
        &self.partitions
    }

    /// Every record with its partition; those of a partition in order.
    pub fn iter(&self) -> impl Iterator<Item = (&TopicPartition, Record<'_>)> {
        self.partitions
            .iter()
            .flat_map(|one| one.iter().map(|record| (&one.partition, record)))
    }

    /// How many records there are. Walks through them.
    pub fn count(&self) -> usize {
        self.iter().count()
    }
}
