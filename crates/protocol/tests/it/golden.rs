//! Golden bytes that Apache Kafka 4.3.1 wrote (`tests/golden/Golden.java`): each is read, compared field by field with
//! what Kafka was given, and written again to the same bytes.

use std::collections::{HashMap, HashSet};

use bytes::Bytes;

use crate::codec::Codec;
use crate::every_message::every_message;

const COMMITTED: &str = include_str!("../golden/messages.tsv");
/// Names a further file of lines to check, made with random seeds.
const MORE: &str = "OTTLA_GOLDEN";

/// A message as Kafka writes it.
pub struct Golden<'a> {
    pub area: &'a str,
    pub name: &'a str,
    pub version: i16,
    pub bytes: Bytes,
    pub text: &'a str,
}

pub fn committed() -> Vec<Golden<'static>> {
    COMMITTED.lines().map(parse).collect()
}

fn parse(line: &str) -> Golden<'_> {
    let columns: Vec<&str> = line.split('\t').collect();
    let [area, name, version, _seed, hex, text] = columns[..] else {
        panic!("six columns are wanted: {line}")
    };
    Golden {
        area,
        name,
        version: version.parse().expect("a version"),
        bytes: unhex(hex),
        text,
    }
}

fn unhex(hex: &str) -> Bytes {
    let digit = |letter: u8| (letter as char).to_digit(16).expect("a hex digit") as u8;
    hex.as_bytes()
        .chunks(2)
        .map(|pair| digit(pair[0]) << 4 | digit(pair[1]))
        .collect()
}

/// What is wrong with our codec on one line, if anything.
fn fault(codec: &Codec, golden: &Golden<'_>) -> Option<String> {
    let place = format!("{} v{}", golden.name, golden.version);
    let again = match codec.print(golden.bytes.clone(), golden.version) {
        Ok(again) => again,
        Err(error) => return Some(format!("{place}: {error}: {}", golden.text)),
    };
    if again.text != golden.text {
        return Some(format!(
            "{place}: read\n  {}\nin place of\n  {}",
            again.text, golden.text
        ));
    }
    match again.bytes {
        Ok(bytes) if bytes == golden.bytes => None,
        other => Some(format!(
            "{place}: wrote\n  {other:?}\nin place of\n  {:?}",
            golden.bytes
        )),
    }
}

fn check(lines: &[Golden<'_>]) {
    let every = every_message();
    let codecs: HashMap<(&str, &str), &Codec> = every
        .iter()
        .map(|codec| ((codec.area, codec.name), codec))
        .collect();
    let faults: Vec<String> = lines
        .iter()
        .filter_map(|golden| match codecs.get(&(golden.area, golden.name)) {
            Some(codec) => fault(codec, golden),
            None => Some(format!("{} is not generated", golden.name)),
        })
        .collect();
    let shown = faults
        .iter()
        .take(5)
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join("\n");
    assert!(
        faults.is_empty(),
        "{} of {} differ from Kafka:\n{shown}",
        faults.len(),
        lines.len()
    );
}

#[test]
fn every_message_reads_and_writes_the_bytes_of_kafka() {
    check(&committed());
}

#[test]
fn every_version_of_every_message_has_golden_bytes() {
    let lines = committed();
    let seen: HashSet<(&str, &str, i16)> = lines
        .iter()
        .map(|golden| (golden.area, golden.name, golden.version))
        .collect();
    for codec in every_message() {
        for version in codec.versions.clone() {
            assert!(
                seen.contains(&(codec.area, codec.name, version)),
                "{} v{version} has none",
                codec.name
            );
        }
    }
}

#[test]
fn random_messages_read_and_write_the_bytes_of_kafka() {
    let Some(path) = std::env::var_os(MORE) else {
        return;
    };
    let text = std::fs::read_to_string(path).expect("the file that the variable names");
    let lines: Vec<Golden<'_>> = text.lines().map(parse).collect();
    assert!(!lines.is_empty(), "the file is empty");
    check(&lines);
    println!("{} random messages are as Kafka has them", lines.len());
}
