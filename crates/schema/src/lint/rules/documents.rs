//! EF00x: what is written about a schema.

use super::super::{
    Example, Input, Needs, Rule, Severity,
    rule::{ALL, AVRO_JSON},
    tree::{self, Found},
    words,
};
use crate::outline::ShapeKind;

const DOC_CHARS_MIN: usize = 10;

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "EF001",
        severity: Severity::Error,
        formats: ALL,
        needs: Needs::Schema,
        asks: "A record, message or object says what it is, in ten characters or more",
        why: "A reader who does not know the writer has nothing but this text",
        fails: Example::avro(r#"{"type":"record","name":"Order","fields":[]}"#),
        passes: Example::avro(
            r#"{"type":"record","name":"Order","doc":"What a customer asked us to deliver.","fields":[]}"#,
        ),
        check: records_have_doc,
    },
    Rule {
        id: "EF002",
        severity: Severity::Error,
        formats: ALL,
        needs: Needs::Schema,
        asks: "Every field has documentation",
        why: "A name alone is read differently by every team",
        fails: Example::proto("syntax = \"proto3\"; message Order { int64 total = 1; }"),
        passes: Example::proto(
            "syntax = \"proto3\"; message Order {\n  // All items with tax, in cents.\n  int64 total = 1;\n}",
        ),
        check: fields_have_doc,
    },
    Rule {
        id: "EF003",
        severity: Severity::Warning,
        formats: ALL,
        needs: Needs::Schema,
        asks: "Documentation says more than the name, and is finished",
        why: "An echo looks like documentation and hides that there is none",
        fails: Example::avro(
            r#"{"type":"record","name":"A","fields":[{"name":"customer_id","type":"string","doc":"The customer ID."}]}"#,
        ),
        passes: Example::avro(
            r#"{"type":"record","name":"A","fields":[{"name":"customer_id","type":"string","doc":"Who ordered, as the CRM numbers people."}]}"#,
        ),
        check: docs_say_something,
    },
    Rule {
        id: "EF004",
        severity: Severity::Warning,
        formats: ALL,
        needs: Needs::Schema,
        asks: "A number states its unit: in its documentation, by a suffix such as _ms, _bytes or _cents, or by the property unit",
        why: "Seconds read as milliseconds are a thousand times wrong, and nothing fails",
        fails: Example::avro(
            r#"{"type":"record","name":"A","fields":[{"name":"timeout","type":"int","doc":"When to give up."}]}"#,
        ),
        passes: Example::avro(
            r#"{"type":"record","name":"A","fields":[{"name":"timeout_ms","type":"int","doc":"When to give up."}]}"#,
        ),
        check: numbers_have_units,
    },
    Rule {
        id: "EF005",
        severity: Severity::Warning,
        formats: ALL,
        needs: Needs::Subject,
        asks: "The subject's metadata names an owner and a domain",
        why: "Questions and proposals need somebody to go to",
        fails: Example::avro(r#"{"type":"record","name":"A","fields":[]}"#),
        passes: Example::avro(r#"{"type":"record","name":"A","fields":[],"owner":"shop"}"#),
        check: subject_has_owner,
    },
    Rule {
        id: "EF006",
        severity: Severity::Info,
        formats: ALL,
        needs: Needs::Schema,
        asks: "The symbols of an enum are documented, each by its own text or all in the enum's",
        why: "PENDING means something else in every system",
        fails: Example::avro(r#"{"type":"enum","name":"State","symbols":["OPEN","PAID"]}"#),
        passes: Example::avro(
            r#"{"type":"enum","name":"State","doc":"OPEN: nothing paid. PAID: all of it.","symbols":["OPEN","PAID"]}"#,
        ),
        check: symbols_have_doc,
    },
];

fn records_have_doc(input: &Input<'_>, found: &mut Found) {
    for record in input.records() {
        let chars = record.doc.as_deref().unwrap_or_default().trim().chars().count();
        if chars < DOC_CHARS_MIN {
            let what = if chars == 0 {
                "has no documentation"
            } else {
                "has less than ten characters of documentation"
            };
            found.say(
                &record.path,
                format!("{} {what}", called(&record.name)),
                "say what one of these stands for, and when it is written",
            );
        }
    }
}

fn called(name: &str) -> &str {
    if name.is_empty() { "the object" } else { name }
}

fn fields_have_doc(input: &Input<'_>, found: &mut Found) {
    for (_, field) in input.fields().filter(|(_, field)| tree::doc(field).is_empty()) {
        found.say(
            &field.path,
            format!("{} has no documentation", field.name),
            "say what the value means, its unit and where it comes from",
        );
    }
}

fn docs_say_something(input: &Input<'_>, found: &mut Found) {
    let types = input
        .types()
        .map(|declared| (&declared.path, &declared.name, declared.doc.as_deref()));
    let fields = input
        .fields()
        .map(|(_, field)| (&field.path, &field.name, field.doc.as_deref()));
    for (path, name, doc) in types.chain(fields) {
        let Some(doc) = doc.filter(|doc| !doc.trim().is_empty()) else {
            continue;
        };
        if words::says(
            doc,
            &[
                concat!("to", "do"),
                "tbd",
                concat!("fix", "me"),
                "xxx",
                "lorem ipsum",
            ],
        ) {
            found.say(
                path,
                format!("the documentation of {name} is not finished: {doc}"),
                "finish it",
            );
        } else if is_echo(name, doc) {
            found.say(
                path,
                format!("the documentation of {name} says no more than its name: {doc}"),
                "say what the name does not",
            );
        }
    }
}

fn is_echo(name: &str, doc: &str) -> bool {
    const FILLERS: &[&str] = &[
        "a", "an", "the", "of", "this", "is", "field", "value", "record", "for", "message", "type",
    ];
    let names = words::words(name);
    let said = words::text_words(doc);
    said.iter()
        .all(|word| FILLERS.contains(&word.as_str()) || names.contains(word))
}

fn numbers_have_units(input: &Input<'_>, found: &mut Found) {
    for (_, field) in input.fields() {
        let shape = tree::leaf(&field.shape);
        if !tree::is_number(shape) || shape.logical.is_some() {
            continue;
        }
        let doc = tree::doc(field);
        let stated = words::ends_with(&field.name, words::UNITS)
            || words::ends_with(&field.name, words::UNITLESS)
            || words::says(doc, words::UNITS)
            || words::says(doc, words::COUNTS)
            || tree::prop(field, "unit").is_some();
        if !stated {
            found.say(
                &field.path,
                format!("{} is a number without a unit", field.name),
                "name the unit in the documentation, in the name, or as property unit",
            );
        }
    }
}

fn subject_has_owner(input: &Input<'_>, found: &mut Found) {
    let Some(subject) = input.subject else { return };
    let stands = |name: &str| {
        subject
            .properties
            .iter()
            .any(|(key, value)| key == name && !value.is_empty())
    };
    for missing in ["owner", "domain"].into_iter().filter(|name| !stands(name)) {
        found.say(
            &crate::Path::root(),
            format!("the subject {} names no {missing}", subject.name),
            format!("add the metadata property {missing}"),
        );
    }
}

fn symbols_have_doc(input: &Input<'_>, found: &mut Found) {
    for declared in input.enums() {
        let doc = declared.doc.as_deref().unwrap_or_default();
        let open: Vec<&str> = declared
            .symbols
            .iter()
            .filter(|symbol| {
                symbol.doc.as_deref().unwrap_or_default().trim().is_empty() && !doc.contains(&symbol.name)
            })
            .map(|symbol| symbol.name.as_str())
            .collect();
        if !open.is_empty() {
            found.say(
                &declared.path,
                format!("nothing says what {} mean", open.join(", ")),
                "say of each symbol what it means",
            );
        }
    }
}

pub(super) const NULL_ITEMS: Rule = Rule {
    id: "EF025",
    severity: Severity::Warning,
    formats: AVRO_JSON,
    needs: Needs::Schema,
    asks: "Items of arrays and values of maps are not null",
    why: "What is missing can be left out; every reader has to guard against a null",
    fails: Example::avro(
        r#"{"type":"record","name":"A","fields":[{"name":"tags","type":{"type":"array","items":["null","string"]}}]}"#,
    ),
    passes: Example::avro(
        r#"{"type":"record","name":"A","fields":[{"name":"tags","type":{"type":"array","items":"string"}}]}"#,
    ),
    check: no_null_items,
};

fn no_null_items(input: &Input<'_>, found: &mut Found) {
    for (_, field) in input.fields() {
        tree::each(&field.shape, &mut |shape| {
            let (ShapeKind::Array(inner) | ShapeKind::Map(inner)) = &shape.kind else {
                return;
            };
            let ShapeKind::Union(parts) = &inner.kind else {
                return;
            };
            if parts.iter().any(|part| part.kind == ShapeKind::Null) {
                found.say(
                    &field.path,
                    format!("{} may hold null items", field.name),
                    "leave missing items out",
                );
            }
        });
    }
}
