//! EF05x and XS008: events and their topics.

use super::super::{
    Example, Input, Needs, Rule, Severity,
    rule::ALL,
    tree::{self, Found},
    words,
};

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "EF050",
        severity: Severity::Warning,
        formats: ALL,
        needs: Needs::Schema,
        asks: "An event has exactly one event time and one event id",
        why: "Readers order by the one and drop repetitions by the other",
        fails: Example::avro(
            r#"{"type":"record","name":"OrderPlacedEvent","fields":[{"name":"order_id","type":"string"}]}"#,
        ),
        passes: Example::avro(
            r#"{"type":"record","name":"OrderPlacedEvent","fields":[{"name":"event_id","type":"string"},{"name":"time","type":{"type":"long","logicalType":"timestamp-micros"}}]}"#,
        ),
        check: events_have_time_and_id,
    },
    Rule {
        id: "EF051",
        severity: Severity::Warning,
        formats: ALL,
        needs: Needs::Subject,
        asks: "The topic has a key schema, or is declared to have no keys",
        why: "Order and compaction hold per key; a reader must know what it is",
        fails: Example::avro(r#"{"type":"record","name":"A","fields":[]}"#),
        passes: Example::avro(r#"{"type":"record","name":"A","fields":[],"owner":"shop"}"#),
        check: keys_are_settled,
    },
    Rule {
        id: "XS008",
        severity: Severity::Info,
        formats: ALL,
        needs: Needs::Subject,
        asks: "A schema has a topic, and records were written to it in the last 90 days",
        why: "Readers build on what nobody writes any more",
        fails: Example::avro(r#"{"type":"record","name":"A","fields":[]}"#),
        passes: Example::avro(r#"{"type":"record","name":"A","fields":[],"owner":"shop"}"#),
        check: somebody_writes,
    },
];

/// Days without a record after which a schema is an orphan.
const IDLE_DAYS_MAX: u32 = 90;

fn events_have_time_and_id(input: &Input<'_>, found: &mut Found) {
    let Some(root) = input.root().filter(|root| root.name.ends_with("Event")) else {
        return;
    };
    let names: Vec<String> = root
        .fields
        .iter()
        .map(|field| words::snake(&field.name))
        .collect();
    let times = names
        .iter()
        .filter(|name| words::EVENT_TIMES.contains(&name.as_str()))
        .count();
    // An event may bring its time under a name of its own, when it is the only one.
    let declared = root
        .fields
        .iter()
        .filter(|field| tree::is_time(tree::leaf(&field.shape).logical.as_ref()))
        .count();
    let ids = names
        .iter()
        .filter(|name| ["event_id", "id", "message_id", "event_uuid"].contains(&name.as_str()))
        .count();
    match (times, declared) {
        (1, _) | (0, 1) => {}
        (0, 0) => found.say(
            &root.path,
            format!("{} does not say when it happened", root.name),
            "add one field time with a timestamp",
        ),
        _ => found.say(
            &root.path,
            format!("{} has no one event time", root.name),
            "call exactly one field time, event_time or occurred_at",
        ),
    }
    if ids != 1 {
        let what = if ids == 0 {
            "has no event id"
        } else {
            "has several event ids"
        };
        found.say(
            &root.path,
            format!("{} {what}", root.name),
            "add one field event_id",
        );
    }
}

fn keys_are_settled(input: &Input<'_>, found: &mut Found) {
    if let Some(subject) = input
        .subject
        .filter(|subject| !subject.key_is_settled && subject.topic.is_some())
    {
        let topic = subject.topic.as_deref().unwrap_or_default();
        found.say(
            &crate::Path::root(),
            format!("nothing says what the keys of {topic} are"),
            format!("register {topic}-key, or declare the topic to have no keys"),
        );
    }
}

fn somebody_writes(input: &Input<'_>, found: &mut Found) {
    let Some(subject) = input.subject else { return };
    let name = &subject.name;
    match (&subject.topic, subject.idle_days) {
        (None, _) => found.say(
            &crate::Path::root(),
            format!("no topic holds records of {name}"),
            "register it under the name of a topic, or delete it",
        ),
        (Some(topic), Some(days)) if days > IDLE_DAYS_MAX => found.say(
            &crate::Path::root(),
            format!("nothing was written to {topic} for {days} days"),
            "delete the schema with its topic, or say in its documentation why it stays",
        ),
        _ => {}
    }
}
