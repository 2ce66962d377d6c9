//! JSON values as YAML 1.2 block style; texts that could be read as something else are quoted as in JSON.

use std::io::{self, Write};

use serde_json::Value;

/// Writes a document.
pub(super) fn write(value: &Value, out: &mut impl Write) -> io::Result<()> {
    block(value, 0, out)
}

fn block(value: &Value, depth: usize, out: &mut impl Write) -> io::Result<()> {
    let indent = "  ".repeat(depth);
    match value {
        Value::Object(fields) if !fields.is_empty() => fields.iter().try_for_each(|(name, value)| {
            write!(out, "{indent}{}:", text(name))?;
            nested(value, depth + 1, out)
        }),
        Value::Array(items) if !items.is_empty() => items.iter().try_for_each(|item| {
            write!(out, "{indent}-")?;
            nested(item, depth + 1, out)
        }),
        simple => writeln!(out, "{indent}{}", scalar(simple)),
    }
}

fn nested(value: &Value, depth: usize, out: &mut impl Write) -> io::Result<()> {
    let is_block = match value {
        Value::Object(fields) => !fields.is_empty(),
        Value::Array(items) => !items.is_empty(),
        _ => false,
    };
    if is_block {
        writeln!(out)?;
        return block(value, depth, out);
    }
    writeln!(out, " {}", scalar(value))
}

fn scalar(value: &Value) -> String {
    match value {
        Value::String(plain) => text(plain),
        other => other.to_string(),
    }
}

/// Bare if it begins with a letter and has only harmless characters, and is no word of YAML.
fn text(plain: &str) -> String {
    let harmless = |c: char| c.is_ascii_alphanumeric() || "_-./".contains(c);
    let is_word = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"]
        .iter()
        .any(|word| plain.eq_ignore_ascii_case(word));
    let begins = plain.starts_with(|c: char| c.is_ascii_alphabetic());
    if begins && plain.chars().all(harmless) && !is_word {
        return plain.to_owned();
    }
    Value::String(plain.to_owned()).to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    #[test]
    fn objects_lists_and_texts_that_need_quotes() {
        let mut out = Vec::new();
        let value =
            json!({"a": [{"b": 1, "c": "x y"}, []], "no": null, "d": {}, "e": "plain.text-1", "f": "12"});
        super::write(&value, &mut out).expect("memory");
        let wanted =
            "a:\n  -\n    b: 1\n    c: \"x y\"\n  - []\nd: {}\ne: plain.text-1\nf: \"12\"\n\"no\": null\n";
        let mut sorted: Vec<&str> = wanted.lines().collect();
        let shown = String::from_utf8(out).expect("text");
        let mut lines: Vec<&str> = shown.lines().collect();
        sorted.sort_unstable();
        lines.sort_unstable();
        assert_eq!(lines, sorted);
    }
}
