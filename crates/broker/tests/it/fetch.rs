//! Fetching (traps 35 to 51, 107).

use std::time::{Duration, Instant};

use protocol::ApiKey;
use protocol::messages::fetch_request::{FetchRequest, ForgottenTopic};
use protocol::messages::fetch_response::{FetchResponse, PartitionData};
use testkit::{Client, TestNode, batch};
use types::{ErrorCode, Uuid};

use crate::{create, fetch_request, node_with, produce};

fn fetch(client: &mut Client, version: i16, request: &FetchRequest) -> PartitionData {
    let mut response: FetchResponse = client.ask(ApiKey::Fetch, version, request);
    assert_eq!(response.error_code, 0);
    response.responses.remove(0).partitions.remove(0)
}

fn offsets(data: &PartitionData) -> Vec<(i64, i64)> {
    let records = data.records.clone().expect("records are never null").to_bytes();
    let span = |batch: Result<(record::BatchHeader, &[u8]), record::BatchError>| {
        let header = batch.expect("whole batches").0;
        (header.base_offset.0, header.last_offset().0)
    };
    record::batches(&records).map(span).collect()
}

#[test]
fn every_version_reads_what_was_produced() {
    let node = TestNode::start(&[]);
    let mut client = Client::connect(node.address);
    let id = create(&mut client, "t", 1, &[]);
    produce(&mut client, "t", 9, batch(3));
    for version in 4..=18 {
        let mut request = fetch_request(if version < 13 { "t" } else { "" }, 0);
        if 13 <= version {
            request.topics[0].topic_id = id;
        }
        let data = fetch(&mut client, version, &request);
        assert_eq!((data.error_code, data.high_watermark), (0, 3), "v{version}");
        assert_eq!(offsets(&data), [(0, 2)], "v{version}");
    }
}

#[test]
fn an_offset_inside_a_batch_gives_the_whole_batch() {
    let (_node, mut client) = node_with("t", &[]);
    produce(&mut client, "t", 9, batch(5));
    produce(&mut client, "t", 9, batch(5));
    assert_eq!(offsets(&fetch(&mut client, 11, &fetch_request("t", 7))), [(5, 9)]);
}

#[test]
fn the_first_batch_comes_whatever_the_limits_say() {
    let (_node, mut client) = node_with("t", &[]);
    produce(&mut client, "t", 9, batch(50));
    produce(&mut client, "t", 9, batch(50));
    let mut request = fetch_request("t", 0);
    request.max_bytes = 1;
    request.topics[0].partitions[0].partition_max_bytes = 1;
    assert_eq!(offsets(&fetch(&mut client, 11, &request)), [(0, 49)]);
}

#[test]
fn offsets_outside_the_log_are_out_of_range_and_its_end_is_not() {
    let (_node, mut client) = node_with("t", &[]);
    produce(&mut client, "t", 9, batch(5));
    let at_end = fetch(&mut client, 11, &fetch_request("t", 5));
    assert_eq!((at_end.error_code, offsets(&at_end)), (0, vec![]));
    for outside in [6, -1] {
        let data = fetch(&mut client, 11, &fetch_request("t", outside));
        assert_eq!(data.error_code, ErrorCode::OffsetOutOfRange.code());
        assert_eq!(offsets(&data), []);
    }
}

#[test]
fn a_long_poll_is_woken_by_a_record_and_not_before() {
    let (node, mut client) = node_with("t", &[]);
    let mut request = fetch_request("t", 0);
    request.max_wait_ms = 8000;
    let before = Instant::now();
    client.send(ApiKey::Fetch, 11, &request);
    std::thread::sleep(Duration::from_millis(200));
    produce(&mut Client::connect(node.address), "t", 9, batch(2));
    let (_, response): (i32, FetchResponse) = client.receive(ApiKey::Fetch, 11);
    assert_eq!(offsets(&response.responses[0].partitions[0]), [(0, 1)]);
    let took = before.elapsed();
    assert!(
        Duration::from_millis(200) <= took && took < Duration::from_secs(6),
        "{took:?}"
    );
}

#[test]
fn a_long_poll_ends_with_its_time() {
    let (_node, mut client) = node_with("t", &[]);
    let mut request = fetch_request("t", 0);
    request.max_wait_ms = 150;
    let before = Instant::now();
    let data = fetch(&mut client, 11, &request);
    assert_eq!((data.error_code, offsets(&data)), (0, vec![]));
    assert!(Duration::from_millis(150) <= before.elapsed());
}

#[test]
fn an_error_in_one_partition_is_answered_at_once() {
    let (_node, mut client) = node_with("t", &[]);
    let mut request = fetch_request("t", 0);
    request.max_wait_ms = 60_000;
    request.topics.extend(fetch_request("missing", 0).topics);
    let before = Instant::now();
    let response: FetchResponse = client.ask(ApiKey::Fetch, 11, &request);
    assert!(before.elapsed() < Duration::from_secs(5));
    let row = &response.responses[1].partitions[0];
    assert_eq!(row.error_code, ErrorCode::UnknownTopicOrPartition.code());
    assert_eq!(row.high_watermark, -1);
}

#[test]
fn leader_epochs_are_checked() {
    let (_node, mut client) = node_with("t", &[]);
    let mut ask = |epoch| {
        let mut request = fetch_request("t", 0);
        request.topics[0].partitions[0].current_leader_epoch = epoch;
        fetch(&mut client, 11, &request).error_code
    };
    assert_eq!(ask(-1), 0);
    assert_eq!(ask(0), 0);
    assert_eq!(ask(1), ErrorCode::UnknownLeaderEpoch.code());
}

#[test]
fn an_unknown_topic_id_is_echoed() {
    let (_node, mut client) = node_with("t", &[]);
    let mut request = fetch_request("", 0);
    request.topics[0].topic_id = Uuid([3; 16]);
    let response: FetchResponse = client.ask(ApiKey::Fetch, 13, &request);
    assert_eq!(response.responses[0].topic_id, Uuid([3; 16]));
    assert_eq!(
        response.responses[0].partitions[0].error_code,
        ErrorCode::UnknownTopicId.code()
    );
}

#[test]
fn a_session_answers_only_news() {
    let (_node, mut client) = node_with("t", &[]);
    let mut open = fetch_request("t", 0);
    open.session_epoch = 0;
    let response: FetchResponse = client.ask(ApiKey::Fetch, 11, &open);
    let session_id = response.session_id;
    assert!(0 < session_id);
    let next = |epoch| FetchRequest {
        session_id,
        session_epoch: epoch,
        min_bytes: 1,
        ..Default::default()
    };
    let response: FetchResponse = client.ask(ApiKey::Fetch, 11, &next(1));
    assert_eq!((response.error_code, response.responses.len()), (0, 0));
    produce(&mut client, "t", 9, batch(1));
    let response: FetchResponse = client.ask(ApiKey::Fetch, 11, &next(2));
    assert_eq!(response.responses.len(), 1);
    let wrong: FetchResponse = client.ask(ApiKey::Fetch, 11, &next(2));
    assert_eq!(wrong.error_code, ErrorCode::InvalidFetchSessionEpoch.code());
    let mut unknown = next(1);
    unknown.session_id = session_id ^ 1;
    let unknown: FetchResponse = client.ask(ApiKey::Fetch, 11, &unknown);
    assert_eq!(unknown.error_code, ErrorCode::FetchSessionIdNotFound.code());
    let mut last = next(3);
    let forgotten = ForgottenTopic {
        topic: "t".into(),
        partitions: vec![0],
        ..Default::default()
    };
    last.forgotten_topics_data = vec![forgotten];
    let response: FetchResponse = client.ask(ApiKey::Fetch, 11, &last);
    assert_eq!(
        (response.error_code, response.session_id),
        (0, 0),
        "an empty session is closed"
    );
}

#[test]
fn what_is_not_synced_is_not_shown() {
    let (node, mut client) = node_with("t", &[]);
    let answered = produce(&mut client, "t", 9, batch(4));
    assert_eq!(answered.error_code, 0);
    // Everything that a consumer saw is there after a power loss.
    let seen = offsets(&fetch(&mut client, 11, &fetch_request("t", 0)));
    let again = TestNode::on(node.power_loss(5), &[]);
    let mut client = Client::connect(again.address);
    assert_eq!(offsets(&fetch(&mut client, 11, &fetch_request("t", 0))), seen);
}
