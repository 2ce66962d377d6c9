//! Avro's JSON encoding: values as JSON text and back, by their schema.
//!
//! A value of a union stands in an object named for its branch, null alone; bytes and fixed are strings whose
//! characters U+0000 to U+00FF are the bytes. NaN and the infinities, for which JSON has no numbers, are the strings
//! that Java Avro writes.

use std::fmt::Write;

use super::{
    binary::{DataError, Fault, latin1},
    defaults::special_float,
    model::{AvroSchema, Enum, Kind, Record, TypeId},
    value::Value,
};
use crate::text::{Json, parse, write_string};

impl AvroSchema {
    /// The JSON encoding of a value.
    ///
    /// ```
    /// use schema::avro::{AvroSchema, Value};
    /// let schema = AvroSchema::parse(r#"["null", "string"]"#)?;
    /// let value = Value::Union(1, Box::new(Value::String("a".into())));
    /// assert_eq!(schema.value_to_json(&value)?, r#"{"string":"a"}"#);
    /// assert_eq!(schema.value_from_json(r#"{"string": "a"}"#)?, value);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn value_to_json(&self, value: &Value) -> Result<String, DataError> {
        let mut out = String::new();
        write(self, self.root(), value, &mut out)?;
        Ok(out)
    }

    /// The value of a text in JSON encoding. Members of records may stand in any order; all must be there.
    pub fn value_from_json(&self, text: &str) -> Result<Value, DataError> {
        let json = parse(text).map_err(|error| Fault::new(format!("not JSON: {error}")))?;
        self.value_from(&json)
    }

    /// The value of JSON in JSON encoding.
    pub fn value_from(&self, json: &Json) -> Result<Value, DataError> {
        Ok(read(self, self.root(), json)?)
    }
}

/// The name of a branch in JSON encoding: the full name, or the kind.
fn label(schema: &AvroSchema, id: TypeId) -> &str {
    schema.label(id)
}

fn write(schema: &AvroSchema, id: TypeId, value: &Value, out: &mut String) -> Result<(), Fault> {
    // Writing to a string does not fail.
    match (schema.kind(id), value) {
        (Kind::Null, Value::Null) => out.push_str("null"),
        (Kind::Boolean, Value::Boolean(value)) => out.push_str(if *value { "true" } else { "false" }),
        (Kind::Int, Value::Int(value)) => drop(write!(out, "{value}")),
        (Kind::Long, Value::Long(value)) => drop(write!(out, "{value}")),
        (Kind::Float, Value::Float(value)) if value.is_finite() => drop(write!(out, "{value:?}")),
        (Kind::Double, Value::Double(value)) if value.is_finite() => drop(write!(out, "{value:?}")),
        (Kind::Float, Value::Float(value)) => write_special(f64::from(*value), out),
        (Kind::Double, Value::Double(value)) => write_special(*value, out),
        (Kind::String, Value::String(text)) => drop(write_string(out, text)),
        (Kind::Bytes, Value::Bytes(bytes)) => write_bytes(bytes, out),
        (Kind::Fixed(fixed), Value::Fixed(bytes)) if bytes.len() == fixed.size => write_bytes(bytes, out),
        (Kind::Enum(symbols), Value::Enum(place)) => match symbols.symbols.get(*place as usize) {
            Some(symbol) => drop(write!(out, "\"{symbol}\"")),
            None => return Err(Fault::new(format!("the enum has no symbol {place}"))),
        },
        (Kind::Union(branches), Value::Union(place, inner)) => {
            let Some(branch) = branches.get(*place as usize) else {
                return Err(Fault::new(format!(
                    "the union has {} branches, none at {place}",
                    branches.len()
                )));
            };
            write_branch(schema, *branch, inner, out)?;
        }
        (Kind::Array(items), Value::Array(values)) => {
            out.push('[');
            for (n, value) in values.iter().enumerate() {
                separate(n, out);
                write(schema, *items, value, out).map_err(Fault::in_items)?;
            }
            out.push(']');
        }
        (Kind::Map(values), Value::Map(entries)) => {
            out.push('{');
            for (n, (key, value)) in entries.iter().enumerate() {
                separate(n, out);
                let _ = write_string(out, key);
                out.push(':');
                write(schema, *values, value, out).map_err(Fault::in_values)?;
            }
            out.push('}');
        }
        (Kind::Record(record), Value::Record(fields)) if fields.len() == record.fields.len() => {
            out.push('{');
            for (n, (field, value)) in record.fields.iter().zip(fields).enumerate() {
                separate(n, out);
                let _ = write!(out, "\"{}\":", field.name);
                write(schema, field.schema, value, out).map_err(|fault| fault.in_field(&field.name))?;
            }
            out.push('}');
        }
        (kind, value) => {
            let what = format!(
                "a value of kind {} where the schema has {}",
                value.word(),
                kind.label()
            );
            return Err(Fault::new(what));
        }
    }
    Ok(())
}

fn separate(n: usize, out: &mut String) {
    if n > 0 {
        out.push(',');
    }
}

fn write_branch(schema: &AvroSchema, branch: TypeId, value: &Value, out: &mut String) -> Result<(), Fault> {
    if matches!(schema.kind(branch), Kind::Null) {
        return write(schema, branch, value, out);
    }
    let name = label(schema, branch);
    let _ = write!(out, "{{\"{name}\":");
    write(schema, branch, value, out).map_err(|fault| fault.in_branch(name))?;
    out.push('}');
    Ok(())
}

fn write_special(value: f64, out: &mut String) {
    out.push_str(match value {
        value if value.is_nan() => "\"NaN\"",
        value if value > 0.0 => "\"Infinity\"",
        _ => "\"-Infinity\"",
    });
}

fn write_bytes(bytes: &[u8], out: &mut String) {
    let text: String = bytes.iter().map(|byte| char::from(*byte)).collect();
    let _ = write_string(out, &text);
}

fn read(schema: &AvroSchema, id: TypeId, json: &Json) -> Result<Value, Fault> {
    let kind = schema.kind(id);
    let value = match kind {
        Kind::Null if *json == Json::Null => Some(Value::Null),
        Kind::Boolean => json.as_bool().map(Value::Boolean),
        Kind::Int => json
            .as_i64()
            .and_then(|value| i32::try_from(value).ok())
            .map(Value::Int),
        Kind::Long => json.as_i64().map(Value::Long),
        Kind::Float => match json {
            Json::Number(digits) => digits.parse().ok().map(Value::Float),
            other => other
                .as_str()
                .and_then(special_float)
                .map(|value| Value::Float(value as f32)),
        },
        Kind::Double => json
            .as_f64()
            .or_else(|| special_float(json.as_str()?))
            .map(Value::Double),
        Kind::String => json.as_str().map(|text| Value::String(text.to_owned())),
        Kind::Bytes => bytes_of(json).map(Value::Bytes),
        Kind::Fixed(fixed) => bytes_of(json)
            .filter(|bytes| bytes.len() == fixed.size)
            .map(Value::Fixed),
        Kind::Enum(symbols) => symbol_of(symbols, json),
        Kind::Union(branches) => return read_branch(schema, branches, json),
        Kind::Array(items) => match json {
            Json::Array(list) => {
                let values = list
                    .iter()
                    .map(|item| read(schema, *items, item).map_err(Fault::in_items));
                return Ok(Value::Array(values.collect::<Result<_, _>>()?));
            }
            _ => None,
        },
        Kind::Map(values) => match json {
            Json::Object(members) => {
                let entries = members.iter().map(|(key, value)| {
                    let value = read(schema, *values, value).map_err(Fault::in_values)?;
                    Ok((key.clone(), value))
                });
                return Ok(Value::Map(entries.collect::<Result<_, Fault>>()?));
            }
            _ => None,
        },
        Kind::Record(record) => match json {
            Json::Object(members) => return read_record(schema, record, members),
            _ => None,
        },
        Kind::Null => None,
    };
    value.ok_or_else(|| Fault::new(format!("{} where the schema has {}", short(json), kind.label())))
}

fn read_record(schema: &AvroSchema, record: &Record, members: &[(String, Json)]) -> Result<Value, Fault> {
    let unknown = members
        .iter()
        .find(|(name, _)| !record.fields.iter().any(|field| field.name == *name));
    if let Some((name, _)) = unknown {
        return Err(Fault::new(format!("the record has no field {name}")));
    }
    let fields = record.fields.iter().enumerate().map(|(n, field)| {
        let same_place = members.get(n).filter(|(name, _)| *name == field.name);
        let member = same_place.or_else(|| members.iter().find(|(name, _)| *name == field.name));
        let (_, json) = member.ok_or_else(|| Fault::new("the field is missing").in_field(&field.name))?;
        read(schema, field.schema, json).map_err(|fault| fault.in_field(&field.name))
    });
    Ok(Value::Record(fields.collect::<Result<_, _>>()?))
}

fn read_branch(schema: &AvroSchema, branches: &[TypeId], json: &Json) -> Result<Value, Fault> {
    let (name, inner) = match json {
        Json::Null => ("null", json),
        Json::Object(members) => match members.as_slice() {
            [(name, inner)] => (name.as_str(), inner),
            _ => {
                return Err(Fault::new(
                    "a value of a union is null or an object with one member, its branch",
                ));
            }
        },
        other => {
            let what = format!(
                "{} where a union needs an object with one member, its branch",
                short(other)
            );
            return Err(Fault::new(what));
        }
    };
    let place = branches.iter().position(|branch| label(schema, *branch) == name);
    let found = place.and_then(|place| Some((place, branches.get(place)?)));
    let Some((place, branch)) = found else {
        return Err(Fault::new(format!("{name} is no branch of the union")));
    };
    let value = read(schema, *branch, inner).map_err(|fault| fault.in_branch(name))?;
    Ok(Value::Union(place as u32, Box::new(value)))
}

fn bytes_of(json: &Json) -> Option<Vec<u8>> {
    json.as_str()
        .filter(|text| text.chars().all(|c| u32::from(c) < 256))
        .map(latin1)
}

fn symbol_of(symbols: &Enum, json: &Json) -> Option<Value> {
    let text = json.as_str()?;
    let place = symbols.symbols.iter().position(|symbol| symbol == text)?;
    Some(Value::Enum(place as u32))
}

fn short(json: &Json) -> String {
    match json {
        Json::Array(_) | Json::Object(_) => json.kind().to_owned(),
        leaf => leaf.to_string().chars().take(40).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema() -> AvroSchema {
        AvroSchema::parse(
            r#"{"type":"record","name":"n.R","fields":[
                {"name":"b","type":"bytes"},{"name":"d","type":"double"},
                {"name":"u","type":["null","n.R",{"type":"enum","name":"E","symbols":["X","Y"]}]},
                {"name":"m","type":{"type":"map","values":"float"}}]}"#,
        )
        .unwrap()
    }

    #[test]
    fn every_kind_is_written_and_read_back() {
        let inner = Value::Record(vec![
            Value::Bytes(vec![]),
            Value::Double(f64::INFINITY),
            Value::Union(2, Box::new(Value::Enum(1))),
            Value::Map(vec![]),
        ]);
        let value = Value::Record(vec![
            Value::Bytes(vec![0, 255, b'"']),
            Value::Double(1.5),
            Value::Union(1, Box::new(inner)),
            Value::Map(vec![("k".into(), Value::Float(0.1))]),
        ]);
        let text = schema().value_to_json(&value).unwrap();
        let expected = r#"{"b":"\u0000ÿ\"","d":1.5,"u":{"n.R":{"b":"","d":"Infinity","u":{"n.E":"Y"},"m":{}}},"m":{"k":0.1}}"#;
        assert_eq!(text, expected);
        assert_eq!(schema().value_from_json(&text).unwrap(), value);
    }

    #[test]
    fn what_does_not_fit_is_named_with_its_path() {
        let refused = |text: &str| schema().value_from_json(text).unwrap_err().to_string();
        assert_eq!(refused(r#"{"b":"","d":0,"u":null}"#), "/m: the field is missing");
        assert_eq!(
            refused(r#"{"b":"","d":0,"u":{"E":"X"},"m":{}}"#),
            "/u: E is no branch of the union"
        );
        assert_eq!(
            refused(r#"{"b":"","d":0,"u":{"n.E":"Z"},"m":{}}"#),
            "/u/<n.E>: \"Z\" where the schema has n.E"
        );
        assert_eq!(
            refused(r#"{"b":"€","d":0,"u":null,"m":{}}"#),
            "/b: \"€\" where the schema has bytes"
        );
        assert_eq!(
            refused(r#"{"b":"","d":0,"u":null,"m":{},"x":1}"#),
            "/: the record has no field x"
        );
    }
}
