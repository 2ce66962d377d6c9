//! CreateTopics (key 19), v2-v7.
//!
//! Decided by the controller; answered when the topics' partitions are led here, so that no client meets one that is
//! not ready yet (trap 117).

use std::sync::Arc;

use metadata::MetadataImage;
use metadata::controller::{CreateTopics, Decision, OnlyNode, create_topics};
use net::Start;
use protocol::messages::create_topics_request::{CreatableTopic, CreateTopicsRequest};
use protocol::messages::create_topics_response::{CreatableTopicResult, CreateTopicsResponse};
use types::{ErrorCode, Uuid};

use super::{Call, Pending};
use crate::Broker;
use crate::config_rules::Rules;

pub fn start(call: &mut Call<'_>) -> Start<Pending> {
    let request: CreateTopicsRequest = match call.decode() {
        Ok(request) => request,
        Err(close) => return Start::Done(close),
    };
    let (broker, reply) = (call.broker.clone(), call.reply());
    Start::Parked(Pending::later(async move {
        let names: Vec<_> = request.topics.iter().map(|topic| topic.name.clone()).collect();
        match create(&broker, request).await {
            Some(response) => reply.send(&response),
            None => reply.send(&unavailable(names)),
        }
    }))
}

/// Lets the controller create topics. `None` if metadata cannot be written.
pub(super) async fn create(
    broker: &Arc<Broker>,
    request: CreateTopicsRequest,
) -> Option<CreateTopicsResponse> {
    let (config, random) = (broker.config.clone(), broker.directory.os().random.clone());
    let node = OnlyNode {
        id: broker.id(),
        directory_id: broker.node.directory_id,
    };
    let decide = move |image: &MetadataImage| -> Decision<CreateTopicsResponse> {
        let rules = Rules {
            config: &config,
            image,
        };
        let context = CreateTopics {
            node,
            default_partitions: config.num_partitions,
            default_replication_factor: config.default_replication_factor,
            rules: &rules,
        };
        create_topics(image, &request, &context, || random.uuid())
    };
    broker.quorum().propose(decide).await
}

/// Creates one topic with the broker's defaults, because a client asked for it (trap 89).
pub(super) async fn create_automatically(broker: &Arc<Broker>, names: Vec<protocol::Str>) {
    let topic = |name| CreatableTopic {
        name,
        num_partitions: -1,
        replication_factor: -1,
        ..Default::default()
    };
    let request = CreateTopicsRequest {
        topics: names.into_iter().map(topic).collect(),
        ..Default::default()
    };
    // What could not be created is answered as unknown.
    let _ = create(broker, request).await;
}

fn unavailable(names: Vec<protocol::Str>) -> CreateTopicsResponse {
    let result = |name| CreatableTopicResult {
        name,
        topic_id: Uuid::ZERO,
        error_code: ErrorCode::NotController.code(),
        ..Default::default()
    };
    CreateTopicsResponse {
        topics: names.into_iter().map(result).collect(),
        ..Default::default()
    }
}
