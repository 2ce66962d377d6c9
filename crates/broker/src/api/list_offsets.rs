//! ListOffsets (key 2), v1-v11.
//!
//! Special timestamps have minimum versions (trap 53); below them the partition answers UNSUPPORTED_VERSION. A lookup
//! by time gives the first record at or after it, found inside its batch (trap 54), so it may read the disk: such
//! requests are answered from the blocking pool.

use std::sync::Arc;

use net::{Answer, Start};
use protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsRequest};
use protocol::messages::list_offsets_response::{
    ListOffsetsPartitionResponse, ListOffsetsResponse, ListOffsetsTopicResponse,
};
use types::{ErrorCode, LeaderEpoch, Offset};

use super::{Call, Pending};
use crate::Broker;
use crate::partition::{Isolation, Partition};

/// The first version with leader epochs.
const EPOCH_FROM: i16 = 4;
const LATEST: i64 = -1;
const EARLIEST: i64 = -2;
const MAX_TIMESTAMP: i64 = -3;
const EARLIEST_LOCAL: i64 = -4;
const LATEST_TIERED: i64 = -5;
const EARLIEST_PENDING_UPLOAD: i64 = -6;

pub fn start(call: &mut Call<'_>) -> Start<Pending> {
    let request: ListOffsetsRequest = match call.decode() {
        Ok(request) => request,
        Err(close) => return Start::Done(close),
    };
    let (broker, reply, version) = (call.broker.clone(), call.reply(), call.version());
    let reads_records =
        |partition: &ListOffsetsPartition| 0 <= partition.timestamp || partition.timestamp == MAX_TIMESTAMP;
    if !request
        .topics
        .iter()
        .flat_map(|topic| &topic.partitions)
        .any(reads_records)
    {
        return Start::Done(reply.send(&handle(&broker, version, &request)));
    }
    Start::Parked(Pending::later(async move {
        let answered = tokio::task::spawn_blocking(move || reply.send(&handle(&broker, version, &request)));
        answered
            .await
            .unwrap_or(Answer::Close("an offset lookup was cut off"))
    }))
}

fn handle(broker: &Arc<Broker>, version: i16, request: &ListOffsetsRequest) -> ListOffsetsResponse {
    let mut response = ListOffsetsResponse::default();
    let duplicates = duplicates(request);
    let mut told = rustc_hash::FxHashSet::default();
    for topic in &request.topics {
        let first = |wanted: &&ListOffsetsPartition| told.insert((&topic.name, wanted.partition_index));
        let answer = |wanted: &ListOffsetsPartition| {
            let outcome = if duplicates.contains(&(&topic.name, wanted.partition_index)) {
                Err(ErrorCode::InvalidRequest)
            } else {
                let partition = broker
                    .topics
                    .by_name(&topic.name)
                    .and_then(|topic| topic.partition(wanted.partition_index))
                    .ok_or(ErrorCode::UnknownTopicOrPartition);
                partition.and_then(|partition| list(&partition, version, request, wanted))
            };
            row(version, wanted.partition_index, outcome)
        };
        response.topics.push(ListOffsetsTopicResponse {
            name: topic.name.clone(),
            partitions: topic.partitions.iter().filter(first).map(answer).collect(),
            ..ListOffsetsTopicResponse::default()
        });
    }
    response
}

/// A partition that is asked for twice is refused, and told so once, as in Kafka.
fn duplicates(request: &ListOffsetsRequest) -> rustc_hash::FxHashSet<(&protocol::Str, i32)> {
    let mut seen = rustc_hash::FxHashSet::default();
    let all = request.topics.iter().flat_map(|topic| {
        topic
            .partitions
            .iter()
            .map(|partition| (&topic.name, partition.partition_index))
    });
    all.filter(|key| !seen.insert(*key)).collect()
}

/// An offset, the timestamp of its record and the epoch that it was written in.
struct Found {
    offset: i64,
    timestamp: i64,
    epoch: LeaderEpoch,
}

const NOTHING: Found = Found {
    offset: -1,
    timestamp: -1,
    epoch: LeaderEpoch::NONE,
};

fn row(version: i16, index: i32, outcome: Result<Found, ErrorCode>) -> ListOffsetsPartitionResponse {
    let (code, found) = match outcome {
        Ok(found) => (ErrorCode::None, found),
        Err(code) => (code, NOTHING),
    };
    ListOffsetsPartitionResponse {
        partition_index: index,
        error_code: code.code(),
        timestamp: found.timestamp,
        offset: found.offset,
        // Older versions cannot say it.
        leader_epoch: if EPOCH_FROM <= version { found.epoch.0 } else { -1 },
        ..ListOffsetsPartitionResponse::default()
    }
}

/// The lowest version that may ask for a special timestamp.
fn version_needed(timestamp: i64) -> Option<i16> {
    match timestamp {
        LATEST | EARLIEST => Some(1),
        MAX_TIMESTAMP => Some(7),
        EARLIEST_LOCAL => Some(8),
        LATEST_TIERED => Some(9),
        EARLIEST_PENDING_UPLOAD => Some(11),
        0.. => Some(1),
        _ => None,
    }
}

fn list(
    partition: &Arc<Partition>,
    version: i16,
    request: &ListOffsetsRequest,
    wanted: &ListOffsetsPartition,
) -> Result<Found, ErrorCode> {
    let served = version_needed(wanted.timestamp).is_some_and(|needed| needed <= version);
    if !served {
        return Err(ErrorCode::UnsupportedVersion);
    }
    // A replica's debug read sees the log end; a consumer sees what is committed.
    partition.check_leader_epoch(wanted.current_leader_epoch)?;
    let bounds = partition.bounds();
    let isolation = if request.isolation_level == 1 {
        Isolation::Committed
    } else {
        Isolation::Uncommitted
    };
    let limit = if request.replica_id == -1 {
        bounds.limit(isolation)
    } else {
        bounds.log_end
    };
    let at = |offset: Offset| Found {
        offset: offset.0,
        timestamp: -1,
        epoch: partition.log().epoch_of(offset),
    };
    let found = match wanted.timestamp {
        LATEST => Some(Found {
            epoch: partition.leader_epoch(),
            ..at(limit)
        }),
        EARLIEST | EARLIEST_LOCAL => Some(at(bounds.log_start)),
        LATEST_TIERED | EARLIEST_PENDING_UPLOAD => Some(NOTHING),
        MAX_TIMESTAMP => lookup(partition, partition.log().max_timestamp(), bounds.high_watermark)?,
        timestamp => lookup(partition, partition.log().offset_for_timestamp(timestamp), limit)?,
    };
    Ok(found.unwrap_or(NOTHING))
}

fn lookup(
    partition: &Partition,
    found: Result<Option<(Offset, i64, LeaderEpoch)>, storage::ReadError>,
    limit: Offset,
) -> Result<Option<Found>, ErrorCode> {
    let found = found.map_err(|error| partition.read_failed(error))?;
    let visible = found.filter(|(offset, _, _)| *offset < limit);
    Ok(visible.map(|(offset, timestamp, epoch)| Found {
        offset: offset.0,
        timestamp,
        epoch,
    }))
}
