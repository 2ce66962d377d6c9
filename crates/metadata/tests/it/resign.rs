//! A controller that loses its uncommitted batches at any moment, beside a node that never led.

use std::collections::VecDeque;
use std::sync::Arc;

use metadata::MetadataImage;
use metadata::controller::{CreateTopics, create_topics, delete_topics, next_producer_ids};
use protocol::MetadataRecord;
use protocol::messages::create_topics_request::CreateTopicsRequest;
use protocol::messages::delete_topics_request::DeleteTopicsRequest;
use protocol::record_schemas::metadata::abort_transaction_record::AbortTransactionRecord;
use protocol::record_schemas::metadata::begin_transaction_record::BeginTransactionRecord;
use protocol::record_schemas::metadata::config_record::ConfigRecord;
use types::{BrokerId, Offset, Uuid};

use super::{AnyConfig, NODE, Node, topic};

/// xorshift: the seed is the test.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

/// The committed image, and one for each batch that is not committed yet.
struct Controller {
    committed: MetadataImage,
    uncommitted: VecDeque<(Vec<MetadataRecord>, MetadataImage)>,
    ids: u128,
}

impl Controller {
    fn newest(&self) -> &MetadataImage {
        self.uncommitted
            .back()
            .map_or(&self.committed, |(_, image)| image)
    }

    fn decide(&mut self, chance: &mut Chance) {
        let records = self.decision(chance);
        if records.is_empty() {
            return;
        }
        let mut image = self.newest().clone();
        for record in &records {
            let at = image.offset().plus(1);
            image.apply(at, record, &mut metadata::Delta::default());
        }
        self.uncommitted.push_back((records, image));
    }

    fn decision(&mut self, chance: &mut Chance) -> Vec<MetadataRecord> {
        let name = |chance: &mut Chance| ["a", "a.b", "a_b", "c", "d", "e"][chance.below(6) as usize];
        match chance.below(6) {
            0 | 1 => {
                let partitions = 1 + chance.below(3) as i32;
                let request = CreateTopicsRequest {
                    topics: vec![topic(name(chance), partitions, 1), topic(name(chance), 1, 1)],
                    ..Default::default()
                };
                let context = CreateTopics {
                    node: NODE,
                    default_partitions: 1,
                    default_replication_factor: 1,
                    rules: &AnyConfig,
                };
                let ids = &mut self.ids;
                let image = self
                    .uncommitted
                    .back()
                    .map_or(&self.committed, |(_, image)| image);
                let decision = create_topics(image, &request, &context, || {
                    *ids += 1;
                    Uuid(ids.to_be_bytes())
                });
                decision.records
            }
            2 => {
                let request = DeleteTopicsRequest {
                    topic_names: vec![name(chance).into()],
                    ..Default::default()
                };
                delete_topics(self.newest(), &request, false).records
            }
            3 => {
                next_producer_ids(self.newest(), BrokerId(1))
                    .expect("ids are left")
                    .records
            }
            4 => {
                let value = (chance.below(3) != 0).then(|| "1".into());
                let record = ConfigRecord {
                    resource_type: 2,
                    resource_name: name(chance).into(),
                    name: "retention.ms".into(),
                    value,
                    ..Default::default()
                };
                vec![record.into()]
            }
            _ => {
                // What an aborted transaction holds never happened.
                let mut records: Vec<MetadataRecord> = vec![BeginTransactionRecord::default().into()];
                records.extend(
                    next_producer_ids(self.newest(), BrokerId(1))
                        .expect("ids are left")
                        .records,
                );
                records.push(AbortTransactionRecord::default().into());
                records
            }
        }
    }
}

#[test]
fn resigning_at_any_decision_leaves_the_image_of_a_node_that_never_led() {
    for seed in 1..=200u64 {
        let mut chance = Chance(0x9E37_79B9_7F4A_7C15 ^ seed);
        let mut observer = Node::born().image;
        let mut controller = Controller {
            committed: observer.clone(),
            uncommitted: VecDeque::new(),
            ids: 0,
        };
        for step in 0..60 {
            controller.decide(&mut chance);
            match chance.below(4) {
                0 => controller.uncommitted.clear(),
                1 => {}
                _ => {
                    let Some((records, image)) = controller.uncommitted.pop_front() else {
                        continue;
                    };
                    for record in &records {
                        let at = observer.offset().plus(1);
                        observer.apply(at, record, &mut metadata::Delta::default());
                    }
                    controller.committed = image;
                }
            }
            assert_eq!(controller.committed, observer, "seed {seed}, step {step}");
        }
    }
}

#[test]
fn an_open_transaction_is_not_shown() {
    let mut node = Node::born();
    let before = node.image.clone();
    node.commit(&[BeginTransactionRecord::default().into()]);
    node.create(vec![topic("t", 1, 1)]);
    assert!(node.image.topic_by_name("t").is_some());
    assert!(node.image.committed().topic_by_name("t").is_none());
    node.commit(&[AbortTransactionRecord::default().into()]);
    assert!(node.image.topic_by_name("t").is_none());
    assert_eq!(node.image.topics().count(), before.topics().count());
    assert_eq!(node.image.offset(), Offset(node.next - 1));
}

#[test]
fn a_changed_image_shares_what_was_not_touched() {
    let mut node = Node::born();
    node.create(vec![topic("t", 3, 1), topic("u", 3, 1)]);
    let older = node.image.clone();
    let u = older.topic_by_name("u").expect("created").id;
    let request = DeleteTopicsRequest {
        topic_names: vec!["t".into()],
        ..Default::default()
    };
    let decision = delete_topics(&node.image, &request, false);
    node.commit(&decision.records);
    assert!(
        older.topic_by_name("t").is_some(),
        "the older image keeps what it had"
    );
    let (mine, its) = (node.image.topic(u).expect("kept"), older.topic(u).expect("kept"));
    assert!(Arc::ptr_eq(mine, its));
}
