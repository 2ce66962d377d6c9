//! `ottla topic list`

use clap::ArgMatches;
use serde_json::json;

use crate::arguments::switch;
use crate::connect::{failure, with_admin};
use crate::{Column, Command, Context, Failure, Report};

pub const COMMAND: Command = Command {
    path: &["topic", "list"],
    about: "List the topics",
    example: "ottla topic list -o json",
    arguments: |command| command.arg(switch("internal", "Kafka's own topics, too")),
    run,
};

const COLUMNS: &[Column] = &[
    Column::new("topic"),
    Column::new("partitions"),
    Column::wide("internal"),
    Column::wide("topic_id"),
];

fn run(context: &Context, matches: &ArgMatches) -> Result<Report, Failure> {
    let internal = matches.get_flag("internal");
    with_admin(context, async |admin| {
        let topics = admin
            .list_topics()
            .await
            .map_err(|error| failure(context, &error))?;
        let shown = topics.iter().filter(|topic| internal || !topic.internal);
        let row = |topic: &client::TopicListing| {
            json!({
                "topic": topic.name,
                "partitions": topic.partitions,
                "internal": topic.internal,
                "topic_id": topic.id.to_string(),
            })
        };
        Ok(Report::of("topics", COLUMNS, shown.map(row).collect()))
    })
}
