//! `--reset-offsets`: plan, show or export, and commit with `--execute`.

use std::collections::BTreeMap;

use client::{Admin, CommittedOffset, Offset, OffsetSpec, TopicPartition};

use super::super::options::Options;
use super::super::{Output, Stop};
use super::{delete, error_lines, groups};
use crate::{offsets, when};

const SCENARIOS: &[&str] = &[
    "to-offset",
    "to-datetime",
    "by-duration",
    "to-earliest",
    "to-latest",
    "to-current",
    "shift-by",
    "from-file",
];
const ONE_SCENARIO: &str = "Option '[reset-offsets]' requires one of the following scenarios: [[from-file], \
                            [shift-by], [to-offset], [to-earliest], [to-current], [to-latest], [by-duration], \
                            [to-datetime]]";
const NO_EXECUTE: &str = "WARN: No action will be performed as the --execute option is missing. In version 5.0, \
                          this command will require either --dry-run or --execute to be specified. You should add \
                          the --dry-run option explicitly if you are scripting this command and want to keep the \
                          current default behavior without prompting.";

pub(super) fn check(options: &Options, output: &mut Output) -> Result<(), Stop> {
    options
        .has("dry-run")
        .then(|| options.refuse("dry-run", &["execute"]))
        .transpose()?;
    if !options.has("dry-run") && !options.has("execute") {
        output.error_line(NO_EXECUTE);
    }
    options.action(SCENARIOS, ONE_SCENARIO)?;
    if !options.has("all-topics") && !options.has("topic") && !options.has("from-file") {
        let message = "One of the reset scopes should be defined: --all-topics, --topic.";
        return Err(Stop::Usage(message.to_owned()));
    }
    Ok(())
}

type Plan = Vec<(TopicPartition, Offset)>;

pub(super) async fn run(options: &Options, admin: &Admin, output: &mut Output) -> client::Result<()> {
    let mut plans: Vec<(String, Plan)> = Vec::new();
    for group in groups(options, admin).await? {
        if let Some(state) = state(admin, &group)
            .await?
            .filter(|state| !matches!(state.as_str(), "Empty" | "Dead"))
        {
            error_lines(
                output,
                &format!(
                    "Assignments can only be reset if the group '{group}' is inactive, but the current state is {state}."
                ),
            );
            continue;
        }
        let plan = match plan(options, admin, &group).await? {
            Ok(plan) => plan,
            Err(message) => {
                error_lines(output, &message);
                return Ok(());
            }
        };
        if options.has("execute") {
            let commits: Vec<_> = plan
                .iter()
                .map(|(name, offset)| (name.clone(), CommittedOffset::new(*offset)))
                .collect();
            for (_, outcome) in admin.alter_offsets(&group, &commits).await? {
                outcome?;
            }
        }
        plans.push((group, plan));
    }
    match options.has("export") {
        true => export(&plans, output),
        false => show(&plans, output),
    }
    Ok(())
}

/// A group's state; none if there is no such group, which a reset makes.
async fn state(admin: &Admin, group: &str) -> client::Result<Option<String>> {
    let described = admin
        .describe_groups(&[group])
        .await?
        .pop()
        .map(|(_, described)| described);
    match described.transpose() {
        Ok(described) => Ok(described.map(|described| described.state)),
        Err(error) if error.code() == Some(client::ErrorCode::GroupIdNotFound) => Ok(None),
        Err(error) => Err(error),
    }
}

async fn plan(options: &Options, admin: &Admin, group: &str) -> client::Result<Result<Plan, String>> {
    let committed: BTreeMap<TopicPartition, Offset> = admin
        .committed_offsets(group, None)
        .await?
        .into_iter()
        .map(|(name, committed)| (name, committed.offset))
        .collect();
    if let Some(path) = options.value("from-file") {
        return from_file(admin, group, path).await;
    }
    let names = match options.has("topic") {
        true => delete::scope(options, admin).await?,
        false => committed.keys().cloned().collect(),
    };
    let now = crate::now_ms();
    let place = if options.has("to-earliest") {
        OffsetSpec::Earliest
    } else if options.has("to-latest") {
        OffsetSpec::Latest
    } else if let Some(text) = options.value("to-datetime") {
        match when::date(text) {
            Some(ms) => OffsetSpec::At(ms),
            None => {
                return Ok(Err(format!(
                    "Error parsing resetting offsets by datetime: {text}"
                )));
            }
        }
    } else if let Some(text) = options.value("by-duration") {
        match duration(text) {
            Some(span) => OffsetSpec::At(now - span),
            None => {
                return Ok(Err(format!(
                    "Error parsing resetting offsets by duration: {text}"
                )));
            }
        }
    } else {
        return moved(options, admin, &names, &committed).await;
    };
    offsets::lookup(admin, &names, place).await.map(Ok)
}

/// `--to-offset`, `--shift-by` and `--to-current`, kept within the log.
async fn moved(
    options: &Options,
    admin: &Admin,
    names: &[TopicPartition],
    committed: &BTreeMap<TopicPartition, Offset>,
) -> client::Result<Result<Plan, String>> {
    let number = |flag: &str| {
        options
            .value(flag)
            .map(|text| text.parse::<i64>().map_err(|_| text.to_owned()))
    };
    let aims: Plan = match (number("to-offset"), number("shift-by")) {
        (Some(Err(text)), _) | (_, Some(Err(text))) => {
            return Ok(Err(format!("{text} is no number")));
        }
        (Some(Ok(offset)), _) => names.iter().map(|name| (name.clone(), Offset(offset))).collect(),
        (None, Some(Ok(by))) => {
            let mut aims = Plan::new();
            for name in names {
                let Some(at) = committed.get(name) else {
                    return Ok(Err(format!(
                        "Cannot shift offset for partition {name} since there is no current committed offset"
                    )));
                };
                aims.push((name.clone(), Offset(at.0.saturating_add(by))));
            }
            aims
        }
        (None, None) => {
            let (known, unknown): (Vec<_>, Vec<_>) = names
                .iter()
                .cloned()
                .partition(|name| committed.contains_key(name));
            let mut aims: Plan = known
                .into_iter()
                .filter_map(|name| Some((name.clone(), *committed.get(&name)?)))
                .collect();
            aims.extend(offsets::lookup(admin, &unknown, OffsetSpec::Latest).await?);
            return Ok(Ok(aims));
        }
    };
    offsets::within(admin, aims).await.map(Ok)
}

/// `topic,partition,offset` lines, or `group,topic,partition,offset`.
async fn from_file(admin: &Admin, group: &str, path: &str) -> client::Result<Result<Plan, String>> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => return Ok(Err(format!("{path}: {error}"))),
    };
    let mut aims = Plan::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let cells: Vec<&str> = line.split(',').map(str::trim).collect();
        let (of, cells) = match cells.as_slice() {
            [of, rest @ ..] if rest.len() == 3 => (*of, rest),
            rest => (group, rest),
        };
        let parsed = match cells {
            [topic, partition, offset] => partition
                .parse()
                .ok()
                .zip(offset.parse().ok())
                .map(|(partition, offset)| (TopicPartition::new(*topic, partition), Offset(offset))),
            _ => None,
        };
        match parsed {
            Some(aim) if of == group => aims.push(aim),
            Some(_) => {}
            None => {
                return Ok(Err(format!(
                    "{path}: {line:?} is not of the form topic,partition,offset"
                )));
            }
        }
    }
    offsets::within(admin, aims).await.map(Ok)
}

/// `PnDTnHnMnS`, in ms.
fn duration(text: &str) -> Option<i64> {
    let rest = text.trim().strip_prefix('P')?;
    let (days, clock) = rest.split_once('T').unwrap_or((rest, ""));
    let mut total = match days {
        "" => 0,
        days => days
            .strip_suffix('D')?
            .parse::<i64>()
            .ok()?
            .checked_mul(86_400_000)?,
    };
    let mut digits = String::new();
    for c in clock.chars() {
        let unit = match c {
            'H' => 3_600_000.0,
            'M' => 60_000.0,
            'S' => 1000.0,
            c => {
                digits.push(c);
                continue;
            }
        };
        let count: f64 = std::mem::take(&mut digits).parse().ok()?;
        total += (count * unit) as i64;
    }
    digits.is_empty().then_some(total)
}

fn show(plans: &[(String, Plan)], output: &mut Output) {
    let rows = || {
        plans
            .iter()
            .flat_map(|(group, plan)| plan.iter().map(move |(name, offset)| (group, name, offset)))
    };
    let wide = rows().map(|(group, ..)| group.len()).max().unwrap_or(0).max(15);
    let far = rows()
        .map(|(_, name, _)| name.topic.len())
        .max()
        .unwrap_or(0)
        .max(15);
    output.push(&format!(
        "\n{:<wide$} {:<far$} {:<10} {}",
        "GROUP", "TOPIC", "PARTITION", "NEW-OFFSET"
    ));
    for (group, name, offset) in rows() {
        output.push(&format!(
            "\n{group:<wide$} {:<far$} {:<10} {}",
            name.topic, name.partition, offset.0
        ));
    }
    output.push("\n");
}

fn export(plans: &[(String, Plan)], output: &mut Output) {
    let several = 1 < plans.len();
    for (group, plan) in plans {
        for (name, offset) in plan {
            let group = if several {
                format!("{group},")
            } else {
                String::new()
            };
            output.line(format!("{group}{},{},{}", name.topic, name.partition, offset.0));
        }
    }
    output.line("");
}

#[cfg(test)]
mod tests {
    #[test]
    fn durations_are_those_of_iso_8601() {
        assert_eq!(super::duration("PT1H30M"), Some(5_400_000));
        assert_eq!(super::duration("P1DT0.5S"), Some(86_400_500));
        assert_eq!(super::duration("1H"), None);
        assert_eq!(super::duration("PT5"), None);
    }
}
