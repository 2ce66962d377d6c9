//! Settings of a topic: names, types, defaults, rules and broker synonyms are those of Apache Kafka 4.3.

use super::Kind::*;
use super::{Rule, Setting, topic};

#[rustfmt::skip]
pub(super) static TOPIC: &[Setting] = &[
    topic("cleanup.policy", List, Some("delete"), Rule::OneOf(&["compact", "delete"]), &["log.cleanup.policy"], Some("Whether old records are deleted, or only the last of each key kept. A compacted topic takes no record without a key.")),
    topic("compression.gzip.level", Int, Some("-1"), Rule::GzipLevel, &["compression.gzip.level"], Some("The level of gzip where compression.type asks for it: 1 to 9, or -1 for the usual one.")),
    topic("compression.lz4.level", Int, Some("9"), Rule::Between(1, 17), &["compression.lz4.level"], Some("The level of lz4 where compression.type asks for it: 9 is the fast one, any other the thorough one.")),
    topic("compression.type", String, Some("producer"), Rule::OneOf(&["uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"]), &["compression.type"], Some("How batches are packed in the log: as their producers did, with one codec whatever they did, or not at all.")),
    topic("compression.zstd.level", Int, Some("3"), Rule::Between(-131072, 22), &["compression.zstd.level"], Some("The level of zstd where compression.type asks for it.")),
    topic("delete.retention.ms", Long, Some("86400000"), Rule::AtLeast(0), &["log.cleaner.delete.retention.ms"], Some("How long a compacted topic keeps the marks of deleted keys (tombstones) after they were compacted.")),
    topic("file.delete.delay.ms", Long, Some("60000"), Rule::AtLeast(0), &["log.segment.delete.delay.ms"], None),
    topic("flush.messages", Long, Some("9223372036854775807"), Rule::AtLeast(1), &["log.flush.interval.messages"], None),
    topic("flush.ms", Long, Some("9223372036854775807"), Rule::AtLeast(0), &["log.flush.interval.ms", "log.flush.scheduler.interval.ms"], None),
    topic("follower.replication.throttled.replicas", List, Some(""), Rule::Replicas, &[], None),
    topic("index.interval.bytes", Int, Some("4096"), Rule::AtLeast(0), &["log.index.interval.bytes"], None),
    topic("leader.replication.throttled.replicas", List, Some(""), Rule::Replicas, &[], None),
    topic("local.retention.bytes", Long, Some("-2"), Rule::AtLeast(-2), &["log.local.retention.bytes"], None),
    topic("local.retention.ms", Long, Some("-2"), Rule::AtLeast(-2), &["log.local.retention.ms"], None),
    topic("max.compaction.lag.ms", Long, Some("9223372036854775807"), Rule::AtLeast(1), &["log.cleaner.max.compaction.lag.ms"], Some("A record of a compacted topic is compacted at the latest this long after it was written.")),
    topic("max.message.bytes", Int, Some("1048588"), Rule::AtLeast(0), &["message.max.bytes"], Some("The largest batch that is taken, as it comes, compressed or not.")),
    topic("message.timestamp.after.max.ms", Long, Some("3600000"), Rule::AtLeast(0), &["log.message.timestamp.after.max.ms"], Some("How far after now the time of a record may lie.")),
    topic("message.timestamp.before.max.ms", Long, Some("9223372036854775807"), Rule::AtLeast(0), &["log.message.timestamp.before.max.ms"], Some("How far before now the time of a record may lie.")),
    topic("message.timestamp.type", String, Some("CreateTime"), Rule::OneOf(&["CreateTime", "LogAppendTime"]), &["log.message.timestamp.type"], Some("Whether records keep the time that producers gave them, or get the time of their arrival.")),
    topic("min.cleanable.dirty.ratio", Double, Some("0.5"), Rule::Between(0, 1), &["log.cleaner.min.cleanable.ratio"], Some("The share of a log that was not compacted yet at which it is compacted again.")),
    topic("min.compaction.lag.ms", Long, Some("0"), Rule::AtLeast(0), &["log.cleaner.min.compaction.lag.ms"], Some("A record of a compacted topic is kept at least this long, whatever follows it.")),
    topic("min.insync.replicas", Int, Some("1"), Rule::AtLeast(1), &["min.insync.replicas"], Some("Replicas that must have a record before a producer with acks=all is answered.")),
    topic("ottla.flush", String, Some("ack"), Rule::OneOf(&["ack", "interval", "never"]), &["ottla.flush"], Some("When an acknowledged record of this topic is on stable storage: before the answer (ack), soon after (interval), or when the system writes it (never).")),
    topic("preallocate", Boolean, Some("false"), Rule::Any, &["log.preallocate"], None),
    topic("remote.log.copy.disable", Boolean, Some("false"), Rule::Any, &[], None),
    topic("remote.log.delete.on.disable", Boolean, Some("false"), Rule::Any, &[], None),
    topic("remote.storage.enable", Boolean, Some("false"), Rule::Any, &[], None),
    topic("retention.bytes", Long, Some("-1"), Rule::Any, &["log.retention.bytes"], Some("A partition larger than this loses its oldest segments. -1: no limit.")),
    topic("retention.ms", Long, Some("604800000"), Rule::AtLeast(-1), &["log.retention.ms", "log.retention.minutes", "log.retention.hours"], Some("Segments whose newest record is older than this are deleted. -1: never.")),
    topic("segment.bytes", Int, Some("1073741824"), Rule::AtLeast(1048576), &["log.segment.bytes"], Some("The size at which a segment of a log ends. Retention and compaction look at whole segments.")),
    topic("segment.index.bytes", Int, Some("10485760"), Rule::AtLeast(4), &["log.index.size.max.bytes"], None),
    topic("segment.jitter.ms", Long, Some("0"), Rule::AtLeast(0), &["log.roll.jitter.ms", "log.roll.jitter.hours"], Some("A segment ends up to so much earlier than segment.ms says, so that not all end at once.")),
    topic("segment.ms", Long, Some("604800000"), Rule::AtLeast(1), &["log.roll.ms", "log.roll.hours"], Some("The age at which a segment of a log ends.")),
    topic("unclean.leader.election.enable", Boolean, Some("false"), Rule::Any, &["unclean.leader.election.enable"], None),
];
