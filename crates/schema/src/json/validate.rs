//! Values against a schema.

use serde_json::Value;

use super::JsonSchema;
use crate::SchemaError;

/// One reason why a value is not what the schema asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The place in the value, a JSON Pointer (RFC 6901); empty for the whole value.
    pub path: String,
    /// The keyword that refuses it.
    pub keyword: String,
    /// What was wrong.
    pub what: String,
}

/// Violations that are told of one value.
const VIOLATIONS_MAX: usize = 100;

impl JsonSchema {
    /// Every reason why `value` is refused, the first hundred; none when it is valid.
    pub fn validate(&self, value: &Value) -> Vec<Violation> {
        let violation = |error: jsonschema::ValidationError<'_>| Violation {
            path: error.instance_path().as_str().to_owned(),
            keyword: error.kind().keyword().to_owned(),
            what: error.masked().to_string(),
        };
        self.validator()
            .iter_errors(value)
            .take(VIOLATIONS_MAX)
            .map(violation)
            .collect()
    }

    /// Whether `value` is valid: quicker than [`JsonSchema::validate`].
    pub fn is_valid(&self, value: &Value) -> bool {
        self.validator().is_valid(value)
    }

    /// Reads JSON text, nested at most 128 deep, and validates it.
    pub fn validate_text(&self, text: &str) -> Result<Vec<Violation>, SchemaError> {
        super::read::read(&crate::Path::root(), text, 128).map(|value| self.validate(&value))
    }
}
