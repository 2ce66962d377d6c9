//! `ottla profile show`

use serde_json::json;

use crate::arguments::value;
use crate::context::Context;
use crate::profile::Profiles;
use crate::{Column, Command, Report};

pub const COMMAND: Command = Command {
    path: &["profile", "show"],
    about: "Show what holds now: flags, then the environment, then the profile, then the defaults",
    example: "ottla profile show prod",
    arguments: |command| command.arg(clap::Arg::new("name").help("Another profile than the one in use")),
    run: |_, matches| {
        let mut profiles = Profiles::load()?;
        if let Some(name) = value(matches, "name") {
            profiles.named(name)?;
            profiles.current = Some(name.to_owned());
        }
        let environment = |name: &str| std::env::var(name).ok();
        let context = Context::resolve(matches, &environment, Some(&profiles))?;
        let row = json!({
            "profile": context.profile,
            "bootstrap": context.bootstrap,
            "timeout": context.timeout.as_secs(),
            "protected": context.protected,
        });
        Ok(Report::of("profile", COLUMNS, vec![row]))
    },
};

const COLUMNS: &[Column] = &[
    Column::new("profile"),
    Column::new("bootstrap"),
    Column::new("timeout"),
    Column::new("protected"),
];
