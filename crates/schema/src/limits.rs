//! Bounds on what a schema may ask of us. Named, configured, tested at the edge.

use crate::{Path, SchemaError};

/// Bounds of one schema with everything it refers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one schema text, its own or a reference's.
    pub text_bytes_max: usize,
    /// Types inside types. The outermost type has depth 1.
    pub depth_max: usize,
    /// Records, enums, fixed, messages and definitions, references included.
    pub named_types_max: usize,
    /// References, direct and further ones.
    pub references_max: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            text_bytes_max: 1 << 20,
            depth_max: 64,
            named_types_max: 10_000,
            references_max: 1_000,
        }
    }
}

impl Limits {
    /// Refuses a text longer than `text_bytes_max`.
    pub fn check_text(&self, path: &Path, text: &str) -> Result<(), SchemaError> {
        if text.len() <= self.text_bytes_max {
            return Ok(());
        }
        Err(SchemaError::new(
            path,
            format!(
                "the schema has {} bytes, at most {} are allowed",
                text.len(),
                self.text_bytes_max
            ),
            "split it into schemas that refer to each other",
        ))
    }

    /// Refuses the type at `depth` (1 is the outermost) when that is deeper than `depth_max`.
    pub fn check_depth(&self, path: &Path, depth: usize) -> Result<(), SchemaError> {
        if depth <= self.depth_max {
            return Ok(());
        }
        Err(SchemaError::new(
            path,
            format!(
                "types are nested {depth} deep, at most {} are allowed",
                self.depth_max
            ),
            "flatten the schema, or name the inner types and refer to them",
        ))
    }

    /// Refuses the `count`th named type when that is more than `named_types_max`.
    pub fn check_named_types(&self, path: &Path, count: usize) -> Result<(), SchemaError> {
        if count <= self.named_types_max {
            return Ok(());
        }
        Err(SchemaError::new(
            path,
            format!("more than {} named types", self.named_types_max),
            "split the schema: one event needs few types",
        ))
    }

    /// Refuses more than `references_max` references.
    pub fn check_references(&self, count: usize) -> Result<(), SchemaError> {
        if count <= self.references_max {
            return Ok(());
        }
        Err(SchemaError::new(
            &Path::root(),
            format!("{count} references, at most {} are allowed", self.references_max),
            "put types that are used together into one schema",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_is_the_last_value_allowed() {
        let limits = Limits {
            text_bytes_max: 3,
            depth_max: 2,
            named_types_max: 1,
            references_max: 1,
        };
        let path = Path::root();
        assert!(limits.check_text(&path, "abc").is_ok());
        assert!(
            limits
                .check_text(&path, "abcd")
                .unwrap_err()
                .what
                .contains("4 bytes")
        );
        assert!(limits.check_depth(&path, 2).is_ok());
        assert!(limits.check_depth(&path, 3).is_err());
        assert!(limits.check_named_types(&path, 1).is_ok());
        assert!(limits.check_named_types(&path, 2).is_err());
        assert!(limits.check_references(1).is_ok());
        assert!(limits.check_references(2).is_err());
    }
}
