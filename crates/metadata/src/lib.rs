//! The cluster's metadata: an event log, the image that it adds up to, and the controller that decides what comes next.
//!
//! Pure: no IO, no clock, no chance. Records, frames, control records and snapshots are Apache Kafka's own bytes.

// Input must not bring the node down (security.md 8).
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing))]

pub mod controller;
mod image;
pub mod quorum;

pub use image::{
    BrokerImage, Configs, Delta, Endpoint, Feature, MetadataImage, PartitionImage, ResourceKind,
    SUPPORTED_FEATURES, TopicImage,
};
