//! `ottla produce`: lines, `key:value` or JSON from stdin or files, one record each.

use std::collections::VecDeque;
use std::task::Poll;
use std::time::{Duration, Instant};

use clap::{Arg, ArgMatches};
use client::{Client, Delivery, NewRecord, Producer, ProducerConfig};
use serde_json::{Value, json};

use crate::arguments::{number, option, repeated, switch, value, values};
use crate::choices::{acks, acks_argument, codec, codec_argument};
use crate::connect::{failure, with_client};
use crate::input::Input;
use crate::progress::Progress;
use crate::{Column, Command, Context, Failure, Report};

pub const COMMAND: Command = Command {
    path: &["produce"],
    about: "Write records: a line each from stdin or files",
    example: "echo 'customer-1:{\"total\": 12}' | ottla produce orders -k :",
    arguments,
    run,
};

const COLUMNS: &[Column] = &[
    Column::new("topic"),
    Column::new("records"),
    Column::new("bytes"),
    Column::wide("milliseconds"),
];

fn arguments(command: clap::Command) -> clap::Command {
    command
        .arg(Arg::new("topic").required(true).help("Where to"))
        .arg(
            Arg::new("file")
                .num_args(0..)
                .help("Files to read in place of stdin"),
        )
        .arg(
            option(
                "key-separator",
                "TEXT",
                "What stands between key and value; without it there are no keys",
            )
            .short('k'),
        )
        .arg(option("key", "KEY", "The key of every record"))
        .arg(switch(
            "json",
            "Lines are objects: key, value, headers, partition, timestamp",
        ))
        .arg(switch("whole", "Each file, or all of stdin, is one record"))
        .arg(
            repeated(
                "header",
                "NAME=VALUE",
                "A header of every record; may come more than once",
            )
            .short('H'),
        )
        .arg(option("partition", "NUMBER", "The partition, whatever the key").short('p'))
        .arg(acks_argument())
        .arg(codec_argument())
        .arg(option("rate", "COUNT", "At most so many records a second"))
}

/// A name, and a value or null.
type Header = (String, Option<Vec<u8>>);

/// One record as it was read.
#[derive(Debug, Default)]
struct Line {
    key: Option<Vec<u8>>,
    value: Option<Vec<u8>>,
    headers: Vec<Header>,
    partition: Option<i32>,
    timestamp: Option<i64>,
}

struct Plan<'a> {
    topic: &'a str,
    separator: Option<&'a str>,
    key: Option<&'a str>,
    json: bool,
    headers: Vec<(String, String)>,
    partition: Option<i32>,
    rate: Option<u32>,
}

fn run(context: &Context, matches: &ArgMatches) -> Result<Report, Failure> {
    let headers = values(matches, "header")
        .into_iter()
        .map(|text| {
            crate::arguments::pair(text, "header").map(|(name, value)| (name.to_owned(), value.to_owned()))
        })
        .collect::<Result<Vec<_>, _>>()?;
    let plan = Plan {
        topic: value(matches, "topic").unwrap_or_default(),
        separator: value(matches, "key-separator"),
        key: value(matches, "key"),
        json: matches.get_flag("json"),
        headers,
        partition: number(matches, "partition")?,
        rate: number(matches, "rate")?,
    };
    let config = ProducerConfig {
        acks: acks(matches)?,
        codec: codec(matches)?,
        // How large a record may be is the topic's to say (max.message.bytes).
        request_bytes: REQUEST_BYTES_MAX,
        // A disk that is full or a leader that is away is said in time.
        delivery_timeout: context.timeout,
        block_max: context.timeout,
        ..ProducerConfig::default()
    };
    let whole = matches.get_flag("whole");
    let files = values(matches, "file");
    let inputs: Vec<Option<&str>> = match files.is_empty() {
        true => vec![None],
        false => files.into_iter().map(Some).collect(),
    };
    with_client(context, async |client| {
        produce(context, &client, &plan, config, &inputs, whole).await
    })
}

/// The largest record that is read, in bytes.
const REQUEST_BYTES_MAX: usize = 16 << 20;
/// Deliveries that are waited for behind the reading.
const UNCONFIRMED_MAX: usize = 100_000;

async fn produce(
    context: &Context,
    client: &Client,
    plan: &Plan<'_>,
    config: ProducerConfig,
    inputs: &[Option<&str>],
    whole: bool,
) -> Result<Report, Failure> {
    let failed = |error: client::Error| failure(context, &error);
    let producer = client.producer(config).map_err(failed)?;
    let started = Instant::now();
    let mut open: VecDeque<Delivery> = VecDeque::new();
    let (mut records, mut bytes) = (0_u64, 0_u64);
    let mut progress = Progress::new();
    for input in inputs {
        let mut reader = reader(*input, whole)?;
        loop {
            let pieces = reader.next().await;
            let pieces =
                pieces.map_err(|error| Failure::failed(format!("the input cannot be read: {error}")))?;
            if pieces.is_empty() {
                break;
            }
            for text in pieces {
                let line = parse(plan, if whole { text } else { without_return(text) }, records)?;
                bytes += size(&line);
                if let Some(rate) = plan.rate.filter(|rate| 0 < *rate) {
                    let due = Duration::from_secs_f64(records as f64 / f64::from(rate));
                    tokio::time::sleep_until((started + due).into()).await;
                }
                if !context.dry_run {
                    open.push_back(send(&producer, plan, &line).await.map_err(failed)?);
                }
                records += 1;
                if UNCONFIRMED_MAX <= open.len()
                    && let Some(delivery) = open.pop_front()
                {
                    delivery.await.map_err(failed)?;
                }
            }
            while let Some(outcome) = settled(&mut open).await {
                outcome.map_err(failed)?;
            }
            progress.at(records, None);
        }
    }
    drop(progress);
    producer.flush().await;
    for delivery in open {
        delivery.await.map_err(failed)?;
    }
    producer.close(context.timeout).await.map_err(failed)?;
    let row = json!({
        "topic": plan.topic,
        "records": records,
        "bytes": bytes,
        "milliseconds": u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
    });
    let mut report = Report::of("produced", COLUMNS, vec![row]);
    report.dry_run = context.dry_run;
    Ok(report)
}

/// The outcome of the oldest delivery, if it is known: a failure ends the reading soon.
async fn settled(open: &mut VecDeque<Delivery>) -> Option<client::Result<client::Delivered>> {
    let oldest = open.front_mut()?;
    let look = |context: &mut std::task::Context<'_>| match std::pin::Pin::new(&mut *oldest).poll(context) {
        Poll::Ready(outcome) => Poll::Ready(Some(outcome)),
        Poll::Pending => Poll::Ready(None),
    };
    let outcome = std::future::poll_fn(look).await?;
    open.pop_front();
    Some(outcome)
}

/// Lines without their ends, or all of the input as one piece.
fn reader(input: Option<&str>, whole: bool) -> Result<Input, Failure> {
    let delimiter = if whole { Vec::new() } else { b"\n".to_vec() };
    let Some(path) = input else {
        return Ok(Input::pieces(std::io::stdin(), delimiter, || {}));
    };
    let file = std::fs::File::open(path).map_err(|error| Failure::failed(format!("{path}: {error}")))?;
    Ok(Input::pieces(file, delimiter, || {}))
}

fn without_return(mut line: Vec<u8>) -> Vec<u8> {
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    line
}

fn parse(plan: &Plan<'_>, text: Vec<u8>, at: u64) -> Result<Line, Failure> {
    let mut line = match plan.json {
        true => from_json(&text).map_err(|wrong| Failure::usage(format!("line {}: {wrong}", at + 1)))?,
        false => Line {
            value: Some(text),
            ..Line::default()
        },
    };
    if let Some(separator) = plan.separator.filter(|_| !plan.json) {
        let value = line.value.take().unwrap_or_default();
        let found = value
            .windows(separator.len().max(1))
            .position(|window| window == separator.as_bytes());
        let Some(place) = found else {
            let wrong = Failure::usage(format!("line {} has no key separator {separator:?}", at + 1));
            return Err(wrong.hint("leave -k out for records without keys"));
        };
        line.key = value.get(..place).map(<[u8]>::to_vec);
        line.value = value.get(place + separator.len()..).map(<[u8]>::to_vec);
    }
    if let Some(key) = plan.key {
        line.key = Some(key.as_bytes().to_vec());
    }
    let headers = plan.headers.iter();
    line.headers
        .extend(headers.map(|(name, value)| (name.clone(), Some(value.as_bytes().to_vec()))));
    line.partition = plan.partition.or(line.partition);
    Ok(line)
}

/// `{"key", "value", "headers", "partition", "timestamp"}`: text as it is, null for none, anything else as JSON;
/// headers are an object, or a list of `[name, value]` where names repeat.
fn from_json(text: &[u8]) -> Result<Line, String> {
    let object: Value = serde_json::from_slice(text).map_err(|error| format!("no JSON: {error}"))?;
    let Value::Object(fields) = object else {
        return Err("a record is an object with key, value, headers, partition, timestamp".to_owned());
    };
    let mut line = Line::default();
    for (name, value) in fields {
        match name.as_str() {
            "key" => line.key = bytes(&value),
            "value" => line.value = bytes(&value),
            "headers" => line.headers = headers(&value)?,
            "partition" => {
                let number = value.as_i64().and_then(|number| i32::try_from(number).ok());
                line.partition = Some(number.ok_or("partition is a number")?);
            }
            "timestamp" => line.timestamp = Some(value.as_i64().ok_or("timestamp is a number of ms")?),
            // What `ottla consume -o jsonl` writes is read back.
            "topic" | "offset" => {}
            other => return Err(format!("a record has no field {other:?}")),
        }
    }
    Ok(line)
}

fn bytes(value: &Value) -> Option<Vec<u8>> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.as_bytes().to_vec()),
        other => Some(other.to_string().into_bytes()),
    }
}

fn headers(value: &Value) -> Result<Vec<Header>, String> {
    match value {
        Value::Object(fields) => Ok(fields
            .iter()
            .map(|(name, value)| (name.clone(), bytes(value)))
            .collect()),
        Value::Array(pairs) => {
            let pair = |pair: &Value| {
                let name = pair
                    .get(0)
                    .and_then(Value::as_str)
                    .ok_or("a header is [name, value]")?;
                Ok((name.to_owned(), pair.get(1).and_then(bytes)))
            };
            pairs.iter().map(pair).collect()
        }
        _ => Err("headers are an object or a list of [name, value]".to_owned()),
    }
}

fn size(line: &Line) -> u64 {
    let length = |part: &Option<Vec<u8>>| part.as_ref().map_or(0, Vec::len);
    (length(&line.key) + length(&line.value)) as u64
}

async fn send(producer: &Producer, plan: &Plan<'_>, line: &Line) -> client::Result<Delivery> {
    let mut record = NewRecord::to(plan.topic);
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
    if let Some(partition) = line.partition {
        record = record.partition(partition);
    }
    if let Some(timestamp) = line.timestamp {
        record = record.timestamp(timestamp);
    }
    producer.send(record).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(separator: Option<&'static str>, json: bool) -> Plan<'static> {
        Plan {
            topic: "t",
            separator,
            key: None,
            json,
            headers: Vec::new(),
            partition: None,
            rate: None,
        }
    }

    #[test]
    fn a_line_is_a_value_or_key_and_value() {
        let line = parse(&plan(None, false), b"a:b".to_vec(), 0).expect("good");
        assert_eq!((line.key, line.value), (None, Some(b"a:b".to_vec())));
        let line = parse(&plan(Some(":"), false), b"a:b:c".to_vec(), 0).expect("good");
        assert_eq!(
            (line.key, line.value),
            (Some(b"a".to_vec()), Some(b"b:c".to_vec()))
        );
        assert!(parse(&plan(Some("::"), false), b"a:b".to_vec(), 0).is_err());
    }

    #[test]
    fn json_gives_every_part_of_a_record() {
        let text =
            br#"{"key":"k","value":{"a":1},"headers":[["h","1"],["h",null]],"partition":2,"timestamp":5}"#;
        let line = parse(&plan(None, true), text.to_vec(), 0).expect("good");
        assert_eq!(line.key.as_deref(), Some(&b"k"[..]));
        assert_eq!(line.value.as_deref(), Some(&br#"{"a":1}"#[..]));
        assert_eq!(
            line.headers,
            [("h".to_owned(), Some(b"1".to_vec())), ("h".to_owned(), None)]
        );
        assert_eq!((line.partition, line.timestamp), (Some(2), Some(5)));
        assert!(parse(&plan(None, true), b"[]".to_vec(), 0).is_err());
        assert!(parse(&plan(None, true), br#"{"vlaue":1}"#.to_vec(), 0).is_err());
    }
}
