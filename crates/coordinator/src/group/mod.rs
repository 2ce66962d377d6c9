//! Groups: membership of the classic protocol, and committed offsets.

mod classic;
mod config;
mod listing;
mod live;
mod offsets;
mod records;
mod shard;
mod state;
mod timers;

pub use classic::{Join, Leave, Member, Sync, join_refusal};
pub use config::GroupConfig;
pub use listing::{Filter, Listed};
pub use live::Live;
pub use offsets::{Commit, Fetched, OffsetToCommit};
pub use records::{Committed, Record, RecordError};
pub use shard::GroupShard;
pub use state::{Group, State};

use protocol::messages::join_group_response::JoinGroupResponse;
use protocol::messages::sync_group_response::SyncGroupResponse;
use types::ErrorCode;

/// Both clocks of one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// Milliseconds that never jump, for timers.
    pub elapsed_ms: u64,
    /// Milliseconds since 1970, for what is written.
    pub wall_ms: i64,
}

/// Stands for a request whose answer may come later. The host knows whose it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// The answer to a request that could have waited.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    Join(JoinGroupResponse),
    Sync(SyncGroupResponse),
}

/// What is to be written as one batch, and the answers that leave when it is committed.
#[derive(Debug, Default)]
pub struct Effects {
    pub records: Vec<Record>,
    pub answers: Vec<(Ticket, Answer)>,
}

impl Effects {
    /// Nothing was decided.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty() && self.answers.is_empty()
    }
}

/// Kafka's empty member id: "give me one".
pub const UNKNOWN_MEMBER_ID: &str = "";

/// A request that is refused as a whole.
pub type Refused<T> = Result<T, ErrorCode>;
