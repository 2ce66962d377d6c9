//! Protobuf schema.

use crate::{Direction, Incompatibility, Limits, Path, SchemaError, Source, Stopped, Work, outline::Outline};

/// A Protobuf schema.
#[derive(Debug, Clone)]
pub enum ProtobufSchema {}

impl ProtobufSchema {
    /// Parses a schema and what it refers to.
    pub fn parse_source(_source: &Source, _limits: &Limits) -> Result<ProtobufSchema, SchemaError> {
        Err(SchemaError::new(
            &Path::root(),
            "Protobuf schema is not written yet",
            "use Avro",
        ))
    }

    /// Equal for schemas that mean the same.
    pub fn normal_text(&self) -> String {
        match *self {}
    }

    /// The format-neutral view.
    pub fn outline(&self) -> Outline {
        match *self {}
    }
}

pub(crate) fn compatible(
    _direction: Direction,
    new: &ProtobufSchema,
    _old: &ProtobufSchema,
    _work: &mut Work<'_>,
    _found: &mut Vec<Incompatibility>,
) -> Result<(), Stopped> {
    match *new {}
}
