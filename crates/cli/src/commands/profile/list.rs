//! `ottla profile list`

use serde_json::json;

use crate::profile::Profiles;
use crate::{Column, Command, Report};

pub const COMMAND: Command = Command {
    path: &["profile", "list"],
    about: "List the named clusters, of the user's file and of the project's",
    example: "ottla profile list",
    arguments: |command| command,
    run: |_, _| {
        let profiles = Profiles::load()?;
        let rows = profiles.all.iter().map(|(name, profile)| {
            json!({
                "profile": name,
                "current": profiles.current.as_ref() == Some(name),
                "bootstrap": profile.bootstrap,
                "protected": profile.protected,
                "timeout": profile.timeout,
                "output": profile.output,
                "file": profile.file.display().to_string(),
            })
        });
        Ok(Report::of("profiles", COLUMNS, rows.collect()))
    },
};

const COLUMNS: &[Column] = &[
    Column::new("profile"),
    Column::new("current"),
    Column::new("bootstrap"),
    Column::new("protected"),
    Column::wide("timeout"),
    Column::wide("output"),
    Column::wide("file"),
];
