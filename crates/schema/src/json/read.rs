//! JSON text to a value, with a bound on nesting that is checked before anything is built.

use serde::de::Deserialize;
use serde_json::Value;

use crate::{Path, SchemaError};

/// Reads one JSON value that nests at most `nesting_max` deep.
pub(crate) fn read(path: &Path, text: &str, nesting_max: usize) -> Result<Value, SchemaError> {
    let nesting = nesting(text);
    if nesting > nesting_max {
        return Err(SchemaError::new(
            path,
            format!("the text nests {nesting} deep, at most {nesting_max} are allowed"),
            "flatten the schema, or name the inner parts and refer to them",
        ));
    }
    let mut reader = serde_json::Deserializer::from_str(text);
    reader.disable_recursion_limit(); // Bounded above, by what we allow rather than by what the reader does.
    let value = Value::deserialize(&mut reader).and_then(|value| reader.end().map(|()| value));
    value.map_err(|error| {
        SchemaError::new(
            path,
            format!("no JSON: {error}"),
            "write one JSON value, a schema is an object or a boolean",
        )
    })
}

/// The deepest nesting of brackets outside strings; of text that is no JSON, some upper bound.
fn nesting(text: &str) -> usize {
    let (mut depth, mut deepest) = (0usize, 0usize);
    let mut in_string = false;
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => in_string = !in_string,
            b'\\' if in_string => {
                bytes.next();
            }
            b'{' | b'[' if !in_string => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nesting_is_bounded_before_anything_is_built() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(read(&Path::root(), &nested(300), 300).is_ok());
        assert!(
            read(&Path::root(), &nested(301), 300)
                .unwrap_err()
                .what
                .contains("301 deep")
        );
        assert!(read(&Path::root(), &"[".repeat(1_000_000), 300).is_err());
        assert_eq!(nesting(r#"{"[[[\"[": ["]"]}"#), 2);
    }

    #[test]
    fn text_that_is_no_json_says_where() {
        let error = read(&Path::root(), "{\"a\": }", 10).unwrap_err();
        assert!(error.what.contains("line 1 column"), "{error}");
        assert!(read(&Path::root(), "{} {}", 10).is_err());
    }
}
