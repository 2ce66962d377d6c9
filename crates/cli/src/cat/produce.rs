//! `-P`: messages from stdin or a file, split by a delimiter; or files, each a message.

use std::fs::File;
use std::time::Duration;

use client::protocol::messages::metadata_request::{MetadataRequest, MetadataRequestTopic};
use client::{Client, Delivery, ErrorCode, NewRecord, Producer, To};
use tokio::sync::mpsc;

use super::options::Options;
use super::partitioner::Partitioner;
use super::properties::Properties;
use super::{Stop, said, system};
use crate::input::Input;
use crate::kafka::signals;

/// Deliveries that are waited for behind the reading.
const UNCONFIRMED_MAX: usize = 100_000;
/// The pause before metadata of a topic that is being created is asked for again.
const PAUSE: Duration = Duration::from_millis(100);

/// One message as it was read.
#[derive(Debug, Default, PartialEq, Eq)]
struct Message<'a> {
    key: Option<&'a [u8]>,
    value: Option<&'a [u8]>,
}

struct Sending<'a> {
    options: &'a Options,
    client: &'a Client,
    producer: &'a Producer,
    partitioner: Partitioner,
    /// How many the topic has; asked for with the first key.
    partitions: Option<usize>,
    watch: mpsc::Sender<client::Result<Delivery>>,
    sent: u64,
}

pub(super) async fn run(options: &Options, properties: &Properties) -> Result<(), Stop> {
    let client = properties.client()?;
    let config = properties.producer()?;
    let within = config.delivery_timeout + Duration::from_secs(10);
    let producer = client
        .producer(config)
        .map_err(|error| Stop::fatal(format!("Failed to create producer: {error}")))?;
    let (watch, watched) = mpsc::channel(UNCONFIRMED_MAX);
    let watcher = tokio::spawn(say_failures(watched));
    let mut sending = Sending {
        options,
        client: &client,
        producer: &producer,
        partitioner: properties.partitioner(),
        partitions: None,
        watch,
        sent: 0,
    };
    let outcome = tokio::select! {
        outcome = sending.everything() => outcome,
        _ = signals::ended() => Ok(()),
    };
    drop(sending);
    let _ = producer.close(within).await;
    let failed = watcher.await.unwrap_or(0);
    outcome?;
    if 0 < failed { Err(Stop::Exit(1)) } else { Ok(()) }
}

/// Waits for deliveries, says which failed, and gives their number.
async fn say_failures(mut watched: mpsc::Receiver<client::Result<Delivery>>) -> u64 {
    let mut failed = 0;
    while let Some(sent) = watched.recv().await {
        let outcome = match sent {
            Ok(delivery) => delivery.await.map(drop),
            Err(error) => Err(error),
        };
        if let Err(error) = outcome {
            failed += 1;
            eprintln!("% Delivery failed for message: {}", said(&error));
        }
    }
    failed
}

impl Sending<'_> {
    async fn everything(&mut self) -> Result<(), Stop> {
        let options = self.options;
        let input: Box<dyn std::io::Read + Send> = match options.arguments.first() {
            Some(path) if options.lines => {
                let opened = File::open(path);
                Box::new(
                    opened.map_err(|error| Stop::fatal(format!("Cannot open {path}: {}", system(&error))))?,
                )
            }
            Some(_) => return self.files().await,
            None => Box::new(std::io::stdin()),
        };
        let mut input = Input::pieces(input, options.between().to_vec(), || {});
        loop {
            let pieces = input.next().await;
            let pieces =
                pieces.map_err(|error| Stop::fatal(format!("Unable to read message: {}", system(&error))))?;
            if pieces.is_empty() {
                return Ok(());
            }
            for piece in pieces.iter().filter(|piece| !piece.is_empty()) {
                self.send(split(options, piece)).await?;
                if options.tee {
                    super::printed(piece)?;
                }
                if options.count == Some(self.sent) {
                    return Ok(());
                }
            }
        }
    }

    /// Each file is a message; those that cannot be read are said, and are an error only if there is no other.
    async fn files(&mut self) -> Result<(), Stop> {
        let files = &self.options.arguments;
        let mut good = 0;
        for path in files {
            match std::fs::read(path) {
                Ok(bytes) => {
                    good += 1;
                    if !bytes.is_empty() {
                        let key = self.options.key.as_deref().map(str::as_bytes);
                        self.send(Message {
                            key,
                            value: Some(&bytes),
                        })
                        .await?;
                    }
                }
                Err(error) => self
                    .options
                    .say(&format!("Failed to open {path}: {}", system(&error))),
            }
        }
        let (failed, all) = (files.len() - good, files.len());
        match (good, failed) {
            (0, _) => return Err(Stop::Exit(1)),
            (_, 0) => {}
            _ => self
                .options
                .say(&format!("Failed to produce from {failed}/{all} files")),
        }
        Ok(())
    }

    async fn send(&mut self, message: Message<'_>) -> Result<(), Stop> {
        let mut partition = self.options.partition;
        if let Some(key) = message.key.filter(|key| partition.is_none() && !key.is_empty()) {
            partition = self.partitioner.partition(key, self.partitions().await?);
        }
        let mut record = NewRecord::to(self.options.topic());
        if let Some(key) = message.key {
            record = record.key(key);
        }
        if let Some(value) = message.value {
            record = record.value(value);
        }
        if let Some(partition) = partition {
            record = record.partition(partition);
        }
        for (name, value) in &self.options.headers {
            record = match value {
                Some(value) => record.header(name, value),
                None => record.null_header(name),
            };
        }
        let sent = self.producer.send(record).await;
        self.sent += 1;
        let _ = self.watch.send(sent).await;
        Ok(())
    }

    /// How many partitions the topic has, which is created on the way if the broker does so.
    async fn partitions(&mut self) -> Result<usize, Stop> {
        if let Some(known) = self.partitions {
            return Ok(known);
        }
        let request = MetadataRequest {
            topics: Some(vec![MetadataRequestTopic {
                name: Some(self.options.topic().into()),
                ..MetadataRequestTopic::default()
            }]),
            allow_auto_topic_creation: true,
            ..MetadataRequest::default()
        };
        let patience = self.client.config().api_timeout;
        let asked = tokio::time::timeout(patience, async {
            loop {
                let answer = self.client.call(To::Any, &request).await;
                let answer = answer.map_err(|error| Stop::Fatal(said(&error)))?;
                let topic = answer.topics.into_iter().next().unwrap_or_default();
                let waits = [
                    ErrorCode::UnknownTopicOrPartition.code(),
                    ErrorCode::LeaderNotAvailable.code(),
                ];
                if !waits.contains(&topic.error_code) {
                    return Ok(topic.partitions.len());
                }
                tokio::time::sleep(PAUSE).await;
            }
        });
        // A topic that does not come is what the sending itself will say.
        let count = asked.await.unwrap_or(Ok(0))?;
        self.partitions = Some(count);
        Ok(count)
    }
}

/// A piece of input as key and value.
fn split<'a>(options: &'a Options, piece: &'a [u8]) -> Message<'a> {
    let mut message = Message {
        key: None,
        value: Some(piece),
    };
    let delimiter = options
        .key_delimiter
        .as_deref()
        .filter(|delimiter| !delimiter.is_empty());
    let found = delimiter.and_then(|delimiter| {
        let at = piece
            .windows(delimiter.len())
            .position(|window| window == delimiter)?;
        Some((piece.get(..at)?, piece.get(at + delimiter.len()..)?))
    });
    if let Some((key, value)) = found {
        let kept = |part: &&[u8]| !options.nulls || !part.is_empty();
        message.key = Some(key).filter(kept);
        message.value = Some(value).filter(kept);
    }
    message.key = message.key.or(options.key.as_deref().map(str::as_bytes));
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(key_delimiter: Option<&str>, nulls: bool, key: Option<&str>) -> Options {
        Options {
            key_delimiter: key_delimiter.map(|text| text.as_bytes().to_vec()),
            nulls,
            key: key.map(str::to_owned),
            ..Options::default()
        }
    }

    fn message<'a>(key: Option<&'a str>, value: Option<&'a str>) -> Message<'a> {
        Message {
            key: key.map(str::as_bytes),
            value: value.map(str::as_bytes),
        }
    }

    #[test]
    fn a_piece_is_a_value_or_key_and_value() {
        let plain = options(None, false, None);
        assert_eq!(split(&plain, b"a:b"), message(None, Some("a:b")));
        let keyed = options(Some("::"), false, None);
        assert_eq!(split(&keyed, b"a::b::c"), message(Some("a"), Some("b::c")));
        assert_eq!(split(&keyed, b"a:b"), message(None, Some("a:b")));
        assert_eq!(split(&keyed, b"::"), message(Some(""), Some("")));
    }

    #[test]
    fn empty_parts_are_null_if_asked_and_a_fixed_key_stands_in() {
        let nulls = options(Some(":"), true, None);
        assert_eq!(split(&nulls, b":v"), message(None, Some("v")));
        assert_eq!(split(&nulls, b"k:"), message(Some("k"), None));
        let fixed = options(Some(":"), true, Some("fix"));
        assert_eq!(split(&fixed, b":v"), message(Some("fix"), Some("v")));
        assert_eq!(split(&fixed, b"k:v"), message(Some("k"), Some("v")));
        assert_eq!(split(&fixed, b"v"), message(Some("fix"), Some("v")));
    }
}
