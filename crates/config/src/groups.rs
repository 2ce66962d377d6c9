//! The settings of the group coordinator, typed.

use crate::BrokerConfig;

/// What groups and their topic are set to.
#[derive(Debug, Clone)]
pub struct GroupSettings {
    pub session_timeout_min_ms: i32,
    pub session_timeout_max_ms: i32,
    pub initial_rebalance_delay_ms: i32,
    pub members_max: i64,
    pub offset_metadata_max: i64,
    pub offsets_retention_minutes: i64,
    pub offsets_check_interval_ms: i64,
    /// Of `__consumer_offsets`, when it is created.
    pub topic_partitions: i32,
    pub topic_segment_bytes: i32,
    /// Kafka's number of the codec of its batches.
    pub topic_codec: i16,
}

impl GroupSettings {
    pub(crate) fn new(said: &std::collections::BTreeMap<String, String>) -> GroupSettings {
        let number = |name: &str| {
            let said = BrokerConfig::value_of(said, name);
            said.and_then(|text| text.trim().parse::<i64>().ok()).unwrap_or(0)
        };
        let int = |name: &str| i32::try_from(number(name)).unwrap_or(i32::MAX);
        GroupSettings {
            session_timeout_min_ms: int("group.min.session.timeout.ms"),
            session_timeout_max_ms: int("group.max.session.timeout.ms"),
            initial_rebalance_delay_ms: int("group.initial.rebalance.delay.ms"),
            members_max: number("group.max.size"),
            offset_metadata_max: number("offset.metadata.max.bytes"),
            offsets_retention_minutes: number("offsets.retention.minutes"),
            offsets_check_interval_ms: number("offsets.retention.check.interval.ms"),
            topic_partitions: int("offsets.topic.num.partitions"),
            topic_segment_bytes: int("offsets.topic.segment.bytes"),
            topic_codec: i16::try_from(number("offsets.topic.compression.codec")).unwrap_or(0),
        }
    }
}
