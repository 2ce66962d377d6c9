//! FindCoordinator (key 10), v0-v5: many keys at once from v4 on (trap 68).
//!
//! The first request creates `__consumer_offsets`, and is answered when its coordinators are ready, so that no client
//! has to come back. There is no transaction coordinator yet: INVALID_REQUEST, which producers do not try again, and
//! words that they show.

use std::sync::Arc;

use net::{Answer, Start};
use protocol::Str;
use protocol::messages::create_topics_request::{CreatableTopic, CreatableTopicConfig, CreateTopicsRequest};
use protocol::messages::find_coordinator_request::FindCoordinatorRequest;
use protocol::messages::find_coordinator_response::{Coordinator, FindCoordinatorResponse};
use types::ErrorCode;

use super::create_topics::create;
use super::{Call, Pending};
use crate::Broker;
use crate::coordinator::OFFSETS_TOPIC;
use crate::respond::Reply;

const BATCHED_FROM: i16 = 4;
const GROUP: i8 = 0;
const TRANSACTION: i8 = 1;

pub fn start(call: &mut Call<'_>) -> Start<Pending> {
    let request: FindCoordinatorRequest = match call.decode() {
        Ok(request) => request,
        Err(close) => return Start::Done(close),
    };
    let peer = &call.session.peer;
    let asked = Asked {
        reply: call.reply(),
        node_id: call.broker.id().0,
        address: call.broker.node.address_for(&peer.listener, peer.local),
        request,
    };
    let is_there = || call.broker.image().topic_by_name(OFFSETS_TOPIC).is_some();
    if asked.request.key_type != GROUP || is_there() {
        return Start::Done(asked.answer(asked.code(true)));
    }
    let broker = call.broker.clone();
    Start::Parked(Pending::later(async move {
        create_offsets_topic(&broker).await;
        let is_there = broker.image().topic_by_name(OFFSETS_TOPIC).is_some();
        asked.answer(asked.code(is_there))
    }))
}

struct Asked {
    reply: Reply,
    node_id: i32,
    address: (String, u16),
    request: FindCoordinatorRequest,
}

impl Asked {
    fn code(&self, is_there: bool) -> ErrorCode {
        match self.request.key_type {
            GROUP if is_there => ErrorCode::None,
            GROUP => ErrorCode::CoordinatorNotAvailable,
            _ => ErrorCode::InvalidRequest,
        }
    }

    fn message(&self, code: ErrorCode) -> Str {
        match (code, self.request.key_type) {
            (ErrorCode::CoordinatorNotAvailable, _) => "The coordinator is not available.".into(),
            (_, TRANSACTION) => "transactions are not served by this version of Ottla".into(),
            _ => "This coordinator type is not known.".into(),
        }
    }

    /// One node coordinates everything.
    fn answer(&self, code: ErrorCode) -> Answer {
        let found = code == ErrorCode::None;
        let (node_id, host, port) = if found {
            let (host, port) = &self.address;
            (self.node_id, Str::from(host.as_str()), i32::from(*port))
        } else {
            (-1, Str::default(), -1)
        };
        let mut response = FindCoordinatorResponse::default();
        if self.reply.version < BATCHED_FROM {
            response.error_code = code.code();
            response.error_message = Some(if found { "NONE".into() } else { self.message(code) });
            (response.node_id, response.host, response.port) = (node_id, host, port);
            return self.reply.send(&response);
        }
        let row = |key: &Str| Coordinator {
            key: key.clone(),
            node_id,
            host: host.clone(),
            port,
            error_code: code.code(),
            error_message: (!found).then(|| self.message(code)),
            ..Default::default()
        };
        response.coordinators = self.request.coordinator_keys.iter().map(row).collect();
        self.reply.send(&response)
    }
}

/// With Kafka's settings (`GroupCoordinatorService.groupMetadataTopicConfigs`); one node keeps one replica.
async fn create_offsets_topic(broker: &Arc<Broker>) {
    let config = |name: &'static str, value: String| CreatableTopicConfig {
        name: name.into(),
        value: Some(value.into()),
        ..Default::default()
    };
    let groups = &broker.config.groups;
    let topic = CreatableTopic {
        name: OFFSETS_TOPIC.into(),
        num_partitions: groups.topic_partitions,
        replication_factor: 1,
        configs: vec![
            config("cleanup.policy", "compact".to_owned()),
            config("compression.type", "producer".to_owned()),
            config("segment.bytes", groups.topic_segment_bytes.to_string()),
        ],
        ..Default::default()
    };
    let request = CreateTopicsRequest {
        topics: vec![topic],
        ..Default::default()
    };
    let created = create(broker, request).await;
    let refusal = created.iter().flat_map(|response| &response.topics);
    for topic in refusal.filter(|topic| topic.error_code != 0) {
        let (code, message) = (topic.error_code, topic.error_message.as_deref().unwrap_or(""));
        if code != ErrorCode::TopicAlreadyExists.code() {
            tracing::warn!(
                code,
                message,
                "__consumer_offsets could not be created; groups have to wait"
            );
        }
    }
}
