//! The host of the metadata quorum: decides, appends, waits for the disk, applies, publishes, answers.
//!
//! One thread, because decisions are in order anyway. All requests that wait are decided against the image that the
//! one before left, and one sync commits them together. Only committed images are published.

mod host;
mod recover;
mod snapshots;

pub use host::{QuorumHandle, QuorumHost};
