//! Avro 1.12: schemas, normal forms, compatibility, encodings.

mod binary;
mod canonical;
mod codegen;
mod compat;
mod container;
mod defaults;
mod json_encoding;
mod logical;
mod model;
mod name;
mod outline;
mod parse;
mod print;
mod serde;
mod single_object;
mod value;
mod walk;

pub(crate) use binary::put_long;
pub use binary::{DataError, DataLimits, Decoder, Encoder, Visitor};
pub use canonical::rabin;
pub use compat::can_read;
pub(crate) use compat::compatible;
pub use container::{Codec, ContainerError, ContainerReader, ContainerWriter};
pub use model::{AvroSchema, Enum, Field, Fixed, Kind, LogicalType, Order, Record, Type, TypeId};
pub use name::{Name, PRIMITIVES};
pub use parse::Defaults;
pub use single_object::{put_single_object_header, take_single_object_header};
pub use value::Value;
