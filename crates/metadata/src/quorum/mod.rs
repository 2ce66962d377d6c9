//! The seam of the metadata quorum, and the bytes around its records.
//!
//! Today's quorum is one voter: what it has appended and synced is committed. It is a dynamic quorum from birth
//! (`kraft.version` 1, a voter set with directory ids), so that Raft can take this place without a new format.

mod bytes;
mod snapshot;
mod state;

pub use self::bytes::{Voter, leader_change, records_batch, replay_batch};
pub use snapshot::{CHECKPOINT_SUFFIX, bootstrap_snapshot, checkpoint_name, read_snapshot, write_snapshot};
pub use state::QuorumState;
