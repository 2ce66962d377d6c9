//! Handshake, frames, order (traps 1 to 18).

use std::time::{Duration, Instant};

use protocol::ApiKey;
use protocol::messages::api_versions_request::ApiVersionsRequest;
use protocol::messages::api_versions_response::ApiVersionsResponse;
use protocol::messages::metadata_request::MetadataRequest;
use protocol::messages::produce_response::ProduceResponse;
use testkit::{Client, TestNode, batch};
use types::ErrorCode;

use crate::{fetch_request, node_with, produce_request};

#[test]
fn an_unknown_api_versions_version_is_answered_in_v0_and_the_connection_lives() {
    let node = TestNode::start(&[]);
    let mut client = Client::connect(node.address);
    client.send_raw(ApiKey::ApiVersions, 99, b"whatever");
    let (_, response): (i32, ApiVersionsResponse) = client.receive(ApiKey::ApiVersions, 0);
    assert_eq!(response.error_code, ErrorCode::UnsupportedVersion.code());
    let row = response
        .api_keys
        .iter()
        .find(|row| row.api_key == 18)
        .expect("key 18 is named");
    assert_eq!((row.min_version, row.max_version), (0, 4));
    let request = ApiVersionsRequest {
        client_software_name: "test".into(),
        client_software_version: "1".into(),
        ..Default::default()
    };
    let response: ApiVersionsResponse = client.ask(ApiKey::ApiVersions, 4, &request);
    assert_eq!(response.error_code, 0);
}

#[test]
fn features_have_a_real_epoch_and_only_what_is_complete_is_finalized() {
    let node = TestNode::start(&[]);
    let mut client = Client::connect(node.address);
    let request = ApiVersionsRequest {
        client_software_name: "test".into(),
        client_software_version: "1".into(),
        ..Default::default()
    };
    let response: ApiVersionsResponse = client.ask(ApiKey::ApiVersions, 3, &request);
    assert!(0 <= response.finalized_features_epoch);
    let finalized: Vec<&str> = response
        .finalized_features
        .iter()
        .map(|feature| &*feature.name)
        .collect();
    assert_eq!(finalized, ["kraft.version", "metadata.version"]);
    assert!(
        response
            .supported_features
            .iter()
            .all(|feature| feature.min_version != 0)
    );
}

#[test]
fn a_software_name_that_is_no_word_is_refused() {
    let node = TestNode::start(&[]);
    let mut client = Client::connect(node.address);
    let request = ApiVersionsRequest {
        client_software_name: "-bad".into(),
        client_software_version: "1".into(),
        ..Default::default()
    };
    let response: ApiVersionsResponse = client.ask(ApiKey::ApiVersions, 3, &request);
    assert_eq!(response.error_code, ErrorCode::InvalidRequest.code());
}

#[test]
fn other_unknown_versions_and_keys_end_the_connection() {
    let node = TestNode::start(&[]);
    for (key, version) in [
        (ApiKey::Metadata, 99),
        (ApiKey::Fetch, 3),
        (ApiKey::ConsumerGroupHeartbeat, 0),
        (ApiKey::Produce, 2),
    ] {
        let mut client = Client::connect(node.address);
        client.send_raw(key, version, &[0; 16]);
        assert!(client.is_closed(), "{} v{version}", key.name());
    }
}

#[test]
fn bytes_that_are_no_frame_end_the_connection() {
    let node = TestNode::start(&[]);
    let too_large = 104_857_601i32.to_be_bytes();
    for bytes in [
        &b"GET / HTTP/1.1\r\n"[..],
        &[0x16, 3, 1, 2, 0, 1],
        &(-1i32).to_be_bytes(),
        &too_large,
    ] {
        let mut client = Client::connect(node.address);
        client.send_bytes(bytes);
        assert!(client.is_closed(), "{bytes:?}");
    }
    let mut client = Client::connect(node.address);
    // A body that is cut.
    client.send_raw(ApiKey::Metadata, 1, &[0, 0, 0, 9, 0, 200]);
    assert!(client.is_closed());
}

#[test]
fn trailing_bytes_are_let_pass() {
    let node = TestNode::start(&[]);
    let mut client = Client::connect(node.address);
    client.send_raw(ApiKey::Metadata, 1, &[0, 0, 0, 0, 7, 7, 7]);
    assert!(!client.is_closed());
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let (_node, mut client) = node_with("t", &[]);
    let mut sent = Vec::new();
    for _ in 0..20 {
        sent.push((
            ApiKey::Produce,
            client.send(ApiKey::Produce, 9, &produce_request("t", -1, Some(batch(1)))),
        ));
        let all = MetadataRequest {
            topics: None,
            ..Default::default()
        };
        sent.push((ApiKey::Metadata, client.send(ApiKey::Metadata, 9, &all)));
    }
    let mut offsets = Vec::new();
    for (key, id) in sent {
        if key == ApiKey::Produce {
            let (answered, response): (i32, ProduceResponse) = client.receive(key, 9);
            assert_eq!(answered, id);
            offsets.push(response.responses[0].partition_responses[0].base_offset);
        } else {
            let (answered, _): (i32, protocol::messages::metadata_response::MetadataResponse) =
                client.receive(key, 9);
            assert_eq!(answered, id);
        }
    }
    assert_eq!(offsets, (0..20).collect::<Vec<i64>>());
}

#[test]
fn acks_0_is_never_answered_and_an_error_ends_the_connection() {
    let (_node, mut client) = node_with("t", &[]);
    client.send(ApiKey::Produce, 9, &produce_request("t", 0, Some(batch(1))));
    let all = MetadataRequest {
        topics: None,
        ..Default::default()
    };
    // The next answer is the next request's.
    let _: protocol::messages::metadata_response::MetadataResponse = client.ask(ApiKey::Metadata, 9, &all);
    client.send(ApiKey::Produce, 9, &produce_request("missing", 0, Some(batch(1))));
    assert!(client.is_closed());
}

#[test]
fn a_closed_client_frees_what_it_waited_for() {
    let (node, mut client) = node_with("t", &[]);
    let mut request = fetch_request("t", 0);
    request.max_wait_ms = 600_000;
    client.send(ApiKey::Fetch, 11, &request);
    std::thread::sleep(Duration::from_millis(50));
    drop(client);
    let mut other = Client::connect(node.address);
    let before = Instant::now();
    crate::produce(&mut other, "t", 9, batch(1));
    assert!(before.elapsed() < Duration::from_secs(5));
}
