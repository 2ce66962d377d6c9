//! Container files for other implementations: written for them, and read back from them.

use std::fs;

use anyhow::{Context, Result, ensure};
use schema::avro::{AvroSchema, Codec, ContainerReader, ContainerWriter, Value};

use crate::{
    differential::sorted,
    random::{self, Maker, Random},
};

/// Writes files 0 to `count` - 1 into a folder, each with another schema, codecs in turn.
pub fn write(folder: &str, seed: u64, count: usize) -> Result<()> {
    fs::create_dir_all(folder)?;
    for n in 0..count {
        let (schema, values) = content(seed, n);
        let codec = Codec::ALL[n % Codec::ALL.len()];
        let mut writer = ContainerWriter::new(&schema, codec, [n as u8; 16]);
        for value in &values {
            writer.append(value)?;
        }
        fs::write(format!("{folder}/{n}.avro"), writer.finish()?)?;
    }
    Ok(())
}

/// Reads what others made of those files and compares value by value; every file that differs is named.
pub fn check(folder: &str, seed: u64, count: usize) -> Result<()> {
    let (mut data, mut other) = (0, 0);
    for n in 0..count {
        let (_, values) = content(seed, n);
        let name = format!("{folder}/{n}.avro");
        let bytes = fs::read(&name).with_context(|| name.clone())?;
        let mut reader = ContainerReader::new(&bytes).with_context(|| name.clone())?;
        let (mut read, mut slot) = (Vec::new(), Value::Null);
        while reader.next_into(&mut slot).with_context(|| name.clone())? {
            read.push(sorted(slot.clone()));
        }
        let values: Vec<_> = values.into_iter().map(sorted).collect();
        let differ = read.iter().zip(&values).find(|(read, value)| format!("{read:?}") != format!("{value:?}"));
        match differ {
            None if read.len() == values.len() => data += read.len(),
            None => println!("{name}: {} data, {} were written", read.len(), values.len()),
            Some((read, value)) => println!("{name}: other data\n  theirs {read:?}\n  ours   {value:?}"),
        }
        other += usize::from(read.len() != values.len() || differ.is_some());
    }
    println!("{} files, {data} data alike; {other} files differ", count - other);
    ensure!(other == 0, "{other} files differ");
    Ok(())
}

fn content(seed: u64, n: usize) -> (AvroSchema, Vec<Value>) {
    let mut random = Random::new(seed + n as u64);
    let text = Maker::new(&mut random).root().to_json().to_string();
    let schema = AvroSchema::parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let values = (0..50).map(|_| random::value(&schema, schema.root(), &mut random, 0));
    let values = values.filter(|value| random::depth(value) < 60).collect();
    (schema, values)
}
