//! Groups: list, describe, delete, remove members. Classic groups and consumer groups (KIP-848) look the same here.

use protocol::messages::consumer_group_describe_request::ConsumerGroupDescribeRequest;
use protocol::messages::consumer_group_describe_response::{self, ConsumerGroupDescribeResponse};
use protocol::messages::consumer_protocol_assignment::ConsumerProtocolAssignment;
use protocol::messages::delete_groups_request::DeleteGroupsRequest;
use protocol::messages::delete_groups_response::DeleteGroupsResponse;
use protocol::messages::describe_groups_request::DescribeGroupsRequest;
use protocol::messages::describe_groups_response::{self, DescribeGroupsResponse};
use protocol::messages::leave_group_request::{LeaveGroupRequest, MemberIdentity};
use protocol::messages::leave_group_response::LeaveGroupResponse;
use protocol::messages::list_groups_request::ListGroupsRequest;
use protocol::messages::list_groups_response::ListGroupsResponse;
use protocol::{ApiKey, Budget, Decode, Reader};
use types::{BrokerId, ErrorCode};

use super::{Admin, Each, TopicPartition};
use crate::client::Wanted;
use crate::{Error, Result, To};

/// A group in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupListing {
    /// Its id.
    pub group: String,
    /// What its members are: `consumer`, `connect`, ...
    pub protocol_type: String,
    /// Its state, such as `Stable`; empty if the broker does not tell.
    pub state: String,
    /// Its type, such as `classic`; empty if the broker does not tell.
    pub group_type: String,
}

/// A group and its members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupDescription {
    /// Its state, such as `Stable`.
    pub state: String,
    /// What its members are: `consumer`, `connect`, ...
    pub protocol_type: String,
    /// `classic` or `consumer`.
    pub group_type: String,
    /// How partitions are spread, such as `range`; empty while nothing is.
    pub assignor: String,
    /// The broker that looks after it.
    pub coordinator: BrokerId,
    /// Its members.
    pub members: Vec<GroupMember>,
}

/// A member of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupMember {
    /// Its id.
    pub member_id: String,
    /// `group.instance.id` of a static member.
    pub instance_id: Option<String>,
    /// Its `client.id`.
    pub client_id: String,
    /// Where it connects from.
    pub host: String,
    /// The partitions that it has.
    pub assignment: Vec<TopicPartition>,
}

impl Admin {
    /// Every group that the brokers know, by id.
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
    /// # while consumer.poll(std::time::Duration::from_secs(1)).await?.is_empty() {}
    /// # consumer.commit().await?;
    /// # let admin = client.admin();
    /// let groups = admin.list_groups().await?;
    /// assert_eq!(groups[0].group, "billing");
    /// # Ok(())
    /// # });
    /// ```
    pub async fn list_groups(&self) -> Result<Vec<GroupListing>> {
        let mut retry = self.client.retry("listing groups");
        while let Err(error) = self.client.refresh(Wanted::Nothing).await {
            retry.pause(&self.client, error).await?;
        }
        let mut groups: Vec<GroupListing> = Vec::new();
        for broker in &self.client.metadata().brokers {
            let request = ListGroupsRequest::default();
            let what = format!("groups of broker {}", broker.id);
            let verdict = |answer: &ListGroupsResponse| Error::check(answer.error_code, || what.clone());
            let answer = self.ask(To::Broker(broker.id), &what, &request, verdict).await?;
            groups.extend(answer.groups.iter().map(|group| GroupListing {
                group: group.group_id.as_str().to_owned(),
                protocol_type: group.protocol_type.as_str().to_owned(),
                state: group.group_state.as_str().to_owned(),
                group_type: group.group_type.as_str().to_owned(),
            }));
        }
        groups.sort_by(|a, b| a.group.cmp(&b.group));
        // While a coordinator moves, two brokers may know the same group.
        groups.dedup_by(|a, b| a.group == b.group);
        Ok(groups)
    }

    /// Describes groups. A group that does not exist is `GROUP_ID_NOT_FOUND`.
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
    /// # while consumer.poll(std::time::Duration::from_secs(1)).await?.is_empty() {}
    /// # consumer.commit().await?;
    /// # let admin = client.admin();
    /// for (group, described) in admin.describe_groups(&["billing"]).await? {
    ///     let described = described?;
    ///     assert_eq!((described.state.as_str(), described.members.len()), ("Stable", 1));
    /// }
    /// # Ok(())
    /// # });
    /// ```
    pub async fn describe_groups(&self, groups: &[&str]) -> Result<Each<String, GroupDescription>> {
        let mut outcomes = Vec::with_capacity(groups.len());
        for group in groups {
            outcomes.push(((*group).to_owned(), self.describe_group(group).await));
        }
        Ok(outcomes)
    }

    async fn describe_group(&self, group: &str) -> Result<GroupDescription> {
        // As Kafka's admin client: first as a consumer group, then as a classic one.
        match self.describe_consumer_group(group).await {
            Err(Error::UnsupportedVersion { .. }) => self.describe_classic_group(group).await,
            Err(error) if error.code() == Some(ErrorCode::GroupIdNotFound) => {
                self.describe_classic_group(group).await
            }
            outcome => outcome,
        }
    }

    async fn describe_consumer_group(&self, group: &str) -> Result<GroupDescription> {
        let request = ConsumerGroupDescribeRequest {
            group_ids: vec![group.into()],
            ..ConsumerGroupDescribeRequest::default()
        };
        let verdict = |answer: &ConsumerGroupDescribeResponse| {
            let one = answer.groups.first().ok_or_else(|| left_out(group))?;
            Error::check_with(one.error_code, one.error_message.as_ref(), || {
                format!("group {group}")
            })
        };
        let answer = self
            .ask(
                To::Group(group),
                &format!("describing group {group}"),
                &request,
                verdict,
            )
            .await?;
        let one = answer.groups.first().ok_or_else(|| left_out(group))?;
        Ok(GroupDescription {
            state: one.group_state.as_str().to_owned(),
            protocol_type: "consumer".into(),
            group_type: "consumer".into(),
            assignor: one.assignor_name.as_str().to_owned(),
            coordinator: self.client.coordinator(group).await?,
            members: one.members.iter().map(consumer_member).collect(),
        })
    }

    async fn describe_classic_group(&self, group: &str) -> Result<GroupDescription> {
        let request = DescribeGroupsRequest {
            groups: vec![group.into()],
            ..DescribeGroupsRequest::default()
        };
        let what = || format!("group {group}");
        let verdict = |answer: &DescribeGroupsResponse| {
            let one = answer.groups.first().ok_or_else(|| left_out(group))?;
            Error::check_with(one.error_code, one.error_message.as_ref(), what)
        };
        let answer = self
            .ask(
                To::Group(group),
                &format!("describing group {group}"),
                &request,
                verdict,
            )
            .await?;
        let one = answer.groups.first().ok_or_else(|| left_out(group))?;
        // Before version 6 a group that does not exist is one that is dead.
        if one.group_state == "Dead" && one.members.is_empty() {
            Error::check(ErrorCode::GroupIdNotFound.code(), what)?;
        }
        Ok(GroupDescription {
            state: one.group_state.as_str().to_owned(),
            protocol_type: one.protocol_type.as_str().to_owned(),
            group_type: "classic".into(),
            assignor: one.protocol_data.as_str().to_owned(),
            coordinator: self.client.coordinator(group).await?,
            members: one
                .members
                .iter()
                .map(|member| classic_member(member, &one.protocol_type))
                .collect(),
        })
    }

    /// Deletes groups that have no members.
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
    /// # while consumer.poll(std::time::Duration::from_secs(1)).await?.is_empty() {}
    /// # consumer.commit().await?;
    /// # consumer.close().await?;
    /// # let admin = client.admin();
    /// for (group, outcome) in admin.delete_groups(&["billing"]).await? {
    ///     outcome?;
    /// }
    /// assert!(admin.list_groups().await?.is_empty());
    /// # Ok(())
    /// # });
    /// ```
    pub async fn delete_groups(&self, groups: &[&str]) -> Result<Each<String, ()>> {
        let mut outcomes = Vec::with_capacity(groups.len());
        for group in groups {
            let request = DeleteGroupsRequest {
                groups_names: vec![(*group).into()],
                ..DeleteGroupsRequest::default()
            };
            let verdict = |answer: &DeleteGroupsResponse| {
                let one = answer.results.first().ok_or_else(|| left_out(group))?;
                Error::check(one.error_code, || format!("group {group}"))
            };
            let what = format!("deleting group {group}");
            let asked = self.ask(To::Group(group), &what, &request, verdict).await;
            outcomes.push(((*group).to_owned(), asked.map(|_| ())));
        }
        Ok(outcomes)
    }

    /// Removes members from a group: static ones by instance id, others by member id.
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
    /// # while consumer.poll(std::time::Duration::from_secs(1)).await?.is_empty() {}
    /// # consumer.commit().await?;
    /// # let admin = client.admin();
    /// // By member id, or by `group.instance.id` for a static member.
    /// admin.remove_members("billing", &[(&consumer.member_id(), None)]).await?;
    /// # Ok(())
    /// # });
    /// ```
    pub async fn remove_members(&self, group: &str, members: &[(&str, Option<&str>)]) -> Result<()> {
        let identity = |(member_id, instance_id): &(&str, Option<&str>)| MemberIdentity {
            member_id: (*member_id).into(),
            group_instance_id: instance_id.map(Into::into),
            ..MemberIdentity::default()
        };
        let request = LeaveGroupRequest {
            group_id: group.into(),
            members: members.iter().map(identity).collect(),
            ..LeaveGroupRequest::default()
        };
        let verdict = |answer: &LeaveGroupResponse| {
            let member = answer
                .members
                .iter()
                .map(|member| member.error_code)
                .find(|code| *code != 0);
            Error::check(answer.error_code, || format!("group {group}"))?;
            Error::check(member.unwrap_or(0), || format!("a member of group {group}"))
        };
        let what = format!("removing members of group {group}");
        self.ask(To::Group(group), &what, &request, verdict)
            .await
            .map(|_| ())
    }
}

fn consumer_member(member: &consumer_group_describe_response::Member) -> GroupMember {
    let assigned = member.assignment.topic_partitions.iter().flat_map(|topic| {
        let name = topic.topic_name.as_str();
        topic
            .partitions
            .iter()
            .map(move |partition| TopicPartition::new(name, *partition))
    });
    GroupMember {
        member_id: member.member_id.as_str().to_owned(),
        instance_id: member.instance_id.as_ref().map(|id| id.as_str().to_owned()),
        client_id: member.client_id.as_str().to_owned(),
        host: member.client_host.as_str().to_owned(),
        assignment: assigned.collect(),
    }
}

fn classic_member(
    member: &describe_groups_response::DescribedGroupMember,
    protocol_type: &str,
) -> GroupMember {
    // The bytes are the members' own: what does not read as an assignment is none.
    let assignment = match protocol_type {
        "consumer" => read_assignment(&member.member_assignment).unwrap_or_default(),
        _ => Vec::new(),
    };
    GroupMember {
        member_id: member.member_id.as_str().to_owned(),
        instance_id: member.group_instance_id.as_ref().map(|id| id.as_str().to_owned()),
        client_id: member.client_id.as_str().to_owned(),
        host: member.client_host.as_str().to_owned(),
        assignment,
    }
}

/// Reads `ConsumerProtocolAssignment` behind its version.
pub(crate) fn read_assignment(bytes: &bytes::Bytes) -> Result<Vec<TopicPartition>> {
    if bytes.is_empty() {
        return Ok(Vec::new());
    }
    let mut reader = Reader::new(bytes.clone());
    let mut budget = Budget::new(bytes.len().saturating_mul(16) + (64 << 10));
    let mut read = || {
        // A newer version begins with what we know (`ConsumerProtocol.deserializeAssignment`).
        let version = reader.i16()?.clamp(0, 3);
        ConsumerProtocolAssignment::decode(&mut reader, version, &mut budget)
    };
    let assignment = read().map_err(|source| Error::Decode {
        key: ApiKey::SyncGroup,
        version: 0,
        source,
    })?;
    let partitions = assignment.assigned_partitions.iter().flat_map(|topic| {
        let name: std::sync::Arc<str> = topic.topic.as_str().into();
        topic
            .partitions
            .iter()
            .map(move |partition| TopicPartition::new(name.clone(), *partition))
    });
    Ok(partitions.collect())
}

fn left_out(group: &str) -> Error {
    Error::Protocol {
        address: "the coordinator".into(),
        reason: format!("its answer leaves out group {group}"),
    }
}
