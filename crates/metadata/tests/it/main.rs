//! Kafka's bytes, and decisions replayed.

mod kafka;
mod resign;
mod scripts;

use std::collections::BTreeMap;

use bytes::Bytes;
use metadata::controller::{
    CreateTopics, OnlyNode, Registration, TopicConfigRules, bootstrap, create_topics, delete_topics,
    next_producer_ids, register_broker, unfence,
};
use metadata::quorum::{
    Voter, bootstrap_snapshot, leader_change, read_snapshot, records_batch, replay_batch, write_snapshot,
};
use metadata::{Delta, MetadataImage, ResourceKind};
use protocol::MetadataRecord;
use protocol::messages::create_topics_request::{CreatableTopic, CreateTopicsRequest};
use protocol::messages::create_topics_response::CreatableTopicConfigs;
use protocol::messages::delete_topics_request::DeleteTopicsRequest;
use record::BatchHeader;
use types::{BrokerId, ErrorCode, LeaderEpoch, Offset, Uuid};

const NODE: OnlyNode = OnlyNode {
    id: BrokerId(1),
    directory_id: Uuid([9; 16]),
};

struct AnyConfig;

impl TopicConfigRules for AnyConfig {
    fn check(&self, overrides: &BTreeMap<String, String>) -> Result<(), String> {
        if overrides.contains_key("no.such") {
            Err("no.such is not known".to_owned())
        } else {
            Ok(())
        }
    }

    fn describe(&self, _: &BTreeMap<String, String>) -> Vec<CreatableTopicConfigs> {
        Vec::new()
    }
}

fn voters() -> Vec<Voter> {
    let directory_id = "i_lMuUDxQdSVjtvIdT9irw".parse().expect("an id");
    vec![Voter {
        id: 1,
        directory_id,
        listener: "CONTROLLER".into(),
        host: "127.0.0.1".into(),
        port: 21093,
    }]
}

/// What `kafka-storage format --standalone` of Apache Kafka 4.3.1 wrote for this voter.
const KAFKAS_SNAPSHOT: &str = "\
    00000000000000000000009a00000000024f8836e0002000000002000001a20d04d8e0000001a20d04d8e0ffffffffff\
    ffffffffffffffffff000000032a00000008000000031600000000";

#[test]
fn the_bootstrap_snapshot_has_kafkas_bytes() {
    let snapshot = bootstrap_snapshot(&voters(), 0x1a2_0d04_d8e0).expect("small");
    let hex: String = snapshot.iter().map(|byte| format!("{byte:02x}")).collect();
    // The head of Kafka's file, apart from the checksum and the timestamp inside the header record.
    assert_eq!(hex[..34], KAFKAS_SNAPSHOT[..34]);
    assert_eq!(hex[42..150], KAFKAS_SNAPSHOT[42..150]);
    // Behind the timestamp: the quorum's version, its voters, and the footer.
    let voters = "00001e00000208000000050a000000010000820100000408000000066e00000200000001\
                  8bf94cb940f141d4958edbc8753f62af020b434f4e54524f4c4c45520a3132372e302e302e31\
                  52650000000001000000000000000000";
    assert!(hex.contains(voters), "{hex}");
    assert!(hex.ends_with("000000011a00000008000000040600000000"), "{hex}");
    assert_eq!(snapshot.len(), 241, "Kafka's file is as long");
    let image = read_snapshot(&snapshot, Offset(0)).expect("whole");
    assert_eq!((image.offset(), image.topics().count()), (Offset(-1), 0));
}

/// A log of batches, with offsets, and the image that it gives.
#[derive(Default)]
struct Node {
    log: Vec<Bytes>,
    image: MetadataImage,
    next: i64,
}

impl Node {
    fn commit(&mut self, records: &[MetadataRecord]) -> Delta {
        let batch = records_batch(records, LeaderEpoch(1), 1000).expect("writable");
        self.append(&batch)
    }

    fn append(&mut self, batch: &Bytes) -> Delta {
        let header = BatchHeader::parse(batch).expect("ours");
        let mut stored = record::prefix(Offset(self.next), header.batch_length, LeaderEpoch(1)).to_vec();
        stored.extend_from_slice(&batch[16..]);
        let stored = Bytes::from(stored);
        let header = BatchHeader::parse(&stored).expect("ours");
        self.next = header.next_offset().0;
        let mut delta = Delta::default();
        replay_batch(&mut self.image, &header, &stored, &mut delta).expect("ours");
        self.log.push(stored);
        delta
    }

    fn born() -> Node {
        let mut node = Node::default();
        node.append(&leader_change(1, &voters(), LeaderEpoch(1), 1000).expect("small"));
        node.commit(&bootstrap());
        let registration = Registration {
            id: BrokerId(1),
            incarnation_id: Uuid([3; 16]),
            endpoints: Vec::new(),
            rack: None,
            directory_id: NODE.directory_id,
        };
        let at = Offset(node.next);
        node.commit(&[register_broker(&registration, at), unfence(BrokerId(1), at)]);
        node
    }

    fn create(&mut self, topics: Vec<CreatableTopic>) -> Vec<i16> {
        let request = CreateTopicsRequest {
            topics,
            ..Default::default()
        };
        let context = CreateTopics {
            node: NODE,
            default_partitions: 4,
            default_replication_factor: 1,
            rules: &AnyConfig,
        };
        let mut id = self.next as u8;
        let decision = create_topics(&self.image, &request, &context, || {
            id += 1;
            Uuid([id; 16])
        });
        if !decision.records.is_empty() {
            self.commit(&decision.records);
        }
        decision
            .response
            .topics
            .iter()
            .map(|topic| topic.error_code)
            .collect()
    }
}

fn topic(name: &str, partitions: i32, factor: i16) -> CreatableTopic {
    CreatableTopic {
        name: name.into(),
        num_partitions: partitions,
        replication_factor: factor,
        ..Default::default()
    }
}

#[test]
fn a_born_node_has_its_broker_and_its_features() {
    let node = Node::born();
    let broker = node.image.broker(BrokerId(1)).expect("registered");
    // The broker's epoch is the offset of its registration record.
    assert_eq!((broker.epoch, broker.fenced), (7, false));
    let finalized: Vec<(&str, i16)> = node.image.features().map(|f| (f.name, f.finalized)).collect();
    assert_eq!(finalized, [("kraft.version", 1), ("metadata.version", 30)]);
    let defaults = node.image.configs(ResourceKind::Broker, "");
    assert_eq!(defaults.get("min.insync.replicas").map(String::as_str), Some("1"));
}

#[test]
fn good_and_bad_topics_mix_in_one_request() {
    let mut node = Node::born();
    let codes = node.create(vec![
        topic("good", -1, -1),
        topic("bad name", 1, 1),
        topic("none", 0, 1),
        topic("many", 10_001, 1),
        topic("copies", 1, 2),
        topic("twice", 1, 1),
        topic("twice", 1, 1),
    ]);
    let wanted = [
        ErrorCode::None,
        ErrorCode::InvalidTopicException,
        ErrorCode::InvalidPartitions,
        ErrorCode::PolicyViolation,
        ErrorCode::InvalidReplicationFactor,
        ErrorCode::InvalidRequest,
    ];
    assert_eq!(codes, wanted.map(ErrorCode::code));
    assert_eq!(
        node.image
            .topic_by_name("good")
            .expect("created")
            .partitions
            .len(),
        4
    );
    assert_eq!(
        node.create(vec![topic("good", 1, 1)]),
        [ErrorCode::TopicAlreadyExists.code()]
    );
    node.create(vec![topic("a.b", 1, 1)]);
    assert_eq!(
        node.create(vec![topic("a_b", 1, 1)]),
        [ErrorCode::InvalidTopicException.code()]
    );
}

#[test]
fn a_topic_created_again_has_another_id() {
    let mut node = Node::born();
    node.create(vec![topic("t", 2, 1)]);
    let first = node.image.topic_by_name("t").expect("created").id;
    let request = DeleteTopicsRequest {
        topic_names: vec!["t".into(), "u".into()],
        ..Default::default()
    };
    let decision = delete_topics(&node.image, &request, false);
    let codes: Vec<i16> = decision
        .response
        .responses
        .iter()
        .map(|topic| topic.error_code)
        .collect();
    assert_eq!(codes, [0, ErrorCode::UnknownTopicOrPartition.code()]);
    let delta = node.commit(&decision.records);
    assert_eq!(delta.deleted, [first]);
    assert!(node.image.topic_by_name("t").is_none());
    node.create(vec![topic("t", 2, 1)]);
    assert_ne!(node.image.topic_by_name("t").expect("created").id, first);
}

#[test]
fn an_image_survives_its_snapshot_and_its_log() {
    let mut node = Node::born();
    node.create(vec![topic("t", 3, 1), topic("u", 1, 1)]);
    let block = next_producer_ids(&node.image, BrokerId(1)).expect("ids are left");
    assert_eq!(block.response, 0);
    node.commit(&block.records);
    let mut replayed = MetadataImage::default();
    for batch in &node.log {
        let header = BatchHeader::parse(batch).expect("ours");
        replay_batch(&mut replayed, &header, batch, &mut Delta::default()).expect("ours");
    }
    assert_eq!(replayed, node.image);
    let snapshot = write_snapshot(&node.image, &voters(), LeaderEpoch(1), 2000).expect("small");
    assert_eq!(
        read_snapshot(&snapshot, Offset(node.next)),
        Ok(node.image.clone())
    );
    assert!(read_snapshot(&snapshot.slice(..snapshot.len() - 75), Offset(node.next)).is_err());
}
