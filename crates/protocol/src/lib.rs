//! Kafka's messages and what surrounds them on the wire and in the metadata log.

// Input must not bring the node down (security.md 8).
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing))]

mod budget;
mod error;
pub mod frame;
mod generated;
pub mod header;
mod reader;
mod records;
mod segments;
mod str;
mod tagged;
pub mod view;

pub use budget::Budget;
pub use error::{DecodeError, EncodeError};
pub use generated::api_key::ApiKey;
pub use generated::messages;
pub use generated::metadata_record::MetadataRecord;
pub use reader::Reader;
pub use records::Records;
pub use segments::{KnownTags, Segments};
pub use str::Str;
pub use tagged::TaggedFields;

/// Record schemas of the metadata log, the quorum state and the coordinators' topics.
pub mod record_schemas {
    pub use crate::generated::{group, metadata, raft, share, storage, transaction};
}

/// Read from the wire at a version, under a budget.
pub trait Decode: Sized {
    fn decode(reader: &mut Reader, version: i16, budget: &mut Budget) -> Result<Self, DecodeError>;
}

/// Written to the wire at a version.
pub trait Encode {
    fn encode(&self, version: i16, sink: &mut Segments) -> Result<(), EncodeError>;
}
