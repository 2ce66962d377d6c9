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

use super::{Call, Pending};
use crate::coordinator::{OnFailure, answer_when};

pub fn start(call: &mut Call<'_>) -> Start<Pending> {
    let request: OffsetDeleteRequest = match call.decode() {
        Ok(request) => request,
        Err(close) => return Start::Done(close),
    };
    let reply = call.reply();
    let (mut response, wanted, places) = split(call, &request);
    if wanted.is_empty() && !response.topics.is_empty() {
        return Start::Done(reply.send(&response));
    }
    let group = &request.group_id;
    let decided = call.slot_of(group).and_then(|slot| {
        let decided = slot.decide(call.broker, OnFailure::Keep, |shard, _| {
            shard.delete_offsets(group, &wanted)
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
            answer_when(reply, slot.partition(), decided.end, response, refused)
        }
    }
}

type Wanted = (OffsetDeleteResponse, Vec<(Str, i32)>, Vec<(usize, usize)>);

/// The answer's rows, the partitions of topics that exist, and where their rows are.
fn split(call: &Call<'_>, request: &OffsetDeleteRequest) -> Wanted {
    let image = call.broker.image();
    let (mut response, mut wanted, mut places) = (OffsetDeleteResponse::default(), Vec::new(), Vec::new());
    let exists = |name: &Str| image.topic_by_name(name).is_some();
    let missing = request.topics.iter().filter(|topic| !exists(&topic.name));
    let there = request.topics.iter().filter(|topic| exists(&topic.name));
    // Kafka answers what it refuses first.
    for topic in missing.chain(there) {
        let known = exists(&topic.name);
        let mut row = OffsetDeleteResponseTopic {
            name: topic.name.clone(),
            ..Default::default()
        };
        for partition in &topic.partitions {
            let code = if known {
                places.push((response.topics.len(), row.partitions.len()));
                wanted.push((topic.name.clone(), partition.partition_index));
                ErrorCode::None
            } else {
                ErrorCode::UnknownTopicOrPartition
            };
            row.partitions.push(OffsetDeleteResponsePartition {
                partition_index: partition.partition_index,
                error_code: code.code(),
                ..Default::default()
            });
        }
        response.topics.push(row);
    }
    (response, wanted, places)
}

fn refused(code: ErrorCode) -> OffsetDeleteResponse {
    OffsetDeleteResponse {
        error_code: code.code(),
        ..Default::default()
    }
}
