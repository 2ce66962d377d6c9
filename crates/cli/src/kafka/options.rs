//! Flags as Kafka's tools parse them: `--flag value`, `--flag=value`, repeated values; no beginnings of names.

use super::{Stop, Tool};

/// What follows a flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Takes {
    Nothing,
    Value,
    /// A value if the next word is none of the flags.
    Perhaps,
}

/// A flag, without its dashes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Flag {
    pub(crate) name: &'static str,
    pub(crate) takes: Takes,
    pub(crate) help: &'static str,
}

pub(crate) const fn flag(name: &'static str, help: &'static str) -> Flag {
    Flag {
        name,
        takes: Takes::Nothing,
        help,
    }
}

pub(crate) const fn valued(name: &'static str, help: &'static str) -> Flag {
    Flag {
        name,
        takes: Takes::Value,
        help,
    }
}

pub(crate) const fn perhaps(name: &'static str, help: &'static str) -> Flag {
    Flag {
        name,
        takes: Takes::Perhaps,
        help,
    }
}

/// The flags that were given, in order.
#[derive(Debug, Default)]
pub(crate) struct Options {
    given: Vec<(&'static str, Option<String>)>,
    /// The words as they came.
    pub(crate) words: Vec<String>,
}

impl Options {
    pub(crate) fn has(&self, name: &str) -> bool {
        self.given.iter().any(|(given, _)| *given == name)
    }

    /// The last value of a flag.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.values(name).last().copied()
    }

    /// Every value of a flag.
    pub(crate) fn values(&self, name: &str) -> Vec<&str> {
        let of = self.given.iter().filter(|(given, _)| *given == name);
        of.filter_map(|(_, value)| value.as_deref()).collect()
    }

    /// Refuses a tool's actions but exactly one.
    pub(crate) fn action(&self, actions: &[&'static str], message: &str) -> Result<&'static str, Stop> {
        let mut given = actions.iter().filter(|action| self.has(action));
        match (given.next(), given.next()) {
            (Some(action), None) => Ok(action),
            _ => Err(Stop::Usage(message.to_owned())),
        }
    }

    /// Refuses flags beside another one.
    pub(crate) fn refuse(&self, with: &str, others: &[&str]) -> Result<(), Stop> {
        match others.iter().find(|other| self.has(other)) {
            Some(other) => Err(Stop::Usage(format!(
                "Option \"[{other}]\" can't be used with option \"[{with}]\""
            ))),
            None => Ok(()),
        }
    }

    /// The value of a flag that must be there.
    pub(crate) fn required(&self, name: &str) -> Result<&str, Stop> {
        let missing = || Stop::Usage(format!("Missing required argument \"[{name}]\""));
        self.value(name).ok_or_else(missing)
    }
}

/// Parses the words of a tool; an error is what the tool says on stderr.
pub(crate) fn parse(flags: &[Flag], words: &[String]) -> Result<Options, String> {
    let mut options = Options {
        given: Vec::new(),
        words: words.to_vec(),
    };
    let mut rest = words.iter().peekable();
    while let Some(word) = rest.next() {
        let Some(name) = word.strip_prefix("--").or_else(|| word.strip_prefix('-')) else {
            // Kafka's tools take no arguments without a flag, and pass over them.
            continue;
        };
        let (name, inline) = match name.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (name, None),
        };
        let flag = find(flags, name)?;
        let value = match flag.takes {
            Takes::Nothing => None,
            Takes::Value => {
                let next = inline.or_else(|| rest.next().cloned());
                Some(next.ok_or_else(|| format!("Option {name} requires an argument"))?)
            }
            Takes::Perhaps => inline.or_else(|| rest.next_if(|next| !next.starts_with('-')).cloned()),
        };
        options.given.push((flag.name, value));
    }
    Ok(options)
}

fn find<'a>(flags: &'a [Flag], name: &str) -> Result<&'a Flag, String> {
    let known = flags.iter().find(|flag| flag.name == name);
    known.ok_or_else(|| format!("{name} is not a recognized option"))
}

/// The flags of a tool, one a line.
pub(crate) fn help(tool: &Tool) -> String {
    let mut text = String::new();
    for flag in tool.flags {
        let form = match flag.takes {
            Takes::Nothing => format!("--{}", flag.name),
            Takes::Value => format!("--{} VALUE", flag.name),
            Takes::Perhaps => format!("--{} [VALUE]", flag.name),
        };
        text.push_str(&format!("  {form:<44} {}\n", flag.help));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLAGS: &[Flag] = &[
        flag("list", ""),
        valued("topic", ""),
        valued("topic-id", ""),
        perhaps("state", ""),
        valued("config", ""),
    ];

    fn parsed(line: &str) -> Result<Options, String> {
        parse(FLAGS, &line.split(' ').map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn values_follow_or_come_after_an_equals_sign() {
        let options = parsed("--list --topic a --config x=1 --config=y=2 --state").expect("good");
        assert!(options.has("list") && options.has("state"));
        assert_eq!(options.value("topic"), Some("a"));
        assert_eq!(options.values("config"), ["x=1", "y=2"]);
        assert_eq!(options.value("state"), None);
        assert_eq!(
            parsed("--state stable,empty").expect("good").value("state"),
            Some("stable,empty")
        );
    }

    #[test]
    fn what_is_no_flag_and_what_has_no_value_is_refused() {
        assert_eq!(
            parsed("--bogus").expect_err("none"),
            "bogus is not a recognized option"
        );
        assert_eq!(
            parsed("--conf a").expect_err("short"),
            "conf is not a recognized option"
        );
        assert!(parsed("--topic").is_err());
    }
}
