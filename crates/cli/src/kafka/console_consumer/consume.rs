//! The loop of the console consumer: poll, format, print, until it is told to end.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use client::{Client, Consumer, Error, Offset, Records, TopicPartition};
use regex::Regex;

use super::{Place, Plan, Topics};
use crate::kafka::connect::exception;
use crate::kafka::{Output, Stop, signals};

/// How long one poll waits where no `--timeout-ms` is given.
const POLL: Duration = Duration::from_secs(3600);
/// The pause after a poll that failed and may work the next time.
const PAUSE: Duration = Duration::from_millis(200);

/// How the loop ended.
enum End {
    /// Enough read, nothing more came, or an error that is in the log.
    Done,
    /// A record could not be shown.
    Failed,
    Signal(u8),
}

pub(super) async fn consume(plan: Plan, output: &mut Output) -> Result<(), Stop> {
    let mut consumer = match start(&plan) {
        Ok(consumer) => consumer,
        Err(message) => {
            output.error_line(format!("ERROR Unknown error when running consumer: {message}"));
            return Err(Stop::Exit(1));
        }
    };
    let mut reading = Reading {
        plan: &plan,
        count: 0,
        warned: None,
    };
    let end = reading.run(&mut consumer, output).await;
    let closed = consumer.close().await;
    if let Err(error) = closed {
        output.error_line(format!("ERROR {}", exception(&error)));
    }
    output.error_line(format!("Processed a total of {} messages", reading.count));
    match end {
        End::Done => Ok(()),
        End::Failed => Err(Stop::Exit(1)),
        End::Signal(code) => Err(Stop::Exit(code)),
    }
}

fn start(plan: &Plan) -> Result<Consumer, String> {
    let said = |error: Error| error.to_string();
    let client = Client::new(plan.client.clone()).map_err(said)?;
    let mut config = plan.consumer.clone();
    if matches!(plan.topics, Topics::Partition(..)) {
        // It is no member of any group.
        config.group = None;
    }
    let mut consumer = client.consumer(config).map_err(said)?;
    match &plan.topics {
        Topics::Named(topic) => consumer.subscribe(&[topic]).map_err(said)?,
        Topics::Matching(pattern) => {
            let pattern = Regex::new(&format!("^(?:{pattern})$")).map_err(|error| error.to_string())?;
            consumer
                .subscribe_matching(move |topic| pattern.is_match(topic))
                .map_err(said)?;
        }
        Topics::Partition(topic, partition, place) => {
            let name = TopicPartition::new(topic.as_str(), *partition);
            consumer.assign(std::slice::from_ref(&name)).map_err(said)?;
            match place {
                Place::At(offset) => consumer.seek(&name, Offset(*offset)).map_err(said)?,
                Place::End(spec) => consumer.seek_to(&name, *spec).map_err(said)?,
            }
        }
    }
    Ok(consumer)
}

struct Reading<'a> {
    plan: &'a Plan,
    count: i64,
    /// The last warning, which is not said twice in a row.
    warned: Option<String>,
}

impl Reading<'_> {
    fn is_enough(&self) -> bool {
        self.plan.messages_max.is_some_and(|max| max <= self.count)
    }

    async fn run(&mut self, consumer: &mut Consumer, output: &mut Output) -> End {
        let mut ended = std::pin::pin!(signals::ended());
        while !self.is_enough() {
            let records = tokio::select! {
                biased;
                code = &mut ended => return End::Signal(code),
                records = self.receive(consumer) => records,
            };
            let Some(records) = records else {
                return End::Done;
            };
            let shown = self.show(&records, consumer, output);
            if output.flush().is_err() {
                eprintln!("Unable to write to standard out, closing consumer.");
                return End::Done;
            }
            if let Err(message) = shown {
                output.error_line(format!("ERROR Unknown error when running consumer: {message}"));
                return End::Failed;
            }
        }
        End::Done
    }

    /// Records; `None` if it is over.
    async fn receive(&mut self, consumer: &mut Consumer) -> Option<Records> {
        let started = Instant::now();
        loop {
            let left = match self.plan.timeout {
                Some(timeout) => timeout.checked_sub(started.elapsed())?,
                None => POLL,
            };
            match consumer.poll(left).await {
                Ok(records) if records.is_empty() => {}
                Ok(records) => return Some(records),
                Err(error) if error.is_retriable() || matches!(error, Error::NoPartition { .. }) => {
                    self.warn(&error);
                    tokio::time::sleep(PAUSE.min(left)).await;
                }
                Err(error) => {
                    eprintln!(
                        "ERROR Error processing message, terminating consumer process: {}",
                        exception(&error)
                    );
                    return None;
                }
            }
        }
    }

    fn warn(&mut self, error: &Error) {
        let said = error.to_string();
        if self.warned.as_ref() != Some(&said) {
            eprintln!("WARN {said}");
            self.warned = Some(said);
        }
    }

    /// Prints records. Those that are too many count as not read.
    fn show(
        &mut self,
        records: &Records,
        consumer: &mut Consumer,
        output: &mut Output,
    ) -> Result<(), String> {
        let mut unread: BTreeMap<TopicPartition, Offset> = BTreeMap::new();
        let mut outcome = Ok(());
        for (partition, record) in records.iter() {
            if self.is_enough() || outcome.is_err() {
                unread.entry(partition.clone()).or_insert(record.offset);
                continue;
            }
            self.count += 1;
            let shown = self
                .plan
                .formatter
                .write(partition.partition, &record, &mut output.out);
            if let Err(message) = shown {
                if self.plan.skip_on_error {
                    eprintln!("ERROR Error processing message, skipping this message: {message}");
                } else {
                    outcome = Err(message);
                }
            }
        }
        for (partition, offset) in unread {
            // One that was taken away meanwhile is nobody's business here.
            let _ = consumer.seek(&partition, offset);
        }
        outcome
    }
}
