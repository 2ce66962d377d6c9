//! Offsets by time, and the deletion of records: requests to the leaders of partitions.

use std::ops::RangeInclusive;
use std::sync::Arc;

use protocol::messages::delete_records_request::{
    DeleteRecordsPartition, DeleteRecordsRequest, DeleteRecordsTopic,
};
use protocol::messages::delete_records_response::DeleteRecordsResponse;
use protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsRequest, ListOffsetsTopic};
use protocol::messages::list_offsets_response::ListOffsetsResponse;
use types::{LeaderEpoch, Offset};

use super::items::{Answered, by_topic};
use super::leaders::{Place, Question};
use super::{Admin, Each, TopicPartition};
use crate::wire::Request;
use crate::{Error, Result};

/// Which offset of a partition is wanted (`OffsetSpec` of Kafka's admin client).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OffsetSpec {
    /// The first offset that is still there.
    Earliest,
    /// The offset that comes next: the high watermark, or the last stable offset if transactions are respected.
    Latest,
    /// The first record with this timestamp or a later one, in ms since 1970.
    At(i64),
    /// The record with the largest timestamp.
    MaxTimestamp,
    /// The first offset that is on the broker's own disk (KIP-405).
    EarliestLocal,
    /// The last offset that is in tiered storage (KIP-1005).
    LatestTiered,
}

impl OffsetSpec {
    fn timestamp(self) -> i64 {
        match self {
            OffsetSpec::Latest => -1,
            OffsetSpec::Earliest => -2,
            OffsetSpec::MaxTimestamp => -3,
            OffsetSpec::EarliestLocal => -4,
            OffsetSpec::LatestTiered => -5,
            OffsetSpec::At(timestamp) => timestamp.max(0),
        }
    }

    /// The lowest version of ListOffsets that knows it.
    fn version_min(self) -> i16 {
        match self {
            OffsetSpec::MaxTimestamp => 7,
            OffsetSpec::EarliestLocal => 8,
            OffsetSpec::LatestTiered => 9,
            _ => 1,
        }
    }
}

/// Whether records of open and aborted transactions count (`isolation.level`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Isolation {
    /// Everything below the high watermark.
    #[default]
    ReadUncommitted,
    /// Everything below the last stable offset, aborted transactions left out.
    ReadCommitted,
}

impl Isolation {
    pub(crate) fn code(self) -> i8 {
        match self {
            Isolation::ReadUncommitted => 0,
            Isolation::ReadCommitted => 1,
        }
    }
}

/// An offset that was looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FoundOffset {
    /// The offset; `None` if no record is that late.
    pub offset: Option<Offset>,
    /// The record's timestamp in ms; -1 for the ends of the log.
    pub timestamp: i64,
    /// The leader epoch in which the record was written; -1 if the broker does not tell.
    pub leader_epoch: LeaderEpoch,
}

impl Admin {
    /// Looks up offsets.
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
    /// # let admin = client.admin();
    /// use client::{Isolation, OffsetSpec, TopicPartition};
    ///
    /// let wanted = [(TopicPartition::new("orders", 0), OffsetSpec::Earliest)];
    /// for (partition, found) in admin.list_offsets(&wanted, Isolation::ReadUncommitted).await? {
    ///     assert_eq!(found?.offset, Some(client::Offset(0)));
    /// }
    /// # Ok(())
    /// # });
    /// ```
    pub async fn list_offsets(
        &self,
        wanted: &[(TopicPartition, OffsetSpec)],
        isolation: Isolation,
    ) -> Result<Each<TopicPartition, FoundOffset>> {
        let timeout_ms = self.timeout_ms();
        self.ask_leaders(&Lookup {
            wanted,
            isolation,
            timeout_ms,
        })
        .await
    }

    /// Deletes the records of partitions below an offset; `None` stands for the high watermark. Gives the first
    /// offset that is left.
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
    /// # let admin = client.admin();
    /// use client::TopicPartition;
    ///
    /// // Everything that is there now.
    /// for (partition, first) in admin.delete_records(&[(TopicPartition::new("orders", 0), None)]).await? {
    ///     println!("{partition} begins at {} now", first?);
    /// }
    /// # Ok(())
    /// # });
    /// ```
    pub async fn delete_records(
        &self,
        below: &[(TopicPartition, Option<Offset>)],
    ) -> Result<Each<TopicPartition, Offset>> {
        let timeout_ms = self.timeout_ms();
        self.ask_leaders(&Deletion { below, timeout_ms }).await
    }
}

/// Which offsets are looked up.
struct Lookup<'a> {
    wanted: &'a [(TopicPartition, OffsetSpec)],
    isolation: Isolation,
    timeout_ms: i32,
}

impl Question for Lookup<'_> {
    type Request = ListOffsetsRequest;
    type Outcome = FoundOffset;

    fn what(&self) -> &'static str {
        "looking up offsets"
    }

    fn partitions(&self) -> Vec<&TopicPartition> {
        self.wanted.iter().map(|(partition, _)| partition).collect()
    }

    fn versions(&self, places: &[Place]) -> RangeInclusive<i16> {
        let isolation_min = match self.isolation {
            Isolation::ReadCommitted => 2,
            Isolation::ReadUncommitted => 1,
        };
        let specs = places.iter().filter_map(|(index, _)| self.wanted.get(*index));
        let version_min = specs
            .map(|(_, spec)| spec.version_min())
            .fold(isolation_min, i16::max);
        version_min..=*ListOffsetsRequest::VERSIONS.end()
    }

    fn request(&self, version: i16, places: &[Place]) -> ListOffsetsRequest {
        let items = places.iter().filter_map(|(index, epoch)| {
            let (partition, spec) = self.wanted.get(*index)?;
            let item = ListOffsetsPartition {
                partition_index: partition.partition,
                current_leader_epoch: if 4 <= version { epoch.0 } else { -1 },
                timestamp: spec.timestamp(),
                ..ListOffsetsPartition::default()
            };
            Some((partition, item))
        });
        let topic = |(name, partitions): (Arc<str>, _)| ListOffsetsTopic {
            name: (&*name).into(),
            partitions,
            ..ListOffsetsTopic::default()
        };
        ListOffsetsRequest {
            replica_id: -1,
            isolation_level: self.isolation.code(),
            topics: by_topic(items).into_iter().map(topic).collect(),
            timeout_ms: if 10 <= version { self.timeout_ms } else { 0 },
            ..ListOffsetsRequest::default()
        }
    }

    fn read(&self, answer: &ListOffsetsResponse, places: &[Place]) -> Vec<(usize, Result<FoundOffset>)> {
        let items = answer.topics.iter().flat_map(|topic| {
            let each = topic.partitions.iter();
            each.map(|one| (topic.name.as_str(), one.partition_index, one))
        });
        let answered = Answered::new("the leader", items);
        let outcome = |partition: &TopicPartition| {
            let one = answered.of(partition)?;
            Error::check(one.error_code, || partition.to_string())?;
            Ok(FoundOffset {
                offset: (0 <= one.offset).then_some(Offset(one.offset)),
                timestamp: one.timestamp,
                leader_epoch: LeaderEpoch(one.leader_epoch),
            })
        };
        let named = places
            .iter()
            .filter_map(|(index, _)| Some((*index, self.wanted.get(*index)?)));
        named
            .map(|(index, (partition, _))| (index, outcome(partition)))
            .collect()
    }
}

/// Which records are deleted.
struct Deletion<'a> {
    below: &'a [(TopicPartition, Option<Offset>)],
    timeout_ms: i32,
}

impl Question for Deletion<'_> {
    type Request = DeleteRecordsRequest;
    type Outcome = Offset;

    fn what(&self) -> &'static str {
        "deleting records"
    }

    fn partitions(&self) -> Vec<&TopicPartition> {
        self.below.iter().map(|(partition, _)| partition).collect()
    }

    fn versions(&self, _: &[Place]) -> RangeInclusive<i16> {
        DeleteRecordsRequest::VERSIONS
    }

    fn request(&self, _: i16, places: &[Place]) -> DeleteRecordsRequest {
        let items = places.iter().filter_map(|(index, _)| {
            let (partition, offset) = self.below.get(*index)?;
            let item = DeleteRecordsPartition {
                partition_index: partition.partition,
                offset: offset.map_or(-1, |offset| offset.0),
                ..DeleteRecordsPartition::default()
            };
            Some((partition, item))
        });
        let topic = |(name, partitions): (Arc<str>, _)| DeleteRecordsTopic {
            name: (&*name).into(),
            partitions,
            ..DeleteRecordsTopic::default()
        };
        DeleteRecordsRequest {
            topics: by_topic(items).into_iter().map(topic).collect(),
            timeout_ms: self.timeout_ms,
            ..DeleteRecordsRequest::default()
        }
    }

    fn read(&self, answer: &DeleteRecordsResponse, places: &[Place]) -> Vec<(usize, Result<Offset>)> {
        let items = answer.topics.iter().flat_map(|topic| {
            let each = topic.partitions.iter();
            each.map(|one| (topic.name.as_str(), one.partition_index, one))
        });
        let answered = Answered::new("the leader", items);
        let outcome = |partition: &TopicPartition| {
            let one = answered.of(partition)?;
            Error::check(one.error_code, || partition.to_string())?;
            Ok(Offset(one.low_watermark))
        };
        let named = places
            .iter()
            .filter_map(|(index, _)| Some((*index, self.below.get(*index)?)));
        named
            .map(|(index, (partition, _))| (index, outcome(partition)))
            .collect()
    }
}
