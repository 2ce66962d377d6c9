//! `-f` and `-J`: messages as text.

use std::io::Write;

use client::{Record, TimestampType, TopicPartition};

use super::Stop;
use super::escape::unescaped;
use super::options::Options;
use super::pack::Pack;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(Vec<u8>),
    Payload,
    PayloadLength,
    PayloadLengthBinary,
    Key,
    KeyLength,
    Time,
    Headers,
    Topic,
    Partition,
    Offset,
}

/// How messages are written.
#[derive(Debug)]
pub(super) struct Format {
    pieces: Vec<Piece>,
    json: bool,
    nulls: bool,
    pack_key: Option<Pack>,
    pack_value: Option<Pack>,
}

/// A message, and who gave it.
pub(super) struct Message<'a> {
    pub(super) partition: &'a TopicPartition,
    pub(super) record: Record<'a>,
    /// The broker that leads the partition.
    pub(super) broker: i32,
}

impl Format {
    pub(super) fn of(options: &Options) -> Result<Format, Stop> {
        let pieces = match (&options.format, options.json) {
            (Some(format), _) => parse(format)?,
            // Of JSON only what stands between the objects.
            (None, true) => vec![Piece::Text(options.between().to_vec())],
            (None, false) => {
                let mut pieces = Vec::new();
                if let Some(delimiter) = &options.key_delimiter {
                    pieces.extend([Piece::Key, Piece::Text(delimiter.clone())]);
                }
                pieces.extend([Piece::Payload, Piece::Text(options.between().to_vec())]);
                pieces
            }
        };
        Ok(Format {
            pieces,
            json: options.json,
            nulls: options.nulls,
            pack_key: options.pack_key.clone(),
            pack_value: options.pack_value.clone(),
        })
    }

    /// Writes a message; an error is said, and what was written before it stays.
    pub(super) fn write(&self, message: &Message<'_>, out: &mut Vec<u8>) -> Result<(), String> {
        if self.json {
            json(message, out);
            if let Some(Piece::Text(text)) = self.pieces.first() {
                out.extend_from_slice(text);
            }
            return Ok(());
        }
        for piece in &self.pieces {
            self.piece(piece, message, out)?;
        }
        Ok(())
    }

    fn piece(&self, piece: &Piece, message: &Message<'_>, out: &mut Vec<u8>) -> Result<(), String> {
        let record = &message.record;
        let length = |part: Option<&[u8]>| part.map_or(-1, |part| i64::try_from(part.len()).unwrap_or(-1));
        let _ = match piece {
            Piece::Text(text) => out.write_all(text),
            Piece::Payload => return self.part(record.value, self.pack_value.as_ref(), out),
            Piece::Key => return self.part(record.key, self.pack_key.as_ref(), out),
            Piece::PayloadLength => write!(out, "{}", length(record.value)),
            Piece::KeyLength => write!(out, "{}", length(record.key)),
            Piece::PayloadLengthBinary => {
                let length = i32::try_from(length(record.value)).unwrap_or(-1);
                out.write_all(&length.to_be_bytes())
            }
            Piece::Time => write!(out, "{}", record.timestamp),
            Piece::Topic => write!(out, "{}", message.partition.topic),
            Piece::Partition => write!(out, "{}", message.partition.partition),
            Piece::Offset => write!(out, "{}", record.offset.0),
            Piece::Headers => headers(record, out),
        };
        Ok(())
    }

    fn part(&self, part: Option<&[u8]>, pack: Option<&Pack>, out: &mut Vec<u8>) -> Result<(), String> {
        match (part.filter(|part| !part.is_empty()), pack) {
            (Some(part), Some(pack)) => return pack.write(part, out),
            (Some(part), None) => out.extend_from_slice(part),
            (None, _) if self.nulls => out.extend_from_slice(b"NULL"),
            (None, _) => {}
        }
        Ok(())
    }
}

fn parse(format: &str) -> Result<Vec<Piece>, Stop> {
    let mut pieces = Vec::new();
    let mut rest = format;
    while let Some((text, behind)) = rest.split_once('%') {
        if !text.is_empty() {
            pieces.push(Piece::Text(unescaped(text)));
        }
        let mut letters = behind.chars();
        let piece = match letters.next() {
            Some('s') => Piece::Payload,
            Some('S') => Piece::PayloadLength,
            Some('R') => Piece::PayloadLengthBinary,
            Some('k') => Piece::Key,
            Some('K') => Piece::KeyLength,
            Some('T') => Piece::Time,
            Some('h') => Piece::Headers,
            Some('t') => Piece::Topic,
            Some('p') => Piece::Partition,
            Some('o') => Piece::Offset,
            Some('%') => Piece::Text(b"%".to_vec()),
            Some(other) => return Err(Stop::fatal(format!("Unsupported formatter: %{other}"))),
            None => return Err(Stop::fatal("Empty formatter")),
        };
        pieces.push(piece);
        rest = letters.as_str();
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(unescaped(rest)));
    }
    Ok(pieces)
}

/// `name=value,name=value`; without a value `NULL`.
fn headers(record: &Record<'_>, out: &mut Vec<u8>) -> std::io::Result<()> {
    for (at, (name, value)) in record.headers.iter().enumerate() {
        if 0 < at {
            out.push(b',');
        }
        out.extend_from_slice(name);
        out.push(b'=');
        out.extend_from_slice(value.unwrap_or(b"NULL"));
    }
    Ok(())
}

/// The JSON envelope, on one line.
fn json(message: &Message<'_>, out: &mut Vec<u8>) {
    let record = &message.record;
    out.extend_from_slice(b"{\"topic\":");
    text(message.partition.topic.as_bytes(), out);
    let kind = match record.timestamp_type {
        TimestampType::CreateTime => "create",
        TimestampType::LogAppendTime => "logappend",
    };
    let _ = write!(
        out,
        ",\"partition\":{},\"offset\":{}",
        message.partition.partition, record.offset.0
    );
    if 0 <= record.timestamp {
        let _ = write!(out, ",\"tstype\":\"{kind}\",\"ts\":{}", record.timestamp);
    }
    let _ = write!(out, ",\"broker\":{}", message.broker);
    let mut opened = false;
    for (name, value) in record.headers.iter() {
        out.extend_from_slice(if opened { b"," } else { b",\"headers\":[" });
        opened = true;
        text(name, out);
        out.push(b',');
        text_or_null(value, out);
    }
    if opened {
        out.push(b']');
    }
    out.extend_from_slice(b",\"key\":");
    text_or_null(record.key, out);
    out.extend_from_slice(b",\"payload\":");
    text_or_null(record.value, out);
    out.push(b'}');
}

fn text_or_null(bytes: Option<&[u8]>, out: &mut Vec<u8>) {
    match bytes {
        Some(bytes) => text(bytes, out),
        None => out.extend_from_slice(b"null"),
    }
}

/// A JSON string. Bytes that are no UTF-8 stay as they are, as kcat leaves them.
pub(super) fn text(bytes: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    for byte in bytes {
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0x08 => out.extend_from_slice(b"\\b"),
            0x0c => out.extend_from_slice(b"\\f"),
            0..0x20 => {
                let _ = write!(out, "\\u{byte:04X}");
            }
            other => out.push(*other),
        }
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_is_text_and_letters_behind_percents() {
        let wanted = vec![
            Piece::Topic,
            Piece::Text(b"\t[".to_vec()),
            Piece::Partition,
            Piece::Text(b"]A".to_vec()),
            Piece::Text(b"%".to_vec()),
            Piece::Payload,
            Piece::Text(b"\n".to_vec()),
        ];
        assert_eq!(parse("%t\\t[%p]\\x41%%%s\\n"), Ok(wanted));
        assert_eq!(parse("%q"), Err(Stop::fatal("Unsupported formatter: %q")));
        assert_eq!(parse("a%"), Err(Stop::fatal("Empty formatter")));
    }

    #[test]
    fn json_strings_are_escaped_and_keep_other_bytes() {
        let mut out = Vec::new();
        text(b"x\t\"\\/\x01\x1f\xff", &mut out);
        assert_eq!(out, b"\"x\\t\\\"\\\\/\\u0001\\u001F\xff\"");
    }
}
