//! Records as text (`DefaultMessageFormatter` and its like of Kafka 4.3).

use std::io::Write;

use client::{Record, TimestampType};

use super::deserialize::Deserializer;
use crate::kafka::settings::Settings;

/// What is printed of a record.
#[derive(Debug)]
pub(super) enum Formatter {
    Default(Fields),
    /// The same, and a line in the log.
    Logging(Fields),
    /// Nothing.
    NoOp,
}

/// The settings of the default formatter.
#[derive(Debug)]
pub(super) struct Fields {
    timestamp: bool,
    partition: bool,
    offset: bool,
    delivery: bool,
    epoch: bool,
    headers: bool,
    key: bool,
    value: bool,
    key_separator: String,
    line_separator: String,
    headers_separator: String,
    null_literal: String,
    key_deserializer: Option<Deserializer>,
    value_deserializer: Option<Deserializer>,
    headers_deserializer: Option<Deserializer>,
}

const PACKAGE: &str = "org.apache.kafka.tools.consumer.";
/// Those that read Kafka's own topics.
const UNSERVED: &[&str] = &[
    "OffsetsMessageFormatter",
    "GroupMetadataMessageFormatter",
    "TransactionLogMessageFormatter",
    "ShareGroupMessageFormatter",
];

impl Formatter {
    /// The formatter of a class; an error is what Kafka's tool says.
    pub(super) fn new(class: Option<&str>, settings: &Settings) -> Result<Formatter, String> {
        let Some(class) = class else {
            return Ok(Formatter::Default(Fields::new(settings)));
        };
        match class.strip_prefix(PACKAGE).unwrap_or_default() {
            "DefaultMessageFormatter" => Ok(Formatter::Default(Fields::new(settings))),
            "LoggingMessageFormatter" => Ok(Formatter::Logging(Fields::new(settings))),
            "NoOpMessageFormatter" => Ok(Formatter::NoOp),
            name if UNSERVED.contains(&name) => Err(format!("{class} is not served yet")),
            _ => Err(class.to_owned()),
        }
    }

    /// Writes a record; an error is the sentence of the exception, and what was written before it stays.
    pub(super) fn write(&self, partition: i32, record: &Record<'_>, out: &mut Vec<u8>) -> Result<(), String> {
        match self {
            Formatter::Default(fields) => fields.write(partition, record, out),
            Formatter::NoOp => Ok(()),
            Formatter::Logging(fields) => {
                fields.write(partition, record, out)?;
                eprintln!("INFO {}", logged(record));
                Ok(())
            }
        }
    }
}

fn logged(record: &Record<'_>) -> String {
    let time = match record.timestamp_type {
        kind if 0 <= record.timestamp => format!("{}:{}, ", time_type(kind), record.timestamp),
        _ => String::new(),
    };
    let key = record.key.map_or_else(
        || "null ".to_owned(),
        |key| format!("{}, ", String::from_utf8_lossy(key)),
    );
    let value = record.value.map_or("null".into(), String::from_utf8_lossy);
    format!("{time}key:{key}value:{value}")
}

/// `TimestampType.toString`.
fn time_type(kind: TimestampType) -> &'static str {
    match kind {
        TimestampType::CreateTime => "CreateTime",
        TimestampType::LogAppendTime => "LogAppendTime",
    }
}

fn deserializer(settings: &Settings, name: &str) -> Option<Deserializer> {
    let class = settings.get(name)?;
    let found = Deserializer::named(class);
    if found.is_none() {
        // The bytes are printed as they are then, as Kafka's formatter does.
        eprintln!("ERROR Unable to instantiate a deserializer from {class}");
    }
    found
}

impl Fields {
    fn new(settings: &Settings) -> Fields {
        let is = |name| settings.is_true(name);
        let text = |name: &str, otherwise: &str| settings.get(name).unwrap_or(otherwise).to_owned();
        Fields {
            timestamp: is("print.timestamp"),
            partition: is("print.partition"),
            offset: is("print.offset"),
            delivery: is("print.delivery"),
            epoch: is("print.epoch"),
            headers: is("print.headers"),
            key: is("print.key"),
            value: settings.get("print.value").is_none() || is("print.value"),
            key_separator: text("key.separator", "\t"),
            line_separator: text("line.separator", "\n"),
            headers_separator: text("headers.separator", ","),
            null_literal: text("null.literal", "null"),
            key_deserializer: deserializer(settings, "key.deserializer"),
            value_deserializer: deserializer(settings, "value.deserializer"),
            headers_deserializer: deserializer(settings, "headers.deserializer"),
        }
    }

    fn write(&self, partition: i32, record: &Record<'_>, out: &mut Vec<u8>) -> Result<(), String> {
        let mut line = Line {
            fields: self,
            out,
            first: true,
        };
        if self.timestamp {
            line.text(&format!(
                "{}:{}",
                time_type(record.timestamp_type),
                record.timestamp
            ));
        }
        if self.partition {
            line.text(&format!("Partition:{partition}"));
        }
        if self.offset {
            line.text(&format!("Offset:{}", record.offset.0));
        }
        // The tool does not hand these two on to its formatter.
        if self.delivery {
            line.text("Delivery:NOT_PRESENT");
        }
        if self.epoch {
            line.text("Epoch:NOT_PRESENT");
        }
        if self.headers {
            line.headers(record)?;
        }
        if self.key {
            line.part(self.key_deserializer, record.key)?;
        }
        if self.value {
            line.part(self.value_deserializer, record.value)?;
        }
        if !line.first {
            line.out.extend_from_slice(self.line_separator.as_bytes());
        }
        Ok(())
    }

    fn shown(&self, deserializer: Option<Deserializer>, bytes: Option<&[u8]>) -> Result<Vec<u8>, String> {
        // The literal takes the place of the bytes before they are read.
        let bytes = bytes.unwrap_or(self.null_literal.as_bytes());
        match deserializer {
            Some(deserializer) => deserializer.shown(bytes),
            None => Ok(bytes.to_vec()),
        }
    }
}

/// A line that grows, field by field.
struct Line<'a> {
    fields: &'a Fields,
    out: &'a mut Vec<u8>,
    first: bool,
}

impl Line<'_> {
    fn separate(&mut self) {
        if !std::mem::take(&mut self.first) {
            self.out.extend_from_slice(self.fields.key_separator.as_bytes());
        }
    }

    fn text(&mut self, text: &str) {
        self.separate();
        self.out.extend_from_slice(text.as_bytes());
    }

    fn part(&mut self, deserializer: Option<Deserializer>, bytes: Option<&[u8]>) -> Result<(), String> {
        self.separate();
        let shown = self.fields.shown(deserializer, bytes)?;
        self.out.extend_from_slice(&shown);
        Ok(())
    }

    fn headers(&mut self, record: &Record<'_>) -> Result<(), String> {
        self.separate();
        let mut none = true;
        for (name, value) in record.headers.iter() {
            if !std::mem::take(&mut none) {
                self.out
                    .extend_from_slice(self.fields.headers_separator.as_bytes());
            }
            let _ = write!(self.out, "{}:", String::from_utf8_lossy(name));
            let shown = self.fields.shown(self.fields.headers_deserializer, value)?;
            self.out.extend_from_slice(&shown);
        }
        if none {
            self.out.extend_from_slice(b"NO_HEADERS");
        }
        Ok(())
    }
}
