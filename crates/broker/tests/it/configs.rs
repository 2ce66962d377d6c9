//! Configs altered while the broker runs (keys 33 and 44; trap 113), and what they change at once.

use protocol::ApiKey;
use protocol::messages::alter_configs_request::{
    AlterConfigsRequest, AlterConfigsResource as Legacy, AlterableConfig as LegacyConfig,
};
use protocol::messages::alter_configs_response::AlterConfigsResponse;
use protocol::messages::describe_configs_request::{DescribeConfigsRequest, DescribeConfigsResource};
use protocol::messages::describe_configs_response::{DescribeConfigsResourceResult, DescribeConfigsResponse};
use protocol::messages::incremental_alter_configs_request::{
    AlterConfigsResource, AlterableConfig, IncrementalAlterConfigsRequest,
};
use protocol::messages::incremental_alter_configs_response::IncrementalAlterConfigsResponse;
use record::{BatchBuilder, BatchHeader, BatchOptions, Codec};
use testkit::{Client, TestNode, batch};
use types::ErrorCode;

use crate::{fetch_request, node_with, produce};

pub(crate) const TOPIC: i8 = 2;
const BROKER: i8 = 4;
const LOGGER: i8 = 8;
const METRICS: i8 = 16;
const GROUP: i8 = 32;
const SET: i8 = 0;
const DELETE: i8 = 1;
const APPEND: i8 = 2;
const SUBTRACT: i8 = 3;

type Change<'a> = (&'a str, i8, Option<&'a str>);

fn resource(kind: i8, name: &str, changes: &[Change<'_>]) -> AlterConfigsResource {
    let config = |(name, operation, value): &Change<'_>| AlterableConfig {
        name: (*name).into(),
        config_operation: *operation,
        value: value.map(Into::into),
        ..Default::default()
    };
    AlterConfigsResource {
        resource_type: kind,
        resource_name: name.into(),
        configs: changes.iter().map(config).collect(),
        ..Default::default()
    }
}

fn ask(client: &mut Client, resources: Vec<AlterConfigsResource>, validate_only: bool) -> Vec<ErrorCode> {
    let request = IncrementalAlterConfigsRequest {
        resources,
        validate_only,
        ..Default::default()
    };
    let response: IncrementalAlterConfigsResponse = client.ask(ApiKey::IncrementalAlterConfigs, 1, &request);
    let code = |code| ErrorCode::from_code(code).expect("a known code");
    response
        .responses
        .iter()
        .map(|row| code(row.error_code))
        .collect()
}

pub(crate) fn alter(client: &mut Client, kind: i8, name: &str, changes: &[Change<'_>]) -> ErrorCode {
    ask(client, vec![resource(kind, name, changes)], false)[0]
}

pub(crate) fn set(client: &mut Client, kind: i8, name: &str, key: &str, value: &str) {
    assert_eq!(
        alter(client, kind, name, &[(key, SET, Some(value))]),
        ErrorCode::None,
        "{key}={value}"
    );
}

fn described(client: &mut Client, kind: i8, name: &str) -> Vec<DescribeConfigsResourceResult> {
    let request = DescribeConfigsRequest {
        resources: vec![DescribeConfigsResource {
            resource_type: kind,
            resource_name: name.into(),
            ..Default::default()
        }],
        include_synonyms: true,
        ..Default::default()
    };
    let mut response: DescribeConfigsResponse = client.ask(ApiKey::DescribeConfigs, 4, &request);
    response.results.remove(0).configs
}

/// The value of a setting and Kafka's number for where it comes from.
fn value(client: &mut Client, kind: i8, name: &str, key: &str) -> (String, i8) {
    let configs = described(client, kind, name);
    let found = configs
        .iter()
        .find(|config| config.name.as_str() == key)
        .expect("described");
    (
        found.value.as_deref().unwrap_or("null").to_owned(),
        found.config_source,
    )
}

#[test]
fn what_is_set_is_described_and_what_is_deleted_is_the_default_again() {
    let (_node, mut client) = node_with("t", &[]);
    set(&mut client, TOPIC, "t", "retention.ms", " 1000 ");
    assert_eq!(
        value(&mut client, TOPIC, "t", "retention.ms"),
        ("1000".to_owned(), 1)
    );
    assert_eq!(
        alter(&mut client, TOPIC, "t", &[("retention.ms", DELETE, None)]),
        ErrorCode::None
    );
    assert_eq!(
        value(&mut client, TOPIC, "t", "retention.ms"),
        ("604800000".to_owned(), 5)
    );
}

#[test]
fn lists_grow_and_shrink_and_nothing_else_does() {
    let (_node, mut client) = node_with("t", &[]);
    let policy = |client: &mut Client| value(client, TOPIC, "t", "cleanup.policy").0;
    assert_eq!(
        alter(
            &mut client,
            TOPIC,
            "t",
            &[("cleanup.policy", APPEND, Some("compact"))]
        ),
        ErrorCode::None
    );
    assert_eq!(policy(&mut client), "delete,compact");
    assert_eq!(
        alter(
            &mut client,
            TOPIC,
            "t",
            &[("cleanup.policy", SUBTRACT, Some("delete"))]
        ),
        ErrorCode::None
    );
    assert_eq!(policy(&mut client), "compact");
    assert_eq!(
        alter(
            &mut client,
            TOPIC,
            "t",
            &[("cleanup.policy", SUBTRACT, Some("compact"))]
        ),
        ErrorCode::None
    );
    assert_eq!(policy(&mut client), "", "an empty policy is legal (trap 113)");
    for (key, operation) in [("retention.ms", APPEND), ("no.such", SUBTRACT)] {
        let refused = alter(&mut client, TOPIC, "t", &[(key, operation, Some("1"))]);
        assert_eq!(refused, ErrorCode::InvalidConfig, "{key}");
    }
}

#[test]
fn each_resource_is_altered_whole_or_not_at_all() {
    let (_node, mut client) = node_with("t", &[]);
    let mixed = [("retention.ms", SET, Some("5")), ("segment.ms", SET, Some("-5"))];
    assert_eq!(alter(&mut client, TOPIC, "t", &mixed), ErrorCode::InvalidConfig);
    assert_eq!(
        value(&mut client, TOPIC, "t", "retention.ms").1,
        5,
        "nothing was set"
    );
    let good = resource(TOPIC, "t", &[("retention.ms", SET, Some("6"))]);
    let missing = resource(TOPIC, "nowhere", &[("retention.ms", SET, Some("6"))]);
    let codes = ask(&mut client, vec![good.clone(), missing.clone()], false);
    assert_eq!(codes, [ErrorCode::None, ErrorCode::UnknownTopicOrPartition]);
    let twice = ask(&mut client, vec![good.clone(), good.clone(), missing], true);
    let (refused, unknown) = (ErrorCode::InvalidRequest, ErrorCode::UnknownTopicOrPartition);
    assert_eq!(twice, [refused, refused, unknown]);
}

#[test]
fn validating_changes_nothing() {
    let (_node, mut client) = node_with("t", &[]);
    let wanted = resource(TOPIC, "t", &[("retention.ms", SET, Some("5"))]);
    assert_eq!(ask(&mut client, vec![wanted], true), [ErrorCode::None]);
    assert_eq!(value(&mut client, TOPIC, "t", "retention.ms").1, 5);
}

#[test]
fn what_makes_no_sense_is_an_invalid_request_and_the_controller_lives() {
    let (_node, mut client) = node_with("t", &[]);
    for (changes, why) in [
        (
            &[("retention.ms", 9, Some("1"))][..],
            "an operation that nobody knows (trap 113)",
        ),
        (&[("retention.ms", -1, Some("1"))], "a negative operation"),
        (&[("retention.ms", SET, None)], "a null"),
        (
            &[("retention.ms", SET, Some("1")), ("retention.ms", DELETE, None)],
            "a key twice",
        ),
    ] {
        assert_eq!(
            alter(&mut client, TOPIC, "t", changes),
            ErrorCode::InvalidRequest,
            "{why}"
        );
    }
    for kind in [0, 1, 3, 99] {
        assert_eq!(
            alter(&mut client, kind, "x", &[("a", SET, Some("1"))]),
            ErrorCode::InvalidRequest
        );
    }
    set(&mut client, TOPIC, "t", "retention.ms", "1");
}

#[test]
fn unknown_broker_keys_are_kept_and_unknown_topic_keys_can_be_deleted() {
    // Trap 113.
    let (_node, mut client) = node_with("t", &[]);
    set(&mut client, BROKER, "1", "anybodys.own", "x");
    let kept = described(&mut client, BROKER, "1");
    let kept = kept
        .iter()
        .find(|config| config.name.as_str() == "anybodys.own")
        .expect("kept");
    assert!(
        kept.is_sensitive && kept.value.is_none(),
        "what nobody knows may be a secret"
    );
    assert_eq!(
        alter(&mut client, TOPIC, "t", &[("no.such", DELETE, None)]),
        ErrorCode::None
    );
    assert_eq!(
        alter(&mut client, TOPIC, "t", &[("no.such", SET, Some("1"))]),
        ErrorCode::InvalidConfig
    );
    assert_eq!(
        alter(
            &mut client,
            TOPIC,
            "t",
            &[("segment.bytes", SET, Some("1048575"))]
        ),
        ErrorCode::InvalidConfig
    );
}

#[test]
fn one_brokers_word_is_stronger_than_that_of_all() {
    let (_node, mut client) = node_with("t", &[]);
    set(&mut client, BROKER, "", "message.max.bytes", "3000");
    assert_eq!(
        value(&mut client, BROKER, "1", "message.max.bytes"),
        ("3000".to_owned(), 3)
    );
    set(&mut client, BROKER, "1", "message.max.bytes", "2000");
    assert_eq!(
        value(&mut client, BROKER, "1", "message.max.bytes"),
        ("2000".to_owned(), 2)
    );
    assert_eq!(
        value(&mut client, TOPIC, "t", "max.message.bytes"),
        ("2000".to_owned(), 2)
    );
    for (name, key) in [
        ("1", "num.partitions"),
        ("1", "ssl.keystore.location"),
        ("", "ssl.client.auth"),
    ] {
        let refused = alter(&mut client, BROKER, name, &[(key, SET, Some("none"))]);
        assert_eq!(refused, ErrorCode::InvalidRequest, "{key}");
    }
    for name in ["7", "one", "-1"] {
        let refused = alter(
            &mut client,
            BROKER,
            name,
            &[("message.max.bytes", SET, Some("1"))],
        );
        assert_eq!(refused, ErrorCode::InvalidRequest, "{name}");
    }
}

#[test]
fn the_floor_of_in_sync_replicas_is_the_clusters() {
    // Trap 106: a fresh cluster has it as a dynamic default.
    let (_node, mut client) = node_with("t", &[]);
    assert_eq!(
        value(&mut client, BROKER, "1", "min.insync.replicas"),
        ("1".to_owned(), 3)
    );
    let floor = "min.insync.replicas";
    assert_eq!(
        alter(&mut client, BROKER, "1", &[(floor, SET, Some("2"))]),
        ErrorCode::InvalidConfig
    );
    assert_eq!(
        alter(&mut client, BROKER, "", &[(floor, DELETE, None)]),
        ErrorCode::InvalidConfig
    );
    set(&mut client, BROKER, "", floor, "2");
    assert_eq!(value(&mut client, TOPIC, "t", floor), ("2".to_owned(), 3));
    assert_eq!(
        produce(&mut client, "t", 9, batch(1)).error_code,
        0,
        "and acks=all goes on (trap 106)"
    );
}

#[test]
fn groups_and_client_metrics_have_settings_and_loggers_have_levels() {
    let (_node, mut client) = node_with("t", &[]);
    let session = "consumer.session.timeout.ms";
    set(&mut client, GROUP, "g", session, "50000");
    assert_eq!(value(&mut client, GROUP, "g", session), ("50000".to_owned(), 8));
    assert_eq!(
        alter(&mut client, GROUP, "g", &[(session, SET, Some("1"))]),
        ErrorCode::InvalidConfig
    );
    assert_eq!(
        alter(&mut client, GROUP, "", &[(session, SET, Some("50000"))]),
        ErrorCode::InvalidRequest
    );
    set(&mut client, METRICS, "m", "interval.ms", "1000");
    assert_eq!(
        value(&mut client, METRICS, "m", "interval.ms"),
        ("1000".to_owned(), 7)
    );
    assert_eq!(value(&mut client, METRICS, "m", "metrics"), (String::new(), 5));
    set(&mut client, LOGGER, "1", "net", "ERROR");
    assert_eq!(value(&mut client, LOGGER, "1", "net"), ("ERROR".to_owned(), 6));
    assert_eq!(
        alter(&mut client, LOGGER, "1", &[("root", SET, Some("loud"))]),
        ErrorCode::InvalidConfig
    );
    assert_eq!(
        alter(&mut client, LOGGER, "7", &[("root", SET, Some("INFO"))]),
        ErrorCode::InvalidRequest
    );
}

#[test]
fn the_older_request_replaces_everything() {
    let (_node, mut client) = node_with("t", &[("retention.ms", "1000"), ("segment.ms", "5000")]);
    let mut replace = |configs: &[(&str, Option<&str>)]| {
        let config = |(name, value): &(&str, Option<&str>)| LegacyConfig {
            name: (*name).into(),
            value: value.map(Into::into),
            ..Default::default()
        };
        let request = AlterConfigsRequest {
            resources: vec![Legacy {
                resource_type: TOPIC,
                resource_name: "t".into(),
                configs: configs.iter().map(config).collect(),
                ..Default::default()
            }],
            ..Default::default()
        };
        let response: AlterConfigsResponse = client.ask(ApiKey::AlterConfigs, 2, &request);
        let said = described(&mut client, TOPIC, "t");
        let said: Vec<String> = said
            .iter()
            .filter(|config| config.config_source == 1)
            .map(|config| config.name.to_string())
            .collect();
        (response.responses[0].error_code, said)
    };
    assert_eq!(
        replace(&[("retention.ms", Some("7"))]),
        (0, vec!["retention.ms".to_owned()])
    );
    assert_eq!(
        replace(&[("retention.ms", None)]).0,
        ErrorCode::InvalidRequest.code()
    );
    assert_eq!(replace(&[]), (0, vec![]));
}

#[test]
fn settings_outlive_a_power_loss() {
    let (node, mut client) = node_with("t", &[]);
    set(&mut client, TOPIC, "t", "max.message.bytes", "100");
    let node = TestNode::on(node.power_loss(3), &[]);
    let mut client = Client::connect(node.address);
    assert_eq!(
        value(&mut client, TOPIC, "t", "max.message.bytes"),
        ("100".to_owned(), 1)
    );
    let refused = produce(&mut client, "t", 9, batch(10)).error_code;
    assert_eq!(refused, ErrorCode::MessageTooLarge.code());
}

#[test]
fn a_partition_goes_by_what_was_altered_last() {
    let (_node, mut client) = node_with("t", &[]);
    let code = |client: &mut Client| {
        ErrorCode::from_code(produce(client, "t", 9, batch(10)).error_code).expect("known")
    };
    set(&mut client, TOPIC, "t", "max.message.bytes", "100");
    assert_eq!(code(&mut client), ErrorCode::MessageTooLarge);
    assert_eq!(
        alter(&mut client, TOPIC, "t", &[("max.message.bytes", DELETE, None)]),
        ErrorCode::None
    );
    assert_eq!(code(&mut client), ErrorCode::None);
    set(&mut client, BROKER, "", "message.max.bytes", "100");
    assert_eq!(code(&mut client), ErrorCode::MessageTooLarge, "of all brokers");
    set(&mut client, BROKER, "1", "message.max.bytes", "100000");
    assert_eq!(code(&mut client), ErrorCode::None, "of this broker");
    set(&mut client, TOPIC, "t", "message.timestamp.type", "LogAppendTime");
    assert!(0 < produce(&mut client, "t", 9, batch(1)).log_append_time_ms);
    set(&mut client, TOPIC, "t", "message.timestamp.type", "CreateTime");
    assert_eq!(produce(&mut client, "t", 9, batch(1)).log_append_time_ms, -1);
    set(&mut client, TOPIC, "t", "message.timestamp.before.max.ms", "1000");
    let old = {
        let mut builder = BatchBuilder::new(BatchOptions::default());
        builder.push(1, Some(b"k"), Some(b"v"));
        builder.build().expect("small")
    };
    assert_eq!(
        produce(&mut client, "t", 9, old).error_code,
        ErrorCode::InvalidTimestamp.code()
    );
    set(&mut client, TOPIC, "t", "cleanup.policy", "compact");
    let keyless = {
        let mut builder = BatchBuilder::new(BatchOptions::default());
        builder.push(
            std::time::UNIX_EPOCH.elapsed().expect("after 1970").as_millis() as i64,
            None,
            Some(b"v"),
        );
        builder.build().expect("small")
    };
    assert_eq!(
        produce(&mut client, "t", 9, keyless).error_code,
        ErrorCode::InvalidRecord.code()
    );
}

#[test]
fn a_topic_that_waits_for_no_disk_answers_acks_all_without_one() {
    let (_node, mut client) = node_with("t", &[("ottla.flush", "never")]);
    assert_eq!(produce(&mut client, "t", 9, batch(1)).error_code, 0);
    set(&mut client, TOPIC, "t", "ottla.flush", "ack");
    assert_eq!(produce(&mut client, "t", 9, batch(1)).error_code, 0);
}

#[test]
fn a_strict_topic_of_a_lax_broker_loses_nothing() {
    let node = TestNode::start(&[("ottla.flush", "never")]);
    let mut client = Client::connect(node.address);
    crate::create(&mut client, "t", 1, &[("ottla.flush", "ack")]);
    assert_eq!(produce(&mut client, "t", 9, batch(7)).error_code, 0);
    let node = TestNode::on(node.power_loss(5), &[("ottla.flush", "never")]);
    let mut client = Client::connect(node.address);
    let response: protocol::messages::fetch_response::FetchResponse =
        client.ask(ApiKey::Fetch, 11, &fetch_request("t", 0));
    assert_eq!(response.responses[0].partitions[0].high_watermark, 7);
}

#[test]
fn batches_are_packed_as_the_topic_wants_them() {
    let (_node, mut client) = node_with("t", &[]);
    let packed = |codec| {
        let options = BatchOptions {
            codec,
            ..BatchOptions::default()
        };
        testkit::batch_of(40, options)
    };
    let mut next = 0;
    for (word, wanted) in [
        ("gzip", Codec::Gzip),
        ("snappy", Codec::Snappy),
        ("lz4", Codec::Lz4),
        ("zstd", Codec::Zstd),
        ("uncompressed", Codec::None),
    ] {
        set(&mut client, TOPIC, "t", "compression.type", word);
        for sent in Codec::ALL {
            let produced = produce(&mut client, "t", 9, packed(sent));
            assert_eq!(
                (produced.error_code, produced.base_offset),
                (0, next),
                "{sent:?} to {word}"
            );
            let response: protocol::messages::fetch_response::FetchResponse =
                client.ask(ApiKey::Fetch, 11, &fetch_request("t", next));
            let records = response.responses[0].partitions[0]
                .records
                .clone()
                .expect("records")
                .to_bytes();
            let header = BatchHeader::parse(&records).expect("a batch");
            assert_eq!(header.codec(), Ok(wanted), "{sent:?} to {word}");
            record::check_crc(&header, &records[..header.total_bytes()]).expect("sealed");
            let payload = records.slice(record::HEADER_BYTES..header.total_bytes());
            let plain = record::decompress(wanted, &payload, 1 << 20).expect("sound");
            assert_eq!(record::walk(&header, &plain).filter(Result::is_ok).count(), 40);
            next += 40;
        }
    }
}
