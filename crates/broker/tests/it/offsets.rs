//! Offsets and epochs (traps 53 to 57).

use protocol::ApiKey;
use protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsRequest, ListOffsetsTopic};
use protocol::messages::list_offsets_response::{ListOffsetsPartitionResponse, ListOffsetsResponse};
use protocol::messages::offset_for_leader_epoch_request::{
    OffsetForLeaderEpochRequest, OffsetForLeaderPartition, OffsetForLeaderTopic,
};
use protocol::messages::offset_for_leader_epoch_response::OffsetForLeaderEpochResponse;
use record::{BatchBuilder, BatchOptions};
use testkit::{Client, batch};
use types::ErrorCode;

use crate::{node_with, produce};

pub fn list(client: &mut Client, version: i16, timestamp: i64) -> ListOffsetsPartitionResponse {
    list_topic(client, "t", version, timestamp)
}

pub fn list_of(client: &mut Client, topic: &str, timestamp: i64) -> i64 {
    list_topic(client, topic, 9, timestamp).offset
}

fn list_topic(
    client: &mut Client,
    topic: &str,
    version: i16,
    timestamp: i64,
) -> ListOffsetsPartitionResponse {
    let partition = ListOffsetsPartition {
        partition_index: 0,
        timestamp,
        ..Default::default()
    };
    let topic = ListOffsetsTopic {
        name: topic.into(),
        partitions: vec![partition],
        ..Default::default()
    };
    let request = ListOffsetsRequest {
        replica_id: -1,
        topics: vec![topic],
        ..Default::default()
    };
    let mut response: ListOffsetsResponse = client.ask(ApiKey::ListOffsets, version, &request);
    response.topics.remove(0).partitions.remove(0)
}

#[test]
fn special_timestamps_have_minimum_versions() {
    let (_node, mut client) = node_with("t", &[]);
    for (timestamp, first) in [(-1, 1), (-2, 1), (-3, 7), (-4, 8), (-5, 9), (-6, 11)] {
        for version in 1..=11 {
            let row = list(&mut client, version, timestamp);
            let wanted = if version < first {
                ErrorCode::UnsupportedVersion
            } else {
                ErrorCode::None
            };
            assert_eq!(row.error_code, wanted.code(), "{timestamp} in v{version}");
        }
    }
    assert_eq!(
        list(&mut client, 11, -7).error_code,
        ErrorCode::UnsupportedVersion.code()
    );
}

#[test]
fn a_lookup_by_time_gives_the_record_and_its_epoch() {
    let (_node, mut client) = node_with("t", &[]);
    let now = i64::try_from(
        std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .expect("now")
            .as_millis(),
    )
    .expect("this side of the year 292277026596");
    let mut builder = BatchBuilder::new(BatchOptions::default());
    for delta in [10, 30, 20] {
        builder.push(now + delta, Some(b"k"), Some(b"v"));
    }
    produce(&mut client, "t", 9, builder.build().expect("small"));
    let row = list(&mut client, 7, now + 11);
    assert_eq!((row.offset, row.timestamp, row.leader_epoch), (1, now + 30, 0));
    let none = list(&mut client, 7, now + 31);
    assert_eq!((none.error_code, none.offset, none.timestamp), (0, -1, -1));
    let largest = list(&mut client, 7, -3);
    assert_eq!((largest.offset, largest.timestamp), (1, now + 30));
    assert_eq!(
        (list(&mut client, 7, -1).offset, list(&mut client, 7, -2).offset),
        (3, 0)
    );
}

#[test]
fn an_empty_log_has_no_largest_timestamp() {
    let (_node, mut client) = node_with("t", &[]);
    let row = list(&mut client, 7, -3);
    assert_eq!((row.error_code, row.offset, row.timestamp), (0, -1, -1));
}

#[test]
fn epochs_end_where_kafka_says() {
    let (_node, mut client) = node_with("t", &[]);
    produce(&mut client, "t", 9, batch(4));
    let mut ask = |topic: &str, epoch| {
        let partition = OffsetForLeaderPartition {
            partition: 0,
            leader_epoch: epoch,
            ..Default::default()
        };
        let topic = OffsetForLeaderTopic {
            topic: topic.into(),
            partitions: vec![partition],
            ..Default::default()
        };
        let request = OffsetForLeaderEpochRequest {
            replica_id: -1,
            topics: vec![topic],
            ..Default::default()
        };
        let response: OffsetForLeaderEpochResponse = client.ask(ApiKey::OffsetForLeaderEpoch, 4, &request);
        let row = &response.topics[0].partitions[0];
        (row.error_code, row.leader_epoch, row.end_offset)
    };
    assert_eq!(ask("t", 0), (0, 0, 4), "the current epoch ends at the log's end");
    assert_eq!(ask("t", 5), (0, -1, -1), "an epoch to come is no error");
    assert_eq!(
        ask("missing", 0),
        (ErrorCode::UnknownTopicOrPartition.code(), -1, -1)
    );
}
