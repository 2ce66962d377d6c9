//! What holds for every command: where the cluster is, how to answer, whether to ask first.

use std::io::{IsTerminal, Write};
use std::time::Duration;

use clap::ArgMatches;

use crate::{Failure, Format};

/// The options that every command has.
#[derive(Debug, Clone)]
pub struct Context {
    /// `host:port` of some brokers, separated by commas.
    pub bootstrap: String,
    /// How to answer.
    pub format: Format,
    /// Do not ask before something is destroyed.
    pub yes: bool,
    /// Say what would be done, and do nothing.
    pub dry_run: bool,
    /// How long a command may take.
    pub timeout: Duration,
}

/// Where a cluster is looked for if nothing says otherwise.
pub const BOOTSTRAP: &str = "localhost:9092";

impl Context {
    /// Reads the options that every command has; the environment stands in for those that are not given.
    pub(crate) fn of(matches: &ArgMatches) -> Result<Context, Failure> {
        let said = matches.get_one::<String>("output").map(String::as_str);
        let format = match said {
            Some(name) => Format::named(name)?,
            None => Format::Table,
        };
        let bootstrap = matches.get_one::<String>("bootstrap").cloned();
        let seconds = matches.get_one::<u64>("timeout").copied().unwrap_or(30);
        Ok(Context {
            bootstrap: bootstrap
                .or_else(|| std::env::var("OTTLA_BOOTSTRAP").ok())
                .unwrap_or_else(|| BOOTSTRAP.to_owned()),
            format,
            yes: matches.get_flag("yes"),
            dry_run: matches.get_flag("dry-run"),
            timeout: Duration::from_secs(seconds),
        })
    }

    /// Asks before something is destroyed: on a terminal; elsewhere `--yes` must be given.
    pub fn confirm(&self, question: &str) -> Result<(), Failure> {
        if self.yes || self.dry_run {
            return Ok(());
        }
        if !std::io::stdin().is_terminal() {
            return Err(Failure::usage(format!("{question} needs a confirmation")).hint("add --yes"));
        }
        eprint!("{question}? [y/N] ");
        let _ = std::io::stderr().flush();
        let mut answer = String::new();
        std::io::stdin()
            .read_line(&mut answer)
            .map_err(|error| Failure::failed(format!("the answer cannot be read: {error}")))?;
        match answer.trim() {
            "y" | "Y" | "yes" => Ok(()),
            _ => Err(Failure::failed("nothing was done")),
        }
    }
}
