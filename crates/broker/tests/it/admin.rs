//! Topics, configs, metadata (traps 88 to 95, 117).

use protocol::ApiKey;
use protocol::messages::delete_topics_request::{DeleteTopicState, DeleteTopicsRequest};
use protocol::messages::delete_topics_response::DeleteTopicsResponse;
use protocol::messages::describe_cluster_request::DescribeClusterRequest;
use protocol::messages::describe_cluster_response::DescribeClusterResponse;
use protocol::messages::describe_configs_request::{DescribeConfigsRequest, DescribeConfigsResource};
use protocol::messages::describe_configs_response::DescribeConfigsResponse;
use protocol::messages::describe_topic_partitions_request::{Cursor, DescribeTopicPartitionsRequest};
use protocol::messages::describe_topic_partitions_response::DescribeTopicPartitionsResponse;
use protocol::messages::metadata_request::{MetadataRequest, MetadataRequestTopic};
use protocol::messages::metadata_response::MetadataResponse;
use testkit::{Client, TestNode, batch};
use types::ErrorCode;

use crate::{create, produce};

fn metadata(client: &mut Client, version: i16, topics: Option<&[&str]>, create: bool) -> MetadataResponse {
    let topic = |name: &&str| MetadataRequestTopic {
        name: Some((*name).into()),
        ..Default::default()
    };
    let request = MetadataRequest {
        topics: topics.map(|names| names.iter().map(topic).collect()),
        allow_auto_topic_creation: create,
        ..Default::default()
    };
    client.ask(ApiKey::Metadata, version, &request)
}

#[test]
fn all_none_and_some_topics_are_told_apart() {
    let node = TestNode::start(&[]);
    let mut client = Client::connect(node.address);
    create(&mut client, "a", 2, &[]);
    create(&mut client, "b", 1, &[]);
    assert_eq!(
        metadata(&mut client, 0, Some(&[]), true).topics.len(),
        2,
        "v0: empty is all"
    );
    assert_eq!(
        metadata(&mut client, 1, Some(&[]), true).topics.len(),
        0,
        "v1: empty is none"
    );
    for version in 1..=13 {
        let response = metadata(&mut client, version, None, true);
        assert_eq!(response.topics.len(), 2, "v{version}: null is all");
        assert_eq!(response.brokers[0].port, i32::from(node.address.port()));
        assert_eq!(response.topics[0].partitions.len(), 2);
        if 10 <= version {
            assert!(!response.topics[0].topic_id.is_zero());
        }
    }
}

#[test]
fn a_missing_topic_is_created_only_if_both_sides_allow_it() {
    let node = TestNode::start(&[("num.partitions", "3")]);
    let mut client = Client::connect(node.address);
    let refused = metadata(&mut client, 9, Some(&["x"]), false);
    assert_eq!(
        refused.topics[0].error_code,
        ErrorCode::UnknownTopicOrPartition.code()
    );
    let bad = metadata(&mut client, 9, Some(&["no good"]), true);
    assert_eq!(bad.topics[0].error_code, ErrorCode::InvalidTopicException.code());
    let made = metadata(&mut client, 9, Some(&["x"]), true);
    assert_eq!(
        (made.topics[0].error_code, made.topics[0].partitions.len()),
        (0, 3)
    );
    assert_eq!(
        produce(&mut client, "x", 9, batch(1)).error_code,
        0,
        "and is ready at once"
    );
    let closed = TestNode::start(&[("auto.create.topics.enable", "false")]);
    let refused = metadata(&mut Client::connect(closed.address), 9, Some(&["x"]), true);
    assert_eq!(
        refused.topics[0].error_code,
        ErrorCode::UnknownTopicOrPartition.code()
    );
}

#[test]
fn a_topic_created_again_is_another_one_and_empty() {
    let node = TestNode::start(&[]);
    let mut client = Client::connect(node.address);
    let first = create(&mut client, "t", 1, &[]);
    produce(&mut client, "t", 9, batch(3));
    let by_id = DeleteTopicState {
        name: None,
        topic_id: first,
        ..Default::default()
    };
    let request = DeleteTopicsRequest {
        topics: vec![by_id],
        timeout_ms: 1000,
        ..Default::default()
    };
    let response: DeleteTopicsResponse = client.ask(ApiKey::DeleteTopics, 6, &request);
    assert_eq!(response.responses[0].error_code, 0);
    assert_eq!(response.responses[0].name.as_deref(), Some("t"));
    let again: DeleteTopicsResponse = client.ask(ApiKey::DeleteTopics, 6, &request);
    assert_eq!(again.responses[0].error_code, ErrorCode::UnknownTopicId.code());
    let second = create(&mut client, "t", 1, &[]);
    assert_ne!(first, second);
    assert_eq!(produce(&mut client, "t", 9, batch(1)).base_offset, 0);
}

#[test]
fn topics_and_their_settings_survive_a_power_loss() {
    let node = TestNode::start(&[]);
    let mut client = Client::connect(node.address);
    let id = create(&mut client, "t", 3, &[("max.message.bytes", "1234")]);
    let again = TestNode::on(node.power_loss(11), &[]);
    let mut client = Client::connect(again.address);
    let response = metadata(&mut client, 12, None, false);
    assert_eq!(
        (response.topics[0].topic_id, response.topics[0].partitions.len()),
        (id, 3)
    );
    let configs = describe(&mut client, 2, "t", None);
    let row = configs.results[0]
        .configs
        .iter()
        .find(|row| &*row.name == "max.message.bytes")
        .expect("described");
    assert_eq!((row.value.as_deref(), row.config_source), (Some("1234"), 1));
}

fn describe(client: &mut Client, kind: i8, name: &str, keys: Option<Vec<&str>>) -> DescribeConfigsResponse {
    let resource = DescribeConfigsResource {
        resource_type: kind,
        resource_name: name.into(),
        configuration_keys: keys.map(|keys| keys.into_iter().map(Into::into).collect()),
        ..Default::default()
    };
    let request = DescribeConfigsRequest {
        resources: vec![resource],
        include_synonyms: true,
        include_documentation: true,
        ..Default::default()
    };
    client.ask(ApiKey::DescribeConfigs, 4, &request)
}

#[test]
fn every_setting_is_described_with_its_source() {
    let node = TestNode::start(&[("num.partitions", "5")]);
    let mut client = Client::connect(node.address);
    let broker = describe(&mut client, 4, "1", None);
    assert!(330 < broker.results[0].configs.len());
    let one = describe(&mut client, 4, "1", Some(vec!["num.partitions"]));
    let row = &one.results[0].configs[0];
    assert_eq!(
        (row.value.as_deref(), row.config_source, row.read_only),
        (Some("5"), 4, true)
    );
    let secret = describe(&mut client, 4, "1", Some(vec!["ssl.key.password"]));
    assert!(secret.results[0].configs[0].is_sensitive && secret.results[0].configs[0].value.is_none());
    let unknown = describe(&mut client, 2, "missing", None);
    assert_eq!(
        unknown.results[0].error_code,
        ErrorCode::UnknownTopicOrPartition.code()
    );
    assert_eq!(
        describe(&mut client, 4, "2", None).results[0].error_code,
        ErrorCode::InvalidRequest.code()
    );
}

#[test]
fn partitions_are_described_a_page_at_a_time() {
    let node = TestNode::start(&[]);
    let mut client = Client::connect(node.address);
    create(&mut client, "a", 3, &[]);
    create(&mut client, "b", 2, &[]);
    let mut cursor = None;
    let mut seen = Vec::new();
    for _ in 0..10 {
        let request = DescribeTopicPartitionsRequest {
            response_partition_limit: 2,
            cursor: cursor.clone(),
            ..Default::default()
        };
        let response: DescribeTopicPartitionsResponse =
            client.ask(ApiKey::DescribeTopicPartitions, 0, &request);
        for topic in &response.topics {
            let name = topic.name.clone().expect("a name");
            seen.extend(
                topic
                    .partitions
                    .iter()
                    .map(|row| (name.to_string(), row.partition_index)),
            );
        }
        let Some(next) = response.next_cursor else { break };
        cursor = Some(Cursor {
            topic_name: next.topic_name,
            partition_index: next.partition_index,
            ..Default::default()
        });
    }
    let all: Vec<(String, i32)> = [("a", 0), ("a", 1), ("a", 2), ("b", 0), ("b", 1)]
        .map(|(t, p)| (t.into(), p))
        .into();
    assert_eq!(seen, all);
}

#[test]
fn operations_are_told_only_to_those_who_ask() {
    let node = TestNode::start(&[]);
    let mut client = Client::connect(node.address);
    let silent: DescribeClusterResponse =
        client.ask(ApiKey::DescribeCluster, 2, &DescribeClusterRequest::default());
    assert_eq!(silent.cluster_authorized_operations, i32::MIN);
    assert_eq!((silent.controller_id, silent.brokers.len()), (1, 1));
    let asking = DescribeClusterRequest {
        include_cluster_authorized_operations: true,
        ..Default::default()
    };
    let told: DescribeClusterResponse = client.ask(ApiKey::DescribeCluster, 2, &asking);
    assert_ne!(told.cluster_authorized_operations, i32::MIN);
}
