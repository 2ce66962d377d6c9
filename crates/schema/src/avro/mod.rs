//! Avro 1.12: schemas, normal forms, compatibility.

mod compat;
mod defaults;
mod logical;
mod model;
mod name;
mod outline;
mod parse;
mod print;
mod walk;

pub use compat::can_read;
pub(crate) use compat::compatible;
pub use model::{AvroSchema, Enum, Field, Fixed, Kind, LogicalType, Order, Record, Type, TypeId};
pub use name::{Name, PRIMITIVES};
pub use parse::Defaults;
