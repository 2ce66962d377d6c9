//! CreatePartitions (key 37), v0-v3.
//!
//! Decided by the controller; answered when the new partitions are led here (trap 117).

use metadata::MetadataImage;
use metadata::controller::{OnlyNode, create_partitions};
use net::Start;
use protocol::messages::create_partitions_request::CreatePartitionsRequest;
use protocol::messages::create_partitions_response::{CreatePartitionsResponse, CreatePartitionsTopicResult};
use types::ErrorCode;

use super::{Call, Pending};

pub fn start(call: &mut Call<'_>) -> Start<Pending> {
    let request: CreatePartitionsRequest = match call.decode() {
        Ok(request) => request,
        Err(close) => return Start::Done(close),
    };
    let (broker, reply) = (call.broker.clone(), call.reply());
    let node = OnlyNode {
        id: broker.id(),
        directory_id: broker.node.directory_id,
    };
    Start::Parked(Pending::later(async move {
        let unavailable = unavailable(&request);
        let decide = move |image: &MetadataImage| create_partitions(image, &request, node);
        let response = broker.quorum().propose(decide).await;
        reply.send(&response.unwrap_or(unavailable))
    }))
}

fn unavailable(request: &CreatePartitionsRequest) -> CreatePartitionsResponse {
    let result = |name| CreatePartitionsTopicResult {
        name,
        error_code: ErrorCode::NotController.code(),
        ..Default::default()
    };
    CreatePartitionsResponse {
        results: request
            .topics
            .iter()
            .map(|topic| result(topic.name.clone()))
            .collect(),
        ..Default::default()
    }
}
