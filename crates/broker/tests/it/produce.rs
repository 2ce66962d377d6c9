//! Producing (traps 19 to 32, 104, 105).

use record::{BatchOptions, Codec};
use testkit::{Client, TestNode, batch, batch_of};
use types::{ErrorCode, ProducerEpoch, ProducerId};

use protocol::ApiKey;
use protocol::messages::init_producer_id_request::InitProducerIdRequest;
use protocol::messages::init_producer_id_response::InitProducerIdResponse;
use protocol::messages::produce_response::ProduceResponse;

use crate::{create, node_with, produce, produce_request};

fn idempotent(epoch: i16, sequence: i32) -> BatchOptions {
    BatchOptions {
        producer_id: ProducerId(7),
        producer_epoch: ProducerEpoch(epoch),
        base_sequence: sequence,
        ..BatchOptions::default()
    }
}

fn code(client: &mut Client, topic: &str, records: bytes::Bytes) -> (ErrorCode, i64) {
    let row = produce(client, topic, 9, records);
    (
        ErrorCode::from_code(row.error_code).expect("a code of Kafka's"),
        row.base_offset,
    )
}

#[test]
fn every_version_gives_the_real_base_offset() {
    let (_node, mut client) = node_with("t", &[]);
    for (at, version) in (3..=12).enumerate() {
        let row = produce(&mut client, "t", version, batch(2));
        assert_eq!(
            (row.error_code, row.base_offset),
            (0, 2 * at as i64),
            "v{version}"
        );
        assert_eq!(row.log_append_time_ms, -1);
    }
}

#[test]
fn topics_go_by_id_from_v13_on() {
    let node = TestNode::start(&[]);
    let mut client = Client::connect(node.address);
    let id = create(&mut client, "t", 1, &[]);
    let mut request = produce_request("", -1, Some(batch(1)));
    request.topic_data[0].topic_id = id;
    let response: ProduceResponse = client.ask(ApiKey::Produce, 13, &request);
    assert_eq!(response.responses[0].partition_responses[0].error_code, 0);
    request.topic_data[0].topic_id = types::Uuid([9; 16]);
    let response: ProduceResponse = client.ask(ApiKey::Produce, 13, &request);
    let row = &response.responses[0];
    assert_eq!(
        row.partition_responses[0].error_code,
        ErrorCode::UnknownTopicId.code()
    );
    assert_eq!(row.topic_id, types::Uuid([9; 16]));
}

#[test]
fn strange_acks_are_refused_per_partition() {
    let (_node, mut client) = node_with("t", &[]);
    let response: ProduceResponse = client.ask(ApiKey::Produce, 9, &produce_request("t", 5, Some(batch(1))));
    let row = &response.responses[0].partition_responses[0];
    assert_eq!(row.error_code, ErrorCode::InvalidRequiredAcks.code());
}

#[test]
fn unsound_batches_are_refused_by_kafkas_codes() {
    let (_node, mut client) = node_with("t", &[]);
    let sound = batch(2);
    let mut wrong_crc = sound.to_vec();
    *wrong_crc.last_mut().expect("not empty") ^= 1;
    assert_eq!(
        code(&mut client, "t", wrong_crc.into()).0,
        ErrorCode::CorruptMessage
    );
    assert_eq!(
        code(&mut client, "t", [&sound[..], &sound[..]].concat().into()).0,
        ErrorCode::InvalidRecord
    );
    assert_eq!(
        code(&mut client, "t", sound.slice(..80)).0,
        ErrorCode::InvalidRecord
    );
    let response: ProduceResponse = client.ask(ApiKey::Produce, 9, &produce_request("t", -1, None));
    assert_eq!(
        response.responses[0].partition_responses[0].error_code,
        ErrorCode::InvalidRecord.code()
    );
    assert_eq!(
        code(&mut client, "t", batch(1)),
        (ErrorCode::None, 0),
        "nothing bad was kept"
    );
}

#[test]
fn zstd_is_not_for_old_versions() {
    let (_node, mut client) = node_with("t", &[]);
    let options = BatchOptions {
        codec: Codec::Zstd,
        ..BatchOptions::default()
    };
    let row = produce(&mut client, "t", 6, batch_of(1, options.clone()));
    assert_eq!(row.error_code, ErrorCode::UnsupportedCompressionType.code());
    assert_eq!(produce(&mut client, "t", 7, batch_of(1, options)).error_code, 0);
}

#[test]
fn a_duplicate_has_its_old_offset_and_a_gap_is_refused() {
    let (_node, mut client) = node_with("t", &[]);
    for sequence in 0..7 {
        let sent = code(&mut client, "t", batch_of(1, idempotent(0, sequence)));
        assert_eq!(sent, (ErrorCode::None, i64::from(sequence)));
    }
    assert_eq!(
        code(&mut client, "t", batch_of(1, idempotent(0, 3))),
        (ErrorCode::None, 3)
    );
    let row = produce(&mut client, "t", 9, batch_of(1, idempotent(0, 6)));
    assert_eq!((row.error_code, row.base_offset), (0, 6));
    assert!(0 < row.log_append_time_ms, "a duplicate tells its time");
    assert_eq!(
        code(&mut client, "t", batch_of(1, idempotent(0, 0))).0,
        ErrorCode::OutOfOrderSequenceNumber
    );
    assert_eq!(
        code(&mut client, "t", batch_of(1, idempotent(0, 9))).0,
        ErrorCode::OutOfOrderSequenceNumber
    );
    assert_eq!(
        code(&mut client, "t", batch_of(1, idempotent(1, 1))).0,
        ErrorCode::OutOfOrderSequenceNumber
    );
    assert_eq!(
        code(&mut client, "t", batch_of(1, idempotent(1, 0))),
        (ErrorCode::None, 7)
    );
    assert_eq!(
        code(&mut client, "t", batch_of(1, idempotent(0, 7))).0,
        ErrorCode::InvalidProducerEpoch
    );
}

#[test]
fn duplicates_are_known_after_a_power_loss() {
    let (node, mut client) = node_with("t", &[]);
    code(&mut client, "t", batch_of(3, idempotent(0, 0)));
    let again = TestNode::on(node.power_loss(1), &[]);
    let mut client = Client::connect(again.address);
    assert_eq!(
        code(&mut client, "t", batch_of(3, idempotent(0, 0))),
        (ErrorCode::None, 0)
    );
    assert_eq!(
        code(&mut client, "t", batch_of(1, idempotent(0, 3))),
        (ErrorCode::None, 3)
    );
}

#[test]
fn log_append_time_is_told() {
    let (_node, mut client) = node_with("t", &[("message.timestamp.type", "LogAppendTime")]);
    let row = produce(&mut client, "t", 9, batch(1));
    assert!(0 < row.log_append_time_ms);
}

#[test]
fn a_keyless_record_on_a_compacted_topic_is_named() {
    let (_node, mut client) = node_with("t", &[("cleanup.policy", "compact")]);
    let mut builder = record::BatchBuilder::new(BatchOptions::default());
    builder.push(1, Some(b"k"), Some(b"v"));
    builder.push(1, None, Some(b"v"));
    let row = produce(&mut client, "t", 9, builder.build().expect("small"));
    assert_eq!(row.error_code, ErrorCode::InvalidRecord.code());
    assert_eq!(row.record_errors[0].batch_index, 1);
}

#[test]
fn a_batch_above_the_topics_limit_is_too_large() {
    let (_node, mut client) = node_with("t", &[("max.message.bytes", "100")]);
    assert_eq!(code(&mut client, "t", batch(10)).0, ErrorCode::MessageTooLarge);
    assert_eq!(code(&mut client, "t", batch(1)).0, ErrorCode::None);
}

#[test]
fn a_batch_that_no_segment_could_hold_is_refused() {
    let limits = [("max.message.bytes", "3000000"), ("segment.bytes", "1048576")];
    let (_node, mut client) = node_with("t", &limits);
    let of = |bytes: usize| {
        let mut builder = record::BatchBuilder::new(BatchOptions::default());
        builder.push(1000, None, Some(&vec![7; bytes]));
        builder.build().expect("memory suffices")
    };
    assert_eq!(
        code(&mut client, "t", of(1_048_520)).0,
        ErrorCode::RecordListTooLarge
    );
    let row = produce(&mut client, "t", 9, of(2_000_000));
    assert_eq!(
        (row.error_code, row.base_offset, row.error_message),
        (18, -1, None)
    );
    assert_eq!(code(&mut client, "t", of(1_048_400)), (ErrorCode::None, 0));
}

#[test]
fn producer_ids_are_given_once_and_never_again_after_a_restart() {
    let node = TestNode::start(&[]);
    let mut client = Client::connect(node.address);
    let mut ids = Vec::new();
    let mut take = |client: &mut Client, version| {
        let request = InitProducerIdRequest {
            transactional_id: None,
            transaction_timeout_ms: 1,
            ..Default::default()
        };
        let response: InitProducerIdResponse = client.ask(ApiKey::InitProducerId, version, &request);
        assert_eq!((response.error_code, response.producer_epoch), (0, 0));
        ids.push(response.producer_id);
    };
    (0..=5).for_each(|version| take(&mut client, version));
    let again = TestNode::on(node.power_loss(3), &[]);
    take(&mut Client::connect(again.address), 4);
    ids.dedup();
    assert_eq!(ids.len(), 7);
    assert_eq!(ids[6] % 1000, 0, "a new block");
}
