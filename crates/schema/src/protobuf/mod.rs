//! Protobuf: proto2 and proto3 files.
//!
//! Owns parsing a file with what it imports, the binary and JSON forms of its messages, the paths that say which
//! message a record holds, the normal form, the outline and compatibility. `protox` reads text, `prost-reflect` values.

mod about;
mod builtin;
mod comments;
mod compat;
mod index;
mod outline;
mod parse;
mod print;
mod value;

pub use index::{IndexError, MessageIndexes};
pub use parse::ProtobufSchema;
pub use value::ValueError;

pub(crate) use compat::compatible;
