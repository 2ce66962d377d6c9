//! Lines into records (`LineMessageReader` of Kafka 4.3): headers, key and value, by separators.

use regex::Regex;

use crate::kafka::settings::Settings;

/// A record as a line gave it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) key: Option<String>,
    pub(super) value: Option<String>,
    pub(super) headers: Vec<(String, Option<String>)>,
}

/// How lines are cut up.
#[derive(Debug)]
pub(super) struct Reader {
    parse_key: bool,
    key_separator: String,
    parse_headers: bool,
    headers_delimiter: String,
    headers_separator: Regex,
    headers_key_separator: String,
    ignore_error: bool,
    null_marker: Option<String>,
}

impl Reader {
    /// From the properties of `--reader-property`; an error is the exception's sentence.
    pub(super) fn new(settings: &Settings) -> Result<Reader, String> {
        let text = |name: &str, otherwise: &str| settings.get(name).unwrap_or(otherwise).to_owned();
        let key_separator = text("key.separator", "\t");
        let headers_delimiter = text("headers.delimiter", "\t");
        let headers_separator = text("headers.separator", ",");
        let headers_key_separator = text("headers.key.separator", ":");
        let null_marker = settings.get("null.marker").map(str::to_owned);
        let named = [
            ("headers.delimiter", &headers_delimiter),
            ("headers.separator", &headers_separator),
            ("headers.key.separator", &headers_key_separator),
        ];
        for (first, second) in [(0, 1), (0, 2), (1, 2)] {
            if let (Some((a, one)), Some((b, other))) = (named.get(first), named.get(second))
                && one == other
            {
                return Err(format!("{a} and {b} may not be equal"));
            }
        }
        let marks = [
            ("key.separator", &key_separator),
            ("headers.separator", &headers_separator),
            ("headers.delimiter", &headers_delimiter),
            ("headers.key.separator", &headers_key_separator),
        ];
        if let Some((name, _)) = marks.iter().find(|(_, text)| Some(*text) == null_marker.as_ref()) {
            return Err(format!("null.marker and {name} may not be equal"));
        }
        Ok(Reader {
            parse_key: settings.is_true("parse.key"),
            key_separator,
            parse_headers: settings.is_true("parse.headers"),
            headers_delimiter,
            headers_separator: Regex::new(&headers_separator).map_err(|error| error.to_string())?,
            headers_key_separator,
            ignore_error: settings.is_true("ignore.error"),
            null_marker,
        })
    }

    /// The record of a line; `number` counts from 1.
    pub(super) fn record(&self, line: &str, number: u64) -> Result<Line, String> {
        let mut rest = line;
        let mut headers = None;
        if self.parse_headers {
            let found = self.cut(line, rest, &self.headers_delimiter, "headers delimiter", number)?;
            if let Some((before, after)) = found {
                headers = Some(before);
                rest = after;
            }
        }
        let mut key = None;
        if self.parse_key {
            let found = self.cut(line, rest, &self.key_separator, "key separator", number)?;
            if let Some((before, after)) = found {
                key = Some(before);
                rest = after;
            }
        }
        let headers = match headers.filter(|text| !self.is_null(text)) {
            Some(text) => self.headers(text, number)?,
            None => Vec::new(),
        };
        Ok(Line {
            key: key.filter(|text| !self.is_null(text)).map(str::to_owned),
            value: Some(rest).filter(|text| !self.is_null(text)).map(str::to_owned),
            headers,
        })
    }

    fn is_null(&self, text: &str) -> bool {
        self.null_marker.as_deref() == Some(text)
    }

    fn cut<'a>(
        &self,
        line: &str,
        rest: &'a str,
        separator: &str,
        name: &str,
        number: u64,
    ) -> Result<Option<(&'a str, &'a str)>, String> {
        match rest.split_once(separator) {
            None if !self.ignore_error => Err(format!("No {name} found on line number {number}: '{line}'")),
            found => Ok(found),
        }
    }

    fn headers(&self, text: &str, number: u64) -> Result<Vec<(String, Option<String>)>, String> {
        let mut pairs: Vec<&str> = self.headers_separator.split(text).collect();
        // As Java's `split`: what is empty at the end is left off, unless that is all there is.
        while 1 < pairs.len() && pairs.last().is_some_and(|pair| pair.is_empty()) {
            pairs.pop();
        }
        pairs.into_iter().map(|pair| self.header(pair, number)).collect()
    }

    fn header(&self, pair: &str, number: u64) -> Result<(String, Option<String>), String> {
        let Some((name, value)) = pair.split_once(&self.headers_key_separator) else {
            if self.ignore_error {
                return Ok((pair.to_owned(), None));
            }
            return Err(format!(
                "No header key separator found in pair '{pair}' on line number {number}"
            ));
        };
        if self.is_null(name) {
            return Err(format!(
                "Header keys should not be equal to the null marker '{name}' as they can't be null"
            ));
        }
        let value = Some(value).filter(|text| !self.is_null(text)).map(str::to_owned);
        Ok((name.to_owned(), value))
    }
}

/// The lines of a piece of input that ended with `\n`, as `BufferedReader.readLine` has them: `\r\n` is one end of a
/// line and `\r` alone is one, too.
pub(super) fn lines(piece: &[u8]) -> Vec<String> {
    let piece = piece.strip_suffix(b"\r").unwrap_or(piece);
    let each = piece.split(|byte| *byte == b'\r');
    each.map(|line| String::from_utf8_lossy(line).into_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reader(pairs: &[(&str, &str)]) -> Reader {
        let mut settings = Settings::default();
        for (name, value) in pairs {
            settings.set(name, value);
        }
        Reader::new(&settings).expect("good")
    }

    fn line(key: Option<&str>, value: Option<&str>, headers: &[(&str, Option<&str>)]) -> Line {
        let owned = |text: &str| text.to_owned();
        Line {
            key: key.map(owned),
            value: value.map(owned),
            headers: headers
                .iter()
                .map(|(name, value)| (owned(name), value.map(owned)))
                .collect(),
        }
    }

    const ALL: &[(&str, &str)] = &[
        ("parse.key", "true"),
        ("parse.headers", "True "),
        ("null.marker", "NULL"),
    ];

    #[test]
    fn a_line_is_headers_key_and_value() {
        let plain = reader(&[]);
        assert_eq!(plain.record("a\tb", 1), Ok(line(None, Some("a\tb"), &[])));
        let all = reader(ALL);
        assert_eq!(
            all.record("a:1,b:2:3\tk\tv\tw", 1),
            Ok(line(
                Some("k"),
                Some("v\tw"),
                &[("a", Some("1")), ("b", Some("2:3"))]
            ))
        );
    }

    #[test]
    fn the_null_marker_stands_for_nothing_but_in_a_headers_name() {
        let all = reader(ALL);
        assert_eq!(all.record("NULL\tNULL\tNULL", 1), Ok(line(None, None, &[])));
        assert_eq!(
            all.record("a:NULL\tk\t", 1),
            Ok(line(Some("k"), Some(""), &[("a", None)]))
        );
        let wrong = all.record("NULL:1\tk\tv", 1).expect_err("null name");
        assert!(wrong.starts_with("Header keys should not be equal"), "{wrong}");
    }

    #[test]
    fn what_has_no_separator_is_an_error_that_can_be_ignored() {
        let all = reader(ALL);
        assert_eq!(
            all.record("plain", 7),
            Err("No headers delimiter found on line number 7: 'plain'".to_owned())
        );
        assert_eq!(
            all.record("a:1\tplain", 7),
            Err("No key separator found on line number 7: 'a:1\tplain'".to_owned())
        );
        assert_eq!(
            all.record("a\tk\tv", 7),
            Err("No header key separator found in pair 'a' on line number 7".to_owned())
        );
        let mut lenient = ALL.to_vec();
        lenient.push(("ignore.error", "true"));
        let lenient = reader(&lenient);
        assert_eq!(lenient.record("plain", 1), Ok(line(None, Some("plain"), &[])));
        assert_eq!(
            lenient.record("a\tplain", 1),
            Ok(line(None, Some("plain"), &[("a", None)]))
        );
    }

    #[test]
    fn separators_may_not_be_the_same() {
        let wrong = |name, value| {
            let mut settings = Settings::default();
            settings.set(name, value);
            Reader::new(&settings).expect_err("equal")
        };
        assert_eq!(
            wrong("headers.separator", ":"),
            "headers.separator and headers.key.separator may not be equal"
        );
        assert_eq!(
            wrong("headers.delimiter", ","),
            "headers.delimiter and headers.separator may not be equal"
        );
        assert_eq!(
            wrong("null.marker", "\t"),
            "null.marker and key.separator may not be equal"
        );
    }

    #[test]
    fn carriage_returns_end_lines() {
        assert_eq!(lines(b"a\r"), ["a"]);
        assert_eq!(lines(b"a\rb"), ["a", "b"]);
        assert_eq!(lines(b""), [""]);
        assert_eq!(lines(b"a\xff"), ["a\u{fffd}"]);
    }
}
