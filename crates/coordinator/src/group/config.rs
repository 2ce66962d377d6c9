//! The settings that groups read (`GroupCoordinatorConfig`).

/// Bounds and times of groups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupConfig {
    /// `group.min.session.timeout.ms`
    pub session_timeout_min_ms: i32,
    /// `group.max.session.timeout.ms`
    pub session_timeout_max_ms: i32,
    /// `group.initial.rebalance.delay.ms`
    pub initial_rebalance_delay_ms: i32,
    /// `group.max.size`, in members.
    pub members_max: usize,
    /// `offset.metadata.max.bytes`; Kafka counts UTF-16 units.
    pub offset_metadata_max: usize,
    /// `offsets.retention.minutes`, in milliseconds.
    pub offsets_retention_ms: i64,
    /// `offsets.retention.check.interval.ms`
    pub offsets_check_interval_ms: u64,
    /// A record that is larger could not be appended, so it is not decided.
    pub record_bytes_max: usize,
}

/// How long a new member may wait in JoinGroup before it has to ask again (Kafka's constant of 5 minutes).
pub(crate) const NEW_MEMBER_JOIN_TIMEOUT_MS: u64 = 300_000;

impl Default for GroupConfig {
    fn default() -> GroupConfig {
        GroupConfig {
            session_timeout_min_ms: 6_000,
            session_timeout_max_ms: 1_800_000,
            initial_rebalance_delay_ms: 3_000,
            members_max: i32::MAX as usize,
            offset_metadata_max: 4_096,
            offsets_retention_ms: 7 * 24 * 3_600_000,
            offsets_check_interval_ms: 600_000,
            record_bytes_max: 1_048_588,
        }
    }
}
