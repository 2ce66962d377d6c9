//! From a default in a schema to the value that it stands for.

use super::Fault;
use crate::{
    avro::{
        defaults::{check_simple, special_float},
        model::{AvroSchema, Kind, TypeId},
        value::Value,
    },
    text::Json,
};

/// Values of one default: what it takes in from the defaults of inner fields can grow without bound.
const VALUES_MAX: usize = 100_000;
const DEPTH_MAX: usize = 64;

/// The value of a default. A union takes the first branch that it is of.
pub(in crate::avro) fn default_value(schema: &AvroSchema, id: TypeId, json: &Json) -> Result<Value, Fault> {
    Build { schema, values: 0 }.value(id, json, 1)
}

struct Build<'a> {
    schema: &'a AvroSchema,
    values: usize,
}

impl Build<'_> {
    fn value(&mut self, id: TypeId, json: &Json, depth: usize) -> Result<Value, Fault> {
        self.values += 1;
        if self.values > VALUES_MAX || depth > DEPTH_MAX {
            return Err(Fault::new("the default is endless or too large"));
        }
        match self.schema.kind(id) {
            Kind::Array(items) => {
                let list = json.as_array().ok_or_else(|| Fault::new("not an array"))?;
                let values = list.iter().map(|item| self.value(*items, item, depth + 1));
                Ok(Value::Array(values.collect::<Result<_, _>>()?))
            }
            Kind::Map(values) => {
                let members = json.as_object().ok_or_else(|| Fault::new("not an object"))?;
                let entries = members
                    .iter()
                    .map(|(name, value)| Ok((name.clone(), self.value(*values, value, depth + 1)?)));
                Ok(Value::Map(entries.collect::<Result<_, Fault>>()?))
            }
            Kind::Union(branches) => {
                for (n, branch) in branches.iter().enumerate() {
                    if let Ok(value) = self.value(*branch, json, depth + 1) {
                        return Ok(Value::Union(n as u32, Box::new(value)));
                    }
                }
                Err(Fault::new("not of any branch of the union"))
            }
            Kind::Record(record) => {
                let members = json.as_object().ok_or_else(|| Fault::new("not an object"))?;
                let fields = record.fields.iter().map(|field| {
                    let given = members
                        .iter()
                        .find(|(name, _)| *name == field.name)
                        .map(|(_, value)| value);
                    let json = given.or(field.default.as_ref());
                    let json = json.ok_or_else(|| Fault::new("missing").in_field(&field.name))?;
                    self.value(field.schema, json, depth + 1)
                        .map_err(|fault| fault.in_field(&field.name))
                });
                Ok(Value::Record(fields.collect::<Result<_, _>>()?))
            }
            leaf => simple(leaf, json),
        }
    }
}

fn simple(kind: &Kind, json: &Json) -> Result<Value, Fault> {
    check_simple(kind, json).map_err(Fault::new)?;
    let text = json.as_str().unwrap_or_default();
    let long = json.as_i64().unwrap_or_default();
    Ok(match kind {
        Kind::Boolean => Value::Boolean(json.as_bool().unwrap_or_default()),
        Kind::Int => Value::Int(i32::try_from(long).unwrap_or_default()),
        Kind::Long => Value::Long(long),
        Kind::Float => Value::Float(match json {
            Json::Number(digits) => digits.parse().unwrap_or_default(),
            _ => special_float(text).unwrap_or_default() as f32,
        }),
        Kind::Double => Value::Double(json.as_f64().or_else(|| special_float(text)).unwrap_or_default()),
        Kind::String => Value::String(text.to_owned()),
        Kind::Bytes => Value::Bytes(latin1(text)),
        Kind::Fixed(_) => Value::Fixed(latin1(text)),
        Kind::Enum(symbols) => {
            let place = symbols.symbols.iter().position(|symbol| symbol == text);
            Value::Enum(place.unwrap_or_default() as u32)
        }
        _ => Value::Null,
    })
}

/// The bytes that characters U+0000 to U+00FF stand for.
pub(in crate::avro) fn latin1(text: &str) -> Vec<u8> {
    text.chars().map(|c| u32::from(c) as u8).collect()
}
