//! What real clients rely on (`kafka-behaviour`, traps), said to a real socket.

mod admin;
mod configs;
mod connection;
mod damage;
mod day;
mod fetch;
mod groups;
mod grow_and_trim;
mod life;
mod metrics;
mod offsets;
mod produce;
mod protocol_page;
mod ready;
mod snapshots;
mod traps;

use bytes::Bytes;
use protocol::ApiKey;
use protocol::messages::create_topics_request::{CreatableTopic, CreatableTopicConfig, CreateTopicsRequest};
use protocol::messages::create_topics_response::CreateTopicsResponse;
use protocol::messages::fetch_request::{FetchPartition, FetchRequest, FetchTopic};
use protocol::messages::produce_request::{PartitionProduceData, ProduceRequest, TopicProduceData};
use protocol::messages::produce_response::{PartitionProduceResponse, ProduceResponse};
use testkit::{Client, TestNode};
use types::Uuid;

/// Creates a topic and gives its id.
fn create(client: &mut Client, name: &str, partitions: i32, configs: &[(&str, &str)]) -> Uuid {
    let config = |(name, value): &(&str, &str)| CreatableTopicConfig {
        name: (*name).into(),
        value: Some((*value).into()),
        ..Default::default()
    };
    let topic = CreatableTopic {
        name: name.into(),
        num_partitions: partitions,
        replication_factor: 1,
        configs: configs.iter().map(config).collect(),
        ..Default::default()
    };
    let request = CreateTopicsRequest {
        topics: vec![topic],
        ..Default::default()
    };
    let response: CreateTopicsResponse = client.ask(ApiKey::CreateTopics, 7, &request);
    assert_eq!(response.topics[0].error_code, 0, "{:?}", response.topics[0]);
    response.topics[0].topic_id
}

fn produce_request(topic: &str, acks: i16, records: Option<Bytes>) -> ProduceRequest {
    let data = PartitionProduceData {
        index: 0,
        records: records.map(Into::into),
        ..Default::default()
    };
    let topic = TopicProduceData {
        name: topic.into(),
        partition_data: vec![data],
        ..Default::default()
    };
    ProduceRequest {
        acks,
        timeout_ms: 5000,
        topic_data: vec![topic],
        ..Default::default()
    }
}

/// Produces to partition 0 with acks=all.
fn produce(client: &mut Client, topic: &str, version: i16, records: Bytes) -> PartitionProduceResponse {
    let request = produce_request(topic, -1, Some(records));
    let mut response: ProduceResponse = client.ask(ApiKey::Produce, version, &request);
    response.responses.remove(0).partition_responses.remove(0)
}

/// A fetch of partition 0 by name, without a session.
fn fetch_request(topic: &str, offset: i64) -> FetchRequest {
    let partition = FetchPartition {
        partition: 0,
        fetch_offset: offset,
        partition_max_bytes: 1 << 20,
        ..Default::default()
    };
    let topic = FetchTopic {
        topic: topic.into(),
        partitions: vec![partition],
        ..Default::default()
    };
    FetchRequest {
        max_wait_ms: 0,
        min_bytes: 1,
        max_bytes: 1 << 20,
        topics: vec![topic],
        ..Default::default()
    }
}

fn node_with(topic: &str, configs: &[(&str, &str)]) -> (TestNode, Client) {
    let node = TestNode::start(&[]);
    let mut client = Client::connect(node.address);
    create(&mut client, topic, 1, configs);
    (node, client)
}
