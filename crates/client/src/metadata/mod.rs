//! What the client knows of the cluster: brokers, topics, leaders with their epochs, topic ids.
//!
//! An image is immutable; a newer one replaces it. Owns: which of two answers is newer. Knows nothing of connections.

mod image;

pub use image::{Broker, Metadata, Partition, Topic};
