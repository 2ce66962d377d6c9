//! XS00x: one name, one meaning, across schemas.

use std::collections::BTreeSet;

use super::super::{
    Example, Input, Needs, Rule, Severity,
    input::Other,
    rule::ALL,
    tree::{self, Found},
    words,
};
use crate::{
    Path,
    outline::{FieldDecl, Outline, TypeDecl, TypeKind},
};

const ORDER: &str = r#"{"type":"record","name":"Order","namespace":"a.b","fields":[{"name":"customer_id","type":"long","doc":"Who ordered, as the CRM numbers people."},{"name":"note","type":"string"},{"name":"total","type":"long"}]}"#;
const OTHER: &str = r#"{"type":"record","name":"Visit","namespace":"a.b","fields":[{"name":"customer_id","type":"string","doc":"Browser cookie of a visitor, before they log in."}]}"#;
const AGREES: &str = r#"{"type":"record","name":"Visit","namespace":"a.b","fields":[{"name":"customer_id","type":"long","doc":"Who visited, as the CRM numbers people."}]}"#;

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "XS001",
        severity: Severity::Error,
        formats: ALL,
        needs: Needs::Others,
        asks: "No second schema says the same under another name",
        why: "Half of the readers will listen to the wrong one",
        fails: Example::avro(ORDER).beside(
            r#"{"type":"record","name":"Purchase","namespace":"a.b","fields":[{"name":"customer_id","type":"long"},{"name":"note","type":"string"},{"name":"total","type":"long"}]}"#,
        ),
        passes: Example::avro(ORDER).beside(AGREES),
        check: no_duplicates,
    },
    Rule {
        id: "XS002",
        severity: Severity::Warning,
        formats: ALL,
        needs: Needs::Others,
        asks: "No other schema has nearly the same fields",
        why: "Two nearly equal events are one event that was written twice",
        fails: Example::avro(
            r#"{"type":"record","name":"A","fields":[{"name":"a","type":"long"},{"name":"b","type":"long"},{"name":"c","type":"long"},{"name":"d","type":"long"},{"name":"e","type":"long"},{"name":"f","type":"long"}]}"#,
        )
        .beside(
            r#"{"type":"record","name":"B","fields":[{"name":"a","type":"long"},{"name":"b","type":"long"},{"name":"c","type":"long"},{"name":"d","type":"long"},{"name":"e","type":"long"},{"name":"f","type":"long"},{"name":"g","type":"long"}]}"#,
        ),
        passes: Example::avro(ORDER).beside(AGREES),
        check: no_near_duplicates,
    },
    Rule {
        id: "XS003",
        severity: Severity::Error,
        formats: ALL,
        needs: Needs::Others,
        asks: "A field's name has the same type everywhere",
        why: "Joins over it fail, or worse, do not",
        fails: Example::avro(ORDER).beside(OTHER),
        passes: Example::avro(ORDER).beside(AGREES),
        check: one_name_one_type,
    },
    Rule {
        id: "XS004",
        severity: Severity::Warning,
        formats: ALL,
        needs: Needs::Others,
        asks: "A term of the dictionary is written as the dictionary has it",
        why: "Nobody finds one thing that is called customerId, cust_id and client_id",
        fails: Example::avro(r#"{"type":"record","name":"A","fields":[{"name":"cust_id","type":"long"}]}"#),
        passes: Example::avro(r#"{"type":"record","name":"A","fields":[{"name":"customer_id","type":"long"}]}"#),
        check: terms_are_kept,
    },
    Rule {
        id: "XS005",
        severity: Severity::Info,
        formats: ALL,
        needs: Needs::Others,
        asks: "A field of one name and type is documented as the same thing everywhere",
        why: "Two texts with nothing in common are two meanings",
        fails: Example::avro(ORDER).beside(OTHER),
        passes: Example::avro(ORDER).beside(AGREES),
        check: one_name_one_meaning,
    },
    Rule {
        id: "XS006",
        severity: Severity::Error,
        formats: ALL,
        needs: Needs::Others,
        asks: "A type of one name has the same fields or symbols everywhere",
        why: "Generated classes of one name clash, and readers take one for the other",
        fails: Example::avro(r#"{"type":"enum","name":"State","symbols":["OPEN"]}"#)
            .beside(r#"{"type":"enum","name":"State","symbols":["CLOSED"]}"#),
        passes: Example::avro(r#"{"type":"enum","name":"State","symbols":["OPEN"]}"#)
            .beside(r#"{"type":"enum","name":"State","symbols":["OPEN"]}"#),
        check: one_name_one_shape,
    },
    Rule {
        id: "XS007",
        severity: Severity::Warning,
        formats: ALL,
        needs: Needs::Others,
        asks: "A type that another schema declares is referred to, not copied",
        why: "Copies drift apart",
        fails: Example::avro(
            r#"{"type":"record","name":"A","fields":[{"name":"to","type":{"type":"record","name":"Address","fields":[{"name":"street","type":"string"},{"name":"city","type":"string"}]}}]}"#,
        )
        .beside(r#"{"type":"record","name":"Address","fields":[{"name":"street","type":"string"},{"name":"city","type":"string"}]}"#),
        passes: Example::avro(ORDER).beside(AGREES),
        check: no_inline_copies,
    },
];

/// Path and type of every field.
fn fields_of(outline: &Outline) -> BTreeSet<(String, String)> {
    let records = outline
        .types
        .iter()
        .filter(|declared| declared.kind == TypeKind::Record);
    let fields = records.flat_map(|record| &record.fields);
    fields
        .map(|field| (field.name.clone(), tree::signature(outline, &field.shape)))
        .collect()
}

fn jaccard<T: Ord>(a: &BTreeSet<T>, b: &BTreeSet<T>) -> f64 {
    let common = a.intersection(b).count() as f64;
    let all = a.union(b).count() as f64;
    if all == 0.0 { 0.0 } else { common / all }
}

fn no_duplicates(input: &Input<'_>, found: &mut Found) {
    let own = fields_of(&input.outline);
    for other in &input.others {
        let theirs = fields_of(&other.outline);
        if own.len() > 1 && own == theirs && !is_same_type(input, other) {
            found.say(&root_path(input), format!("{} has exactly these fields", other.name), "use that schema, or say in the documentation of both how they differ and give them fields of their own");
        }
    }
}

/// Another version of the same type is no duplicate.
fn is_same_type(input: &Input<'_>, other: &Other<'_>) -> bool {
    let full = |declared: &TypeDecl| (declared.namespace.clone(), declared.name.clone());
    match (input.outline.types.first(), other.outline.types.first()) {
        (Some(own), Some(theirs)) => full(own) == full(theirs),
        _ => false,
    }
}

fn root_path(input: &Input<'_>) -> Path {
    input
        .outline
        .types
        .first()
        .map_or_else(Path::root, |declared| declared.path.clone())
}

fn no_near_duplicates(input: &Input<'_>, found: &mut Found) {
    const LIKENESS_MIN: f64 = 0.85;
    const FIELDS_MIN: usize = 4;
    let own = fields_of(&input.outline);
    for other in &input.others {
        let theirs = fields_of(&other.outline);
        let likeness = jaccard(&own, &theirs);
        if own.len() >= FIELDS_MIN && own != theirs && likeness >= LIKENESS_MIN && !is_same_type(input, other)
        {
            let percent = (likeness * 100.0).round();
            found.say(
                &root_path(input),
                format!("{percent} % of the fields are those of {}", other.name),
                "make it a new version of that schema, or refer to what both share",
            );
        }
    }
}

/// The same field name in other schemas.
fn namesakes<'a>(
    input: &'a Input<'_>,
    field: &'a FieldDecl,
) -> impl Iterator<Item = (&'a Other<'a>, &'a FieldDecl)> {
    let name = words::snake(&field.name);
    input.others.iter().flat_map(move |other| {
        let fields = other.outline.types.iter().flat_map(|declared| &declared.fields);
        let name = name.clone();
        fields
            .filter(move |theirs| words::snake(&theirs.name) == name)
            .map(move |theirs| (other, theirs))
    })
}

/// Names that every schema uses in its own way.
const EVERYBODYS: &[&str] = &[
    "id",
    "name",
    "type",
    "status",
    "value",
    "key",
    "kind",
    "data",
    "payload",
    "description",
    "items",
];

fn one_name_one_type(input: &Input<'_>, found: &mut Found) {
    for (_, field) in input
        .fields()
        .filter(|(_, field)| !EVERYBODYS.contains(&words::snake(&field.name).as_str()))
    {
        let own = tree::signature(&input.outline, &field.shape);
        let differs = namesakes(input, field).find_map(|(other, theirs)| {
            let theirs = tree::signature(&other.outline, &theirs.shape);
            (theirs != own).then(|| (other.name.to_owned(), theirs))
        });
        if let Some((name, theirs)) = differs {
            found.say(
                &field.path,
                format!("{} is {own} here and {theirs} in {name}", field.name),
                "use one type for one thing, or another name for another thing",
            );
        }
    }
}

fn terms_are_kept(input: &Input<'_>, found: &mut Found) {
    for (_, field) in input.fields() {
        let name = words::snake(&field.name);
        let own_case = |term: &str| term == field.name || words::is_camel(&field.name);
        let term = input.terms.iter().find(|term| {
            let is_variant = term.synonyms.iter().any(|synonym| words::snake(synonym) == name);
            is_variant || (words::snake(&term.name) == name && !own_case(&term.name))
        });
        if let Some(term) = term {
            found.say(
                &field.path,
                format!("{} is {} in the dictionary", field.name, term.name),
                format!("call it {}", term.name),
            );
        }
    }
}

fn one_name_one_meaning(input: &Input<'_>, found: &mut Found) {
    for (_, field) in input
        .fields()
        .filter(|(_, field)| !EVERYBODYS.contains(&words::snake(&field.name).as_str()))
    {
        let own = significant(tree::doc(field));
        let contradicts = namesakes(input, field).find(|(_, theirs)| {
            let theirs = significant(tree::doc(theirs));
            own.len() > 1 && theirs.len() > 1 && own.intersection(&theirs).next().is_none()
        });
        if let Some((other, theirs)) = contradicts {
            found.say(
                &field.path,
                format!("{} says of {}: {}", other.name, field.name, tree::doc(theirs)),
                "agree on one meaning, or rename one of them",
            );
        }
    }
}

/// Words of a text that carry meaning.
fn significant(doc: &str) -> BTreeSet<String> {
    words::text_words(doc)
        .into_iter()
        .filter(|word| {
            word.len() > 3
                && !["that", "this", "with", "from", "they", "when", "which"].contains(&word.as_str())
        })
        .collect()
}

fn full_name(declared: &TypeDecl) -> (Option<&str>, &str) {
    (declared.namespace.as_deref(), &declared.name)
}

fn shape_of(outline: &Outline, declared: &TypeDecl) -> BTreeSet<(String, String)> {
    let fields = declared
        .fields
        .iter()
        .map(|field| (field.name.clone(), tree::signature(outline, &field.shape)));
    fields
        .chain(
            declared
                .symbols
                .iter()
                .map(|symbol| (symbol.name.clone(), "symbol".to_owned())),
        )
        .collect()
}

fn one_name_one_shape(input: &Input<'_>, found: &mut Found) {
    for declared in input.types().filter(|declared| !declared.name.is_empty()) {
        let own = shape_of(&input.outline, declared);
        for other in &input.others {
            let same = other.outline.types.iter().find(|theirs| {
                theirs.kind == declared.kind && full_name(theirs) == full_name(declared) && !theirs.referenced
            });
            if same.is_some_and(|theirs| shape_of(&other.outline, theirs) != own) {
                found.say(
                    &declared.path,
                    format!("{} is something else in {}", declared.name, other.name),
                    "use one definition and refer to it, or give one of them another name",
                );
            }
        }
    }
}

fn no_inline_copies(input: &Input<'_>, found: &mut Found) {
    for declared in input.types().skip(1) {
        let own = shape_of(&input.outline, declared);
        if own.len() < 2 {
            continue;
        }
        let owner = input.others.iter().find(|other| {
            other.outline.types.iter().any(|theirs| {
                theirs.kind == declared.kind
                    && theirs.name == declared.name
                    && shape_of(&other.outline, theirs) == own
            })
        });
        if let Some(owner) = owner {
            found.say(
                &declared.path,
                format!("{} is a copy of the type in {}", declared.name, owner.name),
                "register the type once and refer to it",
            );
        }
    }
}
