//! Traps that no other file here has a place for, and the check that `docs/traps.md` names tests that exist.

use std::path::{Path, PathBuf};

use bytes::Buf;
use protocol::ApiKey;
use protocol::messages::api_versions_request::ApiVersionsRequest;
use protocol::messages::api_versions_response::ApiVersionsResponse;
use protocol::messages::create_topics_request::{CreatableTopic, CreateTopicsRequest};
use protocol::messages::create_topics_response::CreateTopicsResponse;
use protocol::messages::describe_cluster_request::DescribeClusterRequest;
use protocol::messages::describe_cluster_response::DescribeClusterResponse;
use protocol::messages::fetch_request::{FetchPartition, FetchRequest, FetchTopic};
use protocol::messages::fetch_response::{FetchResponse, PartitionData};
use protocol::messages::find_coordinator_request::FindCoordinatorRequest;
use protocol::messages::find_coordinator_response::FindCoordinatorResponse;
use protocol::messages::init_producer_id_request::InitProducerIdRequest;
use protocol::messages::init_producer_id_response::InitProducerIdResponse;
use protocol::messages::metadata_response::MetadataResponse;
use record::{BatchHeader, BatchOptions, with_log_append_time};
use testkit::{Client, TestNode, batch, batch_of};
use types::{ErrorCode, ProducerEpoch, ProducerId};

use crate::{create, fetch_request, node_with, produce};

fn versions(client: &mut Client) -> ApiVersionsResponse {
    let request = ApiVersionsRequest {
        client_software_name: "test".into(),
        client_software_version: "1".into(),
        ..Default::default()
    };
    client.ask(ApiKey::ApiVersions, 3, &request)
}

fn first(client: &mut Client, version: i16, request: &FetchRequest) -> PartitionData {
    let response: FetchResponse = client.ask(ApiKey::Fetch, version, request);
    response.responses[0].partitions[0].clone()
}

#[test]
fn produce_is_advertised_from_0_and_librdkafka_finds_its_features() {
    // Traps 4 and 5: features are taken from ranges.
    let node = TestNode::start(&[]);
    let response = versions(&mut Client::connect(node.address));
    let range = |key: ApiKey| {
        let row = response.api_keys.iter().find(|row| row.api_key == key.code());
        row.map(|row| (row.min_version, row.max_version))
            .expect("advertised")
    };
    assert_eq!(range(ApiKey::Produce).0, 0, "or old clients stop to compress");
    assert!(
        7 <= range(ApiKey::Produce).1 && 10 <= range(ApiKey::Fetch).1,
        "zstd"
    );
    assert!(range(ApiKey::Fetch).0 <= 4 && range(ApiKey::ListOffsets).0 <= 1);
    let balanced = [
        ApiKey::FindCoordinator,
        ApiKey::OffsetCommit,
        ApiKey::OffsetFetch,
        ApiKey::JoinGroup,
        ApiKey::SyncGroup,
        ApiKey::Heartbeat,
        ApiKey::LeaveGroup,
    ];
    for key in balanced {
        range(key);
    }
    assert_eq!(range(ApiKey::JoinGroup).0, 0);
}

#[test]
fn the_header_of_an_api_versions_answer_has_no_tags() {
    // Trap 2: the body begins right behind the correlation id, also where the request is flexible.
    let node = TestNode::start(&[]);
    let mut client = Client::connect(node.address);
    let request = ApiVersionsRequest {
        client_software_name: "test".into(),
        client_software_version: "1".into(),
        ..Default::default()
    };
    let sent = client.send(ApiKey::ApiVersions, 4, &request);
    let mut frame = client.receive_frame().expect("an answer");
    assert_eq!(
        (frame.get_i32(), frame.get_i16()),
        (sent, 0),
        "correlation id, then the error code"
    );
}

#[test]
fn a_node_may_have_any_number() {
    // Trap 15.
    let node = TestNode::start(&[("node.id", "1073741824")]);
    let mut client = Client::connect(node.address);
    create(&mut client, "t", 1, &[]);
    assert_eq!(produce(&mut client, "t", 9, batch(1)).error_code, 0);
    let cluster: DescribeClusterResponse =
        client.ask(ApiKey::DescribeCluster, 0, &DescribeClusterRequest::default());
    let ids: Vec<i32> = cluster.brokers.iter().map(|broker| broker.broker_id).collect();
    assert_eq!((ids, cluster.controller_id), (vec![1_073_741_824], 1_073_741_824));
}

#[test]
fn a_restarted_node_is_in_every_list_of_brokers_from_the_first_answer_on() {
    // Trap 16: a client drops a broker that is missing from a list.
    let (node, _) = node_with("t", &[]);
    let again = TestNode::on(node.power_loss(1), &[]);
    let mut client = Client::connect(again.address);
    let cluster: DescribeClusterResponse =
        client.ask(ApiKey::DescribeCluster, 0, &DescribeClusterRequest::default());
    assert_eq!(cluster.brokers.len(), 1);
}

#[test]
fn tags_that_nobody_knows_are_skipped() {
    // Traps 17 and 115: tag 7, then tag 3, in the request's own list. Metadata v9: one topic, three flags.
    let (_node, mut client) = node_with("t", &[]);
    let body = [2, 2, b't', 0, 0, 0, 0, 2, 7, 1, 9, 3, 2, 9, 9];
    client.send_raw(ApiKey::Metadata, 9, &body);
    let (_, response): (i32, MetadataResponse) = client.receive(ApiKey::Metadata, 9);
    assert_eq!((response.topics.len(), response.topics[0].error_code), (1, 0));
}

#[test]
fn what_kafka_lets_pass_passes() {
    // Trap 115: a client id of length -2, an array of length -2 (all topics), bytes behind the body.
    let (node, _) = node_with("t", &[]);
    let mut client = Client::connect(node.address);
    let body = [0, 3, 0, 1, 0, 0, 0, 5, 0xff, 0xfe, 0xff, 0xff, 0xff, 0xfe, 9, 9];
    client.send_bytes(&[&(body.len() as i32).to_be_bytes()[..], &body].concat());
    let (correlation, response): (i32, MetadataResponse) = client.receive(ApiKey::Metadata, 1);
    assert_eq!((correlation, response.topics.len()), (5, 1));
}

#[test]
fn a_stored_batch_has_our_offset_and_epoch_and_the_clients_checksum() {
    // Trap 21.
    let (_node, mut client) = node_with("t", &[]);
    let sent = batch(3);
    for base in [0, 3] {
        assert_eq!(produce(&mut client, "t", 9, sent.clone()).base_offset, base);
        let stored = first(&mut client, 11, &fetch_request("t", base))
            .records
            .expect("records")
            .to_bytes();
        let header = BatchHeader::parse(&stored).expect("a batch");
        assert_eq!((header.base_offset.0, header.leader_epoch.0), (base, 0));
        assert_eq!(stored.slice(16..), sent.slice(16..), "the rest is as it was sent");
    }
}

#[test]
fn a_claim_that_the_time_is_ours_is_taken_back_or_refused() {
    // Trap 22.
    let (_node, mut client) = node_with("t", &[]);
    create(
        &mut client,
        "ours",
        1,
        &[("message.timestamp.type", "LogAppendTime")],
    );
    let claims = with_log_append_time(&batch(2), Some(1_700_000_000_000));
    let refused = produce(&mut client, "ours", 9, claims.clone());
    assert_eq!(refused.error_code, ErrorCode::InvalidTimestamp.code());
    assert_eq!(refused.record_errors.len(), 2, "every record is named");
    assert_eq!(produce(&mut client, "t", 9, claims).error_code, 0);
    let stored = first(&mut client, 11, &fetch_request("t", 0))
        .records
        .expect("records")
        .to_bytes();
    let header = BatchHeader::parse(&stored).expect("a batch");
    assert_eq!(header.timestamp_type(), record::TimestampType::CreateTime);
    record::check_crc(&header, &stored).expect("sealed again");
}

#[test]
fn a_producer_begins_at_any_sequence_and_wraps_to_zero() {
    // Trap 29.
    let (_node, mut client) = node_with("t", &[]);
    let mut send = |count, base_sequence| {
        let options = BatchOptions {
            producer_id: ProducerId(7),
            producer_epoch: ProducerEpoch(0),
            base_sequence,
            ..BatchOptions::default()
        };
        let row = produce(&mut client, "t", 9, batch_of(count, options));
        ErrorCode::from_code(row.error_code).expect("known")
    };
    assert_eq!(
        send(2, i32::MAX - 2),
        ErrorCode::None,
        "nothing is known of the producer"
    );
    assert_eq!(
        send(3, i32::MAX),
        ErrorCode::None,
        "over the end: the last one is 1"
    );
    assert_eq!(
        send(1, i32::MIN),
        ErrorCode::InvalidRecord,
        "never to a negative one"
    );
    assert_eq!(send(1, 3), ErrorCode::OutOfOrderSequenceNumber);
    assert_eq!(send(1, 2), ErrorCode::None);
}

#[test]
fn records_are_empty_and_never_null() {
    // Trap 36, for every version and on errors.
    let (_node, mut client) = node_with("t", &[]);
    for version in 4..=12 {
        for (topic, offset) in [("t", 0), ("t", 99), ("nowhere", 0)] {
            let data = first(&mut client, version, &fetch_request(topic, offset));
            let records = data.records.expect("not null");
            assert!(records.is_empty(), "{topic} {offset} v{version}");
        }
    }
}

#[test]
fn wanted_bytes_are_counted_over_all_partitions() {
    // Trap 40.
    let (_node, mut client) = node_with("a", &[]);
    create(&mut client, "b", 1, &[]);
    let bytes = batch(1).len() as i32;
    for topic in ["a", "b"] {
        assert_eq!(produce(&mut client, topic, 9, batch(1)).error_code, 0);
    }
    let partition = |topic: &str| FetchTopic {
        topic: topic.into(),
        partitions: vec![FetchPartition {
            partition_max_bytes: 1 << 20,
            ..Default::default()
        }],
        ..Default::default()
    };
    let request = FetchRequest {
        max_wait_ms: 8000,
        min_bytes: 2 * bytes,
        max_bytes: 1 << 20,
        topics: vec![partition("a"), partition("b")],
        ..Default::default()
    };
    let started = std::time::Instant::now();
    let response: FetchResponse = client.ask(ApiKey::Fetch, 11, &request);
    assert_eq!(response.responses.len(), 2);
    assert!(
        started.elapsed().as_secs() < 4,
        "one alone is too little, both are enough"
    );
}

#[test]
fn without_a_slot_a_fetch_is_full_and_has_no_session() {
    // Trap 43.
    let node = TestNode::start(&[("max.incremental.fetch.session.cache.slots", "0")]);
    let mut client = Client::connect(node.address);
    create(&mut client, "t", 1, &[]);
    produce(&mut client, "t", 9, batch(1));
    let mut open = fetch_request("t", 0);
    open.session_epoch = 0;
    let response: FetchResponse = client.ask(ApiKey::Fetch, 11, &open);
    assert_eq!((response.session_id, response.responses.len()), (0, 1));
}

#[test]
fn a_reader_of_a_lost_epoch_is_told_where_it_diverges() {
    // Traps 45, 46 and 107. Each start leads a new epoch only where Kafka would: the first life's is 0.
    let (_node, mut client) = node_with("t", &[]);
    produce(&mut client, "t", 9, batch(4));
    let ask = |client: &mut Client, last_fetched_epoch| {
        let mut request = fetch_request("t", 4);
        request.topics[0].partitions[0].last_fetched_epoch = last_fetched_epoch;
        request.topics[0].partitions[0].current_leader_epoch = -1;
        first(client, 12, &request)
    };
    assert_eq!(ask(&mut client, 0).error_code, 0);
    assert_eq!(ask(&mut client, -1).error_code, 0, "-1 asks for no check");
    let newer = ask(&mut client, 9);
    assert_eq!(
        newer.error_code,
        ErrorCode::OffsetOutOfRange.code(),
        "an epoch that never was"
    );
}

#[test]
fn a_fetch_ends_with_a_segment() {
    // Trap 107.
    let (_node, mut client) = node_with("t", &[("segment.bytes", "1048576")]);
    let value = vec![7; 300_000];
    let large = || {
        let mut builder = record::BatchBuilder::new(BatchOptions::default());
        builder.push(1, Some(b"k"), Some(&value));
        builder.build().expect("small")
    };
    crate::configs::set(&mut client, crate::configs::TOPIC, "t", "retention.ms", "-1");
    for _ in 0..8 {
        assert_eq!(produce(&mut client, "t", 9, large()).error_code, 0);
    }
    let mut request = fetch_request("t", 0);
    request.max_bytes = 50 << 20;
    request.topics[0].partitions[0].partition_max_bytes = 50 << 20;
    let mut next = 0;
    let mut counts = Vec::new();
    while next < 8 {
        request.topics[0].partitions[0].fetch_offset = next;
        let records = first(&mut client, 11, &request)
            .records
            .expect("records")
            .to_bytes();
        let count = record::batches(&records).count();
        counts.push(count);
        next += count as i64;
    }
    assert_eq!(counts, [3, 3, 2]);
}

#[test]
fn a_request_creates_at_most_10000_partitions() {
    // Trap 112.
    let node = TestNode::start(&[]);
    let mut client = Client::connect(node.address);
    let topic = |name: &str, count| CreatableTopic {
        name: name.into(),
        num_partitions: count,
        replication_factor: 1,
        ..Default::default()
    };
    let request = CreateTopicsRequest {
        topics: vec![topic("a", 9_999), topic("b", 2), topic("c", 1)],
        validate_only: true,
        ..Default::default()
    };
    let response: CreateTopicsResponse = client.ask(ApiKey::CreateTopics, 7, &request);
    let codes: Vec<i16> = response.topics.iter().map(|topic| topic.error_code).collect();
    assert_eq!(codes[..2], [0, ErrorCode::PolicyViolation.code()]);
}

#[test]
fn transactions_are_refused_in_words_that_a_producer_shows() {
    // Not retriable, so that no producer waits a minute for what never comes.
    let node = TestNode::start(&[]);
    let mut client = Client::connect(node.address);
    let request = InitProducerIdRequest {
        transactional_id: Some("t".into()),
        transaction_timeout_ms: 1000,
        producer_id: -1,
        producer_epoch: -1,
        ..Default::default()
    };
    let response: InitProducerIdResponse = client.ask(ApiKey::InitProducerId, 4, &request);
    assert_eq!(
        response.error_code,
        ErrorCode::TransactionalIdAuthorizationFailed.code()
    );
    for version in [1, 3, 4, 5] {
        let request = FindCoordinatorRequest {
            key: "t".into(),
            coordinator_keys: if version < 4 { Vec::new() } else { vec!["t".into()] },
            key_type: 1,
            ..Default::default()
        };
        let request = FindCoordinatorRequest {
            key: if version < 4 {
                request.key
            } else {
                Default::default()
            },
            ..request
        };
        let response: FindCoordinatorResponse = client.ask(ApiKey::FindCoordinator, version, &request);
        let (code, message) = match response.coordinators.first() {
            Some(row) => (row.error_code, row.error_message.clone()),
            None => (response.error_code, response.error_message.clone()),
        };
        assert_eq!(code, ErrorCode::InvalidRequest.code(), "v{version}");
        assert!(
            message.is_some_and(|text| text.contains("transactions")),
            "v{version}"
        );
    }
}

/// Every `.rs` file below a folder.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn the_page_of_traps_names_tests_that_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let page = std::fs::read_to_string(root.join("docs/traps.md")).expect("the page is there");
    let mut files = Vec::new();
    sources(&root.join("crates"), &mut files);
    let text: String = files
        .iter()
        .filter_map(|path| std::fs::read_to_string(path).ok())
        .collect();
    let rows = page
        .lines()
        .filter(|line| line.starts_with("| ") && !line.contains("---"))
        .skip(1);
    let (mut traps, mut missing) = (Vec::new(), Vec::new());
    for row in rows {
        let mut cells = row.split('|').map(str::trim).skip(1);
        traps.push(
            cells
                .next()
                .and_then(|trap| trap.parse::<u32>().ok())
                .expect("a number"),
        );
        let tests = cells.next().expect("tests or why not");
        for name in tests.split('`').skip(1).step_by(2) {
            if !text.contains(&format!("fn {name}()")) {
                missing.push(name.to_owned());
            }
        }
        assert!(tests.contains('`') || tests.starts_with("not "), "{row}");
    }
    let wanted: Vec<u32> = (1..=76).chain(103..=119).collect();
    assert_eq!(traps, wanted, "every trap has a row");
    assert!(missing.is_empty(), "no such test: {missing:?}");
}
