//! Metadata (key 3), v0-v13.
//!
//! v0: an empty list asks for all topics; from v1 on null does, and an empty one for none (trap 88). A topic that does
//! not exist is created if request and broker allow it, and answered at once with its partitions.

mod written;

use std::sync::Arc;

use metadata::{MetadataImage, TopicImage};
use net::{Answer, Start};
use protocol::Str;
use protocol::messages::metadata_request::{MetadataRequest, MetadataRequestTopic};
use protocol::messages::metadata_response::{
    MetadataResponse, MetadataResponseBroker, MetadataResponseTopic,
};
use types::{ErrorCode, TopicName};
use written::{Row, Written};

use super::create_topics::create_automatically;
use super::{Call, Pending};
use crate::Broker;
use crate::respond::Reply;

/// Every operation that this node knows, as nobody is refused any.
const TOPIC_OPERATIONS: i32 = 0b1101_1111_1000;
const CLUSTER_OPERATIONS: i32 = 0b1_1111_1010_0000;
/// Versions 10 and 11 have a field for an id, and may only use it in answers.
const TOPIC_ID_FROM: i16 = 12;

/// Whether a topic is Kafka's own.
pub(super) fn is_internal(name: &str) -> bool {
    matches!(
        name,
        "__consumer_offsets" | "__transaction_state" | "__share_group_state"
    )
}

pub fn start(call: &mut Call<'_>) -> Start<Pending> {
    let request: MetadataRequest = match call.decode() {
        Ok(request) => request,
        Err(close) => return Start::Done(close),
    };
    let asked = Asked {
        broker: call.broker.clone(),
        reply: call.reply(),
        address: call
            .broker
            .node
            .address_for(&call.session.peer.listener, call.session.peer.local),
        request,
    };
    if asked.names_ids_too_early() {
        return Start::Done(asked.refused(ErrorCode::InvalidRequest));
    }
    let missing = asked.missing();
    if missing.is_empty() {
        return Start::Done(asked.answer());
    }
    Start::Parked(Pending::later(async move {
        create_automatically(&asked.broker, missing).await;
        asked.answer()
    }))
}

struct Asked {
    broker: Arc<Broker>,
    reply: Reply,
    address: (String, u16),
    request: MetadataRequest,
}

impl Asked {
    fn wants_all(&self) -> bool {
        match &self.request.topics {
            None => true,
            Some(topics) => self.reply.version == 0 && topics.is_empty(),
        }
    }

    fn names_ids_too_early(&self) -> bool {
        let by_id = |topic: &MetadataRequestTopic| !topic.topic_id.is_zero();
        self.reply.version < TOPIC_ID_FROM && self.request.topics.iter().flatten().any(by_id)
    }

    /// The whole request is wrong: every topic says so, and nothing else is told.
    fn refused(&self, code: ErrorCode) -> Answer {
        let row = |topic: &MetadataRequestTopic| MetadataResponseTopic {
            error_code: code.code(),
            name: Some(topic.name.clone().unwrap_or_default()),
            topic_id: topic.topic_id,
            ..Default::default()
        };
        let topics = self.request.topics.iter().flatten().map(row).collect();
        self.reply.send(&MetadataResponse {
            topics,
            ..Default::default()
        })
    }

    /// Topics that are to be created before the answer.
    fn missing(&self) -> Vec<Str> {
        if !self.request.allow_auto_topic_creation || !self.broker.config.auto_create_topics {
            return Vec::new();
        }
        let image = self.broker.image();
        let topics = self.request.topics.iter().flatten();
        let names = topics
            .filter(|topic| topic.topic_id.is_zero())
            .filter_map(|topic| topic.name.as_ref());
        let creatable = |name: &&Str| {
            image.topic_by_name(name).is_none() && TopicName::new(name).is_ok() && !is_internal(name)
        };
        let mut missing: Vec<Str> = names.filter(creatable).cloned().collect();
        missing.sort();
        missing.dedup();
        missing
    }

    fn answer(&self) -> Answer {
        let image = self.broker.image();
        let node = &self.broker.node;
        let mut rest = MetadataResponse {
            cluster_id: Some((&*node.cluster_id).into()),
            controller_id: node.id.0,
            ..Default::default()
        };
        rest.brokers.push(MetadataResponseBroker {
            node_id: node.id.0,
            host: self.address.0.as_str().into(),
            port: i32::from(self.address.1),
            rack: node.rack.as_deref().map(Into::into),
            ..Default::default()
        });
        if self.request.include_cluster_authorized_operations {
            rest.cluster_authorized_operations = CLUSTER_OPERATIONS;
        }
        let topics = if self.wants_all() {
            image.topics().map(|topic| self.known(topic)).collect()
        } else {
            self.named(&image)
        };
        let topic_operations = if self.request.include_topic_authorized_operations {
            TOPIC_OPERATIONS
        } else {
            MetadataResponseTopic::default().topic_authorized_operations
        };
        let written = Written {
            rest,
            topics,
            topic_operations,
        };
        self.reply.send_counted(&written, written.errors())
    }

    /// The topics that were asked for, each once.
    fn named(&self, image: &MetadataImage) -> Vec<Row> {
        let mut rows = Vec::new();
        let mut seen = rustc_hash::FxHashSet::default();
        for wanted in self.request.topics.iter().flatten() {
            if !seen.insert((wanted.name.clone(), wanted.topic_id)) {
                continue;
            }
            let row = match find(image, wanted, self.reply.version) {
                Ok(topic) => self.known(topic),
                Err(code) => Row::Unknown(self.unknown(wanted, code)),
            };
            rows.push(row);
        }
        rows
    }

    fn unknown(&self, wanted: &MetadataRequestTopic, code: ErrorCode) -> MetadataResponseTopic {
        let by_id = !wanted.topic_id.is_zero();
        // Before v12 a name cannot be null.
        let name = match &wanted.name {
            Some(name) => Some(name.clone()),
            None if self.reply.version < 12 => Some(Str::default()),
            None => None,
        };
        MetadataResponseTopic {
            error_code: code.code(),
            name,
            topic_id: if by_id { wanted.topic_id } else { types::Uuid::ZERO },
            ..Default::default()
        }
    }

    fn known(&self, topic: &Arc<TopicImage>) -> Row {
        let count = topic.partitions.len();
        let live = self.broker.topics.by_id(topic.id);
        Row::Known {
            topic: topic.clone(),
            unserved: live.map_or_else(|| vec![true; count], |live| live.unserved(count)),
        }
    }
}

fn find<'a>(
    image: &'a MetadataImage,
    wanted: &MetadataRequestTopic,
    version: i16,
) -> Result<&'a Arc<TopicImage>, ErrorCode> {
    if TOPIC_ID_FROM <= version && !wanted.topic_id.is_zero() {
        return image.topic(wanted.topic_id).ok_or(ErrorCode::UnknownTopicId);
    }
    let name: &str = wanted.name.as_deref().unwrap_or("");
    if TopicName::new(name).is_err() {
        return Err(ErrorCode::InvalidTopicException);
    }
    image
        .topic_by_name(name)
        .ok_or(ErrorCode::UnknownTopicOrPartition)
}
