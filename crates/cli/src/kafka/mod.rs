//! Apache Kafka's own tools by their own names: the same flags, the same output (`console-cli.md`; Kafka 4.3.1).
//!
//! A tool is chosen by the program's name (a link `kafka-topics.sh` to the binary) or by the first word
//! (`ottla kafka-topics.sh ...`); with or without `.sh`. Stack traces of Java are left out; everything that scripts
//! read is the same, which `tests/conformance` compares.

mod configs;
mod connect;
mod console_consumer;
mod console_producer;
mod consumer_groups;
mod get_offsets;
mod options;
mod pattern;
pub(crate) mod properties;
mod settings;
pub(crate) mod signals;
mod topics;

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

use options::Options;
pub(crate) use settings::Settings;

/// A tool: its name without `.sh`, its flags and what it does.
pub(crate) struct Tool {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) flags: &'static [options::Flag],
    pub(crate) run: fn(&Options, &mut Output) -> Result<(), Stop>,
}

/// Every tool that is here.
pub(crate) static TOOLS: &[&Tool] = &[
    &topics::TOOL,
    &configs::TOOL,
    &consumer_groups::TOOL,
    &get_offsets::TOOL,
    &console_producer::TOOL,
    &console_consumer::TOOL,
];

/// What a tool writes.
#[derive(Debug, Default)]
pub(crate) struct Output {
    pub(crate) out: Vec<u8>,
    pub(crate) err: Vec<u8>,
}

impl Output {
    pub(crate) fn line(&mut self, text: impl AsRef<str>) {
        self.push(text.as_ref());
        self.push("\n");
    }

    pub(crate) fn error_line(&mut self, text: impl AsRef<str>) {
        self.err.extend_from_slice(text.as_ref().as_bytes());
        self.err.push(b'\n');
    }

    pub(crate) fn push(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }

    /// Writes what was said so far; an error is stdout's, such as a reader that went away.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        let mut out = io::stdout().lock();
        let written = out.write_all(&self.out).and_then(|()| out.flush());
        let _ = io::stderr().write_all(&self.err);
        self.out.clear();
        self.err.clear();
        written
    }
}

/// Why a tool ends early.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The flags make no sense: said on stderr with the list of flags.
    Usage(String),
    /// Everything is said; the exit code.
    Exit(u8),
}

/// The tool that the arguments name, and its own arguments.
pub(crate) fn chosen(args: &[OsString]) -> Option<(&'static Tool, Vec<String>)> {
    let named = |word: &OsString| {
        let word = std::path::Path::new(word).file_name()?.to_str()?;
        let word = word.strip_suffix(".sh").unwrap_or(word);
        TOOLS.iter().find(|tool| tool.name == word).copied()
    };
    let text = |rest: &[OsString]| {
        rest.iter()
            .map(|arg| arg.to_string_lossy().into_owned())
            .collect()
    };
    if let Some(tool) = args.first().and_then(named) {
        return Some((tool, text(args.get(1..).unwrap_or_default())));
    }
    let tool = args.get(1).and_then(named)?;
    Some((tool, text(args.get(2..).unwrap_or_default())))
}

/// Runs a tool and writes what it says.
pub(crate) fn run(tool: &Tool, args: &[String]) -> ExitCode {
    let mut output = Output::default();
    let code = match parse_and_run(tool, args, &mut output) {
        Ok(()) => 0,
        Err(Stop::Exit(code)) => code,
        Err(Stop::Usage(message)) => {
            output.error_line(message);
            output.err.extend_from_slice(options::help(tool).as_bytes());
            1
        }
    };
    match output.flush() {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => ExitCode::FAILURE,
        _ => ExitCode::from(code),
    }
}

fn parse_and_run(tool: &Tool, args: &[String], output: &mut Output) -> Result<(), Stop> {
    let options = options::parse(tool.flags, args).map_err(|wrong| {
        output.error_line(&wrong);
        Stop::Exit(1)
    })?;
    if options.has("help") {
        output.line(tool.about);
        output.push(&options::help(tool));
        return Ok(());
    }
    if options.has("version") {
        output.line(concat!("4.3.1 (ottla ", env!("CARGO_PKG_VERSION"), ")"));
        return Ok(());
    }
    (tool.run)(&options, output)
}
