//! Settings of a consumer. Names and defaults are Kafka's (`ConsumerConfig`), where nothing else is said.

use std::time::Duration;

use super::group::Assignor;
use crate::{Error, Isolation, OffsetSpec, Result};

/// Where a consumer begins where nothing is committed, or where its position is out of the log (`auto.offset.reset`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reset {
    /// At the first record that is there.
    Earliest,
    /// At what comes next.
    #[default]
    Latest,
    /// At the first record that is at most so old (KIP-1106).
    ByDuration(Duration),
    /// Nowhere: polls fail with [`Error::NoOffset`].
    Fail,
}

impl Reset {
    /// Where that is now; `None` for nowhere.
    pub(super) fn spec(self, wall_ms: i64) -> Option<OffsetSpec> {
        match self {
            Reset::Earliest => Some(OffsetSpec::Earliest),
            Reset::Latest => Some(OffsetSpec::Latest),
            Reset::ByDuration(age) => {
                let age_ms = i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
                Some(OffsetSpec::At(wall_ms.saturating_sub(age_ms)))
            }
            Reset::Fail => None,
        }
    }
}

/// How records are read.
///
/// ```
/// use client::{ConsumerConfig, Reset};
///
/// let config = ConsumerConfig { reset: Reset::Earliest, ..ConsumerConfig::group("billing") };
/// assert_eq!(config.group.as_deref(), Some("billing"));
/// ```
#[derive(Debug, Clone)]
pub struct ConsumerConfig {
    /// `group.id`; without one nothing is committed and only [`crate::Consumer::assign`] works.
    pub group: Option<String>,
    /// `group.instance.id`: a static member keeps its partitions over a restart (KIP-345).
    pub instance_id: Option<String>,
    /// `client.rack`: where the consumer runs. The leader of a group gives it partitions with replicas there, where
    /// that is possible (KIP-881). Fetches go to leaders all the same.
    pub rack: Option<String>,
    /// `partition.assignment.strategy`, the preferred one first.
    pub assignors: Vec<Assignor>,
    /// `auto.offset.reset`.
    pub reset: Reset,
    /// `enable.auto.commit` and `auto.commit.interval.ms`; `None` to commit by hand.
    pub auto_commit: Option<Duration>,
    /// `isolation.level`.
    pub isolation: Isolation,
    /// `session.timeout.ms`.
    pub session_timeout: Duration,
    /// `heartbeat.interval.ms`.
    pub heartbeat_interval: Duration,
    /// `max.poll.interval.ms`: a member that polls less often leaves its group; also the time that a rebalance waits
    /// for it.
    pub poll_interval_max: Duration,
    /// `max.poll.records`. Records are borrowed from what was fetched, so there is no need for a limit, and no limit
    /// is the default: a poll then gives what one fetch of each partition brought.
    pub poll_records_max: usize,
    /// `fetch.min.bytes`.
    pub fetch_bytes_min: i32,
    /// `fetch.max.wait.ms`.
    pub fetch_wait_max: Duration,
    /// `fetch.max.bytes`: of one answer.
    pub fetch_bytes_max: i32,
    /// `max.partition.fetch.bytes`: of one partition in one answer. A larger batch is fetched all the same.
    pub partition_bytes_max: i32,
    /// Bytes that are fetched ahead, over all partitions; Kafka's client has no such setting.
    pub prefetch_bytes: usize,
    /// The most that a batch may decompress to, in bytes.
    pub decompressed_bytes_max: usize,
    /// `check.crcs`.
    pub check_crcs: bool,
}

impl Default for ConsumerConfig {
    fn default() -> ConsumerConfig {
        ConsumerConfig {
            group: None,
            instance_id: None,
            rack: None,
            assignors: vec![Assignor::Range, Assignor::CooperativeSticky],
            reset: Reset::Latest,
            auto_commit: Some(Duration::from_secs(5)),
            isolation: Isolation::ReadUncommitted,
            session_timeout: Duration::from_secs(45),
            heartbeat_interval: Duration::from_secs(3),
            poll_interval_max: Duration::from_secs(300),
            poll_records_max: usize::MAX,
            fetch_bytes_min: 1,
            fetch_wait_max: Duration::from_millis(500),
            fetch_bytes_max: 50 << 20,
            partition_bytes_max: 1 << 20,
            prefetch_bytes: 64 << 20,
            decompressed_bytes_max: 128 << 20,
            check_crcs: true,
        }
    }
}

impl ConsumerConfig {
    /// Kafka's defaults for a member of a group.
    pub fn group(group: &str) -> ConsumerConfig {
        ConsumerConfig {
            group: Some(group.to_owned()),
            ..ConsumerConfig::default()
        }
    }

    pub(super) fn check(&self) -> Result<()> {
        let refuse = |name, reason: &str| {
            Err(Error::Config {
                name,
                reason: reason.into(),
            })
        };
        if self.session_timeout <= self.heartbeat_interval {
            return refuse("heartbeat.interval.ms", "must be less than session.timeout.ms");
        }
        if self.assignors.is_empty() {
            return refuse("partition.assignment.strategy", "at least one is needed");
        }
        if self.poll_records_max == 0 || self.partition_bytes_max < 1 || self.fetch_bytes_max < 1 {
            return refuse("max.poll.records, fetch.max.bytes", "must be at least 1");
        }
        if self.group.as_deref() == Some("") {
            return refuse("group.id", "is empty");
        }
        Ok(())
    }
}
