//! DeleteTopics (key 20), v1-v6: by name, from v6 on also by id.

use metadata::controller::delete_topics;
use net::Start;
use protocol::messages::delete_topics_request::DeleteTopicsRequest;
use protocol::messages::delete_topics_response::{DeletableTopicResult, DeleteTopicsResponse};
use types::ErrorCode;

use super::{Call, Pending};

/// The first version in which a topic has a name or an id.
const BY_STATE_FROM: i16 = 6;
/// The first version that knows TOPIC_DELETION_DISABLED.
const DISABLED_FROM: i16 = 3;

pub fn start(call: &mut Call<'_>) -> Start<Pending> {
    let request: DeleteTopicsRequest = match call.decode() {
        Ok(request) => request,
        Err(close) => return Start::Done(close),
    };
    let (broker, reply, version) = (call.broker.clone(), call.reply(), call.version());
    if !broker.config.delete_topics {
        let code = if version < DISABLED_FROM {
            ErrorCode::InvalidRequest
        } else {
            ErrorCode::TopicDeletionDisabled
        };
        return Start::Done(reply.send(&refused(&request, code)));
    }
    Start::Parked(Pending::later(async move {
        let unavailable = refused(&request, ErrorCode::NotController);
        let decide =
            move |image: &metadata::MetadataImage| delete_topics(image, &request, BY_STATE_FROM <= version);
        let response = broker.quorum().propose(decide).await;
        reply.send(&response.unwrap_or(unavailable))
    }))
}

fn refused(request: &DeleteTopicsRequest, code: ErrorCode) -> DeleteTopicsResponse {
    let mut response = DeleteTopicsResponse::default();
    let mut push = |name, topic_id| {
        response.responses.push(DeletableTopicResult {
            name,
            topic_id,
            error_code: code.code(),
            ..Default::default()
        });
    };
    request
        .topics
        .iter()
        .for_each(|topic| push(topic.name.clone(), topic.topic_id));
    request
        .topic_names
        .iter()
        .for_each(|name| push(Some(name.clone()), types::Uuid::ZERO));
    response
}
