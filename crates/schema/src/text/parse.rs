//! Reading JSON (RFC 8259), strictly: one value, distinct names, bounded nesting, whole surrogate pairs.

use std::{collections::HashSet, str};

use super::Json;

/// Values inside values, at most. Types nested to the deepest legal level stay well below.
const DEPTH_MAX: usize = 512;
/// Objects larger than this look for repeated names in a set.
const SMALL_OBJECT: usize = 16;

/// What beside RFC 8259 is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    Strict,
    /// `/* */` and `//` comments count as white space: Java Avro reads them in schemas.
    WithComments,
}

/// Where and why a text is no JSON.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line} column {column}: {what}")]
pub struct TextError {
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
    pub what: String,
}

/// Reads one JSON value.
pub fn parse(text: &str) -> Result<Json, TextError> {
    parse_as(Dialect::Strict, text)
}

/// Reads one JSON value in the given dialect.
pub fn parse_as(dialect: Dialect, text: &str) -> Result<Json, TextError> {
    let mut reader = Reader {
        text,
        at: 0,
        comments: dialect == Dialect::WithComments,
    };
    let json = reader.document();
    json.map_err(|what| locate(text, reader.at, what))
}

fn locate(text: &str, at: usize, what: String) -> TextError {
    let before = text.as_bytes().get(..at).unwrap_or_default();
    let line_start = before
        .iter()
        .rposition(|b| *b == b'\n')
        .map_or(0, |newline| newline + 1);
    let line = before.iter().filter(|b| **b == b'\n').count() + 1;
    // Bytes that continue a character do not count as columns.
    let in_line = before.get(line_start..).unwrap_or_default();
    let column = in_line.iter().filter(|b| **b & 0xc0 != 0x80).count() + 1;
    TextError { line, column, what }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    comments: bool,
}

impl<'a> Reader<'a> {
    fn document(&mut self) -> Result<Json, String> {
        let json = self.value(1)?;
        self.space()?;
        match self.peek() {
            None => Ok(json),
            Some(_) => Err("text after the value".into()),
        }
    }

    fn value(&mut self, depth: usize) -> Result<Json, String> {
        if depth > DEPTH_MAX {
            return Err(format!("nested more than {DEPTH_MAX} deep"));
        }
        self.space()?;
        match self.peek() {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'"') => self.string().map(Json::String),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b'a'..=b'z') => self.word(),
            Some(_) => Err("a value was expected".into()),
            None => Err("the text ends where a value was expected".into()),
        }
    }

    fn object(&mut self, depth: usize) -> Result<Json, String> {
        self.at += 1;
        let mut members: Vec<(String, Json)> = Vec::new();
        let mut names = HashSet::new();
        self.space()?;
        if self.take(b'}') {
            return Ok(Json::Object(members));
        }
        loop {
            self.space()?;
            if self.peek() != Some(b'"') {
                return Err("a name in quotes was expected".into());
            }
            let name_at = self.at;
            let name = self.string()?;
            if is_repeated(&members, &mut names, &name) {
                self.at = name_at;
                return Err(format!("{name:?} is given twice"));
            }
            self.space()?;
            if !self.take(b':') {
                return Err("':' was expected".into());
            }
            let value = self.value(depth + 1)?;
            members.push((name, value));
            self.space()?;
            if self.take(b'}') {
                return Ok(Json::Object(members));
            }
            if !self.take(b',') {
                return Err("',' or '}' was expected".into());
            }
        }
    }

    fn array(&mut self, depth: usize) -> Result<Json, String> {
        self.at += 1;
        let mut items = Vec::new();
        self.space()?;
        if self.take(b']') {
            return Ok(Json::Array(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            self.space()?;
            if self.take(b']') {
                return Ok(Json::Array(items));
            }
            if !self.take(b',') {
                return Err("',' or ']' was expected".into());
            }
        }
    }

    fn word(&mut self) -> Result<Json, String> {
        let rest = self.rest();
        let end = rest
            .find(|c: char| !c.is_ascii_alphanumeric())
            .unwrap_or(rest.len());
        let word = rest.get(..end).unwrap_or_default();
        let json = match word {
            "true" => Json::Bool(true),
            "false" => Json::Bool(false),
            "null" => Json::Null,
            _ => return Err(format!("{word} is no value; strings stand in quotes")),
        };
        self.at += end;
        Ok(json)
    }

    fn number(&mut self) -> Result<Json, String> {
        let start = self.at;
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        }
        if self.take(b'.') {
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            let _sign = self.take(b'+') || self.take(b'-');
            self.digits()?;
        }
        Ok(Json::Number(
            self.text.get(start..self.at).unwrap_or_default().into(),
        ))
    }

    fn digits(&mut self) -> Result<(), String> {
        let start = self.at;
        while self.peek().is_some_and(|b| b.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at == start {
            Err("a digit was expected".into())
        } else {
            Ok(())
        }
    }

    fn string(&mut self) -> Result<String, String> {
        self.at += 1;
        let mut out = String::new();
        loop {
            let rest = self.rest();
            let stop = |b: &u8| matches!(b, b'"' | b'\\' | 0..0x20);
            let Some(plain) = rest.as_bytes().iter().position(stop) else {
                self.at = self.text.len();
                return Err("the text ends inside a string".into());
            };
            out.push_str(rest.get(..plain).unwrap_or_default());
            self.at += plain;
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(out);
                }
                Some(b'\\') => out.push(self.escape()?),
                _ => return Err("a control character inside a string must be escaped".into()),
            }
        }
    }

    fn escape(&mut self) -> Result<char, String> {
        self.at += 1;
        let kind = self.peek().ok_or("the text ends inside a string")?;
        self.at += 1;
        Ok(match kind {
            b'"' | b'\\' | b'/' => char::from(kind),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.unicode(),
            _ => return Err("an unknown escape".into()),
        })
    }

    fn unicode(&mut self) -> Result<char, String> {
        let first = self.hex()?;
        let code = if (0xd800..0xdc00).contains(&first) {
            if !(self.take(b'\\') && self.take(b'u')) {
                return Err("half of a surrogate pair".into());
            }
            let second = self.hex()?;
            if !(0xdc00..0xe000).contains(&second) {
                return Err("half of a surrogate pair".into());
            }
            0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00)
        } else {
            first
        };
        char::from_u32(code).ok_or_else(|| "half of a surrogate pair".into())
    }

    fn hex(&mut self) -> Result<u32, String> {
        let digits = self
            .text
            .get(self.at..self.at + 4)
            .filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()));
        let code = digits.and_then(|d| u32::from_str_radix(d, 16).ok());
        self.at += 4;
        code.ok_or_else(|| "four hexadecimal digits were expected".into())
    }

    fn space(&mut self) -> Result<(), String> {
        loop {
            match self.peek() {
                Some(b' ' | b'\t' | b'\n' | b'\r') => self.at += 1,
                Some(b'/') if self.comments => self.comment()?,
                _ => return Ok(()),
            }
        }
    }

    fn comment(&mut self) -> Result<(), String> {
        let rest = self.rest();
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if let Some(inner) = rest.strip_prefix("/*") {
            inner.find("*/").ok_or("a comment does not end")? + 4
        } else {
            return Err("a comment was expected".into());
        };
        self.at += length;
        Ok(())
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let there = self.peek() == Some(byte);
        self.at += usize::from(there);
        there
    }
}

fn is_repeated(members: &[(String, Json)], names: &mut HashSet<String>, name: &str) -> bool {
    if members.len() < SMALL_OBJECT {
        return members.iter().any(|(known, _)| known == name);
    }
    if names.is_empty() {
        names.extend(members.iter().map(|(known, _)| known.clone()));
    }
    !names.insert(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        parse(text).unwrap_err().to_string()
    }

    #[test]
    fn values_of_every_kind_are_read() {
        let json =
            parse(" {\"a\" : [1, -2.5e3, \"\\ud83d\\ude00\\u00e9\"], \"b\": {\"c\": false}} ").unwrap();
        let items = json.get("a").unwrap().as_array().unwrap();
        assert_eq!(items[0].as_i64(), Some(1));
        assert_eq!(items[1].as_f64(), Some(-2500.0));
        assert_eq!(items[2].as_str(), Some("😀é"));
        assert_eq!(json.get("b").unwrap().get("c").unwrap().as_bool(), Some(false));
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place() {
        assert_eq!(
            refused("{\n \"é\": 01}"),
            "line 2 column 8: ',' or '}' was expected"
        );
        assert_eq!(
            refused("[1,"),
            "line 1 column 4: the text ends where a value was expected"
        );
        assert_eq!(
            refused("{\"a\":1,\"a\":2}"),
            "line 1 column 8: \"a\" is given twice"
        );
        assert!(refused("\"\\ud800\"").contains("surrogate"));
        assert!(refused("\"\\udc00\"").contains("surrogate"));
        assert!(refused("\"a\nb\"").contains("control character"));
        assert!(refused("nul").contains("nul"));
        assert!(refused("1 2").contains("after"));
        assert!(refused("// x\n1").contains("a value"));
    }

    #[test]
    fn repeated_names_are_found_in_large_objects() {
        let members: Vec<_> = (0..100).map(|n| format!("\"m{n}\":0")).collect();
        assert!(parse(&format!("{{{}}}", members.join(","))).is_ok());
        assert!(refused(&format!("{{{},\"m3\":1}}", members.join(","))).contains("m3"));
    }

    #[test]
    fn comments_are_space_when_asked_for() {
        let text = "/* a */ [1, // b\n 2]";
        assert_eq!(
            parse_as(Dialect::WithComments, text).unwrap().to_string(),
            "[1,2]"
        );
        assert!(parse_as(Dialect::WithComments, "/* a").is_err());
    }

    #[test]
    fn nesting_ends_at_its_bound() {
        let nested = |depth: usize| parse(&("[".repeat(depth) + &"]".repeat(depth)));
        assert!(nested(DEPTH_MAX).is_ok());
        assert!(nested(DEPTH_MAX + 1).unwrap_err().what.contains("512"));
    }
}
