//! Each rule, accepted and refused, with its path and its mend.

use super::*;

fn schema(text: &str) -> AvroSchema {
    AvroSchema::parse(text).unwrap()
}

fn findings(reader: &str, writer: &str) -> Vec<Incompatibility> {
    let mut found = Vec::new();
    let (reader, writer) = (schema(reader), schema(writer));
    compatible(
        Direction::Backward,
        &reader,
        &writer,
        &mut Work::default(),
        &mut found,
    )
    .unwrap();
    assert_eq!(
        can_read(&reader, &writer, &mut Work::default()),
        Ok(found.is_empty())
    );
    found
}

fn short(reader: &str, writer: &str) -> Vec<String> {
    findings(reader, writer)
        .iter()
        .map(|f| format!("{} {}", f.rule, f.path))
        .collect()
}

fn record(name: &str, fields: &str) -> String {
    format!(r#"{{"type":"record","name":"{name}","fields":[{fields}]}}"#)
}

#[test]
fn numbers_are_promoted_and_never_narrowed() {
    let numbers = ["int", "long", "float", "double"];
    for (r, reader) in numbers.iter().enumerate() {
        for (w, writer) in numbers.iter().enumerate() {
            let found = short(&format!("\"{reader}\""), &format!("\"{writer}\""));
            assert_eq!(found.is_empty(), w <= r, "{reader} reads {writer}");
        }
    }
    assert_eq!(short(r#""bytes""#, r#""string""#), [""; 0]);
    assert_eq!(short(r#""string""#, r#""bytes""#), [""; 0]);
    assert_eq!(short(r#""boolean""#, r#""int""#), ["TYPE_MISMATCH /"]);
}

#[test]
fn every_fault_is_found_with_its_path() {
    let old = record(
        "n.Order",
        r#"{"name":"a","type":"string"},
           {"name":"k","type":{"type":"enum","name":"K","symbols":["X","Y"]}},
           {"name":"f","type":{"type":"fixed","name":"F","size":4}},
           {"name":"list","type":{"type":"array","items":{"type":"map","values":"long"}}},
           {"name":"u","type":["null","string"]}"#,
    );
    let new = record(
        "n.Purchase",
        r#"{"name":"a","type":"int"},
           {"name":"k","type":{"type":"enum","name":"K","symbols":["X"]}},
           {"name":"f","type":{"type":"fixed","name":"F","size":5}},
           {"name":"list","type":{"type":"array","items":{"type":"map","values":"int"}}},
           {"name":"u","type":["null","int"]},
           {"name":"added","type":"string"}"#,
    );
    assert_eq!(
        short(&new, &old),
        [
            "NAME_MISMATCH /",
            "TYPE_MISMATCH /a",
            "MISSING_ENUM_SYMBOLS /k",
            "FIXED_SIZE_MISMATCH /f",
            "TYPE_MISMATCH /list/[]/{}",
            "MISSING_UNION_BRANCH /u/<string>",
            "READER_FIELD_MISSING_DEFAULT_VALUE /added",
        ]
    );
    let found = findings(&new, &old);
    assert_eq!((found[1].old.as_str(), found[1].new.as_str()), ("string", "int"));
    assert!(found[2].how.contains("keep Y in n.K"));
}

#[test]
fn names_match_without_namespace_or_by_alias() {
    let fields = r#"{"name":"a","type":"int"}"#;
    assert_eq!(short(&record("x.R", fields), &record("y.R", fields)), [""; 0]);
    let renamed = r#"{"type":"record","name":"x.S","aliases":["y.R"],"fields":[{"name":"b","aliases":["a"],"type":"int"}]}"#;
    assert_eq!(short(renamed, &record("y.R", fields)), [""; 0]);
    assert_eq!(
        short(renamed, &record("z.R", r#"{"name":"c","type":"int"}"#)),
        ["NAME_MISMATCH /", "READER_FIELD_MISSING_DEFAULT_VALUE /b"]
    );
}

#[test]
fn a_default_symbol_takes_unknown_ones() {
    let old = r#"{"type":"enum","name":"K","symbols":["X","Y"]}"#;
    assert_eq!(
        short(r#"{"type":"enum","name":"K","symbols":["X"],"default":"X"}"#, old),
        [""; 0]
    );
}

#[test]
fn unions_read_each_branch() {
    assert_eq!(short(r#"["null","long"]"#, r#""int""#), [""; 0]);
    assert_eq!(short(r#""long""#, r#"["int","long"]"#), [""; 0]);
    assert_eq!(short(r#""int""#, r#"["int","long"]"#), ["TYPE_MISMATCH /<long>"]);
    assert_eq!(
        short(r#"["int"]"#, r#"["int","null"]"#),
        ["MISSING_UNION_BRANCH /<null>"]
    );
    assert_eq!(short(r#""int""#, "[]"), [""; 0]);
    assert_eq!(short("[]", r#""int""#), ["MISSING_UNION_BRANCH /"]);
}

#[test]
fn recursion_ends_and_a_fault_inside_it_is_found() {
    let list = |value: &str| {
        record(
            "L",
            &format!(r#"{{"name":"next","type":["null","L"]}},{{"name":"v","type":"{value}"}}"#),
        )
    };
    assert_eq!(short(&list("long"), &list("int")), [""; 0]);
    assert_eq!(short(&list("int"), &list("long")), ["TYPE_MISMATCH /v"]);
}

#[test]
fn a_branch_that_only_fails_deep_inside_a_circle_does_not_count_as_reading() {
    // B reads through A, A through B; the fault stands in B alone.
    let make = |leaf: &str| {
        record(
            "A",
            &format!(
                r#"{{"name":"b","type":["null",{{"type":"record","name":"B","fields":[
                    {{"name":"a","type":["null","A"]}},{{"name":"leaf","type":"{leaf}"}}]}}]}}"#
            ),
        )
    };
    assert_eq!(
        short(&make("int"), &make("string")),
        ["TYPE_MISMATCH /b/<B>/<B>/leaf"]
    );
}

#[test]
fn work_is_bounded_and_cancellable() {
    let fields: Vec<_> = (0..100)
        .map(|n| format!(r#"{{"name":"f{n}","type":["null","int"]}}"#))
        .collect();
    let wide = schema(&record("W", &fields.join(",")));
    assert_eq!(
        can_read(&wide, &wide, &mut Work::bounded(100)),
        Err(Stopped::TooMuchWork(100))
    );
    let cancel = std::sync::atomic::AtomicBool::new(true);
    let mut work = Work::default().cancelled_by(&cancel);
    assert_eq!(can_read(&wide, &wide, &mut work), Err(Stopped::Cancelled));
}
