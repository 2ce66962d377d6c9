//! OffsetDelete (key 47), v0.
//!
//! Deletes committed offsets of topics that no member is subscribed to. GROUP_SUBSCRIBED_TO_TOPIC and
//! UNKNOWN_TOPIC_OR_PARTITION are answered per partition, never for the whole request.

use net::Start;
use protocol::Str;
use protocol::messages::offset_delete_request::OffsetDeleteRequest;
use protocol::messages::offset_delete_response::{
    OffsetDeleteResponse, OffsetDeleteResponsePartition, OffsetDeleteResponseTopic,
};
use types::ErrorCode;

use super::group::resolve;
use super::{Call, Pending};
use crate::coordinator::{OnFailure, answer_when};

pub fn start(call: &mut Call<'_>) -> Start<Pending> {
    let request: OffsetDeleteRequest = match call.decode() {
        Ok(request) => request,
        Err(close) => return Start::Done(close),
    };
    let reply = call.reply();
    if request.group_id.is_empty() {
        return Start::Done(reply.send(&refused(ErrorCode::InvalidGroupId)));
    }
    let (mut response, wanted, places) = split(call, &request);
    if wanted.is_empty() && !response.topics.is_empty() {
        return Start::Done(reply.send(&response));
    }
    let group = &request.group_id;
    let decided = call.slot_of(group).and_then(|slot| {
        let decided = slot.decide(call.broker, OnFailure::Keep, |shard, now| {
            shard.delete_offsets(now, group, &wanted)
        });
        decided.map(|decided| (slot, decided))
    });
    let (slot, decided) = match decided {
        Ok(found) => found,
        Err(code) => return Start::Done(reply.send(&refused(code))),
    };
    call.note_append(decided.appended);
    match decided.response {
        Err(code) => Start::Done(reply.send(&refused(code))),
        Ok(codes) => {
            for ((topic, partition), code) in places.into_iter().zip(codes) {
                let topic: Option<&mut OffsetDeleteResponseTopic> = response.topics.get_mut(topic);
                if let Some(row) = topic.and_then(|topic| topic.partitions.get_mut(partition)) {
                    row.error_code = code.code();
                }
            }
            answer_when(reply, slot.partition(), decided.end, response, |_, code| {
                refused(code)
            })
        }
    }
}

type Wanted = (OffsetDeleteResponse, Vec<(Str, i32)>, Vec<(usize, usize)>);

/// The answer's rows, the partitions that exist, and where their rows are.
fn split(call: &Call<'_>, request: &OffsetDeleteRequest) -> Wanted {
    let (mut response, mut wanted, mut places) = (OffsetDeleteResponse::default(), Vec::new(), Vec::new());
    let image = call.broker.image();
    // Kafka answers what it refuses first.
    for there in [false, true] {
        for topic in &request.topics {
            let named = resolve(&image, &topic.name, types::Uuid::ZERO, false);
            let exists = |index: i32| named.as_ref().is_ok_and(|named| named.has(index));
            for partition in &topic.partitions {
                if exists(partition.partition_index) != there {
                    continue;
                }
                let place = row(&mut response, &topic.name, partition.partition_index, there);
                if there {
                    places.push(place);
                    wanted.push((topic.name.clone(), partition.partition_index));
                }
            }
        }
    }
    (response, wanted, places)
}

/// A row, in the entry of its topic; gives its place.
fn row(response: &mut OffsetDeleteResponse, topic: &Str, partition: i32, there: bool) -> (usize, usize) {
    let topics = &mut response.topics;
    let at = topics
        .iter()
        .position(|entry| entry.name == *topic)
        .unwrap_or_else(|| {
            topics.push(OffsetDeleteResponseTopic {
                name: topic.clone(),
                ..Default::default()
            });
            topics.len() - 1
        });
    let rows = topics.get_mut(at).map(|topic| &mut topic.partitions);
    let place = rows.as_ref().map_or(0, |rows| rows.len());
    let code = if there {
        ErrorCode::None
    } else {
        ErrorCode::UnknownTopicOrPartition
    };
    if let Some(rows) = rows {
        rows.push(OffsetDeleteResponsePartition {
            partition_index: partition,
            error_code: code.code(),
            ..Default::default()
        });
    }
    (at, place)
}

fn refused(code: ErrorCode) -> OffsetDeleteResponse {
    OffsetDeleteResponse {
        error_code: code.code(),
        ..Default::default()
    }
}
