//! Rust types that the generator writes: the text is what it was, it compiles, and data go through it and back.

use schema::{
    Work,
    avro::{AvroSchema, Decoder, Encoder, Kind, TypeId, Value},
};

use crate::dice::Dice;

#[rustfmt::skip]
#[allow(non_camel_case_types)]
mod shop;

const SCHEMA: &str = include_str!("shop.avsc");
const HEAD: &str =
    "//! The types of `shop.avsc` as the generator writes them. `UPDATE_EXPECT=1` writes them anew.\n\n";

#[test]
fn the_generator_writes_what_is_compiled_here() {
    let text = format!("{HEAD}{}", AvroSchema::parse(SCHEMA).unwrap().rust_types());
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/generated/shop.rs");
        std::fs::write(path, &text).unwrap();
    }
    assert_eq!(text, include_str!("shop.rs"), "UPDATE_EXPECT=1 writes it anew");
}

#[test]
fn data_go_through_generated_types_and_back() {
    let schema = AvroSchema::parse(SCHEMA).unwrap();
    let (encoder, decoder) = (
        Encoder::new(&schema),
        Decoder::new(&schema, &schema, &mut Work::default()).unwrap(),
    );
    let mut dice = Dice::new(5);
    let mut bytes_seen = 0;
    for _ in 0..crate::dice::cases(2_000) {
        let value = random(&schema, schema.root(), &mut dice, 0);
        let mut bytes = Vec::new();
        encoder.encode(&value, &mut bytes).unwrap();
        bytes_seen += bytes.len();
        let order: shop::ShopOrder = decoder.deserialize(&bytes).unwrap();
        let mut again = Vec::new();
        encoder.serialize(&order, &mut again).unwrap();
        // Blocks of maps may be cut otherwise and their entries stand in another order.
        assert_eq!(
            sorted(decoder.decode(&again).unwrap()),
            sorted(value),
            "{order:?}"
        );
        assert_eq!(decoder.deserialize::<shop::ShopOrder>(&again).unwrap(), order);
    }
    assert!(bytes_seen > 20_000, "the data were small");
}

#[test]
fn generated_types_are_made_by_hand_too() {
    let schema = AvroSchema::parse(SCHEMA).unwrap();
    let order = shop::ShopOrder {
        id: 7,
        r#type: shop::Kind::Self_,
        self_: None,
        parts: vec![],
        pick: Some(shop::StringOrHashOrShopOrderOrKind::Hash(vec![1, 2])),
        prices: [("now".to_owned(), vec![9])].into(),
        twin: Box::new(shop::OtherOrder { back: None }),
        either: shop::ShopOrderOrOtherOrderOrInt::OtherOrder(Box::new(shop::OtherOrder { back: None })),
        option: shop::Option_ {
            at: 1_790_000_000_000,
            exact: shop::DoubleOrFloat::Float(1.5),
            flag: true,
            nothing: (),
        },
        hash: vec![3, 4],
        lists: vec![[("k".to_owned(), Some(1))].into()],
    };
    let mut bytes = Vec::new();
    Encoder::new(&schema).serialize(&order, &mut bytes).unwrap();
    let decoder = Decoder::new(&schema, &schema, &mut Work::default()).unwrap();
    assert_eq!(decoder.deserialize::<shop::ShopOrder>(&bytes).unwrap(), order);
    let Value::Record(fields) = decoder.decode(&bytes).unwrap() else {
        panic!("no record")
    };
    assert_eq!(fields[1], Value::Enum(2));
    assert_eq!(fields[4], Value::Union(2, Box::new(Value::Fixed(vec![1, 2]))));
    assert!(matches!(&fields[7], Value::Union(1, _)));
}

/// A value by chance. Maps have one entry at most, so that their order is no question.
fn random(schema: &AvroSchema, id: TypeId, dice: &mut Dice, depth: u32) -> Value {
    let text = |dice: &mut Dice| {
        "aé\"\u{1F600}"
            .chars()
            .take(dice.below(5) as usize)
            .collect::<String>()
    };
    match schema.kind(id) {
        Kind::Null => Value::Null,
        Kind::Boolean => Value::Boolean(dice.chance(50)),
        Kind::Int => Value::Int(dice.next() as i32 >> dice.below(32)),
        Kind::Long => Value::Long(dice.next() as i64 >> dice.below(64)),
        Kind::Float => Value::Float(dice.below(1000) as f32 / 8.0),
        Kind::Double => Value::Double(dice.below(100_000) as f64 / 16.0),
        Kind::Bytes => Value::Bytes((0..dice.below(5)).map(|_| dice.next() as u8).collect()),
        Kind::String => Value::String(text(dice)),
        Kind::Fixed(fixed) => Value::Fixed((0..fixed.size).map(|_| dice.next() as u8).collect()),
        Kind::Enum(symbols) => Value::Enum(dice.below(symbols.symbols.len() as u64) as u32),
        Kind::Array(items) => {
            let count = if depth > 3 { 0 } else { dice.below(3) };
            Value::Array(
                (0..count)
                    .map(|_| random(schema, *items, dice, depth + 1))
                    .collect(),
            )
        }
        Kind::Map(values) => {
            let count = dice.below(2);
            Value::Map(
                (0..count)
                    .map(|_| (text(dice), random(schema, *values, dice, depth + 1)))
                    .collect(),
            )
        }
        Kind::Union(branches) => {
            let ends = |id: &TypeId| !matches!(schema.kind(*id), Kind::Record(_));
            let end = branches.iter().position(ends).unwrap();
            let place = if depth > 3 {
                end
            } else {
                dice.below(branches.len() as u64) as usize
            };
            Value::Union(
                place as u32,
                Box::new(random(schema, branches[place], dice, depth + 1)),
            )
        }
        Kind::Record(record) => {
            let fields = record
                .fields
                .iter()
                .map(|field| random(schema, field.schema, dice, depth + 1));
            Value::Record(fields.collect())
        }
    }
}

/// Maps have no order.
fn sorted(value: Value) -> Value {
    match value {
        Value::Map(mut entries) => {
            entries.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Map(
                entries
                    .into_iter()
                    .map(|(key, value)| (key, sorted(value)))
                    .collect(),
            )
        }
        Value::Array(items) => Value::Array(items.into_iter().map(sorted).collect()),
        Value::Record(items) => Value::Record(items.into_iter().map(sorted).collect()),
        Value::Union(place, inner) => Value::Union(place, Box::new(sorted(*inner))),
        other => other,
    }
}
