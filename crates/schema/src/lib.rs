//! Schemas of events: Avro, JSON Schema and Protobuf as one pure engine.
//!
//! Owns parsing, normal forms, compatibility, encodings and lint. Knows no disk, no network and no clock: references
//! come in as text, long work is bounded and can be stopped.
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing))]

pub mod avro;
pub mod compat;
pub mod diff;
pub mod digest;
mod error;
mod guid;
pub mod json;
mod limits;
pub mod lint;
pub mod outline;
mod path;
pub mod protobuf;
mod schema;
mod source;
pub mod text;
pub mod wire;

pub use compat::{Direction, Incompatibility, Mode, Stopped, Work, compatible};
pub use error::SchemaError;
pub use guid::{Metadata, Rule, RuleSet, guid};
pub use limits::Limits;
pub use path::Path;
pub use schema::Schema;
pub use source::{Format, Reference, Source};

/// The examples of the page for people, run as tests.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/avro.md")]
struct AvroPage;
