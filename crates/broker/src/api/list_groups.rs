//! ListGroups (key 16), v0-v5: states from v4 on, types from v5 on (trap 71).

use std::sync::Arc;

use coordinator::group::Filter;
use net::Start;
use protocol::messages::list_groups_request::ListGroupsRequest;
use protocol::messages::list_groups_response::{ListGroupsResponse, ListedGroup};
use types::{ErrorCode, Offset};

use super::{Call, Pending};
use crate::coordinator::{Slot, committed};

pub fn start(call: &mut Call<'_>) -> Start<Pending> {
    let request: ListGroupsRequest = match call.decode() {
        Ok(request) => request,
        Err(close) => return Start::Done(close),
    };
    let reply = call.reply();
    let filter = Filter::new(&request.states_filter, &request.types_filter);
    let mut response = ListGroupsResponse::default();
    let mut waits: Vec<(Arc<Slot>, Offset)> = Vec::new();
    for slot in call.broker.coordinators.slots() {
        let listed = slot.look(call.broker, |shard, _| {
            let rows = shard.list(&filter).map(|listed| ListedGroup {
                group_id: listed.id,
                protocol_type: listed.protocol_type,
                group_state: listed.state.into(),
                group_type: listed.kind.into(),
                ..Default::default()
            });
            response.groups.extend(rows);
            shard.state().end()
        });
        match listed {
            Ok(end) if slot.partition().high_watermark() < end => waits.push((slot, end)),
            // A shard that is not here has its groups elsewhere, or nowhere.
            Ok(_) | Err(ErrorCode::NotCoordinator) => {}
            Err(code) => response.error_code = code.code(),
        }
    }
    if waits.is_empty() {
        return Start::Done(reply.send(&response));
    }
    Start::Parked(Pending::later(async move {
        for (slot, end) in waits {
            if let Err(code) = committed(slot.partition().clone(), end).await {
                response.error_code = code.code();
            }
        }
        reply.send(&response)
    }))
}
