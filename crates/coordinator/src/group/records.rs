//! Records of `__consumer_offsets`, in Kafka's bytes (`GroupCoordinatorRecordHelpers`).
//!
//! A key is the number of its schema and the schema's fields; a value its version and fields; a tombstone has none.

use bytes::Bytes;
use protocol::record_schemas::group::group_metadata_key::GroupMetadataKey;
use protocol::record_schemas::group::group_metadata_value::GroupMetadataValue;
use protocol::record_schemas::group::offset_commit_key::OffsetCommitKey;
use protocol::record_schemas::group::offset_commit_value::OffsetCommitValue;
use protocol::{Budget, Decode, DecodeError, Encode, EncodeError, Reader, Segments, Str};
use types::Uuid;

const LEGACY_OFFSET_KEY: i16 = 0;
const OFFSET_KEY: i16 = 1;
const GROUP_KEY: i16 = 2;
/// The newest version that has no tags: Kafka 4.3 writes groups with it.
const VALUE_VERSION: i16 = 3;
/// The only version with a time of expiry of its own.
const EXPIRING_VERSION: i16 = 1;
/// The first version with the topic's id; Kafka 4.3 writes offsets with it.
const TOPIC_ID_VERSION: i16 = 4;

/// One change of a group's replicated state.
#[derive(Debug, Clone, PartialEq)]
pub enum Record {
    /// A committed offset, or that there is none any more.
    Offset {
        group: Str,
        topic: Str,
        partition: i32,
        value: Option<Committed>,
    },
    /// A generation of a group, or that the group is gone.
    Group {
        group: Str,
        value: Option<GroupMetadataValue>,
    },
}

/// A committed offset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committed {
    pub offset: i64,
    /// -1: not known.
    pub leader_epoch: i32,
    pub metadata: Str,
    /// Milliseconds since 1970.
    pub commit_timestamp: i64,
    /// Milliseconds since 1970; -1: as the broker's retention says.
    pub expire_timestamp: i64,
    /// Zero: not known.
    pub topic_id: Uuid,
}

/// Why a record of the log is not a change that this version knows.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    #[error("a record without a key")]
    NoKey,
    #[error("key type {0} is not known")]
    UnknownType(i16),
    #[error(transparent)]
    Decode(#[from] DecodeError),
}

impl Record {
    pub fn group(&self) -> &Str {
        match self {
            Record::Offset { group, .. } | Record::Group { group, .. } => group,
        }
    }

    /// Whether a decision may be cut before or after this record: what is left would be decided again.
    pub fn may_stand_alone(&self) -> bool {
        match self {
            Record::Offset { value, .. } => value.is_none(),
            Record::Group { value, .. } => value.as_ref().is_none_or(|value| value.members.is_empty()),
        }
    }

    /// Key and value as they are written.
    pub fn encode(&self) -> Result<(Bytes, Option<Bytes>), EncodeError> {
        match self {
            Record::Offset {
                group,
                topic,
                partition,
                value,
            } => {
                let key = OffsetCommitKey {
                    group: group.clone(),
                    topic: topic.clone(),
                    partition: *partition,
                    ..Default::default()
                };
                let value = value.as_ref().map(Committed::encode).transpose()?;
                Ok((prefixed(OFFSET_KEY, 0, &key)?, value))
            }
            Record::Group { group, value } => {
                let key = GroupMetadataKey {
                    group: group.clone(),
                    ..Default::default()
                };
                let value = value.as_ref();
                let value = value.map(|value| prefixed(VALUE_VERSION, VALUE_VERSION, value));
                Ok((prefixed(GROUP_KEY, 0, &key)?, value.transpose()?))
            }
        }
    }

    /// Reads a record of the log. Records of other protocols than the classic one are not known.
    pub fn decode(key: Option<&[u8]>, value: Option<&[u8]>) -> Result<Record, RecordError> {
        let key = Bytes::copy_from_slice(key.ok_or(RecordError::NoKey)?);
        let mut budget = Budget::after_authentication(key.len() + value.map_or(0, <[u8]>::len));
        let mut key = Reader::new(key);
        let value = value.map(Bytes::copy_from_slice);
        match key.i16()? {
            LEGACY_OFFSET_KEY | OFFSET_KEY => {
                let key = OffsetCommitKey::decode(&mut key, 0, &mut budget)?;
                let value = value.map(|value| read_value::<OffsetCommitValue>(value, &mut budget));
                Ok(Record::Offset {
                    group: key.group,
                    topic: key.topic,
                    partition: key.partition,
                    value: value.transpose()?.map(Committed::from),
                })
            }
            GROUP_KEY => {
                let key = GroupMetadataKey::decode(&mut key, 0, &mut budget)?;
                let value = value.map(|value| read_value::<GroupMetadataValue>(value, &mut budget));
                Ok(Record::Group {
                    group: key.group,
                    value: value.transpose()?,
                })
            }
            other => Err(RecordError::UnknownType(other)),
        }
    }
}

impl Committed {
    fn encode(&self) -> Result<Bytes, EncodeError> {
        let version = if self.expire_timestamp != -1 {
            EXPIRING_VERSION
        } else if !self.topic_id.is_zero() {
            TOPIC_ID_VERSION
        } else {
            VALUE_VERSION
        };
        let value = OffsetCommitValue {
            offset: self.offset,
            leader_epoch: self.leader_epoch,
            metadata: self.metadata.clone(),
            commit_timestamp: self.commit_timestamp,
            expire_timestamp: self.expire_timestamp,
            topic_id: self.topic_id,
            ..Default::default()
        };
        prefixed(version, version, &value)
    }
}

impl From<OffsetCommitValue> for Committed {
    fn from(value: OffsetCommitValue) -> Committed {
        Committed {
            offset: value.offset,
            leader_epoch: value.leader_epoch,
            metadata: value.metadata,
            commit_timestamp: value.commit_timestamp,
            expire_timestamp: value.expire_timestamp,
            topic_id: value.topic_id,
        }
    }
}

fn prefixed(number: i16, version: i16, message: &impl Encode) -> Result<Bytes, EncodeError> {
    let mut segments = Segments::new();
    segments.put_i16(number);
    message.encode(version, &mut segments)?;
    Ok(segments.into_bytes())
}

fn read_value<T: Decode>(value: Bytes, budget: &mut Budget) -> Result<T, DecodeError> {
    let mut reader = Reader::new(value);
    let version = reader.i16()?;
    T::decode(&mut reader, version, budget)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offset(value: Option<Committed>) -> Record {
        Record::Offset {
            group: "g".into(),
            topic: "t".into(),
            partition: 7,
            value,
        }
    }

    fn committed() -> Committed {
        Committed {
            offset: 42,
            leader_epoch: 3,
            metadata: "m".into(),
            commit_timestamp: 1_000,
            expire_timestamp: -1,
            topic_id: Uuid::ZERO,
        }
    }

    #[test]
    fn an_offset_is_written_as_kafka_writes_it() {
        let (key, value) = offset(Some(committed())).encode().expect("short");
        assert_eq!(&key[..], b"\0\x01\0\x01g\0\x01t\0\0\0\x07");
        let value = value.expect("not a tombstone");
        assert_eq!(
            &value[..],
            b"\0\x03\0\0\0\0\0\0\0\x2a\0\0\0\x03\0\x01m\0\0\0\0\0\0\x03\xe8"
        );
    }

    #[test]
    fn every_change_is_read_as_it_was_written() {
        let expiring = Committed {
            expire_timestamp: 9_000,
            leader_epoch: -1,
            ..committed()
        };
        let group = GroupMetadataValue {
            protocol_type: "consumer".into(),
            generation: 4,
            protocol: None,
            leader: None,
            current_state_timestamp: 5,
            ..Default::default()
        };
        let group = Record::Group {
            group: "g".into(),
            value: Some(group),
        };
        for record in [
            offset(Some(committed())),
            offset(Some(expiring)),
            offset(None),
            group,
        ] {
            let (key, value) = record.encode().expect("short");
            let read = Record::decode(Some(&key), value.as_deref()).expect("ours");
            assert_eq!(read, record);
        }
    }

    #[test]
    fn a_record_of_another_protocol_is_named() {
        let error = Record::decode(Some(b"\0\x03\0\x01g"), None).expect_err("KIP-848's");
        assert_eq!(error.to_string(), "key type 3 is not known");
        assert!(matches!(Record::decode(None, None), Err(RecordError::NoKey)));
        assert!(matches!(
            Record::decode(Some(b"\0\x01\0"), None),
            Err(RecordError::Decode(_))
        ));
    }
}
