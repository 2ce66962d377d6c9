//! What Apache Kafka 4.3.1 wrote, read here and written again.
//!
//! The fixtures are of `kafka-storage format --standalone` and of the node's life after it: two topics, one of them
//! deleted and one grown to five partitions, then a clean stop.

use bytes::Bytes;
use metadata::quorum::{
    Voter, bootstrap_snapshot, read_snapshot, records_batch, replay_batch, write_snapshot,
};
use metadata::{Delta, MetadataImage, ResourceKind};
use protocol::MetadataRecord;
use record::{BatchHeader, HEADER_BYTES};
use types::{BrokerId, LeaderEpoch, Offset};

const BORN: &[u8] = include_bytes!("../fixtures/kafka-4.3.1-born.checkpoint");
const LOG: &[u8] = include_bytes!("../fixtures/kafka-4.3.1-metadata.log");

fn voter() -> Voter {
    Voter {
        id: 1,
        directory_id: "FvCVgCl5SIyOd3a_n05RgA".parse().expect("an id"),
        listener: "CONTROLLER".into(),
        host: "127.0.0.1".into(),
        port: 39393,
    }
}

fn replayed() -> MetadataImage {
    let (log, mut image) = (Bytes::from_static(LOG), MetadataImage::default());
    for batch in record::batches(&log) {
        let (header, batch) = batch.expect("Kafka's batches are whole");
        let batch = log.slice_ref(batch);
        replay_batch(&mut image, &header, &batch, &mut Delta::default()).expect("Kafka's records are known");
    }
    image
}

/// Checksums and the two timestamps of each batch, zeroed.
fn without_times(bytes: &[u8]) -> Vec<u8> {
    let mut all = Vec::new();
    for batch in record::batches(bytes) {
        let mut batch = batch.expect("whole").1.to_vec();
        batch[17..21].fill(0);
        batch[27..43].fill(0);
        all.extend(batch);
    }
    all
}

#[test]
fn the_snapshot_of_a_fresh_voter_has_kafkas_bytes() {
    // The time inside Kafka's header record.
    let ours = bootstrap_snapshot(&[voter()], 1_795_517_478_604).expect("small");
    assert_eq!(without_times(&ours), without_times(BORN));
    let image = read_snapshot(&Bytes::from_static(BORN), Offset(0)).expect("whole");
    let kraft = image.features().find(|feature| feature.name == "kraft.version");
    assert_eq!(kraft.map(|feature| feature.finalized), Some(1));
}

#[test]
fn kafkas_log_gives_kafkas_image() {
    let image = replayed();
    assert_eq!(image.offset(), Offset(102));
    assert!(image.topic_by_name("gone").is_none());
    let orders = image.topic_by_name("orders").expect("created");
    assert_eq!(orders.id.to_string(), "5RnUt1SlTqet9fZUycjajQ");
    assert_eq!(orders.partitions.len(), 5);
    for partition in &orders.partitions {
        // The clean stop left each with its only replica as eligible leader, one epoch on.
        assert_eq!((partition.leader, partition.in_sync().len()), (BrokerId(-1), 0));
        assert_eq!(
            (partition.leader_epoch, partition.partition_epoch),
            (LeaderEpoch(1), 1)
        );
        assert_eq!(partition.eligible_leader_replicas(), [BrokerId(1)]);
        assert_eq!(partition.last_known_elr(), [BrokerId(1)]);
    }
    let configs = image.configs(ResourceKind::Topic, "orders");
    let configs: Vec<(&str, &str)> = configs
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    assert_eq!(configs, [("retention.ms", "1000"), ("segment.bytes", "1048576")]);
    let broker = image.broker(BrokerId(1)).expect("registered");
    assert_eq!(
        (broker.epoch, broker.fenced, broker.in_controlled_shutdown),
        (15, true, true)
    );
}

/// The frame versions that we choose are those that Kafka chooses for the same record.
#[test]
fn kafkas_records_written_again_have_kafkas_bytes() {
    let log = Bytes::from_static(LOG);
    let mut compared = 0;
    for batch in record::batches(&log) {
        let (header, batch) = batch.expect("whole");
        if header.is_control() {
            continue;
        }
        let payload = log.slice_ref(&batch[HEADER_BYTES..]);
        let records: Vec<MetadataRecord> = record::walk(&header, &payload)
            .map(|record| record.expect("whole").value.expect("a frame"))
            .map(|value| MetadataRecord::decode_frame(&payload.slice_ref(value)).expect("known"))
            .collect();
        let ours = records_batch(&records, LeaderEpoch(1), header.base_timestamp).expect("writable");
        assert_eq!(ours[HEADER_BYTES..], batch[HEADER_BYTES..], "{records:?}");
        compared += records.len();
    }
    assert_eq!(compared, 100, "103 offsets, three of them control records");
}

#[test]
fn kafkas_image_survives_our_snapshot() {
    let image = replayed();
    let snapshot = write_snapshot(&image, &[voter()], LeaderEpoch(1), 1).expect("small");
    assert_eq!(read_snapshot(&snapshot, Offset(103)), Ok(image));
    let batches: Vec<BatchHeader> = record::batches(&snapshot)
        .map(|batch| batch.expect("whole").0)
        .collect();
    let ends: Vec<i64> = batches.iter().map(|header| header.next_offset().0).collect();
    let begins: Vec<i64> = batches.iter().map(|header| header.base_offset.0).collect();
    assert_eq!(begins[1..], ends[..ends.len() - 1], "offsets have no gap");
}
