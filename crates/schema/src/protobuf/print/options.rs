//! Options: of a file, in brackets, and the text of strings.

use prost_reflect::{DynamicMessage, Kind, Value};

use super::{Printer, Style};

impl Printer<'_> {
    /// The options that are set, as `name = value`, sorted in the normal form.
    pub(super) fn options(&self, options: &DynamicMessage) -> Vec<String> {
        let known = options
            .fields()
            .filter(|(field, _)| field.name() != "uninterpreted_option");
        let mut written: Vec<String> = known
            .flat_map(|(field, value)| {
                values(value).map(move |value| option(field.name(), &value, &field.kind()))
            })
            .collect();
        written.extend(options.extensions().flat_map(|(extension, value)| {
            let name = format!("({})", extension.full_name());
            let kind = extension.kind();
            values(value)
                .map(move |value| option(&name, &value, &kind))
                .collect::<Vec<_>>()
        }));
        if self.style == Style::Normal {
            written.sort();
        }
        written
    }

    /// Options of a declaration with a body, one a line.
    pub(super) fn option_lines(&mut self, options: &DynamicMessage) {
        for option in self.options(options) {
            self.line(&format!("option {option};"));
        }
    }
}

/// ` [a = 1, b = 2]`, or nothing.
pub(super) fn bracketed(options: Vec<String>) -> String {
    if options.is_empty() {
        String::new()
    } else {
        format!(" [{}]", options.join(", "))
    }
}

/// A repeated option is written once a value.
fn values(value: &Value) -> impl Iterator<Item = Value> {
    match value {
        Value::List(items) => items.clone().into_iter(),
        other => vec![other.clone()].into_iter(),
    }
}

fn option(name: &str, value: &Value, kind: &Kind) -> String {
    format!("{name} = {}", literal(value, kind))
}

fn literal(value: &Value, kind: &Kind) -> String {
    match (value, kind) {
        (Value::EnumNumber(number), Kind::Enum(of)) => of
            .get_value(*number)
            .map_or_else(|| number.to_string(), |value| value.name().to_owned()),
        (Value::Message(message), _) => format!("{{ {} }}", message.to_text_format()),
        (Value::String(text), _) => quoted(text.as_bytes()),
        (Value::Bytes(bytes), _) => quoted(bytes),
        (Value::F64(number), _) => float(*number),
        (Value::F32(number), _) => float(f64::from(*number)),
        (other, _) => other.to_string(),
    }
}

fn float(number: f64) -> String {
    if number.is_finite() {
        format!("{number:?}")
    } else {
        format!("{number}").to_lowercase()
    }
}

/// A string literal; bytes that are no plain ASCII are escaped in octal.
pub(super) fn quoted(bytes: &[u8]) -> String {
    let mut out = String::from("\"");
    for byte in bytes {
        match byte {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b' '..=b'~' => out.push(char::from(*byte)),
            other => out.push_str(&format!("\\{other:03o}")),
        }
    }
    out.push('"');
    out
}
