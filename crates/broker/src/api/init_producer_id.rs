//! InitProducerId (key 22), v0-v5, for idempotent producers.
//!
//! A transactional id is refused: the transaction coordinator is not served yet. Ids come in blocks from the
//! controller, so that most requests need no write.

use std::sync::Arc;

use metadata::controller::{Decision, PRODUCER_IDS_BLOCK, next_producer_ids};
use net::{Answer, Start};
use protocol::messages::init_producer_id_request::InitProducerIdRequest;
use protocol::messages::init_producer_id_response::InitProducerIdResponse;
use types::ErrorCode;

use super::{Call, Pending};
use crate::Broker;
use crate::respond::Reply;

pub fn start(call: &mut Call<'_>) -> Start<Pending> {
    let request: InitProducerIdRequest = match call.decode() {
        Ok(request) => request,
        Err(close) => return Start::Done(close),
    };
    let reply = call.reply();
    if let Some(refusal) = refusal(&request) {
        return Start::Done(reply.send(&failure(refusal)));
    }
    if let Some(id) = call.broker.producer_ids.take() {
        return Start::Done(reply.send(&success(id)));
    }
    Start::Parked(Pending::later(with_new_block(call.broker.clone(), reply)))
}

fn refusal(request: &InitProducerIdRequest) -> Option<ErrorCode> {
    match &request.transactional_id {
        // Kafka: a transactional id of no characters is not legal.
        Some(id) if id.is_empty() => Some(ErrorCode::InvalidRequest),
        // Not retriable, and what Produce says to transactional batches.
        Some(_) => Some(ErrorCode::TransactionalIdAuthorizationFailed),
        // An id without an epoch, or the other way, says nothing.
        None if (request.producer_id == -1) != (request.producer_epoch == -1) => {
            Some(ErrorCode::InvalidRequest)
        }
        None => None,
    }
}

async fn with_new_block(broker: Arc<Broker>, reply: Reply) -> Answer {
    let id = broker.id();
    let first = broker
        .quorum()
        .propose(move |image| match next_producer_ids(image, id) {
            Some(Decision { records, response }) => Decision {
                records,
                response: Some(response),
            },
            None => Decision {
                records: Vec::new(),
                response: None,
            },
        });
    match first.await.flatten() {
        Some(first) => {
            // The first of the block is ours; others that wait take theirs.
            broker.producer_ids.refill(first + 1, PRODUCER_IDS_BLOCK - 1);
            reply.send(&success(first))
        }
        None => reply.send(&failure(ErrorCode::CoordinatorNotAvailable)),
    }
}

fn success(id: i64) -> InitProducerIdResponse {
    InitProducerIdResponse {
        producer_id: id,
        producer_epoch: 0,
        ..Default::default()
    }
}

fn failure(code: ErrorCode) -> InitProducerIdResponse {
    InitProducerIdResponse {
        error_code: code.code(),
        producer_id: -1,
        producer_epoch: -1,
        ..Default::default()
    }
}
