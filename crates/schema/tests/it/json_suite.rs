//! The official JSON Schema test suite: every required case of the five drafts.

use std::path::Path;

use schema::{Format, Limits, Reference, Source, json::Draft, json::JsonSchema, json::Options};
use serde_json::{Map, Value};

fn load(name: &str) -> Map<String, Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/json_schema_suite")
        .join(name);
    let text = std::fs::read_to_string(path).expect("the suite is committed");
    match serde_json::from_str(&text).expect("the suite is JSON") {
        Value::Object(members) => members,
        other => panic!("{other} is no suite"),
    }
}

/// The documents that the suite expects to find at localhost:1234, as references.
fn remotes(folder: &str) -> Vec<Reference> {
    // This one stands on `$defs`, which older drafts do not know; none of their tests asks for it.
    let modern = |path: &String| path == "nested-absolute-ref-to-string.json" && !folder.contains("-");
    let wanted = |path: &String| (path.starts_with(folder) || !path.starts_with("draft")) && !modern(path);
    let documents = load("remotes.json").into_iter().filter(|(path, _)| wanted(path));
    documents
        .map(|(path, value)| Reference {
            name: format!("http://localhost:1234/{path}"),
            subject: path,
            version: 1,
            text: value.to_string(),
            references: Vec::new(),
        })
        .collect()
}

struct Tally {
    cases: usize,
    failed: Vec<String>,
}

fn run_group(draft: Draft, file: &str, group: &Value, remotes: &[Reference], tally: &mut Tally) {
    let text = group["schema"].to_string();
    let needs_remotes = text.contains("localhost:1234");
    let source = Source::new(Format::Json, text).with_references(if needs_remotes {
        remotes.to_vec()
    } else {
        Vec::new()
    });
    let options = Options {
        draft,
        ..Options::default()
    };
    let parsed = JsonSchema::parse_with(&source, &Limits::default(), &options);
    for case in group["tests"].as_array().expect("a group has tests") {
        tally.cases += 1;
        let name = || {
            format!(
                "{draft} {file}: {} / {}",
                group["description"], case["description"]
            )
        };
        match &parsed {
            Err(error) => tally.failed.push(format!("{}: {error}", name())),
            Ok(schema) => {
                let wanted = case["valid"].as_bool().expect("a case says what it wants");
                let found = schema.validate(&case["data"]);
                if found.is_empty() != wanted || schema.is_valid(&case["data"]) != wanted {
                    tally
                        .failed
                        .push(format!("{}: wanted {wanted}, got {found:?}", name()));
                }
            }
        }
    }
}

fn run(draft: Draft, folder: &str, cases: usize) {
    let remotes = remotes(folder);
    let mut tally = Tally {
        cases: 0,
        failed: Vec::new(),
    };
    for (file, groups) in load(&format!("{folder}.json")) {
        for group in groups.as_array().expect("a file has groups") {
            run_group(draft, &file, group, &remotes, &mut tally);
        }
    }
    let failed = tally.failed.len();
    assert!(
        failed == 0,
        "{failed} of {} failed:\n{}",
        tally.cases,
        tally.failed.join("\n")
    );
    assert_eq!(tally.cases, cases, "the suite is whole");
}

#[test]
fn draft_4_is_whole() {
    run(Draft::Draft4, "draft4", 610);
}

#[test]
fn draft_6_is_whole() {
    run(Draft::Draft6, "draft6", 829);
}

#[test]
fn draft_7_is_whole() {
    run(Draft::Draft7, "draft7", 913);
}

#[test]
fn draft_2019_09_is_whole() {
    run(Draft::Draft201909, "draft2019-09", 1227);
}

#[test]
fn draft_2020_12_is_whole() {
    run(Draft::Draft202012, "draft2020-12", 1257);
}
