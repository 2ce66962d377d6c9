//! Answers that leave when what they have seen is committed.

use std::sync::Arc;

use coordinator::group::Answer;
use net::Start;
use protocol::Encode;
use tokio::sync::oneshot;
use types::{ErrorCode, Offset};

use super::Waited;
use crate::api::Pending;
use crate::partition::{Partition, ProduceEnd, ProduceWait};
use crate::respond::Reply;

/// Answers when everything below `end` is committed, or refuses if that cannot be any more.
pub fn answer_when<T: Encode + Send + 'static>(
    reply: Reply,
    partition: &Arc<Partition>,
    end: Offset,
    response: T,
    refuse: impl FnOnce(T, ErrorCode) -> T + Send + 'static,
) -> Start<Pending> {
    if end <= partition.high_watermark() {
        return Start::Done(reply.send(&response));
    }
    let partition = partition.clone();
    Start::Parked(Pending::later(async move {
        match committed(partition, end).await {
            Ok(()) => reply.send(&response),
            Err(code) => reply.send(&refuse(response, code)),
        }
    }))
}

/// Waits for an answer that others bring about, and then for what it has seen to be committed.
pub fn answer_later<T: Encode + Send + 'static>(
    reply: Reply,
    partition: &Arc<Partition>,
    receiver: oneshot::Receiver<Waited>,
    respond: impl FnOnce(Result<Answer, ErrorCode>) -> T + Send + 'static,
) -> Start<Pending> {
    let partition = partition.clone();
    Start::Parked(Pending::later(async move {
        let outcome = match receiver.await {
            Ok(waited) => committed(partition, waited.end).await.map(|()| waited.answer),
            // The shard was thrown away.
            Err(_) => Err(ErrorCode::NotCoordinator),
        };
        reply.send(&respond(outcome))
    }))
}

/// Waits until everything below `end` is committed.
pub async fn committed(partition: Arc<Partition>, end: Offset) -> Result<(), ErrorCode> {
    let mut wait = ProduceWait::committed(partition, end);
    match std::future::poll_fn(|context| wait.poll(context)).await {
        ProduceEnd::Reached => Ok(()),
        ProduceEnd::Offline => Err(ErrorCode::NotCoordinator),
    }
}
