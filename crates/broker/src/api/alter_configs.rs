//! AlterConfigs (key 33), v0-v2: the older request, which replaces everything that was said of a resource.
//!
//! Decided by the controller; answered when the new settings hold.

use metadata::controller::{Alteration, Altered, Changes};
use net::Start;
use protocol::messages::alter_configs_request::{AlterConfigsRequest, AlterConfigsResource};
use protocol::messages::alter_configs_response::{AlterConfigsResourceResponse, AlterConfigsResponse};

use super::{Call, Pending};
use crate::alteration::{self, told};

pub fn start(call: &mut Call<'_>) -> Start<Pending> {
    let request: AlterConfigsRequest = match call.decode() {
        Ok(request) => request,
        Err(close) => return Start::Done(close),
    };
    let (broker, reply) = (call.broker.clone(), call.reply());
    Start::Parked(Pending::later(async move {
        let alterations = request.resources.into_iter().map(said).collect();
        let altered = alteration::alter(&broker, alterations, request.validate_only).await;
        reply.send(&AlterConfigsResponse {
            responses: altered.into_iter().map(answer).collect(),
            ..Default::default()
        })
    }))
}

fn said(resource: AlterConfigsResource) -> Alteration {
    let values = resource.configs.into_iter();
    Alteration {
        kind: resource.resource_type,
        name: resource.resource_name,
        changes: Changes::Whole(values.map(|config| (config.name, config.value)).collect()),
    }
}

fn answer(altered: Altered) -> AlterConfigsResourceResponse {
    let (error_code, error_message) = told(altered.outcome);
    AlterConfigsResourceResponse {
        error_code,
        error_message,
        resource_type: altered.kind,
        resource_name: altered.name,
        ..Default::default()
    }
}
