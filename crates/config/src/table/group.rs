//! Settings of a group: names, types, defaults, rules and broker synonyms are those of Apache Kafka 4.3.

use super::Kind::*;
use super::{Rule, Setting, group};

#[rustfmt::skip]
pub(super) static GROUP: &[Setting] = &[
    group("consumer.assignment.interval.ms", Int, Some("1000"), Rule::AtLeast(0), &["group.consumer.assignment.interval.ms"]),
    group("consumer.heartbeat.interval.ms", Int, Some("5000"), Rule::AtLeast(1), &["group.consumer.heartbeat.interval.ms"]),
    group("consumer.session.timeout.ms", Int, Some("45000"), Rule::AtLeast(1), &["group.consumer.session.timeout.ms"]),
    group("share.assignment.interval.ms", Int, Some("1000"), Rule::AtLeast(0), &["group.share.assignment.interval.ms"]),
    group("share.auto.offset.reset", String, Some("latest"), Rule::OffsetReset, &[]),
    group("share.delivery.count.limit", Int, Some("5"), Rule::AtLeast(2), &["group.share.delivery.count.limit"]),
    group("share.heartbeat.interval.ms", Int, Some("5000"), Rule::AtLeast(1), &["group.share.heartbeat.interval.ms"]),
    group("share.isolation.level", String, Some("read_uncommitted"), Rule::OneOf(&["read_committed", "read_uncommitted"]), &[]),
    group("share.partition.max.record.locks", Int, Some("2000"), Rule::AtLeast(100), &["group.share.partition.max.record.locks"]),
    group("share.record.lock.duration.ms", Int, Some("30000"), Rule::AtLeast(1000), &["group.share.record.lock.duration.ms"]),
    group("share.renew.acknowledge.enable", Boolean, Some("true"), Rule::Any, &[]),
    group("share.session.timeout.ms", Int, Some("45000"), Rule::AtLeast(1), &["group.share.session.timeout.ms"]),
    group("streams.assignment.interval.ms", Int, Some("1000"), Rule::AtLeast(0), &["group.streams.assignment.interval.ms"]),
    group("streams.heartbeat.interval.ms", Int, Some("5000"), Rule::AtLeast(1), &["group.streams.heartbeat.interval.ms"]),
    group("streams.initial.rebalance.delay.ms", Int, Some("3000"), Rule::AtLeast(0), &["group.streams.initial.rebalance.delay.ms"]),
    group("streams.num.standby.replicas", Int, Some("0"), Rule::AtLeast(0), &["group.streams.num.standby.replicas"]),
    group("streams.session.timeout.ms", Int, Some("45000"), Rule::AtLeast(1), &["group.streams.session.timeout.ms"]),
];
