//! EF07x: the next version.

use super::super::{
    Example, Input, Needs, Rule, Severity,
    rule::{ALL, AVRO},
    tree::Found,
};
use crate::{
    Format,
    outline::{FieldDecl, Outline, TypeDecl, TypeKind},
    text::Json,
};

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "EF070",
        severity: Severity::Error,
        formats: AVRO,
        needs: Needs::Previous,
        asks: "A new field has a default",
        why: "Data without the field is not readable otherwise",
        fails: Example::avro(r#"{"type":"record","name":"A","fields":[{"name":"x","type":"int"},{"name":"y","type":"int"}]}"#)
            .after(r#"{"type":"record","name":"A","fields":[{"name":"x","type":"int"}]}"#),
        passes: Example::avro(r#"{"type":"record","name":"A","fields":[{"name":"x","type":"int"},{"name":"y","type":"int","default":0}]}"#)
            .after(r#"{"type":"record","name":"A","fields":[{"name":"x","type":"int"}]}"#),
        check: new_fields_have_defaults,
    },
    Rule {
        id: "EF071",
        severity: Severity::Error,
        formats: ALL,
        needs: Needs::Previous,
        asks: "A removed field had a default or was optional, was deprecated one version before, and in Protobuf its number is reserved",
        why: "Readers of the old version still look for it, and a number that is used again is read as what it was",
        fails: Example::proto("syntax = \"proto3\"; message A { int32 x = 1; }")
            .after("syntax = \"proto3\"; message A { int32 x = 1; string y = 2; }"),
        passes: Example::proto("syntax = \"proto3\"; message A { int32 x = 1; reserved 2; }")
            .after("syntax = \"proto3\"; message A { int32 x = 1; string y = 2; }"),
        check: removed_fields_were_announced,
    },
    Rule {
        id: "EF072",
        severity: Severity::Error,
        formats: AVRO,
        needs: Needs::Previous,
        asks: "A renamed field keeps its old name as an alias, defaults stay, symbols of enums stay",
        why: "Data is found by name, and a default that changes rewrites the past",
        fails: Example::avro(r#"{"type":"record","name":"A","fields":[{"name":"y","type":"int","default":1}]}"#)
            .after(r#"{"type":"record","name":"A","fields":[{"name":"x","type":"int","default":1}]}"#),
        passes: Example::avro(r#"{"type":"record","name":"A","fields":[{"name":"y","type":"int","default":1,"aliases":["x"]}]}"#)
            .after(r#"{"type":"record","name":"A","fields":[{"name":"x","type":"int","default":1}]}"#),
        check: nothing_is_forgotten,
    },
];

/// Records of both versions that are the same one: by name, or by the path when there is no name.
fn pairs<'a>(input: &'a Input<'_>) -> Vec<(&'a TypeDecl, &'a TypeDecl)> {
    let Some(previous) = &input.previous_outline else {
        return Vec::new();
    };
    let before = |declared: &TypeDecl| same_type(previous, declared, &input.outline);
    input
        .types()
        .filter_map(|declared| before(declared).map(|old| (declared, old)))
        .collect()
}

fn same_type<'a>(previous: &'a Outline, declared: &TypeDecl, now: &Outline) -> Option<&'a TypeDecl> {
    let same_kind = |old: &&TypeDecl| old.kind == declared.kind;
    let mut by_name = previous.types.iter().filter(same_kind);
    let found = by_name.find(|old| {
        old.name == declared.name
            || declared
                .aliases
                .iter()
                .any(|alias| alias.rsplit('.').next() == Some(&old.name))
    });
    // The root stays the root, whatever it is called.
    let is_root = now
        .types
        .first()
        .is_some_and(|first| std::ptr::eq(first, declared));
    found.or_else(|| {
        previous
            .types
            .first()
            .filter(|old| is_root && old.kind == declared.kind)
    })
}

fn same_field<'a>(fields: &'a [FieldDecl], field: &FieldDecl) -> Option<&'a FieldDecl> {
    if field.number.is_some() {
        return fields.iter().find(|other| other.number == field.number);
    }
    fields.iter().find(|other| {
        other.name == field.name || field.aliases.contains(&other.name) || other.aliases.contains(&field.name)
    })
}

fn new_fields_have_defaults(input: &Input<'_>, found: &mut Found) {
    for (now, before) in pairs(input) {
        for field in now
            .fields
            .iter()
            .filter(|field| same_field(&before.fields, field).is_none())
        {
            if field.default.is_none() {
                found.say(
                    &field.path,
                    format!("the new field {} has no default", field.name),
                    "add a default, null if it may be missing",
                );
            }
        }
    }
}

fn removed_fields_were_announced(input: &Input<'_>, found: &mut Found) {
    for (now, before) in pairs(input) {
        for old in before
            .fields
            .iter()
            .filter(|old| same_field(&now.fields, old).is_none())
        {
            // A rename without an alias is EF072's.
            if old.deprecated {
                continue;
            }
            let (fine, mend) = match input.outline.format {
                Format::Avro => (
                    old.default.is_some(),
                    "keep it, with a default and deprecated, for one version",
                ),
                Format::Json => (!old.required, "make it optional and deprecated for one version"),
                Format::Protobuf => (is_reserved(now, old), "reserve its number"),
            };
            if !fine {
                found.say(
                    &old.path,
                    format!("{} was removed without notice", old.name),
                    mend,
                );
            }
        }
    }
}

fn is_reserved(now: &TypeDecl, old: &FieldDecl) -> bool {
    let number = i64::from(old.number.unwrap_or_default());
    let ranges = now
        .props
        .iter()
        .filter(|(name, _)| name == "reserved_ranges")
        .filter_map(|(_, value)| value.as_array());
    ranges.flatten().filter_map(Json::as_array).any(|range| {
        let end = |at: usize| range.get(at).and_then(Json::as_i64).unwrap_or_default();
        (end(0)..end(1)).contains(&number)
    })
}

fn nothing_is_forgotten(input: &Input<'_>, found: &mut Found) {
    for (now, before) in pairs(input) {
        if now.kind == TypeKind::Enum {
            for lost in before
                .symbols
                .iter()
                .filter(|old| !now.symbols.iter().any(|symbol| symbol.name == old.name))
            {
                found.say(
                    &lost.path,
                    format!("the symbol {} was removed", lost.name),
                    "keep it: old data has it",
                );
            }
        }
        for (position, old) in before.fields.iter().enumerate() {
            match same_field(&now.fields, old) {
                Some(field)
                    if old.default.is_some() && field.default.is_some() && field.default != old.default =>
                {
                    found.say(
                        &field.path,
                        format!("the default of {} changed", field.name),
                        "keep it: data without the field would change its meaning",
                    );
                }
                Some(_) => {}
                None => {
                    let renamed = now.fields.get(position).filter(|field| {
                        field.shape.kind == old.shape.kind && same_field(&before.fields, field).is_none()
                    });
                    if let Some(field) = renamed {
                        let mend = format!("add \"aliases\": [\"{}\"]", old.name);
                        found.say(
                            &field.path,
                            format!("{} looks like {} renamed", field.name, old.name),
                            mend,
                        );
                    }
                }
            }
        }
    }
}
