//! A line of a dump, in words or as JSON.

use std::fmt::{self, Write};

/// What a field holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    Number(i128),
    /// 16 digits, as chunks are named.
    Hex(u64),
    Text(String),
    Bool(bool),
}

/// One thing that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Where it begins.
    pub position: usize,
    /// How deep it lies in what it is part of.
    pub depth: usize,
    pub what: &'static str,
    pub fields: Vec<(&'static str, Value)>,
}

impl Line {
    pub(super) fn new(position: usize, depth: usize, what: &'static str) -> Line {
        Line {
            position,
            depth,
            what,
            fields: Vec::new(),
        }
    }

    pub(super) fn number(mut self, name: &'static str, value: impl Into<i128>) -> Line {
        self.fields.push((name, Value::Number(value.into())));
        self
    }

    pub(super) fn hex(mut self, name: &'static str, value: u64) -> Line {
        self.fields.push((name, Value::Hex(value)));
        self
    }

    pub(super) fn text(mut self, name: &'static str, value: impl fmt::Display) -> Line {
        self.fields.push((name, Value::Text(value.to_string())));
        self
    }

    pub(super) fn flag(mut self, name: &'static str, value: bool) -> Line {
        self.fields.push((name, Value::Bool(value)));
        self
    }

    /// One JSON object, without a line's end.
    pub fn json(&self) -> String {
        let mut out = format!("{{\"position\":{},\"what\":\"{}\"", self.position, self.what);
        for (name, value) in &self.fields {
            let _ = write!(out, ",\"{name}\":");
            match value {
                Value::Number(number) => drop(write!(out, "{number}")),
                Value::Bool(flag) => drop(write!(out, "{flag}")),
                Value::Hex(number) => drop(write!(out, "\"{number:016x}\"")),
                Value::Text(text) => quote(&mut out, text),
            }
        }
        out.push('}');
        out
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:>10} {:indent$}{}",
            self.position,
            "",
            self.what,
            indent = self.depth * 4
        )?;
        for (name, value) in &self.fields {
            match value {
                Value::Number(number) => write!(f, " {name} {number}")?,
                Value::Bool(true) => write!(f, " {name}")?,
                Value::Bool(false) => write!(f, " not_{name}")?,
                Value::Hex(number) => write!(f, " {name} {number:016x}")?,
                // A name out of the log moves no cursor and ends no line.
                Value::Text(text) => write!(f, " {name} {}", text.escape_debug())?,
            }
        }
        Ok(())
    }
}

fn quote(out: &mut String, text: &str) {
    out.push('"');
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            letter if letter.is_control() => drop(write!(out, "\\u{:04x}", letter as u32)),
            letter => out.push(letter),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_a_log_ends_neither_a_line_nor_a_string() {
        let line = Line::new(7, 1, "entry")
            .text("name", "a\"b\\c\n\u{1b}[2J")
            .flag("holds", false);
        assert_eq!(
            line.json(),
            r#"{"position":7,"what":"entry","name":"a\"b\\c\u000a\u001b[2J","holds":false}"#
        );
        assert_eq!(
            line.to_string(),
            r#"         7     entry name a\"b\\c\n\u{1b}[2J not_holds"#
        );
    }
}
