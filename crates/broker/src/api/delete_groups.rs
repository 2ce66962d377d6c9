//! DeleteGroups (key 42), v0-v2: each group on its own; one with members stays (NON_EMPTY_GROUP).

use std::sync::Arc;

use net::Start;
use protocol::Str;
use protocol::messages::delete_groups_request::DeleteGroupsRequest;
use protocol::messages::delete_groups_response::{DeletableGroupResult, DeleteGroupsResponse};
use types::{ErrorCode, Offset};

use super::{Call, Pending};
use crate::coordinator::{OnFailure, Slot, committed};

pub fn start(call: &mut Call<'_>) -> Start<Pending> {
    let request: DeleteGroupsRequest = match call.decode() {
        Ok(request) => request,
        Err(close) => return Start::Done(close),
    };
    let reply = call.reply();
    let mut response = DeleteGroupsResponse::default();
    let mut waits: Vec<(usize, Arc<Slot>, Offset)> = Vec::new();
    for group in &request.groups_names {
        // A group that is named twice is answered once, as in Kafka.
        if response.results.iter().any(|row| row.group_id == *group) {
            continue;
        }
        let (code, wait) = delete(call, group);
        waits.extend(wait.map(|(slot, end)| (response.results.len(), slot, end)));
        response.results.push(DeletableGroupResult {
            group_id: group.clone(),
            error_code: code.code(),
            ..Default::default()
        });
    }
    waits.retain(|(_, slot, end)| slot.partition().high_watermark() < *end);
    if waits.is_empty() {
        return Start::Done(reply.send(&response));
    }
    Start::Parked(Pending::later(async move {
        for (at, slot, end) in waits {
            let waited = committed(slot.partition().clone(), end).await;
            if let (Err(code), Some(row)) = (waited, response.results.get_mut(at)) {
                row.error_code = code.code();
            }
        }
        reply.send(&response)
    }))
}

fn delete(call: &mut Call<'_>, group: &Str) -> (ErrorCode, Option<(Arc<Slot>, Offset)>) {
    let decided = call.slot_of(group).and_then(|slot| {
        let decided = slot.decide(call.broker, OnFailure::Keep, |shard, _| shard.delete_group(group));
        decided.map(|decided| (slot, decided))
    });
    match decided {
        Err(code) => (code, None),
        Ok((slot, decided)) => {
            call.note_append(decided.appended);
            let code = decided.response.err().unwrap_or(ErrorCode::None);
            (code, Some((slot, decided.end)))
        }
    }
}
