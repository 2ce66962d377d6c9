//! `-Q`: offsets of partitions by time, or of their ends.

use std::fmt::Write;

use client::{Isolation, OffsetSpec, TopicPartition};

use super::format::text;
use super::options::Options;
use super::properties::Properties;
use super::{Stop, printed, said};

/// `TOPIC:PARTITION:TIMESTAMP`; the topic's name may have colons of its own.
fn asked(text: &str) -> Option<(TopicPartition, OffsetSpec)> {
    let (rest, time) = text.rsplit_once(':')?;
    let (topic, partition) = rest.rsplit_once(':')?;
    let spec = match time.parse().ok()? {
        -1 => OffsetSpec::Latest,
        -2 => OffsetSpec::Earliest,
        ms => OffsetSpec::At(ms),
    };
    Some((TopicPartition::new(topic, partition.parse().ok()?), spec))
}

pub(super) async fn run(options: &Options, properties: &Properties) -> Result<(), Stop> {
    let mut wanted = Vec::with_capacity(options.topics.len());
    for text in &options.topics {
        let one =
            asked(text).ok_or_else(|| Stop::fatal("-t: expected \"topic:partition:offset_or_timestamp\""))?;
        wanted.push(one);
    }
    wanted.sort_by(|(a, _), (b, _)| a.cmp(b));
    let client = properties.client()?;
    let failed = |error| Stop::fatal(format!("offsets_for_times failed: {}", said(&error)));
    let found = client
        .admin()
        .list_offsets(&wanted, Isolation::ReadUncommitted)
        .await
        .map_err(failed)?;
    let mut offsets = Vec::with_capacity(found.len());
    for (name, outcome) in found {
        let offset = outcome.map_err(|error| match error {
            client::Error::Broker {
                code: client::ErrorCode::UnknownTopicOrPartition,
                ..
            } => Stop::fatal("offsets_for_times failed: Local: Unknown partition"),
            other => failed(other),
        })?;
        offsets.push((name, offset.offset.map_or(-1, |offset| offset.0)));
    }
    let shown = if options.json {
        json(&offsets)
    } else {
        plain(&offsets)
    };
    printed(shown.as_bytes())
}

fn plain(offsets: &[(TopicPartition, i64)]) -> String {
    let mut out = String::new();
    for (name, offset) in offsets {
        let _ = writeln!(out, "{} [{}] offset {offset}", name.topic, name.partition);
    }
    out
}

/// `{"topic":{"topic":"topic","0":{"partition":0,"offset":1}}}`.
fn json(offsets: &[(TopicPartition, i64)]) -> String {
    let mut topics: Vec<(String, String)> = Vec::new();
    for (name, offset) in offsets {
        let mut quoted = Vec::new();
        text(name.topic.as_bytes(), &mut quoted);
        let quoted = String::from_utf8_lossy(&quoted).into_owned();
        let number = name.partition;
        let one = format!(",\"{number}\":{{\"partition\":{number},\"offset\":{offset}}}");
        match topics.last_mut().filter(|(topic, _)| *topic == quoted) {
            Some((_, partitions)) => partitions.push_str(&one),
            None => topics.push((quoted, one)),
        }
    }
    let each: Vec<String> = topics
        .iter()
        .map(|(topic, partitions)| format!("{topic}:{{\"topic\":{topic}{partitions}}}"))
        .collect();
    format!("{{{}}}", each.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_topic_partition_and_time() {
        assert_eq!(
            asked("a:b:3:-1"),
            Some((TopicPartition::new("a:b", 3), OffsetSpec::Latest))
        );
        assert_eq!(
            asked("a:3:17"),
            Some((TopicPartition::new("a", 3), OffsetSpec::At(17)))
        );
        assert_eq!(asked("a:3"), None);
        assert_eq!(asked("a:x:1"), None);
    }

    #[test]
    fn answers_are_lines_or_one_object() {
        let offsets = [
            (TopicPartition::new("a", 0), 5),
            (TopicPartition::new("a", 1), -1),
            (TopicPartition::new("b", 0), 7),
        ];
        assert_eq!(
            plain(&offsets),
            "a [0] offset 5\na [1] offset -1\nb [0] offset 7\n"
        );
        assert_eq!(
            json(&offsets),
            "{\"a\":{\"topic\":\"a\",\"0\":{\"partition\":0,\"offset\":5},\"1\":{\"partition\":1,\"offset\":-1}},\
             \"b\":{\"topic\":\"b\",\"0\":{\"partition\":0,\"offset\":7}}}"
        );
    }
}
