//! JoinGroup and SyncGroup, again and again until the member has its partitions or can have none.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use protocol::messages::join_group_request::{JoinGroupRequest, JoinGroupRequestProtocol};
use protocol::messages::join_group_response::JoinGroupResponse;
use protocol::messages::sync_group_request::{SyncGroupRequest, SyncGroupRequestAssignment};
use types::ErrorCode;

use super::Inner;
use super::assignor::racks::RackSet;
use super::assignor::{Assignor, Layout, Member, assign};
use super::protocol::{Past, assignment, read_subscription, subscription};
use crate::admin::read_assignment;
use crate::client::Wanted;
use crate::metadata::{Metadata, Partition};
use crate::pool::Lane;
use crate::{Client, Error, Result, To, TopicPartition, backoff};

/// JoinGroup is answered when all members have joined; a broker may be a little late.
const GRACE: Duration = Duration::from_secs(5);

/// Decides whether a topic is subscribed to.
pub(crate) type Pattern = Arc<dyn Fn(&str) -> bool + Send + Sync>;

/// What a consumer subscribes to.
#[derive(Clone)]
pub(in super::super) enum Topics {
    Names(Vec<Arc<str>>),
    Matching(Pattern),
}

impl std::fmt::Debug for Topics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Topics::Names(names) => names.fmt(f),
            Topics::Matching(_) => f.write_str("topics that match"),
        }
    }
}

impl Topics {
    /// The names as of now. Asks for metadata.
    pub(in super::super) async fn resolve(&self, client: &Client) -> Result<Vec<Arc<str>>> {
        match self {
            Topics::Names(names) => Ok(names.clone()),
            Topics::Matching(pattern) => {
                client.refresh(Wanted::All).await?;
                let metadata = client.metadata();
                let matching = metadata
                    .topics()
                    .filter(|topic| !topic.internal && pattern(&topic.name));
                let mut names: Vec<Arc<str>> = matching.map(|topic| topic.name.clone()).collect();
                names.sort();
                Ok(names)
            }
        }
    }
}

/// What a member was given.
#[derive(Debug)]
pub(in super::super) struct Joined {
    pub(in super::super) generation: i32,
    pub(in super::super) assignment: Vec<TopicPartition>,
    /// As the leader: what was spread, to notice when that changes.
    pub(in super::super) layout: Option<Layout>,
    /// The topics that the member subscribed to.
    pub(in super::super) topics: Vec<Arc<str>>,
}

/// Joins. Gives an error only where another attempt would not help.
pub(super) async fn join(inner: &Inner, topics: &Topics, past: &Past) -> Result<Joined> {
    let mut failures = 0;
    loop {
        let error = match attempt(inner, topics, past).await {
            Ok(joined) => return Ok(joined),
            Err(error) => error,
        };
        tracing::debug!(group = inner.group, %error, "joining the group did not succeed yet");
        match error.code() {
            Some(ErrorCode::MemberIdRequired) => continue,
            Some(ErrorCode::UnknownMemberId) => {
                let mut membership = inner.membership.lock();
                membership.member_id.clear();
                membership.generation = -1;
            }
            Some(ErrorCode::IllegalGeneration | ErrorCode::RebalanceInProgress) => {}
            _ if error.is_retriable() => {}
            _ => {
                if error.code() == Some(ErrorCode::FencedInstanceId) {
                    inner.membership.lock().fatal = Some(error.clone());
                }
                return Err(error);
            }
        }
        if error.wants_coordinator() {
            inner.client.forget_coordinator(&inner.group);
        }
        failures += 1;
        let config = inner.client.config();
        let (first, max) = (config.retry_backoff, config.retry_backoff_max);
        tokio::time::sleep(backoff::pause(first, max, failures, &config.random)).await;
    }
}

async fn attempt(inner: &Inner, topics: &Topics, past: &Past) -> Result<Joined> {
    let names = topics.resolve(&inner.client).await?;
    let answer = join_group(inner, &names, past).await?;
    let member_id = answer.member_id.as_str().to_owned();
    inner.membership.lock().member_id = member_id.clone();
    Error::check(answer.error_code, || format!("group {}", inner.group))?;
    inner.membership.lock().generation = answer.generation_id;
    let name = answer.protocol_name.as_ref().map_or("", |name| name.as_str());
    let assignor = Assignor::from_name(name).ok_or_else(|| Error::Protocol {
        address: "the coordinator".into(),
        reason: format!("it chose the assignor \"{name}\", which we do not have"),
    })?;
    let leads = answer.leader == *member_id;
    let (assignments, layout) = if leads {
        let (assignments, layout) = lead(inner, assignor, &answer).await?;
        // A static leader that came back must not hand anything out (KIP-814).
        let assignments = if answer.skip_assignment {
            Vec::new()
        } else {
            assignments
        };
        (assignments, Some(layout))
    } else {
        (Vec::new(), None)
    };
    let bytes = sync_group(inner, &answer, assignments).await?;
    Ok(Joined {
        generation: answer.generation_id,
        assignment: read_assignment(&bytes)?,
        layout,
        topics: names,
    })
}

async fn join_group(inner: &Inner, names: &[Arc<str>], past: &Past) -> Result<JoinGroupResponse> {
    let config = &inner.config;
    let connection = inner
        .client
        .connection(To::Group(&inner.group), Lane::Join)
        .await?;
    let version = connection.version_of::<JoinGroupRequest>(&(0..=9))?;
    let protocols = config.assignors.iter().map(|assignor| {
        Ok(JoinGroupRequestProtocol {
            name: assignor.name().into(),
            metadata: subscription(*assignor, names, past)?,
            ..JoinGroupRequestProtocol::default()
        })
    });
    let milliseconds = |time: Duration| i32::try_from(time.as_millis()).unwrap_or(i32::MAX);
    let request = JoinGroupRequest {
        group_id: inner.group.as_str().into(),
        session_timeout_ms: milliseconds(config.session_timeout),
        rebalance_timeout_ms: if version < 1 {
            -1
        } else {
            milliseconds(config.poll_interval_max)
        },
        member_id: inner.membership.lock().member_id.as_str().into(),
        group_instance_id: config
            .instance_id
            .as_deref()
            .filter(|_| 5 <= version)
            .map(Into::into),
        protocol_type: "consumer".into(),
        protocols: protocols.collect::<Result<_>>()?,
        ..JoinGroupRequest::default()
    };
    let timeout = config.poll_interval_max.max(config.session_timeout) + GRACE;
    connection
        .send(&request, &(version..=version), timeout)?
        .receive()
        .await
}

/// Spreads the partitions, as the leader.
async fn lead(
    inner: &Inner,
    assignor: Assignor,
    answer: &JoinGroupResponse,
) -> Result<(Vec<SyncGroupRequestAssignment>, Layout)> {
    let mut members: Vec<Member> = Vec::with_capacity(answer.members.len());
    for member in &answer.members {
        let instance = member.group_instance_id.as_ref().map(|id| id.as_str());
        members.push(read_subscription(
            assignor,
            &member.member_id,
            instance,
            &member.metadata,
        )?);
    }
    let mut topics: Vec<Arc<str>> = members.iter().flat_map(|member| member.topics.clone()).collect();
    topics.sort();
    topics.dedup();
    let names: Vec<&str> = topics.iter().map(|topic| &**topic).collect();
    if !names.is_empty() {
        inner.client.refresh(Wanted::Names(&names)).await?;
    }
    let with_racks = members.iter().any(|member| member.rack.is_some());
    let layout = layout(&inner.client, &topics, with_racks);
    let assigned = assign(assignor, &members, &layout);
    let each = assigned.into_iter().map(|(member_id, partitions)| {
        Ok(SyncGroupRequestAssignment {
            member_id: member_id.as_str().into(),
            assignment: assignment(&partitions)?,
            ..SyncGroupRequestAssignment::default()
        })
    });
    Ok((each.collect::<Result<_>>()?, layout))
}

/// The partitions of topics as metadata has them now, with the racks of their replicas if they are wanted.
pub(in super::super) fn layout(client: &Client, topics: &[Arc<str>], with_racks: bool) -> Layout {
    let metadata = client.metadata();
    let mut layout = Layout::default();
    for name in topics {
        let known = metadata.topic(name);
        let known = known.and_then(|topic| Some((topic, i32::try_from(topic.partitions.len()).ok()?)));
        let Some((topic, count)) = known else { continue };
        layout.counts.insert(name.clone(), count);
        if with_racks {
            let racks = topic.partitions.iter().map(|one| racks(&metadata, one));
            layout.racks.insert(name.clone(), racks.collect());
        }
    }
    layout
}

fn racks(metadata: &Metadata, partition: &Partition) -> RackSet {
    let brokers = partition.replicas.iter().filter_map(|id| metadata.broker(*id));
    brokers
        .filter_map(|broker| broker.rack.as_deref().map(Arc::from))
        .collect()
}

async fn sync_group(
    inner: &Inner,
    joined: &JoinGroupResponse,
    assignments: Vec<SyncGroupRequestAssignment>,
) -> Result<Bytes> {
    let connection = inner
        .client
        .connection(To::Group(&inner.group), Lane::Join)
        .await?;
    let version = connection.version_of::<SyncGroupRequest>(&(0..=5))?;
    let request = SyncGroupRequest {
        group_id: inner.group.as_str().into(),
        generation_id: joined.generation_id,
        member_id: joined.member_id.clone(),
        group_instance_id: inner
            .config
            .instance_id
            .as_deref()
            .filter(|_| 3 <= version)
            .map(Into::into),
        protocol_type: (5 <= version).then(|| "consumer".into()),
        protocol_name: joined.protocol_name.clone().filter(|_| 5 <= version),
        assignments,
        ..SyncGroupRequest::default()
    };
    let timeout = inner.config.poll_interval_max.max(inner.config.session_timeout) + GRACE;
    let answer = connection
        .send(&request, &(version..=version), timeout)?
        .receive()
        .await?;
    Error::check(answer.error_code, || format!("group {}", inner.group))?;
    Ok(answer.assignment)
}
