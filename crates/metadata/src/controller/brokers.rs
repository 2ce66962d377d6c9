//! Registrations: of the first records of a cluster, of controllers and of brokers.

use protocol::MetadataRecord;
use protocol::record_schemas::metadata::begin_transaction_record::BeginTransactionRecord;
use protocol::record_schemas::metadata::broker_registration_change_record::BrokerRegistrationChangeRecord;
use protocol::record_schemas::metadata::config_record::ConfigRecord;
use protocol::record_schemas::metadata::end_transaction_record::EndTransactionRecord;
use protocol::record_schemas::metadata::feature_level_record::FeatureLevelRecord;
use protocol::record_schemas::metadata::register_broker_record::{
    BrokerEndpoint, BrokerFeature, RegisterBrokerRecord,
};
use protocol::record_schemas::metadata::register_controller_record::{
    ControllerEndpoint, ControllerFeature, RegisterControllerRecord,
};
use types::{BrokerId, Offset, Uuid};

use crate::image::{METADATA_VERSION, SUPPORTED_FEATURES};
use crate::{Endpoint, ResourceKind};

/// The first records of a new cluster, in one transaction, as Kafka writes them.
pub fn bootstrap() -> Vec<MetadataRecord> {
    vec![
        BeginTransactionRecord {
            name: Some("Bootstrap records".into()),
            ..Default::default()
        }
        .into(),
        FeatureLevelRecord {
            name: "metadata.version".into(),
            feature_level: METADATA_VERSION,
            ..Default::default()
        }
        .into(),
        // A new cluster keeps Kafka's floor as a dynamic default, which tools show (trap 106).
        ConfigRecord {
            resource_type: ResourceKind::Broker as i8,
            resource_name: "".into(),
            name: "min.insync.replicas".into(),
            value: Some("1".into()),
            ..Default::default()
        }
        .into(),
        EndTransactionRecord::default().into(),
    ]
}

/// A broker or controller that makes itself known.
#[derive(Debug, Clone)]
pub struct Registration {
    pub id: BrokerId,
    pub incarnation_id: Uuid,
    pub endpoints: Vec<Endpoint>,
    pub rack: Option<String>,
    pub directory_id: Uuid,
}

pub fn register_controller(registration: &Registration) -> MetadataRecord {
    let endpoint = |endpoint: &Endpoint| ControllerEndpoint {
        name: endpoint.listener.as_str().into(),
        host: endpoint.host.as_str().into(),
        port: endpoint.port,
        security_protocol: endpoint.security_protocol,
        ..Default::default()
    };
    let feature = |feature: &crate::Feature| ControllerFeature {
        name: feature.name.into(),
        min_supported_version: feature.supported_min,
        max_supported_version: feature.supported_max,
        ..Default::default()
    };
    RegisterControllerRecord {
        controller_id: registration.id.0,
        incarnation_id: registration.incarnation_id,
        end_points: registration.endpoints.iter().map(endpoint).collect(),
        features: SUPPORTED_FEATURES.iter().map(feature).collect(),
        ..Default::default()
    }
    .into()
}

/// The record will lie at `at`, which is the broker's epoch from then on.
pub fn register_broker(registration: &Registration, at: Offset) -> MetadataRecord {
    let endpoint = |endpoint: &Endpoint| BrokerEndpoint {
        name: endpoint.listener.as_str().into(),
        host: endpoint.host.as_str().into(),
        port: endpoint.port,
        security_protocol: endpoint.security_protocol,
        ..Default::default()
    };
    let feature = |feature: &crate::Feature| BrokerFeature {
        name: feature.name.into(),
        min_supported_version: feature.supported_min,
        max_supported_version: feature.supported_max,
        ..Default::default()
    };
    RegisterBrokerRecord {
        broker_id: registration.id.0,
        incarnation_id: registration.incarnation_id,
        broker_epoch: at.0,
        end_points: registration.endpoints.iter().map(endpoint).collect(),
        features: SUPPORTED_FEATURES.iter().map(feature).collect(),
        rack: registration.rack.as_deref().map(Into::into),
        fenced: true,
        log_dirs: vec![registration.directory_id],
        ..Default::default()
    }
    .into()
}

/// The broker has caught up and may lead.
pub fn unfence(id: BrokerId, epoch: Offset) -> MetadataRecord {
    BrokerRegistrationChangeRecord {
        broker_id: id.0,
        broker_epoch: epoch.0,
        fenced: -1,
        ..Default::default()
    }
    .into()
}
