//! `ottla profile use`

use serde_json::json;

use crate::arguments::value;
use crate::profile::{Profiles, with_current};
use crate::{Column, Command, Report};

pub const COMMAND: Command = Command {
    path: &["profile", "use"],
    about: "Use a named cluster wherever none is given",
    example: "ottla profile use prod",
    arguments: |command| command.arg(clap::Arg::new("name").required(true).help("Its name")),
    run: |context, matches| {
        let name = value(matches, "name").unwrap_or_default();
        Profiles::load()?.named(name)?;
        let (path, text) = super::user_file()?;
        if !context.dry_run {
            super::write(&path, &with_current(&text, name))?;
        }
        let row = json!({"profile": name, "current": true, "file": path.display().to_string()});
        let mut report = Report::of("profiles", COLUMNS, vec![row]);
        report.dry_run = context.dry_run;
        Ok(report)
    },
};

const COLUMNS: &[Column] = &[
    Column::new("profile"),
    Column::new("current"),
    Column::new("file"),
];
