//! DescribeGroups (key 15), v0-v6. A group that does not exist is Dead without an error before v6, and
//! GROUP_ID_NOT_FOUND from then on (trap 109).

use std::sync::Arc;

use net::Start;
use protocol::Str;
use protocol::messages::describe_groups_request::DescribeGroupsRequest;
use protocol::messages::describe_groups_response::{DescribeGroupsResponse, DescribedGroup};
use types::{ErrorCode, Offset};

use super::group::GROUP_OPERATIONS;
use super::{Call, Pending};
use crate::coordinator::{Slot, committed};

const NOT_FOUND_FROM: i16 = 6;

pub fn start(call: &mut Call<'_>) -> Start<Pending> {
    let request: DescribeGroupsRequest = match call.decode() {
        Ok(request) => request,
        Err(close) => return Start::Done(close),
    };
    let (reply, version) = (call.reply(), call.version());
    let mut waits: Vec<(usize, Arc<Slot>, Offset)> = Vec::new();
    let mut response = DescribeGroupsResponse::default();
    for (at, group) in request.groups.iter().enumerate() {
        let (mut row, wait) = describe(call, group, version);
        if request.include_authorized_operations && row.error_code == 0 {
            row.authorized_operations = GROUP_OPERATIONS;
        }
        waits.extend(wait.map(|(slot, end)| (at, slot, end)));
        response.groups.push(row);
    }
    waits.retain(|(_, slot, end)| slot.partition().high_watermark() < *end);
    if waits.is_empty() {
        return Start::Done(reply.send(&response));
    }
    Start::Parked(Pending::later(async move {
        for (at, slot, end) in waits {
            let waited = committed(slot.partition().clone(), end).await;
            if let (Err(code), Some(row)) = (waited, response.groups.get_mut(at)) {
                *row = refused(&row.group_id, code);
            }
        }
        reply.send(&response)
    }))
}

fn describe(call: &Call<'_>, group: &Str, version: i16) -> (DescribedGroup, Option<(Arc<Slot>, Offset)>) {
    let looked = call.slot_of(group).and_then(|slot| {
        let looked = slot.look(call.broker, |shard, _| {
            (shard.describe(group), shard.offsets(group).end())
        });
        looked.map(|(described, end)| (described, (slot, end)))
    });
    match looked {
        Ok((described, wait)) => (described.unwrap_or_else(|| missing(group, version)), Some(wait)),
        Err(code) => (refused(group, code), None),
    }
}

fn missing(group: &Str, version: i16) -> DescribedGroup {
    let mut row = DescribedGroup {
        group_id: group.clone(),
        group_state: "Dead".into(),
        ..Default::default()
    };
    if NOT_FOUND_FROM <= version {
        row.error_code = ErrorCode::GroupIdNotFound.code();
        row.error_message = Some(format!("Group {group} not found.").into());
    }
    row
}

fn refused(group: &Str, code: ErrorCode) -> DescribedGroup {
    DescribedGroup {
        group_id: group.clone(),
        error_code: code.code(),
        ..Default::default()
    }
}
