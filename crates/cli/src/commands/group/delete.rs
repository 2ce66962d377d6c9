//! `ottla group delete`

use clap::ArgMatches;
use serde_json::json;

use crate::arguments::{names, values};
use crate::connect::{failure, note_failure, with_admin};
use crate::{Column, Command, Context, Failure, Report};

pub const COMMAND: Command = Command {
    path: &["group", "delete"],
    about: "Delete groups that have no members, and what they have committed",
    example: "ottla group delete billing --yes",
    arguments: |command| command.arg(names("group", "Their ids")),
    run,
};

const COLUMNS: &[Column] = &[Column::new("group"), Column::new("deleted")];

fn run(context: &Context, matches: &ArgMatches) -> Result<Report, Failure> {
    let groups = values(matches, "group");
    context.confirm(&format!("deleting {} with their offsets", groups.join(", ")))?;
    with_admin(context, async |admin| {
        let failed = |error: client::Error| failure(context, &error);
        let mut report = Report::new("groups", COLUMNS);
        report.dry_run = context.dry_run;
        let outcomes: Vec<(String, client::Result<()>)> = match context.dry_run {
            true => {
                let described = admin.describe_groups(&groups).await.map_err(failed)?;
                described
                    .into_iter()
                    .map(|(id, group)| (id, group.map(|_| ())))
                    .collect()
            }
            false => admin.delete_groups(&groups).await.map_err(failed)?,
        };
        for (id, outcome) in outcomes {
            match outcome {
                Ok(()) => report
                    .rows
                    .push(json!({"group": id, "deleted": !context.dry_run})),
                Err(error) => note_failure(&mut report, context, &id, &error),
            }
        }
        Ok(report)
    })
}
