//! DeleteRecords (key 21), v0-v2.
//!
//! Answered when the new beginning is on stable storage (under `ottla.flush=ack`), so that nothing that a client knows
//! to be deleted comes back. A partition that comes twice in a request counts once, with its last offset, as in Kafka.

use std::collections::BTreeMap;
use std::sync::Arc;

use net::Start;
use protocol::Str;
use protocol::messages::delete_records_request::DeleteRecordsRequest;
use protocol::messages::delete_records_response::{
    DeleteRecordsPartitionResult, DeleteRecordsResponse, DeleteRecordsTopicResult,
};
use types::ErrorCode;

use super::{Call, Pending};
use crate::Broker;

/// In place of a low watermark beside an error.
const NONE: i64 = -1;

pub fn start(call: &mut Call<'_>) -> Start<Pending> {
    let request: DeleteRecordsRequest = match call.decode() {
        Ok(request) => request,
        Err(close) => return Start::Done(close),
    };
    let (broker, reply) = (call.broker.clone(), call.reply());
    Start::Parked(Pending::later(async move {
        let response = handle(&broker, request);
        let settled = broker.settled().await;
        reply.send(&settled.map_or_else(|code| failed(&response, code), |()| response.clone()))
    }))
}

fn handle(broker: &Arc<Broker>, request: DeleteRecordsRequest) -> DeleteRecordsResponse {
    let mut wanted: BTreeMap<Str, BTreeMap<i32, i64>> = BTreeMap::new();
    for topic in request.topics {
        let offsets = wanted.entry(topic.name).or_default();
        for partition in topic.partitions {
            offsets.insert(partition.partition_index, partition.offset);
        }
    }
    let answer = |(name, offsets): (Str, BTreeMap<i32, i64>)| {
        let topic = broker.topics.by_name(&name);
        let is_internal = super::metadata::is_internal(&name);
        let delete = |(index, before): (i32, i64)| {
            let partition = topic.as_ref().and_then(|topic| topic.partition(index));
            let deleted = match partition {
                // What coordinators keep is not a client's to delete.
                _ if is_internal => Err(ErrorCode::InvalidTopicException),
                None => Err(ErrorCode::UnknownTopicOrPartition),
                Some(partition) => partition.delete_records(before),
            };
            DeleteRecordsPartitionResult {
                partition_index: index,
                low_watermark: deleted.map_or(NONE, |start| start.0),
                error_code: deleted.err().unwrap_or(ErrorCode::None).code(),
                ..Default::default()
            }
        };
        DeleteRecordsTopicResult {
            partitions: offsets.into_iter().map(delete).collect(),
            name,
            ..Default::default()
        }
    };
    DeleteRecordsResponse {
        topics: wanted.into_iter().map(answer).collect(),
        ..Default::default()
    }
}

/// The disk did not take it: nothing that looked deleted is promised to be.
fn failed(response: &DeleteRecordsResponse, code: ErrorCode) -> DeleteRecordsResponse {
    let mut response = response.clone();
    let rows = response.topics.iter_mut().flat_map(|topic| &mut topic.partitions);
    for row in rows.filter(|row| row.error_code == 0) {
        row.error_code = code.code();
        row.low_watermark = NONE;
    }
    response
}
