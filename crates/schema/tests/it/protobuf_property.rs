//! Protobuf compatibility against data: messages of the old file decode under the new one, and what both know is kept.

use std::fmt::Write as _;

use schema::{Format, Limits, Mode, Schema, Source, Work, compatible, protobuf::ProtobufSchema};
use serde_json::{Map, Value, json};

use crate::dice::{Dice, cases};

const SCALARS: [&str; 15] = [
    "int32", "int64", "uint32", "uint64", "sint32", "sint64", "bool", "fixed32", "fixed64", "sfixed32",
    "sfixed64", "float", "double", "string", "bytes",
];

#[derive(Clone, PartialEq)]
struct Field {
    number: u64,
    name: String,
    kind: String,
    /// "", "repeated " or "map".
    label: &'static str,
    oneof: bool,
}

#[derive(Clone)]
struct File {
    package: &'static str,
    fields: Vec<Field>,
    inner: Vec<Field>,
    has_inner: bool,
}

fn field(dice: &mut Dice, number: u64, may_nest: bool) -> Field {
    let kind = match dice.below(10) {
        0 => "Kind".to_owned(),
        1 | 2 if may_nest => "Inner".to_owned(),
        _ => (*dice.pick(&SCALARS)).to_owned(),
    };
    let label = match dice.below(6) {
        0 | 1 => "repeated ",
        2 => "map",
        _ => "",
    };
    let oneof = label.is_empty() && dice.chance(20);
    Field {
        number,
        name: format!("f{number}"),
        kind,
        label,
        oneof,
    }
}

fn file(dice: &mut Dice) -> File {
    let count = 1 + dice.below(5);
    let fields = (1..=count).map(|number| field(dice, number, true)).collect();
    let inner = (1..=1 + dice.below(3))
        .map(|number| field(dice, number, false))
        .collect();
    File {
        package: "p",
        fields,
        inner,
        has_inner: true,
    }
}

fn changed(dice: &mut Dice, old: &File) -> File {
    let mut new = old.clone();
    match dice.below(12) {
        0 => new.package = "q",
        1 if !new.fields.iter().any(|field| field.kind == "Inner") => new.has_inner = false,
        choice => {
            let list = if choice % 3 == 0 {
                &mut new.inner
            } else {
                &mut new.fields
            };
            let may_nest = choice % 3 != 0;
            let at = dice.below(list.len() as u64) as usize;
            match dice.below(6) {
                0 => list.push(field(dice, 9, may_nest)),
                1 => drop(list.remove(at)),
                2 => list[at].name = "renamed".into(),
                3 => list[at].kind = (*dice.pick(&SCALARS)).to_owned(),
                4 => list[at].oneof = list[at].label.is_empty() && !list[at].oneof,
                _ => list[at] = field(dice, list[at].number, may_nest),
            }
        }
    }
    new
}

fn body(fields: &[Field]) -> String {
    let mut text = String::new();
    let typed = |field: &Field| match field.label {
        "map" => format!("map<string, {}>", field.kind),
        label => format!("{label}{}", field.kind),
    };
    for field in fields.iter().filter(|field| !field.oneof) {
        let _ = writeln!(text, "  {} {} = {};", typed(field), field.name, field.number);
    }
    if fields.iter().any(|field| field.oneof) {
        text.push_str("  oneof choice {\n");
        for field in fields.iter().filter(|field| field.oneof) {
            let _ = writeln!(text, "    {} {} = {};", typed(field), field.name, field.number);
        }
        text.push_str("  }\n");
    }
    text
}

fn text(file: &File) -> String {
    let inner = if file.has_inner {
        format!("message Inner {{\n{}}}\n", body(&file.inner))
    } else {
        String::new()
    };
    format!(
        "syntax = \"proto3\";\npackage {};\nmessage Outer {{\n{}}}\n{inner}enum Kind {{ K0 = 0; K1 = 1; K2 = 2; }}\n",
        file.package,
        body(&file.fields)
    )
}

fn parse(file: &File) -> (Schema, ProtobufSchema) {
    let source = Source::new(Format::Protobuf, text(file));
    let schema = ProtobufSchema::parse_source(&source, &Limits::default()).expect("what is generated parses");
    (Schema::Protobuf(schema.clone()), schema)
}

/// A random value in the JSON mapping. Bytes are UTF-8, so that they can be read as strings.
fn scalar(dice: &mut Dice, kind: &str) -> Value {
    match kind {
        "bool" => json!(true),
        "string" => json!(format!("s{}", dice.below(100))),
        "bytes" => json!("YWJj"),
        "float" | "double" => json!(dice.below(100) as f64 / 4.0),
        "Kind" => json!(*dice.pick(&["K1", "K2"])),
        kind if kind.ends_with("64") => json!((1 + dice.below(1 << 40)).to_string()),
        _ => json!(1 + dice.below(1 << 20)),
    }
}

fn message(dice: &mut Dice, file: &File, fields: &[Field]) -> Value {
    let mut members = Map::new();
    let mut chosen = false;
    for field in fields {
        if dice.chance(25) || (field.oneof && chosen) {
            continue;
        }
        chosen |= field.oneof;
        let one = |dice: &mut Dice| match field.kind.as_str() {
            "Inner" => message(dice, file, &file.inner),
            kind => scalar(dice, kind),
        };
        let value = match field.label {
            "map" => json!({"k": one(dice)}),
            "repeated " => json!([one(dice), one(dice)]),
            _ => one(dice),
        };
        members.insert(field.name.clone(), value);
    }
    Value::Object(members)
}

/// Fields that did not change must read as they were written.
fn check_kept(seed: u64, old: &File, new: &File, written: &Value, read: &Value) {
    for field in &old.fields {
        let same = new.fields.contains(field) && field.kind != "Inner" && !field.oneof;
        if same {
            assert_eq!(
                written.get(&field.name),
                read.get(&field.name),
                "seed {seed}: {}",
                field.name
            );
        }
    }
}

#[test]
fn messages_of_a_compatible_file_decode_and_keep_what_both_know() {
    let (mut compatible_pairs, mut refused, mut shown) = (0, 0, 0);
    for seed in 0..cases(1_500) {
        let mut dice = Dice::new(seed);
        let old = file(&mut dice);
        let new = changed(&mut dice, &old);
        let ((old_schema, old_file), (new_schema, new_file)) = (parse(&old), parse(&new));
        let found =
            compatible(Mode::Backward, &new_schema, &[&old_schema], &mut Work::default()).expect("it ends");
        let (from, to) = (
            old_file.message("Outer").expect("it is there"),
            new_file.message("Outer").expect("it is there"),
        );
        let mut fails = false;
        for _ in 0..10 {
            let written = message(&mut dice, &old, &old.fields);
            let bytes = old_file
                .encode_json(&from, &written)
                .expect("what is generated encodes");
            let written = old_file
                .decode_json(&from, &bytes)
                .expect("what was encoded decodes");
            match new_file.decode_json(&to, &bytes) {
                Ok(read) if found.is_empty() => check_kept(seed, &old, &new, &written, &read),
                Ok(read) => fails |= read != written,
                Err(error) => {
                    assert!(
                        !found.is_empty(),
                        "seed {seed}: called compatible, but {error}\n{}\n{}",
                        text(&old),
                        text(&new)
                    );
                    fails = true;
                }
            }
        }
        if found.is_empty() {
            compatible_pairs += 1;
        } else {
            refused += 1;
            shown += u64::from(fails);
            let rules: Vec<&str> = found.iter().map(|finding| finding.rule).collect();
            // A message that is gone and another package are refused by name; data does not show it. A field that
            // moves into a oneof loses another one only when both are set.
            let by_rule = [
                "PACKAGE_CHANGED",
                "MESSAGE_REMOVED",
                "FIELD_MOVED_TO_EXISTING_ONEOF",
                "MULTIPLE_FIELDS_MOVED_TO_ONEOF",
                "ONEOF_FIELD_REMOVED",
                "FIELD_NUMERIC_LABEL_CHANGED",
                "FIELD_SCALAR_KIND_CHANGED",
                "FIELD_KIND_CHANGED",
            ];
            assert!(
                fails || rules.iter().any(|rule| by_rule.contains(rule)),
                "seed {seed}: {rules:?}\n{}\n{}",
                text(&old),
                text(&new)
            );
        }
    }
    println!("{compatible_pairs} compatible, {refused} refused of which {shown} shown by a message");
    assert!(
        compatible_pairs > refused / 4 && refused > compatible_pairs / 8,
        "{compatible_pairs} {refused}"
    );
    assert!(shown * 2 > refused, "{shown} of {refused}");
}

#[test]
fn the_normal_form_is_its_own_for_random_files() {
    for seed in 0..cases(500) {
        let (_, schema) = parse(&file(&mut Dice::new(seed)));
        let normal = schema.normal_text();
        let again = ProtobufSchema::parse_source(
            &Source::new(Format::Protobuf, normal.as_str()),
            &Limits::default(),
        );
        assert_eq!(
            again.expect("the normal form parses").normal_text(),
            normal,
            "seed {seed}"
        );
    }
}
