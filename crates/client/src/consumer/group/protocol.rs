//! What members tell each other: subscriptions and assignments, in Java's bytes (`ConsumerProtocol`), and the user
//! data of the sticky assignors.

use std::sync::Arc;

use bytes::Bytes;
use protocol::messages::consumer_protocol_assignment::{self, ConsumerProtocolAssignment};
use protocol::messages::consumer_protocol_subscription::{self, ConsumerProtocolSubscription};
use protocol::{ApiKey, Budget, Decode, Encode, Reader, Segments};

use super::assignor::{Assignor, Member};
use crate::admin::indexes_by_topic;
use crate::{Error, Result, TopicPartition};

/// The version that we write; of others we read what we know.
const VERSION: i16 = 3;

fn budget(bytes: &Bytes) -> Budget {
    Budget::new(bytes.len().saturating_mul(16) + (64 << 10))
}

fn unreadable(source: protocol::DecodeError) -> Error {
    Error::Decode {
        key: ApiKey::JoinGroup,
        version: VERSION,
        source,
    }
}

/// What a member had, and when.
#[derive(Debug, Clone, Default)]
pub(super) struct Past {
    /// What it still has: nothing for an eager member, which gives everything up before it joins.
    pub(super) owned: Vec<TopicPartition>,
    /// What it was given last.
    pub(super) last: Vec<TopicPartition>,
    /// The generation of that; -1 if there was none.
    pub(super) generation: i32,
    /// Where the member runs (`client.rack`).
    pub(super) rack: Option<String>,
}

/// A subscription for an assignor.
pub(super) fn subscription(assignor: Assignor, topics: &[Arc<str>], past: &Past) -> Result<Bytes> {
    let generation = past.generation;
    let mut sorted = topics.to_vec();
    sorted.sort();
    let mut owned = past.owned.clone();
    owned.sort();
    let message = ConsumerProtocolSubscription {
        topics: sorted.iter().map(|topic| (&**topic).into()).collect(),
        user_data: user_data(assignor, &past.last, generation),
        owned_partitions: indexes_by_topic(&owned)
            .into_iter()
            .map(
                |(topic, partitions)| consumer_protocol_subscription::TopicPartition {
                    topic: (&*topic).into(),
                    partitions,
                    ..Default::default()
                },
            )
            .collect(),
        generation_id: generation,
        rack_id: past.rack.as_deref().map(Into::into),
        ..ConsumerProtocolSubscription::default()
    };
    let mut sink = Segments::new();
    sink.put_i16(VERSION);
    message.encode(VERSION, &mut sink)?;
    Ok(sink.into_bytes())
}

fn user_data(assignor: Assignor, owned: &[TopicPartition], generation: i32) -> Option<Bytes> {
    let mut sink = Segments::new();
    match assignor {
        Assignor::Range | Assignor::RoundRobin => return None,
        // Java's `StickyAssignor` says nothing before it has an assignment.
        Assignor::Sticky if owned.is_empty() && generation < 0 => return None,
        Assignor::Sticky => {
            let topics = indexes_by_topic(owned);
            sink.put_i32(topics.len() as i32);
            for (topic, partitions) in topics {
                sink.put_string(&(&*topic).into(), false).ok()?;
                sink.put_i32(partitions.len() as i32);
                partitions.iter().for_each(|partition| sink.put_i32(*partition));
            }
            sink.put_i32(generation);
        }
        Assignor::CooperativeSticky => sink.put_i32(generation),
    }
    Some(sink.into_bytes())
}

/// Reads a member's subscription as the leader needs it.
pub(super) fn read_subscription(
    assignor: Assignor,
    id: &str,
    instance_id: Option<&str>,
    bytes: &Bytes,
) -> Result<Member> {
    let mut reader = Reader::new(bytes.clone());
    let mut budget = budget(bytes);
    let version = reader.i16().map_err(unreadable)?.clamp(0, VERSION);
    let message = match ConsumerProtocolSubscription::decode(&mut reader, version, &mut budget) {
        Ok(message) => message,
        // There are clients that claim version 1 and write version 0.
        Err(_) if 0 < version => {
            let mut reader = Reader::new(bytes.slice(2..));
            ConsumerProtocolSubscription::decode(&mut reader, 0, &mut budget).map_err(unreadable)?
        }
        Err(error) => return Err(unreadable(error)),
    };
    let mut member = Member {
        id: id.to_owned(),
        instance_id: instance_id.map(str::to_owned),
        topics: message.topics.iter().map(|topic| topic.as_str().into()).collect(),
        owned: Vec::new(),
        generation: -1,
        rack: message
            .rack_id
            .as_ref()
            .map(|rack| rack.as_str().into())
            .filter(|rack: &Arc<str>| !rack.is_empty()),
    };
    match assignor {
        Assignor::Range | Assignor::RoundRobin => {}
        Assignor::Sticky => {
            // What does not read is as if it were not there, as in Java.
            let data = message.user_data.as_ref();
            if let Some((owned, generation)) = data.and_then(|data| read_sticky(data).ok()) {
                (member.owned, member.generation) = (owned, generation);
            }
        }
        Assignor::CooperativeSticky => {
            let data = message
                .user_data
                .as_ref()
                .and_then(|data| data.first_chunk::<4>());
            let said = data.map_or(-1, |data| i32::from_be_bytes(*data));
            member.generation = if 0 <= message.generation_id {
                message.generation_id
            } else {
                said
            };
            member.owned = message
                .owned_partitions
                .iter()
                .flat_map(|topic| {
                    let name: Arc<str> = topic.topic.as_str().into();
                    topic
                        .partitions
                        .iter()
                        .map(move |one| TopicPartition::new(name.clone(), *one))
                })
                .collect();
        }
    }
    Ok(member)
}

/// Topics with partitions, then the generation, which version 0 does not have.
fn read_sticky(data: &Bytes) -> Result<(Vec<TopicPartition>, i32), protocol::DecodeError> {
    let mut reader = Reader::new(data.clone());
    let mut budget = budget(data);
    let topics = reader.array::<(Arc<str>, Vec<i32>)>(false, 6, &mut budget, |reader, budget| {
        let name = Reader::required(reader.string(false)?, "topic")?;
        let partitions = reader.array::<i32>(false, 4, budget, |reader, _| reader.i32())?;
        Ok((name.as_str().into(), partitions.unwrap_or_default()))
    })?;
    let generation = if reader.remaining() < 4 { -1 } else { reader.i32()? };
    let owned = topics
        .unwrap_or_default()
        .into_iter()
        .flat_map(|(topic, partitions)| {
            partitions
                .into_iter()
                .map(move |one| TopicPartition::new(topic.clone(), one))
        });
    Ok((owned.collect(), generation))
}

/// An assignment for a member.
pub(super) fn assignment(partitions: &[TopicPartition]) -> Result<Bytes> {
    let message = ConsumerProtocolAssignment {
        assigned_partitions: indexes_by_topic(partitions)
            .into_iter()
            .map(
                |(topic, partitions)| consumer_protocol_assignment::TopicPartition {
                    topic: (&*topic).into(),
                    partitions,
                    ..Default::default()
                },
            )
            .collect(),
        user_data: None,
        ..ConsumerProtocolAssignment::default()
    };
    let mut sink = Segments::new();
    sink.put_i16(VERSION);
    message.encode(VERSION, &mut sink)?;
    Ok(sink.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subscriptions_come_back_with_what_was_owned() {
        let owned = vec![TopicPartition::new("a", 1), TopicPartition::new("b", 0)];
        let topics: Vec<Arc<str>> = vec!["b".into(), "a".into()];
        for assignor in [Assignor::Sticky, Assignor::CooperativeSticky, Assignor::Range] {
            let past = Past {
                owned: owned.clone(),
                last: owned.clone(),
                generation: 4,
                rack: Some("east".into()),
            };
            let bytes = subscription(assignor, &topics, &past).expect("small");
            let member = read_subscription(assignor, "m", Some("i"), &bytes).expect("ours");
            assert_eq!(member.topics, ["a".into(), "b".into()]);
            assert_eq!(member.rack.as_deref(), Some("east"));
            if assignor != Assignor::Range {
                assert_eq!((member.owned, member.generation), (owned.clone(), 4));
            }
        }
    }

    #[test]
    fn version_1_that_is_written_as_version_0_is_read() {
        let mut sink = Segments::new();
        sink.put_i16(1);
        let message = ConsumerProtocolSubscription {
            topics: vec!["t".into()],
            ..ConsumerProtocolSubscription::default()
        };
        message.encode(0, &mut sink).expect("small");
        let member = read_subscription(Assignor::Range, "m", None, &sink.into_bytes()).expect("lenient");
        assert_eq!(member.topics, ["t".into()]);
    }

    #[test]
    fn rubbish_is_an_error_and_never_a_panic() {
        for bytes in [&b""[..], b"\0", b"\0\x03\xff\xff\xff\x7f", &[0xff; 40]] {
            let bytes = Bytes::copy_from_slice(bytes);
            assert!(read_subscription(Assignor::Sticky, "m", None, &bytes).is_err());
        }
    }
}
