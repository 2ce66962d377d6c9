//! What Produce and Fetch take from the heap, counted by the allocator: their answer and nothing else, whether a batch
//! holds one record or a thousand. Blocks that frames are received in and groups are put together in serve again.
//!
//! A test binary of its own with one test, because the counter is the process's; its client
//! allocates nothing while it counts.

use std::alloc::System;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use protocol::header::RequestHeader;
use protocol::messages::fetch_request::{FetchPartition, FetchRequest, FetchTopic};
use protocol::messages::produce_request::{PartitionProduceData, ProduceRequest, TopicProduceData};
use protocol::{ApiKey, Encode, Segments};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use testkit::{Client, TestNode, batch};

#[global_allocator]
static HEAP: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// The answer: its two lists, its bytes and the handle to share them.
const ANSWER: usize = 4;
/// A request that waits for the disk has a time-out.
const TIMER: usize = 1;
/// Lists of more than a few segments of an answer move to the heap, once each on the way from log to socket.
const MANY_SEGMENTS: usize = 6;

/// Requests of a kind; the least that one of them took is what counts, as timers and other threads only add.
const REQUESTS: usize = 200;

fn frame(key: ApiKey, version: i16, request: &impl Encode) -> Vec<u8> {
    let mut frame = Segments::frame();
    let header = RequestHeader {
        api_key: key.code(),
        api_version: version,
        correlation_id: 7,
        client_id: None,
    };
    header.encode(key, &mut frame);
    request
        .encode(version, &mut frame)
        .expect("the version can say it");
    frame.finish_frame().expect("small").concat()
}

fn produce_frame(records: usize, acks: i16) -> Vec<u8> {
    let partition = PartitionProduceData {
        records: Some(batch(records).into()),
        ..PartitionProduceData::default()
    };
    let topic = TopicProduceData {
        name: "t".into(),
        partition_data: vec![partition],
        ..TopicProduceData::default()
    };
    let request = ProduceRequest {
        acks,
        timeout_ms: 10_000,
        topic_data: vec![topic],
        ..ProduceRequest::default()
    };
    frame(ApiKey::Produce, 9, &request)
}

fn fetch_frame(from: i64, bytes_max: i32) -> Vec<u8> {
    let partition = FetchPartition {
        fetch_offset: from,
        partition_max_bytes: bytes_max,
        ..FetchPartition::default()
    };
    let topic = FetchTopic {
        topic: "t".into(),
        partitions: vec![partition],
        ..FetchTopic::default()
    };
    let request = FetchRequest {
        max_wait_ms: 0,
        max_bytes: bytes_max,
        session_epoch: -1,
        topics: vec![topic],
        ..FetchRequest::default()
    };
    frame(ApiKey::Fetch, 12, &request)
}

/// Allocations, in the whole process, from sending a frame to having its answer: the least over many.
fn allocations(address: SocketAddr, frame: &[u8]) -> usize {
    let mut stream = TcpStream::connect(address).expect("the node listens");
    let mut answer = vec![0; 4 << 20];
    let mut once = || {
        let region = Region::new(HEAP);
        stream.write_all(frame).expect("open");
        let mut size = [0; 4];
        stream.read_exact(&mut size).expect("an answer");
        let size = usize::try_from(i32::from_be_bytes(size)).expect("a size");
        stream
            .read_exact(answer.get_mut(..size).expect("a small answer"))
            .expect("a whole answer");
        region.change().allocations
    };
    once();
    (0..REQUESTS).map(|_| once()).min().expect("some")
}

#[test]
fn produce_and_fetch_allocate_their_answer_and_nothing_per_record() {
    let data = std::env::temp_dir().join(format!("ottla-allocations-{}", std::process::id()));
    let node = TestNode::on_real_disk(&data, &[("auto.create.topics.enable", "false")]);
    let mut client = Client::connect(node.address);
    create(&mut client, "t");
    for (acks, allowed) in [(1, ANSWER), (-1, ANSWER + TIMER)] {
        for records in [1, 1000] {
            let taken = allocations(node.address, &produce_frame(records, acks));
            assert!(
                taken <= allowed,
                "{taken} allocations for a produce of {records} records, acks {acks}"
            );
        }
    }
    for (bytes_max, allowed) in [(1, ANSWER), (1 << 20, ANSWER + MANY_SEGMENTS)] {
        let taken = allocations(node.address, &fetch_frame(0, bytes_max));
        assert!(
            taken <= allowed,
            "{taken} allocations for a fetch of {bytes_max} bytes"
        );
    }
    drop(node);
    let _ = std::fs::remove_dir_all(&data);
}

fn create(client: &mut Client, topic: &str) {
    use protocol::messages::create_topics_request::{CreatableTopic, CreateTopicsRequest};
    use protocol::messages::create_topics_response::CreateTopicsResponse;
    let topic = CreatableTopic {
        name: topic.into(),
        num_partitions: 1,
        replication_factor: 1,
        ..CreatableTopic::default()
    };
    let request = CreateTopicsRequest {
        topics: vec![topic],
        timeout_ms: 10_000,
        ..CreateTopicsRequest::default()
    };
    let response: CreateTopicsResponse = client.ask(ApiKey::CreateTopics, 7, &request);
    assert_eq!(response.topics.first().map(|topic| topic.error_code), Some(0));
}
