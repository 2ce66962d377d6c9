//! `ottla`: from the command line to a running node.

mod export;
mod operator;
mod start;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A complete event-streaming platform, wire-compatible with Apache Kafka.
#[derive(Parser)]
#[command(name = "ottla", version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Start a node.
    Start(StartArgs),
    /// Look into a log.
    #[command(subcommand)]
    Log(LogCommand),
}

/// What `ottla start` is told.
#[derive(Args, Debug, Default)]
pub struct StartArgs {
    /// The data directory (log.dirs).
    #[arg(long)]
    data: Option<PathBuf>,
    /// A configuration file, TOML or Kafka's .properties.
    #[arg(long)]
    config: Option<PathBuf>,
    /// A setting by its Kafka name; may come more than once.
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// When acknowledged records are on stable storage: ack, interval or never.
    #[arg(long, value_name = "MODE")]
    flush: Option<String>,
    /// Listen beyond loopback without authentication.
    #[arg(long)]
    insecure: bool,
}

#[derive(Subcommand)]
enum LogCommand {
    /// Print a chunk: its header, groups and entries.
    Dump { files: Vec<PathBuf> },
    /// Write the metadata log of a stopped node as a Kafka segment file.
    ExportMetadata {
        /// The data directory.
        #[arg(long)]
        data: PathBuf,
        /// The folder to write to; made if it is missing.
        #[arg(long)]
        to: PathBuf,
    },
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    telemetry::log::init();
    let done = match cli.command {
        Command::Start(args) => start::run(&args),
        Command::Log(LogCommand::Dump { files }) => export::dump(&files),
        Command::Log(LogCommand::ExportMetadata { data, to }) => export::metadata(&data, &to),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ottla: {error:#}");
            ExitCode::from(1)
        }
    }
}
