//! Before a command line is understood: the format that it asks for, `-o help`, and what is wrong with it.

use std::ffi::OsString;
use std::process::ExitCode;

use crate::{Command, Failure, Format, Kind, shapes, tree};

/// The format that is asked for, whatever else is wrong.
pub(crate) fn format(args: &[OsString]) -> Option<String> {
    let words: Vec<&str> = args.iter().filter_map(|arg| arg.to_str()).collect();
    let mut found = None;
    for (at, word) in words.iter().enumerate() {
        if *word == "--" {
            break;
        }
        let next = || words.get(at + 1).copied();
        let value = match *word {
            "-o" | "--output" => next(),
            _ => word.strip_prefix("--output=").or_else(|| word.strip_prefix("-o")),
        };
        found = value
            .map(|value| value.trim_start_matches('=').to_owned())
            .or(found);
    }
    found
}

/// A failure of usage always says where to look.
pub(crate) fn helped(failure: Failure, command: &Command) -> Failure {
    if failure.kind != Kind::Usage || failure.hint.is_some() {
        return failure;
    }
    let hint = format!("`ottla {} --help` shows what it takes", command.words());
    failure.hint(hint)
}

/// Prints the shape of the JSON of the command that the words name.
pub(crate) fn shape(args: &[OsString]) -> ExitCode {
    let words: Vec<&str> = args.iter().skip(1).filter_map(|arg| arg.to_str()).collect();
    let named = tree::rows().find(|command| words.starts_with(command.path));
    let Some(command) = named else {
        let unknown = Failure::usage("-o help stands behind a command").hint("ottla topic list -o help");
        return tree::failed(&unknown, Format::Table);
    };
    match shapes::schema(command.path) {
        Some(schema) => match tree::print(format!("{schema:#}\n").as_bytes()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(failure) => tree::failed(&failure, Format::Table),
        },
        None => {
            let none = Failure::usage(format!("`ottla {}` has no JSON", command.words()));
            tree::failed(
                &none.hint("docs/reference/json.md has those that do"),
                Format::Table,
            )
        }
    }
}

/// Says what is wrong with a command line: as JSON where JSON is asked for.
pub(crate) fn refused(error: &clap::Error, asked: Option<&str>) -> ExitCode {
    let json = asked
        .and_then(|name| Format::named(name).ok())
        .is_some_and(Format::is_json);
    if !error.use_stderr() || !json {
        let _ = error.print();
        return ExitCode::from(if error.use_stderr() { Kind::Usage.code() } else { 0 });
    }
    tree::failed(&failure(&error.to_string()), Format::Json)
}

/// What clap says as one failure: its first paragraph, and its tip or where the help is.
fn failure(said: &str) -> Failure {
    let lines: Vec<&str> = said.lines().map(str::trim).collect();
    let first: Vec<&str> = lines
        .iter()
        .copied()
        .take_while(|line| !line.is_empty() && !line.starts_with("tip:"))
        .collect();
    let message = first.join(" ");
    let message = message.strip_prefix("error: ").unwrap_or(&message);
    let tip = lines.iter().find_map(|line| line.strip_prefix("tip:"));
    let usage = lines.iter().find_map(|line| line.strip_prefix("Usage:"));
    let hint = match (tip, usage) {
        (Some(tip), _) => tip.trim().to_owned(),
        (None, Some(usage)) => format!("usage: {}", usage.trim()),
        (None, None) => "`ottla --help` lists the commands".to_owned(),
    };
    Failure::usage(message).hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(line: &str) -> Option<String> {
        let args: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        format(&args)
    }

    #[test]
    fn the_format_is_found_wherever_it_stands() {
        assert_eq!(asked("ottla -o json topic list").as_deref(), Some("json"));
        assert_eq!(asked("ottla topic list --output=help").as_deref(), Some("help"));
        assert_eq!(asked("ottla topic list -ojsonl").as_deref(), Some("jsonl"));
        assert_eq!(asked("ottla topic list"), None);
        assert_eq!(asked("ottla produce t -- -o help"), None);
    }

    #[test]
    fn what_clap_says_becomes_a_message_and_a_hint() {
        let failure = failure(
            "error: unexpected argument '--partitons' found\n\n  tip: a similar argument exists: '--partitions'\n\nUsage: \
             ottla topic create <topic>...\n\nFor more information, try '--help'.\n",
        );
        assert_eq!(failure.message, "unexpected argument '--partitons' found");
        assert_eq!(
            failure.hint.as_deref(),
            Some("a similar argument exists: '--partitions'")
        );
        let missing = super::failure(
            "error: the following required arguments were not provided:\n  <topic>...\n\nUsage: ottla topic create \
             <topic>...\n",
        );
        assert_eq!(
            missing.message,
            "the following required arguments were not provided: <topic>..."
        );
        assert_eq!(
            missing.hint.as_deref(),
            Some("usage: ottla topic create <topic>...")
        );
    }
}
