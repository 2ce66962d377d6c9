//! A log over time: retention by age and size, and the room that it gives back.

use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use protocol::ApiKey;
use protocol::messages::delete_topics_request::{DeleteTopicState, DeleteTopicsRequest};
use protocol::messages::delete_topics_response::DeleteTopicsResponse;
use protocol::messages::fetch_response::FetchResponse;
use record::{BatchBuilder, BatchOptions};
use testkit::{Client, TestNode};

use crate::offsets::{list, list_of};
use crate::{create, fetch_request, produce};

const EARLIEST: i64 = -2;
const LATEST: i64 = -1;

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.expect("after 1970").as_millis() as i64
}

/// One record of `bytes`, `age_ms` old.
fn aged(age_ms: i64, bytes: usize) -> Bytes {
    let mut builder = BatchBuilder::new(BatchOptions::default());
    builder.push(now_ms() - age_ms, Some(b"k"), Some(&vec![7; bytes]));
    builder.build().expect("memory suffices")
}

fn wait_for(what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(20), "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn node() -> (TestNode, Client) {
    let node = TestNode::start(&[("log.retention.check.interval.ms", "50")]);
    let client = Client::connect(node.address);
    (node, client)
}

/// Chunks and spares; the reserves for a full disk come on top (invariant 11).
fn chunk_bytes(node: &TestNode) -> usize {
    let files = node.disk.files().into_iter();
    files
        .filter(|(path, _)| !path.starts_with("/data/pool/reserve") && !path.ends_with("reserve.cleaner"))
        .filter(|(path, _)| path.starts_with("/data/chunks") || path.starts_with("/data/pool"))
        .map(|(_, length)| length)
        .sum()
}

#[test]
fn segments_older_than_retention_go_and_their_room_comes_back() {
    let (node, mut client) = node();
    create(
        &mut client,
        "t",
        1,
        &[("segment.bytes", "1048576"), ("retention.ms", "600000")],
    );
    for _ in 0..60 {
        assert_eq!(
            produce(&mut client, "t", 9, aged(3_600_000, 200_000)).error_code,
            0
        );
    }
    // The active segment is old as well: another one begins at the end of the log.
    wait_for("everything is too old", || {
        list(&mut client, 9, EARLIEST).offset == 60
    });
    assert_eq!(list(&mut client, 9, LATEST).offset, 60);
    wait_for("12 MB were written, nothing lives", || {
        chunk_bytes(&node) < 6 << 20
    });
    // What is new stays, also the old record that lies in a segment with it.
    produce(&mut client, "t", 9, aged(3_600_000, 1000));
    produce(&mut client, "t", 9, aged(0, 1000));
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(list(&mut client, 9, EARLIEST).offset, 60);
    assert_eq!(list(&mut client, 9, LATEST).offset, 62);
}

#[test]
fn a_partition_larger_than_its_limit_loses_its_oldest_segments() {
    let (_node, mut client) = node();
    create(
        &mut client,
        "t",
        1,
        &[("segment.bytes", "1048576"), ("retention.bytes", "2000000")],
    );
    for _ in 0..50 {
        produce(&mut client, "t", 9, aged(0, 100_000));
    }
    // Ten records a segment: two full segments are as little as may be left.
    wait_for("it is larger than its limit", || {
        list(&mut client, 9, EARLIEST).offset == 30
    });
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(list(&mut client, 9, EARLIEST).offset, 30);
}

#[test]
fn segments_are_as_they_were_after_a_power_loss() {
    let (node, mut client) = node();
    create(
        &mut client,
        "t",
        1,
        &[("segment.bytes", "1048576"), ("retention.ms", "-1")],
    );
    for _ in 0..12 {
        produce(&mut client, "t", 9, aged(3_600_000, 200_000));
    }
    let again = TestNode::on(node.power_loss(3), &[("log.retention.check.interval.ms", "50")]);
    let mut client = Client::connect(again.address);
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(list(&mut client, 9, EARLIEST).offset, 0);
    let segments = again.broker.topics.by_name("t").expect("it is there");
    let log = segments.partition(0).expect("one").log().segments();
    let bases: Vec<i64> = log.iter().map(|segment| segment.base.0).collect();
    assert_eq!(bases, [0, 5, 10]);
}

fn keyed(key: &str, value: Option<&[u8]>) -> Bytes {
    let mut builder = BatchBuilder::new(BatchOptions::default());
    builder.push(now_ms(), Some(key.as_bytes()), value);
    builder.build().expect("memory suffices")
}

/// (offset, key) of everything that a consumer finds in the topic.
fn consume(client: &mut Client, topic: &str) -> Vec<(i64, String)> {
    let mut found = Vec::new();
    let mut from = list_of(client, topic, EARLIEST);
    let end = list_of(client, topic, LATEST);
    while from < end {
        let response: FetchResponse = client.ask(ApiKey::Fetch, 12, &fetch_request(topic, from));
        let records = response.responses[0].partitions[0]
            .records
            .clone()
            .expect("never null")
            .to_bytes();
        let before = from;
        for batch in record::batches(&records) {
            let (header, batch) = batch.expect("whole");
            for record in record::walk(&header, &batch[record::HEADER_BYTES..]) {
                let record = record.expect("sound");
                let offset = header.base_offset.0 + i64::from(record.offset_delta);
                found.push((
                    offset,
                    String::from_utf8_lossy(record.key.unwrap_or_default()).into_owned(),
                ));
            }
            from = header.next_offset().0;
        }
        assert!(before < from, "a fetch below the end gets on");
    }
    found
}

#[test]
fn a_compacted_topic_keeps_the_last_record_of_each_key() {
    let node = TestNode::start(&[("log.cleaner.backoff.ms", "50")]);
    let mut client = Client::connect(node.address);
    let configs = [
        ("cleanup.policy", "compact"),
        ("segment.bytes", "1048576"),
        ("min.cleanable.dirty.ratio", "0.01"),
    ];
    create(&mut client, "t", 1, &configs);
    for round in 0..40 {
        for key in 0..4 {
            let value = vec![round; 60_000];
            let produced = produce(&mut client, "t", 9, keyed(&format!("k{key}"), Some(&value)));
            assert_eq!(produced.error_code, 0);
        }
    }
    let last_of = |found: &[(i64, String)], key: &str| {
        found
            .iter()
            .rfind(|(_, known)| known == key)
            .map(|(offset, _)| *offset)
    };
    wait_for("10 MB of four keys are compacted", || {
        consume(&mut client, "t").len() < 30
    });
    let found = consume(&mut client, "t");
    for (at, key) in ["k0", "k1", "k2", "k3"].iter().enumerate() {
        assert_eq!(last_of(&found, key), Some(156 + at as i64));
    }
    assert_eq!(list_of(&mut client, "t", EARLIEST), 0);
    wait_for("their room comes back", || chunk_bytes(&node) < 6 << 20);
    // A record without a key is refused.
    let mut builder = BatchBuilder::new(BatchOptions::default());
    builder.push(now_ms(), None, Some(b"v"));
    let refused = produce(&mut client, "t", 9, builder.build().expect("memory suffices"));
    assert_eq!(refused.error_code, types::ErrorCode::InvalidRecord.code());
}

#[test]
fn a_deleted_topic_gives_its_room_back_and_its_name_begins_anew() {
    let (node, mut client) = node();
    let first = create(&mut client, "t", 1, &[]);
    for _ in 0..60 {
        produce(&mut client, "t", 9, aged(0, 200_000));
    }
    assert!(10 << 20 < chunk_bytes(&node));
    let request = DeleteTopicsRequest {
        topics: vec![DeleteTopicState {
            topic_id: first,
            ..Default::default()
        }],
        timeout_ms: 1000,
        ..Default::default()
    };
    let deleted: DeleteTopicsResponse = client.ask(ApiKey::DeleteTopics, 6, &request);
    assert_eq!(deleted.responses[0].error_code, 0);
    wait_for("12 MB were deleted", || chunk_bytes(&node) < 6 << 20);
    assert_ne!(create(&mut client, "t", 1, &[]), first);
    assert_eq!(produce(&mut client, "t", 9, aged(0, 1000)).base_offset, 0);
    assert_eq!(list(&mut client, 9, LATEST).offset, 1);
}
