//! EF03x: enums instead of magic strings and numbers.

use super::super::{
    Example, Input, Needs, Rule, Severity,
    rule::{ALL, AVRO_PROTO},
    tree::{self, Found},
    words,
};
use crate::outline::{FieldDecl, ShapeKind};

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "EF030",
        severity: Severity::Error,
        formats: ALL,
        needs: Needs::Schema,
        asks: "A string that holds one of a few words is an enum: named status, type, kind, state, level, or documented as a list of values",
        why: "Nobody checks a magic string; a spelling mistake becomes a new state",
        fails: Example::avro(
            r#"{"type":"record","name":"A","fields":[{"name":"payment_type","type":"string"}]}"#,
        ),
        passes: Example::avro(
            r#"{"type":"record","name":"A","fields":[{"name":"payment_type","type":{"type":"enum","name":"PaymentType","symbols":["CARD","CASH"]}}]}"#,
        ),
        check: no_magic_strings,
    },
    Rule {
        id: "EF031",
        severity: Severity::Warning,
        formats: ALL,
        needs: Needs::Samples,
        asks: "A string of which at most 32 values were seen in 10,000 records is an enum",
        why: "The data says that it is one",
        fails: Example::avro(r#"{"type":"record","name":"A","fields":[{"name":"channel","type":"string"}]}"#),
        passes: Example::avro(
            r#"{"type":"record","name":"A","fields":[{"name":"channel","type":{"type":"enum","name":"Channel","symbols":["WEB","SHOP"]}}]}"#,
        ),
        check: data_is_no_enum,
    },
    Rule {
        id: "EF032",
        severity: Severity::Warning,
        formats: AVRO_PROTO,
        needs: Needs::Schema,
        asks: "An enum has a default or a symbol for the unknown; in Protobuf the zero value ends with _UNSPECIFIED",
        why: "A reader that meets a new symbol fails otherwise",
        fails: Example::avro(r#"{"type":"enum","name":"State","symbols":["OPEN","PAID"]}"#),
        passes: Example::avro(
            r#"{"type":"enum","name":"State","symbols":["UNKNOWN","OPEN","PAID"],"default":"UNKNOWN"}"#,
        ),
        check: enums_know_the_unknown,
    },
    Rule {
        id: "EF033",
        severity: Severity::Warning,
        formats: ALL,
        needs: Needs::Schema,
        asks: "No magic numbers for types, states and flags, and no Y and N for a boolean",
        why: "3 means something only in the program that wrote it",
        fails: Example::avro(
            r#"{"type":"record","name":"A","fields":[{"name":"order_status","type":"int"}]}"#,
        ),
        passes: Example::avro(
            r#"{"type":"record","name":"A","fields":[{"name":"is_open","type":"boolean"}]}"#,
        ),
        check: no_magic_numbers,
    },
];

fn plain_string(field: &FieldDecl) -> bool {
    let leaf = tree::leaf(&field.shape);
    leaf.kind == ShapeKind::String && leaf.logical.is_none()
}

/// Codes that come from long lists kept elsewhere.
fn is_listed_elsewhere(name: &str) -> bool {
    const LISTS: &[&str] = &[
        "postal", "zip", "country", "currency", "language", "promo", "area", "bar", "qr", "mime", "media",
        "content",
    ];
    words::words(name)
        .iter()
        .any(|word| LISTS.contains(&word.as_str()))
}

fn no_magic_strings(input: &Input<'_>, found: &mut Found) {
    for (_, field) in input.fields().filter(|(_, field)| plain_string(field)) {
        let is_choice =
            words::ends_with(&field.name, words::CHOICES) || words::ends_with(&field.name, &["code"]);
        if is_choice && !is_listed_elsewhere(&field.name) {
            found.say(
                &field.path,
                format!("{} is a magic string", field.name),
                "declare an enum of the values that it may have",
            );
        } else if lists_values(tree::doc(field)) {
            found.say(
                &field.path,
                format!(
                    "the documentation of {} lists values that nothing checks",
                    field.name
                ),
                "declare an enum of them",
            );
        }
    }
}

/// `One of A, B or C`; `"open" | "paid"`; three words in capitals.
fn lists_values(doc: &str) -> bool {
    let phrases = [
        "one of",
        "either",
        "possible values",
        "valid values",
        "allowed values",
        "values are",
    ];
    let shouted = doc
        .split(|letter: char| !letter.is_alphanumeric() && letter != '_')
        .filter(|word| word.len() > 1 && words::is_upper_snake(word))
        .count();
    let quoted = doc.matches('"').count() / 2 + doc.matches('`').count() / 2 + doc.matches('\'').count() / 2;
    let separated = doc.matches('|').count() >= 1 || doc.matches(" / ").count() >= 2;
    (words::says(doc, &phrases) && (shouted + quoted >= 2 || doc.contains(',')))
        || shouted >= 3
        || (separated && quoted + shouted >= 2)
}

fn data_is_no_enum(input: &Input<'_>, found: &mut Found) {
    const DISTINCT_MAX: u64 = 32;
    const RECORDS_MIN: u64 = 10_000;
    for (_, field) in input.fields().filter(|(_, field)| plain_string(field)) {
        let seen = input
            .samples
            .iter()
            .find(|samples| samples.path == field.path.as_str());
        if let Some(seen) = seen.filter(|seen| seen.records >= RECORDS_MIN && seen.distinct <= DISTINCT_MAX) {
            let what = format!(
                "{} had {} values in {} records",
                field.name, seen.distinct, seen.records
            );
            found.say(&field.path, what, "declare an enum of them");
        }
    }
}

fn enums_know_the_unknown(input: &Input<'_>, found: &mut Found) {
    for declared in input.enums() {
        let first = declared
            .symbols
            .first()
            .map(|symbol| symbol.name.as_str())
            .unwrap_or_default();
        let is_unknown = |name: &str| {
            ["UNKNOWN", "UNSPECIFIED", "UNRECOGNIZED", "OTHER"]
                .iter()
                .any(|end| name.ends_with(end))
        };
        if input.outline.format == crate::Format::Protobuf {
            if !first.ends_with("_UNSPECIFIED") {
                found.say(
                    &declared.path,
                    format!("the zero value of {} is {first}", declared.name),
                    "begin with a value that ends with _UNSPECIFIED and has number 0",
                );
            }
        } else if declared.default_symbol.is_none()
            && !declared.symbols.iter().any(|symbol| is_unknown(&symbol.name))
        {
            found.say(
                &declared.path,
                format!(
                    "a reader of {} fails at a symbol that it does not know",
                    declared.name
                ),
                "add a symbol UNKNOWN and make it the default",
            );
        }
    }
}

fn no_magic_numbers(input: &Input<'_>, found: &mut Found) {
    for (_, field) in input.fields() {
        let leaf = tree::leaf(&field.shape);
        let is_integer = matches!(leaf.kind, ShapeKind::Integer { .. }) && leaf.logical.is_none();
        if is_integer && words::ends_with(&field.name, &["type", "status", "flag", "state", "kind"]) {
            found.say(
                &field.path,
                format!("{} is a magic number", field.name),
                "declare an enum, or a boolean for a flag",
            );
        }
        let symbols: Vec<String> = input
            .named(&field.shape)
            .map(|declared| {
                declared
                    .symbols
                    .iter()
                    .map(|symbol| symbol.name.to_uppercase())
                    .collect()
            })
            .unwrap_or_default();
        let pairs = [["Y", "N"], ["YES", "NO"], ["TRUE", "FALSE"], ["T", "F"]];
        let by_symbols = symbols.len() == 2
            && pairs.iter().any(|pair| {
                pair.iter()
                    .all(|word| symbols.iter().any(|symbol| symbol == word))
            });
        let by_doc = leaf.kind == ShapeKind::String
            && words::says(tree::doc(field), &["y or n", "y n", "yes or no", "true or false"]);
        if by_symbols || by_doc {
            found.say(
                &field.path,
                format!("{} spells a boolean", field.name),
                "declare a boolean",
            );
        }
    }
}
