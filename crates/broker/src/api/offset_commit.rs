//! OffsetCommit (key 8), v2-v10.
//!
//! v2 to v4 say how long the offsets are kept; v9 tells a group that does not exist (trap 109); v10 names topics by
//! id. Topics and partitions that do not exist are refused one by one and do not hold the others up.

use coordinator::group::{Commit, OffsetToCommit};
use net::Start;
use protocol::messages::offset_commit_request::{OffsetCommitRequest, OffsetCommitRequestTopic};
use protocol::messages::offset_commit_response::{
    OffsetCommitResponse, OffsetCommitResponsePartition, OffsetCommitResponseTopic,
};
use types::ErrorCode;

use super::group::{Named, resolve};
use super::{Call, Pending};
use crate::coordinator::{OnFailure, answer_when};

const MISSING_GROUPS_FROM: i16 = 9;
const TOPIC_ID_FROM: i16 = 10;

pub fn start(call: &mut Call<'_>) -> Start<Pending> {
    let request: OffsetCommitRequest = match call.decode() {
        Ok(request) => request,
        Err(close) => return Start::Done(close),
    };
    let (reply, version) = (call.reply(), call.version());
    let mut split = split(call, &request.topics, version);
    if split.commit.is_empty() {
        return Start::Done(reply.send(&split.response));
    }
    let commit = Commit {
        group: request.group_id,
        member: request.member_id,
        instance: request.group_instance_id,
        generation: request.generation_id_or_member_epoch,
        retention_ms: request.retention_time_ms,
        knows_missing_groups: MISSING_GROUPS_FROM <= version,
        offsets: std::mem::take(&mut split.commit),
    };
    let decided = call.slot_of(&commit.group).and_then(|slot| {
        let decided = slot.decide(call.broker, OnFailure::Keep, |shard, now| {
            shard.commit_offsets(now, &commit)
        });
        decided.map(|decided| (slot, decided))
    });
    let Split { response, places, .. } = split;
    match decided {
        Err(code) => Start::Done(reply.send(&answered(response, &places, |_| code))),
        Ok((slot, decided)) => {
            call.note_append(decided.appended);
            match decided.response {
                // Nothing was changed, so there is nothing to wait for.
                Err(code) => Start::Done(reply.send(&answered(response, &places, |_| code))),
                Ok(codes) => {
                    let code_of = |index: usize| codes.get(index).copied().unwrap_or(ErrorCode::None);
                    let response = answered(response, &places, code_of);
                    answer_when(
                        reply,
                        slot.partition(),
                        decided.end,
                        response,
                        move |response, code| answered(response, &places, |_| code),
                    )
                }
            }
        }
    }
}

/// The answer with the code of each offset in its place.
fn answered(
    mut response: OffsetCommitResponse,
    places: &[(usize, usize)],
    code_of: impl Fn(usize) -> ErrorCode,
) -> OffsetCommitResponse {
    for (index, (topic, partition)) in places.iter().enumerate() {
        let topic = response.topics.get_mut(*topic);
        if let Some(row) = topic.and_then(|topic| topic.partitions.get_mut(*partition)) {
            row.error_code = code_of(index).code();
        }
    }
    response
}

/// A request's topics: those that are refused are answered already, the others have a row to be filled.
#[derive(Debug, Default)]
struct Split {
    response: OffsetCommitResponse,
    commit: Vec<OffsetToCommit>,
    /// Topic and partition of each offset's row.
    places: Vec<(usize, usize)>,
}

fn split(call: &Call<'_>, topics: &[OffsetCommitRequestTopic], version: i16) -> Split {
    let mut split = Split::default();
    let by_id = TOPIC_ID_FROM <= version;
    let image = call.broker.image();
    let found: Vec<_> = topics
        .iter()
        .map(|topic| resolve(&image, &topic.name, topic.topic_id, by_id))
        .collect();
    // Kafka answers what it refuses first.
    for (topic, found) in topics.iter().zip(&found) {
        split.refuse_missing(topic, found);
    }
    for (topic, found) in topics.iter().zip(&found) {
        if let Ok(named) = found {
            split.take(topic, named);
        }
    }
    split
}

impl Split {
    /// Rows for partitions that do not exist.
    fn refuse_missing(&mut self, topic: &OffsetCommitRequestTopic, found: &Result<Named, ErrorCode>) {
        for partition in &topic.partitions {
            let code = match found {
                Ok(named) if named.has(partition.partition_index) => continue,
                Ok(_) => ErrorCode::UnknownTopicOrPartition,
                Err(code) => *code,
            };
            self.row(topic, partition.partition_index, code);
        }
    }

    /// A row, in the entry of its topic; gives its place.
    fn row(&mut self, topic: &OffsetCommitRequestTopic, partition: i32, code: ErrorCode) -> (usize, usize) {
        let topics = &mut self.response.topics;
        let same =
            |entry: &OffsetCommitResponseTopic| entry.name == topic.name && entry.topic_id == topic.topic_id;
        let at = topics.iter().rposition(same).unwrap_or_else(|| {
            topics.push(OffsetCommitResponseTopic {
                name: topic.name.clone(),
                topic_id: topic.topic_id,
                ..Default::default()
            });
            topics.len() - 1
        });
        let rows = topics.get_mut(at).map(|topic| &mut topic.partitions);
        let place = rows.as_ref().map_or(0, |rows| rows.len());
        if let Some(rows) = rows {
            rows.push(OffsetCommitResponsePartition {
                partition_index: partition,
                error_code: code.code(),
                ..Default::default()
            });
        }
        (at, place)
    }

    fn take(&mut self, topic: &OffsetCommitRequestTopic, named: &Named) {
        for partition in &topic.partitions {
            if !named.has(partition.partition_index) {
                continue;
            }
            let place = self.row(topic, partition.partition_index, ErrorCode::None);
            self.places.push(place);
            self.commit.push(OffsetToCommit {
                topic: named.name.clone(),
                topic_id: named.id,
                partition: partition.partition_index,
                offset: partition.committed_offset,
                leader_epoch: partition.committed_leader_epoch,
                metadata: partition.committed_metadata.clone(),
            });
        }
    }
}
