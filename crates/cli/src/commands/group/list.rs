//! `ottla group list`

use clap::ArgMatches;
use serde_json::json;

use crate::arguments::{option, value};
use crate::connect::{failure, with_admin};
use crate::{Column, Command, Context, Failure, Report};

pub const COMMAND: Command = Command {
    path: &["group", "list"],
    about: "List the groups",
    example: "ottla group list --state stable",
    arguments: |command| {
        command.arg(option(
            "state",
            "STATE",
            "Only groups in this state, such as stable or empty",
        ))
    },
    run,
};

const COLUMNS: &[Column] = &[
    Column::new("group"),
    Column::new("state"),
    Column::new("type"),
    Column::wide("protocol_type"),
];

fn run(context: &Context, matches: &ArgMatches) -> Result<Report, Failure> {
    let state = value(matches, "state");
    with_admin(context, async |admin| {
        let groups = admin
            .list_groups()
            .await
            .map_err(|error| failure(context, &error))?;
        let shown = groups
            .iter()
            .filter(|group| state.is_none_or(|state| state.eq_ignore_ascii_case(&group.state)));
        let row = |group: &client::GroupListing| {
            json!({
                "group": group.group,
                "state": group.state,
                "type": group.group_type,
                "protocol_type": group.protocol_type,
            })
        };
        Ok(Report::of("groups", COLUMNS, shown.map(row).collect()))
    })
}
