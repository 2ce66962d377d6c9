//! EF02x: how a schema is put together.

use std::collections::HashSet;

use super::{
    super::{
        Example, Input, Needs, Rule, Severity,
        rule::{ALL, AVRO},
        tree::{self, Found},
        words,
    },
    documents,
};
use crate::{
    Format, Schema,
    outline::{Outline, Shape, ShapeKind},
    text::Json,
};

const DEPTH_MAX: usize = 4;
const FIELDS_MAX: usize = 200;
const TEXT_BYTES_MAX: usize = 64 * 1024;

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "EF020",
        severity: Severity::Error,
        formats: ALL,
        needs: Needs::Schema,
        asks: "No union but null and one type; a Protobuf oneof is documented; a JSON oneOf has a discriminator",
        why: "Every reader has to tell the branches apart, and tables have no column for them",
        fails: Example::avro(
            r#"{"type":"record","name":"A","fields":[{"name":"value","type":["string","long"]}]}"#,
        ),
        passes: Example::avro(
            r#"{"type":"record","name":"A","fields":[{"name":"value","type":["null","string"],"default":null}]}"#,
        ),
        check: no_needless_unions,
    },
    Rule {
        id: "EF021",
        severity: Severity::Error,
        formats: AVRO,
        needs: Needs::Schema,
        asks: "What may be missing is a union of null and the type, null first, with null as default",
        why: "Only the first branch of a union can be the default, and only with a default can a reader do without the field",
        fails: Example::avro(
            r#"{"type":"record","name":"A","fields":[{"name":"note","type":["string","null"]}]}"#,
        ),
        passes: Example::avro(
            r#"{"type":"record","name":"A","fields":[{"name":"note","type":["null","string"],"default":null}]}"#,
        ),
        check: null_comes_first,
    },
    Rule {
        id: "EF022",
        severity: Severity::Error,
        formats: ALL,
        needs: Needs::Schema,
        asks: "No type holds itself, directly or through others",
        why: "Depth has no bound then, and tables cannot hold it",
        fails: Example::avro(
            r#"{"type":"record","name":"Node","fields":[{"name":"next","type":["null","Node"],"default":null}]}"#,
        ),
        passes: Example::avro(
            r#"{"type":"record","name":"Node","fields":[{"name":"next_id","type":["null","string"],"default":null}]}"#,
        ),
        check: no_recursion,
    },
    Rule {
        id: "EF023",
        severity: Severity::Warning,
        formats: ALL,
        needs: Needs::Schema,
        asks: "Records nest at most four deep, have at most 200 fields, and the text at most 64 KiB",
        why: "Beyond that nobody reads it, and one event is probably several",
        fails: Example::avro(
            r#"{"type":"record","name":"A","fields":[{"name":"b","type":{"type":"record","name":"B","fields":[{"name":"c","type":{"type":"record","name":"C","fields":[{"name":"d","type":{"type":"record","name":"D","fields":[{"name":"e","type":{"type":"record","name":"E","fields":[]}}]}}]}}]}}]}"#,
        ),
        passes: Example::avro(
            r#"{"type":"record","name":"A","fields":[{"name":"b","type":{"type":"record","name":"B","fields":[]}}]}"#,
        ),
        check: sizes,
    },
    Rule {
        id: "EF024",
        severity: Severity::Warning,
        formats: ALL,
        needs: Needs::Schema,
        asks: "No map of unions or of anything, no JSON inside a string or bytes, no object without properties",
        why: "What the schema does not say, nobody checks",
        fails: Example::avro(
            r#"{"type":"record","name":"A","fields":[{"name":"payload_json","type":"string","doc":"The rest, as JSON."}]}"#,
        ),
        passes: Example::avro(
            r#"{"type":"record","name":"A","fields":[{"name":"labels","type":{"type":"map","values":"string"}}]}"#,
        ),
        check: nothing_untyped,
    },
    documents::NULL_ITEMS,
];

fn no_needless_unions(input: &Input<'_>, found: &mut Found) {
    for (_, field) in input.fields() {
        tree::each(&field.shape, &mut |shape| {
            let ShapeKind::Union(parts) = &shape.kind else {
                return;
            };
            let others = parts.iter().filter(|part| part.kind != ShapeKind::Null).count();
            if others < 2 || is_told_apart(shape) {
                return;
            }
            let mend = match input.outline.format {
                Format::Json => {
                    "name the property that tells the branches apart (discriminator), or use one type"
                }
                _ => "use one type, a record with optional fields, or one topic a type",
            };
            found.say(
                &field.path,
                format!("{} holds one of {others} types", field.name),
                mend,
            );
        });
    }
    if let Schema::Protobuf(schema) = input.schema {
        for (path, name, doc) in schema.oneofs() {
            if doc.is_none() {
                found.say(
                    &path,
                    format!("nothing says what the oneof {name} decides"),
                    "say what each choice means, and what it means when none is set",
                );
            }
        }
    }
}

fn is_told_apart(shape: &Shape) -> bool {
    shape
        .props
        .iter()
        .any(|(name, value)| name == "discriminator" && matches!(value, Json::Object(_) | Json::String(_)))
}

fn null_comes_first(input: &Input<'_>, found: &mut Found) {
    for (_, field) in input.fields() {
        let ShapeKind::Union(parts) = &field.shape.kind else {
            continue;
        };
        let Some(null) = parts.iter().position(|part| part.kind == ShapeKind::Null) else {
            continue;
        };
        if null != 0 {
            found.say(
                &field.path,
                format!("null is not the first branch of {}", field.name),
                "write [\"null\", ...] with \"default\": null",
            );
        } else if field.default != Some(Json::Null) {
            found.say(
                &field.path,
                format!("{} may be null, but has no default", field.name),
                "add \"default\": null",
            );
        }
    }
}

fn no_recursion(input: &Input<'_>, found: &mut Found) {
    for (position, declared) in input
        .outline
        .types
        .iter()
        .enumerate()
        .filter(|(_, declared)| !declared.referenced)
    {
        let mut seen = HashSet::new();
        let mut open = vec![position];
        while let Some(at) = open.pop() {
            let inner = input
                .outline
                .types
                .get(at)
                .into_iter()
                .flat_map(|inner| &inner.fields);
            for reached in inner.flat_map(|field| positions(&field.shape)) {
                if reached == position {
                    found.say(
                        &declared.path,
                        format!("{} holds itself", declared.name),
                        "refer to the other one by its id",
                    );
                    open.clear();
                    break;
                }
                if seen.insert(reached) {
                    open.push(reached);
                }
            }
        }
    }
}

/// The types that a shape names.
pub(super) fn positions(shape: &Shape) -> Vec<usize> {
    let mut found = Vec::new();
    tree::each(shape, &mut |shape| {
        if let ShapeKind::Named(position) = shape.kind {
            found.push(position);
        }
    });
    found
}

fn sizes(input: &Input<'_>, found: &mut Found) {
    if let Some(root) = input.root() {
        let depth = depth(&input.outline, &input.outline.root, &mut Vec::new());
        if depth > DEPTH_MAX {
            found.say(
                &root.path,
                format!("records nest {depth} deep"),
                "flatten, or split the event",
            );
        }
    }
    for record in input.records().filter(|record| record.fields.len() > FIELDS_MAX) {
        found.say(
            &record.path,
            format!("{} has {} fields", record.name, record.fields.len()),
            "split it by what changes together",
        );
    }
    if input.text_bytes > TEXT_BYTES_MAX {
        found.say(
            &crate::Path::root(),
            format!("the schema has {} bytes", input.text_bytes),
            "move shared types into schemas of their own and refer to them",
        );
    }
}

/// Records inside records; a type that holds itself counts once.
fn depth(outline: &Outline, shape: &Shape, open: &mut Vec<usize>) -> usize {
    let mut deepest = 0;
    for position in positions(shape) {
        if open.contains(&position) || open.len() > 32 {
            continue;
        }
        let Some(declared) = outline.types.get(position).filter(|declared| {
            !declared.fields.is_empty()
                || open.is_empty()
                || declared.kind == crate::outline::TypeKind::Record
        }) else {
            continue;
        };
        open.push(position);
        let inner = declared
            .fields
            .iter()
            .map(|field| depth(outline, &field.shape, open))
            .max()
            .unwrap_or_default();
        open.pop();
        deepest = deepest.max(inner + usize::from(declared.kind == crate::outline::TypeKind::Record));
    }
    deepest
}

fn nothing_untyped(input: &Input<'_>, found: &mut Found) {
    for (_, field) in input.fields() {
        let is_text = matches!(
            tree::leaf(&field.shape).kind,
            ShapeKind::String | ShapeKind::Bytes
        );
        let says_json = words::words(&field.name).contains(&"json".to_owned())
            || tree::prop(field, "contentMediaType")
                .and_then(Json::as_str)
                .is_some_and(|media| media.contains("json"))
            || words::says(
                tree::doc(field),
                &[
                    "as json",
                    "json string",
                    "json encoded",
                    "in json",
                    "serialized json",
                ],
            );
        if is_text && says_json {
            found.say(
                &field.path,
                format!("{} hides JSON inside text", field.name),
                "declare what is inside as a record",
            );
        }
        tree::each(&field.shape, &mut |shape| match &shape.kind {
            ShapeKind::Any => found.say(
                &field.path,
                format!("{} may be anything", field.name),
                "declare its type",
            ),
            ShapeKind::Map(values) if is_open(values) => {
                found.say(
                    &field.path,
                    format!("the values of {} have more than one type", field.name),
                    "declare one type for the values",
                );
            }
            _ => {}
        });
    }
}

fn is_open(values: &Shape) -> bool {
    match &values.kind {
        ShapeKind::Union(parts) => parts.iter().filter(|part| part.kind != ShapeKind::Null).count() > 1,
        _ => false,
    }
}
