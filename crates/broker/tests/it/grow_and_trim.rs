//! Topics grow and partitions lose their beginning (keys 37 and 21; traps 60, 112, 117).

use protocol::ApiKey;
use protocol::messages::create_partitions_request::{
    CreatePartitionsAssignment, CreatePartitionsRequest, CreatePartitionsTopic,
};
use protocol::messages::create_partitions_response::CreatePartitionsResponse;
use protocol::messages::delete_records_request::{
    DeleteRecordsPartition, DeleteRecordsRequest, DeleteRecordsTopic,
};
use protocol::messages::delete_records_response::DeleteRecordsResponse;
use protocol::messages::fetch_response::FetchResponse;
use protocol::messages::produce_request::{PartitionProduceData, ProduceRequest, TopicProduceData};
use protocol::messages::produce_response::ProduceResponse;
use testkit::{Client, TestNode, batch};
use types::ErrorCode;

use crate::offsets::list;
use crate::{create, fetch_request, node_with, produce};

fn grow(client: &mut Client, topics: &[(&str, i32)], validate_only: bool) -> Vec<ErrorCode> {
    let topic = |(name, count): &(&str, i32)| CreatePartitionsTopic {
        name: (*name).into(),
        count: *count,
        assignments: None,
        ..Default::default()
    };
    ask(client, topics.iter().map(topic).collect(), validate_only)
}

fn ask(client: &mut Client, topics: Vec<CreatePartitionsTopic>, validate_only: bool) -> Vec<ErrorCode> {
    let request = CreatePartitionsRequest {
        topics,
        timeout_ms: 5000,
        validate_only,
        ..Default::default()
    };
    let response: CreatePartitionsResponse = client.ask(ApiKey::CreatePartitions, 3, &request);
    let code = |code| ErrorCode::from_code(code).expect("a known code");
    response.results.iter().map(|row| code(row.error_code)).collect()
}

fn produce_to(client: &mut Client, topic: &str, partition: i32) -> i16 {
    let request = ProduceRequest {
        acks: -1,
        timeout_ms: 5000,
        topic_data: vec![TopicProduceData {
            name: topic.into(),
            partition_data: vec![PartitionProduceData {
                index: partition,
                records: Some(batch(1).into()),
                ..Default::default()
            }],
            ..Default::default()
        }],
        ..Default::default()
    };
    let response: ProduceResponse = client.ask(ApiKey::Produce, 9, &request);
    response.responses[0].partition_responses[0].error_code
}

#[test]
fn a_new_partition_takes_records_as_soon_as_it_is_answered() {
    // Trap 117.
    let (node, mut client) = node_with("t", &[]);
    assert_eq!(
        produce_to(&mut client, "t", 2),
        ErrorCode::UnknownTopicOrPartition.code()
    );
    assert_eq!(grow(&mut client, &[("t", 3)], false), [ErrorCode::None]);
    assert_eq!(produce_to(&mut client, "t", 2), 0);
    let node = TestNode::on(node.power_loss(1), &[]);
    let mut client = Client::connect(node.address);
    assert_eq!(
        produce_to(&mut client, "t", 2),
        0,
        "and is there after a power loss"
    );
}

#[test]
fn what_is_no_growth_is_refused_topic_by_topic() {
    let (_node, mut client) = node_with("t", &[]);
    for count in [1, 0, -1] {
        assert_eq!(
            grow(&mut client, &[("t", count)], false),
            [ErrorCode::InvalidPartitions]
        );
    }
    let mixed = grow(&mut client, &[("nowhere", 3), ("t", 2)], false);
    assert_eq!(mixed, [ErrorCode::UnknownTopicOrPartition, ErrorCode::None]);
    let twice = grow(&mut client, &[("t", 3), ("nowhere", 3), ("t", 4)], false);
    assert_eq!(
        twice,
        [ErrorCode::InvalidRequest, ErrorCode::UnknownTopicOrPartition]
    );
    assert_eq!(
        grow(&mut client, &[("t", 9)], true),
        [ErrorCode::None],
        "only validated"
    );
    assert_eq!(
        produce_to(&mut client, "t", 2),
        ErrorCode::UnknownTopicOrPartition.code()
    );
}

#[test]
fn assignments_name_as_many_brokers_as_there_are_partitions_to_add() {
    let (_node, mut client) = node_with("t", &[]);
    let mut assigned = |count, brokers: &[&[i32]]| {
        let assignment = |ids: &&[i32]| CreatePartitionsAssignment {
            broker_ids: ids.to_vec(),
            ..Default::default()
        };
        let topic = CreatePartitionsTopic {
            name: "t".into(),
            count,
            assignments: Some(brokers.iter().map(assignment).collect()),
            ..Default::default()
        };
        ask(&mut client, vec![topic], false)[0]
    };
    let bad = ErrorCode::InvalidReplicaAssignment;
    assert_eq!(assigned(3, &[&[1]]), bad, "too few");
    assert_eq!(assigned(2, &[&[1], &[1]]), bad, "too many");
    assert_eq!(assigned(2, &[&[]]), bad, "nobody");
    assert_eq!(assigned(2, &[&[7]]), bad, "a stranger");
    assert_eq!(assigned(2, &[&[1, 1]]), bad, "one twice");
    assert_eq!(assigned(3, &[&[1], &[1]]), ErrorCode::None);
}

#[test]
fn many_partitions_at_once_are_all_there_or_none() {
    // Trap 112: Kafka answers UNKNOWN_SERVER_ERROR above 10,000 and creates some all the same.
    let (node, mut client) = node_with("t", &[]);
    assert_eq!(grow(&mut client, &[("t", 12_001)], false), [ErrorCode::None]);
    assert_eq!(produce_to(&mut client, "t", 12_000), 0);
    assert_eq!(
        grow(&mut client, &[("t", 200_000)], false),
        [ErrorCode::PolicyViolation]
    );
    assert_eq!(
        grow(&mut client, &[("t", i32::MAX)], false),
        [ErrorCode::PolicyViolation]
    );
    let node = TestNode::on(node.power_loss(2), &[]);
    let mut client = Client::connect(node.address);
    assert_eq!(
        produce_to(&mut client, "t", 12_000),
        0,
        "the transaction is read whole"
    );
    assert_eq!(
        produce_to(&mut client, "t", 12_001),
        ErrorCode::UnknownTopicOrPartition.code()
    );
}

/// Code and low watermark of partition 0.
fn trim(client: &mut Client, topic: &str, before: i64) -> (ErrorCode, i64) {
    let request = DeleteRecordsRequest {
        topics: vec![DeleteRecordsTopic {
            name: topic.into(),
            partitions: vec![DeleteRecordsPartition {
                partition_index: 0,
                offset: before,
                ..Default::default()
            }],
            ..Default::default()
        }],
        timeout_ms: 5000,
        ..Default::default()
    };
    let response: DeleteRecordsResponse = client.ask(ApiKey::DeleteRecords, 2, &request);
    let row = &response.topics[0].partitions[0];
    (
        ErrorCode::from_code(row.error_code).expect("known"),
        row.low_watermark,
    )
}

#[test]
fn deleted_records_are_gone_for_readers_and_for_good() {
    // Trap 60.
    let (node, mut client) = node_with("t", &[]);
    for _ in 0..3 {
        assert_eq!(produce(&mut client, "t", 9, batch(4)).error_code, 0);
    }
    assert_eq!(trim(&mut client, "t", 5), (ErrorCode::None, 5));
    assert_eq!(
        trim(&mut client, "t", 2),
        (ErrorCode::None, 5),
        "it never goes back"
    );
    let fetch = |client: &mut Client, at| {
        let response: FetchResponse = client.ask(ApiKey::Fetch, 11, &fetch_request("t", at));
        let row = response.responses[0].partitions[0].clone();
        (row.error_code, row.log_start_offset)
    };
    assert_eq!(fetch(&mut client, 4).0, ErrorCode::OffsetOutOfRange.code());
    assert_eq!(fetch(&mut client, 5), (0, 5));
    assert_eq!(list(&mut client, 7, -2).offset, 5);
    let node = TestNode::on(node.power_loss(4), &[]);
    let mut client = Client::connect(node.address);
    assert_eq!(list(&mut client, 7, -2).offset, 5, "after a power loss too");
    assert_eq!(
        trim(&mut client, "t", -1),
        (ErrorCode::None, 12),
        "-1 is up to the high watermark"
    );
    assert_eq!(
        produce(&mut client, "t", 9, batch(1)).base_offset,
        12,
        "offsets go on"
    );
}

#[test]
fn only_what_is_committed_and_not_compacted_can_be_deleted() {
    let (_node, mut client) = node_with("t", &[]);
    create(&mut client, "kept", 1, &[("cleanup.policy", "compact")]);
    create(&mut client, "both", 1, &[("cleanup.policy", "compact,delete")]);
    produce(&mut client, "t", 9, batch(4));
    produce(&mut client, "both", 9, batch(4));
    for before in [5, -2, i64::MIN] {
        assert_eq!(
            trim(&mut client, "t", before),
            (ErrorCode::OffsetOutOfRange, -1),
            "{before}"
        );
    }
    assert_eq!(trim(&mut client, "kept", 0), (ErrorCode::PolicyViolation, -1));
    assert_eq!(trim(&mut client, "both", 1), (ErrorCode::None, 1));
    assert_eq!(
        trim(&mut client, "nowhere", 0),
        (ErrorCode::UnknownTopicOrPartition, -1)
    );
}

#[test]
fn a_lookup_by_time_finds_nothing_that_was_deleted() {
    let (_node, mut client) = node_with("t", &[]);
    produce(&mut client, "t", 9, batch(4));
    assert_eq!(trim(&mut client, "t", 2), (ErrorCode::None, 2));
    assert_eq!(
        list(&mut client, 7, 1).offset,
        2,
        "inside the batch that the log begins in"
    );
}
