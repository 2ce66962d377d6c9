//! The heartbeats of a member, and what their answers say. A member whose application does not poll leaves.

use std::sync::Arc;

use protocol::messages::heartbeat_request::HeartbeatRequest;
use tokio::time::Instant;
use types::ErrorCode;

use super::Inner;
use crate::pool::Lane;
use crate::{Error, Result, To};

/// Sends heartbeats while the member is one; is aborted with it.
pub(super) async fn run(inner: Arc<Inner>) {
    loop {
        tokio::time::sleep(inner.config.heartbeat_interval).await;
        let (stable, last_poll) = {
            let membership = inner.membership.lock();
            (membership.stable, membership.last_poll)
        };
        if !stable {
            continue;
        }
        if last_poll + inner.config.poll_interval_max <= Instant::now() {
            tracing::warn!(
                group = inner.group,
                "no poll within max.poll.interval.ms: the member leaves its group"
            );
            inner.membership.lock().lost = true;
            inner
                .leave("the application did not poll within max.poll.interval.ms")
                .await;
            continue;
        }
        if let Err(error) = beat(&inner).await {
            tracing::debug!(group = inner.group, %error, "a heartbeat was refused");
            if error.wants_coordinator() {
                inner.client.forget_coordinator(&inner.group);
            }
            inner.on_refused(&error);
        }
    }
}

async fn beat(inner: &Inner) -> Result<()> {
    let connection = inner
        .client
        .connection(To::Group(&inner.group), Lane::Group)
        .await?;
    let version = connection.version_of::<HeartbeatRequest>(&(0..=4))?;
    let (member_id, generation) = {
        let membership = inner.membership.lock();
        (membership.member_id.clone(), membership.generation)
    };
    let request = HeartbeatRequest {
        group_id: inner.group.as_str().into(),
        generation_id: generation,
        member_id: member_id.as_str().into(),
        group_instance_id: inner
            .config
            .instance_id
            .as_deref()
            .filter(|_| 3 <= version)
            .map(Into::into),
        ..HeartbeatRequest::default()
    };
    let timeout = inner
        .client
        .config()
        .request_timeout
        .min(inner.config.session_timeout);
    let answer = connection
        .send(&request, &(version..=version), timeout)?
        .receive()
        .await?;
    // A generation that is over by now was another's heartbeat.
    if generation != inner.membership.lock().generation {
        return Ok(());
    }
    match ErrorCode::from_code(answer.error_code) {
        Some(ErrorCode::None) => Ok(()),
        _ => Error::check(answer.error_code, || format!("group {}", inner.group)),
    }
}
