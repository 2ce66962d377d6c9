//! Arguments that several commands share, and reading them.

use clap::{Arg, ArgAction, ArgMatches};

use crate::Failure;

/// One or more names.
pub(crate) fn names(what: &'static str, help: &'static str) -> Arg {
    Arg::new(what).num_args(1..).required(true).help(help)
}

/// An option with a value.
pub(crate) fn option(name: &'static str, value: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).value_name(value).help(help)
}

/// An option that may come more than once.
pub(crate) fn repeated(name: &'static str, value: &'static str, help: &'static str) -> Arg {
    option(name, value, help).action(ArgAction::Append)
}

/// A switch.
pub(crate) fn switch(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).action(ArgAction::SetTrue).help(help)
}

/// The values of an argument, as they were typed.
pub(crate) fn values<'a>(matches: &'a ArgMatches, name: &str) -> Vec<&'a str> {
    let given = matches.get_many::<String>(name);
    given.into_iter().flatten().map(String::as_str).collect()
}

/// The value of an argument.
pub(crate) fn value<'a>(matches: &'a ArgMatches, name: &str) -> Option<&'a str> {
    matches.get_one::<String>(name).map(String::as_str)
}

/// A number, or a failure that names the argument.
pub(crate) fn number<T: std::str::FromStr>(matches: &ArgMatches, name: &str) -> Result<Option<T>, Failure> {
    let Some(text) = value(matches, name) else {
        return Ok(None);
    };
    let wrong = |_| Failure::usage(format!("--{name} wants a number, not {text:?}"));
    text.parse().map(Some).map_err(wrong)
}

/// `name=value`.
pub(crate) fn pair<'a>(text: &'a str, argument: &str) -> Result<(&'a str, &'a str), Failure> {
    let wrong = || Failure::usage(format!("--{argument} wants NAME=VALUE, not {text:?}"));
    text.split_once('=')
        .filter(|(name, _)| !name.is_empty())
        .ok_or_else(wrong)
}
