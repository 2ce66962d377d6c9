//! SyncGroup (key 14), v0-v5. From v5 on a member says which protocol it believes in (KIP-559).

use coordinator::group::{Answer, Sync, Ticket};
use net::Start;
use protocol::messages::sync_group_request::SyncGroupRequest;
use protocol::messages::sync_group_response::SyncGroupResponse;
use types::ErrorCode;

use super::{Call, Pending};
use crate::coordinator::answer_later;

const PROTOCOL_FROM: i16 = 5;

pub fn start(call: &mut Call<'_>) -> Start<Pending> {
    let request: SyncGroupRequest = match call.decode() {
        Ok(request) => request,
        Err(close) => return Start::Done(close),
    };
    let reply = call.reply();
    let says_protocol = request.protocol_type.is_some() && request.protocol_name.is_some();
    if PROTOCOL_FROM <= call.version() && !says_protocol {
        return Start::Done(reply.send(&refused(ErrorCode::InconsistentGroupProtocol)));
    }
    let assignments = request.assignments.into_iter();
    let sync = Sync {
        ticket: Ticket(0),
        group: request.group_id,
        generation: request.generation_id,
        member: request.member_id,
        instance: request.group_instance_id,
        protocol_type: request.protocol_type,
        protocol: request.protocol_name,
        assignments: assignments.map(|one| (one.member_id, one.assignment)).collect(),
    };
    let decided = call.slot_of(&sync.group).and_then(|slot| {
        let decided = slot.decide_parked(call.broker, |shard, now, ticket| {
            shard.sync(now, &Sync { ticket, ..sync })
        });
        decided.map(|(receiver, appended)| (slot, receiver, appended))
    });
    match decided {
        Ok((slot, receiver, appended)) => {
            call.note_append(appended);
            answer_later(reply, slot.partition(), receiver, |outcome| match outcome {
                Ok(Answer::Sync(response)) => response,
                Ok(Answer::Join(_)) => refused(ErrorCode::UnknownServerError),
                Err(code) => refused(code),
            })
        }
        Err(code) => Start::Done(reply.send(&refused(code))),
    }
}

fn refused(code: ErrorCode) -> SyncGroupResponse {
    SyncGroupResponse {
        error_code: code.code(),
        ..Default::default()
    }
}
