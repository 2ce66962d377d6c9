//! Bugs on purpose, chosen by name at run time: a test that does not find them proves nothing. Never in a release build.

/// A bug that the tests of durability must find.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SeededBug {
    /// What is written counts as synced.
    AckBeforeSync,
    /// Recovery takes groups whose payload is torn.
    KeepTornBatch,
    /// A sync that failed is tried again, and believed.
    RetrySync,
    /// Recovery forgets what producers sent.
    DedupLostOnRecovery,
}

impl SeededBug {
    pub const ALL: [SeededBug; 4] = [
        SeededBug::AckBeforeSync,
        SeededBug::KeepTornBatch,
        SeededBug::RetrySync,
        SeededBug::DedupLostOnRecovery,
    ];

    /// As it is called on command lines.
    pub fn name(self) -> &'static str {
        match self {
            SeededBug::AckBeforeSync => "ack_before_sync",
            SeededBug::KeepTornBatch => "keep_torn_batch",
            SeededBug::RetrySync => "retry_sync",
            SeededBug::DedupLostOnRecovery => "dedup_lost_on_recovery",
        }
    }

    pub fn from_name(name: &str) -> Option<SeededBug> {
        SeededBug::ALL.into_iter().find(|bug| bug.name() == name)
    }
}
