//! Java's properties files (`java.util.Properties.load`): names and values, escapes, lines that go on.

/// The properties of a text, in order; a name may repeat, the last one counts.
pub(crate) fn parse(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut lines = text.lines().map(str::trim_start);
    while let Some(first) = lines.next() {
        if first.is_empty() || first.starts_with(['#', '!']) {
            continue;
        }
        let mut line = first.to_owned();
        while goes_on(&line) {
            line.pop();
            line.push_str(lines.next().unwrap_or_default());
        }
        found.push(pair(&line));
    }
    found
}

/// Whether a line ends with a backslash that is not itself escaped.
fn goes_on(line: &str) -> bool {
    line.chars().rev().take_while(|c| *c == '\\').count() % 2 == 1
}

/// The name ends at the first `=`, `:` or blank that is not escaped; blanks around the separator count for nothing.
fn pair(line: &str) -> (String, String) {
    let mut escaped = false;
    let end = line.char_indices().find(|(_, c)| {
        let ends = !escaped && (matches!(c, '=' | ':') || c.is_whitespace());
        escaped = *c == '\\' && !escaped;
        ends
    });
    let Some((at, _)) = end else {
        return (unescaped(line), String::new());
    };
    let (name, rest) = line.split_at(at);
    let rest = rest.trim_start();
    let value = rest.strip_prefix(['=', ':']).unwrap_or(rest);
    (unescaped(name), unescaped(value.trim_start()))
}

fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        if c != '\\' {
            plain.push(c);
            continue;
        }
        match rest.next() {
            Some('t') => plain.push('\t'),
            Some('n') => plain.push('\n'),
            Some('r') => plain.push('\r'),
            Some('f') => plain.push('\u{c}'),
            Some('u') => {
                let digits: String = rest.by_ref().take(4).collect();
                let code = u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32);
                plain.push(code.unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            Some(other) => plain.push(other),
            None => {}
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Vec<(String, String)> {
        parse(text)
    }

    fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        expected.iter().map(owned).collect()
    }

    #[test]
    fn names_end_at_a_separator_and_values_at_the_line() {
        let text = "# no\n! neither\n\na=1\n b : 2=3 \nc 4\nd\n";
        let wanted = [("a", "1"), ("b", "2=3 "), ("c", "4"), ("d", "")];
        assert_eq!(parsed(text), pairs(&wanted));
    }

    #[test]
    fn escapes_and_lines_that_go_on_are_put_together() {
        let text = "key.separator=\\t\nlist=a,\\\n   b\nx\\=y=\\u0041\\\\\n";
        let wanted = [("key.separator", "\t"), ("list", "a,b"), ("x=y", "A\\")];
        assert_eq!(parsed(text), pairs(&wanted));
    }
}
