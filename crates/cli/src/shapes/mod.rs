//! The shapes of what commands answer with `-o json`: one table, from which `-o help` (a JSON Schema, 2020-12) and
//! `docs/reference/json.md` are made, and by which `tests/cli` checks real answers.
//!
//! A shape's name has its version: `ottla.topic.list.v1`. Fields may be added under a version; one that goes or
//! changes its meaning makes the next.

mod page;
mod table;

use serde_json::{Map, Value, json};

pub use page::page;
pub(crate) use table::{SHAPES, WITHOUT};

/// What a field holds.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Holds {
    Text,
    Number,
    /// A number that need not be whole.
    Fraction,
    Switch,
    Texts,
    Numbers,
    /// A list of objects.
    Objects(&'static [Field]),
    /// Objects under names that are not known before, with texts under such names.
    NamesOfNames,
    /// A list of pairs of a name and a text or null.
    Pairs,
}

/// A field of an object.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) holds: Holds,
    /// Null where there is nothing to say.
    pub(crate) nullable: bool,
    pub(crate) about: &'static str,
}

/// What a command answers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    /// The command's words.
    pub(crate) words: &'static [&'static str],
    /// When this is what it answers, if it has more than one shape.
    pub(crate) when: Option<&'static str>,
    /// The name of the list; empty if each line is an object of its own.
    pub(crate) rows: &'static str,
    pub(crate) fields: &'static [Field],
    /// Beside the list.
    pub(crate) more: &'static [Field],
}

const ERROR: &[Field] = &[
    Field::text("item", "what it is about, such as a topic"),
    Field::text("code", "the error's name, Kafka's where it has one"),
    Field::text("message", "what went wrong"),
    Field::text("hint", "what to do about it").or_null(),
];

/// The failure of a whole command, on stderr.
const FAILURE: &[Field] = &[
    Field::text(
        "code",
        "the error's name: Kafka's, or failed, usage, unreachable, not_authorized, check_failed, interrupted",
    ),
    Field::text("message", "what went wrong"),
    Field::text("hint", "what to do about it").or_null(),
];

impl Field {
    pub(crate) const fn text(name: &'static str, about: &'static str) -> Field {
        Field::new(name, Holds::Text, about)
    }

    pub(crate) const fn number(name: &'static str, about: &'static str) -> Field {
        Field::new(name, Holds::Number, about)
    }

    pub(crate) const fn fraction(name: &'static str, about: &'static str) -> Field {
        Field::new(name, Holds::Fraction, about)
    }

    pub(crate) const fn switch(name: &'static str, about: &'static str) -> Field {
        Field::new(name, Holds::Switch, about)
    }

    pub(crate) const fn new(name: &'static str, holds: Holds, about: &'static str) -> Field {
        Field {
            name,
            holds,
            nullable: false,
            about,
        }
    }

    pub(crate) const fn or_null(mut self) -> Field {
        self.nullable = true;
        self
    }

    fn schema(&self) -> Value {
        let list = |of: &str| json!({"type": "array", "items": {"type": of}});
        let names = json!({"type": "object", "additionalProperties": {"type": "string"}});
        let mut schema = match self.holds {
            Holds::Text => json!({"type": "string"}),
            Holds::Number => json!({"type": "integer"}),
            Holds::Fraction => json!({"type": "number"}),
            Holds::Switch => json!({"type": "boolean"}),
            Holds::Texts => list("string"),
            Holds::Numbers => list("integer"),
            Holds::Objects(fields) => json!({"type": "array", "items": object(fields)}),
            Holds::NamesOfNames => json!({"type": "object", "additionalProperties": names}),
            Holds::Pairs => json!({
                "type": "array",
                "items": {"type": "array", "items": {"type": ["string", "null"]}, "minItems": 2, "maxItems": 2}
            }),
        };
        if let (true, Some(kind)) = (self.nullable, schema.get("type").cloned()) {
            schema["type"] = json!([kind, "null"]);
        }
        schema["description"] = json!(self.about);
        schema
    }
}

/// An object with these fields, all of them, and perhaps others that a later release adds.
fn object(fields: &[Field]) -> Value {
    let properties: Map<String, Value> = fields
        .iter()
        .map(|field| (field.name.to_owned(), field.schema()))
        .collect();
    let names: Vec<&str> = fields.iter().map(|field| field.name).collect();
    json!({"type": "object", "properties": properties, "required": names})
}

/// The name of a command's shape.
pub(crate) fn name(words: &[&str]) -> String {
    format!("ottla.{}.v1", words.join("."))
}

impl Shape {
    fn schema(&self) -> Value {
        if self.rows.is_empty() {
            return object(self.fields);
        }
        let mut whole = object(self.more);
        let fixed = [
            ("schema", json!({"const": name(self.words)})),
            (self.rows, json!({"type": "array", "items": object(self.fields)})),
            ("errors", json!({"type": "array", "items": object(ERROR)})),
            (
                "dry_run",
                json!({"type": "boolean", "description": "nothing was changed"}),
            ),
        ];
        let mut required: Vec<Value> = whole["required"].as_array().cloned().unwrap_or_default();
        for (field, schema) in fixed {
            whole["properties"][field] = schema;
            required.push(json!(field));
        }
        whole["required"] = json!(required);
        whole
    }
}

/// The JSON Schema of a command's answer, and of its failure; `None` if it has no JSON.
pub(crate) fn schema(words: &[&str]) -> Option<Value> {
    let of: Vec<Value> = SHAPES
        .iter()
        .filter(|shape| shape.words == words)
        .map(Shape::schema)
        .collect();
    let mut schema = match of.len() {
        0 => return None,
        1 => of.into_iter().next()?,
        _ => json!({"oneOf": of}),
    };
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["$id"] = json!(name(words));
    schema["$defs"] = json!({"failure": {
        "description": "on stderr in place of the answer, if the whole command failed",
        "type": "object",
        "properties": {"schema": {"const": "ottla.error.v1"}, "error": object(FAILURE)},
        "required": ["schema", "error"],
    }});
    Some(schema)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_a_published_shape_or_none_at_all() {
        for command in crate::COMMANDS {
            let has = SHAPES.iter().any(|shape| shape.words == command.path);
            let has_not = WITHOUT.contains(&command.path);
            assert!(
                has != has_not,
                "{}: a row of shapes/table.rs, or of WITHOUT",
                command.words()
            );
        }
    }

    #[test]
    fn a_schema_names_every_field_and_what_it_holds() {
        let schema = schema(&["topic", "create"]).expect("published");
        let row = &schema["properties"]["topics"]["items"];
        assert_eq!(
            row["properties"]["partitions"]["type"],
            json!(["integer", "null"])
        );
        assert_eq!(row["properties"]["created"]["type"], json!("boolean"));
        assert_eq!(
            schema["properties"]["schema"]["const"],
            json!("ottla.topic.create.v1")
        );
        assert!(
            schema["required"]
                .as_array()
                .is_some_and(|names| names.contains(&json!("errors")))
        );
        assert_eq!(super::schema(&["man"]), None);
    }
}
