//! JSON Schema: drafts 4, 6, 7, 2019-09 and 2020-12.
//!
//! Owns reading a schema with what it refers to, validating values, the normal form, the outline and compatibility.
//! Validation itself is the `jsonschema` crate's; nothing is ever fetched: a reference that was not handed over is an
//! error that names it.

mod compat;
mod draft;
mod keyword;
mod outline;
mod parse;
mod read;
mod refs;
mod validate;

pub use compat::LENIENT_ALLOWS;
pub use draft::Draft;
pub use parse::{JsonSchema, Options};
pub use validate::Violation;

pub(crate) use compat::compatible;
