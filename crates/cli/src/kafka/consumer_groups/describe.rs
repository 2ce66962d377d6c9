//! `--describe`: offsets and lag, members, or the state.

use std::collections::{BTreeMap, BTreeSet};

use client::{Admin, GroupDescription, GroupMember, OffsetSpec, TopicPartition};

use super::super::Output;
use super::super::options::Options;
use super::groups;
use crate::offsets;

pub(super) async fn run(options: &Options, admin: &Admin, output: &mut Output) -> client::Result<()> {
    let names = groups(options, admin).await?;
    let ids: Vec<&str> = names.iter().map(String::as_str).collect();
    for (id, group) in admin.describe_groups(&ids).await? {
        let group = group?;
        if options.has("members") {
            members(options, &id, &group, output);
        } else if options.has("state") {
            state(admin, &id, &group, output).await?;
        } else {
            partitions(options, admin, &id, &group, output).await?;
        }
    }
    Ok(())
}

/// Says on stderr what there is to say about the state; false if there is nothing to show.
fn announce(id: &str, group: &GroupDescription, output: &mut Output) -> bool {
    match group.state.as_str() {
        "Empty" => output.error_line(format!("\nConsumer group '{id}' has no active members.")),
        "Dead" => output.line(format!("\nError: Consumer group '{id}' does not exist.")),
        "Stable" => {}
        _ => output.error_line(format!("\nWarning: Consumer group '{id}' is rebalancing.")),
    }
    group.state != "Dead"
}

struct Row<'a> {
    partition: Option<TopicPartition>,
    leader_epoch: Option<i32>,
    committed: Option<i64>,
    end: Option<i64>,
    member: Option<&'a GroupMember>,
}

async fn partitions(
    options: &Options,
    admin: &Admin,
    id: &str,
    group: &GroupDescription,
    output: &mut Output,
) -> client::Result<()> {
    let committed: BTreeMap<_, _> = admin.committed_offsets(id, None).await?.into_iter().collect();
    let mut owned = BTreeSet::new();
    let mut rows = Vec::new();
    let mut members: Vec<&GroupMember> = group.members.iter().collect();
    members.sort_by_key(|member| std::cmp::Reverse(member.assignment.len()));
    for member in members {
        let mut assignment = member.assignment.clone();
        assignment.sort();
        if assignment.is_empty() {
            rows.push((None, Some(member)));
        }
        for partition in assignment {
            owned.insert(partition.clone());
            rows.push((Some(partition), Some(member)));
        }
    }
    rows.extend(
        committed
            .keys()
            .filter(|name| !owned.contains(*name))
            .map(|name| (Some(name.clone()), None)),
    );
    let names: Vec<TopicPartition> = rows.iter().filter_map(|(name, _)| name.clone()).collect();
    let ends: BTreeMap<_, _> = offsets::lookup(admin, &names, OffsetSpec::Latest)
        .await?
        .into_iter()
        .collect();
    let row = |(partition, member): (Option<TopicPartition>, Option<_>)| {
        let at = partition.as_ref().and_then(|name| committed.get(name));
        Row {
            leader_epoch: at.map(|at| at.leader_epoch.0).filter(|epoch| 0 <= *epoch),
            committed: at.map(|at| at.offset.0),
            end: partition
                .as_ref()
                .and_then(|name| ends.get(name))
                .map(|end| end.0),
            partition,
            member,
        }
    };
    let rows: Vec<Row<'_>> = rows.into_iter().map(row).collect();
    if announce(id, group, output) && !rows.is_empty() {
        table(id, options.has("verbose"), &rows, output);
    }
    Ok(())
}

fn table(id: &str, verbose: bool, rows: &[Row<'_>], output: &mut Output) {
    let dash = || "-".to_owned();
    let text = |value: Option<String>| value.unwrap_or_else(dash);
    let mut lines = vec![
        [
            "GROUP",
            "TOPIC",
            "PARTITION",
            "LEADER-EPOCH",
            "CURRENT-OFFSET",
            "LOG-END-OFFSET",
            "LAG",
            "CONSUMER-ID",
            "HOST",
            "CLIENT-ID",
        ]
        .map(str::to_owned),
    ];
    for row in rows {
        let lag = row.committed.zip(row.end).map(|(at, end)| end - at);
        lines.push([
            id.to_owned(),
            text(row.partition.as_ref().map(|name| name.topic.to_string())),
            text(row.partition.as_ref().map(|name| name.partition.to_string())),
            text(row.leader_epoch.map(|epoch| epoch.to_string())),
            text(row.committed.map(|offset| offset.to_string())),
            text(row.end.map(|offset| offset.to_string())),
            text(lag.map(|lag| lag.to_string())),
            text(row.member.map(|member| member.member_id.clone())),
            text(row.member.map(|member| member.host.clone())),
            text(row.member.map(|member| member.client_id.clone())),
        ]);
    }
    // Columns whose width follows their content: group, topic, consumer id, host.
    let fitted = |column: usize| {
        let cells = lines.iter().filter_map(|line| line.get(column));
        cells.map(String::len).max().unwrap_or(0).max(15)
    };
    let widths = [fitted(0), fitted(1), 10, 15, 15, 15, 15, fitted(7), fitted(8), 0];
    for line in &lines {
        output.push("\n");
        let cells = line.iter().zip(widths).enumerate();
        let cells = cells.filter(|(column, _)| verbose || *column != 3);
        let cells: Vec<String> = cells
            .map(|(_, (cell, width))| format!("{cell:<width$}"))
            .collect();
        output.push(&cells.join(" "));
    }
    output.push("\n");
}

/// `topic(0,1)` for each topic.
fn assignment(member: &GroupMember) -> String {
    let mut topics: BTreeMap<&str, Vec<i32>> = BTreeMap::new();
    for name in &member.assignment {
        topics.entry(&name.topic).or_default().push(name.partition);
    }
    let one = |(topic, mut partitions): (&str, Vec<i32>)| {
        partitions.sort_unstable();
        let each: Vec<String> = partitions.iter().map(ToString::to_string).collect();
        format!("{topic}:{}", each.join(","))
    };
    let each: Vec<String> = topics.into_iter().map(one).collect();
    if each.is_empty() {
        "-".to_owned()
    } else {
        each.join(";")
    }
}

fn members(options: &Options, id: &str, group: &GroupDescription, output: &mut Output) {
    if !announce(id, group, output) {
        return;
    }
    let statics = group.members.iter().any(|member| member.instance_id.is_some());
    let verbose = options.has("verbose");
    let mut lines = vec![
        [
            "GROUP",
            "CONSUMER-ID",
            "GROUP-INSTANCE-ID",
            "HOST",
            "CLIENT-ID",
            "#PARTITIONS",
            "CURRENT-EPOCH",
            "CURRENT-ASSIGNMENT",
            "TARGET-EPOCH",
            "TARGET-ASSIGNMENT",
        ]
        .map(str::to_owned),
    ];
    let mut members: Vec<&GroupMember> = group.members.iter().collect();
    members.sort_by_key(|member| std::cmp::Reverse(member.assignment.len()));
    for member in members {
        lines.push([
            id.to_owned(),
            member.member_id.clone(),
            member.instance_id.clone().unwrap_or_default(),
            member.host.clone(),
            member.client_id.clone(),
            member.assignment.len().to_string(),
            "-".to_owned(),
            assignment(member),
            "-".to_owned(),
            "-".to_owned(),
        ]);
    }
    let fitted = |column: usize, least: usize| {
        let cells = lines.iter().filter_map(|line| line.get(column));
        cells.map(String::len).max().unwrap_or(0).max(least)
    };
    let widths = [
        fitted(0, 15),
        fitted(1, 15),
        fitted(2, 17),
        fitted(3, 15),
        fitted(4, 15),
        15,
        15,
        fitted(7, 20),
        15,
        fitted(9, 20),
    ];
    for line in &lines {
        output.push("\n");
        for (column, (cell, width)) in line.iter().zip(widths).enumerate() {
            let shown = (column != 2 || statics) && (column < 6 || verbose);
            if shown {
                output.push(&format!("{cell:<width$} "));
            }
        }
        if verbose {
            // The last column is followed by nothing.
            output.out.pop();
        }
    }
    output.push("\n");
}

async fn state(admin: &Admin, id: &str, group: &GroupDescription, output: &mut Output) -> client::Result<()> {
    let brokers = admin.describe_cluster().await?.brokers;
    let broker = brokers.iter().find(|broker| broker.id == group.coordinator);
    let coordinator = match broker {
        Some(broker) => format!("{}:{}  ({})", broker.host, broker.port, broker.id.0),
        None => format!("-  ({})", group.coordinator.0),
    };
    if !announce(id, group, output) {
        return Ok(());
    }
    let strategy = if group.assignor.is_empty() {
        "-"
    } else {
        group.assignor.as_str()
    };
    let (wide, far) = (id.len().max(15), coordinator.len().max(25));
    let mut row = |cells: [&str; 5]| {
        let [group, coordinator, strategy, state, members] = cells;
        output.push(&format!(
            "\n{group:<wide$} {coordinator:<far$} {strategy:<20} {state:<20} {members}"
        ));
    };
    row([
        "GROUP",
        "COORDINATOR (ID)",
        "ASSIGNMENT-STRATEGY",
        "STATE",
        "#MEMBERS",
    ]);
    row([
        id,
        &coordinator,
        strategy,
        &group.state,
        &group.members.len().to_string(),
    ]);
    output.push("\n");
    Ok(())
}
