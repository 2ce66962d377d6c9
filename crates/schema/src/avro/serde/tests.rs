//! Rust types in and out, in every shape that serde has.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    Work,
    avro::{AvroSchema, Decoder, Encoder},
};

#[derive(Serialize, Deserialize, PartialEq, Debug, Clone)]
enum Payment {
    #[serde(rename = "CARD")]
    Card,
    #[serde(rename = "CASH")]
    Cash,
}

#[derive(Serialize, Deserialize, PartialEq, Debug, Clone)]
enum Choice {
    #[serde(rename = "null")]
    Null,
    #[serde(rename = "int")]
    Int(i32),
    Point {
        y: f64,
        x: f64,
    },
}

#[derive(Serialize, Deserialize, PartialEq, Debug, Clone)]
struct Order {
    // Not in the schema's order.
    payment: Payment,
    id: i64,
    note: Option<String>,
    lines: Vec<u32>,
    raw: Vec<u8>,
    hash: [u8; 4],
    tags: BTreeMap<String, bool>,
    choice: Choice,
}

const SCHEMA: &str = r#"{"type":"record","name":"n.Order","fields":[
    {"name":"id","type":"long"},
    {"name":"note","type":["null","string"]},
    {"name":"lines","type":{"type":"array","items":"long"}},
    {"name":"raw","type":"bytes"},
    {"name":"hash","type":{"type":"fixed","name":"H","size":4}},
    {"name":"tags","type":{"type":"map","values":"boolean"}},
    {"name":"choice","type":["null","int",{"type":"record","name":"Point","fields":[
        {"name":"x","type":"double"},{"name":"y","type":"double"}]}]},
    {"name":"payment","type":{"type":"enum","name":"P","symbols":["CASH","CARD"]}}]}"#;

fn order() -> Order {
    Order {
        payment: Payment::Card,
        id: 1 << 40,
        note: Some("fragile".into()),
        lines: vec![1, u32::MAX],
        raw: vec![0, 127, 128, 255],
        hash: [9, 8, 7, 200],
        tags: [("a".to_owned(), true), ("b".to_owned(), false)].into(),
        choice: Choice::Point { y: 2.0, x: 1.0 },
    }
}

fn round<T: Serialize + DeserializeOwned>(schema: &str, value: &T) -> Result<T, String> {
    let schema = AvroSchema::parse(schema).unwrap();
    let mut bytes = vec![1];
    let written = Encoder::new(&schema).serialize(value, &mut bytes);
    written
        .map_err(|error| error.to_string())
        .inspect_err(|_| assert_eq!(bytes, [1]))?;
    let decoder = Decoder::new(&schema, &schema, &mut Work::default()).unwrap();
    // What serde wrote is also a value.
    decoder.decode(&bytes[1..]).unwrap();
    decoder
        .deserialize(&bytes[1..])
        .map_err(|error| error.to_string())
}

#[test]
fn a_struct_with_every_shape_comes_back() {
    assert_eq!(round(SCHEMA, &order()), Ok(order()));
    for choice in [Choice::Null, Choice::Int(-5)] {
        let order = Order {
            note: None,
            lines: vec![],
            choice,
            ..order()
        };
        assert_eq!(round(SCHEMA, &order), Ok(order.clone()));
    }
}

#[test]
fn an_older_type_reads_newer_data_and_defaults_fill_what_is_missing() {
    #[derive(Deserialize, PartialEq, Debug)]
    struct Small<'a> {
        id: f64,
        #[serde(borrow)]
        note: &'a str,
        kind: Payment,
    }
    let reader = AvroSchema::parse(
        r#"{"type":"record","name":"Order","fields":[{"name":"id","type":"double"},
            {"name":"note","type":"string"},
            {"name":"kind","type":{"type":"enum","name":"K","symbols":["CASH","CARD"]},"default":"CARD"}]}"#,
    )
    .unwrap();
    let writer = AvroSchema::parse(SCHEMA).unwrap();
    let mut bytes = Vec::new();
    Encoder::new(&writer)
        .serialize(&Order { id: 3, ..order() }, &mut bytes)
        .unwrap();
    let decoder = Decoder::new(&writer, &reader, &mut Work::default()).unwrap();
    let small: Small<'_> = decoder.deserialize(&bytes).unwrap();
    assert_eq!(
        small,
        Small {
            id: 3.0,
            note: "fragile",
            kind: Payment::Card
        }
    );
}

#[test]
fn what_has_no_place_is_refused_with_its_path() {
    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    struct R<T> {
        a: T,
    }
    let of =
        |kind: &str| format!(r#"{{"type":"record","name":"R","fields":[{{"name":"a","type":{kind}}}]}}"#);
    assert_eq!(round(&of("\"int\""), &R { a: 1_i64 }), Ok(R { a: 1 }));
    let refused = round(&of("\"int\""), &R { a: 1_i64 << 40 }).unwrap_err();
    assert!(
        refused.starts_with("/a: the schema has no place for 1099511627776"),
        "{refused}"
    );
    assert!(
        round(&of("\"long\""), &R { a: u64::MAX })
            .unwrap_err()
            .contains("does not fit a long")
    );
    let empty: BTreeMap<String, i32> = BTreeMap::new();
    assert_eq!(
        round(&of("\"int\""), &empty).unwrap_err(),
        "/a: the field is missing"
    );
    let too_much: BTreeMap<_, _> = [("b".to_owned(), 1)].into();
    assert!(
        round(&of("\"int\""), &too_much)
            .unwrap_err()
            .contains("no field b")
    );
    let three = round(r#"{"type":"array","items":"int"}"#, &vec![1, 2, 3]).unwrap();
    assert_eq!(three, [1, 2, 3]);
    let schema = AvroSchema::parse(r#"{"type":"array","items":"int"}"#).unwrap();
    let decoder = Decoder::new(&schema, &schema, &mut Work::default()).unwrap();
    assert!(
        decoder
            .deserialize::<[i32; 2]>(&[6, 2, 4, 6, 0])
            .unwrap_err()
            .what
            .contains("more items")
    );
}
