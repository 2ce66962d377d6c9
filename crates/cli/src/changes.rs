//! Changes of settings as arguments: `--set`, `--unset`, `--append`, `--subtract`.

use clap::ArgMatches;
use client::ConfigChange;

use crate::Failure;
use crate::arguments::{pair, repeated, values};

pub(crate) fn arguments(command: clap::Command) -> clap::Command {
    command
        .arg(repeated("set", "NAME=VALUE", "Set a setting"))
        .arg(repeated("unset", "NAME", "Go back to the default"))
        .arg(repeated("append", "NAME=VALUE", "Add to a list"))
        .arg(repeated("subtract", "NAME=VALUE", "Take out of a list"))
}

pub(crate) fn given(matches: &ArgMatches) -> Result<Vec<ConfigChange>, Failure> {
    let mut changes = Vec::new();
    type Make = fn(String, String) -> ConfigChange;
    let kinds: [(&str, Make); 3] = [
        ("set", ConfigChange::Set),
        ("append", ConfigChange::Append),
        ("subtract", ConfigChange::Subtract),
    ];
    for (argument, make) in kinds {
        for text in values(matches, argument) {
            let (name, value) = pair(text, argument)?;
            changes.push(make(name.to_owned(), value.to_owned()));
        }
    }
    let unset = values(matches, "unset").into_iter();
    changes.extend(unset.map(|name| ConfigChange::Delete(name.to_owned())));
    Ok(changes)
}

/// The changes as one line.
pub(crate) fn said(changes: &[ConfigChange]) -> String {
    let each: Vec<String> = changes
        .iter()
        .map(|change| match change {
            ConfigChange::Set(name, value) => format!("{name}={value}"),
            ConfigChange::Delete(name) => format!("-{name}"),
            ConfigChange::Append(name, value) => format!("{name}+={value}"),
            ConfigChange::Subtract(name, value) => format!("{name}-={value}"),
        })
        .collect();
    each.join(" ")
}
