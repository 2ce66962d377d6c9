//! `ottla bench e2e`: from when a record is due to when a consumer has it.

use std::time::Duration;

use clap::ArgMatches;
use client::{Client, Consumer, ConsumerConfig, NewRecord, Producer, Reset};
use tokio::time::Instant;

use super::figures::{self, Latencies, Measured};
use super::load::{self, Defaults, Load, Pace};
use crate::arguments::value;
use crate::connect::{failure, with_client};
use crate::progress::Progress;
use crate::when::Place;
use crate::{Command, Context, Failure, ItemFailure, Report, offsets};

pub const COMMAND: Command = Command {
    path: &["bench", "e2e"],
    about: "Write and read at once at a steady rate, and measure the time of each record from end to end",
    example: "ottla bench e2e bench --partitions 1 -c 10000 --rate 1000",
    arguments: load::arguments,
    run,
};

const DEFAULTS: Defaults = Defaults {
    count: 10_000,
    rate: Some(1000),
    linger_ms: 0,
    // Whose run a record is of, and its number.
    size_min: 16,
};

/// Nothing for so long: what is missing will not come.
const PATIENCE: Duration = Duration::from_secs(10);

fn run(context: &Context, matches: &ArgMatches) -> Result<Report, Failure> {
    let topic = value(matches, "topic").unwrap_or_default();
    let load = load::load(matches, &DEFAULTS)?;
    if context.dry_run {
        return Ok(figures::planned("e2e", topic, Some(load.count), &load.how));
    }
    with_client(context, async |client| {
        let failed = |error: client::Error| failure(context, &error);
        load::make_topic(&client.admin(), topic, load.partitions)
            .await
            .map_err(failed)?;
        let measured = measure(&client, topic, &load).await.map_err(failed)?;
        let missing = measured.failed;
        let mut report = figures::report(measured);
        if 0 < missing {
            report.failures.push(ItemFailure {
                item: format!("{missing} records"),
                code: "missing".to_owned(),
                message: "they were not read".to_owned(),
                hint: Some("lower --rate, or look at the log of the broker".to_owned()),
            });
        }
        Ok(report)
    })
}

async fn measure<'a>(client: &Client, topic: &'a str, load: &Load) -> client::Result<Measured<'a>> {
    let mut consumer = at_the_end(client, topic).await?;
    let producer = client.producer(load.config.clone())?;
    let total = load.warm_up + load.count;
    let run = os::Random::real().u64();
    let (started, cpu) = (Instant::now(), os::limits::cpu_time());
    let pace = Pace::new(load.rate);
    let sending = send(&producer, topic, load, &pace, run);
    let reading = read(&mut consumer, run, total);
    let (sent, got) = tokio::join!(sending, reading);
    let (due, got) = (sent?, got?);
    let took = started.elapsed();
    let cpu = os::limits::cpu_time().saturating_sub(cpu);
    producer.close(Duration::from_secs(30)).await?;
    consumer.close().await?;
    let mut latencies = Latencies::default();
    let warm_up = usize::try_from(load.warm_up).unwrap_or(usize::MAX);
    for (due, got) in due.iter().zip(&got).skip(warm_up) {
        if let Some(got) = got {
            latencies.add(got.saturating_duration_since(*due));
        }
    }
    let records = got.iter().skip(warm_up).flatten().count() as u64;
    Ok(Measured {
        bench: "e2e",
        topic,
        records,
        failed: load.count - records,
        bytes: records * load.size as u64,
        // The warm-up ran at the same pace.
        took: took.mul_f64(load.count as f64 / total as f64),
        cpu: cpu.mul_f64(load.count as f64 / total as f64),
        latencies,
        first_record: None,
        how: load.how.clone(),
    })
}

/// A consumer that stands at the end of every partition.
async fn at_the_end(client: &Client, topic: &str) -> client::Result<Consumer> {
    let admin = client.admin();
    let names = crate::commands::partitions(&admin, topic, None).await?;
    let ends = offsets::resolve(&admin, &names, Place::Latest).await?;
    let config = ConsumerConfig {
        reset: Reset::Earliest,
        auto_commit: None,
        ..ConsumerConfig::default()
    };
    let mut consumer = client.consumer(config)?;
    consumer.assign(&names)?;
    for (name, offset) in &ends {
        consumer.seek(name, *offset)?;
    }
    Ok(consumer)
}

/// Sends, and gives when each was due.
async fn send(
    producer: &Producer,
    topic: &str,
    load: &Load,
    pace: &Pace,
    run: u64,
) -> client::Result<Vec<Instant>> {
    let total = load.warm_up + load.count;
    let mut value = load::values(load.size).pop().unwrap_or_default();
    let mut due = Vec::new();
    let mut progress = Progress::new();
    for index in 0..total {
        due.push(pace.due(index).await);
        let mark = value
            .iter_mut()
            .zip(run.to_be_bytes().into_iter().chain(index.to_be_bytes()));
        mark.for_each(|(place, byte)| *place = byte);
        drop(producer.send(NewRecord::to(topic).value(&value)).await?);
        progress.at(index, Some(total));
    }
    producer.flush().await;
    Ok(due)
}

/// Reads until all are there, and gives when each was.
async fn read(consumer: &mut Consumer, run: u64, total: u64) -> client::Result<Vec<Option<Instant>>> {
    let size = usize::try_from(total).unwrap_or(usize::MAX);
    let mut got = vec![None; size];
    let mut missing = size;
    let mut last = Instant::now();
    while 0 < missing && last.elapsed() < PATIENCE {
        let records = consumer.poll(Duration::from_millis(200)).await?;
        let now = Instant::now();
        for (_, record) in records.iter() {
            let Some((of, index)) = marks(record.value.unwrap_or_default()) else {
                continue;
            };
            let place = usize::try_from(index).ok().and_then(|index| got.get_mut(index));
            if let Some(place) = place.filter(|place| of == run && place.is_none()) {
                *place = Some(now);
                missing -= 1;
                last = now;
            }
        }
    }
    Ok(got)
}

/// Whose run a record is of, and its number.
fn marks(value: &[u8]) -> Option<(u64, u64)> {
    let (run, rest) = value.split_first_chunk::<8>()?;
    let (index, _) = rest.split_first_chunk::<8>()?;
    Some((u64::from_be_bytes(*run), u64::from_be_bytes(*index)))
}
