//! Which error codes an answer carries, for the metrics: a row per API that has any.

use std::any::Any;

use protocol::ApiKey;
use protocol::messages as m;
use telemetry::Requests;

macro_rules! each {
    ($note:ident, $of:expr;) => {
        $note($of.error_code)
    };
    ($note:ident, $of:expr; $field:ident $($rest:ident)*) => {
        for inner in &$of.$field {
            each!($note, inner; $($rest)*);
        }
    };
}

macro_rules! rows {
    ($($key:ident $module:ident :: $type:ident { $([$($field:ident)*])* })*) => {
        /// Hands every error code of an answer to `note`, no error (0) included.
        fn codes(key: ApiKey, body: &dyn Any, mut note: impl FnMut(i16)) {
            match key {
                $(ApiKey::$key => {
                    if let Some(body) = body.downcast_ref::<m::$module::$type>() {
                        $(each!(note, body; $($field)*);)*
                    }
                })*
                _ => {}
            }
        }

        #[cfg(test)]
        const KNOWN: &[ApiKey] = &[$(ApiKey::$key),*];
    };
}

rows! {
    Produce produce_response::ProduceResponse { [responses partition_responses] }
    Fetch fetch_response::FetchResponse { [] [responses partitions] }
    ListOffsets list_offsets_response::ListOffsetsResponse { [topics partitions] }
    Metadata metadata_response::MetadataResponse { [] [topics] [topics partitions] }
    OffsetCommit offset_commit_response::OffsetCommitResponse { [topics partitions] }
    OffsetFetch offset_fetch_response::OffsetFetchResponse { [] [topics partitions] [groups] [groups topics partitions] }
    FindCoordinator find_coordinator_response::FindCoordinatorResponse { [] [coordinators] }
    JoinGroup join_group_response::JoinGroupResponse { [] }
    Heartbeat heartbeat_response::HeartbeatResponse { [] }
    LeaveGroup leave_group_response::LeaveGroupResponse { [] [members] }
    SyncGroup sync_group_response::SyncGroupResponse { [] }
    DescribeGroups describe_groups_response::DescribeGroupsResponse { [groups] }
    ListGroups list_groups_response::ListGroupsResponse { [] }
    ApiVersions api_versions_response::ApiVersionsResponse { [] }
    CreateTopics create_topics_response::CreateTopicsResponse { [topics] }
    DeleteTopics delete_topics_response::DeleteTopicsResponse { [responses] }
    DeleteRecords delete_records_response::DeleteRecordsResponse { [topics partitions] }
    InitProducerId init_producer_id_response::InitProducerIdResponse { [] }
    OffsetForLeaderEpoch offset_for_leader_epoch_response::OffsetForLeaderEpochResponse { [topics partitions] }
    DescribeConfigs describe_configs_response::DescribeConfigsResponse { [results] }
    AlterConfigs alter_configs_response::AlterConfigsResponse { [responses] }
    CreatePartitions create_partitions_response::CreatePartitionsResponse { [results] }
    DeleteGroups delete_groups_response::DeleteGroupsResponse { [results] }
    IncrementalAlterConfigs incremental_alter_configs_response::IncrementalAlterConfigsResponse { [responses] }
    OffsetDelete offset_delete_response::OffsetDeleteResponse { [] [topics partitions] }
    DescribeCluster describe_cluster_response::DescribeClusterResponse { [] }
    DescribeTopicPartitions describe_topic_partitions_response::DescribeTopicPartitionsResponse { [topics] [topics partitions] }
}

/// Counts the errors of an answer.
pub(crate) fn count_errors(requests: &Requests, key: ApiKey, body: &dyn Any) {
    codes(key, body, |code| requests.error(key.code(), code));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::APIS;

    #[test]
    fn every_served_api_has_a_row() {
        for row in APIS {
            assert!(
                KNOWN.contains(&row.key),
                "{}: add its error codes to the table in broker/src/answered.rs",
                row.key.name()
            );
        }
    }

    #[test]
    fn errors_of_partitions_count_each_for_itself() {
        let partition = |code| m::produce_response::PartitionProduceResponse {
            error_code: code,
            ..Default::default()
        };
        let topic = m::produce_response::TopicProduceResponse {
            partition_responses: vec![partition(0), partition(3), partition(3)],
            ..Default::default()
        };
        let body = m::produce_response::ProduceResponse {
            responses: vec![topic],
            ..Default::default()
        };
        let mut seen = Vec::new();
        codes(ApiKey::Produce, &body, |code| seen.push(code));
        assert_eq!(seen, [0, 3, 3]);
    }
}
