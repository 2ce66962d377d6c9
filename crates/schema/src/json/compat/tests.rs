//! Pairs of schemas and what they come to.

use crate::{Format, Mode, Schema, Source, Stopped, Work, compatible};

fn parse(text: &str) -> Schema {
    Schema::parse(&Source::new(Format::Json, text)).unwrap()
}

/// What stands in the way of reading data of `old` by `new`.
fn check(old: &str, new: &str) -> Vec<(&'static str, String)> {
    let found = compatible(Mode::Backward, &parse(new), &[&parse(old)], &mut Work::default()).unwrap();
    found.into_iter().map(|f| (f.rule, f.path.to_string())).collect()
}

/// Pairs that are compatible: old, new.
const MAY: &[(&str, &str)] = &[
    (r#"{"type":"integer"}"#, r#"{"type":"number"}"#),
    (
        r#"{"type":"string"}"#,
        r#"{"type":["string","null"],"title":"t"}"#,
    ),
    (
        r#"{"type":"string","maxLength":3}"#,
        r#"{"type":"string","maxLength":4}"#,
    ),
    (r#"{"type":"string","pattern":"^a"}"#, r#"{"type":"string"}"#),
    (
        r#"{"type":"integer","maximum":5}"#,
        r#"{"type":"integer","exclusiveMaximum":6}"#,
    ),
    (
        r#"{"type":"integer","multipleOf":6}"#,
        r#"{"type":"integer","multipleOf":3}"#,
    ),
    (r#"{"enum":["a","b"]}"#, r#"{"enum":["a","b","c"]}"#),
    (r#"{"enum":["a","b"]}"#, r#"{"type":"string","maxLength":1}"#),
    (
        r#"{"type":"object","properties":{"a":{"type":"string"}},"required":["a"]}"#,
        r#"{"type":"object","properties":{"a":{"type":"string"}}}"#,
    ),
    (
        r#"{"type":"object","additionalProperties":false}"#,
        r#"{"type":"object","properties":{"a":{"type":"string"}},"additionalProperties":false}"#,
    ),
    (
        r#"{"type":"object","additionalProperties":false}"#,
        r#"{"type":"object","properties":{"a":{"type":"string","default":"x"}},"required":["a"],"additionalProperties":false}"#,
    ),
    (
        r#"{"type":"object"}"#,
        r#"{"type":"object","properties":{"a":{}}}"#,
    ),
    (
        r#"{"type":"object","properties":{"a":{"type":"string"}}}"#,
        r#"{"type":"object"}"#,
    ),
    (
        r#"{"type":"object","additionalProperties":{"type":"string"}}"#,
        r#"{"type":"object","properties":{"a":{"type":"string"}},"additionalProperties":{"type":"string"}}"#,
    ),
    (
        r#"{"type":"object","properties":{"a":{"type":"integer"}},"additionalProperties":false}"#,
        r#"{"type":"object","additionalProperties":{"type":"integer"}}"#,
    ),
    (
        r#"{"oneOf":[{"type":"string"},{"type":"integer"}]}"#,
        r#"{"oneOf":[{"type":"null"},{"type":"integer"},{"type":"string"}]}"#,
    ),
    (
        r#"{"type":["string","null"]}"#,
        r#"{"anyOf":[{"type":"null"},{"type":"string"}]}"#,
    ),
    (
        r#"{"type":"string"}"#,
        r#"{"anyOf":[{"type":"null"},{"type":"string"}]}"#,
    ),
    (
        r#"{"allOf":[{"type":"string"},{"maxLength":5}]}"#,
        r#"{"type":"string","maxLength":5}"#,
    ),
    (
        r#"{"type":"string","not":{"enum":["a","b"]}}"#,
        r#"{"type":"string","not":{"enum":["a"]}}"#,
    ),
    (
        r#"{"type":"array","items":{"type":"integer"},"minItems":1}"#,
        r#"{"type":"array","items":{"type":"number"}}"#,
    ),
    (
        r#"{"items":[{"type":"string"}],"additionalItems":{"type":"string"}}"#,
        r#"{"items":{"type":"string"}}"#,
    ),
];

#[test]
fn what_may_change() {
    for (old, new) in MAY {
        assert_eq!(check(old, new), [], "{old} -> {new}");
    }
}

/// Pairs that are not: old, new, what is found, where.
const MAY_NOT: &[(&str, &str, &str, &str)] = &[
    (
        r#"{"type":"number"}"#,
        r#"{"type":"integer"}"#,
        "TYPE_NARROWED",
        "/",
    ),
    (
        r#"{"type":"string"}"#,
        r#"{"type":"integer"}"#,
        "TYPE_CHANGED",
        "/",
    ),
    (
        r#"{"type":"string"}"#,
        r#"{"type":"string","maxLength":3}"#,
        "MAX_LENGTH_ADDED",
        "/",
    ),
    (
        r#"{"type":"string","minLength":1}"#,
        r#"{"type":"string","minLength":3}"#,
        "MIN_LENGTH_INCREASED",
        "/",
    ),
    (
        r#"{"type":"number","exclusiveMaximum":6}"#,
        r#"{"type":"number","maximum":5}"#,
        "MAXIMUM_ADDED",
        "/",
    ),
    (
        r#"{"type":"number"}"#,
        r#"{"type":"number","multipleOf":0.5}"#,
        "MULTIPLE_OF_ADDED",
        "/",
    ),
    (
        r#"{"enum":["a","b"]}"#,
        r#"{"enum":["a"]}"#,
        "ENUM_ARRAY_NARROWED",
        "/",
    ),
    (
        r#"{"type":"string"}"#,
        r#"{"type":"string","enum":["a"]}"#,
        "ENUM_ARRAY_CHANGED",
        "/",
    ),
    (
        r#"{"type":"object","properties":{"a":{"type":"string"}}}"#,
        r#"{"type":"object","properties":{"a":{"type":"string"}},"required":["a"]}"#,
        "REQUIRED_ATTRIBUTE_ADDED",
        "/a",
    ),
    (
        r#"{"type":"object","properties":{}}"#,
        r#"{"type":"object","properties":{"a":{"type":"string"}}}"#,
        "OPTIONAL_PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL",
        "/a",
    ),
    (
        r#"{"type":"object","additionalProperties":{"type":"integer"}}"#,
        r#"{"type":"object","additionalProperties":{"type":"integer"},"properties":{"a":{"type":"string"}}}"#,
        "PROPERTY_ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL",
        "/a",
    ),
    (
        r#"{"type":"object","additionalProperties":false,"properties":{"a":{"type":"string"}}}"#,
        r#"{"type":"object","additionalProperties":false}"#,
        "PROPERTY_REMOVED_FROM_CLOSED_CONTENT_MODEL",
        "/a",
    ),
    (
        r#"{"type":"object","properties":{}}"#,
        r#"{"type":"object","additionalProperties":false}"#,
        "ADDITIONAL_PROPERTIES_REMOVED",
        "/{}",
    ),
    (
        r#"{"oneOf":[{"type":"string"},{"type":"integer"}]}"#,
        r#"{"oneOf":[{"type":"string"}]}"#,
        "SUM_TYPE_NARROWED",
        "/",
    ),
    (
        r#"{"type":"string","not":{"enum":["a"]}}"#,
        r#"{"type":"string","not":{"enum":["a","b"]}}"#,
        "NOT_TYPE_EXTENDED",
        "/",
    ),
    (
        r#"{"type":"array","items":{"type":"string"}}"#,
        r#"{"type":"array","items":{"type":"null"}}"#,
        "TYPE_CHANGED",
        "/[]",
    ),
    (
        r#"{"type":"array"}"#,
        r#"{"type":"array","uniqueItems":true}"#,
        "UNIQUE_ITEMS_ADDED",
        "/",
    ),
    (
        r#"{"type":"array"}"#,
        r#"{"type":"array","contains":{"const":1}}"#,
        "MIN_CONTAINS_ADDED",
        "/",
    ),
    (
        r#"{"type":"object","required":["a"]}"#,
        r#"{"type":"object","required":["a"],"dependencies":{"a":["b"]}}"#,
        "DEPENDENCY_ARRAY_ADDED",
        "/a",
    ),
    (
        r#"{"type":"integer"}"#,
        r#"{"type":"integer","if":{"minimum":3},"then":{"maximum":9}}"#,
        "CONDITION_CHANGED",
        "/",
    ),
];

#[test]
fn what_may_not_change() {
    for (old, new, rule, path) in MAY_NOT {
        assert_eq!(check(old, new), [(*rule, (*path).to_owned())], "{old} -> {new}");
    }
}

#[test]
fn every_finding_is_told_with_both_texts_and_the_legal_way() {
    let old = parse(
        r#"{"type":"object","properties":{"a":{"type":"string","maxLength":9},"b":{"type":"integer"}}}"#,
    );
    let new = parse(
        r#"{"type":"object","properties":{"a":{"type":"string","maxLength":5},"b":{"type":"string"}}}"#,
    );
    let found = compatible(Mode::Full, &new, &[&old], &mut Work::default()).unwrap();
    let short: Vec<_> = found
        .iter()
        .map(|f| (f.rule, f.path.as_str(), f.old.as_str(), f.new.as_str()))
        .collect();
    assert_eq!(
        short,
        [
            ("MAX_LENGTH_DECREASED", "/a", "maxLength: 9", "maxLength: 5"),
            ("TYPE_CHANGED", "/b", "type: \"integer\"", "type: \"string\""),
            ("TYPE_CHANGED", "/b", "type: \"integer\"", "type: \"string\""),
        ]
    );
    assert!(found.iter().all(|finding| !finding.how.is_empty()));
}

#[test]
fn recursive_schemas_end_and_are_compared_inside() {
    let tree = |leaf: &str| {
        format!(
            r##"{{"$ref":"#/definitions/node","definitions":{{"node":{{"type":"object","additionalProperties":false,
            "properties":{{"next":{{"$ref":"#/definitions/node"}},"leaf":{leaf}}}}}}}}}"##
        )
    };
    assert_eq!(
        check(&tree(r#"{"type":"integer"}"#), &tree(r#"{"type":"number"}"#)),
        []
    );
    let found = check(&tree(r#"{"type":"number"}"#), &tree(r#"{"type":"integer"}"#));
    assert_eq!(found, [("TYPE_NARROWED", "/leaf".to_owned())]);
}

#[test]
fn a_branch_that_rests_on_a_failed_branch_is_not_believed() {
    // Under the assumption that A reads A', B reads B'; but A does not read A'.
    let schema = |kind: &str| {
        format!(
            r##"{{"anyOf":[{{"$ref":"#/definitions/a"}},{{"$ref":"#/definitions/b"}}],"definitions":{{
            "a":{{"type":"object","additionalProperties":false,"required":["x"],"properties":{{"x":{{"type":"{kind}"}},"b":{{"$ref":"#/definitions/b"}}}}}},
            "b":{{"type":"object","additionalProperties":false,"properties":{{"a":{{"$ref":"#/definitions/a"}}}}}}}}}}"##
        )
    };
    assert_eq!(check(&schema("string"), &schema("string")), []);
    assert_eq!(check(&schema("string"), &schema("integer")).len(), 1);
}

#[test]
fn work_is_bounded_and_can_be_cancelled() {
    let wide: Vec<String> = (0..60)
        .map(|n| format!(r#"{{"properties":{{"a{n}":{{"type":"string"}}}}}}"#))
        .collect();
    let sums: Vec<String> = (0..12)
        .map(|_| format!(r#"{{"anyOf":[{}]}}"#, wide.join(",")))
        .collect();
    let old = parse(&format!(r#"{{"allOf":[{}]}}"#, sums.join(",")));
    let new = parse(r#"{"anyOf":[{"type":"string"},{"maxProperties":3}]}"#);
    let stopped = compatible(Mode::Backward, &new, &[&old], &mut Work::bounded(20_000));
    assert_eq!(stopped, Err(Stopped::TooMuchWork(20_000)));
}
