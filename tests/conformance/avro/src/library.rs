//! apache-avro beside us, in this process.

use anyhow::Result;
use apache_avro::{Schema, reader::datum::GenericDatumReader, schema_compatibility::SchemaCompatibility, to_avro_datum};
use schema::{
    Work,
    avro::{Decoder, can_read},
};

use crate::{
    differential::{Pair, Tally, pair, sorted},
    random::Random,
};

/// Runs `pairs` pairs against apache-avro.
pub fn against_apache_avro(seed: u64, pairs: u64) -> Result<Tally> {
    let mut random = Random::new(seed);
    let mut tally = Tally::default();
    while tally.pairs < pairs {
        let pair = pair(&mut random, 25);
        tally.pairs += 1;
        let parsed = (Schema::parse_str(&pair.writer_text), Schema::parse_str(&pair.reader_text));
        let (Ok(writer), Ok(reader)) = parsed else {
            tally.explain("apache-avro refuses a schema that Java takes");
            continue;
        };
        if writer.canonical_form() != pair.writer.canonical_form() {
            // The specification's PRIMITIVES rule asks for "long" where it writes {"type":"long"}; Java agrees with us.
            if pair.writer_text.contains("logicalType") {
                tally.explain("apache-avro's canonical form keeps an object around logical types");
            } else {
                tally.differ("canonical form", &pair, &writer.canonical_form());
            }
        }
        verdict(&pair, &writer, &reader, &mut tally);
        as_written(&pair, &writer, &mut tally);
        resolved(&pair, &writer, &reader, &mut tally);
    }
    Ok(tally)
}

fn verdict(pair: &Pair, writer: &Schema, reader: &Schema, tally: &mut Tally) {
    let ours = can_read(&pair.reader, &pair.writer, &mut Work::default()).expect("bounded");
    tally.compatible += u64::from(ours);
    // Anything but an error is some degree of compatible; only "full" promises every datum.
    let theirs = SchemaCompatibility::can_read(writer, reader);
    match (ours, theirs) {
        (true, Ok(_)) | (false, Err(_)) => tally.explain("verdicts agree"),
        (false, Ok(_)) => tally.explain("verdict: apache-avro calls a union partly readable where Java says no"),
        (true, Err(_)) => tally.explain("verdict: apache-avro refuses what Java takes"),
    }
}

/// Data read with the schema that they were written with: the bytes come back.
fn as_written(pair: &Pair, writer: &Schema, tally: &mut Tally) {
    let Ok(reader) = GenericDatumReader::builder(writer).build() else { return };
    let same = Decoder::new(&pair.writer, &pair.writer, &mut Work::default()).expect("bounded");
    for (bytes, value) in pair.bytes.iter().zip(&pair.values) {
        tally.cases += 1;
        let theirs = reader.read_value(&mut bytes.as_slice()).and_then(|value| to_avro_datum(writer, value));
        match theirs {
            Ok(back) => {
                let back = same.decode(&back).map(sorted);
                let ours = sorted(value.clone());
                if back.as_ref().map(|value| format!("{value:?}")) != Ok(format!("{ours:?}")) {
                    if writer_uses_lossy_logical(&pair.writer_text) {
                        tally.explain("apache-avro rewrites decimal and uuid values in its own form");
                    } else {
                        tally.differ("datum as written", pair, &format!("ours {ours:?}\n  theirs {back:?}"));
                    }
                }
            }
            Err(_) if writer_uses_lossy_logical(&pair.writer_text) => {
                tally.explain("apache-avro refuses text that is no uuid");
            }
            Err(error) => tally.differ("apache-avro refuses a datum", pair, &error.to_string()),
        }
    }
}

/// Data read with another schema.
fn resolved(pair: &Pair, writer: &Schema, reader: &Schema, tally: &mut Tally) {
    if writer_uses_lossy_logical(&pair.writer_text) || writer_uses_lossy_logical(&pair.reader_text) {
        return;
    }
    let Ok(theirs) = GenericDatumReader::builder(writer).reader_schema(reader).build() else { return };
    let ours = Decoder::new(&pair.writer, &pair.reader, &mut Work::default()).expect("bounded");
    let same = Decoder::new(&pair.reader, &pair.reader, &mut Work::default()).expect("bounded");
    for bytes in &pair.bytes {
        tally.cases += 1;
        let theirs = theirs.read_value(&mut bytes.as_slice()).and_then(|value| to_avro_datum(reader, value));
        let theirs = theirs.map(|bytes| same.decode(&bytes).map(sorted));
        match (ours.decode(bytes).map(sorted), theirs) {
            (Ok(ours), Ok(Ok(theirs))) if format!("{ours:?}") == format!("{theirs:?}") => {
                tally.explain("resolved alike");
            }
            (Err(_), Err(_)) => tally.refused_by_both += 1,
            (Ok(_), Ok(_)) => tally.explain("resolved otherwise: apache-avro takes the first branch that fits (Java agrees with us)"),
            (Ok(_), Err(_)) => tally.explain("apache-avro refuses to resolve (Java agrees with us)"),
            (Err(_), Ok(_)) => tally.explain("apache-avro resolves by structure what Java refuses"),
        }
    }
}

fn writer_uses_lossy_logical(text: &str) -> bool {
    text.contains("\"decimal\"") || text.contains("\"uuid\"")
}
