//! One command as a row of the table.

use clap::ArgMatches;

use crate::{Context, Failure, Report};

/// A command: its words on the command line, its help and what it does.
pub struct Command {
    /// Its words, the noun first: `["topic", "list"]`.
    pub path: &'static [&'static str],
    /// What it does, one sentence without a full stop.
    pub about: &'static str,
    /// A command line that works, for help and manual.
    pub example: &'static str,
    /// Adds its arguments.
    pub arguments: fn(clap::Command) -> clap::Command,
    /// Does it. What was written to stdout on the way, such as records, is not in the report.
    pub run: fn(&Context, &ArgMatches) -> Result<Report, Failure>,
}

impl Command {
    /// Its words as they are typed after `ottla`.
    pub fn words(&self) -> String {
        self.path.join(" ")
    }
}
