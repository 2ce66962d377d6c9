//! Avro 1.12: schemas, normal forms, compatibility, encodings.

mod binary;
mod canonical;
mod compat;
mod defaults;
mod logical;
mod model;
mod name;
mod outline;
mod parse;
mod print;
mod value;
mod walk;

pub use binary::{DataError, DataLimits, Decoder, Encoder, Visitor};
pub use canonical::rabin;
pub use compat::can_read;
pub(crate) use compat::compatible;
pub use model::{AvroSchema, Enum, Field, Fixed, Kind, LogicalType, Order, Record, Type, TypeId};
pub use name::{Name, PRIMITIVES};
pub use parse::Defaults;
pub use value::Value;
