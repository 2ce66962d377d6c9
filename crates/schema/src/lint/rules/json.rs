//! JS00x: JSON Schema alone.

use serde_json::Value;

use super::super::{
    Example, Input, Needs, Rule, Severity,
    rule::JSON,
    tree::{self, Found},
};
use crate::{
    Path, Schema,
    outline::{Logical, ShapeKind},
};

const GOOD: &str = r#"{"$schema":"https://json-schema.org/draft/2020-12/schema","title":"Order","type":"object","additionalProperties":false,"properties":{"note":{"type":"string","maxLength":200}}}"#;

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "JS001",
        severity: Severity::Warning,
        formats: JSON,
        needs: Needs::Schema,
        asks: "The schema states its dialect in $schema",
        why: "Keywords mean different things in different drafts",
        fails: Example::json(r#"{"type":"object"}"#),
        passes: Example::json(GOOD),
        check: dialect_is_stated,
    },
    Rule {
        id: "JS002",
        severity: Severity::Warning,
        formats: JSON,
        needs: Needs::Schema,
        asks: "The schema has a title",
        why: "It is the only name that a JSON Schema has; classes and columns are called by it",
        fails: Example::json(r#"{"type":"object"}"#),
        passes: Example::json(GOOD),
        check: title_stands,
    },
    Rule {
        id: "JS003",
        severity: Severity::Warning,
        formats: JSON,
        needs: Needs::Schema,
        asks: "Every object says whether other properties are allowed",
        why: "The default is open, and an open model can hardly grow: old data may hold anything under a new name",
        fails: Example::json(r#"{"type":"object","properties":{"a":{"type":"string"}}}"#),
        passes: Example::json(GOOD),
        check: openness_is_stated,
    },
    Rule {
        id: "JS004",
        severity: Severity::Warning,
        formats: JSON,
        needs: Needs::Schema,
        asks: "No $ref leads to another host",
        why: "What is fetched at run time can change or be gone",
        fails: Example::json(r#"{"$ref":"http://json-schema.org/draft-07/schema#"}"#),
        passes: Example::json(r##"{"$ref":"#/definitions/a","definitions":{"a":{"type":"string"}}}"##),
        check: no_remote_references,
    },
    Rule {
        id: "JS005",
        severity: Severity::Warning,
        formats: JSON,
        needs: Needs::Schema,
        asks: "Every property has a type",
        why: "Without one it may be anything",
        fails: Example::json(r#"{"type":"object","properties":{"a":{"description":"Something."}}}"#),
        passes: Example::json(GOOD),
        check: properties_are_typed,
    },
    Rule {
        id: "JS006",
        severity: Severity::Warning,
        formats: JSON,
        needs: Needs::Lake,
        asks: "Strings have a maxLength and numbers a maximum",
        why: "A column has a width",
        fails: Example::json(r#"{"type":"object","properties":{"a":{"type":"string"}}}"#),
        passes: Example::json(GOOD),
        check: values_are_bounded,
    },
];

fn root<'a>(input: &'a Input<'_>) -> Option<&'a Value> {
    match input.schema {
        Schema::Json(schema) => Some(schema.root()),
        _ => None,
    }
}

fn dialect_is_stated(input: &Input<'_>, found: &mut Found) {
    if root(input).is_some_and(|root| root.get("$schema").is_none()) {
        let mend = "add \"$schema\": \"https://json-schema.org/draft/2020-12/schema\"";
        found.say(
            &Path::root(),
            "the schema does not say which draft it is written in",
            mend,
        );
    }
}

fn title_stands(input: &Input<'_>, found: &mut Found) {
    let title = root(input)
        .and_then(|root| root.get("title"))
        .and_then(Value::as_str)
        .unwrap_or_default();
    if title.trim().is_empty() {
        found.say(
            &Path::root(),
            "the schema has no title",
            "add a title in PascalCase, such as OrderPlacedEvent",
        );
    }
}

fn openness_is_stated(input: &Input<'_>, found: &mut Found) {
    for record in input.records() {
        let stated = |name: &str| record.props.iter().any(|(key, _)| key == name);
        if !stated("additionalProperties") && !stated("unevaluatedProperties") {
            found.say(
                &record.path,
                "the object does not say whether other properties are allowed",
                "add \"additionalProperties\": false, or true if readers must expect more",
            );
        }
    }
}

fn no_remote_references(input: &Input<'_>, found: &mut Found) {
    let Some(root) = root(input) else { return };
    let own = root
        .get("$id")
        .or(root.get("id"))
        .and_then(Value::as_str)
        .unwrap_or_default();
    let mut open = vec![root];
    while let Some(value) = open.pop() {
        match value {
            Value::Array(items) => open.extend(items),
            Value::Object(members) => {
                let reference = members.get("$ref").and_then(Value::as_str).unwrap_or_default();
                let is_remote = reference.starts_with("http://") || reference.starts_with("https://");
                if is_remote && (own.is_empty() || !reference.starts_with(own)) {
                    found.say(
                        &Path::root(),
                        format!("{reference} leads to another host"),
                        "register it as a reference, and call it by a name of its own",
                    );
                }
                open.extend(members.values());
            }
            _ => {}
        }
    }
}

fn properties_are_typed(input: &Input<'_>, found: &mut Found) {
    for (_, field) in input
        .fields()
        .filter(|(_, field)| field.shape.kind == ShapeKind::Any)
    {
        found.say(&field.path, format!("{} has no type", field.name), "add its type");
    }
}

fn values_are_bounded(input: &Input<'_>, found: &mut Found) {
    for (_, field) in input.fields() {
        let leaf = tree::leaf(&field.shape);
        let wanted: &[&str] = match (&leaf.kind, &leaf.logical) {
            (ShapeKind::String, None | Some(Logical::Other(_))) => &["maxLength"],
            (ShapeKind::Integer { bits: 0, .. }, _) | (ShapeKind::Float { .. }, _) => {
                &["maximum", "exclusiveMaximum"]
            }
            _ => continue,
        };
        if !wanted.iter().any(|name| tree::prop(field, name).is_some()) {
            found.say(
                &field.path,
                format!(
                    "{} has no {}",
                    field.name,
                    wanted.first().copied().unwrap_or_default()
                ),
                "state the most that it may be",
            );
        }
    }
}
