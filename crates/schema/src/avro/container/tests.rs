//! Round trips under every codec, and damage of every kind.

use super::*;
use crate::avro::{AvroSchema, DataLimits, Value};
use crate::{Limits, Work};

fn schema() -> AvroSchema {
    AvroSchema::parse(
        r#"{"type":"record","name":"R","fields":[{"name":"n","type":"long"},{"name":"s","type":"string"}]}"#,
    )
    .unwrap()
}

fn value(n: i64) -> Value {
    Value::Record(vec![Value::Long(n), Value::String(format!("text number {n}"))])
}

fn file(codec: Codec, count: i64) -> Vec<u8> {
    let mut writer = ContainerWriter::with_metadata(&schema(), codec, *b"0123456789abcdef", &[("by", b"us")]);
    (0..count).for_each(|n| writer.append(&value(n)).unwrap());
    writer.finish().unwrap()
}

fn read_all(bytes: &[u8]) -> Result<Vec<Value>, ContainerError> {
    let mut reader = ContainerReader::new(bytes)?;
    let (mut all, mut slot) = (Vec::new(), Value::Null);
    while reader.next_into(&mut slot)? {
        all.push(slot.clone());
    }
    Ok(all)
}

#[test]
fn every_codec_gives_back_what_it_took_over_several_blocks() {
    let expected: Vec<_> = (0..5_000).map(value).collect();
    for codec in Codec::ALL {
        let bytes = file(codec, 5_000);
        let reader = ContainerReader::new(&bytes).unwrap();
        assert_eq!((reader.codec(), reader.schema()), (codec, &schema()));
        assert_eq!(reader.metadata()[2], ("by".to_owned(), b"us".to_vec()));
        assert_eq!(read_all(&bytes).unwrap(), expected, "{codec:?}");
        assert!(codec == Codec::Null || bytes.len() < file(Codec::Null, 5_000).len() / 2);
    }
}

#[test]
fn data_are_read_as_another_schema() {
    let reader_schema = AvroSchema::parse(
        r#"{"type":"record","name":"R","fields":[{"name":"n","type":"double"},{"name":"z","type":"int","default":1}]}"#,
    )
    .unwrap();
    let bytes = file(Codec::Null, 1);
    let mut reader = ContainerReader::new(&bytes).unwrap();
    reader.read_as(&reader_schema, &mut Work::default()).unwrap();
    let mut slot = Value::Null;
    assert!(reader.next_into(&mut slot).unwrap());
    assert_eq!(slot, Value::Record(vec![Value::Double(0.0), Value::Int(1)]));
}

#[test]
fn a_file_cut_anywhere_is_an_error_or_ends_between_blocks() {
    let bytes = file(Codec::Deflate, 3);
    let whole_head =
        ContainerWriter::with_metadata(&schema(), Codec::Deflate, *b"0123456789abcdef", &[("by", b"us")])
            .finish()
            .unwrap()
            .len();
    for cut in 0..bytes.len() {
        let read = read_all(&bytes[..cut]);
        assert_eq!(read.is_ok(), cut == whole_head, "cut at {cut}");
    }
}

#[test]
fn a_flipped_byte_in_a_block_is_noticed_where_the_codec_has_a_checksum() {
    for codec in [Codec::Snappy, Codec::Bzip2, Codec::Xz] {
        let bytes = file(codec, 100);
        let mut damaged = bytes.clone();
        let middle = bytes.len() - 16 - (bytes.len() - 200) / 2;
        damaged[middle] ^= 0x10;
        assert!(read_all(&damaged).is_err(), "{codec:?}");
    }
}

#[test]
fn a_block_that_unpacks_to_too_much_is_refused() {
    let schema = AvroSchema::parse("\"bytes\"").unwrap();
    for codec in Codec::ALL {
        let mut writer = ContainerWriter::new(&schema, codec, [0; 16]);
        writer.append(&Value::Bytes(vec![0; 200_000])).unwrap();
        let bytes = writer.finish().unwrap();
        let data = DataLimits {
            memory_bytes_max: 100_000,
            ..DataLimits::default()
        };
        let mut reader = ContainerReader::within(&bytes, &Limits::default(), data).unwrap();
        let error = reader.next_into(&mut Value::Null).unwrap_err().to_string();
        assert!(
            error.contains("more than 100000 bytes") || error.contains("memory"),
            "{codec:?}: {error}"
        );
    }
}

#[test]
fn what_is_no_container_says_so() {
    assert!(matches!(read_all(b"PAR1"), Err(ContainerError::NotAContainer)));
    let mut bytes = b"Obj\x01".to_vec();
    bytes.push(0);
    bytes.extend([0; 16]);
    assert!(matches!(read_all(&bytes), Err(ContainerError::NoSchema)));
    let mut other = file(Codec::Null, 1);
    let at = other.windows(4).position(|w| w == b"null").unwrap();
    other[at..at + 4].copy_from_slice(b"lzma");
    assert!(matches!(read_all(&other), Err(ContainerError::UnknownCodec(name)) if name == "lzma"));
}
