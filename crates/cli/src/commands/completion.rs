//! `ottla completion`: the script that completes commands and flags in a shell.

use clap::{Arg, ArgMatches};
use clap_complete::Shell;

use crate::{Command, Context, Failure, Report};

pub const COMMAND: Command = Command {
    path: &["completion"],
    about: "Print the script that completes commands and flags in a shell",
    example: "ottla completion bash > /etc/bash_completion.d/ottla",
    arguments,
    run,
};

fn arguments(command: clap::Command) -> clap::Command {
    let shells = ["bash", "zsh", "fish", "powershell"];
    command.arg(
        Arg::new("shell")
            .required(true)
            .value_parser(shells)
            .help("Which shell"),
    )
}

fn run(_: &Context, matches: &ArgMatches) -> Result<Report, Failure> {
    let shell = match matches.get_one::<String>("shell").map(String::as_str) {
        Some("zsh") => Shell::Zsh,
        Some("fish") => Shell::Fish,
        Some("powershell") => Shell::PowerShell,
        _ => Shell::Bash,
    };
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut crate::tree::whole(), "ottla", &mut script);
    crate::tree::print(&script)?;
    Ok(Report::silent())
}
