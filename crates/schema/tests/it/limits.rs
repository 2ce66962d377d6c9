//! What a hostile schema may ask for, at the edge: the last value allowed, and the first refused.

use schema::{Format, Limits, Reference, Schema, SchemaError, Source};

fn avro(text: String) -> Result<Schema, SchemaError> {
    Schema::parse(&Source::new(Format::Avro, text))
}

#[test]
fn a_mebibyte_of_text_is_the_most() {
    let padded = |bytes: usize| format!("\"int\"{}", " ".repeat(bytes - 5));
    assert!(avro(padded(1 << 20)).is_ok());
    assert!(
        avro(padded((1 << 20) + 1))
            .unwrap_err()
            .what
            .contains("1048577 bytes")
    );
}

#[test]
fn sixty_four_types_inside_each_other_are_the_most() {
    let nested = |depth: usize| {
        let open = r#"{"type":"array","items":"#.repeat(depth - 1);
        avro(format!("{open}\"int\"{}", "}".repeat(depth - 1)))
    };
    assert!(nested(64).is_ok());
    let error = nested(65).unwrap_err();
    assert!(error.what.contains("65 deep"), "{error}");
    assert!(error.path.as_str().starts_with("/[]/[]"), "{error}");
    assert!(nested(10_000).unwrap_err().what.contains("512"));
}

#[test]
fn ten_thousand_named_types_are_the_most() {
    let many = |count: usize| {
        let types: Vec<_> = (0..count)
            .map(|n| format!(r#"{{"type":"fixed","name":"F{n}","size":1}}"#))
            .collect();
        avro(format!("[{}]", types.join(",")))
    };
    assert!(many(10_000).is_ok());
    assert!(many(10_001).unwrap_err().what.contains("10000"));
}

#[test]
fn limits_hold_for_references_too() {
    let limits = Limits {
        named_types_max: 2,
        ..Limits::default()
    };
    let fixed = |name: &str| format!(r#"{{"type":"fixed","name":"{name}","size":1}}"#);
    let reference = |name: &str| Reference {
        name: name.into(),
        text: fixed(name),
        ..Reference::default()
    };
    let parse = |text: &str| {
        let source = Source::new(Format::Avro, text).with_references(vec![reference("A"), reference("B")]);
        Schema::parse_within(&source, &limits)
    };
    assert!(parse(r#"["A","B"]"#).is_ok());
    assert!(parse(&fixed("C")).is_err());
}

#[test]
fn a_type_that_no_reference_brings_is_refused() {
    let error = avro(r#"{"type":"array","items":"https://example.com/a.avsc"}"#.into()).unwrap_err();
    assert_eq!(error.path.as_str(), "/[]");
    assert!(error.what.contains("no known type"), "{error}");
}
