//! Groups' settings out of the broker's.

use config::BrokerConfig;
use coordinator::group::GroupConfig;

pub(super) fn group_config(config: &BrokerConfig) -> GroupConfig {
    let default = GroupConfig::default();
    let groups = &config.groups;
    GroupConfig {
        session_timeout_min_ms: groups.session_timeout_min_ms,
        session_timeout_max_ms: groups.session_timeout_max_ms,
        initial_rebalance_delay_ms: groups.initial_rebalance_delay_ms,
        members_max: usize::try_from(groups.members_max).unwrap_or(default.members_max),
        offset_metadata_max: usize::try_from(groups.offset_metadata_max).unwrap_or(0),
        offsets_retention_ms: groups.offsets_retention_minutes.saturating_mul(60_000),
        offsets_check_interval_ms: u64::try_from(groups.offsets_check_interval_ms)
            .unwrap_or(default.offsets_check_interval_ms),
        record_bytes_max: default.record_bytes_max,
    }
}
