//! JSON Schema.

use crate::{Direction, Incompatibility, Limits, Path, SchemaError, Source, Stopped, Work, outline::Outline};

/// A JSON Schema.
#[derive(Debug, Clone)]
pub enum JsonSchema {}

impl JsonSchema {
    /// Parses a schema and what it refers to.
    pub fn parse_source(_source: &Source, _limits: &Limits) -> Result<JsonSchema, SchemaError> {
        Err(SchemaError::new(
            &Path::root(),
            "JSON Schema is not written yet",
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
    new: &JsonSchema,
    _old: &JsonSchema,
    _work: &mut Work<'_>,
    _found: &mut Vec<Incompatibility>,
) -> Result<(), Stopped> {
    match *new {}
}
