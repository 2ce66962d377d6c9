//! Arbitrary and changed bytes into the Avro parser, decoder and container reader: errors, never a panic, and never more
//! memory than the budget. `cargo test` runs a few cases; bolero's engines or `OTTLA_CASES` run many.

use std::{cell::RefCell, sync::OnceLock, time::Duration};

use schema::{
    Limits, Work,
    avro::{AvroSchema, Codec, ContainerReader, ContainerWriter, DataLimits, Decoder, Encoder, Value},
};

/// The budget of the decoder and the container reader here.
const MEMORY: usize = 1 << 20;

fn cases() -> usize {
    std::env::var("OTTLA_CASES")
        .ok()
        .and_then(|cases| cases.parse().ok())
        .unwrap_or(2_000)
}

/// A piece of text that a schema could hold, so that arbitrary choices reach deep into the parser.
const PIECES: [&str; 40] = [
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"type\"",
    "\"record\"",
    "\"enum\"",
    "\"fixed\"",
    "\"array\"",
    "\"map\"",
    "\"name\"",
    "\"R\"",
    "\"fields\"",
    "\"symbols\"",
    "\"size\"",
    "\"items\"",
    "\"values\"",
    "\"default\"",
    "null",
    "\"null\"",
    "\"int\"",
    "\"string\"",
    "\"long\"",
    "1",
    "-1",
    "1e400",
    "{}",
    "[]",
    "\"namespace\"",
    "\"\"",
    "\"aliases\"",
    "\"logicalType\"",
    "\"decimal\"",
    "\"precision\"",
    "9999999999",
    "true",
    "\"\\ud800\"",
    "{\"type\":\"record\",\"name\":\"Q\",\"fields\":[{\"name\":\"q\",\"type\":\"Q\",\"default\":{}}]}",
];

#[test]
fn arbitrary_text_is_a_schema_or_an_error() {
    bolero::check!()
        .with_iterations(cases())
        .with_test_time(Duration::MAX)
        .with_type::<(Vec<u8>, bool)>()
        .for_each(|(bytes, pieces)| {
            let text: String = match pieces {
                true => bytes
                    .iter()
                    .map(|byte| PIECES[*byte as usize % PIECES.len()])
                    .collect(),
                false => String::from_utf8_lossy(bytes).into_owned(),
            };
            if let Ok(schema) = AvroSchema::parse(&text) {
                settle(&schema);
            }
        });
}

/// A schema that was accepted can be printed, read again and compared with itself.
fn settle(schema: &AvroSchema) {
    let text = schema.to_string();
    let again = AvroSchema::parse(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    assert_eq!(again.to_string(), text);
    assert_eq!(again.fingerprint_rabin(), schema.fingerprint_rabin());
    assert_eq!(
        schema::avro::can_read(&again, schema, &mut Work::default()),
        Ok(true),
        "{text}"
    );
    AvroSchema::parse(&schema.normal_text()).unwrap_or_else(|error| panic!("{error}: {text}"));
    schema.rust_types();
}

const WRITER: &str = r#"{"type":"record","name":"R","fields":[
    {"name":"next","type":["null","R"]},
    {"name":"list","type":{"type":"array","items":["null","string",{"type":"array","items":"null"}]}},
    {"name":"map","type":{"type":"map","values":"double"}},
    {"name":"gone","type":{"type":"map","values":{"type":"array","items":"long"}}},
    {"name":"kind","type":{"type":"enum","name":"K","symbols":["A","B"]}},
    {"name":"hash","type":{"type":"fixed","name":"F","size":3}},
    {"name":"n","type":"int"}]}"#;
const READER: &str = r#"{"type":"record","name":"R","fields":[
    {"name":"kind","type":{"type":"enum","name":"K","symbols":["B"]}},
    {"name":"n","type":"double"},{"name":"next","type":["R","null"]},
    {"name":"list","type":{"type":"array","items":["bytes","null"]}},
    {"name":"map","type":{"type":"map","values":"double"}},
    {"name":"new","type":"string","default":"a text that the data does not hold"}]}"#;

fn value(depth: u32) -> Value {
    let next = if depth == 0 {
        Value::Union(0, Box::new(Value::Null))
    } else {
        Value::Union(1, Box::new(value(depth - 1)))
    };
    let nulls = Value::Union(2, Box::new(Value::Array(vec![Value::Null; 3])));
    Value::Record(vec![
        next,
        Value::Array(vec![Value::Union(1, Box::new(Value::String("é".into()))), nulls]),
        Value::Map(vec![("k".into(), Value::Double(1.0))]),
        Value::Map(vec![("g".into(), Value::Array(vec![Value::Long(-1)]))]),
        Value::Enum(1),
        Value::Fixed(vec![1, 2, 3]),
        Value::Int(7),
    ])
}

/// Changes some bytes of `whole` as `changes` say.
fn changed(whole: &[u8], changes: &[(u16, u8)], cut: u16) -> Vec<u8> {
    let mut bytes = whole.to_vec();
    for (at, with) in changes.iter().take(4) {
        let at = *at as usize % bytes.len();
        bytes[at] = *with;
    }
    if cut.is_multiple_of(4) {
        bytes.truncate(cut as usize % (whole.len() + 1));
    }
    bytes
}

/// Heap in use by a value, as the budget counts it or more.
fn weight(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Bytes(bytes) | Value::Fixed(bytes) => bytes.len(),
        Value::Array(items) | Value::Record(items) => items.iter().map(|item| 32 + weight(item)).sum(),
        Value::Map(entries) => entries
            .iter()
            .map(|(key, value)| 64 + key.len() + weight(value))
            .sum(),
        Value::Union(_, inner) => 32 + weight(inner),
        _ => 0,
    }
}

type Changes = (Vec<(u16, u8)>, u16, Vec<u8>, bool);

#[test]
fn arbitrary_and_changed_data_is_read_within_its_budget() {
    static SETUP: OnceLock<(Vec<u8>, Decoder, Decoder)> = OnceLock::new();
    let (whole, same, other) = SETUP.get_or_init(|| {
        let (writer, reader) = (
            AvroSchema::parse(WRITER).unwrap(),
            AvroSchema::parse(READER).unwrap(),
        );
        let limits = DataLimits {
            memory_bytes_max: MEMORY,
            depth_max: 40,
        };
        let make = |reader| {
            Decoder::new(&writer, reader, &mut Work::default())
                .unwrap()
                .within(limits)
        };
        let mut bytes = Vec::new();
        Encoder::new(&writer).encode(&value(3), &mut bytes).unwrap();
        (bytes, make(&writer), make(&reader))
    });
    let slot = std::panic::AssertUnwindSafe(RefCell::new(Value::Null));
    bolero::check!()
        .with_iterations(cases())
        .with_test_time(Duration::MAX)
        .with_type::<Changes>()
        .for_each(|(changes, cut, raw, arbitrary)| {
            let bytes = if *arbitrary {
                raw.clone()
            } else {
                changed(whole, changes, *cut)
            };
            for decoder in [same, other] {
                let read = decoder.decode(&bytes);
                // The same into a slot that held something else.
                let into = decoder.decode_into(&bytes, &mut slot.borrow_mut());
                assert_eq!(read.is_ok(), into.is_ok());
                if let Ok(value) = &read {
                    assert!(weight(value) <= MEMORY);
                    assert_eq!(format!("{value:?}"), format!("{:?}", slot.borrow()));
                }
                struct Deaf;
                impl schema::avro::Visitor for Deaf {}
                assert!(read.is_err() || decoder.visit(&bytes, &mut Deaf).is_ok());
                let _ = decoder.deserialize::<serde_json::Value>(&bytes);
            }
        });
}

#[test]
fn arbitrary_and_changed_container_files_are_read_within_their_budget() {
    static FILES: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    let files = FILES.get_or_init(|| {
        let schema = AvroSchema::parse(r#"["null","bytes",{"type":"array","items":"null"}]"#).unwrap();
        let file = |codec| {
            let mut writer = ContainerWriter::new(&schema, codec, *b"0123456789abcdef");
            writer
                .append(&Value::Union(1, Box::new(Value::Bytes(vec![7; 300]))))
                .unwrap();
            writer.flush().unwrap();
            writer
                .append(&Value::Union(2, Box::new(Value::Array(vec![Value::Null; 9]))))
                .unwrap();
            writer.finish().unwrap()
        };
        Codec::ALL.into_iter().map(file).collect()
    });
    let data = DataLimits {
        memory_bytes_max: MEMORY,
        depth_max: 40,
    };
    bolero::check!()
        .with_iterations(cases())
        .with_test_time(Duration::MAX)
        .with_type::<(u8, Changes)>()
        .for_each(|(file, change)| {
            let (changes, cut, raw, arbitrary) = change;
            let whole = &files[*file as usize % files.len()];
            let mut bytes = changed(whole, changes, *cut);
            if *arbitrary {
                // The head stays, so that what follows is read.
                bytes = [&whole[..whole.len() / 2], raw.as_slice()].concat();
            }
            let Ok(mut reader) = ContainerReader::within(&bytes, &Limits::default(), data) else {
                return;
            };
            let mut slot = Value::Null;
            // A block of values without bytes may say any number of them.
            for _ in 0..1_000 {
                match reader.next_into(&mut slot) {
                    Ok(true) => assert!(weight(&slot) <= MEMORY),
                    Ok(false) | Err(_) => break,
                }
            }
        });
}
