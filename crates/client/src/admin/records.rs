//! Offsets by time, and the deletion of records: requests to the leaders of partitions.

use std::sync::Arc;

use protocol::messages::delete_records_request::{
    DeleteRecordsPartition, DeleteRecordsRequest, DeleteRecordsTopic,
};
use protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsRequest, ListOffsetsTopic};
use protocol::messages::list_offsets_response::ListOffsetsResponse;
use rustc_hash::FxHashSet;
use types::{BrokerId, LeaderEpoch, Offset};

use super::{Admin, Each, TopicPartition};
use crate::client::Wanted;
use crate::pool::Lane;
use crate::retry::Retry;
use crate::wire::{Answer, Request};
use crate::{Error, Result, To};

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

/// What one round over the leaders gave: answers by place, and what is to be tried again.
struct Round<T> {
    done: Vec<(usize, Result<T>)>,
    again: Option<Error>,
}

impl<T> Round<T> {
    fn new(failed: Vec<(usize, Error)>) -> Round<T> {
        let mut round = Round {
            done: Vec::new(),
            again: None,
        };
        failed
            .into_iter()
            .for_each(|(index, error)| round.put(index, Err(error)));
        round
    }

    fn put(&mut self, index: usize, outcome: Result<T>) {
        match outcome {
            Err(error) if error.is_retriable() => self.again = Some(error),
            outcome => self.done.push((index, outcome)),
        }
    }
}

impl Admin {
    /// Looks up offsets.
    ///
    /// ```no_run
    /// # async fn example(admin: client::Admin) -> client::Result<()> {
    /// use client::{Isolation, OffsetSpec, TopicPartition};
    ///
    /// let wanted = [(TopicPartition::new("orders", 0), OffsetSpec::Latest)];
    /// for (partition, found) in admin.list_offsets(&wanted, Isolation::ReadUncommitted).await? {
    ///     println!("{partition} ends at {:?}", found?.offset);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn list_offsets(
        &self,
        wanted: &[(TopicPartition, OffsetSpec)],
        isolation: Isolation,
    ) -> Result<Each<TopicPartition, FoundOffset>> {
        let mut found: Vec<Option<Result<FoundOffset>>> = vec![None; wanted.len()];
        let mut retry = self.client.retry("looking up offsets");
        while found.iter().any(Option::is_none) {
            let round = match self.list_offsets_round(wanted, &found, isolation).await {
                Ok(round) => round,
                Err(error) => Round {
                    done: Vec::new(),
                    again: Some(error),
                },
            };
            self.settle(
                round,
                &mut found,
                &mut retry,
                wanted.iter().map(|(partition, _)| partition),
            )
            .await?;
        }
        Ok(wanted
            .iter()
            .map(|(partition, _)| partition.clone())
            .zip(found.into_iter().flatten())
            .collect())
    }

    async fn list_offsets_round(
        &self,
        wanted: &[(TopicPartition, OffsetSpec)],
        found: &[Option<Result<FoundOffset>>],
        isolation: Isolation,
    ) -> Result<Round<FoundOffset>> {
        let open = wanted
            .iter()
            .zip(found)
            .enumerate()
            .filter(|(_, (_, found))| found.is_none());
        let open = open.map(|(index, ((partition, _), _))| (index, partition));
        // A request may name a partition once: its second offset is for the next round.
        let mut named: FxHashSet<&TopicPartition> = FxHashSet::default();
        let open = open.filter(|(_, partition)| named.insert(partition));
        let (by_leader, failed) = self.by_leader(open).await?;
        let mut round = Round::new(failed);
        let mut answers = Vec::new();
        for (leader, places) in by_leader {
            let sent = self.send_list_offsets(leader, &places, wanted, isolation).await;
            answers.push((places, sent));
        }
        for (places, sent) in answers {
            let answer = match sent {
                Ok(answer) => answer.receive().await,
                Err(error) => Err(error),
            };
            for (index, _) in places {
                let Some((partition, _)) = wanted.get(index) else {
                    continue;
                };
                let outcome = answer.as_ref().map_err(Error::clone);
                round.put(index, outcome.and_then(|answer| read_found(answer, partition)));
            }
        }
        Ok(round)
    }

    /// Asks one leader for the offsets at `places` of the caller's list.
    async fn send_list_offsets(
        &self,
        leader: BrokerId,
        places: &[(usize, LeaderEpoch)],
        wanted: &[(TopicPartition, OffsetSpec)],
        isolation: Isolation,
    ) -> Result<Answer<ListOffsetsResponse>> {
        let items = || {
            places
                .iter()
                .filter_map(|(index, epoch)| Some((wanted.get(*index)?, *epoch)))
        };
        let isolation_min = if isolation == Isolation::ReadCommitted {
            2
        } else {
            1
        };
        let version_min = items()
            .map(|((_, spec), _)| spec.version_min())
            .fold(isolation_min, i16::max);
        let versions = version_min..=*ListOffsetsRequest::VERSIONS.end();
        let connection = self.client.connection(To::Broker(leader), Lane::Calls).await?;
        let version = connection.version_of::<ListOffsetsRequest>(&versions)?;
        let mut request = ListOffsetsRequest {
            replica_id: -1,
            isolation_level: isolation.code(),
            timeout_ms: if 10 <= version { self.timeout_ms() } else { 0 },
            ..ListOffsetsRequest::default()
        };
        for ((partition, spec), epoch) in items() {
            let item = ListOffsetsPartition {
                partition_index: partition.partition,
                current_leader_epoch: if 4 <= version { epoch.0 } else { -1 },
                timestamp: spec.timestamp(),
                ..ListOffsetsPartition::default()
            };
            match request
                .topics
                .iter_mut()
                .find(|topic| topic.name == *partition.topic)
            {
                Some(topic) => topic.partitions.push(item),
                None => request.topics.push(ListOffsetsTopic {
                    name: (&*partition.topic).into(),
                    partitions: vec![item],
                    ..ListOffsetsTopic::default()
                }),
            }
        }
        connection.send(
            &request,
            &(version..=version),
            self.client.config().request_timeout,
        )
    }

    /// Deletes the records of partitions below an offset; `None` stands for the high watermark. Gives the first
    /// offset that is left.
    pub async fn delete_records(
        &self,
        below: &[(TopicPartition, Option<Offset>)],
    ) -> Result<Each<TopicPartition, Offset>> {
        let mut found: Vec<Option<Result<Offset>>> = vec![None; below.len()];
        let mut retry = self.client.retry("deleting records");
        while found.iter().any(Option::is_none) {
            let round = match self.delete_records_round(below, &found).await {
                Ok(round) => round,
                Err(error) => Round {
                    done: Vec::new(),
                    again: Some(error),
                },
            };
            self.settle(
                round,
                &mut found,
                &mut retry,
                below.iter().map(|(partition, _)| partition),
            )
            .await?;
        }
        Ok(below
            .iter()
            .map(|(partition, _)| partition.clone())
            .zip(found.into_iter().flatten())
            .collect())
    }

    async fn delete_records_round(
        &self,
        below: &[(TopicPartition, Option<Offset>)],
        found: &[Option<Result<Offset>>],
    ) -> Result<Round<Offset>> {
        let open = below
            .iter()
            .zip(found)
            .enumerate()
            .filter(|(_, (_, found))| found.is_none());
        let open = open.map(|(index, ((partition, _), _))| (index, partition));
        let (by_leader, failed) = self.by_leader(open).await?;
        let mut round = Round::new(failed);
        for (leader, places) in by_leader {
            let mut request = DeleteRecordsRequest {
                timeout_ms: self.timeout_ms(),
                ..DeleteRecordsRequest::default()
            };
            for (partition, offset) in places.iter().filter_map(|(index, _)| below.get(*index)) {
                request.topics.push(DeleteRecordsTopic {
                    name: (&*partition.topic).into(),
                    partitions: vec![DeleteRecordsPartition {
                        partition_index: partition.partition,
                        offset: offset.map_or(-1, |offset| offset.0),
                        ..DeleteRecordsPartition::default()
                    }],
                    ..DeleteRecordsTopic::default()
                });
            }
            let answer = self.client.call(To::Broker(leader), &request).await;
            for (index, _) in places {
                let Some((partition, _)) = below.get(index) else {
                    continue;
                };
                let outcome = answer.as_ref().map_err(Error::clone).and_then(|answer| {
                    let topics = answer
                        .topics
                        .iter()
                        .filter(|topic| topic.name == *partition.topic);
                    let mut all = topics.flat_map(|topic| &topic.partitions);
                    let one = all.find(|one| one.partition_index == partition.partition);
                    let one = one.ok_or_else(|| left_out(partition))?;
                    Error::check(one.error_code, || partition.to_string())?;
                    Ok(Offset(one.low_watermark))
                });
                round.put(index, outcome);
            }
        }
        Ok(round)
    }

    /// Keeps what a round gave, and waits before the next if one is needed.
    async fn settle<'a, T>(
        &self,
        round: Round<T>,
        found: &mut [Option<Result<T>>],
        retry: &mut Retry,
        partitions: impl Iterator<Item = &'a TopicPartition>,
    ) -> Result<()> {
        for (index, outcome) in round.done {
            if let Some(place) = found.get_mut(index) {
                *place = Some(outcome);
            }
        }
        let Some(error) = round.again else { return Ok(()) };
        let stale = error.wants_metadata();
        retry.pause(&self.client, error).await?;
        if stale {
            let mut names: Vec<Arc<str>> = partitions.map(|partition| partition.topic.clone()).collect();
            names.sort();
            names.dedup();
            let names: Vec<&str> = names.iter().map(|name| &**name).collect();
            let _ = self.client.refresh(Wanted::Names(&names)).await;
        }
        Ok(())
    }
}

fn read_found(answer: &ListOffsetsResponse, partition: &TopicPartition) -> Result<FoundOffset> {
    let topics = answer
        .topics
        .iter()
        .filter(|topic| topic.name == *partition.topic);
    let mut all = topics.flat_map(|topic| &topic.partitions);
    let one = all.find(|one| one.partition_index == partition.partition);
    let one = one.ok_or_else(|| left_out(partition))?;
    Error::check(one.error_code, || partition.to_string())?;
    Ok(FoundOffset {
        offset: (0 <= one.offset).then_some(Offset(one.offset)),
        timestamp: one.timestamp,
        leader_epoch: LeaderEpoch(one.leader_epoch),
    })
}

fn left_out(partition: &TopicPartition) -> Error {
    Error::Protocol {
        address: "the broker".into(),
        reason: format!("its answer leaves out {partition}"),
    }
}
