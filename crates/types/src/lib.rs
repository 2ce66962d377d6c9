//! The words that two or more crates share. Computes nothing and owns nothing.

mod error_code;
mod topic_name;
mod uuid;

pub use error_code::ErrorCode;
pub use topic_name::{InvalidTopicName, TopicName};
pub use uuid::{InvalidUuid, Uuid};

/// Identifies a topic for its whole life; a topic deleted and created again has another one. Never zero.
pub type TopicId = Uuid;

macro_rules! number {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        #[repr(transparent)]
        pub struct $name(pub $inner);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl From<$inner> for $name {
            fn from(value: $inner) -> Self {
                $name(value)
            }
        }
    };
}

number! {
    /// The place of a record in its partition, counted from 0.
    Offset(i64)
}
number! {
    /// Counts the leaders of a partition. -1 means that none is known.
    LeaderEpoch(i32)
}
number! {
    /// A partition of a topic, counted from 0.
    PartitionIndex(i32)
}
number! {
    /// A node's id. -1 means none.
    BrokerId(i32)
}
number! {
    /// An idempotent producer. -1 means none.
    ProducerId(i64)
}
number! {
    /// Counts the incarnations of a producer id. -1 means none.
    ProducerEpoch(i16)
}
number! {
    /// The number of a group in its stream: +1 a group, for ever.
    Lsn(u64)
}

impl Offset {
    pub const ZERO: Offset = Offset(0);

    /// The offset `count` records further. Offsets from input are checked before they come here.
    pub fn plus(self, count: i64) -> Offset {
        Offset(self.0.saturating_add(count))
    }
}

impl LeaderEpoch {
    pub const NONE: LeaderEpoch = LeaderEpoch(-1);
}

impl BrokerId {
    pub const NONE: BrokerId = BrokerId(-1);
}

impl ProducerId {
    pub const NONE: ProducerId = ProducerId(-1);
}

impl ProducerEpoch {
    pub const NONE: ProducerEpoch = ProducerEpoch(-1);
}

/// A partition by the name of its topic, as people see it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicPartition {
    pub topic: TopicName,
    pub partition: PartitionIndex,
}

impl std::fmt::Display for TopicPartition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.topic, self.partition)
    }
}

/// A partition by the id of its topic, as logs and metadata know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicIdPartition {
    pub topic_id: TopicId,
    pub partition: PartitionIndex,
}

impl std::fmt::Display for TopicIdPartition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.topic_id, self.partition)
    }
}
