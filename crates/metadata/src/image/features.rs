//! Feature levels. One that is not complete here is neither supported nor finalized (`architecture.md` 6, constraint 6).

/// The level of `metadata.version` whose records are written: that of Kafka 4.3 (4.3-IV0).
pub const METADATA_VERSION: i16 = 30;

/// Finalized by a control record of the quorum, not by a FeatureLevelRecord.
pub const KRAFT_VERSION: &str = "kraft.version";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Feature {
    pub name: &'static str,
    pub supported_min: i16,
    pub supported_max: i16,
    /// 0 while it is off.
    pub finalized: i16,
}

/// What this node can do. The levels below `metadata.version` 30 are read by Kafka 4.3 as well, and never written here.
pub const SUPPORTED_FEATURES: &[Feature] = &[
    Feature {
        name: KRAFT_VERSION,
        supported_min: 0,
        supported_max: 1,
        finalized: 0,
    },
    Feature {
        name: "metadata.version",
        supported_min: 7,
        supported_max: METADATA_VERSION,
        finalized: 0,
    },
];
