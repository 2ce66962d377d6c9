//! Heartbeat (key 12), v0-v4. A group that is loading answers NONE: its members have done nothing wrong (as Kafka).

use net::Start;
use protocol::messages::heartbeat_request::HeartbeatRequest;
use protocol::messages::heartbeat_response::HeartbeatResponse;
use types::ErrorCode;

use super::{Call, Pending};

pub fn start(call: &mut Call<'_>) -> Start<Pending> {
    let request: HeartbeatRequest = match call.decode() {
        Ok(request) => request,
        Err(close) => return Start::Done(close),
    };
    let outcome = call.slot_of(&request.group_id).and_then(|slot| {
        slot.look(call.broker, |shard, now| {
            let instance = request.group_instance_id.as_ref();
            shard.heartbeat(
                now,
                &request.group_id,
                &request.member_id,
                instance,
                request.generation_id,
            )
        })
    });
    let code = match outcome {
        Ok(Ok(())) | Err(ErrorCode::CoordinatorLoadInProgress) => ErrorCode::None,
        Ok(Err(code)) | Err(code) => code,
    };
    Start::Done(call.reply().send(&HeartbeatResponse {
        error_code: code.code(),
        ..Default::default()
    }))
}
