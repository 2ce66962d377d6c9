//! Bytes of the specification's examples, resolution rule by rule, and what hostile data may not do.

use super::{encode::put_long, *};
use crate::{
    Work,
    avro::{AvroSchema, Value},
};

fn schema(text: &str) -> AvroSchema {
    AvroSchema::parse(text).unwrap()
}

fn bytes_of(text: &str, value: &Value) -> Vec<u8> {
    let schema = schema(text);
    let mut bytes = Vec::new();
    Encoder::new(&schema).encode(value, &mut bytes).unwrap();
    let back = Decoder::new(&schema, &schema, &mut Work::default())
        .unwrap()
        .decode(&bytes)
        .unwrap();
    assert_eq!(back, *value);
    bytes
}

fn resolve(writer: &str, reader: &str, value: &Value) -> Result<Value, String> {
    let (writer, reader) = (schema(writer), schema(reader));
    let mut bytes = Vec::new();
    Encoder::new(&writer).encode(value, &mut bytes).unwrap();
    let decoder = Decoder::new(&writer, &reader, &mut Work::default()).unwrap();
    decoder.decode(&bytes).map_err(|error| error.to_string())
}

fn record(name: &str, fields: &str) -> String {
    format!(r#"{{"type":"record","name":"{name}","fields":[{fields}]}}"#)
}

#[test]
fn bytes_are_those_of_the_specification() {
    for (value, bytes) in [
        (0, vec![0]),
        (-1, vec![1]),
        (1, vec![2]),
        (-64, vec![0x7f]),
        (64, vec![0x80, 1]),
    ] {
        assert_eq!(bytes_of("\"long\"", &Value::Long(value)), bytes);
    }
    assert_eq!(
        bytes_of("\"string\"", &Value::String("foo".into())),
        [6, 0x66, 0x6f, 0x6f]
    );
    let ints = Value::Array(vec![Value::Long(3), Value::Long(27)]);
    assert_eq!(
        bytes_of(r#"{"type":"array","items":"long"}"#, &ints),
        [4, 6, 0x36, 0]
    );
    let union = Value::Union(1, Box::new(Value::String("a".into())));
    assert_eq!(bytes_of(r#"["null","string"]"#, &union), [2, 2, 0x61]);
    let fields = Value::Record(vec![Value::Long(27), Value::String("foo".into())]);
    let text = record(
        "test",
        r#"{"name":"a","type":"long"},{"name":"b","type":"string"}"#,
    );
    assert_eq!(bytes_of(&text, &fields), [0x36, 6, 0x66, 0x6f, 0x6f]);
}

#[test]
fn numbers_keep_their_ends() {
    for value in [i64::MIN, i64::MAX, i64::from(i32::MIN), -8193, 8192] {
        bytes_of("\"long\"", &Value::Long(value));
    }
    for value in [i32::MIN, i32::MAX] {
        bytes_of("\"int\"", &Value::Int(value));
    }
    let long = schema("\"long\"");
    let decoder = Decoder::new(&long, &long, &mut Work::default()).unwrap();
    let ten = |last: u8| [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, last];
    assert_eq!(decoder.decode(&ten(1)), Ok(Value::Long(i64::MIN)));
    assert!(decoder.decode(&ten(2)).unwrap_err().what.contains("64 bits"));
    assert!(decoder.decode(&[0x80]).unwrap_err().what.contains("ends"));
}

#[test]
fn fields_are_found_by_name_reordered_skipped_and_filled() {
    let writer = record(
        "R",
        r#"{"name":"gone","type":{"type":"array","items":"string"}},{"name":"b","type":"int"},{"name":"old","type":"string"}"#,
    );
    let reader = record(
        "R",
        r#"{"name":"new","aliases":["old"],"type":"bytes"},{"name":"d","type":["null","int"],"default":5},
           {"name":"b","type":"double"}"#,
    );
    let value = Value::Record(vec![
        Value::Array(vec![Value::String("x".into())]),
        Value::Int(3),
        Value::String("hi".into()),
    ]);
    let read = Value::Record(vec![
        Value::Bytes(b"hi".to_vec()),
        Value::Union(1, Box::new(Value::Int(5))),
        Value::Double(3.0),
    ]);
    assert_eq!(resolve(&writer, &reader, &value), Ok(read));
}

#[test]
fn unions_are_resolved_by_kind_before_promotion() {
    assert_eq!(
        resolve("\"int\"", r#"["double","int"]"#, &Value::Int(1)),
        Ok(Value::Union(1, Box::new(Value::Int(1))))
    );
    assert_eq!(
        resolve("\"int\"", r#"["null","double"]"#, &Value::Int(1)),
        Ok(Value::Union(1, Box::new(Value::Double(1.0))))
    );
    let string = Value::Union(1, Box::new(Value::String("a".into())));
    assert_eq!(
        resolve(r#"["null","string"]"#, "\"string\"", &string),
        Ok(Value::String("a".into()))
    );
    let null = Value::Union(0, Box::new(Value::Null));
    let error = resolve(r#"["null","string"]"#, "\"string\"", &null).unwrap_err();
    assert!(error.contains("null cannot be read as string"), "{error}");
}

#[test]
fn an_unknown_symbol_becomes_the_default_or_an_error_with_its_path() {
    let of = |symbols: &str, more: &str| {
        record(
            "R",
            &format!(r#"{{"name":"k","type":{{"type":"enum","name":"K","symbols":[{symbols}]{more}}}}}"#),
        )
    };
    let value = Value::Record(vec![Value::Enum(1)]);
    let (writer, reader) = (of(r#""A","B""#, ""), of(r#""C","A""#, r#","default":"C""#));
    assert_eq!(
        resolve(&writer, &reader, &value),
        Ok(Value::Record(vec![Value::Enum(0)]))
    );
    let error = resolve(&writer, &of(r#""C","A""#, ""), &value).unwrap_err();
    assert_eq!(error, "/k: the symbol B is unknown to the reader");
}

#[test]
fn a_value_is_read_into_the_memory_of_the_one_before() {
    let schema = schema(&record(
        "R",
        r#"{"name":"s","type":"string"},{"name":"l","type":{"type":"array","items":"string"}}"#,
    ));
    let (encoder, decoder) = (
        Encoder::new(&schema),
        Decoder::new(&schema, &schema, &mut Work::default()).unwrap(),
    );
    let make = |s: &str, l: &[&str]| {
        Value::Record(vec![
            Value::String(s.into()),
            Value::Array(l.iter().map(|s| Value::String((*s).into())).collect()),
        ])
    };
    let mut slot = Value::Null;
    for value in [
        make("long text", &["a", "b"]),
        make("", &[]),
        make("x", &["1", "2", "3"]),
    ] {
        let mut bytes = Vec::new();
        encoder.encode(&value, &mut bytes).unwrap();
        decoder.decode_into(&bytes, &mut slot).unwrap();
        assert_eq!(slot, value);
    }
}

#[test]
fn a_few_bytes_cannot_ask_for_much() {
    let nulls = schema(r#"{"type":"array","items":"null"}"#);
    let decoder = Decoder::new(&nulls, &nulls, &mut Work::default()).unwrap();
    let mut bytes = Vec::new();
    put_long(&mut bytes, 1 << 40);
    assert!(decoder.decode(&bytes).unwrap_err().what.contains("memory"));
    put_long(&mut bytes, i64::MIN);
    assert!(decoder.decode(&bytes).is_err());

    let list = schema(&record("L", r#"{"name":"next","type":["null","L"]}"#));
    let decoder = Decoder::new(&list, &list, &mut Work::default()).unwrap();
    // Two values a link: the record and the union.
    let nested = |links: usize| [vec![2; links], vec![0]].concat();
    assert!(decoder.decode(&nested(63)).is_ok());
    assert!(decoder.decode(&nested(64)).unwrap_err().what.contains("deeper"));
}

#[test]
fn an_unfit_value_is_refused_with_its_path() {
    let schema = schema(&record(
        "R",
        r#"{"name":"m","type":{"type":"map","values":["null","int"]}}"#,
    ));
    let value = Value::Record(vec![Value::Map(vec![(
        "k".into(),
        Value::Union(1, Box::new(Value::Long(1))),
    )])]);
    let mut bytes = vec![9];
    let error = Encoder::new(&schema).encode(&value, &mut bytes).unwrap_err();
    assert_eq!(
        error.to_string(),
        "/m/{}/<int>: a value of kind long where the schema has int"
    );
    assert_eq!(bytes, [9]);
}

#[test]
fn a_visitor_hears_what_a_value_would_hold() {
    #[derive(Default)]
    struct Heard(String);
    impl Visitor for Heard {
        fn int(&mut self, value: i32) {
            self.0 += &format!("{value} ");
        }
        fn string(&mut self, value: &str) {
            self.0 += &format!("{value:?} ");
        }
        fn field(&mut self, place: u32, name: &str) {
            self.0 += &format!("{place}:{name}=");
        }
        fn branch(&mut self, place: u32) {
            self.0 += &format!("<{place}>");
        }
        fn key(&mut self, key: &str) {
            self.0 += &format!("{key}: ");
        }
    }
    let writer = schema(&record(
        "R",
        r#"{"name":"x","type":"int"},{"name":"m","type":{"type":"map","values":"string"}}"#,
    ));
    let reader = schema(&record(
        "R",
        r#"{"name":"m","type":{"type":"map","values":["null","string"]}},{"name":"d","type":"int","default":4}"#,
    ));
    let value = Value::Record(vec![
        Value::Int(1),
        Value::Map(vec![("k".into(), Value::String("v".into()))]),
    ]);
    let mut bytes = Vec::new();
    Encoder::new(&writer).encode(&value, &mut bytes).unwrap();
    let mut heard = Heard::default();
    Decoder::new(&writer, &reader, &mut Work::default())
        .unwrap()
        .visit(&bytes, &mut heard)
        .unwrap();
    assert_eq!(heard.0, "0:m=k: <1>\"v\" 1:d=4 ");
}
