//! Every API that is served: one row here, one file each.
//!
//! The table is the only place that says which versions are served; ApiVersions answers from it.

mod alter_configs;
mod api_versions;
mod call;
mod create_partitions;
mod create_topics;
mod delete_groups;
mod delete_records;
mod delete_topics;
mod describe_cluster;
mod describe_configs;
mod describe_groups;
mod describe_topic_partitions;
pub mod fetch;
mod find_coordinator;
mod group;
mod heartbeat;
mod incremental_alter_configs;
mod init_producer_id;
mod join_group;
mod leave_group;
mod list_groups;
mod list_offsets;
mod metadata;
mod offset_commit;
mod offset_delete;
mod offset_fetch;
mod offset_for_leader_epoch;
mod pending;
pub mod produce;
mod sync_group;

use std::ops::RangeInclusive;

use net::Start;
use protocol::ApiKey;

pub use call::Call;
pub use pending::Pending;

/// How a row's requests share a connection (`architecture.md` 5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// May start while earlier requests of the same key still wait.
    Overlapping,
    /// Starts when everything before it is answered.
    Ordered,
}

/// One served API.
pub struct Row {
    pub key: ApiKey,
    pub versions: RangeInclusive<i16>,
    pub lane: Lane,
    pub start: fn(&mut Call<'_>) -> Start<Pending>,
}

const fn row(
    key: ApiKey,
    versions: RangeInclusive<i16>,
    lane: Lane,
    start: fn(&mut Call<'_>) -> Start<Pending>,
) -> Row {
    Row {
        key,
        versions,
        lane,
        start,
    }
}

use Lane::{Ordered, Overlapping};

/// Everything that is served, by key.
pub static APIS: &[Row] = &[
    row(ApiKey::Produce, 0..=13, Overlapping, produce::start),
    row(ApiKey::Fetch, 4..=18, Ordered, fetch::start),
    row(ApiKey::ListOffsets, 1..=11, Ordered, list_offsets::start),
    row(ApiKey::Metadata, 0..=13, Ordered, metadata::start),
    row(ApiKey::OffsetCommit, 2..=10, Ordered, offset_commit::start),
    row(ApiKey::OffsetFetch, 1..=10, Ordered, offset_fetch::start),
    row(ApiKey::FindCoordinator, 0..=5, Ordered, find_coordinator::start),
    row(ApiKey::JoinGroup, 0..=9, Ordered, join_group::start),
    row(ApiKey::Heartbeat, 0..=4, Ordered, heartbeat::start),
    row(ApiKey::LeaveGroup, 0..=5, Ordered, leave_group::start),
    row(ApiKey::SyncGroup, 0..=5, Ordered, sync_group::start),
    row(ApiKey::DescribeGroups, 0..=6, Ordered, describe_groups::start),
    row(ApiKey::ListGroups, 0..=5, Ordered, list_groups::start),
    row(ApiKey::ApiVersions, 0..=4, Ordered, api_versions::start),
    row(ApiKey::CreateTopics, 2..=7, Ordered, create_topics::start),
    row(ApiKey::DeleteTopics, 1..=6, Ordered, delete_topics::start),
    row(ApiKey::DeleteRecords, 0..=2, Ordered, delete_records::start),
    row(ApiKey::InitProducerId, 0..=5, Ordered, init_producer_id::start),
    row(
        ApiKey::OffsetForLeaderEpoch,
        2..=4,
        Ordered,
        offset_for_leader_epoch::start,
    ),
    row(ApiKey::DescribeConfigs, 1..=4, Ordered, describe_configs::start),
    row(ApiKey::AlterConfigs, 0..=2, Ordered, alter_configs::start),
    row(ApiKey::CreatePartitions, 0..=3, Ordered, create_partitions::start),
    row(ApiKey::DeleteGroups, 0..=2, Ordered, delete_groups::start),
    row(
        ApiKey::IncrementalAlterConfigs,
        0..=1,
        Ordered,
        incremental_alter_configs::start,
    ),
    row(ApiKey::OffsetDelete, 0..=0, Ordered, offset_delete::start),
    row(ApiKey::DescribeCluster, 0..=2, Ordered, describe_cluster::start),
    row(
        ApiKey::DescribeTopicPartitions,
        0..=0,
        Ordered,
        describe_topic_partitions::start,
    ),
];

/// The row of a key from the wire.
pub fn find(code: i16) -> Option<&'static Row> {
    APIS.iter().find(|row| row.key.code() == code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_ascend_and_versions_lie_in_the_definitions() {
        assert!(APIS.is_sorted_by_key(|row| row.key.code()));
        for row in APIS {
            let defined = row.key.valid_versions();
            // Produce is advertised from 0 although its definition begins at 3 (trap 4).
            let low = if row.key == ApiKey::Produce {
                0
            } else {
                *defined.start()
            };
            assert!(
                low <= *row.versions.start() && row.versions.end() <= defined.end(),
                "{}",
                row.key.name()
            );
        }
    }
}
