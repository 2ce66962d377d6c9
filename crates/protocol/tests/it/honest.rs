//! What real clients ask of many topics at once fits into a connection's memory (`security.md` 4): decoding is never so
//! much larger than the frame that an honest request is refused. Names are short on purpose, one partition a topic.

use bytes::Bytes;
use protocol::messages::{
    alter_configs_request as alter, create_partitions_request as grow, create_topics_request as create,
    delete_groups_request as delete_groups, delete_records_request as trim, delete_topics_request as delete,
    describe_configs_request as describe, describe_groups_request as groups,
    describe_topic_partitions_request as page, fetch_request as fetch, find_coordinator_request as find,
    incremental_alter_configs_request as incremental, leave_group_request as leave,
    list_offsets_request as list, metadata_request as metadata, offset_commit_request as commit,
    offset_delete_request as forget, offset_fetch_request as offsets,
    offset_for_leader_epoch_request as epochs, sync_group_request as sync,
};
use protocol::{Budget, Decode, Encode, Reader, Segments, Str};

/// More than one client asks for.
const MANY: usize = 5_000;

fn name(at: usize) -> Str {
    format!("t{at:05}").into()
}

fn many<T>(make: impl Fn(Str) -> T) -> Vec<T> {
    (0..MANY).map(|at| make(name(at))).collect()
}

/// Members' ids end with a UUID, whichever client made them.
fn many_members<T>(make: impl Fn(Str) -> T) -> Vec<T> {
    let id = |at: usize| format!("c-{at:05}-00000000-0000-0000-0000-000000000000");
    (0..MANY).map(|at| make(id(at).into())).collect()
}

/// The request is read back in every version that can say it. Gives how often it could be said.
fn fits<T: Encode + Decode>(what: &str, versions: std::ops::RangeInclusive<i16>, request: &T) -> usize {
    let mut said = 0;
    for version in versions {
        let mut out = Segments::new();
        // Older versions lack some fields.
        if request.encode(version, &mut out).is_err() {
            continue;
        }
        said += 1;
        let body: Bytes = out.into_bytes();
        let mut budget = Budget::after_authentication(body.len());
        let read = T::decode(&mut Reader::new(body.clone()), version, &mut budget);
        assert!(
            read.is_ok(),
            "{what} v{version}, {} bytes: {:?}",
            body.len(),
            read.err()
        );
    }
    assert!(0 < said, "{what}: no version can say it");
    said
}

#[test]
fn many_topics_at_once_are_no_attack() {
    let wanted = |name| metadata::MetadataRequestTopic {
        name: Some(name),
        ..Default::default()
    };
    let request = metadata::MetadataRequest {
        topics: Some(many(wanted)),
        allow_auto_topic_creation: true,
        ..Default::default()
    };
    assert_eq!(fits("Metadata", 0..=13, &request), 14);
    let topic = |name| fetch::FetchTopic {
        topic: name,
        partitions: vec![fetch::FetchPartition::default()],
        ..Default::default()
    };
    let request = fetch::FetchRequest {
        topics: many(topic),
        ..Default::default()
    };
    fits("Fetch", 4..=12, &request);
    let topic = |name| list::ListOffsetsTopic {
        name,
        partitions: vec![list::ListOffsetsPartition::default()],
        ..Default::default()
    };
    let request = list::ListOffsetsRequest {
        topics: many(topic),
        ..Default::default()
    };
    fits("ListOffsets", 1..=11, &request);
    let topic = |name| epochs::OffsetForLeaderTopic {
        topic: name,
        partitions: vec![epochs::OffsetForLeaderPartition::default()],
        ..Default::default()
    };
    let request = epochs::OffsetForLeaderEpochRequest {
        topics: many(topic),
        ..Default::default()
    };
    fits("OffsetForLeaderEpoch", 2..=4, &request);
    let topics = many(|name| page::TopicRequest {
        name,
        ..Default::default()
    });
    let request = page::DescribeTopicPartitionsRequest {
        topics,
        ..Default::default()
    };
    fits("DescribeTopicPartitions", 0..=0, &request);
}

#[test]
fn many_topics_may_be_administered_at_once() {
    let topic = |name| create::CreatableTopic {
        name,
        num_partitions: 1,
        replication_factor: 1,
        configs: vec![create::CreatableTopicConfig {
            name: "retention.ms".into(),
            value: Some("1".into()),
            ..Default::default()
        }],
        ..Default::default()
    };
    let request = create::CreateTopicsRequest {
        topics: many(topic),
        ..Default::default()
    };
    fits("CreateTopics", 2..=7, &request);
    let request = delete::DeleteTopicsRequest {
        topic_names: many(|name| name),
        ..Default::default()
    };
    fits("DeleteTopics", 1..=5, &request);
    let request = delete::DeleteTopicsRequest {
        topics: many(|name| delete::DeleteTopicState {
            name: Some(name),
            ..Default::default()
        }),
        ..Default::default()
    };
    fits("DeleteTopics by state", 6..=6, &request);
    let topic = |name| grow::CreatePartitionsTopic {
        name,
        count: 3,
        assignments: None,
        ..Default::default()
    };
    let request = grow::CreatePartitionsRequest {
        topics: many(topic),
        ..Default::default()
    };
    fits("CreatePartitions", 0..=3, &request);
    let topic = |name| trim::DeleteRecordsTopic {
        name,
        partitions: vec![trim::DeleteRecordsPartition::default()],
        ..Default::default()
    };
    let request = trim::DeleteRecordsRequest {
        topics: many(topic),
        ..Default::default()
    };
    fits("DeleteRecords", 0..=2, &request);
}

#[test]
fn settings_of_many_topics_may_be_asked_and_altered_at_once() {
    let resource = |name| describe::DescribeConfigsResource {
        resource_type: 2,
        resource_name: name,
        ..Default::default()
    };
    let request = describe::DescribeConfigsRequest {
        resources: many(resource),
        ..Default::default()
    };
    fits("DescribeConfigs", 1..=4, &request);
    let resource = |name| alter::AlterConfigsResource {
        resource_type: 2,
        resource_name: name,
        configs: vec![alter::AlterableConfig {
            name: "retention.ms".into(),
            value: Some("1".into()),
            ..Default::default()
        }],
        ..Default::default()
    };
    let request = alter::AlterConfigsRequest {
        resources: many(resource),
        ..Default::default()
    };
    fits("AlterConfigs", 0..=2, &request);
    let resource = |name| incremental::AlterConfigsResource {
        resource_type: 2,
        resource_name: name,
        configs: vec![incremental::AlterableConfig {
            name: "retention.ms".into(),
            value: Some("1".into()),
            ..Default::default()
        }],
        ..Default::default()
    };
    let request = incremental::IncrementalAlterConfigsRequest {
        resources: many(resource),
        ..Default::default()
    };
    fits("IncrementalAlterConfigs", 0..=1, &request);
}

#[test]
fn groups_may_have_many_topics_and_members() {
    let topic = |name| commit::OffsetCommitRequestTopic {
        name,
        partitions: vec![commit::OffsetCommitRequestPartition {
            committed_metadata: Some("".into()),
            ..Default::default()
        }],
        ..Default::default()
    };
    let request = commit::OffsetCommitRequest {
        topics: many(topic),
        ..Default::default()
    };
    fits("OffsetCommit", 2..=9, &request);
    let topic = |name| offsets::OffsetFetchRequestTopic {
        name,
        partition_indexes: vec![0],
        ..Default::default()
    };
    let request = offsets::OffsetFetchRequest {
        topics: Some(many(topic)),
        ..Default::default()
    };
    fits("OffsetFetch", 1..=7, &request);
    let topic = |name| forget::OffsetDeleteRequestTopic {
        name,
        partitions: vec![forget::OffsetDeleteRequestPartition::default()],
        ..Default::default()
    };
    let request = forget::OffsetDeleteRequest {
        topics: many(topic),
        ..Default::default()
    };
    fits("OffsetDelete", 0..=0, &request);
    let request = groups::DescribeGroupsRequest {
        groups: many(|name| name),
        ..Default::default()
    };
    fits("DescribeGroups", 0..=6, &request);
    let request = delete_groups::DeleteGroupsRequest {
        groups_names: many(|name| name),
        ..Default::default()
    };
    fits("DeleteGroups", 0..=2, &request);
    let request = find::FindCoordinatorRequest {
        coordinator_keys: many(|name| name),
        ..Default::default()
    };
    fits("FindCoordinator", 4..=6, &request);
    let member = |name| leave::MemberIdentity {
        member_id: name,
        ..Default::default()
    };
    let request = leave::LeaveGroupRequest {
        members: many_members(member),
        ..Default::default()
    };
    fits("LeaveGroup", 3..=5, &request);
    let member = |name| sync::SyncGroupRequestAssignment {
        member_id: name,
        ..Default::default()
    };
    let request = sync::SyncGroupRequest {
        assignments: many_members(member),
        ..Default::default()
    };
    fits("SyncGroup", 0..=5, &request);
}
