//! `kafka-consumer-groups.sh` (`ConsumerGroupCommand` of Kafka 4.3).

mod delete;
mod describe;
mod list;
mod reset;

use client::Admin;

use super::connect;
use super::options::{Flag, Options, flag, perhaps, valued};
use super::{Output, Stop, Tool};

pub(super) static TOOL: Tool = Tool {
    name: "kafka-consumer-groups",
    about: "Lists, describes, resets and deletes consumer groups and their offsets.",
    flags: FLAGS,
    run,
};

const FLAGS: &[Flag] = &[
    valued(
        "bootstrap-server",
        "the cluster, host:port[,host:port...]; needed",
    ),
    valued("command-config", "a properties file for the client"),
    valued("group", "a group; may come more than once"),
    flag("all-groups", "every group"),
    flag("list", "list the groups"),
    flag(
        "describe",
        "show offsets and lag, or with --members or --state those",
    ),
    flag("delete", "delete groups"),
    flag("reset-offsets", "commit other offsets for groups without members"),
    flag("delete-offsets", "delete committed offsets of topics"),
    valued("topic", "topic or topic:0,1; may come more than once"),
    flag("all-topics", "every topic of the group"),
    perhaps(
        "state",
        "with --list: only these states; with --describe: show the state",
    ),
    perhaps("type", "with --list: only these types"),
    flag("members", "describe members"),
    flag("offsets", "describe offsets, which is the default"),
    flag("verbose", "describe more"),
    flag("dry-run", "reset: only show"),
    flag("execute", "reset: do it"),
    flag("export", "reset: print CSV"),
    valued("from-file", "reset: to the offsets of a CSV file"),
    valued("to-offset", "reset: to this offset"),
    valued("to-datetime", "reset: to a time, 2026-01-31T12:00:00.000"),
    valued("by-duration", "reset: to so long ago, PnDTnHnMnS"),
    flag("to-earliest", "reset: to the first offset"),
    flag("to-latest", "reset: to the next offset"),
    flag("to-current", "reset: to what is committed now"),
    valued("shift-by", "reset: so many records on, or back"),
    valued("timeout", "ms that a call may take"),
    valued("validate-regex", "not served yet"),
    flag("help", "show this"),
    flag("version", "show the version"),
];

const ACTIONS: &[&str] = &[
    "list",
    "describe",
    "delete",
    "reset-offsets",
    "delete-offsets",
    "validate-regex",
];
const ONE_ACTION: &str = "Command must include exactly one action: --list, --describe, --delete, --reset-offsets, \
                          --delete-offsets, --validate-regex";

fn run(options: &Options, output: &mut Output) -> Result<(), Stop> {
    let action = options.action(ACTIONS, ONE_ACTION)?;
    if action == "validate-regex" {
        return Err(Stop::Usage("--validate-regex is not served yet".to_owned()));
    }
    options.required("bootstrap-server")?;
    if matches!(action, "describe" | "delete" | "reset-offsets")
        && !options.has("group")
        && !options.has("all-groups")
    {
        return Err(Stop::Usage(format!(
            "Option [{action}] takes one of these options: [group], [all-groups]"
        )));
    }
    if action == "reset-offsets" {
        reset::check(options, output)?;
    }
    if action == "delete-offsets" && !(options.has("group") && options.has("topic")) {
        return Err(Stop::Usage(
            "Option [delete-offsets] takes the following options: [topic], [group]".to_owned(),
        ));
    }
    connect::with_admin(options, async |admin| {
        let done = match action {
            "list" => list::run(options, &admin, output).await,
            "describe" => describe::run(options, &admin, output).await,
            "delete" => delete::groups(options, &admin, output).await,
            "delete-offsets" => delete::offsets(options, &admin, output).await,
            _ => reset::run(options, &admin, output).await,
        };
        // The tool reports a failed call and ends as if nothing had happened; scripts know it so.
        if let Err(error) = done {
            let said = connect::exception(&error);
            error_lines(
                output,
                &format!("Executing consumer group command failed due to {said}"),
            );
        }
        Ok(())
    })
}

/// The way in which the tool says that something is wrong.
fn error_lines(output: &mut Output, message: &str) {
    output.line(format!("\nError: {message}"));
}

/// The groups that the flags name.
async fn groups(options: &Options, admin: &Admin) -> client::Result<Vec<String>> {
    if !options.has("all-groups") {
        return Ok(options.values("group").into_iter().map(str::to_owned).collect());
    }
    let all = admin.list_groups().await?;
    let consumers = all
        .into_iter()
        .filter(|group| matches!(group.protocol_type.as_str(), "" | "consumer"));
    Ok(consumers.map(|group| group.group).collect())
}
