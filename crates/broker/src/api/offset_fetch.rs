//! OffsetFetch (key 9), v1-v10.
//!
//! v2 asks for all topics with null, v8 for many groups, v10 by topic id. A partition without an offset is answered
//! with -1 and no error (trap 59). Without transactions every offset is stable, so `require_stable` changes nothing.

use std::sync::Arc;

use coordinator::group::{Committed, Fetched};
use net::{Answer, Start};
use protocol::Str;
use protocol::messages::offset_fetch_request::{
    OffsetFetchRequest, OffsetFetchRequestGroup, OffsetFetchRequestTopics,
};
use protocol::messages::offset_fetch_response::{
    OffsetFetchResponse, OffsetFetchResponseGroup, OffsetFetchResponsePartition,
    OffsetFetchResponsePartitions, OffsetFetchResponseTopic, OffsetFetchResponseTopics,
};
use types::{ErrorCode, Offset};

use super::group::resolve;
use super::{Call, Pending};
use crate::coordinator::{Slot, committed};
use crate::respond::Reply;

const BATCHED_FROM: i16 = 8;
const TOPIC_ID_FROM: i16 = 10;

/// One group's answer, and what has to be committed before it leaves.
struct Looked {
    response: OffsetFetchResponseGroup,
    wait: Option<(Arc<Slot>, Offset)>,
}

pub fn start(call: &mut Call<'_>) -> Start<Pending> {
    let request: OffsetFetchRequest = match call.decode() {
        Ok(request) => request,
        Err(close) => return Start::Done(close),
    };
    let reply = call.reply();
    let groups = groups(request, call.version());
    let mut looked: Vec<Looked> = groups.iter().map(|group| look(call, group)).collect();
    let is_pending = |(slot, end): &(Arc<Slot>, Offset)| slot.partition().high_watermark() < *end;
    if !looked.iter().filter_map(|one| one.wait.as_ref()).any(is_pending) {
        return Start::Done(send(reply, looked));
    }
    Start::Parked(Pending::later(async move {
        for one in &mut looked {
            let Some((slot, end)) = one.wait.take() else {
                continue;
            };
            if let Err(code) = committed(slot.partition().clone(), end).await {
                one.response = refused(&one.response.group_id, code);
            }
        }
        send(reply, looked)
    }))
}

/// One shape for all versions.
fn groups(request: OffsetFetchRequest, version: i16) -> Vec<OffsetFetchRequestGroup> {
    if BATCHED_FROM <= version {
        return request.groups;
    }
    let topics = request.topics.map(|topics| {
        let topic = |topic: protocol::messages::offset_fetch_request::OffsetFetchRequestTopic| {
            OffsetFetchRequestTopics {
                name: topic.name,
                partition_indexes: topic.partition_indexes,
                ..Default::default()
            }
        };
        topics.into_iter().map(topic).collect()
    });
    vec![OffsetFetchRequestGroup {
        group_id: request.group_id,
        topics,
        ..Default::default()
    }]
}

fn look(call: &Call<'_>, group: &OffsetFetchRequestGroup) -> Looked {
    let by_id = TOPIC_ID_FROM <= call.version();
    let looked = call.slot_of(&group.group_id).and_then(|slot| {
        slot.look(call.broker, |shard, _| {
            let offsets = shard.offsets(&group.group_id);
            let topics = match &group.topics {
                Some(topics) => topics
                    .iter()
                    .map(|topic| asked(call, topic, by_id, &offsets))
                    .collect(),
                None => all(call, by_id, &offsets),
            };
            (topics, offsets.end())
        })
        .map(|(topics, end)| (topics, end, slot.clone()))
    });
    match looked {
        Ok((topics, end, slot)) => Looked {
            response: OffsetFetchResponseGroup {
                group_id: group.group_id.clone(),
                topics,
                ..Default::default()
            },
            wait: Some((slot, end)),
        },
        Err(code) => Looked {
            response: refused(&group.group_id, code),
            wait: None,
        },
    }
}

fn refused(group: &Str, code: ErrorCode) -> OffsetFetchResponseGroup {
    OffsetFetchResponseGroup {
        group_id: group.clone(),
        error_code: code.code(),
        ..Default::default()
    }
}

fn asked(
    call: &Call<'_>,
    topic: &OffsetFetchRequestTopics,
    by_id: bool,
    offsets: &Fetched<'_>,
) -> OffsetFetchResponseTopics {
    let named = if by_id {
        resolve(&call.broker.image(), &topic.name, topic.topic_id, true).map(|named| named.name)
    } else {
        Ok(topic.name.clone())
    };
    let row = |index: &i32| match &named {
        Ok(name) => row(*index, offsets.one(name, *index)),
        Err(code) => OffsetFetchResponsePartitions {
            error_code: code.code(),
            ..row(*index, None)
        },
    };
    OffsetFetchResponseTopics {
        name: topic.name.clone(),
        topic_id: topic.topic_id,
        partitions: topic.partition_indexes.iter().map(row).collect(),
        ..Default::default()
    }
}

/// Everything that the group has committed; by id what has one.
fn all(call: &Call<'_>, by_id: bool, offsets: &Fetched<'_>) -> Vec<OffsetFetchResponseTopics> {
    let image = call.broker.image();
    let mut rows = Vec::new();
    for (topic, partitions) in offsets.all() {
        let id = image.topic_by_name(topic).map(|topic| topic.id);
        if by_id && id.is_none() {
            continue;
        }
        rows.push(OffsetFetchResponseTopics {
            name: topic.into(),
            topic_id: id.unwrap_or_default(),
            partitions: partitions
                .map(|(index, committed)| row(index, Some(committed)))
                .collect(),
            ..Default::default()
        });
    }
    rows
}

fn row(index: i32, committed: Option<&Committed>) -> OffsetFetchResponsePartitions {
    OffsetFetchResponsePartitions {
        partition_index: index,
        committed_offset: committed.map_or(-1, |committed| committed.offset),
        committed_leader_epoch: committed.map_or(-1, |committed| committed.leader_epoch),
        metadata: Some(committed.map_or_else(Str::default, |committed| committed.metadata.clone())),
        ..Default::default()
    }
}

fn send(reply: Reply, looked: Vec<Looked>) -> Answer {
    let mut response = OffsetFetchResponse::default();
    if BATCHED_FROM <= reply.version {
        response.groups = looked.into_iter().map(|one| one.response).collect();
        return reply.send(&response);
    }
    if let Some(one) = looked.into_iter().next() {
        response.error_code = one.response.error_code;
        response.topics = one.response.topics.into_iter().map(old_topic).collect();
    }
    reply.send(&response)
}

fn old_topic(topic: OffsetFetchResponseTopics) -> OffsetFetchResponseTopic {
    let row = |row: OffsetFetchResponsePartitions| OffsetFetchResponsePartition {
        partition_index: row.partition_index,
        committed_offset: row.committed_offset,
        committed_leader_epoch: row.committed_leader_epoch,
        metadata: row.metadata,
        error_code: row.error_code,
        ..Default::default()
    };
    OffsetFetchResponseTopic {
        name: topic.name,
        partitions: topic.partitions.into_iter().map(row).collect(),
        ..Default::default()
    }
}
