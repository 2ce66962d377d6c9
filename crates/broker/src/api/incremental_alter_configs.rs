//! IncrementalAlterConfigs (key 44), v0-v1.
//!
//! Settings of topics, brokers, groups and client metrics are decided by the controller and answered when they hold.
//! Levels of loggers are this process's own, gone with it, and altered at once.

use std::collections::HashMap;

use metadata::ResourceKind;
use metadata::controller::{Alteration, Altered, Change, Changes};
use net::Start;
use protocol::messages::incremental_alter_configs_request::{
    AlterConfigsResource, AlterableConfig, IncrementalAlterConfigsRequest,
};
use protocol::messages::incremental_alter_configs_response::{
    AlterConfigsResourceResponse, IncrementalAlterConfigsResponse,
};
use types::ErrorCode;

use super::{Call, Pending};
use crate::Broker;
use crate::alteration::{self, told};

pub fn start(call: &mut Call<'_>) -> Start<Pending> {
    let mut request: IncrementalAlterConfigsRequest = match call.decode() {
        Ok(request) => request,
        Err(close) => return Start::Done(close),
    };
    let (broker, reply) = (call.broker.clone(), call.reply());
    let loggers = take_loggers(&broker, &mut request);
    if request.resources.is_empty() {
        return Start::Done(reply.send(&answered(loggers)));
    }
    Start::Parked(Pending::later(async move {
        let alterations = request.resources.into_iter().map(said).collect();
        let mut altered = alteration::alter(&broker, alterations, request.validate_only).await;
        altered.extend(loggers);
        reply.send(&answered(altered))
    }))
}

fn said(resource: AlterConfigsResource) -> Alteration {
    let change = |config: AlterableConfig| Change {
        name: config.name,
        operation: config.config_operation,
        value: config.value,
    };
    Alteration {
        kind: resource.resource_type,
        name: resource.resource_name,
        changes: Changes::Each(resource.configs.into_iter().map(change).collect()),
    }
}

fn answered(altered: Vec<Altered>) -> IncrementalAlterConfigsResponse {
    let answer = |altered: Altered| {
        let (error_code, error_message) = told(altered.outcome);
        AlterConfigsResourceResponse {
            error_code,
            error_message,
            resource_type: altered.kind,
            resource_name: altered.name,
            ..Default::default()
        }
    };
    IncrementalAlterConfigsResponse {
        responses: altered.into_iter().map(answer).collect(),
        ..Default::default()
    }
}

/// Alters loggers, whose resources leave the request.
fn take_loggers(broker: &Broker, request: &mut IncrementalAlterConfigsRequest) -> Vec<Altered> {
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
    let alter = |resource: &AlterConfigsResource| Altered {
        kind: resource.resource_type,
        name: resource.resource_name.clone(),
        outcome: if times.get(resource.resource_name.as_str()) == Some(&1) {
            alter_loggers(broker, resource, request.validate_only)
        } else {
            Err((
                ErrorCode::InvalidRequest,
                "the request names the resource more than once".to_owned(),
            ))
        },
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
