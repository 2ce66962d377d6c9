//! What requests leave in the metrics.

use std::time::{Duration, Instant};

use protocol::ApiKey;
use protocol::messages::fetch_response::FetchResponse;
use telemetry::Text;
use testkit::{Client, TestNode, batch};

use crate::{fetch_request, node_with, produce};

fn metrics(node: &TestNode) -> String {
    let mut text = Text::default();
    node.broker.write_metrics(&mut text);
    text.into_string()
}

/// The value of a sample, 0 if it is not there.
fn sample(page: &str, name: &str) -> f64 {
    let line = page
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.map_or(0.0, |value| value.parse().expect("a number"))
}

#[test]
fn every_request_is_counted_with_its_bytes_time_and_errors() {
    let (node, mut client) = node_with("t", &[]);
    for _ in 0..3 {
        produce(&mut client, "t", 9, batch(2));
    }
    assert_eq!(produce(&mut client, "missing", 9, batch(1)).error_code, 3);
    let page = metrics(&node);
    assert_eq!(sample(&page, "ottla_requests_total{api=\"Produce\"}"), 4.0);
    assert_eq!(sample(&page, "ottla_requests_total{api=\"CreateTopics\"}"), 1.0);
    let error = "ottla_request_errors_total{api=\"Produce\",error=\"UNKNOWN_TOPIC_OR_PARTITION\"}";
    assert_eq!(sample(&page, error), 1.0);
    let request_bytes = sample(&page, "ottla_request_bytes_total{api=\"Produce\"}");
    assert!(
        4.0 * 60.0 < request_bytes && request_bytes < 4.0 * 300.0,
        "{request_bytes}"
    );
    assert!(0.0 < sample(&page, "ottla_response_bytes_total{api=\"Produce\"}"));
    for time in ["queue", "handle", "park"] {
        let count = format!("ottla_request_{time}_seconds_count{{api=\"Produce\"}}");
        assert_eq!(sample(&page, &count), 4.0);
    }
    assert!(0.0 < sample(&page, "ottla_request_handle_seconds_sum{api=\"Produce\"}"));
    assert_eq!(
        (sample(&page, "ottla_topics"), sample(&page, "ottla_partitions")),
        (1.0, 1.0)
    );
    assert!(0.0 < sample(&page, "ottla_log_live_bytes{directory=\"/data\"}"));
    assert!(
        0.0 < sample(&page, "ottla_log_sync_seconds_count{directory=\"/data\"}"),
        "acks=all was synced"
    );
    assert!(
        sample(&page, "ottla_log_live_bytes{directory=\"/data\"}")
            < sample(&page, "ottla_log_allocated_bytes{directory=\"/data\"}")
    );
}

#[test]
fn a_long_poll_is_time_parked_and_not_work() {
    let (node, mut client) = node_with("t", &[]);
    let mut request = fetch_request("t", 0);
    request.max_wait_ms = 300;
    let _: FetchResponse = client.ask(ApiKey::Fetch, 11, &request);
    let page = metrics(&node);
    let parked = sample(&page, "ottla_request_park_seconds_sum{api=\"Fetch\"}");
    let handled = sample(&page, "ottla_request_handle_seconds_sum{api=\"Fetch\"}");
    assert!((0.28..5.0).contains(&parked), "{parked}");
    assert!(handled < 0.2, "{handled}");
}

#[test]
fn a_request_that_ends_its_connection_counts_as_closed() {
    let node = TestNode::start(&[]);
    let mut client = Client::connect(node.address);
    client.send_raw(ApiKey::Metadata, 99, b"");
    assert!(client.is_closed());
    let until = Instant::now() + Duration::from_secs(5);
    while sample(&metrics(&node), "ottla_requests_closed_total{api=\"Metadata\"}") == 0.0 {
        assert!(Instant::now() < until, "{}", metrics(&node));
        std::thread::sleep(Duration::from_millis(5));
    }
}
