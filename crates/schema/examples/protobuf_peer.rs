//! A Protobuf peer for other implementations: `protobuf_peer FILE [IMPORT=FILE...]`, then lines on stdin.
//!
//! `decode MESSAGE HEX` answers JSON, `encode MESSAGE JSON` answers hex, `indexes MESSAGE` answers the message indexes.
//! An answer is one line; `! WHY` is a refusal.

use std::{error::Error, io::BufRead};

use schema::{
    Format, Limits, Reference, Source,
    protobuf::{MessageIndexes, ProtobufSchema},
};

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let file = args.next().ok_or("which file?")?;
    let mut references = Vec::new();
    for given in args {
        let (name, path) = given.split_once('=').ok_or("IMPORT=FILE")?;
        let text = std::fs::read_to_string(path)?;
        references.push(Reference {
            name: name.to_owned(),
            text,
            ..Reference::default()
        });
    }
    let source = Source::new(Format::Protobuf, std::fs::read_to_string(file)?).with_references(references);
    let schema = ProtobufSchema::parse_source(&source, &Limits::default())?;
    for line in std::io::stdin().lock().lines() {
        println!(
            "{}",
            answer(&schema, &line?).unwrap_or_else(|why| format!("! {why}"))
        );
    }
    Ok(())
}

fn answer(schema: &ProtobufSchema, line: &str) -> Result<String, Box<dyn Error>> {
    let mut words = line.splitn(3, ' ');
    let mut word = || words.next().ok_or("a word is missing");
    let verb = word()?;
    let name = word()?;
    let message = schema.message(name).ok_or("no such message")?;
    match verb {
        "indexes" => {
            let mut bytes = Vec::new();
            MessageIndexes::of(&message).write(&mut bytes);
            Ok(hex(&bytes))
        }
        "decode" => Ok(schema
            .decode_json(&message, &unhex(words.next().unwrap_or_default())?)?
            .to_string()),
        "encode" => Ok(hex(
            &schema.encode_json(&message, &serde_json::from_str(word()?)?)?
        )),
        _ => Err("decode, encode or indexes".into()),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Result<Vec<u8>, Box<dyn Error>> {
    let digits = text.as_bytes().chunks(2);
    digits
        .map(|pair| Ok(u8::from_str_radix(std::str::from_utf8(pair)?, 16)?))
        .collect()
}
