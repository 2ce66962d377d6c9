//! JoinGroup (key 11), v0-v9.
//!
//! v0 has one time-out for session and rebalance; v4 gives a new member its id first (KIP-394; trap 61); v5 knows
//! static members (KIP-345), v9 lets a static leader skip the assignment (KIP-814).

use coordinator::group::{Answer, Join, Ticket, join_refusal};
use net::Start;
use protocol::messages::join_group_request::JoinGroupRequest;
use protocol::messages::join_group_response::JoinGroupResponse;
use types::ErrorCode;

use super::{Call, Pending};
use crate::coordinator::answer_later;

const REBALANCE_TIMEOUT_FROM: i16 = 1;
const KNOWN_MEMBER_FROM: i16 = 4;
const NULL_PROTOCOL_FROM: i16 = 7;
const SKIP_ASSIGNMENT_FROM: i16 = 9;

pub fn start(call: &mut Call<'_>) -> Start<Pending> {
    let request: JoinGroupRequest = match call.decode() {
        Ok(request) => request,
        Err(close) => return Start::Done(close),
    };
    let (reply, version, member) = (call.reply(), call.version(), request.member_id.clone());
    let join = join(call, request);
    let decided = call.slot_of(&join.group).and_then(|slot| {
        let decided = slot.decide_parked(call.broker, |shard, now, ticket| {
            shard.join(now, &Join { ticket, ..join })
        });
        decided.map(|(receiver, appended)| (slot, receiver, appended))
    });
    match decided {
        Ok((slot, receiver, appended)) => {
            call.note_append(appended);
            answer_later(reply, slot.partition(), receiver, move |outcome| match outcome {
                Ok(Answer::Join(response)) => as_version(response, version),
                Ok(Answer::Sync(_)) => refused(member, ErrorCode::UnknownServerError, version),
                Err(code) => refused(member, code, version),
            })
        }
        Err(code) => Start::Done(reply.send(&refused(member, code, version))),
    }
}

fn join(call: &Call<'_>, request: JoinGroupRequest) -> Join {
    let version = call.version();
    let mut protocols: Vec<(protocol::Str, bytes::Bytes)> = Vec::with_capacity(request.protocols.len());
    for protocol in request.protocols {
        if protocols.iter().all(|(name, _)| *name != protocol.name) {
            protocols.push((protocol.name, protocol.metadata));
        }
    }
    Join {
        ticket: Ticket(0),
        group: request.group_id,
        member: request.member_id,
        instance: request.group_instance_id,
        client_id: call.client_id(),
        client_host: call.client_host(),
        session_timeout_ms: request.session_timeout_ms,
        rebalance_timeout_ms: if version < REBALANCE_TIMEOUT_FROM {
            request.session_timeout_ms
        } else {
            request.rebalance_timeout_ms
        },
        protocol_type: request.protocol_type,
        protocols,
        needs_known_member: KNOWN_MEMBER_FROM <= version,
        can_skip_assignment: SKIP_ASSIGNMENT_FROM <= version,
        fresh: call.broker.random_u128(),
    }
}

fn refused(member: protocol::Str, code: ErrorCode, version: i16) -> JoinGroupResponse {
    as_version(join_refusal(&member, code), version)
}

/// Before v7 a protocol cannot be null; before v5 an instance cannot be told.
fn as_version(mut response: JoinGroupResponse, version: i16) -> JoinGroupResponse {
    if version < NULL_PROTOCOL_FROM && response.protocol_name.is_none() {
        response.protocol_name = Some(protocol::Str::default());
    }
    response
}
