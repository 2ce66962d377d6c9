//! The broker: Kafka's requests on this node's partitions.
//!
//! Owns the partitions that this node leads, the metadata quorum's host and every API. Decides nothing that belongs
//! to a decider, and touches disk and network only through `storage` and `net`.

// Input must not bring the node down (security.md 8).
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing))]

mod alteration;
mod answered;
pub mod api;
mod broker;
mod config_rules;
mod coordinator;
mod errors;
mod fetch_session;
pub mod life;
pub mod loggers;
mod metrics;
mod node;
pub mod partition;
mod producer_ids;
mod quorum;
mod reference;
mod respond;
mod service;
mod topics;

pub use broker::{Broker, OpenError};
pub use node::{AdvertisedListener, Node};
pub use reference::reference_markdown;
pub use service::{BrokerService, Session};
