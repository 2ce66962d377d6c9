//! `ottla completion`: the script by which a shell completes commands, flags, topics and groups.

use clap::{Arg, ArgMatches};
use clap_complete::Shell;

use crate::{Command, Context, Failure, Report};

pub const COMMAND: Command = Command {
    path: &["completion"],
    about: "Print the script by which a shell completes commands, flags, and the cluster's topics and groups",
    example: "ottla completion bash > ~/.local/share/bash-completion/completions/ottla",
    arguments,
    run,
};

fn arguments(command: clap::Command) -> clap::Command {
    let shells = ["bash", "zsh", "fish", "powershell"];
    command.arg(
        Arg::new("shell")
            .required(true)
            .value_parser(shells)
            .help("Which shell; powershell's completes commands and flags alone"),
    )
}

/// The line up to the cursor is split by hand: bash itself would split `host:9092` and `--output=json`.
const BASH: &str = r#"_ottla() {
  local words current cut line=${COMP_LINE:0:COMP_POINT}
  read -ra words <<< "$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  current=${words[-1]}
  mapfile -t COMPREPLY < <("${words[0]}" __complete "${words[@]:1}" 2> /dev/null)
  cut=${current%"${current##*[=:]}"}
  COMPREPLY=("${COMPREPLY[@]#"$cut"}")
}
complete -o default -F _ottla ottla
"#;

const ZSH: &str = r#"#compdef ottla
_ottla() {
  local -a found
  found=("${(@f)$("${words[1]}" __complete "${(@)words[2,CURRENT]}" 2> /dev/null)}")
  if [[ -n ${found[1]} ]]; then compadd -a found; else _files; fi
}
if [[ ${funcstack[1]} == _ottla ]]; then _ottla "$@"; else compdef _ottla ottla; fi
"#;

/// fish's own files are left out, and asked for where there is nothing else.
const FISH: &str = r#"function __ottla_complete
    set -l before (commandline -opc)
    set -l found ($before[1] __complete $before[2..-1] (commandline -ct) 2> /dev/null)
    if count $found > /dev/null
        printf '%s\n' $found
    else
        __fish_complete_path (commandline -ct)
    end
end
complete -c ottla -f -a '(__ottla_complete)'
"#;

fn run(_: &Context, matches: &ArgMatches) -> Result<Report, Failure> {
    let mut made = Vec::new();
    let script = match matches.get_one::<String>("shell").map(String::as_str) {
        Some("zsh") => ZSH.as_bytes(),
        Some("fish") => FISH.as_bytes(),
        Some("powershell") => {
            clap_complete::generate(Shell::PowerShell, &mut crate::tree::whole(), "ottla", &mut made);
            &made
        }
        _ => BASH.as_bytes(),
    };
    crate::tree::print(script)?;
    Ok(Report::silent())
}
