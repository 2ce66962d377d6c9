//! The cluster: brokers, the quorum, features.

use protocol::messages::describe_cluster_request::DescribeClusterRequest;
use protocol::messages::describe_cluster_response::DescribeClusterResponse;
use protocol::messages::describe_quorum_request::{DescribeQuorumRequest, PartitionData, TopicData};
use protocol::messages::describe_quorum_response::{DescribeQuorumResponse, ReplicaState};
use protocol::messages::update_features_request::{FeatureUpdateKey, UpdateFeaturesRequest};
use protocol::messages::update_features_response::UpdateFeaturesResponse;
use types::{BrokerId, Offset};

use super::{Admin, Each};
use crate::{Broker, Error, Feature, Result, To};

/// The topic of the quorum's log.
const METADATA_TOPIC: &str = "__cluster_metadata";

/// The cluster and its brokers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterDescription {
    /// The cluster's id.
    pub cluster_id: String,
    /// A broker that takes requests for the controller; -1 if there is none.
    pub controller: BrokerId,
    /// Every broker, by id.
    pub brokers: Vec<Broker>,
}

/// The state of the metadata quorum (KIP-595).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quorum {
    /// The active controller.
    pub leader: BrokerId,
    /// Its epoch.
    pub leader_epoch: i32,
    /// The committed end of its log.
    pub high_watermark: Offset,
    /// Those that vote.
    pub voters: Vec<QuorumReplica>,
    /// Those that only read.
    pub observers: Vec<QuorumReplica>,
}

/// A voter or observer of the quorum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuorumReplica {
    /// The node.
    pub id: BrokerId,
    /// How far its log goes; -1 if the leader does not know.
    pub log_end_offset: Offset,
    /// When it last fetched, in ms since 1970; -1 if the leader does not know.
    pub last_fetch_ms: i64,
    /// When it last had everything, in ms since 1970; -1 if the leader does not know.
    pub last_caught_up_ms: i64,
}

/// A wanted level of a feature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeatureUpdate {
    /// Its name.
    pub feature: String,
    /// The level; 0 disables it.
    pub level: i16,
    /// Whether a lower level is allowed, where nothing is lost by it.
    pub allow_safe_downgrade: bool,
}

impl Admin {
    /// The cluster's id, controller and brokers.
    ///
    /// ```
    /// # testkit::with_node(async |servers| -> client::Result<()> {
    /// # let client = client::Client::new(client::ClientConfig::new(&servers))?;
    /// # let admin = client.admin();
    /// let cluster = admin.describe_cluster().await?;
    /// assert_eq!(cluster.brokers.len(), 1);
    /// assert!(!cluster.cluster_id.is_empty());
    /// # Ok(())
    /// # });
    /// ```
    pub async fn describe_cluster(&self) -> Result<ClusterDescription> {
        let request = DescribeClusterRequest::default();
        let verdict = |answer: &DescribeClusterResponse| {
            Error::check_with(answer.error_code, answer.error_message.as_ref(), || {
                "the cluster".into()
            })
        };
        let answer = self
            .ask(To::Any, "describing the cluster", &request, verdict)
            .await?;
        let mut brokers: Vec<Broker> = answer
            .brokers
            .iter()
            .map(|broker| Broker {
                id: BrokerId(broker.broker_id),
                host: broker.host.as_str().to_owned(),
                port: u16::try_from(broker.port).unwrap_or_default(),
                rack: broker.rack.as_ref().map(|rack| rack.as_str().to_owned()),
            })
            .collect();
        brokers.sort_by_key(|broker| broker.id);
        Ok(ClusterDescription {
            cluster_id: answer.cluster_id.as_str().to_owned(),
            controller: BrokerId(answer.controller_id),
            brokers,
        })
    }

    /// The metadata quorum: leader, voters, observers and how far each is.
    ///
    /// ```no_run
    /// # testkit::with_node(async |servers| -> client::Result<()> {
    /// # let client = client::Client::new(client::ClientConfig::new(&servers))?;
    /// # let admin = client.admin();
    /// let quorum = admin.describe_quorum().await?;
    /// assert!(quorum.voters.iter().any(|voter| voter.id == quorum.leader));
    /// # Ok(())
    /// # });
    /// ```
    pub async fn describe_quorum(&self) -> Result<Quorum> {
        let request = DescribeQuorumRequest {
            topics: vec![TopicData {
                topic_name: METADATA_TOPIC.into(),
                partitions: vec![PartitionData::default()],
                ..TopicData::default()
            }],
            ..DescribeQuorumRequest::default()
        };
        let what = || "the quorum".to_owned();
        let verdict = |answer: &DescribeQuorumResponse| {
            Error::check_with(answer.error_code, answer.error_message.as_ref(), what)?;
            let partition = answer.topics.iter().flat_map(|topic| &topic.partitions).next();
            partition.map_or(Ok(()), |one| {
                Error::check_with(one.error_code, one.error_message.as_ref(), what)
            })
        };
        let answer = self
            .ask(To::Any, "describing the quorum", &request, verdict)
            .await?;
        let partition = answer.topics.iter().flat_map(|topic| &topic.partitions).next();
        let partition = partition.ok_or_else(|| Error::Protocol {
            address: "the broker".into(),
            reason: "its answer leaves out the quorum".into(),
        })?;
        let replicas = |states: &[ReplicaState]| {
            let each = states.iter().map(|state| QuorumReplica {
                id: BrokerId(state.replica_id),
                log_end_offset: Offset(state.log_end_offset),
                last_fetch_ms: state.last_fetch_timestamp,
                last_caught_up_ms: state.last_caught_up_timestamp,
            });
            each.collect()
        };
        Ok(Quorum {
            leader: BrokerId(partition.leader_id),
            leader_epoch: partition.leader_epoch,
            high_watermark: Offset(partition.high_watermark),
            voters: replicas(&partition.current_voters),
            observers: replicas(&partition.observers),
        })
    }

    /// The features that a broker supports, and the levels that the cluster uses.
    ///
    /// ```
    /// # testkit::with_node(async |servers| -> client::Result<()> {
    /// # let client = client::Client::new(client::ClientConfig::new(&servers))?;
    /// # let admin = client.admin();
    /// let features = admin.describe_features().await?;
    /// assert!(features.iter().any(|feature| feature.name == "metadata.version"));
    /// # Ok(())
    /// # });
    /// ```
    pub async fn describe_features(&self) -> Result<Vec<Feature>> {
        let mut retry = self.client.retry("describing features");
        loop {
            match self.client.versions(To::Any).await {
                Ok(versions) => return Ok(versions.features().to_vec()),
                Err(error) => retry.pause(&self.client, error).await?,
            }
        }
    }

    /// Raises, lowers or disables features; all of them or none.
    pub async fn update_features(
        &self,
        updates: &[FeatureUpdate],
        validate_only: bool,
    ) -> Result<Each<String, ()>> {
        let key = |update: &FeatureUpdate| FeatureUpdateKey {
            feature: update.feature.as_str().into(),
            max_version_level: update.level,
            upgrade_type: if update.allow_safe_downgrade { 2 } else { 1 },
            ..FeatureUpdateKey::default()
        };
        let request = UpdateFeaturesRequest {
            timeout_ms: self.timeout_ms(),
            feature_updates: updates.iter().map(key).collect(),
            validate_only,
            ..UpdateFeaturesRequest::default()
        };
        let verdict = |answer: &UpdateFeaturesResponse| {
            Error::check_with(answer.error_code, answer.error_message.as_ref(), || {
                "features".into()
            })
        };
        let answer = self
            .ask(To::Controller, "updating features", &request, verdict)
            .await?;
        let outcome = |name: &str| {
            // From version 2 on, no results mean that all went well.
            let result = answer.results.iter().find(|result| result.feature == *name);
            result.map_or(Ok(()), |result| {
                Error::check_with(result.error_code, result.error_message.as_ref(), || {
                    format!("feature {name}")
                })
            })
        };
        Ok(updates
            .iter()
            .map(|update| (update.feature.clone(), outcome(&update.feature)))
            .collect())
    }
}
