//! `--watch SECONDS`: the same command again and again, for those that only look.

use std::io::IsTerminal;
use std::process::ExitCode;
use std::time::Duration;

use clap::ArgMatches;

use crate::{Command, Context, Failure, Kind};

/// Last words of commands that change nothing.
const LOOKING: &[&str] = &["list", "describe", "lag", "features"];

/// Clears the screen, the cursor at its top.
const CLEAR: &[u8] = b"\x1b[H\x1b[2J";

/// Runs a command every so many seconds until it is interrupted. A failure is shown and does not end it: a server may
/// be away for a moment. `show` prints an outcome.
pub(crate) fn run(
    command: &Command,
    context: &Context,
    matches: &ArgMatches,
    every: Duration,
    show: impl Fn(Result<crate::Report, Failure>) -> ExitCode,
) -> ExitCode {
    if let Err(failure) = check(command) {
        return show(Err(failure));
    }
    loop {
        let outcome = (command.run)(context, matches);
        if matches!(&outcome, Err(failure) if failure.kind == Kind::Interrupted) {
            return show(outcome);
        }
        if std::io::stdout().is_terminal() && crate::tree::print(CLEAR).is_err() {
            return ExitCode::from(Kind::Failed.code());
        }
        show(outcome);
        if let Err(failure) = pause(every) {
            return show(Err(failure));
        }
    }
}

fn check(command: &Command) -> Result<(), Failure> {
    let verb = command.path.last().copied().unwrap_or_default();
    if LOOKING.contains(&verb) {
        return Ok(());
    }
    let words = command.words();
    Err(
        Failure::usage(format!("`ottla {words}` is not done again and again")).hint(
            "--watch is for list, describe, lag and features; `ottla consume --follow` waits for records",
        ),
    )
}

/// Waits, and hears of Ctrl-C, which the command has taken from the system by now.
fn pause(every: Duration) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::failed(format!("no runtime could be made: {error}")))?;
    runtime.block_on(async {
        tokio::select! {
            () = tokio::time::sleep(every) => Ok(()),
            _ = tokio::signal::ctrl_c() => Err(Failure::new(Kind::Interrupted, "interrupted")),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_looks_is_watched() {
        let refused: Vec<String> = crate::COMMANDS
            .iter()
            .filter(|command| check(command).is_err())
            .map(Command::words)
            .collect();
        assert!(refused.contains(&"topic delete".to_owned()));
        assert!(refused.contains(&"group reset".to_owned()));
        assert!(!refused.contains(&"group lag".to_owned()));
        assert!(!refused.contains(&"topic list".to_owned()));
    }
}
