//! arrow-avro beside us: container files of ours read into batches, as written and as another schema, row by row.
//!
//! Both sides are written down as one text per row, so that what differs can be read.

use std::{io::Cursor, panic::catch_unwind};

use anyhow::Result;
use arrow_array::{
    Array, ArrayRef, RecordBatch, cast::AsArray, types::{
        Date32Type, DurationMicrosecondType, DurationMillisecondType, DurationNanosecondType, Float32Type, Float64Type, Int32Type,
        Int64Type, Time32MillisecondType, Time64MicrosecondType, TimestampMicrosecondType, TimestampMillisecondType,
        TimestampNanosecondType,
    },
};
use arrow_avro::{reader::ReaderBuilder, schema::AvroSchema as ArrowSchema};
use arrow_schema::{DataType, TimeUnit};
use schema::{
    Work,
    avro::{AvroSchema, Codec, ContainerWriter, Decoder, Kind, TypeId, Value},
};

use crate::{
    differential::{Pair, Tally, pair},
    java::hex,
    random::Random,
};

/// Runs pairs until `pairs` of them have records at the root, which arrow-avro asks for.
pub fn against_arrow(seed: u64, pairs: u64) -> Result<Tally> {
    let mut random = Random::new(seed);
    let mut tally = Tally::default();
    while tally.pairs < pairs {
        let pair = pair(&mut random, 0);
        let is_record = |schema: &AvroSchema| matches!(schema.kind(schema.root()), Kind::Record(_));
        if !is_record(&pair.writer) || !is_record(&pair.reader) {
            continue;
        }
        tally.pairs += 1;
        if ["\"decimal\"", "\"uuid\""].iter().any(|word| pair.writer_text.contains(word) || pair.reader_text.contains(word)) {
            tally.explain("not compared: our data of decimal and uuid are any text, arrow-avro wants them well-formed");
            continue;
        }
        let mut writer = ContainerWriter::new(&pair.writer, Codec::Null, [3; 16]);
        for value in &pair.values {
            writer.append(value)?;
        }
        let file = writer.finish()?;
        compare(&pair, &file, &pair.writer, None, &mut tally);
        compare(&pair, &file, &pair.reader, Some(&pair.reader_text), &mut tally);
    }
    Ok(tally)
}

fn compare(pair: &Pair, file: &[u8], reader: &AvroSchema, text: Option<&str>, tally: &mut Tally) {
    let decoder = Decoder::new(&pair.writer, reader, &mut Work::default()).expect("bounded");
    let ours: Result<Vec<_>, _> = pair
        .bytes
        .iter()
        .map(|bytes| Ok::<_, schema::avro::DataError>(show(reader, reader.root(), &decoder.decode(bytes)?)))
        .collect();
    let theirs = catch_unwind(|| rows(file, text)).unwrap_or_else(|_| Err("panic".into()));
    match (ours, theirs) {
        (Ok(ours), Ok(theirs)) => {
            tally.cases += ours.len() as u64;
            if theirs.is_empty() && pair.bytes.iter().all(Vec::is_empty) {
                return tally.explain("arrow-avro counts no rows whose data take no bytes");
            }
            if ours.len() != theirs.len() {
                return tally.differ("rows", pair, &format!("ours {}, arrow-avro {}", ours.len(), theirs.len()));
            }
            for (ours, theirs) in ours.iter().zip(&theirs) {
                if ours != theirs {
                    return different(pair, ours, theirs, text.is_some(), tally);
                }
            }
        }
        (Err(_), Err(_)) => tally.refused_by_both += 1,
        (Ok(_), Err(error)) => tally.explain(refusal(&error, text.is_some())),
        (Err(_), Ok(_)) if text.is_some() => tally.explain("arrow-avro resolves what Java and we refuse"),
        (Err(error), Ok(_)) => tally.differ("we refuse our own file", pair, &error.to_string()),
    }
}

fn different(pair: &Pair, ours: &str, theirs: &str, resolved: bool, tally: &mut Tally) {
    let what = if resolved { "row as another schema" } else { "row as written" };
    tally.differ(what, pair, &format!("ours   {ours}\n  theirs {theirs}"));
}

fn refusal(error: &str, resolved: bool) -> &'static str {
    if std::env::var_os("ARROW_ERRORS").is_some() {
        println!("REFUSAL {resolved} {}", error.lines().next().unwrap_or_default());
    }
    match resolved {
        false => "arrow-avro refuses a file that Java and we read",
        true => "arrow-avro refuses a resolution that Java and we make",
    }
}

fn rows(file: &[u8], text: Option<&str>) -> Result<Vec<String>, String> {
    let mut builder = ReaderBuilder::new();
    if let Some(text) = text {
        builder = builder.with_reader_schema(ArrowSchema::new(text.to_owned()));
    }
    let reader = builder.build(Cursor::new(file)).map_err(|error| error.to_string())?;
    let mut rows = Vec::new();
    for batch in reader {
        let batch = batch.map_err(|error| error.to_string())?;
        (0..batch.num_rows()).for_each(|row| rows.push(record(&batch, row)));
    }
    Ok(rows)
}

fn record(batch: &RecordBatch, row: usize) -> String {
    let fields: Vec<_> = batch.columns().iter().map(|column| cell(column, row)).collect();
    format!("({})", fields.join(", "))
}

/// A cell in words.
fn cell(array: &ArrayRef, row: usize) -> String {
    if let DataType::Union(..) = array.data_type() {
        let union = array.as_union();
        return cell(&union.value(row), 0);
    }
    if array.is_null(row) || *array.data_type() == DataType::Null {
        return "null".into();
    }
    match array.data_type() {
        DataType::Boolean => array.as_boolean().value(row).to_string(),
        DataType::Utf8 => format!("{:?}", array.as_string::<i32>().value(row)),
        DataType::Binary => hex(array.as_binary::<i32>().value(row)),
        DataType::FixedSizeBinary(_) => hex(array.as_fixed_size_binary().value(row)),
        DataType::Float32 => float(f64::from(array.as_primitive::<Float32Type>().value(row))),
        DataType::Float64 => float(array.as_primitive::<Float64Type>().value(row)),
        DataType::Dictionary(..) => {
            let dictionary = array.as_dictionary::<Int32Type>();
            let key = dictionary.keys().value(row) as usize;
            format!("{:?}", dictionary.values().as_string::<i32>().value(key))
        }
        DataType::List(_) => {
            let items = array.as_list::<i32>().value(row);
            let items: Vec<_> = (0..items.len()).map(|n| cell(&items, n)).collect();
            format!("[{}]", items.join(", "))
        }
        DataType::Map(..) => {
            let entries = array.as_map().value(row);
            let (keys, values) = (entries.column(0).as_string::<i32>(), entries.column(1));
            let mut all: Vec<_> = (0..entries.len()).map(|n| format!("{:?}: {}", keys.value(n), cell(values, n))).collect();
            all.sort();
            format!("{{{}}}", all.join(", "))
        }
        DataType::Struct(_) => {
            let fields: Vec<_> = array.as_struct().columns().iter().map(|column| cell(column, row)).collect();
            format!("({})", fields.join(", "))
        }
        _ => number(array, row),
    }
}

fn number(array: &ArrayRef, row: usize) -> String {
    macro_rules! value {
        ($kind:ty) => {
            array.as_primitive::<$kind>().value(row).to_string()
        };
    }
    match array.data_type() {
        DataType::Int32 => value!(Int32Type),
        DataType::Int64 => value!(Int64Type),
        DataType::Date32 => value!(Date32Type),
        DataType::Time32(TimeUnit::Millisecond) => value!(Time32MillisecondType),
        DataType::Time64(TimeUnit::Microsecond) => value!(Time64MicrosecondType),
        DataType::Timestamp(TimeUnit::Millisecond, _) => value!(TimestampMillisecondType),
        DataType::Timestamp(TimeUnit::Microsecond, _) => value!(TimestampMicrosecondType),
        DataType::Timestamp(TimeUnit::Nanosecond, _) => value!(TimestampNanosecondType),
        DataType::Duration(TimeUnit::Millisecond) => value!(DurationMillisecondType),
        DataType::Duration(TimeUnit::Microsecond) => value!(DurationMicrosecondType),
        DataType::Duration(TimeUnit::Nanosecond) => value!(DurationNanosecondType),
        other => format!("?{other}"),
    }
}

fn float(value: f64) -> String {
    format!("{value:?}")
}

/// The same words for a value of ours.
fn show(schema: &AvroSchema, id: TypeId, value: &Value) -> String {
    match (schema.kind(id), value) {
        (Kind::Union(branches), Value::Union(place, inner)) => show(schema, branches[*place as usize], inner),
        (Kind::Enum(symbols), Value::Enum(place)) => format!("{:?}", symbols.symbols[*place as usize]),
        (Kind::Array(items), Value::Array(values)) => {
            let all: Vec<_> = values.iter().map(|value| show(schema, *items, value)).collect();
            format!("[{}]", all.join(", "))
        }
        (Kind::Map(values), Value::Map(entries)) => {
            let mut all: Vec<_> =
                entries.iter().map(|(key, value)| format!("{key:?}: {}", show(schema, *values, value))).collect();
            all.sort();
            format!("{{{}}}", all.join(", "))
        }
        (Kind::Record(record), Value::Record(values)) => {
            let all: Vec<_> =
                record.fields.iter().zip(values).map(|(field, value)| show(schema, field.schema, value)).collect();
            format!("({})", all.join(", "))
        }
        (_, Value::Null) => "null".into(),
        (_, Value::Boolean(value)) => value.to_string(),
        (_, Value::Int(value)) => value.to_string(),
        (_, Value::Long(value)) => value.to_string(),
        (_, Value::Float(value)) => float(f64::from(*value)),
        (_, Value::Double(value)) => float(*value),
        (_, Value::String(text)) => format!("{text:?}"),
        (_, Value::Bytes(bytes) | Value::Fixed(bytes)) => hex(bytes),
        (kind, value) => format!("?{} {}", kind.word(), value.word()),
    }
}
