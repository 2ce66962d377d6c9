//! Batches of the metadata log: control records of the quorum, and records in frames.

use ::bytes::Bytes;
use protocol::messages::k_raft_version_record::KRaftVersionRecord;
use protocol::messages::leader_change_message::{LeaderChangeMessage, Voter as LeaderVoter};
use protocol::messages::voters_record::{
    Endpoint, KRaftVersionFeature, Voter as RecordedVoter, VotersRecord,
};
use protocol::record_schemas::metadata::partition_record::PartitionRecord;
use protocol::{Budget, Decode, Encode, MetadataRecord, Reader, Segments};
use record::{BatchBuilder, BatchHeader, BatchOptions, ControlType, HEADER_BYTES};
use types::{LeaderEpoch, Offset, Uuid};

use crate::{Delta, MetadataImage};

/// A voter of the quorum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Voter {
    pub id: i32,
    pub directory_id: Uuid,
    pub listener: String,
    pub host: String,
    pub port: u16,
}

/// The value of a control record, or an empty one if it cannot be written, which no value of ours cannot.
fn value(message: &impl Encode) -> Bytes {
    let mut body = Segments::new();
    match message.encode(0, &mut body) {
        Ok(()) => body.into_bytes(),
        Err(_) => Bytes::new(),
    }
}

pub(super) fn kraft_version() -> (ControlType, Bytes) {
    let record = KRaftVersionRecord {
        k_raft_version: 1,
        ..Default::default()
    };
    (ControlType::KRaftVersion, value(&record))
}

pub(super) fn voters(voters: &[Voter]) -> (ControlType, Bytes) {
    let voter = |voter: &Voter| RecordedVoter {
        voter_id: voter.id,
        voter_directory_id: voter.directory_id,
        endpoints: vec![Endpoint {
            name: voter.listener.as_str().into(),
            host: voter.host.as_str().into(),
            port: voter.port,
            ..Default::default()
        }],
        k_raft_version_feature: KRaftVersionFeature {
            min_supported_version: 0,
            max_supported_version: 1,
            ..Default::default()
        },
        ..Default::default()
    };
    let record = VotersRecord {
        voters: voters.iter().map(voter).collect(),
        ..Default::default()
    };
    (ControlType::KRaftVoters, value(&record))
}

pub(super) fn control_batch(
    records: &[(ControlType, Bytes)],
    base_offset: Offset,
    epoch: LeaderEpoch,
    now_ms: i64,
) -> std::io::Result<Bytes> {
    let options = BatchOptions {
        base_offset,
        leader_epoch: epoch,
        is_control: true,
        ..Default::default()
    };
    let mut batch = BatchBuilder::new(options);
    for (kind, value) in records {
        batch.push(now_ms, Some(&kind.key()), Some(value));
    }
    batch.build()
}

/// The first batch of a leader's epoch: it leads, and who votes.
pub fn leader_change(
    leader: i32,
    quorum: &[Voter],
    epoch: LeaderEpoch,
    now_ms: i64,
) -> std::io::Result<Bytes> {
    let voter = |voter: &Voter| LeaderVoter {
        voter_id: voter.id,
        ..Default::default()
    };
    let ids: Vec<LeaderVoter> = quorum.iter().map(voter).collect();
    let message = LeaderChangeMessage {
        leader_id: leader,
        voters: ids.clone(),
        granting_voters: ids,
        ..Default::default()
    };
    let records = [
        (ControlType::LeaderChange, value(&message)),
        kraft_version(),
        voters(quorum),
    ];
    control_batch(&records, Offset(0), epoch, now_ms)
}

/// One batch of metadata records, atomic.
pub fn records_batch(records: &[MetadataRecord], epoch: LeaderEpoch, now_ms: i64) -> Result<Bytes, String> {
    let options = BatchOptions {
        leader_epoch: epoch,
        ..Default::default()
    };
    let mut batch = BatchBuilder::new(options);
    for record in records {
        let frame = record
            .encode_frame(version_of(record))
            .map_err(|error| error.to_string())?;
        batch.push(now_ms, None, Some(&frame));
    }
    batch.build().map_err(|error| error.to_string())
}

/// The version in which a record is written under `metadata.version` 30; Kafka writes the lowest one of a
/// registration change that can say what it has to.
fn version_of(record: &MetadataRecord) -> i16 {
    match record {
        MetadataRecord::BrokerRegistrationChangeRecord(record) => {
            let needs_directories = !record.log_dirs.is_empty();
            match (&record.cordoned_log_dirs, needs_directories) {
                (Some(_), _) => 3,
                (None, true) => 2,
                (None, false) if record.in_controlled_shutdown != 0 => 1,
                (None, false) => 0,
            }
        }
        other => other.highest_version(),
    }
}

/// Control records are the quorum's; the image shows the version that they finalize.
fn replay_control(image: &mut MetadataImage, header: &BatchHeader, payload: &Bytes) -> Result<(), String> {
    for record in record::walk(header, payload) {
        let record = record.map_err(|error| error.to_string())?;
        if record.key.and_then(ControlType::from_key) != Some(ControlType::KRaftVersion) {
            continue;
        }
        let value = payload.slice_ref(record.value.unwrap_or_default());
        let mut budget = Budget::new(value.len());
        let version = KRaftVersionRecord::decode(&mut Reader::new(value), 0, &mut budget);
        image.kraft_version = version.map_err(|error| error.to_string())?.k_raft_version;
    }
    image.pass(header.last_offset());
    Ok(())
}

/// Applies a batch of the log to an image.
pub fn replay_batch(
    image: &mut MetadataImage,
    header: &BatchHeader,
    batch: &Bytes,
    delta: &mut Delta,
) -> Result<(), String> {
    let payload = batch.slice(HEADER_BYTES.min(batch.len())..);
    if header.is_control() {
        return replay_control(image, header, &payload);
    }
    let mut run: Vec<PartitionRecord> = Vec::new();
    for record in record::walk(header, &payload) {
        let record = record.map_err(|error| error.to_string())?;
        let offset = header.base_offset.plus(i64::from(record.offset_delta));
        let value = record
            .value
            .ok_or_else(|| format!("the record at {offset} has no value"))?;
        let record = MetadataRecord::decode_frame(&payload.slice_ref(value));
        match record.map_err(|error| format!("the record at {offset}: {error}"))? {
            // Partitions of a topic come one after the other, and most records are of this kind.
            MetadataRecord::PartitionRecord(partition) => {
                if run
                    .first()
                    .is_some_and(|first| first.topic_id != partition.topic_id)
                {
                    image.apply_partitions(&run, delta);
                    run.clear();
                }
                run.push(partition);
            }
            other => {
                image.apply_partitions(&run, delta);
                run.clear();
                image.apply(offset, &other, delta);
            }
        }
    }
    image.apply_partitions(&run, delta);
    image.pass(header.last_offset());
    Ok(())
}
