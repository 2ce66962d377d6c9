//! Memory on the path of a record: Avro is read and written without any but for strings.
//!
//! A binary of its own, because it counts what the whole process allocates.

use std::alloc::System;

use schema::{
    Work,
    avro::{AvroSchema, Decoder, Encoder, Value, Visitor},
};
use serde::{Deserialize, Serialize};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const SCHEMA: &str = r#"{"type":"record","name":"Order","fields":[
    {"name":"id","type":"long"},{"name":"customer_id","type":"long"},{"name":"quantity","type":"int"},
    {"name":"price","type":"double"},{"name":"paid","type":"boolean"},{"name":"time","type":"long"},
    {"name":"currency","type":"string"},{"name":"note","type":["null","string"]},
    {"name":"tags","type":{"type":"array","items":"string"}},
    {"name":"payment_type","type":{"type":"enum","name":"Payment","symbols":["CARD","CASH"]}}]}"#;
/// Another order of the fields, one gone, one new.
const READER: &str = r#"{"type":"record","name":"Order","fields":[
    {"name":"currency","type":"string"},{"name":"id","type":"double"},{"name":"note","type":["string","null"]},
    {"name":"channel","type":"string","default":"a shop that nobody wrote"},
    {"name":"tags","type":{"type":"array","items":"string"}}]}"#;

#[derive(Serialize, Deserialize)]
struct Order<'a> {
    id: i64,
    customer_id: i64,
    quantity: i32,
    price: f64,
    paid: bool,
    time: i64,
    currency: &'a str,
    note: Option<&'a str>,
    tags: [&'a str; 2],
    payment_type: Payment,
}

#[derive(Serialize, Deserialize)]
enum Payment {
    #[serde(rename = "CARD")]
    Card,
    #[serde(rename = "CASH")]
    Cash,
}

#[derive(Serialize, Deserialize)]
struct Owned {
    id: i64,
    customer_id: i64,
    quantity: i32,
    price: f64,
    paid: bool,
    time: i64,
    currency: String,
    note: Option<String>,
    tags: [String; 2],
    payment_type: Payment,
}

const RECORDS: usize = 1_000;

fn order(n: usize) -> Order<'static> {
    Order {
        id: n as i64,
        customer_id: 1 << 40,
        quantity: 3,
        price: 1.5,
        paid: n.is_multiple_of(2),
        time: 1_790_000_000_000,
        currency: "EUR",
        // The branch changes, and the texts' lengths.
        note: (!n.is_multiple_of(3)).then(|| &"leave it at the door of the house"[n % 7..]),
        tags: ["a", "bb"],
        payment_type: if n.is_multiple_of(5) {
            Payment::Cash
        } else {
            Payment::Card
        },
    }
}

/// Allocations, those that grow memory among them, while `run` runs.
fn counted(run: impl FnOnce()) -> usize {
    let region = Region::new(ALLOCATOR);
    run();
    let change = region.change();
    change.allocations + change.reallocations
}

/// One test, so that nothing else allocates meanwhile.
#[test]
fn records_are_read_and_written_without_memory_but_for_strings() {
    let schema = AvroSchema::parse(SCHEMA).unwrap();
    let reader = AvroSchema::parse(READER).unwrap();
    let encoder = Encoder::new(&schema);
    let same = Decoder::new(&schema, &schema, &mut Work::default()).unwrap();
    let other = Decoder::new(&schema, &reader, &mut Work::default()).unwrap();
    let mut out = Vec::with_capacity(1 << 20);
    let mut ends = Vec::with_capacity(RECORDS);
    let serialized = counted(|| {
        for n in 0..RECORDS {
            encoder.serialize(&order(n), &mut out).unwrap();
            ends.push(out.len());
        }
    });
    assert_eq!(serialized, 0, "serialize");
    let starts = [0].into_iter().chain(ends.iter().copied());
    let records: Vec<&[u8]> = starts.zip(&ends).map(|(start, end)| &out[start..*end]).collect();

    into_values(&same, &records, "as written");
    into_values(&other, &records, "as another schema");
    visited(&same, &records);
    visited(&other, &records);
    rust_types(&same, &records);

    let values: Vec<Value> = records.iter().map(|bytes| same.decode(bytes).unwrap()).collect();
    let mut again = Vec::with_capacity(1 << 20);
    let encoded = counted(|| {
        for value in &values {
            encoder.encode(value, &mut again).unwrap();
        }
    });
    assert_eq!(encoded, 0, "encode");
    assert_eq!(again, out);
}

fn into_values(decoder: &Decoder, records: &[&[u8]], what: &str) {
    let mut slot = Value::Null;
    let read = |slot: &mut Value| {
        records
            .iter()
            .for_each(|bytes| decoder.decode_into(bytes, slot).unwrap())
    };
    // Once, so that every text has had its longest.
    read(&mut slot);
    // A union that changes its branch lets the old text go and takes a new one: two of three records have a note.
    let count = counted(|| read(&mut slot));
    let strings = records.len();
    assert!(count <= strings, "{what}: {count} for {strings} records");
    // Records alike take none at all.
    let one = records[1];
    decoder.decode_into(one, &mut slot).unwrap();
    let count = counted(|| (0..RECORDS).for_each(|_| decoder.decode_into(one, &mut slot).unwrap()));
    assert_eq!(count, 0, "{what}");
}

fn visited(decoder: &Decoder, records: &[&[u8]]) {
    struct Count(usize);
    impl Visitor for Count {
        fn string(&mut self, text: &str) {
            self.0 += text.len();
        }
    }
    let mut sum = Count(0);
    let count = counted(|| {
        records
            .iter()
            .for_each(|bytes| decoder.visit(bytes, &mut sum).unwrap())
    });
    assert_eq!(count, 0, "visit");
    assert!(sum.0 > 0);
}

fn rust_types(decoder: &Decoder, records: &[&[u8]]) {
    let count = counted(|| {
        for bytes in records {
            let order: Order<'_> = decoder.deserialize(bytes).unwrap();
            assert_eq!(order.currency, "EUR");
        }
    });
    assert_eq!(count, 0, "what is borrowed");
    let mut strings = 0;
    let count = counted(|| {
        for bytes in records {
            let order: Owned = decoder.deserialize(bytes).unwrap();
            strings += 3 + usize::from(order.note.is_some());
        }
    });
    assert_eq!(count, strings, "a string each, nothing else");
}
