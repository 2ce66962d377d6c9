//! What is said about a schema that cannot be used.

use crate::Path;

/// Why a schema was refused: where, what was wrong, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {what}; {mend}")]
pub struct SchemaError {
    /// The place inside the schema; `/` is the schema itself.
    pub path: Path,
    /// What was wrong, with the offending text.
    pub what: String,
    /// How to mend it.
    pub mend: String,
}

impl SchemaError {
    /// An error at `path`.
    pub fn new(path: &Path, what: impl Into<String>, mend: impl Into<String>) -> SchemaError {
        SchemaError {
            path: path.clone(),
            what: what.into(),
            mend: mend.into(),
        }
    }
}
