//! Defaults are data: each must be a value of its field's type.

use super::model::{AvroSchema, Kind, Record, TypeId};
use crate::{Path, SchemaError, text::Json};

/// Values looked at for the defaults of one schema. A default of a record takes in the defaults of its fields, which
/// can grow without bound.
const VALUES_MAX: usize = 100_000;
/// Records inside records of one default.
const DEPTH_MAX: usize = 64;

/// Checks every default of a schema.
pub(super) fn check(schema: &AvroSchema) -> Result<(), SchemaError> {
    let mut check = Check { schema, values: 0 };
    super::walk::each_record(schema, &mut |record, path| check.record(record, path))
}

struct Check<'a> {
    schema: &'a AvroSchema,
    values: usize,
}

impl Check<'_> {
    fn record(&mut self, record: &Record, path: &Path) -> Result<(), SchemaError> {
        for field in &record.fields {
            let Some(default) = &field.default else { continue };
            self.value(field.schema, default, 1).map_err(|what| {
                let path = path.field(&field.name);
                SchemaError::new(
                    &path,
                    format!("the default {}: {what}", short(default)),
                    mend(self.schema, field.schema),
                )
            })?;
        }
        Ok(())
    }

    fn value(&mut self, id: TypeId, json: &Json, depth: usize) -> Result<(), String> {
        self.values += 1;
        if self.values > VALUES_MAX || depth > DEPTH_MAX {
            return Err("it is endless or too large".into());
        }
        match self.schema.kind(id) {
            Kind::Array(items) => self.all(*items, json.as_array().ok_or("not an array")?.iter(), depth),
            Kind::Map(values) => {
                let members = json.as_object().ok_or("not an object")?;
                self.all(*values, members.iter().map(|(_, value)| value), depth)
            }
            Kind::Union(branches) => self.union(branches, json, depth),
            Kind::Record(record) => self.fields(record, json, depth),
            simple => check_simple(simple, json),
        }
    }

    fn all<'j>(
        &mut self,
        id: TypeId,
        items: impl Iterator<Item = &'j Json>,
        depth: usize,
    ) -> Result<(), String> {
        for item in items {
            self.value(id, item, depth + 1)?;
        }
        Ok(())
    }

    fn union(&mut self, branches: &[TypeId], json: &Json, depth: usize) -> Result<(), String> {
        for branch in branches {
            if self.value(*branch, json, depth + 1).is_ok() {
                return Ok(());
            }
        }
        Err("it is of no branch of the union".into())
    }

    fn fields(&mut self, record: &Record, json: &Json, depth: usize) -> Result<(), String> {
        let members = json.as_object().ok_or("not an object")?;
        for field in &record.fields {
            let given = members
                .iter()
                .find(|(name, _)| *name == field.name)
                .map(|(_, value)| value);
            let Some(value) = given.or(field.default.as_ref()) else {
                return Err(format!(
                    "the field {} is missing and has no default itself",
                    field.name
                ));
            };
            self.value(field.schema, value, depth + 1)
                .map_err(|what| format!("in {}: {what}", field.name))?;
        }
        Ok(())
    }
}

/// Whether `json` is the default of a type that holds no others.
pub(super) fn check_simple(kind: &Kind, json: &Json) -> Result<(), String> {
    let ok = match kind {
        Kind::Null => *json == Json::Null,
        Kind::Boolean => json.as_bool().is_some(),
        Kind::Int => json.as_i64().is_some_and(|value| i32::try_from(value).is_ok()),
        Kind::Long => json.as_i64().is_some(),
        Kind::Float | Kind::Double => {
            json.as_f64().is_some() || json.as_str().is_some_and(|text| special_float(text).is_some())
        }
        Kind::String => json.as_str().is_some(),
        Kind::Bytes => json
            .as_str()
            .is_some_and(|text| text.chars().all(|c| u32::from(c) < 256)),
        Kind::Fixed(fixed) => json.as_str().is_some_and(|text| {
            text.chars().all(|c| u32::from(c) < 256) && text.chars().count() == fixed.size
        }),
        Kind::Enum(symbols) => json
            .as_str()
            .is_some_and(|text| symbols.symbols.iter().any(|s| s == text)),
        _ => false,
    };
    if ok {
        Ok(())
    } else {
        Err(format!("not a value of {}", kind.label()))
    }
}

/// The floating-point numbers that are none, by the words that stand for them in JSON.
pub(super) fn special_float(text: &str) -> Option<f64> {
    match text {
        "NaN" => Some(f64::NAN),
        "Infinity" | "INF" => Some(f64::INFINITY),
        "-Infinity" | "-INF" => Some(f64::NEG_INFINITY),
        _ => None,
    }
}

fn short(json: &Json) -> String {
    let text = json.to_string();
    if text.len() <= 60 {
        text
    } else {
        text.chars().take(57).chain("...".chars()).collect()
    }
}

fn mend(schema: &AvroSchema, id: TypeId) -> String {
    match schema.kind(id) {
        Kind::Union(branches) => {
            let labels: Vec<_> = branches.iter().map(|branch| schema.label(*branch)).collect();
            format!("write a value of one of {}", labels.join(", "))
        }
        Kind::Bytes | Kind::Fixed(_) => {
            "write a string whose characters U+0000 to U+00FF are the bytes, as many as the type holds".into()
        }
        Kind::Enum(symbols) => format!("write one of {}", symbols.symbols.join(", ")),
        kind => format!("write a value of type {}", kind.label()),
    }
}
