//! Writing JSON: compact, or indented for people.

use std::fmt::{self, Write};

use super::Json;

/// Compact, as Jackson writes it: no spaces, only what must be escaped is.
impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Json::Null => f.write_str("null"),
            Json::Bool(value) => write!(f, "{value}"),
            Json::Number(digits) => f.write_str(digits),
            Json::String(text) => write_string(f, text),
            Json::Array(items) => {
                f.write_char('[')?;
                for (n, item) in items.iter().enumerate() {
                    if n > 0 {
                        f.write_char(',')?;
                    }
                    write!(f, "{item}")?;
                }
                f.write_char(']')
            }
            Json::Object(members) => {
                f.write_char('{')?;
                for (n, (name, value)) in members.iter().enumerate() {
                    if n > 0 {
                        f.write_char(',')?;
                    }
                    write_string(f, name)?;
                    write!(f, ":{value}")?;
                }
                f.write_char('}')
            }
        }
    }
}

impl Json {
    /// Indented by two spaces a level, one member a line.
    pub fn pretty(&self) -> String {
        let mut out = String::new();
        // Writing to a string does not fail.
        let _ = self.pretty_at(&mut out, 0);
        out
    }

    fn pretty_at(&self, out: &mut String, level: usize) -> fmt::Result {
        let indent = "  ".repeat(level + 1);
        match self {
            Json::Array(items) if !items.is_empty() => {
                out.push('[');
                for (n, item) in items.iter().enumerate() {
                    write!(out, "{}\n{indent}", if n > 0 { "," } else { "" })?;
                    item.pretty_at(out, level + 1)?;
                }
                write!(out, "\n{}]", "  ".repeat(level))
            }
            Json::Object(members) if !members.is_empty() => {
                out.push('{');
                for (n, (name, value)) in members.iter().enumerate() {
                    write!(out, "{}\n{indent}", if n > 0 { "," } else { "" })?;
                    write_string(out, name)?;
                    out.push_str(": ");
                    value.pretty_at(out, level + 1)?;
                }
                write!(out, "\n{}}}", "  ".repeat(level))
            }
            simple => write!(out, "{simple}"),
        }
    }
}

pub(crate) fn write_string(out: &mut impl Write, text: &str) -> fmt::Result {
    out.write_char('"')?;
    let mut plain_from = 0;
    for (at, byte) in text.bytes().enumerate() {
        let escaped = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            0x08 => "\\b",
            0x0c => "\\f",
            0..0x20 => "",
            _ => continue,
        };
        out.write_str(text.get(plain_from..at).unwrap_or_default())?;
        if escaped.is_empty() {
            write!(out, "\\u{byte:04X}")?;
        } else {
            out.write_str(escaped)?;
        }
        plain_from = at + 1;
    }
    out.write_str(text.get(plain_from..).unwrap_or_default())?;
    out.write_char('"')
}

#[cfg(test)]
mod tests {
    use crate::text::parse;

    #[test]
    fn compact_text_keeps_order_digits_and_escapes() {
        let text = "{\"b\":1.50,\"a\":[true,null,\"\\u0001\\n\\\"é\"],\"c\":{}}";
        assert_eq!(parse(text).unwrap().to_string(), text);
        assert_eq!(parse(&parse(text).unwrap().pretty()).unwrap().to_string(), text);
    }
}
