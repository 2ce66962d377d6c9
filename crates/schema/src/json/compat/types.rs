//! JSON's types as bits; a number is an integer or has a fraction.

use serde_json::Value;

use super::{Check, facts::Writer};
use crate::{Path, json::refs::Place};

pub(super) const NULL: u8 = 1;
pub(super) const BOOLEAN: u8 = 2;
pub(super) const INTEGER: u8 = 4;
pub(super) const FRACTION: u8 = 8;
pub(super) const STRING: u8 = 16;
pub(super) const ARRAY: u8 = 32;
pub(super) const OBJECT: u8 = 64;
pub(super) const NUMBER: u8 = INTEGER | FRACTION;
pub(super) const ALL: u8 = 127;

/// The bit of every type, one by one.
pub(super) const EACH: [u8; 7] = [NULL, BOOLEAN, INTEGER, FRACTION, STRING, ARRAY, OBJECT];

fn named(name: &str) -> u8 {
    match name {
        "null" => NULL,
        "boolean" => BOOLEAN,
        "integer" => INTEGER,
        "number" => NUMBER,
        "string" => STRING,
        "array" => ARRAY,
        "object" => OBJECT,
        _ => 0,
    }
}

/// The types that the keyword `type` allows.
pub(super) fn stated(schema: &Value) -> u8 {
    match schema {
        Value::Bool(false) => 0,
        _ => match schema.get("type") {
            Some(Value::String(name)) => named(name),
            Some(Value::Array(names)) => names
                .iter()
                .filter_map(Value::as_str)
                .fold(0, |bits, name| bits | named(name)),
            _ => ALL,
        },
    }
}

/// The type of a value.
pub(super) fn of(value: &Value) -> u8 {
    match value {
        Value::Null => NULL,
        Value::Bool(_) => BOOLEAN,
        Value::Number(number) if number.is_i64() || number.is_u64() => INTEGER,
        Value::Number(number) => {
            if number.as_f64().is_some_and(|number| number.fract() == 0.0) {
                INTEGER
            } else {
                FRACTION
            }
        }
        Value::String(_) => STRING,
        Value::Array(_) => ARRAY,
        Value::Object(_) => OBJECT,
    }
}

impl<'s> Check<'_, '_> {
    /// The reader's `type`; what is left of the writer goes on to the other keywords.
    pub(super) fn types(
        &mut self,
        reader: &Place<'s>,
        writer: &Writer<'s>,
        path: &Path,
    ) -> (bool, Writer<'s>) {
        let common = writer.types & stated(reader.value);
        let mut left = writer.clone();
        left.types = common;
        if common == writer.types {
            return (true, left);
        }
        let rule = if common == 0 {
            "TYPE_CHANGED"
        } else {
            "TYPE_NARROWED"
        };
        self.say(rule, path, (reader, &["type"]), (writer, &["type"]));
        (false, left)
    }
}
