//! Snapshots of the metadata log: Kafka's `<end offset>-<epoch>.checkpoint`, which are batches like those of a log.

use ::bytes::{Bytes, BytesMut};
use protocol::messages::snapshot_footer_record::SnapshotFooterRecord;
use protocol::messages::snapshot_header_record::SnapshotHeaderRecord;
use protocol::record_schemas::metadata::config_record::ConfigRecord;
use protocol::record_schemas::metadata::feature_level_record::FeatureLevelRecord;
use protocol::record_schemas::metadata::partition_record::PartitionRecord;
use protocol::record_schemas::metadata::producer_ids_record::ProducerIdsRecord;
use protocol::record_schemas::metadata::topic_record::TopicRecord;
use protocol::{Encode, MetadataRecord, Segments};
use record::{BatchHeader, ControlType};
use types::{BrokerId, LeaderEpoch, Offset};

use super::bytes::{Voter, control_batch, kraft_version, records_batch, replay_batch, voters};
use crate::{BrokerImage, Delta, MetadataImage, TopicImage};

pub const CHECKPOINT_SUFFIX: &str = ".checkpoint";
/// Records in one batch of a snapshot.
const RECORDS_PER_BATCH: usize = 1000;

/// `<end offset, 20 digits>-<epoch, 10 digits>.checkpoint`
pub fn checkpoint_name(end: Offset, epoch: LeaderEpoch) -> String {
    format!("{:020}-{:010}{CHECKPOINT_SUFFIX}", end.0, epoch.0)
}

/// The snapshot that a voter is born with: the quorum's version and voters, and nothing else.
pub fn bootstrap_snapshot(quorum: &[Voter], now_ms: i64) -> Result<Bytes, String> {
    write_snapshot(&MetadataImage::default(), quorum, LeaderEpoch(0), now_ms)
}

/// An image as a snapshot.
pub fn write_snapshot(
    image: &MetadataImage,
    quorum: &[Voter],
    epoch: LeaderEpoch,
    now_ms: i64,
) -> Result<Bytes, String> {
    let failed = |error: std::io::Error| error.to_string();
    let header = SnapshotHeaderRecord {
        last_contained_log_timestamp: now_ms,
        ..Default::default()
    };
    let head = [
        (ControlType::SnapshotHeader, plain(&header)?),
        kraft_version(),
        voters(quorum),
    ];
    let mut out = BytesMut::new();
    let mut next = Offset(head.len() as i64);
    out.extend_from_slice(&control_batch(&head, Offset(0), epoch, now_ms).map_err(failed)?);
    for records in image_records(image).chunks(RECORDS_PER_BATCH) {
        let batch = records_batch(records, epoch, now_ms)?;
        let parsed = BatchHeader::parse(&batch).map_err(|error| error.to_string())?;
        out.extend_from_slice(&record::prefix(next, parsed.batch_length, epoch));
        out.extend_from_slice(batch.get(record::PREFIX_BYTES..).unwrap_or_default());
        next = next.plus(records.len() as i64);
    }
    let footer = [(
        ControlType::SnapshotFooter,
        plain(&SnapshotFooterRecord::default())?,
    )];
    out.extend_from_slice(&control_batch(&footer, next, epoch, now_ms).map_err(failed)?);
    Ok(out.freeze())
}

fn plain(message: &impl Encode) -> Result<Bytes, String> {
    let mut sink = Segments::new();
    message.encode(0, &mut sink).map_err(|error| error.to_string())?;
    Ok(sink.into_bytes())
}

/// The image of a snapshot whose log ends at `end`. A snapshot without its footer is refused.
pub fn read_snapshot(bytes: &Bytes, end: Offset) -> Result<MetadataImage, String> {
    let mut image = MetadataImage::default();
    let mut last_is_footer = false;
    for batch in record::batches(bytes) {
        let (header, batch) = batch.map_err(|error| error.to_string())?;
        record::check_crc(&header, batch).map_err(|error| error.to_string())?;
        last_is_footer = header.is_control() && is_footer(&header, batch);
        replay_batch(
            &mut image,
            &header,
            &bytes.slice_ref(batch),
            &mut Delta::default(),
        )?;
    }
    if !last_is_footer {
        return Err("the snapshot has no footer".to_owned());
    }
    image.offset = end.0.checked_sub(1).filter(|last| 0 <= *last).map(Offset);
    Ok(image)
}

fn is_footer(header: &BatchHeader, batch: &[u8]) -> bool {
    let payload = batch.get(record::HEADER_BYTES..).unwrap_or_default();
    let first = record::walk(header, payload).next().and_then(Result::ok);
    let kind = first.and_then(|record| ControlType::from_key(record.key?));
    kind == Some(ControlType::SnapshotFooter)
}

/// The records that give this image, in Kafka's order.
fn image_records(image: &MetadataImage) -> Vec<MetadataRecord> {
    let mut records: Vec<MetadataRecord> = Vec::new();
    for (name, level) in image.features.iter() {
        let record = FeatureLevelRecord {
            name: name.as_str().into(),
            feature_level: *level,
            ..Default::default()
        };
        records.push(record.into());
    }
    records.extend(image.brokers().map(broker_record));
    records.extend(image.controllers.values().cloned().map(MetadataRecord::from));
    for topic in image.topics() {
        records.extend(topic_records(topic));
    }
    for ((kind, resource), configs) in image.configs.iter() {
        for (name, value) in configs.iter() {
            let record = ConfigRecord {
                resource_type: *kind,
                resource_name: resource.as_str().into(),
                name: name.as_str().into(),
                value: Some(value.as_str().into()),
                ..Default::default()
            };
            records.push(record.into());
        }
    }
    if 0 < image.next_producer_id {
        let record = ProducerIdsRecord {
            broker_id: -1,
            broker_epoch: -1,
            next_producer_id: image.next_producer_id,
            ..Default::default()
        };
        records.push(record.into());
    }
    records.extend(image.kept.records().cloned());
    records
}

/// As it was registered, with what has changed since.
fn broker_record(broker: &BrokerImage) -> MetadataRecord {
    let mut record = (*broker.registration).clone();
    record.fenced = broker.fenced;
    record.in_controlled_shutdown = broker.in_controlled_shutdown;
    record.log_dirs.clone_from(&broker.log_dirs);
    record.cordoned_log_dirs.clone_from(&broker.cordoned_log_dirs);
    record.into()
}

fn topic_records(topic: &TopicImage) -> Vec<MetadataRecord> {
    let ids = |brokers: &[BrokerId]| brokers.iter().map(|broker| broker.0).collect::<Vec<i32>>();
    let some = |ids: Vec<i32>| (!ids.is_empty()).then_some(ids);
    let mut records: Vec<MetadataRecord> = vec![
        TopicRecord {
            name: topic.name.as_str().into(),
            topic_id: topic.id,
            ..Default::default()
        }
        .into(),
    ];
    for (index, partition) in topic.partitions.iter().enumerate() {
        let record = PartitionRecord {
            partition_id: i32::try_from(index).unwrap_or(i32::MAX),
            topic_id: topic.id,
            replicas: ids(partition.replicas()),
            isr: ids(partition.in_sync()),
            leader: partition.leader.0,
            leader_epoch: partition.leader_epoch.0,
            partition_epoch: partition.partition_epoch,
            directories: partition.directories().to_vec(),
            eligible_leader_replicas: some(ids(partition.eligible_leader_replicas())),
            last_known_elr: some(ids(partition.last_known_elr())),
            adding_replicas: ids(partition.adding_replicas()),
            removing_replicas: ids(partition.removing_replicas()),
            leader_recovery_state: partition
                .rare
                .as_ref()
                .map_or(0, |rare| rare.leader_recovery_state),
            ..Default::default()
        };
        records.push(record.into());
    }
    records
}
