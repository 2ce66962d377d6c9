//! `ottla cat`: kcat's flags and kcat's output (kcat 1.7.1), also under the names `kcat` and `kafkacat`.
//!
//! Modes are one file each. What is said besides records goes to stderr with `% ` in front, as kcat says it.

mod consume;
mod escape;
mod format;
mod list;
mod options;
mod pack;
mod partitioner;
mod produce;
mod properties;
mod query;

use std::ffi::OsString;
use std::process::ExitCode;

pub(crate) use options::{FLAGS, Flag};

use self::options::{Mode, Options};

/// Names of the program under which it is kcat.
const NAMES: &[&str] = &["kcat", "kafkacat"];

/// The arguments, if it is kcat that is called: by the program's name, or as `ottla cat`.
pub(crate) fn chosen(args: &[OsString]) -> Option<Vec<String>> {
    let text = |rest: &[OsString]| {
        rest.iter()
            .map(|arg| arg.to_string_lossy().into_owned())
            .collect()
    };
    let program = std::path::Path::new(args.first()?).file_name()?.to_str()?;
    if NAMES.contains(&program) {
        return Some(text(args.get(1..).unwrap_or_default()));
    }
    match args.get(1)?.to_str()? {
        "cat" => Some(text(args.get(2..).unwrap_or_default())),
        _ => None,
    }
}

/// Why it ends early.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The command line is wrong: said with where the help is.
    Usage(String),
    /// It cannot go on.
    Fatal(String),
    /// All is said.
    Exit(u8),
}

impl Stop {
    fn fatal(message: impl Into<String>) -> Stop {
        Stop::Fatal(message.into())
    }
}

/// Runs it.
pub(crate) fn run(args: &[String]) -> ExitCode {
    match parse_and_run(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Stop::Exit(code)) => ExitCode::from(code),
        Err(Stop::Usage(message)) => {
            eprintln!("Error: {message}\n\nUsage: ottla cat <options> [file1 file2 .. | topic1 topic2 ..]");
            eprintln!("`ottla cat -h` lists the options");
            ExitCode::FAILURE
        }
        Err(Stop::Fatal(message)) => {
            eprintln!("% ERROR: {message}");
            ExitCode::FAILURE
        }
    }
}

fn parse_and_run(args: &[String]) -> Result<(), Stop> {
    let options = options::parse(args)?;
    if options.help {
        return printed(options::help().as_bytes());
    }
    if options.version {
        return printed(concat!("ottla ", env!("CARGO_PKG_VERSION"), ", as kcat 1.7.1\n").as_bytes());
    }
    let settings = properties::Properties::of(&options)?;
    let options = options.checked(settings.has_servers())?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Stop::fatal(format!("no runtime could be made: {error}")))?;
    runtime.block_on(async {
        match &options.mode {
            Some(Mode::Produce) => produce::run(&options, &settings).await,
            Some(Mode::List) => list::run(&options, &settings).await,
            Some(Mode::Query) => query::run(&options, &settings).await,
            Some(Mode::Group(group)) => consume::run_group(&options, &settings, group).await,
            Some(Mode::Consume) | None => consume::run(&options, &settings).await,
        }
    })
}

/// Writes to stdout. A reader that went away ends it quietly.
fn printed(bytes: &[u8]) -> Result<(), Stop> {
    use std::io::Write;
    let mut out = std::io::stdout().lock();
    out.write_all(bytes)
        .and_then(|()| out.flush())
        .map_err(|error| match error.kind() {
            std::io::ErrorKind::BrokenPipe => Stop::Exit(0),
            _ => Stop::fatal(format!("Output write error: {error}")),
        })
}

impl Options {
    /// Says something besides the output, unless it is to be quiet.
    fn say(&self, text: &str) {
        if 0 < self.verbosity {
            eprintln!("% {text}");
        }
    }
}

/// An error as librdkafka names it, where it has a name of its own for it.
fn said(error: &client::Error) -> String {
    use client::{Error, ErrorCode};
    match error {
        Error::Broker {
            code: ErrorCode::UnknownTopicOrPartition,
            ..
        } => "Broker: Unknown topic or partition".to_owned(),
        Error::Broker {
            code: ErrorCode::InvalidTopicException,
            ..
        } => "Broker: Invalid topic".to_owned(),
        Error::NoPartition { .. } => "Local: Unknown partition".to_owned(),
        Error::NoBroker { .. } | Error::Connect { .. } | Error::Disconnected { .. } => {
            format!("Local: Broker transport failure: {error}")
        }
        Error::TimedOut { .. } => format!("Local: Timed out: {error}"),
        other => other.to_string(),
    }
}

/// What the system said, without Rust's number behind it.
fn system(error: &std::io::Error) -> String {
    let text = error.to_string();
    match text.split_once(" (os error") {
        Some((plain, _)) => plain.to_owned(),
        None => text,
    }
}
