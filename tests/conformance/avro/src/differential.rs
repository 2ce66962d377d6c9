//! Random schemas, data and evolutions: what we say beside what Java Avro and apache-avro say.

use std::collections::BTreeMap;

use anyhow::Result;
use schema::{
    Work,
    avro::{AvroSchema, Decoder, Encoder, Value, can_read},
};

use crate::{
    java::{Answer, Java, hex},
    random::{self, Maker, Random, Type, evolve},
};

/// Data for each pair of schemas.
const DATA: usize = 20;

/// What was counted, and what was different.
#[derive(Default)]
pub struct Tally {
    pub pairs: u64,
    pub cases: u64,
    pub compatible: u64,
    pub refused_by_both: u64,
    /// Differences that have a name, by it.
    pub explained: BTreeMap<&'static str, u64>,
    pub unexplained: u64,
    shown: u64,
}

impl Tally {
    pub fn differ(&mut self, what: &str, pair: &Pair, more: &str) {
        self.unexplained += 1;
        self.shown += 1;
        if self.shown <= 20 {
            println!("DIFFERENT {what}\n  writer {}\n  reader {}\n  {more}", pair.writer_text, pair.reader_text);
        }
    }

    pub fn explain(&mut self, why: &'static str) {
        *self.explained.entry(why).or_default() += 1;
    }
}

pub struct Pair {
    pub writer_text: String,
    pub reader_text: String,
    pub writer: AvroSchema,
    pub reader: AvroSchema,
    pub values: Vec<Value>,
    pub bytes: Vec<Vec<u8>>,
}

/// A random pair with random data of the writer.
pub fn pair(random: &mut Random, wild: usize) -> Pair {
    let mut maker = Maker::new(random);
    let written = maker.root();
    let mut read: Type = written.clone();
    evolve(&mut maker, &mut read, wild);
    let (writer_text, reader_text) = (written.to_json().to_string(), read.to_json().to_string());
    let parse = |text: &str| AvroSchema::parse(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let (writer, reader) = (parse(&writer_text), parse(&reader_text));
    let values: Vec<_> = (0..DATA)
        .map(|_| random::value(&writer, writer.root(), random, 0))
        .filter(|value| random::depth(value) < 60)
        .collect();
    let encoder = Encoder::new(&writer);
    let encode = |value: &Value| {
        let mut bytes = Vec::new();
        encoder.encode(value, &mut bytes).unwrap_or_else(|error| panic!("{error}\n{writer_text}"));
        bytes
    };
    let bytes = values.iter().map(encode).collect();
    Pair { writer_text, reader_text, writer, reader, values, bytes }
}

/// Runs `pairs` pairs against Java.
pub fn against_java(classpath: &str, seed: u64, pairs: u64) -> Result<Tally> {
    let mut java = Java::start(classpath)?;
    let mut random = Random::new(seed);
    let mut tally = Tally::default();
    while tally.pairs < pairs {
        let batch: Vec<_> = (0..200).map(|_| pair(&mut random, 25)).collect();
        let line = |pair: &Pair| {
            let data: Vec<_> = pair.bytes.iter().map(|bytes| hex(bytes)).collect();
            format!("{}\t{}\t{}", pair.writer_text, pair.reader_text, data.join(","))
        };
        let answers = java.ask(&batch.iter().map(line).collect::<Vec<_>>())?;
        for (pair, answer) in batch.iter().zip(answers) {
            tally.pairs += 1;
            match answer {
                Ok(answer) => compare(pair, &answer, &mut tally),
                Err(error) => tally.differ("java refuses a schema that we take", pair, &error),
            }
        }
    }
    Ok(tally)
}

fn compare(pair: &Pair, answer: &Answer, tally: &mut Tally) {
    let text = pair.writer.to_string();
    if text != answer.text {
        tally.differ("text", pair, &format!("ours {text}\n  java {}", answer.text));
    }
    if pair.writer.canonical_form() != answer.canonical {
        tally.differ("canonical form", pair, &answer.canonical);
    }
    if pair.writer.fingerprint_rabin() as i64 != answer.fingerprint {
        tally.differ("fingerprint", pair, &answer.canonical);
    }
    verdicts(pair, answer, tally);
    let decoder = Decoder::new(&pair.writer, &pair.reader, &mut Work::default()).expect("bounded");
    let same = Decoder::new(&pair.reader, &pair.reader, &mut Work::default()).expect("bounded");
    for (n, (bytes, java)) in pair.bytes.iter().zip(&answer.data).enumerate() {
        tally.cases += 1;
        let ours = decoder.decode(bytes);
        match (ours, java) {
            (Ok(ours), Ok((bytes, json))) => {
                let theirs = same.decode(bytes).map(sorted);
                let ours = sorted(ours);
                let alike = theirs.as_ref().ok().map(|value| format!("{value:?}")) == Some(format!("{ours:?}"));
                if !alike && pair.reader_text.contains("\"items\":\"double\"") {
                    tally.explain("java 1.12.0 keeps arrays of double as float");
                } else if !alike {
                    tally.differ("datum", pair, &format!("{:?}\n  ours {ours:?}\n  java {theirs:?}", pair.values[n]));
                } else {
                    json_encodings(pair, &ours, json, tally);
                }
            }
            (Err(_), Err(_)) => tally.refused_by_both += 1,
            (Ok(ours), Err(error)) => explain_java_refusal(pair, &ours, error, tally),
            (Err(error), Ok(_)) => {
                let why = error.what.as_str();
                if answer.compatible || !why.contains("cannot be read as") && !why.contains("no branch") {
                    tally.differ("we refuse a datum that java reads", pair, &error.to_string());
                } else {
                    tally.explain("java reads records of other names where the checker says no");
                }
            }
        }
    }
}

fn explain_java_refusal(pair: &Pair, ours: &Value, error: &str, tally: &mut Tally) {
    if error.contains("Invalid default for field") {
        return tally.explain("java renames the writer's fields by the reader's aliases and then checks the old default");
    }
    // The specification lets the default of a union be of its first branch.
    if error.contains("AvroRuntimeException: Not an array: [") {
        return tally.explain("java 1.12.1 makes no array of numbers for the default of a union");
    }
    tally.differ("java refuses a datum that we read", pair, &format!("{ours:?}\n  {error}"));
}

fn json_encodings(pair: &Pair, ours: &Value, java: &str, tally: &mut Tally) {
    if let Some(error) = java.strip_prefix('!') {
        return tally.differ("java writes no JSON", pair, error);
    }
    if java.is_empty() && is_hollow(ours) {
        return tally.explain("java writes no text for a record without fields");
    }
    match pair.reader.value_from_json(java).map(sorted) {
        Ok(read) if format!("{read:?}") == format!("{ours:?}") => {}
        // Of floats alone: a double beside it keeps the sign.
        Ok(read) if unsigned_zero(&read) == unsigned_zero(ours) => {
            tally.explain("java's JSON drops the sign of zero");
        }
        Ok(_) if pair.reader_text.contains("\"items\":\"double\"") => {}
        other => tally.differ("java's JSON", pair, &format!("{java}\n  ours {ours:?}\n  read {other:?}")),
    }
    let text = pair.reader.value_to_json(ours).expect("a value of the schema");
    let read = pair.reader.value_from_json(&text).map(sorted);
    if read.as_ref().map(|value| format!("{value:?}")) != Ok(format!("{ours:?}")) {
        tally.differ("our JSON", pair, &text);
    }
}

/// Records all the way down, none with a field that is no record.
fn is_hollow(value: &Value) -> bool {
    matches!(value, Value::Record(fields) if fields.iter().all(is_hollow))
}

fn unsigned_zero(value: &Value) -> String {
    format!("{value:?}").replace("(-0.0)", "(0.0)")
}

fn verdicts(pair: &Pair, answer: &Answer, tally: &mut Tally) {
    let ours = can_read(&pair.reader, &pair.writer, &mut Work::default()).expect("bounded");
    tally.compatible += u64::from(ours);
    if ours != answer.compatible {
        tally.differ("verdict", pair, &format!("ours {ours}, java {:?}", answer.found));
        return;
    }
    if ours {
        promise(pair, tally);
        return;
    }
    let parse = |text: &str| schema::Schema::parse(&schema::Source::new(schema::Format::Avro, text)).expect("parsed");
    let (reader, writer) = (parse(&pair.reader_text), parse(&pair.writer_text));
    let found = schema::compatible(schema::Mode::Backward, &reader, &[&writer], &mut Work::default()).expect("bounded");
    if found.is_empty() {
        return tally.differ("a refusal without a finding", pair, "");
    }
    let mut names: Vec<_> = found.iter().map(|finding| finding.rule.to_owned()).collect();
    names.sort();
    names.dedup();
    if names != answer.found {
        // Java says that no branch fits where we say what is wrong with the branch of the same name.
        if answer.found.iter().any(|name| name == "MISSING_UNION_BRANCH") {
            tally.explain("java says MISSING_UNION_BRANCH, we what is wrong in the branch of that name");
        } else if alike_but_for_enum_defaults(&names, &answer.found) && pair.reader_text.contains("\"symbols\"") {
            // It compares such an enum with the writer's whole record, which never fits.
            tally.explain("java says TYPE_MISMATCH of a missing field whose enum has a default of its own");
        } else {
            tally.differ("findings", pair, &format!("ours {names:?}, java {:?}", answer.found));
        }
    }
}

/// READER_FIELD_MISSING_DEFAULT_VALUE of ours, in place of which or beside which Java has TYPE_MISMATCH.
fn alike_but_for_enum_defaults(ours: &[String], java: &[String]) -> bool {
    const PAIR: [&str; 2] = ["READER_FIELD_MISSING_DEFAULT_VALUE", "TYPE_MISMATCH"];
    let others = |names: &[String]| -> Vec<String> {
        names.iter().filter(|name| !PAIR.contains(&name.as_str())).cloned().collect()
    };
    let has = |names: &[String], name: &str| names.iter().any(|other| other == name);
    has(ours, PAIR[0]) && has(java, PAIR[1]) && others(ours) == others(java)
}

/// What is called compatible must decode, all of it.
fn promise(pair: &Pair, tally: &mut Tally) {
    let decoder = Decoder::new(&pair.writer, &pair.reader, &mut Work::default()).expect("bounded");
    for bytes in &pair.bytes {
        if let Err(error) = decoder.decode(bytes) {
            tally.differ("a compatible pair whose data do not decode", pair, &error.to_string());
        }
    }
}

/// Maps have no order.
pub fn sorted(value: Value) -> Value {
    match value {
        Value::Map(mut entries) => {
            entries.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Map(entries.into_iter().map(|(key, value)| (key, sorted(value))).collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(sorted).collect()),
        Value::Record(items) => Value::Record(items.into_iter().map(sorted).collect()),
        Value::Union(place, inner) => Value::Union(place, Box::new(sorted(*inner))),
        other => other,
    }
}
