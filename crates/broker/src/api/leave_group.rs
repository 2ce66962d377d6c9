//! LeaveGroup (key 13), v0-v5: many members at once from v3 on, each with its own error; before, one with the whole
//! answer's.

use coordinator::group::Leave;
use net::Start;
use protocol::messages::leave_group_request::LeaveGroupRequest;
use protocol::messages::leave_group_response::LeaveGroupResponse;
use types::ErrorCode;

use super::{Call, Pending};
use crate::coordinator::{OnFailure, answer_when};

const BATCHED_FROM: i16 = 3;

pub fn start(call: &mut Call<'_>) -> Start<Pending> {
    let request: LeaveGroupRequest = match call.decode() {
        Ok(request) => request,
        Err(close) => return Start::Done(close),
    };
    let (reply, version) = (call.reply(), call.version());
    let leaves = leaves(&request, version);
    let decided = call.slot_of(&request.group_id).and_then(|slot| {
        let decided = slot.decide(call.broker, OnFailure::Reload, |shard, now| {
            shard.leave(now, &request.group_id, &leaves)
        });
        decided.map(|decided| (slot, decided))
    });
    let (slot, decided) = match decided {
        Ok(found) => found,
        Err(code) => return Start::Done(reply.send(&refused(code))),
    };
    call.note_append(decided.appended);
    let response = match decided.response {
        Err(code) => refused(code),
        Ok(members) if version < BATCHED_FROM => {
            let code = members.first().map_or(0, |member| member.error_code);
            LeaveGroupResponse {
                error_code: code,
                ..Default::default()
            }
        }
        Ok(members) => LeaveGroupResponse {
            members,
            ..Default::default()
        },
    };
    answer_when(reply, slot.partition(), decided.end, response, |_, code| {
        refused(code)
    })
}

fn leaves(request: &LeaveGroupRequest, version: i16) -> Vec<Leave> {
    if version < BATCHED_FROM {
        return vec![Leave {
            member: request.member_id.clone(),
            instance: None,
        }];
    }
    let members = request.members.iter();
    let leave = |member: &protocol::messages::leave_group_request::MemberIdentity| Leave {
        member: member.member_id.clone(),
        instance: member.group_instance_id.clone(),
    };
    members.map(leave).collect()
}

fn refused(code: ErrorCode) -> LeaveGroupResponse {
    LeaveGroupResponse {
        error_code: code.code(),
        ..Default::default()
    }
}
