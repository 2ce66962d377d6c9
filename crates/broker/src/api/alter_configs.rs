//! AlterConfigs (key 33), v0-v2: the older request, which replaces everything that was said of a resource.
//!
//! Decided by the controller; answered when the new settings hold.

use metadata::MetadataImage;
use metadata::controller::{AlterConfigs, alter_configs};
use net::Start;
use protocol::messages::alter_configs_request::AlterConfigsRequest;
use protocol::messages::alter_configs_response::{AlterConfigsResourceResponse, AlterConfigsResponse};
use types::ErrorCode;

use super::{Call, Pending};
use crate::config_rules::Rules;

pub fn start(call: &mut Call<'_>) -> Start<Pending> {
    let request: AlterConfigsRequest = match call.decode() {
        Ok(request) => request,
        Err(close) => return Start::Done(close),
    };
    let (broker, reply) = (call.broker.clone(), call.reply());
    Start::Parked(Pending::later(async move {
        let unavailable = unavailable(&request);
        let (config, id) = (broker.config.clone(), broker.id());
        let decide = move |image: &MetadataImage| {
            let rules = Rules {
                config: &config,
                image,
            };
            let context = AlterConfigs {
                broker: id,
                rules: &rules,
            };
            alter_configs(image, &request, &context)
        };
        let response = broker.quorum().propose(decide).await;
        reply.send(&response.unwrap_or(unavailable))
    }))
}

fn unavailable(request: &AlterConfigsRequest) -> AlterConfigsResponse {
    let refused = |(resource_type, resource_name)| AlterConfigsResourceResponse {
        error_code: ErrorCode::NotController.code(),
        resource_type,
        resource_name,
        ..Default::default()
    };
    let named = request.resources.iter();
    let named = named.map(|resource| (resource.resource_type, resource.resource_name.clone()));
    AlterConfigsResponse {
        responses: named.map(refused).collect(),
        ..Default::default()
    }
}
