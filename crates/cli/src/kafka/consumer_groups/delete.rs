//! `--delete` and `--delete-offsets`.

use client::{Admin, TopicPartition};

use super::super::Output;
use super::super::connect::{exception, said};
use super::super::options::Options;
use super::{error_lines, groups as named};
use crate::commands::partitions;

pub(super) async fn groups(options: &Options, admin: &Admin, output: &mut Output) -> client::Result<()> {
    let names = named(options, admin).await?;
    let ids: Vec<&str> = names.iter().map(String::as_str).collect();
    let (mut done, mut failures) = (Vec::new(), Vec::new());
    for (id, outcome) in admin.delete_groups(&ids).await? {
        match outcome {
            Ok(()) => done.push(format!("'{id}'")),
            Err(error) => {
                failures.push(format!(
                    "* Group '{id}' could not be deleted due to: {}",
                    exception(&error)
                ));
            }
        }
    }
    if failures.is_empty() {
        output.line(format!(
            "Deletion of requested consumer groups ({}) was successful.",
            done.join(", ")
        ));
        return Ok(());
    }
    error_lines(output, "Deletion of some consumer groups failed:");
    failures.iter().for_each(|failure| output.line(failure));
    if !done.is_empty() {
        output.line(format!(
            "\nThese consumer groups were deleted successfully: {}",
            done.join(", ")
        ));
    }
    Ok(())
}

pub(super) async fn offsets(options: &Options, admin: &Admin, output: &mut Output) -> client::Result<()> {
    let group = options.value("group").unwrap_or_default();
    let names = scope(options, admin).await?;
    let outcomes = match admin.delete_offsets(group, &names).await {
        Ok(outcomes) => outcomes,
        Err(error) => {
            output.line(format!(
                "Encountered an error while deleting offsets from group {group}: {}",
                said(&error)
            ));
            return Ok(());
        }
    };
    let failed = outcomes.iter().any(|(_, outcome)| outcome.is_err());
    output.line(match failed {
        false => format!("Request succeeded for deleting offsets from group {group}."),
        true => {
            format!("Encountered some partition level error, see the follow-up details for group {group}.")
        }
    });
    output.line(format!("\n{:<15} {:<10} {:<15}", "TOPIC", "PARTITION", "STATUS"));
    for (name, outcome) in outcomes {
        let status = match outcome {
            Ok(()) => "Successful".to_owned(),
            Err(error) => format!("Error: {}", said(&error)),
        };
        output.line(format!("{:<15} {:<10} {status:<15}", name.topic, name.partition));
    }
    Ok(())
}

/// The partitions that `--topic` names: `topic` or `topic:0,1`.
pub(super) async fn scope(options: &Options, admin: &Admin) -> client::Result<Vec<TopicPartition>> {
    let mut names = Vec::new();
    for text in options.values("topic") {
        match text.split_once(':') {
            Some((topic, numbers)) => {
                let numbers = numbers.split(',').filter_map(|number| number.trim().parse().ok());
                names.extend(numbers.map(|number: i32| TopicPartition::new(topic, number)));
            }
            None => names.extend(partitions(admin, text, None).await?),
        }
    }
    Ok(names)
}
