//! EF01x: names.

use super::super::{
    Example, Input, Needs, Rule, Severity,
    rule::{ALL, AVRO_PROTO},
    tree::{Found, leaf},
    words,
};
use crate::outline::ShapeKind;

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "EF010",
        severity: Severity::Error,
        formats: ALL,
        needs: Needs::Schema,
        asks: "Types are named in PascalCase, and an event's name ends with Event",
        why: "Generated classes carry the name, and whoever reads a topic sees what kind of thing is in it",
        fails: Example::avro(r#"{"type":"record","name":"order","fields":[]}"#),
        passes: Example::avro(r#"{"type":"record","name":"OrderPlacedEvent","fields":[]}"#),
        check: types_are_pascal,
    },
    Rule {
        id: "EF011",
        severity: Severity::Error,
        formats: ALL,
        needs: Needs::Schema,
        asks: "Fields are named in snake_case, or all of a schema in camelCase",
        why: "Two spellings of one field become two columns",
        fails: Example::avro(
            r#"{"type":"record","name":"A","fields":[{"name":"order_id","type":"string"},{"name":"customerId","type":"string"}]}"#,
        ),
        passes: Example::avro(
            r#"{"type":"record","name":"A","fields":[{"name":"orderId","type":"string"},{"name":"customerId","type":"string"}]}"#,
        ),
        check: fields_have_one_case,
    },
    Rule {
        id: "EF012",
        severity: Severity::Error,
        formats: AVRO_PROTO,
        needs: Needs::Schema,
        asks: "A namespace or package stands there, in reverse order of the domain, of two parts or more",
        why: "Names without one collide as soon as two teams meet",
        fails: Example::avro(r#"{"type":"record","name":"Order","fields":[]}"#),
        passes: Example::avro(
            r#"{"type":"record","name":"Order","namespace":"com.example.shop","fields":[]}"#,
        ),
        check: namespace_stands,
    },
    Rule {
        id: "EF013",
        severity: Severity::Warning,
        formats: ALL,
        needs: Needs::Schema,
        asks: "Symbols of enums are named in UPPER_SNAKE_CASE",
        why: "They become constants in every language",
        fails: Example::avro(r#"{"type":"enum","name":"State","symbols":["open","Paid"]}"#),
        passes: Example::avro(r#"{"type":"enum","name":"State","symbols":["OPEN","PAID"]}"#),
        check: symbols_shout,
    },
    Rule {
        id: "EF014",
        severity: Severity::Warning,
        formats: ALL,
        needs: Needs::Subject,
        asks: "The subject is named by a strategy: topic-key, topic-value, the record's name, or topic-record",
        why: "Serializers find a subject by its name",
        fails: Example::avro(r#"{"type":"record","name":"Order","fields":[]}"#),
        passes: Example::avro(r#"{"type":"record","name":"Order","fields":[],"owner":"shop"}"#),
        check: subject_follows_strategy,
    },
    Rule {
        id: "EF015",
        severity: Severity::Info,
        formats: ALL,
        needs: Needs::Schema,
        asks: "Names are written out",
        why: "Search does not find what is abbreviated in three ways",
        fails: Example::avro(r#"{"type":"record","name":"A","fields":[{"name":"cust_qty","type":"int"}]}"#),
        passes: Example::avro(
            r#"{"type":"record","name":"A","fields":[{"name":"customer_quantity","type":"int"}]}"#,
        ),
        check: names_are_whole,
    },
    Rule {
        id: "EF016",
        severity: Severity::Info,
        formats: ALL,
        needs: Needs::Schema,
        asks: "A boolean reads as a statement: is_, has_ or can_ in front",
        why: "What is called paid may be a flag, a date or an amount; what is called is_paid is a flag",
        fails: Example::avro(r#"{"type":"record","name":"A","fields":[{"name":"paid","type":"boolean"}]}"#),
        passes: Example::avro(
            r#"{"type":"record","name":"A","fields":[{"name":"is_paid","type":"boolean"}]}"#,
        ),
        check: booleans_state,
    },
];

fn types_are_pascal(input: &Input<'_>, found: &mut Found) {
    for declared in input.types().filter(|declared| !declared.name.is_empty()) {
        let is_inline = input.outline.format == crate::Format::Json && words::is_snake(&declared.name);
        let parts_are = declared.name.split('.').all(words::is_pascal);
        // JSON has no names: an inner object without a title is called by its property.
        let is_root = Some(&declared.path) == input.root().map(|root| &root.path);
        let may_be_snake = is_inline && !is_root;
        if !parts_are && !may_be_snake {
            found.say(
                &declared.path,
                format!("{} is not in PascalCase", declared.name),
                "write every word with a capital, without underscores",
            );
        }
    }
    let Some(root) = input.root() else { return };
    let is_event = root
        .fields
        .iter()
        .any(|field| words::EVENT_TIMES.contains(&words::snake(&field.name).as_str()));
    if is_event && !root.name.is_empty() && !root.name.ends_with("Event") {
        found.say(
            &root.path,
            format!("{} has an event time, but is not called an event", root.name),
            format!(
                "call it {}Event, in words for what happened",
                root.name.trim_end_matches("Event")
            ),
        );
    }
}

fn fields_have_one_case(input: &Input<'_>, found: &mut Found) {
    let is_proto = input.outline.format == crate::Format::Protobuf;
    let is_plain = |name: &str| words::is_snake(name) && words::is_camel(name);
    let camels = input
        .fields()
        .filter(|(_, field)| words::is_camel(&field.name) && !is_plain(&field.name))
        .count();
    let snakes = input
        .fields()
        .filter(|(_, field)| words::is_snake(&field.name) && !is_plain(&field.name))
        .count();
    let wants_camel = !is_proto && camels > snakes;
    for (_, field) in input.fields() {
        let fits = if wants_camel {
            words::is_camel(&field.name)
        } else {
            words::is_snake(&field.name)
        };
        if !fits {
            let case = if wants_camel {
                "camelCase, as most fields here"
            } else {
                "snake_case"
            };
            found.say(
                &field.path,
                format!("{} is not in {case}", field.name),
                format!(
                    "write {}",
                    if wants_camel {
                        "every word but the first with a capital".to_owned()
                    } else {
                        words::snake(&field.name)
                    }
                ),
            );
        }
    }
}

fn namespace_stands(input: &Input<'_>, found: &mut Found) {
    let mut told = std::collections::HashSet::new();
    for declared in input.types() {
        let namespace = declared.namespace.as_deref().unwrap_or_default();
        if !told.insert(namespace.to_owned()) {
            continue;
        }
        let parts: Vec<&str> = namespace.split('.').collect();
        let plain = |part: &&str| {
            !part.is_empty()
                && part
                    .chars()
                    .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        };
        if namespace.is_empty() {
            found.say(
                &declared.path,
                format!("{} stands in no namespace", declared.name),
                "add one in reverse order of the domain, such as com.example.shop",
            );
        } else if parts.len() < 2 || !parts.iter().all(plain) {
            found.say(
                &declared.path,
                format!("the namespace {namespace} is no domain in reverse order"),
                "write lower-case parts, the widest first, such as com.example.shop",
            );
        }
    }
}

fn symbols_shout(input: &Input<'_>, found: &mut Found) {
    for symbol in input.enums().flat_map(|declared| &declared.symbols) {
        if !words::is_upper_snake(&symbol.name) {
            let mend = words::snake(&symbol.name).to_uppercase();
            found.say(
                &symbol.path,
                format!("{} is not in UPPER_SNAKE_CASE", symbol.name),
                format!("write {mend}"),
            );
        }
    }
}

fn subject_follows_strategy(input: &Input<'_>, found: &mut Found) {
    let Some(subject) = input.subject else { return };
    let record = input.root().map(|root| match &root.namespace {
        Some(namespace) => format!("{namespace}.{}", root.name),
        None => root.name.clone(),
    });
    let topic = subject.topic.as_deref();
    let by_topic = |ending: &str| topic.is_some_and(|topic| subject.name == format!("{topic}{ending}"));
    let by_record = record.as_ref().is_some_and(|record| {
        subject.name == *record || topic.is_some_and(|topic| subject.name == format!("{topic}-{record}"))
    });
    if !by_topic("-key") && !by_topic("-value") && !by_record {
        found.say(
            &crate::Path::root(),
            format!("the subject {} follows no naming strategy", subject.name),
            "call it after its topic, with -key or -value behind, or after its record",
        );
    }
}

fn names_are_whole(input: &Input<'_>, found: &mut Found) {
    let types = input.types().map(|declared| (&declared.path, &declared.name));
    let fields = input.fields().map(|(_, field)| (&field.path, &field.name));
    for (path, name) in types.chain(fields) {
        for word in words::words(name) {
            if let Some((short, long)) = words::ABBREVIATIONS.iter().find(|(short, _)| *short == word) {
                found.say(
                    path,
                    format!("{name} abbreviates: {short}"),
                    format!("write {long}"),
                );
            }
        }
    }
}

fn booleans_state(input: &Input<'_>, found: &mut Found) {
    const STARTS: &[&str] = &[
        "is", "has", "can", "was", "should", "allows", "needs", "did", "does", "wants",
    ];
    for (_, field) in input
        .fields()
        .filter(|(_, field)| leaf(&field.shape).kind == ShapeKind::Boolean)
    {
        let words = words::words(&field.name);
        if !words
            .first()
            .is_some_and(|first| STARTS.contains(&first.as_str()))
        {
            found.say(
                &field.path,
                format!("{} does not read as a statement", field.name),
                format!("call it is_{0} or has_{0}", words::snake(&field.name)),
            );
        }
    }
}
