//! `ottla bench produce`

use std::collections::VecDeque;
use std::time::Duration;

use clap::ArgMatches;
use client::{Client, Delivery, NewRecord, Producer};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::figures::{self, Latencies, Measured};
use super::load::{self, Defaults, Load, Pace};
use crate::arguments::value;
use crate::connect::{failure, note_failure, with_client};
use crate::progress::Progress;
use crate::{Command, Context, Failure, Report};

pub const COMMAND: Command = Command {
    path: &["bench", "produce"],
    about: "Write records and measure throughput, the time until each is acknowledged, and the client's CPU",
    example: "ottla bench produce bench --partitions 3 -c 1000000 -s 100 --acks all -z lz4",
    arguments: load::arguments,
    run,
};

const DEFAULTS: Defaults = Defaults {
    count: 1_000_000,
    rate: None,
    linger_ms: 5,
    size_min: 0,
};

/// Records whose time is taken, spread evenly over all.
const SAMPLES_MAX: u64 = 100_000;
/// Deliveries that are waited for behind the sending.
const UNCONFIRMED_MAX: usize = 100_000;

fn run(context: &Context, matches: &ArgMatches) -> Result<Report, Failure> {
    let topic = value(matches, "topic").unwrap_or_default();
    let load = load::load(matches, &DEFAULTS)?;
    if context.dry_run {
        return Ok(figures::planned("produce", topic, Some(load.count), &load.how));
    }
    with_client(context, async |client| {
        let failed = |error: client::Error| failure(context, &error);
        load::make_topic(&client.admin(), topic, load.partitions)
            .await
            .map_err(failed)?;
        let (measured, error) = measure(&client, topic, &load).await.map_err(failed)?;
        let count = measured.failed;
        let mut report = figures::report(measured);
        if let Some(error) = error {
            note_failure(&mut report, context, &format!("{count} records"), &error);
        }
        Ok(report)
    })
}

/// Deliveries, and what became of them.
#[derive(Default)]
struct Open {
    waiting: VecDeque<Delivery>,
    failed: u64,
    first_error: Option<client::Error>,
}

impl Open {
    fn settle(&mut self, outcome: client::Result<client::Delivered>) {
        if let Err(error) = outcome {
            self.failed += 1;
            self.first_error.get_or_insert(error);
        }
    }

    async fn add(&mut self, delivery: Delivery) {
        self.waiting.push_back(delivery);
        if UNCONFIRMED_MAX <= self.waiting.len()
            && let Some(oldest) = self.waiting.pop_front()
        {
            let outcome = oldest.await;
            self.settle(outcome);
        }
    }

    async fn finish(&mut self) {
        while let Some(oldest) = self.waiting.pop_front() {
            let outcome = oldest.await;
            self.settle(outcome);
        }
    }
}

async fn measure<'a>(
    client: &Client,
    topic: &'a str,
    load: &Load,
) -> client::Result<(Measured<'a>, Option<client::Error>)> {
    let producer = client.producer(load.config.clone())?;
    let values = load::values(load.size);
    let mut warm = Open::default();
    send(
        &producer,
        topic,
        &values,
        load.warm_up,
        &Pace::new(load.rate),
        &mut warm,
        None,
    )
    .await?;
    producer.flush().await;
    warm.finish().await;
    if let Some(error) = warm.first_error {
        return Err(error);
    }
    let (mut open, mut samples) = (Open::default(), JoinSet::new());
    let (started, cpu) = (Instant::now(), os::limits::cpu_time());
    let pace = Pace::new(load.rate);
    send(
        &producer,
        topic,
        &values,
        load.count,
        &pace,
        &mut open,
        Some(&mut samples),
    )
    .await?;
    producer.flush().await;
    let (took, cpu) = (started.elapsed(), os::limits::cpu_time().saturating_sub(cpu));
    open.finish().await;
    let mut latencies = Latencies::default();
    while let Some(sample) = samples.join_next().await {
        let Ok((time, outcome)) = sample else { continue };
        latencies.add(time);
        open.settle(outcome);
    }
    producer.close(Duration::from_secs(30)).await?;
    let records = load.count - open.failed;
    let measured = Measured {
        bench: "produce",
        topic,
        records,
        failed: open.failed,
        bytes: records * load.size as u64,
        took,
        cpu,
        latencies,
        first_record: None,
        how: load.how.clone(),
    };
    Ok((measured, open.first_error))
}

type Samples = JoinSet<(Duration, client::Result<client::Delivered>)>;

async fn send(
    producer: &Producer,
    topic: &str,
    values: &[Vec<u8>],
    count: u64,
    pace: &Pace,
    open: &mut Open,
    mut samples: Option<&mut Samples>,
) -> client::Result<()> {
    let step = count.div_ceil(SAMPLES_MAX).max(1);
    let mut progress = Progress::new();
    let mut next = values.iter().cycle();
    for index in 0..count {
        let due = pace.due(index).await;
        let value = next.next().map_or(&[][..], Vec::as_slice);
        let delivery = producer.send(NewRecord::to(topic).value(value)).await?;
        match &mut samples {
            Some(samples) if index.is_multiple_of(step) => {
                samples.spawn(async move {
                    let outcome = delivery.await;
                    (due.elapsed(), outcome)
                });
            }
            _ => open.add(delivery).await,
        }
        if index.is_multiple_of(1024) {
            progress.at(index, Some(count));
        }
    }
    Ok(())
}
