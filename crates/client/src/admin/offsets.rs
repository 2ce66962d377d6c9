//! Committed offsets of groups: list, alter, delete. The consumer uses the same requests.

use std::sync::Arc;

use protocol::messages::offset_commit_request::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use protocol::messages::offset_commit_response::OffsetCommitResponse;
use protocol::messages::offset_delete_request::{
    OffsetDeleteRequest, OffsetDeleteRequestPartition, OffsetDeleteRequestTopic,
};
use protocol::messages::offset_delete_response::OffsetDeleteResponse;
use protocol::messages::offset_fetch_request::{
    OffsetFetchRequest, OffsetFetchRequestGroup, OffsetFetchRequestTopic, OffsetFetchRequestTopics,
};
use protocol::messages::offset_fetch_response::OffsetFetchResponse;
use types::{LeaderEpoch, Offset};

use super::items::{Answered, by_topic, indexes_by_topic};
use super::{Admin, Each, TopicPartition};
use crate::wire::Request;
use crate::{Error, Result};

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
    ///
    /// ```
    /// # testkit::with_node(async |servers| -> client::Result<()> {
    /// # let client = client::Client::new(client::ClientConfig::new(&servers))?;
    /// # client.admin().create_topics(&[client::NewTopic::new("orders").partitions(3)]).await?;
    /// # let committed = client::CommittedOffset::new(client::Offset(4));
    /// # client.admin().alter_offsets("billing", &[(client::TopicPartition::new("orders", 0), committed)]).await?;
    /// # let admin = client.admin();
    /// for (partition, committed) in admin.committed_offsets("billing", None).await? {
    ///     assert_eq!((partition.to_string().as_str(), committed.offset.0), ("orders-0", 4));
    /// }
    /// # Ok(())
    /// # });
    /// ```
    pub async fn committed_offsets(
        &self,
        group: &str,
        partitions: Option<&[TopicPartition]>,
    ) -> Result<Vec<(TopicPartition, CommittedOffset)>> {
        let what = format!("committed offsets of group {group}");
        let request = |version| fetch_request(group, partitions, version);
        let read = |version, answer: &OffsetFetchResponse| read_committed(group, version, answer);
        self.ask_coordinator(group, &what, &BY_NAME_FETCH, request, read)
            .await
    }

    /// Sets what a group has committed. The group must have no members.
    ///
    /// ```
    /// # testkit::with_node(async |servers| -> client::Result<()> {
    /// # let client = client::Client::new(client::ClientConfig::new(&servers))?;
    /// # client.admin().create_topics(&[client::NewTopic::new("orders").partitions(3)]).await?;
    /// # let admin = client.admin();
    /// use client::{CommittedOffset, Offset, TopicPartition};
    ///
    /// let back = (TopicPartition::new("orders", 0), CommittedOffset::new(Offset(0)));
    /// for (partition, outcome) in admin.alter_offsets("billing", &[back]).await? {
    ///     outcome?;
    /// }
    /// # Ok(())
    /// # });
    /// ```
    pub async fn alter_offsets(
        &self,
        group: &str,
        offsets: &[(TopicPartition, CommittedOffset)],
    ) -> Result<Each<TopicPartition, ()>> {
        let what = format!("offsets of group {group}");
        let committer = Committer::outsider();
        let request = |version| commit_request(group, &committer, offsets, version);
        let read = |_, answer: &OffsetCommitResponse| {
            let outcomes = read_commit(group, offsets, answer);
            let errors = outcomes.iter().filter_map(|(_, outcome)| outcome.as_ref().err());
            match errors.into_iter().find(|error| error.is_retriable()) {
                Some(error) => Err(error.clone()),
                None => Ok(outcomes),
            }
        };
        self.ask_coordinator(group, &what, &BY_NAME_COMMIT, request, read)
            .await
    }

    /// Commits once, for a member or from outside.
    pub(crate) async fn commit_once(
        &self,
        group: &str,
        committer: &Committer,
        offsets: &[(TopicPartition, CommittedOffset)],
    ) -> Result<Each<TopicPartition, ()>> {
        let request = |version| commit_request(group, committer, offsets, version);
        let (_, answer) = self
            .ask_coordinator_once(group, &BY_NAME_COMMIT, &request)
            .await?;
        Ok(read_commit(group, offsets, &answer))
    }

    /// Deletes what a group has committed for partitions that no member subscribes to.
    ///
    /// ```
    /// # testkit::with_node(async |servers| -> client::Result<()> {
    /// # let client = client::Client::new(client::ClientConfig::new(&servers))?;
    /// # client.admin().create_topics(&[client::NewTopic::new("orders").partitions(3)]).await?;
    /// # let committed = client::CommittedOffset::new(client::Offset(4));
    /// # client.admin().alter_offsets("billing", &[(client::TopicPartition::new("orders", 0), committed)]).await?;
    /// # let admin = client.admin();
    /// use client::TopicPartition;
    ///
    /// for (partition, outcome) in admin.delete_offsets("billing", &[TopicPartition::new("orders", 0)]).await? {
    ///     outcome?;
    /// }
    /// # Ok(())
    /// # });
    /// ```
    pub async fn delete_offsets(
        &self,
        group: &str,
        partitions: &[TopicPartition],
    ) -> Result<Each<TopicPartition, ()>> {
        let what = format!("deleting offsets of group {group}");
        let request = |_| delete_request(group, partitions);
        let read = |_, answer: &OffsetDeleteResponse| {
            Error::check(answer.error_code, || format!("offsets of group {group}"))?;
            let items = answer.topics.iter().flat_map(|topic| {
                let each = topic.partitions.iter();
                each.map(|one| (topic.name.as_str(), one.partition_index, &one.error_code))
            });
            Ok(read_codes(group, partitions.iter(), items))
        };
        let versions = OffsetDeleteRequest::VERSIONS;
        self.ask_coordinator(group, &what, &versions, request, read).await
    }
}

fn fetch_request(group: &str, partitions: Option<&[TopicPartition]>, version: i16) -> OffsetFetchRequest {
    let topics = partitions.map(indexes_by_topic);
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
    request
}

fn commit_request(
    group: &str,
    committer: &Committer,
    offsets: &[(TopicPartition, CommittedOffset)],
    version: i16,
) -> OffsetCommitRequest {
    let items = offsets.iter().map(|(partition, committed)| {
        let item = OffsetCommitRequestPartition {
            partition_index: partition.partition,
            committed_offset: committed.offset.0,
            committed_leader_epoch: match version {
                6.. => committed.leader_epoch.0,
                _ => -1,
            },
            committed_metadata: Some(committed.metadata.as_str().into()),
            ..OffsetCommitRequestPartition::default()
        };
        (partition, item)
    });
    let topic = |(name, partitions): (Arc<str>, _)| OffsetCommitRequestTopic {
        name: (&*name).into(),
        partitions,
        ..OffsetCommitRequestTopic::default()
    };
    OffsetCommitRequest {
        group_id: group.into(),
        generation_id_or_member_epoch: committer.generation,
        member_id: committer.member_id.as_str().into(),
        group_instance_id: committer
            .instance_id
            .as_deref()
            .filter(|_| 7 <= version)
            .map(Into::into),
        topics: by_topic(items).into_iter().map(topic).collect(),
        ..OffsetCommitRequest::default()
    }
}

fn delete_request(group: &str, partitions: &[TopicPartition]) -> OffsetDeleteRequest {
    let items = partitions.iter().map(|partition| {
        let item = OffsetDeleteRequestPartition {
            partition_index: partition.partition,
            ..OffsetDeleteRequestPartition::default()
        };
        (partition, item)
    });
    let topic = |(name, partitions): (Arc<str>, _)| OffsetDeleteRequestTopic {
        name: (&*name).into(),
        partitions,
        ..OffsetDeleteRequestTopic::default()
    };
    OffsetDeleteRequest {
        group_id: group.into(),
        topics: by_topic(items).into_iter().map(topic).collect(),
        ..OffsetDeleteRequest::default()
    }
}

fn read_commit(
    group: &str,
    offsets: &[(TopicPartition, CommittedOffset)],
    answer: &OffsetCommitResponse,
) -> Each<TopicPartition, ()> {
    let items = answer.topics.iter().flat_map(|topic| {
        let each = topic.partitions.iter();
        each.map(|one| (topic.name.as_str(), one.partition_index, &one.error_code))
    });
    read_codes(group, offsets.iter().map(|(partition, _)| partition), items)
}

/// The outcome for each partition out of an answer's error codes.
fn read_codes<'a>(
    group: &str,
    partitions: impl Iterator<Item = &'a TopicPartition>,
    items: impl Iterator<Item = (&'a str, i32, &'a i16)>,
) -> Each<TopicPartition, ()> {
    let answered = Answered::new("the coordinator", items);
    let outcome = |partition: &TopicPartition| {
        Error::check(*answered.of(partition)?, || {
            format!("offset of {partition} in group {group}")
        })
    };
    partitions
        .map(|partition| (partition.clone(), outcome(partition)))
        .collect()
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
