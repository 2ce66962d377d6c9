//! OffsetForLeaderEpoch (key 23), v2-v4.
//!
//! Where an epoch ended (KIP-320; trap 57): a newer epoch than any known is answered with epoch -1 and offset -1, which
//! is no error; the current one with the log end; an older one with the largest epoch at or below it and its end.

use net::{Answer, Start};
use protocol::messages::offset_for_leader_epoch_request::{
    OffsetForLeaderEpochRequest, OffsetForLeaderPartition,
};
use protocol::messages::offset_for_leader_epoch_response::{
    EpochEndOffset, OffsetForLeaderEpochResponse, OffsetForLeaderTopicResult,
};
use types::{ErrorCode, LeaderEpoch, Offset};

use super::{Call, Pending};
use crate::Broker;

pub fn start(call: &mut Call<'_>) -> Start<Pending> {
    let request: OffsetForLeaderEpochRequest = match call.decode() {
        Ok(request) => request,
        Err(close) => return Start::Done(close),
    };
    Start::Done(handle(call, &request))
}

fn handle(call: &Call<'_>, request: &OffsetForLeaderEpochRequest) -> Answer {
    let mut response = OffsetForLeaderEpochResponse::default();
    for topic in &request.topics {
        let row = |wanted: &OffsetForLeaderPartition| {
            let outcome = end_of(call.broker, &topic.topic, wanted);
            let (code, (epoch, end)) = match outcome {
                Ok(end) => (ErrorCode::None, end),
                Err(code) => (code, (LeaderEpoch::NONE, Offset(-1))),
            };
            EpochEndOffset {
                error_code: code.code(),
                partition: wanted.partition,
                leader_epoch: epoch.0,
                end_offset: end.0,
                ..EpochEndOffset::default()
            }
        };
        response.topics.push(OffsetForLeaderTopicResult {
            topic: topic.topic.clone(),
            partitions: topic.partitions.iter().map(row).collect(),
            ..OffsetForLeaderTopicResult::default()
        });
    }
    call.reply().send(&response)
}

fn end_of(
    broker: &Broker,
    topic: &str,
    wanted: &OffsetForLeaderPartition,
) -> Result<(LeaderEpoch, Offset), ErrorCode> {
    let topic = broker
        .topics
        .by_name(topic)
        .ok_or(ErrorCode::UnknownTopicOrPartition)?;
    let partition = topic
        .partition(wanted.partition)
        .ok_or(ErrorCode::UnknownTopicOrPartition)?;
    partition.check_leader_epoch(wanted.current_leader_epoch)?;
    Ok(partition
        .log()
        .end_offset_for_epoch(LeaderEpoch(wanted.leader_epoch)))
}
