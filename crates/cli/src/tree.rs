//! The rows as a tree of subcommands: parsing, running, and the reference page.

use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::OnceLock;
use std::time::Duration;

use clap::{Arg, ArgAction, ArgMatches};

use crate::profile::Profiles;
use crate::render::{self, FORMATS};
use crate::{Command, Context, Failure, Format, Kind, Report, complete, usage, watch};

/// The tables that this process knows, told once by [`run`].
static TABLES: OnceLock<Vec<&'static [Command]>> = OnceLock::new();

/// What the nouns are, for the help.
const NOUNS: &[(&str, &str)] = &[
    ("topic", "Topics: list, create, describe, alter, delete"),
    ("group", "Consumer groups: list, describe, lag, reset, delete"),
    ("cluster", "The cluster, its settings and features"),
    ("schema", "Schemas in files: check, lint, diff, format"),
    ("log", "The files of a log directory"),
    ("bench", "Measure a cluster"),
    ("profile", "Named clusters and how to reach them"),
];

pub(crate) fn rows() -> impl Iterator<Item = &'static Command> {
    let tables = TABLES.get().map(Vec::as_slice).unwrap_or_default();
    tables.iter().flat_map(|table| table.iter())
}

/// Parses the arguments and runs the command that they name. `args` begins with the program's name.
pub fn run(tables: Vec<&'static [Command]>, args: impl IntoIterator<Item = std::ffi::OsString>) -> ExitCode {
    let args: Vec<std::ffi::OsString> = args.into_iter().collect();
    if let Some((tool, args)) = crate::kafka::chosen(&args) {
        return crate::kafka::run(tool, &args);
    }
    if let Some(args) = crate::cat::chosen(&args) {
        return crate::cat::run(&args);
    }
    let _ = TABLES.set(tables);
    if args.get(1).is_some_and(|word| word == complete::WORD) {
        let words = args
            .iter()
            .skip(2)
            .map(|word| word.to_string_lossy().into_owned());
        let found = complete::answer(&mut whole(), &words.collect::<Vec<_>>());
        let _ = print(found.as_bytes());
        return ExitCode::SUCCESS;
    }
    let asked = usage::format(&args);
    if asked.as_deref() == Some("help") {
        return usage::shape(&args);
    }
    let matches = match whole().try_get_matches_from(args) {
        Ok(matches) => matches,
        Err(error) => return usage::refused(&error, asked.as_deref()),
    };
    let (command, inner) = match chosen(&matches) {
        Ok(found) => found,
        Err(failure) => return failed(&failure, Format::Table),
    };
    let context = match context(command, inner) {
        Ok(context) => context,
        Err(failure) => return failed(&failure, Format::Table),
    };
    let show = |outcome: Result<Report, Failure>| match outcome {
        Ok(mut report) => match unreachable(&report) {
            Some(failure) => failed(&failure, context.format),
            None => {
                report.command = command.path;
                finish(&report, context.format)
            }
        },
        Err(failure) => failed(&usage::helped(failure, command), context.format),
    };
    match inner.get_one::<u64>("watch") {
        Some(seconds) => watch::run(command, &context, inner, Duration::from_secs(*seconds), show),
        None => show((command.run)(&context, inner)),
    }
}

/// Commands that have nothing to do with a cluster, and work whatever a file of profiles says.
const LOCAL: &[&str] = &[
    "start",
    "demo",
    "doctor",
    "log",
    "schema",
    "completion",
    "man",
    "profile",
];

fn context(command: &Command, matches: &ArgMatches) -> Result<Context, Failure> {
    let local = command.path.first().is_some_and(|noun| LOCAL.contains(noun));
    let profiles = match local {
        true => None,
        false => Some(Profiles::load()?),
    };
    let environment = |name: &str| std::env::var(name).ok();
    Context::resolve(matches, &environment, profiles.as_ref())
}

/// No server is no answer: what failed for every item fails as a whole.
fn unreachable(report: &Report) -> Option<Failure> {
    let first = report.failures.first()?;
    if report.failed_kind != Kind::Unreachable || !report.rows.is_empty() {
        return None;
    }
    let failure = Failure::new(Kind::Unreachable, first.message.clone()).with_code(first.code.clone());
    Some(Failure {
        hint: first.hint.clone(),
        ..failure
    })
}

fn finish(report: &Report, format: Format) -> ExitCode {
    let mut out = Vec::new();
    let written = render::report(report, format, &mut out);
    if written.is_err() || print(&out).is_err() {
        return ExitCode::from(Kind::Failed.code());
    }
    if report.failures.is_empty() {
        return ExitCode::SUCCESS;
    }
    // JSON and YAML have them in the one object.
    if !matches!(format, Format::Json | Format::Yaml) {
        let _ = render::failures(report, &mut io::stderr());
    }
    ExitCode::from(report.failed_kind.code())
}

pub(crate) fn failed(failure: &Failure, format: Format) -> ExitCode {
    if format.is_json() {
        eprintln!("{}", failure.json());
    } else {
        eprintln!("{failure}");
    }
    failure.exit()
}

/// Writes to stdout; a reader that went away, such as `head`, is no failure.
pub(crate) fn print(bytes: &[u8]) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::failed(format!("stdout cannot be written: {error}")))
        }
        _ => Ok(()),
    }
}

/// The row that was typed, and its own matches.
fn chosen(matches: &ArgMatches) -> Result<(&'static Command, &ArgMatches), Failure> {
    let mut words = Vec::new();
    let mut inner = matches;
    while let Some((word, next)) = inner.subcommand() {
        words.push(word);
        inner = next;
    }
    let found = rows().find(|command| command.path == words.as_slice());
    found
        .map(|command| (command, inner))
        .ok_or_else(|| Failure::usage("no command is given").hint("`ottla --help` lists the commands"))
}

/// The whole tree.
pub(crate) fn whole() -> clap::Command {
    of(TABLES.get().map(Vec::as_slice).unwrap_or_default())
}

/// The tree of some tables.
pub(crate) fn of(tables: &[&'static [Command]]) -> clap::Command {
    let mut root = clap::Command::new("ottla")
        .about("A complete event-streaming platform, wire-compatible with Apache Kafka")
        .version(env!("CARGO_PKG_VERSION"))
        .subcommand_required(true)
        .arg_required_else_help(true)
        .disable_help_subcommand(true);
    for command in tables.iter().flat_map(|table| table.iter()) {
        root = graft(root, command.path, command);
    }
    options(root)
}

fn graft(parent: clap::Command, path: &'static [&'static str], command: &'static Command) -> clap::Command {
    match path {
        [] => parent,
        [verb] => parent.subcommand(leaf(verb, command)),
        [noun, rest @ ..] => {
            let has = parent.find_subcommand(noun).is_some();
            if has {
                return parent.mut_subcommand(noun, |known| graft(known, rest, command));
            }
            let about = NOUNS
                .iter()
                .find(|(name, _)| name == noun)
                .map_or("", |(_, about)| about);
            let fresh = clap::Command::new(*noun)
                .about(about)
                .subcommand_required(true)
                .arg_required_else_help(true)
                .disable_help_subcommand(true);
            parent.subcommand(graft(fresh, rest, command))
        }
    }
}

fn leaf(verb: &'static str, command: &'static Command) -> clap::Command {
    let example = format!("Example:\n  {}", command.example);
    (command.arguments)(clap::Command::new(verb))
        .about(command.about)
        .after_help(example)
}

/// The options that every command has.
pub(crate) fn options(root: clap::Command) -> clap::Command {
    let names: Vec<&str> = FORMATS.iter().map(|(name, _)| *name).collect();
    root.arg(
        Arg::new("output")
            .short('o')
            .long("output")
            .global(true)
            .value_name("FORMAT")
            .help(format!(
                "How to answer: {} (default: table); help prints the shape of the JSON",
                names.join(", ")
            )),
    )
    .arg(
        Arg::new("bootstrap")
            .short('b')
            .long("bootstrap")
            .visible_alias("bootstrap-server")
            .global(true)
            .value_name("HOST:PORT")
            .help("Where the cluster is (OTTLA_BOOTSTRAP; default: localhost:9092)"),
    )
    .arg(
        Arg::new("timeout")
            .long("timeout")
            .global(true)
            .value_name("SECONDS")
            .value_parser(clap::value_parser!(u64).range(1..))
            .help("How long a call may take with all its retries (default: 30)"),
    )
    .arg(
        Arg::new("watch")
            .long("watch")
            .global(true)
            .value_name("SECONDS")
            .value_parser(clap::value_parser!(u64).range(1..))
            .help("Again every so many seconds: list, describe, lag"),
    )
    .arg(
        Arg::new("profile")
            .long("profile")
            .global(true)
            .value_name("NAME")
            .help("Which named cluster (OTTLA_PROFILE; `ottla profile list`)"),
    )
    .arg(
        Arg::new("command-config")
            .long("command-config")
            .global(true)
            .value_name("FILE")
            .help("A file of properties as Kafka's tools take it: bootstrap.servers, default.api.timeout.ms"),
    )
    .arg(
        Arg::new("confirm")
            .long("confirm")
            .global(true)
            .value_name("NAME")
            .help("Do not ask before something is destroyed on this protected profile"),
    )
    .arg(flag("yes", 'y', "Do not ask before something is destroyed"))
    .arg(flag("dry-run", 'n', "Say what would be done, and do nothing"))
}

fn flag(name: &'static str, short: char, help: &'static str) -> Arg {
    Arg::new(name)
        .long(name)
        .short(short)
        .global(true)
        .action(ArgAction::SetTrue)
        .help(help)
}

/// The reference page of all commands, in Markdown.
pub fn reference(tables: Vec<&'static [Command]>) -> String {
    let _ = TABLES.set(tables);
    let mut page = String::from(REFERENCE_HEAD);
    let mut root = whole();
    root.build();
    let global = root.get_arguments().filter(|argument| argument.is_global_set());
    global.for_each(|argument| page.push_str(&argument_line(argument)));
    let mut names: Vec<&'static Command> = rows().collect();
    names.sort_by_key(|command| command.path);
    for command in names {
        let inner = |at: clap::Command, word: &&str| at.find_subcommand(word).cloned().unwrap_or(at);
        let mut at = command.path.iter().fold(root.clone(), inner);
        let usage = at.render_usage().to_string();
        let usage = usage.trim_start_matches("Usage:").trim();
        page.push_str(&format!(
            "\n## ottla {}\n\n{}.\n\n```text\n{usage}\n```\n\n",
            command.words(),
            command.about
        ));
        let own = at.get_arguments().filter(|argument| !argument.is_global_set());
        let shown = |argument: &&Arg| argument.get_id() != "help" && !argument.is_hide_set();
        let own: Vec<String> = own.filter(shown).map(argument_line).collect();
        if !own.is_empty() {
            page.push_str(&format!("{}\n", own.concat()));
        }
        page.push_str(&format!("Example: `{}`\n", command.example));
    }
    page
}

const REFERENCE_HEAD: &str = "# Commands

Written from the table in `crates/cli/src/commands.rs` and `crates/server/src/commands.rs` by its test; change it there.
`ottla man COMMAND` has the same. Exit codes: 0 done, 1 failed, 2 usage, 3 no server, 4 not authorised, 5 a check did
not pass, 130 interrupted. Apache Kafka's own tools are there by their own names, with their own flags:
`ottla kafka-topics.sh --help`.

## Options of every command

";

fn argument_line(argument: &Arg) -> String {
    let name = match (argument.get_long(), argument.get_short()) {
        (Some(long), Some(short)) => format!("-{short}, --{long}"),
        (Some(long), None) => format!("--{long}"),
        (None, Some(short)) => format!("-{short}"),
        (None, None) => argument.get_id().as_str().to_uppercase(),
    };
    let values = match argument.get_value_names() {
        Some([value, ..]) if argument.get_long().is_some() && argument.get_action().takes_values() => {
            format!(" {value}")
        }
        _ => String::new(),
    };
    let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
    format!("- `{name}{values}`: {help}\n")
}
