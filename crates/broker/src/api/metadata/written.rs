//! The answer on its way to the wire: partitions go from the image into the frame through one row that is used again,
//! since a message with a row and two lists for each of a thousand partitions costs more than all the rest.

use std::sync::Arc;

use metadata::{PartitionImage, TopicImage};
use protocol::messages::metadata_response::{
    MetadataResponse, MetadataResponsePartition, MetadataResponseTopic,
};
use protocol::{Encode, EncodeError, Segments};
use types::{BrokerId, ErrorCode};

use super::is_internal;

/// An answer whose topics stand beside it.
pub(super) struct Written {
    /// Everything but the topics.
    pub rest: MetadataResponse,
    pub topics: Vec<Row>,
    /// What the asker may do with each topic; the smallest int where it did not ask.
    pub topic_operations: i32,
}

pub(super) enum Row {
    /// A topic, and which of its partitions cannot be served.
    Known {
        topic: Arc<TopicImage>,
        unserved: Vec<bool>,
    },
    Unknown(MetadataResponseTopic),
}

impl Written {
    /// Every error code of the answer that is one.
    pub(super) fn errors(&self) -> impl Iterator<Item = i16> {
        let topics = self.topics.iter().flat_map(|row| {
            let (code, unserved) = match row {
                Row::Known { unserved, .. } => (0, unserved.as_slice()),
                Row::Unknown(topic) => (topic.error_code, [].as_slice()),
            };
            let offline = unserved.iter().filter(|unserved| **unserved);
            std::iter::once(code).chain(offline.map(|_| ErrorCode::LeaderNotAvailable.code()))
        });
        std::iter::once(self.rest.error_code).chain(topics)
    }
}

impl Encode for Written {
    fn encode(&self, version: i16, sink: &mut Segments) -> Result<(), EncodeError> {
        let (rest, flexible) = (&self.rest, 9 <= version);
        if 3 <= version {
            sink.put_i32(rest.throttle_time_ms);
        }
        sink.put_array_len(rest.brokers.len(), flexible)?;
        for broker in &rest.brokers {
            broker.encode(version, sink)?;
        }
        if 2 <= version {
            match &rest.cluster_id {
                Some(id) => sink.put_string(id, flexible)?,
                None => sink.put_null_string(flexible),
            }
        }
        if 1 <= version {
            sink.put_i32(rest.controller_id);
        }
        sink.put_array_len(self.topics.len(), flexible)?;
        let mut row = MetadataResponsePartition::default();
        for topic in &self.topics {
            match topic {
                Row::Known { topic, unserved } => {
                    let operations = self.topic_operations;
                    encode_topic(topic, unserved, operations, &mut row, version, sink)?;
                }
                Row::Unknown(topic) => topic.encode(version, sink)?,
            }
        }
        if (8..=10).contains(&version) {
            sink.put_i32(rest.cluster_authorized_operations);
        }
        if 13 <= version {
            sink.put_i16(rest.error_code);
        }
        if flexible {
            sink.put_tagged_fields(&rest.unknown_tagged_fields);
        }
        Ok(())
    }
}

fn encode_topic(
    topic: &TopicImage,
    unserved: &[bool],
    operations: i32,
    row: &mut MetadataResponsePartition,
    version: i16,
    sink: &mut Segments,
) -> Result<(), EncodeError> {
    let flexible = 9 <= version;
    sink.put_i16(ErrorCode::None.code());
    sink.put_string(&topic.name.as_str().into(), flexible)?;
    if 10 <= version {
        sink.put_uuid(topic.id);
    }
    if 1 <= version {
        sink.put_bool(is_internal(&topic.name));
    }
    sink.put_array_len(topic.partitions.len(), flexible)?;
    let unserved = unserved.iter().chain(std::iter::repeat(&true));
    for ((index, partition), unserved) in (0..).zip(&topic.partitions).zip(unserved) {
        fill(row, index, partition, *unserved);
        row.encode(version, sink)?;
    }
    if 8 <= version {
        sink.put_i32(operations);
    }
    if flexible {
        sink.put_tagged_fields(&row.unknown_tagged_fields);
    }
    Ok(())
}

fn fill(row: &mut MetadataResponsePartition, index: i32, partition: &PartitionImage, unserved: bool) {
    row.partition_index = index;
    row.leader_epoch = partition.leader_epoch.0;
    set(&mut row.replica_nodes, partition.replicas());
    set(&mut row.isr_nodes, partition.in_sync());
    if unserved {
        row.error_code = ErrorCode::LeaderNotAvailable.code();
        row.leader_id = -1;
        set(&mut row.offline_replicas, partition.replicas());
    } else {
        row.error_code = ErrorCode::None.code();
        row.leader_id = partition.leader.0;
        row.offline_replicas.clear();
    }
}

fn set(list: &mut Vec<i32>, brokers: &[BrokerId]) {
    list.clear();
    list.extend(brokers.iter().map(|broker| broker.0));
}

#[cfg(test)]
mod tests {
    use metadata::{Delta, MetadataImage};
    use protocol::messages::metadata_response::MetadataResponseBroker;
    use protocol::record_schemas::metadata::partition_record::PartitionRecord;
    use protocol::record_schemas::metadata::topic_record::TopicRecord;
    use types::{Offset, Uuid};

    use super::*;

    fn topic(partitions: i32) -> Arc<TopicImage> {
        let mut image = MetadataImage::default();
        let mut delta = Delta::default();
        let id = Uuid([7; 16]);
        let topic = TopicRecord {
            name: "events".into(),
            topic_id: id,
            ..Default::default()
        };
        image.apply(Offset(0), &topic.into(), &mut delta);
        for partition_id in 0..partitions {
            let partition = PartitionRecord {
                partition_id,
                topic_id: id,
                replicas: vec![1, 2, 3],
                isr: vec![2, 1],
                leader: 2,
                leader_epoch: 40 + partition_id,
                directories: vec![Uuid([9; 16]); 3],
                ..Default::default()
            };
            image.apply(Offset(0), &partition.into(), &mut delta);
        }
        image.topic(id).expect("was applied").clone()
    }

    fn bytes(body: &impl Encode, version: i16) -> Vec<u8> {
        let mut segments = Segments::frame();
        body.encode(version, &mut segments).expect("can be written");
        segments.finish_frame().expect("short").concat()
    }

    /// The message, row by row.
    fn message(written: &Written) -> MetadataResponse {
        let row = |row: &Row| match row {
            Row::Unknown(topic) => topic.clone(),
            Row::Known { topic, unserved } => {
                let mut partitions = Vec::new();
                for ((index, partition), unserved) in (0..).zip(&topic.partitions).zip(unserved) {
                    let mut row = MetadataResponsePartition::default();
                    fill(&mut row, index, partition, *unserved);
                    partitions.push(row);
                }
                MetadataResponseTopic {
                    name: Some("events".into()),
                    topic_id: topic.id,
                    partitions,
                    topic_authorized_operations: written.topic_operations,
                    ..Default::default()
                }
            }
        };
        MetadataResponse {
            topics: written.topics.iter().map(row).collect(),
            ..written.rest.clone()
        }
    }

    #[test]
    fn every_version_has_the_bytes_of_the_message() {
        for version in 0..=13 {
            let ask = 8 <= version;
            let mut written = Written {
                rest: MetadataResponse {
                    cluster_id: Some("cluster".into()),
                    controller_id: 3,
                    ..Default::default()
                },
                topics: vec![
                    Row::Known {
                        topic: topic(3),
                        unserved: vec![false, true, false],
                    },
                    Row::Unknown(MetadataResponseTopic {
                        error_code: 3,
                        name: Some("nowhere".into()),
                        ..Default::default()
                    }),
                ],
                topic_operations: if ask { 77 } else { i32::MIN },
            };
            written.rest.brokers.push(MetadataResponseBroker {
                node_id: 3,
                host: "localhost".into(),
                port: 9092,
                ..Default::default()
            });
            if (8..=10).contains(&version) {
                written.rest.cluster_authorized_operations = 55;
            }
            let expected = bytes(&message(&written), version);
            assert_eq!(bytes(&written, version), expected, "version {version}");
            assert_eq!(
                written.errors().filter(|code| *code != 0).collect::<Vec<_>>(),
                [5, 3]
            );
        }
    }
}
