//! Committed offsets of groups: list, alter, delete. The consumer uses the same requests.

use std::sync::Arc;

use protocol::messages::offset_commit_request::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use protocol::messages::offset_delete_request::{
    OffsetDeleteRequest, OffsetDeleteRequestPartition, OffsetDeleteRequestTopic,
};
use protocol::messages::offset_delete_response::OffsetDeleteResponse;
use protocol::messages::offset_fetch_request::{
    OffsetFetchRequest, OffsetFetchRequestGroup, OffsetFetchRequestTopic, OffsetFetchRequestTopics,
};
use protocol::messages::offset_fetch_response::OffsetFetchResponse;
use types::{LeaderEpoch, Offset};

use super::{Admin, Each, TopicPartition};
use crate::pool::Lane;
use crate::{Error, Result, To};

/// The versions in which topics go by name; from 10 on they go by id.
const BY_NAME_COMMIT: std::ops::RangeInclusive<i16> = 2..=9;
const BY_NAME_FETCH: std::ops::RangeInclusive<i16> = 1..=9;

/// An offset that a group has committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommittedOffset {
    /// The next record that the group will read.
    pub offset: Offset,
    /// The leader epoch of the record before it; -1 if it was not said.
    pub leader_epoch: LeaderEpoch,
    /// What the committer wrote beside it.
    pub metadata: String,
}

impl CommittedOffset {
    /// An offset with nothing beside it.
    pub fn new(offset: Offset) -> CommittedOffset {
        CommittedOffset {
            offset,
            leader_epoch: LeaderEpoch::NONE,
            metadata: String::new(),
        }
    }
}

/// Who commits: a member of the group at a generation, or nobody (-1).
#[derive(Debug, Clone)]
pub(crate) struct Committer {
    pub(crate) generation: i32,
    pub(crate) member_id: String,
    pub(crate) instance_id: Option<String>,
}

impl Committer {
    /// Somebody outside the group.
    pub(crate) fn outsider() -> Committer {
        Committer {
            generation: -1,
            member_id: String::new(),
            instance_id: None,
        }
    }
}

impl Admin {
    /// What a group has committed: for `partitions`, or for all that it has if `None`. Partitions without a commit
    /// are left out.
    pub async fn committed_offsets(
        &self,
        group: &str,
        partitions: Option<&[TopicPartition]>,
    ) -> Result<Vec<(TopicPartition, CommittedOffset)>> {
        let mut retry = self
            .client
            .retry(&format!("committed offsets of group {group}"))
            .of_group(group);
        loop {
            match self.committed_once(group, partitions).await {
                Ok(committed) => return Ok(committed),
                Err(error) => retry.pause(&self.client, error).await?,
            }
        }
    }

    async fn committed_once(
        &self,
        group: &str,
        partitions: Option<&[TopicPartition]>,
    ) -> Result<Vec<(TopicPartition, CommittedOffset)>> {
        let connection = self.client.connection(To::Group(group), Lane::Group).await?;
        let version = connection.version_of::<OffsetFetchRequest>(&BY_NAME_FETCH)?;
        let topics = partitions.map(by_topic);
        let mut request = OffsetFetchRequest {
            require_stable: 7 <= version,
            ..OffsetFetchRequest::default()
        };
        if version < 8 {
            request.group_id = group.into();
            let topic = |(name, indexes): (Arc<str>, Vec<i32>)| OffsetFetchRequestTopic {
                name: (&*name).into(),
                partition_indexes: indexes,
                ..OffsetFetchRequestTopic::default()
            };
            request.topics = topics.map(|topics| topics.into_iter().map(topic).collect());
        } else {
            let topic = |(name, indexes): (Arc<str>, Vec<i32>)| OffsetFetchRequestTopics {
                name: (&*name).into(),
                partition_indexes: indexes,
                ..OffsetFetchRequestTopics::default()
            };
            request.groups = vec![OffsetFetchRequestGroup {
                group_id: group.into(),
                topics: topics.map(|topics| topics.into_iter().map(topic).collect()),
                ..OffsetFetchRequestGroup::default()
            }];
        }
        let timeout = self.client.config().request_timeout;
        let answer = connection
            .send(&request, &(version..=version), timeout)?
            .receive()
            .await?;
        read_committed(group, version, &answer)
    }

    /// Sets what a group has committed. The group must have no members.
    pub async fn alter_offsets(
        &self,
        group: &str,
        offsets: &[(TopicPartition, CommittedOffset)],
    ) -> Result<Each<TopicPartition, ()>> {
        let mut retry = self
            .client
            .retry(&format!("offsets of group {group}"))
            .of_group(group);
        loop {
            let error = match self.commit_once(group, &Committer::outsider(), offsets).await {
                Ok(outcomes) => {
                    let again = outcomes.iter().find_map(|(_, outcome)| {
                        outcome
                            .as_ref()
                            .err()
                            .filter(|error| error.is_retriable())
                            .cloned()
                    });
                    match again {
                        None => return Ok(outcomes),
                        Some(error) => error,
                    }
                }
                Err(error) => error,
            };
            retry.pause(&self.client, error).await?;
        }
    }

    /// Commits once, for a member or from outside.
    pub(crate) async fn commit_once(
        &self,
        group: &str,
        committer: &Committer,
        offsets: &[(TopicPartition, CommittedOffset)],
    ) -> Result<Each<TopicPartition, ()>> {
        let connection = self.client.connection(To::Group(group), Lane::Group).await?;
        let version = connection.version_of::<OffsetCommitRequest>(&BY_NAME_COMMIT)?;
        let mut request = OffsetCommitRequest {
            group_id: group.into(),
            generation_id_or_member_epoch: committer.generation,
            member_id: committer.member_id.as_str().into(),
            group_instance_id: committer
                .instance_id
                .as_deref()
                .filter(|_| 7 <= version)
                .map(Into::into),
            ..OffsetCommitRequest::default()
        };
        for (partition, committed) in offsets {
            let item = OffsetCommitRequestPartition {
                partition_index: partition.partition,
                committed_offset: committed.offset.0,
                committed_leader_epoch: if 6 <= version {
                    committed.leader_epoch.0
                } else {
                    -1
                },
                committed_metadata: Some(committed.metadata.as_str().into()),
                ..OffsetCommitRequestPartition::default()
            };
            match request
                .topics
                .iter_mut()
                .find(|topic| topic.name == *partition.topic)
            {
                Some(topic) => topic.partitions.push(item),
                None => request.topics.push(OffsetCommitRequestTopic {
                    name: (&*partition.topic).into(),
                    partitions: vec![item],
                    ..OffsetCommitRequestTopic::default()
                }),
            }
        }
        let timeout = self.client.config().request_timeout;
        let answer = connection
            .send(&request, &(version..=version), timeout)?
            .receive()
            .await?;
        let outcome = |partition: &TopicPartition| {
            let topics = answer
                .topics
                .iter()
                .filter(|topic| topic.name == *partition.topic);
            let mut all = topics.flat_map(|topic| &topic.partitions);
            let one = all.find(|one| one.partition_index == partition.partition);
            let one = one.ok_or_else(|| left_out(partition))?;
            Error::check(one.error_code, || {
                format!("offset of {partition} in group {group}")
            })
        };
        Ok(offsets
            .iter()
            .map(|(partition, _)| (partition.clone(), outcome(partition)))
            .collect())
    }

    /// Deletes what a group has committed for partitions that no member subscribes to.
    pub async fn delete_offsets(
        &self,
        group: &str,
        partitions: &[TopicPartition],
    ) -> Result<Each<TopicPartition, ()>> {
        let topic = |(name, indexes): (Arc<str>, Vec<i32>)| OffsetDeleteRequestTopic {
            name: (&*name).into(),
            partitions: indexes
                .into_iter()
                .map(|partition_index| OffsetDeleteRequestPartition {
                    partition_index,
                    ..OffsetDeleteRequestPartition::default()
                })
                .collect(),
            ..OffsetDeleteRequestTopic::default()
        };
        let request = OffsetDeleteRequest {
            group_id: group.into(),
            topics: by_topic(partitions).into_iter().map(topic).collect(),
            ..OffsetDeleteRequest::default()
        };
        let verdict = |answer: &OffsetDeleteResponse| {
            Error::check(answer.error_code, || format!("offsets of group {group}"))
        };
        let what = format!("deleting offsets of group {group}");
        let answer = self.ask(To::Group(group), &what, &request, verdict).await?;
        let outcome = |partition: &TopicPartition| {
            let topics = answer
                .topics
                .iter()
                .filter(|topic| topic.name == *partition.topic);
            let mut all = topics.flat_map(|topic| &topic.partitions);
            let one = all.find(|one| one.partition_index == partition.partition);
            let one = one.ok_or_else(|| left_out(partition))?;
            Error::check(one.error_code, || {
                format!("offset of {partition} in group {group}")
            })
        };
        Ok(partitions
            .iter()
            .map(|partition| (partition.clone(), outcome(partition)))
            .collect())
    }
}

/// Partitions sorted into their topics, in the order in which topics first appear.
pub(crate) fn by_topic(partitions: &[TopicPartition]) -> Vec<(Arc<str>, Vec<i32>)> {
    let mut topics: Vec<(Arc<str>, Vec<i32>)> = Vec::new();
    for partition in partitions {
        match topics.iter_mut().find(|(name, _)| *name == partition.topic) {
            Some((_, indexes)) => indexes.push(partition.partition),
            None => topics.push((partition.topic.clone(), vec![partition.partition])),
        }
    }
    topics
}

fn read_committed(
    group: &str,
    version: i16,
    answer: &OffsetFetchResponse,
) -> Result<Vec<(TopicPartition, CommittedOffset)>> {
    let what = || format!("committed offsets of group {group}");
    let mut committed = Vec::new();
    let mut keep = |topic: &str,
                    index: i32,
                    code: i16,
                    offset: i64,
                    epoch: i32,
                    note: &Option<protocol::Str>|
     -> Result<()> {
        Error::check(code, || format!("{topic}-{index} in group {group}"))?;
        if 0 <= offset {
            let value = CommittedOffset {
                offset: Offset(offset),
                leader_epoch: LeaderEpoch(epoch),
                metadata: note
                    .as_ref()
                    .map_or(String::new(), |note| note.as_str().to_owned()),
            };
            committed.push((TopicPartition::new(topic, index), value));
        }
        Ok(())
    };
    if version < 8 {
        Error::check(answer.error_code, what)?;
        for topic in &answer.topics {
            for one in &topic.partitions {
                let (offset, epoch) = (one.committed_offset, one.committed_leader_epoch);
                keep(
                    &topic.name,
                    one.partition_index,
                    one.error_code,
                    offset,
                    epoch,
                    &one.metadata,
                )?;
            }
        }
        return Ok(committed);
    }
    for one in answer.groups.iter().filter(|one| one.group_id == *group) {
        Error::check(one.error_code, what)?;
        for topic in &one.topics {
            for one in &topic.partitions {
                let (offset, epoch) = (one.committed_offset, one.committed_leader_epoch);
                keep(
                    &topic.name,
                    one.partition_index,
                    one.error_code,
                    offset,
                    epoch,
                    &one.metadata,
                )?;
            }
        }
    }
    Ok(committed)
}

fn left_out(partition: &TopicPartition) -> Error {
    Error::Protocol {
        address: "the coordinator".into(),
        reason: format!("its answer leaves out {partition}"),
    }
}
