//! `--list`, with states and types.

use client::{Admin, GroupListing};

use super::super::Output;
use super::super::options::Options;

pub(super) async fn run(options: &Options, admin: &Admin, output: &mut Output) -> client::Result<()> {
    let all = admin.list_groups().await?;
    let groups = all
        .into_iter()
        .filter(|group| matches!(group.protocol_type.as_str(), "" | "consumer"));
    let (with_type, with_state) = (options.has("type"), options.has("state"));
    if !with_type && !with_state {
        groups.for_each(|group| output.line(group.group));
        return Ok(());
    }
    let states = wanted(options.value("state"));
    let types = wanted(options.value("type"));
    let has =
        |wanted: &[String], value: &str| wanted.is_empty() || wanted.iter().any(|one| *one == plain(value));
    let shown: Vec<GroupListing> = groups
        .filter(|group| has(&states, &group.state) && has(&types, &group.group_type))
        .collect();
    let width = shown
        .iter()
        .map(|group| group.group.len())
        .max()
        .unwrap_or(15)
        .max(15)
        + 10;
    let mut row = |group: &str, kind: &str, state: &str| {
        let mut line = format!("{group:<width$}");
        if with_type {
            line.push_str(&format!(" {kind:<20}"));
        }
        if with_state {
            line.push_str(&format!(" {state:<20}"));
        }
        output.line(line);
    };
    row("GROUP", "TYPE", "STATE");
    for group in &shown {
        row(&group.group, &capitalized(&group.group_type), &group.state);
    }
    Ok(())
}

fn wanted(text: Option<&str>) -> Vec<String> {
    let words = text.unwrap_or_default().split(',').map(plain);
    words.filter(|word| !word.is_empty()).collect()
}

/// States are compared without case, blanks and underscores.
fn plain(text: &str) -> String {
    let letters = text.chars().filter(char::is_ascii_alphanumeric);
    letters.map(|c| c.to_ascii_lowercase()).collect()
}

fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => first.to_ascii_uppercase().to_string() + letters.as_str(),
        None => "Unknown".to_owned(),
    }
}
