//! `ottla profile create`

use clap::ArgMatches;
use serde_json::json;

use crate::arguments::{switch, value};
use crate::profile::{Profile, Profiles, is_name, with_current, with_profile};
use crate::{Column, Command, Context, Failure, Format, Report};

pub const COMMAND: Command = Command {
    path: &["profile", "create"],
    about: "Name a cluster: -b, --timeout and -o as given are kept; the first one is used from then on",
    example: "ottla profile create prod -b kafka-1:9092,kafka-2:9092 --protected",
    arguments: |command| {
        command
            .arg(clap::Arg::new("name").required(true).help("Its name"))
            .arg(switch("protected", "What destroys needs --confirm NAME as well"))
            .arg(switch("use", "Use it from now on"))
    },
    run,
};

const COLUMNS: &[Column] = &[
    Column::new("profile"),
    Column::new("current"),
    Column::new("bootstrap"),
    Column::new("protected"),
    Column::new("file"),
];

fn run(context: &Context, matches: &ArgMatches) -> Result<Report, Failure> {
    let name = value(matches, "name").unwrap_or_default();
    if !is_name(name) {
        return Err(Failure::usage(format!(
            "{name:?} is no name for a profile: use letters, digits, - and _"
        )));
    }
    let bootstrap = value(matches, "bootstrap").map(str::to_owned);
    if bootstrap.is_none() {
        return Err(Failure::usage("where is the cluster?").hint("add -b HOST:PORT"));
    }
    let output = value(matches, "output").map(str::to_owned);
    output.as_deref().map(Format::named).transpose()?;
    let (path, text) = super::user_file()?;
    let known = Profiles::parse(&text, &path)?;
    if known.all.contains_key(name) {
        return Err(Failure::failed(format!("there is a profile {name:?} already"))
            .hint("`ottla profile edit` changes it"));
    }
    let profile = Profile {
        bootstrap,
        timeout: matches.get_one::<u64>("timeout").copied(),
        output,
        protected: matches.get_flag("protected"),
        file: path.clone(),
    };
    let mut text = with_profile(&text, name, &profile);
    let current = matches.get_flag("use") || known.current.is_none();
    if current {
        text = with_current(&text, name);
    }
    if !context.dry_run {
        super::write(&path, &text)?;
    }
    let row = json!({
        "profile": name,
        "current": current,
        "bootstrap": profile.bootstrap,
        "protected": profile.protected,
        "file": path.display().to_string(),
    });
    let mut report = Report::of("profiles", COLUMNS, vec![row]);
    report.dry_run = context.dry_run;
    Ok(report)
}
