//! The commands that need the node itself: `start`, and `log` on a directory's files.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use clap::{Arg, ArgMatches, Args, FromArgMatches};
use cli::{Column, Command, Context, Failure, Report};
use serde_json::{Value, json};

use crate::{doctor, export, start};

/// Rows of the table of commands.
pub static COMMANDS: &[Command] = &[
    Command {
        path: &["start"],
        about: "Start a node; without any option on loopback, with its data in ./ottla-data",
        example: "ottla start --data /var/lib/ottla --set listeners=PLAINTEXT://127.0.0.1:9092",
        arguments: StartArgs::augment_args,
        run: start_node,
    },
    doctor::COMMAND,
    Command {
        path: &["log", "dump"],
        about: "Print chunks: their headers, groups and entries",
        example: "ottla log dump ottla-data/chunks/*.stream",
        arguments: dump_arguments,
        run: dump,
    },
    Command {
        path: &["log", "export"],
        about: "Write the logs of a stopped node as Kafka's folders and segment files",
        example: "ottla log export /tmp/kafka-logs --data ottla-data --topic orders",
        arguments: export_logs_arguments,
        run: export_logs,
    },
    Command {
        path: &["log", "export-metadata"],
        about: "Write the metadata log of a stopped node as a Kafka segment file",
        example: "ottla log export-metadata --data ottla-data --to /tmp/metadata",
        arguments: export_arguments,
        run: export_metadata,
    },
    Command {
        path: &["log", "scrub"],
        about: "Write zeros over what deleted records left in a stopped node's spare files",
        example: "ottla log scrub --data ottla-data --yes",
        arguments: scrub_arguments,
        run: scrub,
    },
];

/// What `ottla start` is told.
#[derive(Args, Debug, Default)]
pub struct StartArgs {
    /// The data directory (log.dirs).
    #[arg(long)]
    pub data: Option<PathBuf>,
    /// A configuration file, TOML or Kafka's .properties.
    #[arg(long)]
    pub config: Option<PathBuf>,
    /// A setting by its Kafka name; may come more than once.
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// When acknowledged records are on stable storage: ack, interval or never.
    #[arg(long, value_name = "MODE")]
    pub flush: Option<String>,
    /// Listen beyond loopback without authentication.
    #[arg(long)]
    pub insecure: bool,
    /// Say where everything is and what to type next.
    #[arg(long, hide = true)]
    pub guide: bool,
}

const EXPORTED: &[Column] = &[Column::new("folder"), Column::new("bytes")];
const WRITTEN: &[Column] = &[Column::new("file")];
const SCRUBBED: &[Column] = &[Column::new("files"), Column::new("bytes")];

/// What went wrong, and what a person may do about it.
fn failed(error: &anyhow::Error) -> Failure {
    let failure = Failure::failed(format!("{error:#}"));
    let of_system = |cause: &(dyn std::error::Error + 'static)| {
        let error = cause.downcast_ref::<std::io::Error>();
        error.and_then(|error| hint(error.kind()))
    };
    let of_settings = |cause: &(dyn std::error::Error + 'static)| {
        let found = cause.downcast_ref::<config::Error>();
        found.map(|_| "docs/reference/settings.md lists the settings and what they take")
    };
    let mut causes = error.chain();
    match causes.find_map(|cause| of_system(cause).or_else(|| of_settings(cause))) {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

/// What to do about what the system refused.
fn hint(kind: ErrorKind) -> Option<&'static str> {
    match kind {
        ErrorKind::AddrInUse => Some(
            "another program has the port, perhaps another node: `ottla doctor` looks; \
             --set listeners=PLAINTEXT://127.0.0.1:PORT chooses another",
        ),
        ErrorKind::AddrNotAvailable => Some(
            "this machine has no such address: listeners say where to listen, advertised.listeners what clients use",
        ),
        ErrorKind::PermissionDenied => {
            Some("this user may not write there: --data DIR chooses another place")
        }
        ErrorKind::StorageFull => {
            Some("the disk is full: make room, or choose another place with --data DIR")
        }
        _ => None,
    }
}

fn said(done: anyhow::Result<()>) -> Result<Report, Failure> {
    done.map(|()| Report::silent()).map_err(|error| failed(&error))
}

/// Rows for scripts, and a sentence for people.
fn shown(what: &'static str, columns: &'static [Column], rows: Vec<Value>, text: String) -> Report {
    let mut report = Report::of(what, columns, rows);
    report.text = Some(text);
    report
}

fn start_node(_: &Context, matches: &ArgMatches) -> Result<Report, Failure> {
    let args = StartArgs::from_arg_matches(matches).map_err(|error| Failure::usage(error.to_string()))?;
    said(start::run(&args))
}

fn path(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name)
        .long(name)
        .required(true)
        .value_parser(clap::value_parser!(PathBuf))
        .help(help)
}

fn given<'a>(matches: &'a ArgMatches, name: &str) -> Result<&'a Path, Failure> {
    let path = matches.get_one::<PathBuf>(name).map(PathBuf::as_path);
    path.ok_or_else(|| Failure::usage(format!("--{name} is needed")))
}

fn dump_arguments(command: clap::Command) -> clap::Command {
    let json = Arg::new("json")
        .long("json")
        .action(clap::ArgAction::SetTrue)
        .help("A JSON object a line");
    command.arg(json).arg(
        Arg::new("files")
            .num_args(1..)
            .required(true)
            .value_parser(clap::value_parser!(PathBuf))
            .help("Files of the folder chunks"),
    )
}

fn dump(context: &Context, matches: &ArgMatches) -> Result<Report, Failure> {
    let files: Vec<PathBuf> = matches.get_many("files").into_iter().flatten().cloned().collect();
    let json = matches.get_flag("json") || context.format.is_json();
    said(export::dump(&files, json))
}

fn export_logs_arguments(command: clap::Command) -> clap::Command {
    command
        .arg(
            Arg::new("dir")
                .required(true)
                .value_parser(clap::value_parser!(PathBuf))
                .help("The folder to write to; made if it is missing"),
        )
        .arg(path("data", "The data directory"))
        .arg(
            Arg::new("topic")
                .long("topic")
                .action(clap::ArgAction::Append)
                .help("Only this topic; may come more than once"),
        )
}

fn export_logs(_: &Context, matches: &ArgMatches) -> Result<Report, Failure> {
    let topics: Vec<String> = matches.get_many("topic").into_iter().flatten().cloned().collect();
    let to = matches.get_one::<PathBuf>("dir").map(PathBuf::as_path);
    let to = to.ok_or_else(|| Failure::usage("a folder is needed".to_owned()))?;
    let written = export::logs(given(matches, "data")?, to, &topics).map_err(|error| failed(&error))?;
    let row = |(folder, bytes): &(PathBuf, u64)| json!({"folder": folder.to_string_lossy(), "bytes": bytes});
    let text: String = written
        .iter()
        .map(|(folder, bytes)| format!("{} {bytes} bytes\n", folder.display()))
        .collect();
    Ok(shown("logs", EXPORTED, written.iter().map(row).collect(), text))
}

fn export_arguments(command: clap::Command) -> clap::Command {
    command
        .arg(path("data", "The data directory"))
        .arg(path("to", "The folder to write to; made if it is missing"))
}

fn export_metadata(_: &Context, matches: &ArgMatches) -> Result<Report, Failure> {
    let segment =
        export::metadata(given(matches, "data")?, given(matches, "to")?).map_err(|error| failed(&error))?;
    let row = json!({"file": segment.to_string_lossy()});
    Ok(shown(
        "files",
        WRITTEN,
        vec![row],
        format!("{}\n", segment.display()),
    ))
}

fn scrub_arguments(command: clap::Command) -> clap::Command {
    command.arg(path("data", "The data directory"))
}

fn scrub(context: &Context, matches: &ArgMatches) -> Result<Report, Failure> {
    let data = given(matches, "data")?;
    context.confirm(&format!(
        "overwriting what deleted records left in {}",
        data.display()
    ))?;
    if context.dry_run {
        let mut report = Report::new("scrubbed", SCRUBBED);
        report.dry_run = true;
        report.text = Some(format!(
            "would write zeros over the spare files of {}\n",
            data.display()
        ));
        return Ok(report);
    }
    let (files, bytes) = export::scrub(data).map_err(|error| failed(&error))?;
    let row = json!({"files": files, "bytes": bytes});
    let text = format!("{files} spare files, {bytes} bytes: overwritten with zeros\n");
    Ok(shown("scrubbed", SCRUBBED, vec![row], text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_cannot_start_is_told_what_to_do() {
        let taken =
            anyhow::Error::new(std::io::Error::from(ErrorKind::AddrInUse)).context("cannot listen on X");
        let failure = failed(&taken);
        assert!(failure.message.starts_with("cannot listen on X: "));
        assert!(failure.hint.is_some_and(|hint| hint.contains("--set listeners=")));
        assert_eq!(failed(&anyhow::anyhow!("else")).hint, None);
    }
}
