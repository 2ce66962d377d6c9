//! Speed of one record of ten fields, and of one comparison, the libraries beside us in the same run.

use std::{alloc::System, hint::black_box, io::Cursor, time::Instant};

use anyhow::Result;
use apache_avro::{reader::datum::GenericDatumReader, schema_compatibility::SchemaCompatibility};
use arrow_avro::reader::ReaderBuilder;
use schema::{
    Work,
    avro::{AvroSchema, Codec, ContainerWriter, Decoder, Encoder, Value, Visitor, can_read},
};
use serde::{Deserialize, Serialize};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const SCHEMA: &str = r#"{"type":"record","name":"Order","namespace":"shop","fields":[
    {"name":"id","type":"long"},{"name":"customer_id","type":"long"},{"name":"product_id","type":"int"},
    {"name":"quantity","type":"int"},{"name":"price","type":"double"},{"name":"paid","type":"boolean"},
    {"name":"time","type":"long"},{"name":"currency","type":"string"},{"name":"note","type":["null","string"]},
    {"name":"payment_type","type":{"type":"enum","name":"Payment","symbols":["CARD","CASH","TRANSFER"]}}]}"#;

#[derive(Serialize, Deserialize)]
struct Order {
    id: i64,
    customer_id: i64,
    product_id: i32,
    quantity: i32,
    price: f64,
    paid: bool,
    time: i64,
    currency: String,
    note: Option<String>,
    payment_type: Payment,
}

/// The same without memory of its own. Only read into: that costs what is measured, nobody looks at the fields.
#[allow(dead_code)]
#[derive(Deserialize)]
struct Borrowed<'a> {
    id: i64,
    customer_id: i64,
    product_id: i32,
    quantity: i32,
    price: f64,
    paid: bool,
    time: i64,
    currency: &'a str,
    note: Option<&'a str>,
    payment_type: Payment,
}

#[derive(Serialize, Deserialize)]
enum Payment {
    #[serde(rename = "CARD")]
    Card,
    #[serde(rename = "CASH")]
    Cash,
    #[serde(rename = "TRANSFER")]
    Transfer,
}

const RECORDS: usize = 1_000;
const ROUNDS: usize = 25;

fn order(n: i64) -> Value {
    Value::Record(vec![
        Value::Long(1_000_000 + n),
        Value::Long(70_000 + n * 7),
        Value::Int(n as i32 % 900),
        Value::Int(1 + n as i32 % 5),
        Value::Double(19.95 + n as f64),
        Value::Boolean(n % 2 == 0),
        Value::Long(1_790_000_000_000 + n),
        Value::String("EUR".into()),
        Value::Union(1, Box::new(Value::String("leave at the door".into()))),
        Value::Enum(n as u32 % 3),
    ])
}

/// The best of some rounds, in nanoseconds a record, and allocations a record.
fn measure(name: &str, mut round: impl FnMut()) {
    round();
    let region = Region::new(ALLOCATOR);
    round();
    let change = region.change();
    let allocations = (change.allocations + change.reallocations) as f64 / RECORDS as f64;
    let best = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            round();
            start.elapsed().as_nanos()
        })
        .min()
        .unwrap_or_default();
    println!("{name:<52} {:>8.1} ns  {allocations:>6.2} allocations", best as f64 / RECORDS as f64);
}

pub fn run() -> Result<()> {
    let schema = AvroSchema::parse(SCHEMA)?;
    let encoder = Encoder::new(&schema);
    let decoder = Decoder::new(&schema, &schema, &mut Work::default())?;
    let values: Vec<_> = (0..RECORDS as i64).map(order).collect();
    let mut data = Vec::new();
    for value in &values {
        let mut bytes = Vec::new();
        encoder.encode(value, &mut bytes)?;
        data.push(bytes);
    }
    println!("ten fields, {} bytes; best of {ROUNDS} rounds of {RECORDS} records", data[0].len());
    decode(&decoder, &data)?;
    encode(&encoder, &values, &decoder, &data)?;
    apache(&data)?;
    arrow(&schema, &values)?;
    compatibility()
}

fn decode(decoder: &Decoder, data: &[Vec<u8>]) -> Result<()> {
    let mut slot = Value::Null;
    measure("decode: ours, into a value", || {
        data.iter().for_each(|bytes| decoder.decode_into(black_box(bytes), &mut slot).expect("whole"));
        black_box(&slot);
    });
    measure("decode: ours, a new value each", || {
        data.iter().for_each(|bytes| drop(black_box(decoder.decode(black_box(bytes)).expect("whole"))));
    });
    struct Sum(i64);
    impl Visitor for Sum {
        fn long(&mut self, value: i64) {
            self.0 = self.0.wrapping_add(value);
        }
        fn string(&mut self, value: &str) {
            self.0 = self.0.wrapping_add(value.len() as i64);
        }
    }
    let mut sum = Sum(0);
    measure("decode: ours, visitor", || {
        data.iter().for_each(|bytes| decoder.visit(black_box(bytes), &mut sum).expect("whole"));
        black_box(sum.0);
    });
    measure("decode: ours, serde, texts borrowed", || {
        data.iter()
            .for_each(|bytes| drop(black_box(decoder.deserialize::<Borrowed<'_>>(black_box(bytes)).expect("whole"))));
    });
    measure("decode: ours, serde", || {
        data.iter().for_each(|bytes| drop(black_box(decoder.deserialize::<Order>(black_box(bytes)).expect("whole"))));
    });
    Ok(())
}

fn encode(encoder: &Encoder, values: &[Value], decoder: &Decoder, data: &[Vec<u8>]) -> Result<()> {
    let mut out = Vec::with_capacity(1 << 20);
    measure("encode: ours, value", || {
        out.clear();
        values.iter().for_each(|value| encoder.encode(black_box(value), &mut out).expect("fits"));
        black_box(&out);
    });
    let orders: Vec<Order> = data.iter().map(|bytes| decoder.deserialize(bytes)).collect::<Result<_, _>>()?;
    measure("encode: ours, serde", || {
        out.clear();
        orders.iter().for_each(|order| encoder.serialize(black_box(order), &mut out).expect("fits"));
        black_box(&out);
    });
    Ok(())
}

fn apache(data: &[Vec<u8>]) -> Result<()> {
    let schema = apache_avro::Schema::parse_str(SCHEMA)?;
    let reader = GenericDatumReader::builder(&schema).build()?;
    measure("decode: apache-avro, generic", || {
        data.iter().for_each(|bytes| drop(black_box(reader.read_value(&mut black_box(bytes.as_slice())).expect("whole"))));
    });
    measure("decode: apache-avro, serde", || {
        data.iter()
            .for_each(|bytes| drop(black_box(reader.read_deser::<Order>(&mut black_box(bytes.as_slice())).expect("whole"))));
    });
    let values: Vec<_> = data.iter().map(|bytes| reader.read_value(&mut bytes.as_slice())).collect::<Result<_, _>>()?;
    let orders: Vec<Order> =
        data.iter().map(|bytes| reader.read_deser(&mut bytes.as_slice())).collect::<Result<_, _>>()?;
    let writer = apache_avro::writer::datum::GenericDatumWriter::builder(&schema).build()?;
    let mut out = Vec::with_capacity(1 << 20);
    measure("encode: apache-avro, serde", || {
        out.clear();
        orders.iter().for_each(|order| drop(black_box(writer.write_ser(&mut out, black_box(order)).expect("fits"))));
    });
    measure("encode: apache-avro, generic", || {
        out.clear();
        values.iter().for_each(|value| drop(black_box(writer.write_value_ref(&mut out, black_box(value)).expect("fits"))));
    });
    Ok(())
}

fn arrow(schema: &AvroSchema, values: &[Value]) -> Result<()> {
    let mut writer = ContainerWriter::new(schema, Codec::Null, [3; 16]);
    for value in values {
        writer.append(value)?;
    }
    let file = writer.finish()?;
    let rows = |file: &[u8]| -> Result<usize> {
        let reader = ReaderBuilder::new().with_batch_size(RECORDS).build(Cursor::new(file))?;
        let mut rows = 0;
        for batch in reader {
            rows += batch?.num_rows();
        }
        Ok(rows)
    };
    anyhow::ensure!(rows(&file)? == values.len(), "arrow-avro reads other rows");
    measure("decode: arrow-avro, file into a batch", || {
        black_box(rows(black_box(&file)).expect("whole"));
    });
    let mut slot = Value::Null;
    measure("decode: ours, the same file into a value", || {
        let mut reader = schema::avro::ContainerReader::new(black_box(&file)).expect("whole");
        while reader.next_into(&mut slot).expect("whole") {
            black_box(&slot);
        }
    });
    Ok(())
}

fn compatibility() -> Result<()> {
    let record = |more: &str| {
        let kinds = ["\"long\"", "\"string\"", "[\"null\",\"string\"]", "{\"type\":\"array\",\"items\":\"int\"}"];
        let fields: Vec<_> =
            (0..200).map(|n| format!("{{\"name\":\"field_{n}\",\"type\":{}}}", kinds[n % 4])).collect();
        format!("{{\"type\":\"record\",\"name\":\"Wide\",\"fields\":[{}{more}]}}", fields.join(","))
    };
    let (old, new) = (record(""), record(",{\"name\":\"added\",\"type\":\"int\",\"default\":0}"));
    let (a, b) = (AvroSchema::parse(&old)?, AvroSchema::parse(&new)?);
    anyhow::ensure!(can_read(&b, &a, &mut Work::default())?, "compatible");
    measure("compatibility of two records of 200 fields: ours", || {
        (0..RECORDS).for_each(|_| { black_box(can_read(black_box(&b), &a, &mut Work::default()).expect("bounded")); });
    });
    let (a, b) = (apache_avro::Schema::parse_str(&old)?, apache_avro::Schema::parse_str(&new)?);
    measure("compatibility of two records of 200 fields: apache-avro", || {
        (0..RECORDS).for_each(|_| drop(black_box(SchemaCompatibility::can_read(black_box(&a), &b))));
    });
    Ok(())
}
