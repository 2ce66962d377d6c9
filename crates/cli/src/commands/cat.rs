//! `ottla cat`: the row of kcat's flags, for help, manual and completion. Its words are read before the table is
//! looked at (`crate::cat`), because kcat's letters mean other things than those of all commands.

use clap::{Arg, ArgAction, ArgMatches};

use crate::{Command, Context, Failure, Report};

pub const COMMAND: Command = Command {
    path: &["cat"],
    about: "Read and write with kcat's flags",
    example: "ottla cat -b localhost:9092 -C -t orders -o beginning -e -f '%k %s\\n'",
    arguments,
    run,
};

fn arguments(command: clap::Command) -> clap::Command {
    let flag = |flag: &crate::cat::Flag| {
        // An argument needs a name of its own; nobody reads it.
        let argument = Arg::new(flag.help).short(flag.letter).help(flag.help);
        match flag.value {
            Some(value) => argument.value_name(value).action(ArgAction::Append),
            None => argument.action(ArgAction::SetTrue),
        }
    };
    // Letters that every command has are not said twice.
    let own = crate::cat::FLAGS
        .iter()
        .filter(|flag| !"obVh".contains(flag.letter));
    let files = Arg::new("argument")
        .num_args(0..)
        .help("Files to produce, or topics of a group");
    command.args(own.map(flag)).arg(files)
}

/// Only reached when the words stand behind an option of all commands, where kcat's own would be mistaken.
fn run(_: &Context, _: &ArgMatches) -> Result<Report, Failure> {
    Err(Failure::usage("options stand behind `cat`").hint("ottla cat -b HOST:PORT -C -t TOPIC"))
}
