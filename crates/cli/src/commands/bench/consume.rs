//! `ottla bench consume`

use std::time::Duration;

use clap::ArgMatches;
use client::{Client, ConsumerConfig, Isolation, Reset};
use tokio::time::Instant;

use super::figures::{self, Measured};
use crate::arguments::{number, option, switch, value};
use crate::connect::{failure, with_client};
use crate::progress::{Progress, thousands};
use crate::when::Place;
use crate::{Command, Context, Failure, Report, offsets};

pub const COMMAND: Command = Command {
    path: &["bench", "consume"],
    about: "Read a topic from its start and measure throughput and the client's CPU",
    example: "ottla bench consume bench -c 1000000",
    arguments,
    run,
};

fn arguments(command: clap::Command) -> clap::Command {
    command
        .arg(clap::Arg::new("topic").required(true).help("What to read"))
        .arg(
            option(
                "count",
                "N",
                "Stop after so many records (default: all that are there)",
            )
            .short('c'),
        )
        .arg(option(
            "warm-up",
            "N",
            "Records that are read before and not measured (default: none)",
        ))
        .arg(switch("committed", "Only committed records (read_committed)"))
        .arg(option(
            "fetch-size",
            "BYTES",
            "Of one partition in one answer (default: 4194304)",
        ))
}

/// Nothing for so long, although there should be: the bench ends.
const PATIENCE: Duration = Duration::from_secs(10);

struct Plan<'a> {
    topic: &'a str,
    count: Option<u64>,
    warm_up: u64,
    config: ConsumerConfig,
}

fn run(context: &Context, matches: &ArgMatches) -> Result<Report, Failure> {
    let isolation = match matches.get_flag("committed") {
        true => Isolation::ReadCommitted,
        false => Isolation::ReadUncommitted,
    };
    let plan = Plan {
        topic: value(matches, "topic").unwrap_or_default(),
        count: number(matches, "count")?,
        warm_up: number(matches, "warm-up")?.unwrap_or(0),
        config: ConsumerConfig {
            reset: Reset::Earliest,
            isolation,
            auto_commit: None,
            partition_bytes_max: number(matches, "fetch-size")?.unwrap_or(4 << 20),
            ..ConsumerConfig::default()
        },
    };
    if context.dry_run {
        return Ok(figures::planned(
            "consume",
            plan.topic,
            plan.count,
            "from the start",
        ));
    }
    with_client(context, async |client| {
        let measured = measure(&client, &plan).await;
        let measured = measured.map_err(|error| failure(context, &error))?;
        let read = measured.records;
        let mut report = figures::report(measured);
        if let Some(wanted) = plan.count.filter(|wanted| read < *wanted) {
            report.note = Some(format!(
                "{} records were there of the {} that were asked for",
                thousands(read),
                thousands(wanted)
            ));
        }
        Ok(report)
    })
}

async fn measure<'a>(client: &Client, plan: &Plan<'a>) -> client::Result<Measured<'a>> {
    let admin = client.admin();
    let names = crate::commands::partitions(&admin, plan.topic, None).await?;
    let starts = offsets::resolve(&admin, &names, Place::Earliest).await?;
    let ends = offsets::resolve(&admin, &names, Place::Latest).await?;
    let mut consumer = client.consumer(plan.config.clone())?;
    consumer.assign(&names)?;
    for (name, offset) in &starts {
        consumer.seek(name, *offset)?;
    }
    let wanted = plan.count.unwrap_or(u64::MAX);
    let (mut warm, mut records, mut bytes) = (0, 0, 0);
    let (asked, mut last) = (Instant::now(), Instant::now());
    let (mut started, mut cpu) = (asked, os::limits::cpu_time());
    let mut first_record = None;
    let mut progress = Progress::new();
    let behind_end = |consumer: &client::Consumer| {
        ends.iter()
            .all(|(name, end)| consumer.position(name).is_some_and(|position| *end <= position))
    };
    while records < wanted && !behind_end(&consumer) && last.elapsed() < PATIENCE {
        let polled = consumer.poll(Duration::from_millis(200)).await?;
        if polled.is_empty() {
            continue;
        }
        first_record.get_or_insert_with(|| asked.elapsed());
        for (_, record) in polled.iter() {
            if warm < plan.warm_up {
                warm += 1;
                if warm == plan.warm_up {
                    (started, cpu) = (Instant::now(), os::limits::cpu_time());
                }
                continue;
            }
            if wanted <= records {
                break;
            }
            records += 1;
            let length = |part: Option<&[u8]>| part.map_or(0, <[u8]>::len) as u64;
            bytes += length(record.key) + length(record.value);
        }
        last = Instant::now();
        progress.at(records, plan.count);
    }
    drop(progress);
    let took = last.saturating_duration_since(started);
    let cpu = os::limits::cpu_time().saturating_sub(cpu);
    consumer.close().await?;
    Ok(Measured {
        bench: "consume",
        topic: plan.topic,
        records,
        bytes,
        took,
        cpu,
        first_record,
        how: format!("{} partitions, from the start", names.len()),
        ..Measured::default()
    })
}
