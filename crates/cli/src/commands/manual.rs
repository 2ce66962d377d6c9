//! `ottla man`: the manual page of `ottla` or of one of its commands.

use clap::{Arg, ArgMatches};

use crate::{Command, Context, Failure, Report};

pub const COMMAND: Command = Command {
    path: &["man"],
    about: "Print the manual page of ottla or of a command",
    example: "ottla man topic create | man -l -",
    arguments,
    run,
};

fn arguments(command: clap::Command) -> clap::Command {
    command.arg(Arg::new("command").num_args(0..).help("The words of a command"))
}

fn run(_: &Context, matches: &ArgMatches) -> Result<Report, Failure> {
    let mut page = crate::tree::whole();
    page.build();
    for word in matches.get_many::<String>("command").into_iter().flatten() {
        let found = page.find_subcommand(word).cloned();
        page = found.ok_or_else(|| {
            Failure::usage(format!("there is no command {word:?}")).hint("`ottla --help` lists the commands")
        })?;
    }
    let mut text = Vec::new();
    clap_mangen::Man::new(page)
        .render(&mut text)
        .map_err(|error| Failure::failed(format!("the page cannot be made: {error}")))?;
    crate::tree::print(&text)?;
    Ok(Report::silent())
}
