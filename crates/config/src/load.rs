//! Where settings come from, each layer over the one before: defaults, the file, the environment, the command line.
//!
//! The environment's `OTTLA_LOG_DIRS` is `log.dirs`: every `_` stands for a dot. Names of settings have no `_`, so this
//! is never ambiguous.

use std::collections::BTreeMap;

use crate::table::{self, Scope};
use crate::{Error, value};

const PREFIX: &str = "OTTLA_";
/// Variables of ours that are no settings.
const NOT_SETTINGS: &[&str] = &[
    "OTTLA_LOG",
    "OTTLA_LOG_FORMAT",
    "OTTLA_BOOTSTRAP",
    "OTTLA_PROFILE",
    "OTTLA_OUTPUT",
    "OTTLA_TIMEOUT",
    "OTTLA_CASES",
];

/// Settings as they were said, not yet checked.
#[derive(Debug, Clone, Default)]
pub struct Layers {
    values: BTreeMap<String, (String, &'static str)>,
}

/// Checked settings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Loaded {
    /// Only what was said, not the defaults.
    pub values: BTreeMap<String, String>,
    /// Names that were accepted and do nothing yet.
    pub without_effect: Vec<String>,
}

impl Layers {
    pub fn set(&mut self, name: &str, value: &str, source: &'static str) {
        self.values
            .insert(name.trim().to_owned(), (value.to_owned(), source));
    }

    /// A file: TOML if it is named so, else Kafka's `.properties`.
    pub fn file(&mut self, name: &str, text: &str) -> Result<(), Error> {
        if name.ends_with(".toml") {
            self.toml(text)
        } else {
            self.properties(text)
        }
    }

    pub fn environment(&mut self, variables: impl Iterator<Item = (String, String)>) {
        for (name, value) in variables {
            if let Some(rest) = name.strip_prefix(PREFIX)
                && !NOT_SETTINGS.contains(&name.as_str())
            {
                self.set(
                    &rest.to_ascii_lowercase().replace('_', "."),
                    &value,
                    "environment",
                );
            }
        }
    }

    fn toml(&mut self, text: &str) -> Result<(), Error> {
        let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
            let at = error.span().map_or(0, |span| span.start);
            let line = text.get(..at).unwrap_or_default().matches('\n').count() + 1;
            Error::Syntax {
                line,
                what: error.message().to_owned(),
            }
        })?;
        self.toml_table("", &table)
    }

    /// `log.dirs = "x"`, `"log.dirs" = "x"` and `[log] dirs = "x"` all say the same.
    fn toml_table(&mut self, prefix: &str, table: &toml::Table) -> Result<(), Error> {
        for (key, value) in table {
            let name = if prefix.is_empty() {
                key.clone()
            } else {
                format!("{prefix}.{key}")
            };
            match value {
                toml::Value::Table(inner) => self.toml_table(&name, inner)?,
                toml::Value::Array(items) => {
                    let words: Vec<String> = items.iter().map(plain).collect();
                    self.set(&name, &words.join(","), "file");
                }
                value => self.set(&name, &plain(value), "file"),
            }
        }
        Ok(())
    }

    /// `java.util.Properties`: `=`, `:` or blanks between key and value, `\` escapes and continues a line.
    fn properties(&mut self, text: &str) -> Result<(), Error> {
        let mut lines = text.lines().enumerate();
        while let Some((at, line)) = lines.next() {
            let mut logical = line.trim_start().to_owned();
            if logical.is_empty() || logical.starts_with(['#', '!']) {
                continue;
            }
            while continues(&logical) {
                logical.pop();
                let Some((_, more)) = lines.next() else { break };
                logical.push_str(more.trim_start());
            }
            let (key, value) = split(&logical);
            let unescape = |text: &str| {
                unescape(text).ok_or(Error::Syntax {
                    line: at + 1,
                    what: "a broken \\u escape".into(),
                })
            };
            self.set(&unescape(key)?, &unescape(value)?, "file");
        }
        Ok(())
    }

    /// Checks everything that was said.
    pub fn check(self) -> Result<Loaded, Error> {
        let mut loaded = Loaded::default();
        for (name, (said, _)) in self.values {
            // Settings of a listener are said with its name in front.
            let plain = name
                .strip_prefix("listener.name.")
                .and_then(|rest| rest.split_once('.'));
            let known = plain.map_or(name.as_str(), |(_, setting)| setting);
            let Some(setting) = table::find(Scope::Broker, known) else {
                let nearest = table::nearest(Scope::Broker, known);
                return Err(Error::Unknown { name, nearest });
            };
            let said = value::check(setting, &said)?.to_owned();
            if !setting.has_effect() || plain.is_some() {
                loaded.without_effect.push(name.clone());
            }
            loaded.values.insert(name, said);
        }
        Ok(loaded)
    }
}

fn plain(value: &toml::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// An odd number of backslashes at the end.
fn continues(line: &str) -> bool {
    line.chars().rev().take_while(|letter| *letter == '\\').count() % 2 == 1
}

fn split(line: &str) -> (&str, &str) {
    let mut escaped = false;
    for (at, letter) in line.char_indices() {
        if escaped {
            escaped = false;
            continue;
        }
        match letter {
            '\\' => escaped = true,
            '=' | ':' | ' ' | '\t' => {
                let (key, rest) = line.split_at(at);
                let rest = rest.trim_start_matches([' ', '\t']);
                let rest = rest.strip_prefix(['=', ':']).unwrap_or(rest);
                return (key, rest.trim_start_matches([' ', '\t']));
            }
            _ => {}
        }
    }
    (line, "")
}

fn unescape(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        if letter != '\\' {
            out.push(letter);
            continue;
        }
        match letters.next() {
            Some('n') => out.push('\n'),
            Some('t') => out.push('\t'),
            Some('r') => out.push('\r'),
            Some('f') => out.push('\u{c}'),
            Some('u') => {
                let digits: String = letters.by_ref().take(4).collect();
                let code = (digits.len() == 4)
                    .then(|| u32::from_str_radix(&digits, 16).ok())
                    .flatten()?;
                out.push(char::from_u32(code).unwrap_or('\u{fffd}'));
            }
            Some(other) => out.push(other),
            None => {}
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loaded(name: &str, text: &str) -> Result<Loaded, Error> {
        let mut layers = Layers::default();
        layers.file(name, text)?;
        layers.check()
    }

    fn get(loaded: &Loaded, name: &str) -> String {
        loaded.values.get(name).cloned().unwrap_or_default()
    }

    #[test]
    fn properties_are_javas() {
        let text =
            "# a comment\n! another\nnum.partitions = 7\nlog.dirs:/a\\\n   ,/b\nbroker.rack r\\u00e4ck\n";
        let loaded = loaded("server.properties", text).expect("legal");
        assert_eq!(get(&loaded, "num.partitions"), "7");
        assert_eq!(get(&loaded, "log.dirs"), "/a,/b");
        assert_eq!(get(&loaded, "broker.rack"), "räck");
    }

    #[test]
    fn toml_is_read_flat_and_nested() {
        let text =
            "\"num.partitions\" = 7\nlog.dirs = [\"/a\", \"/b\"]\n[auto.create.topics]\nenable = false\n";
        let loaded = loaded("ottla.toml", text).expect("legal");
        assert_eq!(get(&loaded, "num.partitions"), "7");
        assert_eq!(get(&loaded, "log.dirs"), "/a,/b");
        assert_eq!(get(&loaded, "auto.create.topics.enable"), "false");
    }

    #[test]
    fn later_layers_win() {
        let mut layers = Layers::default();
        layers
            .file("x.properties", "num.partitions=1\nnode.id=4")
            .expect("legal");
        let variables = [
            ("OTTLA_NUM_PARTITIONS", "2"),
            ("OTTLA_LOG", "debug"),
            ("OTTLA_LOG_FORMAT", "json"),
            ("OTTLA_BOOTSTRAP", "localhost:9092"),
            ("OTTLA_PROFILE", "home"),
            ("HOME", "/"),
        ];
        layers.environment(
            variables
                .iter()
                .map(|(name, value)| (name.to_string(), value.to_string())),
        );
        layers.set("node.id", "5", "--set");
        let loaded = layers.check().expect("legal");
        assert_eq!(
            (get(&loaded, "num.partitions"), get(&loaded, "node.id")),
            ("2".into(), "5".into())
        );
    }

    #[test]
    fn mistakes_are_named() {
        let message = |name, text| loaded(name, text).expect_err("a mistake").to_string();
        assert_eq!(
            message("x.properties", "num.partition=1"),
            "the setting \"num.partition\" is not known; did you mean \"num.partitions\"?"
        );
        assert!(message("x.properties", "num.partitions=many").contains("a whole number from 1"));
        assert!(message("x.toml", "a = 1\nb = = 2").starts_with("line 2:"));
    }

    #[test]
    fn settings_without_effect_are_told() {
        let loaded = loaded("x.properties", "num.network.threads=3\nnum.partitions=2").expect("legal");
        assert_eq!(loaded.without_effect, ["num.network.threads"]);
    }
}
