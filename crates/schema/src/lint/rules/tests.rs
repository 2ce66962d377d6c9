//! Every row holds what it says: its failing example fails by it, its passing example does not.

use std::collections::HashSet;

use super::{super::*, RULES};
use crate::{Format, Schema, Source};

fn parse(format: Format, text: &str) -> Schema {
    Schema::parse(&Source::new(format, text)).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// Findings of the rule on its example, with everything at hand that it may need.
fn run(rule: &'static Rule, example: &Example) -> Vec<Finding> {
    let schema = parse(example.format, example.text);
    let previous = (!example.previous.is_empty()).then(|| parse(example.format, example.previous));
    let other = (!example.other.is_empty()).then(|| parse(example.format, example.other));
    let subject = match example.text.contains("\"owner\"") {
        true => Subject {
            name: "orders-value".into(),
            topic: Some("orders".into()),
            properties: vec![("owner".into(), "shop".into()), ("domain".into(), "sales".into())],
            key_is_settled: true,
            idle_days: Some(90),
        },
        false => Subject {
            name: "Orders".into(),
            topic: Some("orders".into()),
            idle_days: Some(91),
            ..Subject::default()
        },
    };
    let samples = [Samples {
        path: "/channel".into(),
        records: 20_000,
        distinct: 4,
    }];
    let terms = [Term {
        name: "customer_id".into(),
        synonyms: vec!["cust_id".into(), "client_id".into()],
    }];
    let mut input = Input::new(&schema, example.text);
    input.previous = previous.as_ref();
    input.previous_outline = previous.as_ref().map(Schema::outline);
    if let Some(other) = &other {
        input = input.beside("other", other);
    }
    (input.subject, input.samples, input.terms, input.lake) = (Some(&subject), &samples, &terms, true);
    let severities = vec![(rule.id.to_owned(), Severity::Error)];
    let report = lint(
        &input,
        &Options {
            severities,
            ..Options::default()
        },
    );
    report
        .findings
        .into_iter()
        .filter(|finding| finding.rule == rule.id)
        .collect()
}

#[test]
fn a_failing_example_fails_by_its_rule_and_a_passing_one_does_not() {
    for rule in RULES.iter().copied().flatten() {
        let found = run(rule, &rule.fails);
        assert!(!found.is_empty(), "{}: the failing example passes", rule.id);
        assert!(
            found
                .iter()
                .all(|finding| !finding.what.is_empty() && !finding.mend.is_empty()),
            "{}",
            rule.id
        );
        assert_eq!(
            run(rule, &rule.passes),
            [],
            "{}: the passing example fails",
            rule.id
        );
        assert!(
            rule.formats.contains(&rule.fails.format) && rule.formats.contains(&rule.passes.format),
            "{}",
            rule.id
        );
    }
}

#[test]
fn ids_are_distinct_and_texts_are_sentences() {
    let mut seen = HashSet::new();
    for rule in RULES.iter().copied().flatten() {
        assert!(seen.insert(rule.id), "{} stands twice", rule.id);
        for text in [rule.asks, rule.why] {
            assert!(text.len() > 10 && !text.ends_with('.'), "{}: {text}", rule.id);
            assert!(
                text.starts_with(|letter: char| letter.is_uppercase() || letter.is_ascii_digit()),
                "{}: {text}",
                rule.id
            );
        }
    }
    assert!(seen.len() > 50, "{}", seen.len());
}

const CARELESS: &str = r#"{"type":"record","name":"order","fields":[{"name":"status","type":"string"}]}"#;

#[test]
fn a_waiver_covers_until_its_last_day() {
    let schema = parse(Format::Avro, CARELESS);
    let waiver = Waiver {
        rule: "EF030".into(),
        path: "/status".into(),
        reason: "old".into(),
        until: "2026-11-24".into(),
    };
    let on = |today: &str| {
        let options = Options {
            waivers: vec![waiver.clone()],
            today: today.into(),
            ..Options::default()
        };
        let report = lint(&Input::new(&schema, CARELESS), &options);
        let found = report.findings.iter().any(|finding| finding.rule == "EF030");
        (found, report.waived.len(), report.expired.len())
    };
    assert_eq!(on("2026-11-24"), (false, 1, 0));
    assert_eq!(on("2026-11-25"), (true, 0, 1));
}

#[test]
fn the_ratchet_stops_only_what_is_new() {
    let old = parse(Format::Avro, CARELESS);
    let text = CARELESS.replace(
        r#""string"}"#,
        r#""string"},{"name":"level","type":"string","default":""}"#,
    );
    let new = parse(Format::Avro, &text);
    let run = |gate, schema: &Schema, text: &str| {
        lint(
            &Input::new(schema, text).after(&old),
            &Options {
                gate,
                ..Options::default()
            },
        )
    };
    assert!(!run(Gate::Enforce, &old, CARELESS).passes);
    let same = run(Gate::EnforceNew, &old, CARELESS);
    assert!(same.passes && !same.inherited.is_empty(), "{same:?}");
    let worse = run(Gate::EnforceNew, &new, &text);
    assert!(!worse.passes);
    assert!(
        worse
            .findings
            .iter()
            .all(|finding| finding.path.as_str() != "/status"),
        "{worse:?}"
    );
    assert!(run(Gate::Warn, &new, &text).passes);
    assert_eq!(run(Gate::Off, &new, &text).findings, []);
}
