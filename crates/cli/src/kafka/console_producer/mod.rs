//! `kafka-console-producer.sh` (`ConsoleProducer` of Kafka 4.3): lines of stdin, a record each.
//!
//! Records that could not be sent are logged on stderr, as Kafka's tool does, and its exit code stays 0 unless
//! `--sync` is given.

mod reader;

use std::io::{IsTerminal, Write};
use std::time::Duration;

use client::{Client, ClientConfig, Delivery, NewRecord, Producer, ProducerConfig};
use tokio::sync::mpsc;

use self::reader::{Line, Reader, lines};
use super::connect::{block_on, exception};
use super::options::{Flag, Options, flag, perhaps, valued};
use super::settings::Settings;
use super::{Output, Stop, Tool, signals};
use crate::input::Input;

pub(super) static TOOL: Tool = Tool {
    name: "kafka-console-producer",
    about: "This tool helps to read data from standard input and publish it to Kafka.",
    flags: FLAGS,
    run,
};

const FLAGS: &[Flag] = &[
    valued(
        "bootstrap-server",
        "the cluster, host:port[,host:port...]; needed",
    ),
    valued("topic", "where to; needed"),
    flag("sync", "wait for each record before the next is sent"),
    perhaps(
        "compression-codec",
        "none, gzip, snappy, lz4 or zstd; without a value gzip",
    ),
    valued("batch-size", "bytes of a batch (batch.size; default 16384)"),
    valued("message-send-max-retries", "accepted (retries; default 3)"),
    valued(
        "retry-backoff-ms",
        "the pause before a retry (retry.backoff.ms; default 100)",
    ),
    valued(
        "timeout",
        "ms that a batch waits for more records (linger.ms; default 1000)",
    ),
    valued("request-required-acks", "all, -1, 0 or 1 (acks; default -1)"),
    valued(
        "request-timeout-ms",
        "ms that an answer may take (request.timeout.ms; default 1500)",
    ),
    valued(
        "metadata-expiry-ms",
        "ms after which metadata is asked for again (metadata.max.age.ms)",
    ),
    valued(
        "max-block-ms",
        "ms that a record may wait for room or metadata (max.block.ms; default 60000)",
    ),
    valued(
        "max-memory-bytes",
        "bytes of records that may wait (buffer.memory; default 33554432)",
    ),
    valued("max-partition-memory-bytes", "the old name of --batch-size"),
    valued(
        "line-reader",
        "org.apache.kafka.tools.LineMessageReader, the only one here",
    ),
    valued("socket-buffer-size", "accepted (send.buffer.bytes)"),
    valued("property", "the old name of --reader-property"),
    valued(
        "reader-property",
        "name=value: parse.key, key.separator, parse.headers, headers.delimiter, headers.separator, \
         headers.key.separator, ignore.error, null.marker",
    ),
    valued("reader-config", "a properties file with the same"),
    valued("producer-property", "the old name of --command-property"),
    valued("command-property", "name=value, a setting of the producer"),
    valued("producer.config", "the old name of --command-config"),
    valued("command-config", "a properties file for the producer"),
    flag("help", "show this"),
    flag("version", "show the version"),
];

const LINE_READER: &str = "org.apache.kafka.tools.LineMessageReader";

/// Everything that the flags say.
struct Plan {
    topic: String,
    sync: bool,
    reader: Reader,
    client: ClientConfig,
    producer: ProducerConfig,
}

fn run(options: &Options, output: &mut Output) -> Result<(), Stop> {
    let plan = plan(options, output)?;
    // A warning about flags is seen before the first line is asked for.
    let _ = output.flush();
    block_on(produce(plan, output))
}

fn plan(options: &Options, output: &mut Output) -> Result<Plan, Stop> {
    let topic = options.required("topic")?.to_owned();
    let Some(servers) = options.value("bootstrap-server") else {
        return Err(Stop::Usage(
            "Error while validating the bootstrap address".to_owned(),
        ));
    };
    let (properties, config, reader) = sources(options, output)?;
    if !servers.split(',').all(|server| server.trim().contains(':')) {
        return Err(Stop::Usage(
            "Please provide valid host:port like host1:9091,host2:9092".to_owned(),
        ));
    }
    let thrown = |message: String, output: &mut Output| {
        output.error_line(message);
        Stop::Exit(1)
    };
    let class = options.value("line-reader").unwrap_or(LINE_READER);
    if class != LINE_READER {
        return Err(thrown(
            format!("java.lang.ClassNotFoundException: {class}"),
            output,
        ));
    }
    let lines = Settings::of(options, "reader-config", reader).map_err(|message| thrown(message, output))?;
    let reader = Reader::new(&lines).map_err(|message| {
        thrown(
            format!("org.apache.kafka.common.KafkaException: {message}"),
            output,
        )
    })?;
    let mut settings =
        Settings::of(options, config, properties).map_err(|message| thrown(message, output))?;
    merge(options, &mut settings).map_err(|message| thrown(message, output))?;
    let wrong = |message| format!("org.apache.kafka.common.config.ConfigException: {message}");
    Ok(Plan {
        topic,
        sync: options.has("sync"),
        reader,
        client: settings.client(servers)?,
        producer: settings
            .producer()
            .map_err(|message| thrown(wrong(message), output))?,
    })
}

/// Which of the old and the new flags are used: of pairs, of the file, of the reader's properties.
fn sources(
    options: &Options,
    output: &mut Output,
) -> Result<(&'static str, &'static str, &'static str), Stop> {
    let pairs = [
        ("command-config", "producer.config"),
        ("command-property", "producer-property"),
        ("reader-property", "property"),
    ];
    if let Some((new, old)) = pairs
        .iter()
        .find(|(new, old)| options.has(new) && options.has(old))
    {
        return Err(Stop::Usage(format!(
            "Options --{new} and --{old} cannot be specified together."
        )));
    }
    for (new, old) in [pairs[1], pairs[0], pairs[2]] {
        if options.has(old) {
            output.line(format!(
                "Warning: --{old} is deprecated and will be removed in a future version. Use --{new} instead."
            ));
        }
    }
    if options.has("max-partition-memory-bytes") {
        output.line(
            "Warning: --max-partition-memory-bytes is deprecated and will be removed in Apache Kafka 5.0. Use \
             --batch-size instead.",
        );
    }
    let used = |new, old| if options.has(old) { old } else { new };
    Ok((
        used("command-property", "producer-property"),
        used("command-config", "producer.config"),
        used("reader-property", "property"),
    ))
}

/// The flags over the properties, with the tool's own defaults.
fn merge(options: &Options, settings: &mut Settings) -> Result<(), String> {
    let codec = match (
        options.has("compression-codec"),
        options.value("compression-codec"),
    ) {
        (false, _) => "none",
        (true, None | Some("")) => "gzip",
        (true, Some(codec)) => codec,
    };
    settings.set("compression.type", codec);
    settings.merge("client.id", None, "console-producer");
    settings.merge("acks", options.value("request-required-acks"), "-1");
    let numbers = [
        ("linger.ms", "timeout", "1000"),
        ("request.timeout.ms", "request-timeout-ms", "1500"),
        ("retries", "message-send-max-retries", "3"),
        ("retry.backoff.ms", "retry-backoff-ms", "100"),
        ("send.buffer.bytes", "socket-buffer-size", "102400"),
        ("buffer.memory", "max-memory-bytes", "33554432"),
        ("batch.size", "batch-size", "16384"),
        ("batch.size", "max-partition-memory-bytes", "16384"),
        ("metadata.max.age.ms", "metadata-expiry-ms", "300000"),
        ("max.block.ms", "max-block-ms", "60000"),
    ];
    for (setting, flag, otherwise) in numbers {
        let given = options.value(flag);
        if let Some(text) = given.filter(|text| text.parse::<i64>().is_err()) {
            return Err(format!("Cannot parse argument '{text}' of option {flag}"));
        }
        settings.merge(setting, given, otherwise);
    }
    Ok(())
}

/// Deliveries that are waited for behind the reading.
const UNCONFIRMED_MAX: usize = 100_000;

async fn produce(plan: Plan, output: &mut Output) -> Result<(), Stop> {
    let within = plan.producer.delivery_timeout + Duration::from_secs(10);
    let made = Client::new(plan.client.clone()).and_then(|client| client.producer(plan.producer.clone()));
    let producer = made.map_err(|error| {
        output.error_line("org.apache.kafka.common.KafkaException: Failed to construct kafka producer");
        output.error_line(format!("Caused by: {error}"));
        Stop::Exit(1)
    })?;
    let (watch, watched) = mpsc::channel(UNCONFIRMED_MAX);
    let watcher = tokio::spawn(log_failures(plan.topic.clone(), watched));
    let outcome = tokio::select! {
        outcome = read_and_send(&plan, &producer, watch) => outcome,
        code = signals::ended() => Err(Failed::Signal(code)),
    };
    // What was read before is sent, however the reading ended.
    let closed = producer.close(within).await;
    let _ = watcher.await;
    match outcome {
        Ok(()) => closed.map_err(|error| {
            output.error_line(exception(&error));
            Stop::Exit(1)
        }),
        Err(Failed::Said(message)) => {
            output.error_line(message);
            Err(Stop::Exit(1))
        }
        Err(Failed::Signal(code)) => Err(Stop::Exit(code)),
    }
}

enum Failed {
    /// What Java's exception says.
    Said(String),
    Signal(u8),
}

/// A delivery, and the bytes of key and value, for the log.
type Sent = (Option<usize>, Option<usize>, client::Result<Delivery>);

async fn read_and_send(plan: &Plan, producer: &Producer, watch: mpsc::Sender<Sent>) -> Result<(), Failed> {
    let ask = std::io::stdin().is_terminal();
    let mut input = Input::pieces(std::io::stdin(), b"\n".to_vec(), move || {
        if ask {
            print!(">");
            let _ = std::io::stdout().flush();
        }
    });
    let mut number = 0;
    loop {
        let pieces = input.next().await.map_err(|error| {
            Failed::Said(format!(
                "org.apache.kafka.common.KafkaException: java.io.IOException: {error}"
            ))
        })?;
        if pieces.is_empty() {
            return Ok(());
        }
        for text in pieces.iter().flat_map(|piece| lines(piece)) {
            number += 1;
            let line = plan.reader.record(&text, number).map_err(|message| {
                Failed::Said(format!("org.apache.kafka.common.KafkaException: {message}"))
            })?;
            send(plan, producer, &line, &watch).await?;
        }
    }
}

async fn send(
    plan: &Plan,
    producer: &Producer,
    line: &Line,
    watch: &mpsc::Sender<Sent>,
) -> Result<(), Failed> {
    let mut record = NewRecord::to(&plan.topic);
    if let Some(key) = &line.key {
        record = record.key(key);
    }
    if let Some(value) = &line.value {
        record = record.value(value);
    }
    for (name, value) in &line.headers {
        record = match value {
            Some(value) => record.header(name, value),
            None => record.null_header(name),
        };
    }
    let sent = producer.send(record).await;
    if plan.sync {
        let delivered = match sent {
            Ok(delivery) => delivery.await.map(drop),
            Err(error) => Err(error),
        };
        return delivered.map_err(|error| {
            Failed::Said(format!(
                "java.util.concurrent.ExecutionException: {}",
                exception(&error)
            ))
        });
    }
    let sizes = (
        line.key.as_ref().map(String::len),
        line.value.as_ref().map(String::len),
    );
    let _ = watch.send((sizes.0, sizes.1, sent)).await;
    Ok(())
}

/// Waits for deliveries in the order of sending, and says which failed (`ErrorLoggingCallback`).
async fn log_failures(topic: String, mut watched: mpsc::Receiver<Sent>) {
    let size =
        |bytes: Option<usize>| bytes.map_or_else(|| "null".to_owned(), |bytes| format!("{bytes} bytes"));
    while let Some((key, value, sent)) = watched.recv().await {
        let outcome = match sent {
            Ok(delivery) => delivery.await.map(drop),
            Err(error) => Err(error),
        };
        if let Err(error) = outcome {
            eprintln!(
                "ERROR Error when sending message to topic {topic} with key: {}, value: {} with error: {}",
                size(key),
                size(value),
                exception(&error)
            );
        }
    }
}
