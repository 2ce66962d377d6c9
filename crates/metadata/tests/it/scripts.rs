//! Stories in `tests/scripts/*.txt`: a request a line, `> ` in front of what it is answered.
//! `UPDATE_EXPECT=1` writes the answers anew.

use std::fmt::Write as _;
use std::path::Path;

use metadata::controller::{CreateTopics, create_topics, delete_topics, next_producer_ids};
use protocol::messages::create_topics_request::{
    CreatableReplicaAssignment, CreatableTopic, CreatableTopicConfig, CreateTopicsRequest,
};
use protocol::messages::delete_topics_request::DeleteTopicsRequest;
use types::{BrokerId, ErrorCode, Uuid};

use super::{AnyConfig, NODE, Node, topic};

#[test]
fn stories_end_as_written() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scripts");
    let mut told = 0;
    for entry in std::fs::read_dir(folder).expect("the stories are there") {
        let path = entry.expect("readable").path();
        let script = std::fs::read_to_string(&path).expect("readable");
        let outcome = tell(&script);
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            std::fs::write(&path, &outcome).expect("writable");
        } else {
            assert_eq!(outcome, script, "{}", path.display());
        }
        told += 1;
    }
    assert!(0 < told, "no story was told");
}

fn tell(script: &str) -> String {
    let (mut node, mut out) = (Node::born(), String::new());
    for line in script.lines().filter(|line| !line.starts_with('>')) {
        let _ = writeln!(out, "{line}");
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        let answers = match verb {
            "create" => create(&mut node, rest, false),
            "validate" => create(&mut node, rest, true),
            "delete" => delete(&mut node, rest),
            "block" => block(&mut node),
            "topics" => topics(&node),
            other => panic!("no story has the word {other}"),
        };
        answers.iter().for_each(|answer| {
            let _ = writeln!(out, "> {answer}");
        });
    }
    out
}

/// `name partitions replicas [config=value] [@index:broker+broker]`, several topics with `;` between.
fn wanted(text: &str) -> CreatableTopic {
    let mut words = text.split_whitespace();
    let number = |words: &mut std::str::SplitWhitespace<'_>| words.next().and_then(|word| word.parse().ok());
    let name = words.next().expect("a name");
    let partitions = number(&mut words).unwrap_or(-1);
    let mut wanted = topic(
        name,
        partitions,
        number(&mut words).map_or(-1, |factor| factor as i16),
    );
    for word in words {
        if let Some((index, brokers)) = word.strip_prefix('@').and_then(|word| word.split_once(':')) {
            wanted.assignments.push(CreatableReplicaAssignment {
                partition_index: index.parse().expect("an index"),
                broker_ids: brokers
                    .split('+')
                    .filter_map(|broker| broker.parse().ok())
                    .collect(),
                ..Default::default()
            });
        } else if let Some((name, value)) = word.split_once('=') {
            wanted.configs.push(CreatableTopicConfig {
                name: name.into(),
                value: (value != "null").then(|| value.into()),
                ..Default::default()
            });
        }
    }
    wanted
}

fn create(node: &mut Node, rest: &str, validate_only: bool) -> Vec<String> {
    let request = CreateTopicsRequest {
        topics: rest.split(';').map(wanted).collect(),
        validate_only,
        ..Default::default()
    };
    let context = CreateTopics {
        node: NODE,
        default_partitions: 4,
        default_replication_factor: 1,
        rules: &AnyConfig,
    };
    let mut id = node.next as u8;
    let decision = create_topics(&node.image, &request, &context, || {
        id += 1;
        Uuid([id; 16])
    });
    let mut lines: Vec<String> = Vec::new();
    for topic in &decision.response.topics {
        lines.push(match topic.error_message.as_deref() {
            None | Some("") => format!(
                "{} {} {}",
                topic.name.as_str(),
                topic.num_partitions,
                topic.replication_factor
            ),
            Some(message) => {
                let code = error(topic.error_code);
                format!("{} {code}: {}", topic.name.as_str(), message)
            }
        });
    }
    lines.push(format!("{} records", decision.records.len()));
    if !decision.records.is_empty() {
        node.commit(&decision.records);
    }
    lines
}

fn delete(node: &mut Node, rest: &str) -> Vec<String> {
    let request = DeleteTopicsRequest {
        topic_names: rest.split_whitespace().map(Into::into).collect(),
        ..Default::default()
    };
    let decision = delete_topics(&node.image, &request, false);
    if !decision.records.is_empty() {
        node.commit(&decision.records);
    }
    let answer = |topic: &protocol::messages::delete_topics_response::DeletableTopicResult| {
        format!(
            "{} {}",
            topic.name.as_deref().unwrap_or("-"),
            error(topic.error_code)
        )
    };
    decision.response.responses.iter().map(answer).collect()
}

fn error(code: i16) -> String {
    ErrorCode::from_code(code).map_or_else(|| code.to_string(), |code| format!("{code:?}"))
}

fn block(node: &mut Node) -> Vec<String> {
    let decision = next_producer_ids(&node.image, BrokerId(1)).expect("ids are left");
    node.commit(&decision.records);
    vec![format!(
        "from {} below {}",
        decision.response,
        node.image.next_producer_id()
    )]
}

fn topics(node: &Node) -> Vec<String> {
    let line =
        |topic: &std::sync::Arc<metadata::TopicImage>| format!("{} {}", topic.name, topic.partitions.len());
    node.image.topics().map(line).collect()
}
