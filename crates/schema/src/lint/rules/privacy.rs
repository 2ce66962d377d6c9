//! EF06x: what is personal or secret.

use super::super::{
    Example, Input, Needs, Rule, Severity,
    rule::ALL,
    tree::{self, Found},
    words,
};
use crate::{
    outline::{FieldDecl, ShapeKind},
    text::Json,
};

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "EF060",
        severity: Severity::Warning,
        formats: ALL,
        needs: Needs::Schema,
        asks: "A field that names something personal carries the tag PII",
        why: "Masking, retention and access are decided by the tag",
        fails: Example::avro(r#"{"type":"record","name":"A","fields":[{"name":"email","type":"string"}]}"#),
        passes: Example::avro(
            r#"{"type":"record","name":"A","fields":[{"name":"email","type":"string","confluent:tags":["PII"]}]}"#,
        ),
        check: personal_is_tagged,
    },
    Rule {
        id: "EF061",
        severity: Severity::Error,
        formats: ALL,
        needs: Needs::Schema,
        asks: "No secrets: no passwords, tokens, keys",
        why: "A log keeps what is written, and everybody who reads the topic has it",
        fails: Example::avro(
            r#"{"type":"record","name":"A","fields":[{"name":"user_password","type":"string"}]}"#,
        ),
        passes: Example::avro(
            r#"{"type":"record","name":"A","fields":[{"name":"user_name","type":"string"}]}"#,
        ),
        check: no_secrets,
    },
];

fn is_tagged(field: &FieldDecl) -> bool {
    let is_pii =
        |text: &str| text.eq_ignore_ascii_case("pii") || text.to_ascii_uppercase().starts_with("PII");
    let names = ["tags", "confluent:tags", "pii", "x-pii", "classification"];
    field
        .props
        .iter()
        .chain(&tree::leaf(&field.shape).props)
        .any(|(name, value)| {
            names.contains(&name.as_str())
                && match value {
                    Json::Array(tags) => tags.iter().filter_map(Json::as_str).any(is_pii),
                    Json::String(tag) => is_pii(tag),
                    Json::Bool(flag) => *flag,
                    _ => false,
                }
        })
}

fn personal_is_tagged(input: &Input<'_>, found: &mut Found) {
    for (_, field) in input.fields() {
        let words = words::words(&field.name);
        let has = |word: &str| words.iter().any(|own| own == word);
        let personal = words::PERSONAL.iter().any(|word| has(word))
            || words::PERSONAL_PAIRS
                .iter()
                .any(|(one, two)| has(one) && has(two));
        if personal && !is_tagged(field) {
            found.say(
                &field.path,
                format!("{} names something personal and is not tagged", field.name),
                "add the tag PII, or leave the field out",
            );
        }
    }
}

fn no_secrets(input: &Input<'_>, found: &mut Found) {
    for (_, field) in input.fields() {
        let words = words::words(&field.name);
        let has = |word: &str| words.iter().any(|own| own == word);
        let secret = words::SECRETS.iter().any(|word| has(word))
            || (has("key") && (has("private") || has("api") || has("access")));
        let is_text = matches!(
            tree::leaf(&field.shape).kind,
            ShapeKind::String | ShapeKind::Bytes
        );
        if secret && is_text && !has("hash") && !has("id") {
            found.say(
                &field.path,
                format!("{} names a secret", field.name),
                "leave it out; write an id that leads to it",
            );
        }
    }
}
