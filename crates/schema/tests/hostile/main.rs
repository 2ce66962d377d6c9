//! Hostile schemas: whatever text comes in, parsing answers without a panic and within its budget of memory.
//!
//! `OTTLA_CASES=1000000 cargo test --profile sim -p ottla-schema --test hostile` runs long.

use std::alloc::System;

use schema::{Format, Schema, Source};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Memory of one parse: a fixed part for tables that are built once, and a multiple of the text. The fixed part holds
/// one compiled regular expression at its bound.
const FIXED_BYTES: usize = 24 << 20;
const PER_BYTE: usize = 8_192;

fn iterations() -> usize {
    let cases = std::env::var("OTTLA_CASES").ok();
    cases.and_then(|cases| cases.parse().ok()).unwrap_or(2_000)
}

fn answer(format: Format, text: &str) {
    let source = Source::new(format, text);
    let region = Region::new(ALLOCATOR);
    if let Ok(schema) = Schema::parse(&source) {
        let normal = schema.normal_text();
        let outline = schema.outline();
        drop((normal, outline));
    }
    // Everything that was asked for, freed again or not: never less than what was held at once.
    let most = region.change().bytes_allocated;
    let budget = FIXED_BYTES + PER_BYTE * text.len();
    assert!(
        most <= budget,
        "{most} bytes asked for {} of text, {budget} are allowed:\n{text}",
        text.len()
    );
}

/// Pieces of JSON Schemas.
const JSON: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "\"type\"",
    "\"object\"",
    "\"string\"",
    "\"properties\"",
    "\"a\"",
    "\"$ref\"",
    "\"#\"",
    "\"#/definitions/a\"",
    "\"definitions\"",
    "\"$defs\"",
    "\"allOf\"",
    "\"anyOf\"",
    "\"oneOf\"",
    "\"not\"",
    "\"if\"",
    "\"then\"",
    "\"$id\"",
    "\"http://example.com/b.json\"",
    "\"$schema\"",
    "\"http://json-schema.org/draft-07/schema#\"",
    "\"https://json-schema.org/draft/2020-12/schema\"",
    "\"http://json-schema.org/draft-04/schema#\"",
    "\"$anchor\"",
    "\"$dynamicRef\"",
    "\"$dynamicAnchor\"",
    "\"$recursiveRef\"",
    "\"pattern\"",
    "\"^(a|b)*$\"",
    "\"\\\\w{1,99}{1,99}\"",
    "\"patternProperties\"",
    "\"additionalProperties\"",
    "\"unevaluatedProperties\"",
    "\"items\"",
    "\"prefixItems\"",
    "\"contains\"",
    "\"enum\"",
    "\"const\"",
    "\"minimum\"",
    "\"multipleOf\"",
    "0",
    "1",
    "-1",
    "1e400",
    "0.1",
    "true",
    "false",
    "null",
    "\"required\"",
    "\"dependentSchemas\"",
    "\"dependencies\"",
    "\"propertyNames\"",
    "\"format\"",
    "\"\\ud800\"",
    "\"%zz\"",
    "\"../\"",
    "{\"type\":\"object\",\"properties\":{\"a\":",
    "{\"$ref\":\"#/definitions/a\"}",
    "{\"definitions\":{\"a\":",
    "}}",
    "]}",
];

/// Pieces of Protobuf files.
const PROTO: &[&str] = &[
    "syntax",
    "=",
    "\"proto2\"",
    "\"proto3\"",
    ";",
    "package",
    "a",
    ".",
    "b",
    "import",
    "\"google/protobuf/any.proto\"",
    "\"google/protobuf/descriptor.proto\"",
    "public",
    "message",
    "{",
    "}",
    "enum",
    "A",
    "B",
    "int32",
    "string",
    "repeated",
    "optional",
    "required",
    "map",
    "<",
    ">",
    ",",
    "oneof",
    "1",
    "2",
    "0",
    "-1",
    "536870911",
    "19000",
    "max",
    "to",
    "reserved",
    "extensions",
    "extend",
    "google.protobuf.FieldOptions",
    "group",
    "option",
    "(",
    ")",
    "[",
    "]",
    "default",
    "json_name",
    "packed",
    "deprecated",
    "true",
    "inf",
    "nan",
    "0x7fffffffffffffff",
    "1e999",
    "\"\\xff\"",
    "'\\777'",
    "/*",
    "*/",
    "//",
    "\n",
    "service",
    "rpc",
    "returns",
    "stream",
    "edition",
    "\"2023\"",
    "syntax = \"proto3\";",
    "message A {",
    "int32 x = 1;",
    "A a = 2;",
    "enum E { Z = 0; }",
    "allow_alias",
    "\u{0}",
    "\u{feff}",
    "é",
];

const SEEDS_JSON: &[&str] = &[
    r##"{"type":"object","properties":{"a":{"$ref":"#/definitions/b"}},"definitions":{"b":{"type":"array","items":{"$ref":"#"}}}}"##,
    r##"{"$schema":"https://json-schema.org/draft/2020-12/schema","$id":"http://e.com/a","$defs":{"x":{"$anchor":"y","type":"string"}},"allOf":[{"$ref":"#y"}],"unevaluatedProperties":false}"##,
    r#"{"oneOf":[{"type":"string","pattern":"^[a-z]{1,20}$"},{"enum":[1,2,null]}],"if":{"const":1},"then":false,"else":{"minimum":2}}"#,
];

const SEEDS_PROTO: &[&str] = &[
    "syntax = \"proto3\"; package p; import \"google/protobuf/timestamp.proto\"; message A { map<string, B> m = 1; oneof o { int32 x = 2; google.protobuf.Timestamp t = 3; } message B { repeated A a = 1 [deprecated = true]; } }",
    "syntax = \"proto2\"; message A { required int32 x = 1 [default = -1]; optional group G = 2 { optional bytes b = 3 [default = \"\\001\"]; } extensions 100 to max; reserved 5 to 7; } extend A { optional string s = 100; }",
    "enum E { option allow_alias = true; A = 0; B = 0; reserved -5 to -1; } service S { rpc M(stream N) returns (N) { option deprecated = true; } } message N {}",
];

/// A text made of pieces, or a seed with bytes changed, pieces put in and parts said twice.
fn text(picks: &[u8], pieces: &[&str], seeds: &[&str]) -> String {
    let Some((first, rest)) = picks.split_first() else {
        return String::new();
    };
    if first % 2 == 0 {
        return rest
            .iter()
            .map(|pick| pieces[usize::from(*pick) % pieces.len()])
            .collect::<Vec<_>>()
            .join(" ");
    }
    let mut text = seeds[usize::from(*first) / 2 % seeds.len()].as_bytes().to_vec();
    for change in rest.chunks_exact(3) {
        let at = (usize::from(change[0]) * 256 + usize::from(change[1])) % (text.len() + 1);
        match change[2] % 4 {
            0 if at < text.len() => text[at] = change[2],
            1 => drop(text.splice(at..at, pieces[usize::from(change[2]) % pieces.len()].bytes())),
            2 => text.truncate(text.len().max(8) - usize::from(change[2] % 8)),
            _ => {
                let part = text[at..(at + usize::from(change[2])).min(text.len())].to_vec();
                text.splice(at..at, part);
            }
        }
    }
    String::from_utf8_lossy(&text).into_owned()
}

fn run(format: Format, pieces: &'static [&'static str], seeds: &'static [&'static str]) {
    for seed in seeds {
        Schema::parse(&Source::new(format, *seed)).unwrap_or_else(|error| panic!("{error}: {seed}"));
        answer(format, seed);
    }
    bolero::check!()
        .with_iterations(iterations())
        .with_type::<Vec<u8>>()
        .for_each(|picks| {
            answer(format, &text(picks, pieces, seeds));
        });
}

/// One test, so that nothing else holds memory meanwhile.
#[test]
fn whatever_comes_in_is_answered_within_the_budget() {
    run(Format::Json, JSON, SEEDS_JSON);
    run(Format::Protobuf, PROTO, SEEDS_PROTO);
    bombs();
}

/// Small texts that would ask for much: each is refused, or parsed within its budget.
fn bombs() {
    let doubling = |levels: usize| {
        let defs: Vec<String> = (0..levels)
            .map(|n| format!(r##""d{n}":{{"allOf":[{{"$ref":"#/definitions/d{0}"}},{{"$ref":"#/definitions/d{0}"}}]}}"##, n + 1))
            .collect();
        format!(
            r##"{{"$ref":"#/definitions/d0","definitions":{{{},"d{levels}":{{}}}}}}"##,
            defs.join(",")
        )
    };
    let refused = |text: &str| {
        Schema::parse(&Source::new(Format::Json, text))
            .map(drop)
            .unwrap_err()
    };
    assert!(refused(&doubling(60)).what.contains("apply to one value"));
    answer(Format::Json, &doubling(10));
    let chain: Vec<String> = (0..5_000)
        .map(|n| format!(r##""d{n}":{{"$ref":"#/definitions/d{}"}}"##, n + 1))
        .collect();
    let chain = format!(
        r##"{{"$ref":"#/definitions/d0","definitions":{{{},"d5000":{{}}}}}}"##,
        chain.join(",")
    );
    assert!(refused(&chain).what.contains("in a row"));
    let patterns: Vec<String> = (0..500)
        .map(|n| format!(r#""p{n}":{{"pattern":"(\\w{{1,50}}){{1,50}}{n}"}}"#))
        .collect();
    answer(
        Format::Json,
        &format!(r#"{{"properties":{{{}}}}}"#, patterns.join(",")),
    );
    answer(Format::Json, &"{\"not\":".repeat(100_000));
    answer(Format::Protobuf, &"message A {".repeat(50_000));
    answer(
        Format::Protobuf,
        &format!(
            "message A {{ optional int32 x = 1 [default = {}1]; }}",
            "-".repeat(100_000)
        ),
    );
    answer(
        Format::Protobuf,
        &format!(
            "syntax=\"proto3\"; message A {{ {}int32 x = 1; }}",
            "A.".repeat(50_000)
        ),
    );
}
