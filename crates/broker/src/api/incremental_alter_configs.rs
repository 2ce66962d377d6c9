//! IncrementalAlterConfigs (key 44), v0-v1.
//!
//! Settings of topics, brokers, groups and client metrics are decided by the controller and answered when they hold.
//! Levels of loggers are this process's own, gone with it, and altered at once.

use std::collections::HashMap;

use metadata::controller::{AlterConfigs, incremental_alter_configs};
use metadata::{MetadataImage, ResourceKind};
use net::Start;
use protocol::messages::incremental_alter_configs_request::{
    AlterConfigsResource, IncrementalAlterConfigsRequest,
};
use protocol::messages::incremental_alter_configs_response::{
    AlterConfigsResourceResponse, IncrementalAlterConfigsResponse,
};
use types::ErrorCode;

use super::{Call, Pending};
use crate::Broker;
use crate::config_rules::Rules;

pub fn start(call: &mut Call<'_>) -> Start<Pending> {
    let mut request: IncrementalAlterConfigsRequest = match call.decode() {
        Ok(request) => request,
        Err(close) => return Start::Done(close),
    };
    let (broker, reply) = (call.broker.clone(), call.reply());
    let mut loggers = take_loggers(&broker, &mut request);
    if request.resources.is_empty() {
        let response = IncrementalAlterConfigsResponse {
            responses: loggers,
            ..Default::default()
        };
        return Start::Done(reply.send(&response));
    }
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
            incremental_alter_configs(image, &request, &context)
        };
        let mut response = broker.quorum().propose(decide).await.unwrap_or(unavailable);
        response.responses.append(&mut loggers);
        reply.send(&response)
    }))
}

/// Answers for loggers, whose resources leave the request.
fn take_loggers(
    broker: &Broker,
    request: &mut IncrementalAlterConfigsRequest,
) -> Vec<AlterConfigsResourceResponse> {
    let is_logger =
        |resource: &AlterConfigsResource| resource.resource_type == ResourceKind::BrokerLogger as i8;
    let (loggers, others) = std::mem::take(&mut request.resources)
        .into_iter()
        .partition(is_logger);
    request.resources = others;
    let loggers: Vec<AlterConfigsResource> = loggers;
    let mut times: HashMap<&str, usize> = HashMap::new();
    for resource in &loggers {
        *times.entry(resource.resource_name.as_str()).or_default() += 1;
    }
    let alter = |resource: &AlterConfigsResource| {
        let altered = if times.get(resource.resource_name.as_str()) == Some(&1) {
            alter_loggers(broker, resource, request.validate_only)
        } else {
            Err((
                ErrorCode::InvalidRequest,
                "the request names the resource more than once".to_owned(),
            ))
        };
        let (code, message) = altered
            .err()
            .map_or((ErrorCode::None, None), |(code, message)| (code, Some(message)));
        AlterConfigsResourceResponse {
            error_code: code.code(),
            error_message: message.map(Into::into),
            resource_type: resource.resource_type,
            resource_name: resource.resource_name.clone(),
            ..Default::default()
        }
    };
    loggers.iter().map(alter).collect()
}

fn alter_loggers(
    broker: &Broker,
    resource: &AlterConfigsResource,
    validate_only: bool,
) -> Result<(), (ErrorCode, String)> {
    if resource.resource_name.parse() != Ok(broker.id().0) {
        let message = format!("this is node {}, not \"{}\"", broker.id(), resource.resource_name);
        return Err((ErrorCode::InvalidRequest, message));
    }
    let changes: Vec<_> = resource
        .configs
        .iter()
        .map(|config| {
            (
                config.name.as_str(),
                config.config_operation,
                config.value.as_deref(),
            )
        })
        .collect();
    broker.loggers.alter(&changes, validate_only)
}

fn unavailable(request: &IncrementalAlterConfigsRequest) -> IncrementalAlterConfigsResponse {
    let refused = |(resource_type, resource_name)| AlterConfigsResourceResponse {
        error_code: ErrorCode::NotController.code(),
        resource_type,
        resource_name,
        ..Default::default()
    };
    let named = request.resources.iter();
    let named = named.map(|resource| (resource.resource_type, resource.resource_name.clone()));
    IncrementalAlterConfigsResponse {
        responses: named.map(refused).collect(),
        ..Default::default()
    }
}
