//! LH00x: what the lakehouse can hold.

use std::collections::HashMap;

use super::super::{
    Example, Input, Needs, Rule, Severity,
    rule::ALL,
    tree::{self, Found},
};
use crate::outline::{Logical, Shape, ShapeKind};

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "LH001",
        severity: Severity::Error,
        formats: ALL,
        needs: Needs::Lake,
        asks: "The schema maps to an Iceberg table: no unions but with null, no type inside itself, nothing untyped",
        why: "A table has columns of one type",
        fails: Example::avro(
            r#"{"type":"record","name":"A","fields":[{"name":"x","type":["int","string"]}]}"#,
        ),
        passes: Example::avro(
            r#"{"type":"record","name":"A","fields":[{"name":"x","type":["null","int"],"default":null}]}"#,
        ),
        check: maps_to_a_table,
    },
    Rule {
        id: "LH002",
        severity: Severity::Error,
        formats: ALL,
        needs: Needs::Lake,
        asks: "A change can be said to the table: add, drop, rename, reorder, int to long, float to double, a wider decimal",
        why: "Iceberg cannot change a column in any other way",
        fails: Example::avro(r#"{"type":"record","name":"A","fields":[{"name":"x","type":"double"}]}"#)
            .after(r#"{"type":"record","name":"A","fields":[{"name":"x","type":"int"}]}"#),
        passes: Example::avro(r#"{"type":"record","name":"A","fields":[{"name":"x","type":"long"}]}"#)
            .after(r#"{"type":"record","name":"A","fields":[{"name":"x","type":"int"}]}"#),
        check: changes_are_expressible,
    },
    Rule {
        id: "LH003",
        severity: Severity::Warning,
        formats: ALL,
        needs: Needs::Schema,
        asks: "No two fields differ in case alone, and none begins with _kafka",
        why: "SQL does not tell them apart, and the sink's own columns begin so",
        fails: Example::avro(
            r#"{"type":"record","name":"A","fields":[{"name":"userid","type":"int"},{"name":"userId","type":"int"}]}"#,
        ),
        passes: Example::avro(r#"{"type":"record","name":"A","fields":[{"name":"user_id","type":"int"}]}"#),
        check: columns_are_distinct,
    },
];

fn maps_to_a_table(input: &Input<'_>, found: &mut Found) {
    for (_, field) in input.fields() {
        tree::each(&field.shape, &mut |shape| {
            let why = match &shape.kind {
                ShapeKind::Any => "may be anything",
                ShapeKind::Union(parts)
                    if parts.iter().filter(|part| part.kind != ShapeKind::Null).count() > 1 =>
                {
                    "has more than one type"
                }
                _ => return,
            };
            found.say(
                &field.path,
                format!("{} {why}: no column holds it", field.name),
                "give it one type",
            );
        });
    }
    for (position, declared) in input.outline.types.iter().enumerate() {
        let mut open = vec![position];
        let mut seen = std::collections::HashSet::new();
        while let Some(at) = open.pop() {
            let fields = input
                .outline
                .types
                .get(at)
                .into_iter()
                .flat_map(|inner| &inner.fields);
            for reached in fields.flat_map(|field| super::shapes::positions(&field.shape)) {
                if reached == position && seen.insert(usize::MAX) {
                    found.say(
                        &declared.path,
                        format!("{} holds itself: no column holds it", declared.name),
                        "refer to the other one by its id",
                    );
                }
                if seen.insert(reached) {
                    open.push(reached);
                }
            }
        }
    }
}

fn changes_are_expressible(input: &Input<'_>, found: &mut Found) {
    let Some(previous) = &input.previous_outline else {
        return;
    };
    for (record, field) in input.fields() {
        let before = previous
            .types
            .iter()
            .find(|old| old.name == record.name && old.kind == record.kind);
        let old = before
            .into_iter()
            .flat_map(|old| &old.fields)
            .find(|old| match field.number {
                Some(_) => old.number == field.number,
                None => old.name == field.name || field.aliases.contains(&old.name),
            });
        let Some(old) = old else { continue };
        if !may_become(tree::value(&old.shape), tree::value(&field.shape)) {
            let what = format!(
                "{} was {} and is {}",
                field.name,
                tree::signature(previous, &old.shape),
                tree::signature(&input.outline, &field.shape)
            );
            found.say(&field.path, what, "add a new field, and deprecate this one");
        }
    }
}

/// Iceberg v2's promotions.
fn may_become(old: &Shape, new: &Shape) -> bool {
    if let (
        Some(Logical::Decimal {
            precision: p,
            scale: s,
        }),
        Some(Logical::Decimal { precision, scale }),
    ) = (&old.logical, &new.logical)
    {
        return scale == s && precision >= p;
    }
    if old.logical != new.logical {
        return false;
    }
    match (&old.kind, &new.kind) {
        (ShapeKind::Integer { bits: a, .. }, ShapeKind::Integer { bits: b, .. }) => b >= a || *b == 0,
        (ShapeKind::Float { bits: a }, ShapeKind::Float { bits: b }) => b >= a,
        (ShapeKind::Array(a), ShapeKind::Array(b)) | (ShapeKind::Map(a), ShapeKind::Map(b)) => {
            may_become(tree::value(a), tree::value(b))
        }
        (ShapeKind::Named(_), ShapeKind::Named(_)) => true,
        (a, b) => a == b,
    }
}

fn columns_are_distinct(input: &Input<'_>, found: &mut Found) {
    for record in input.records() {
        let mut seen: HashMap<String, &str> = HashMap::new();
        for field in &record.fields {
            let lower = field.name.to_lowercase();
            if lower.starts_with("_kafka") {
                found.say(
                    &field.path,
                    format!("{} is a name of the sink's own columns", field.name),
                    "do not begin with _kafka",
                );
            }
            if let Some(other) = seen.insert(lower, &field.name) {
                found.say(
                    &field.path,
                    format!("{} and {other} differ in case alone", field.name),
                    "rename one of them",
                );
            }
        }
    }
}
