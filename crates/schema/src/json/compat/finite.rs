//! Writers that can be few values only: each value is held against the reader itself.

use serde_json::Value;

use super::{Check, facts, facts::Writer, types};
use crate::{Path, Stopped, json::refs::Place};

/// Schemas nested in schemas that one value is held against.
const DEPTH_MAX: usize = 128;
/// Values beyond this many are compared by structure alone.
const VALUES_MAX: usize = 10_000;

impl<'s> Check<'_, '_> {
    /// Whether every value that the writer can be passes the reader; false also when that is not known.
    pub(super) fn values_pass(&mut self, reader: &Place<'s>, writer: &Writer<'s>) -> Result<bool, Stopped> {
        let Some(values) = writer.values().filter(|values| values.len() <= VALUES_MAX) else {
            return Ok(false);
        };
        for value in &values {
            self.work.step()?;
            if holds(reader, value, 0) != Some(true) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The reader's `enum` and `const`.
    pub(super) fn values(&mut self, reader: &Place<'s>, writer: &Writer<'s>, path: &Path) -> bool {
        let listed = reader
            .value
            .get("enum")
            .and_then(Value::as_array)
            .map(Vec::as_slice);
        let one = facts::constant(reader).map(std::slice::from_ref);
        let Some(allowed) = one.or(listed) else {
            return true;
        };
        let keywords = ["enum", "const"];
        let Some(values) = writer.values() else {
            self.say(
                "ENUM_ARRAY_CHANGED",
                path,
                (reader, &keywords),
                (writer, &["type", "enum", "const"]),
            );
            return false;
        };
        if values
            .iter()
            .all(|value| allowed.iter().any(|one| equal(one, value)))
        {
            return true;
        }
        self.say(
            "ENUM_ARRAY_NARROWED",
            path,
            (reader, &keywords),
            (writer, &["type", "enum", "const"]),
        );
        false
    }
}

/// JSON Schema's equality: numbers by value.
pub(super) fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => {
            a == b || (a.as_f64() == b.as_f64() && (a.is_f64() || b.is_f64()))
        }
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(name, a)| b.get(name).is_some_and(|b| equal(a, b)))
        }
        _ => a == b,
    }
}

/// Keywords that are remarks, or that [`holds`] looks at.
const UNDERSTOOD: &[&str] = &[
    "$anchor",
    "$comment",
    "$defs",
    "$id",
    "$ref",
    "$schema",
    "allOf",
    "anyOf",
    "const",
    "default",
    "definitions",
    "deprecated",
    "description",
    "enum",
    "examples",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "format",
    "id",
    "maxLength",
    "maximum",
    "minLength",
    "minimum",
    "not",
    "oneOf",
    "pattern",
    "readOnly",
    "title",
    "type",
    "writeOnly",
];

/// Whether `value` passes the schema, as far as that can be told from the keywords that are understood here.
pub(super) fn holds(schema: &Place<'_>, value: &Value, depth: usize) -> Option<bool> {
    let Some(members) = schema.value.as_object() else {
        return schema.value.as_bool();
    };
    if depth > DEPTH_MAX {
        return None;
    }
    let inner = |part: &Place<'_>| holds(part, value, depth + 1);
    let mut parts: Vec<Option<bool>> = schema.targets().ok()?.iter().map(inner).collect();
    if schema.is_bare_reference() {
        return all(&parts);
    }
    let applies = |name: &str| match types::of(value) {
        // Keywords for other types say nothing about this value.
        types::ARRAY | types::OBJECT => UNDERSTOOD.contains(&name),
        _ => UNDERSTOOD.contains(&name) || is_for_containers(name),
    };
    if !members.keys().all(|name| applies(name)) {
        parts.push(None);
    }
    parts.push(Some(types::stated(schema.value) & types::of(value) != 0));
    if let Some(listed) = members.get("enum").and_then(Value::as_array) {
        parts.push(Some(listed.iter().any(|one| equal(one, value))));
    }
    if let Some(one) = facts::constant(schema) {
        parts.push(Some(equal(one, value)));
    }
    parts.push(scalar(schema, value));
    parts.extend(facts::list(schema, "allOf").iter().map(inner));
    if members.contains_key("anyOf") {
        parts.push(any(&facts::list(schema, "anyOf")
            .iter()
            .map(inner)
            .collect::<Vec<_>>()));
    }
    if members.contains_key("oneOf") {
        let branches: Option<Vec<bool>> = facts::list(schema, "oneOf").iter().map(inner).collect();
        parts.push(branches.map(|branches| branches.iter().filter(|passes| **passes).count() == 1));
    }
    if let Some(not) = schema.member("not") {
        parts.push(inner(&not).map(|passes| !passes));
    }
    all(&parts)
}

fn is_for_containers(name: &str) -> bool {
    let start = [
        "properties",
        "patternProperties",
        "additional",
        "required",
        "items",
        "prefixItems",
        "unevaluated",
    ];
    let bounds = [
        "minItems",
        "maxItems",
        "uniqueItems",
        "minProperties",
        "maxProperties",
        "contains",
        "propertyNames",
    ];
    start.iter().chain(&bounds).any(|known| name.starts_with(known))
        || ["minContains", "maxContains", "dependencies", "dependentRequired"].contains(&name)
}

fn scalar(schema: &Place<'_>, value: &Value) -> Option<bool> {
    match value {
        Value::Number(number) => super::number::holds(schema, number.as_f64()?),
        Value::String(text) => {
            let chars = text.chars().count() as f64;
            let bound = |keyword: &str| schema.value.get(keyword).and_then(Value::as_f64);
            if bound("minLength").is_some_and(|least| chars < least)
                || bound("maxLength").is_some_and(|most| chars > most)
            {
                return Some(false);
            }
            match schema.value.get("pattern").and_then(Value::as_str) {
                None => Some(true),
                Some(pattern) => Some(pattern_matches(pattern, text)?),
            }
        }
        _ => Some(true),
    }
}

/// Patterns are unanchored; one that cannot be read here is not known to match.
pub(super) fn pattern_matches(pattern: &str, text: &str) -> Option<bool> {
    const BYTES_MAX: usize = 1 << 18;
    let expression = regex::RegexBuilder::new(pattern)
        .size_limit(BYTES_MAX)
        .dfa_size_limit(BYTES_MAX)
        .build()
        .ok()?;
    Some(expression.is_match(text))
}

fn all(parts: &[Option<bool>]) -> Option<bool> {
    if parts.contains(&Some(false)) {
        return Some(false);
    }
    (!parts.contains(&None)).then_some(true)
}

fn any(parts: &[Option<bool>]) -> Option<bool> {
    if parts.contains(&Some(true)) {
        return Some(true);
    }
    (!parts.contains(&None)).then_some(false)
}
