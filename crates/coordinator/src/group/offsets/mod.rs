//! Committed offsets: commit, fetch, delete, expire (Kafka's `OffsetMetadataManager`).

mod commit;
mod delete;
mod expire;
mod fetch;

pub use commit::{Commit, OffsetToCommit};
pub use fetch::Fetched;
