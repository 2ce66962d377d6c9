//! EF04x: times, money and ids are declared as such.

use super::super::{
    Example, Input, Needs, Rule, Severity,
    rule::{ALL, AVRO, AVRO_JSON},
    tree::{self, Found},
    words,
};
use crate::{
    Format,
    outline::{FieldDecl, Logical, ShapeKind, TypeDecl},
};

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "EF040",
        severity: Severity::Error,
        formats: ALL,
        needs: Needs::Schema,
        asks: "A point in time is declared as a timestamp or date: logicalType, format: date-time, google.protobuf.Timestamp",
        why: "A bare number has no epoch, no unit and no zone; a bare string has no format",
        fails: Example::avro(
            r#"{"type":"record","name":"A","fields":[{"name":"created_at","type":"long"}]}"#,
        ),
        passes: Example::avro(
            r#"{"type":"record","name":"A","fields":[{"name":"created_at","type":{"type":"long","logicalType":"timestamp-micros"}}]}"#,
        ),
        check: times_are_declared,
    },
    Rule {
        id: "EF041",
        severity: Severity::Error,
        formats: ALL,
        needs: Needs::Schema,
        asks: "Money is a decimal with precision and scale, or a whole number of cents, and has a currency; never a float",
        why: "Floats lose cents, and 10 is not an amount without a currency",
        fails: Example::avro(
            r#"{"type":"record","name":"A","fields":[{"name":"total_price","type":"double"}]}"#,
        ),
        passes: Example::avro(
            r#"{"type":"record","name":"A","fields":[{"name":"total_price","type":{"type":"bytes","logicalType":"decimal","precision":12,"scale":2}},{"name":"currency","type":"string"}]}"#,
        ),
        check: money_is_exact,
    },
    Rule {
        id: "EF042",
        severity: Severity::Info,
        formats: AVRO_JSON,
        needs: Needs::Schema,
        asks: "An id that is documented as a UUID is declared as one",
        why: "It can be stored in 16 bytes and checked",
        fails: Example::avro(
            r#"{"type":"record","name":"A","fields":[{"name":"order_id","type":"string","doc":"The order's UUID."}]}"#,
        ),
        passes: Example::avro(
            r#"{"type":"record","name":"A","fields":[{"name":"order_id","type":{"type":"string","logicalType":"uuid"},"doc":"The order's UUID."}]}"#,
        ),
        check: uuids_are_declared,
    },
    Rule {
        id: "EF043",
        severity: Severity::Error,
        formats: AVRO,
        needs: Needs::Schema,
        asks: "A decimal states its scale",
        why: "The default of 0 is rarely meant, and it cannot be changed later",
        fails: Example::avro(
            r#"{"type":"record","name":"A","fields":[{"name":"weight","type":{"type":"bytes","logicalType":"decimal","precision":9}}]}"#,
        ),
        passes: Example::avro(
            r#"{"type":"record","name":"A","fields":[{"name":"weight","type":{"type":"bytes","logicalType":"decimal","precision":9,"scale":3}}]}"#,
        ),
        check: decimals_state_their_scale,
    },
];

fn times_are_declared(input: &Input<'_>, found: &mut Found) {
    for (_, field) in input.fields() {
        let leaf = tree::leaf(&field.shape);
        let could_be =
            matches!(leaf.kind, ShapeKind::String | ShapeKind::Integer { .. }) && leaf.logical.is_none();
        let has_unit = words::ends_with(
            &field.name,
            &["ms", "us", "ns", "seconds", "minutes", "hours", "days"],
        );
        let named = words::ends_with(&field.name, words::TIMES) && !is_a_span(&field.name);
        let documented = words::says(
            tree::doc(field),
            &["epoch", "unix time", "unix timestamp", "iso 8601", "iso8601"],
        );
        if could_be && ((named && !has_unit) || documented) {
            let mend = match input.outline.format {
                Format::Avro => "use logicalType timestamp-micros (or date) on a long (or int)",
                Format::Json => "add \"format\": \"date-time\" (or \"date\")",
                Format::Protobuf => "use google.protobuf.Timestamp",
            };
            found.say(
                &field.path,
                format!("{} is a time, but not declared as one", field.name),
                mend,
            );
        }
    }
}

/// Names that end like a time and mean how long something took.
fn is_a_span(name: &str) -> bool {
    const SPANS: &[&str] = &[
        "processing",
        "response",
        "wait",
        "lead",
        "travel",
        "run",
        "elapsed",
        "round",
        "up",
        "down",
    ];
    words::words(name)
        .iter()
        .any(|word| SPANS.contains(&word.as_str()))
}

fn money_is_exact(input: &Input<'_>, found: &mut Found) {
    for (record, field) in input.fields() {
        let leaf = tree::leaf(&field.shape);
        let is_money = words::ends_with(&field.name, words::MONEY)
            || words::says(tree::doc(field), &["in cents", "in euros", "in dollars"]);
        let is_value = tree::is_number(leaf) || tree::is_decimal(leaf);
        if !is_money || !is_value || words::ends_with(&field.name, &["count", "type", "id"]) {
            continue;
        }
        let in_cents = words::says(&field.name.replace('_', " "), &["cents", "micros", "minor"])
            || words::says(tree::doc(field), &["cents", "minor units", "micros"]);
        let exact = tree::is_decimal(leaf) || (matches!(leaf.kind, ShapeKind::Integer { .. }) && in_cents);
        if !exact {
            let mend = match input.outline.format {
                Format::Avro => "use logicalType decimal with precision and scale",
                Format::Json => {
                    "use a string with \"format\": \"decimal\" and a pattern, or an integer of cents"
                }
                Format::Protobuf => "use google.type.Money, confluent.type.Decimal, or an integer of cents",
            };
            found.say(
                &field.path,
                format!("{} is money, but not exact", field.name),
                mend,
            );
        } else if !has_currency(record, field) {
            found.say(
                &field.path,
                format!("{} has no currency", field.name),
                "add a field currency beside it, or the property currency",
            );
        }
    }
}

fn has_currency(record: &TypeDecl, field: &FieldDecl) -> bool {
    let beside = record
        .fields
        .iter()
        .any(|other| words::words(&other.name).contains(&"currency".to_owned()));
    let in_name = words::ends_with(
        &field.name,
        &["eur", "usd", "gbp", "chf", "jpy", "dollars", "euros"],
    );
    let is_money = tree::leaf(&field.shape).logical == Some(Logical::Other("money".into()));
    beside
        || in_name
        || is_money
        || tree::prop(field, "currency").is_some()
        || words::says(tree::doc(field), &["eur", "usd", "euros", "dollars", "gbp"])
}

fn uuids_are_declared(input: &Input<'_>, found: &mut Found) {
    for (_, field) in input.fields() {
        let leaf = tree::leaf(&field.shape);
        let says_uuid = words::says(tree::doc(field), &["uuid", "guid"])
            || words::ends_with(&field.name, &["uuid", "guid"]);
        if leaf.kind == ShapeKind::String && leaf.logical.is_none() && says_uuid {
            let mend = if input.outline.format == Format::Json {
                "add \"format\": \"uuid\""
            } else {
                "use logicalType uuid"
            };
            found.say(
                &field.path,
                format!("{} is a UUID, but not declared as one", field.name),
                mend,
            );
        }
    }
}

fn decimals_state_their_scale(input: &Input<'_>, found: &mut Found) {
    for (_, field) in input.fields() {
        let leaf = tree::leaf(&field.shape);
        let broken = leaf.logical == Some(Logical::Other("decimal".into()));
        let unstated = matches!(leaf.logical, Some(Logical::Decimal { scale: 0, .. }))
            && tree::prop(field, "scale").is_none();
        let fixed = input
            .named(&field.shape)
            .is_some_and(|named| named.props.iter().any(|(name, _)| name == "scale"));
        if broken || (unstated && !fixed) {
            found.say(
                &field.path,
                format!("the decimal {} does not state precision and scale", field.name),
                "add \"precision\" and \"scale\"",
            );
        }
    }
}
