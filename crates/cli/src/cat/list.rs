//! `-L`: brokers, topics and partitions.
//!
//! kcat asks in a way that makes brokers create the topic of `-t`; this does not.

use std::fmt::Write;

use client::protocol::messages::metadata_request::{MetadataRequest, MetadataRequestTopic};
use client::protocol::messages::metadata_response::{MetadataResponse, MetadataResponseTopic};
use client::{ErrorCode, To};

use super::format::text;
use super::options::Options;
use super::properties::Properties;
use super::{Stop, printed, said};

pub(super) async fn run(options: &Options, properties: &Properties) -> Result<(), Stop> {
    let client = properties.client()?;
    let topic = Some(options.topic()).filter(|topic| !topic.is_empty());
    let request = MetadataRequest {
        topics: topic.map(|topic| {
            vec![MetadataRequestTopic {
                name: Some(topic.into()),
                ..MetadataRequestTopic::default()
            }]
        }),
        allow_auto_topic_creation: false,
        ..MetadataRequest::default()
    };
    let answer = client.call(To::Any, &request).await.map_err(|error| {
        Stop::fatal(format!(
            "Failed to acquire metadata: {} (Are the brokers reachable? Also try increasing the metadata timeout with \
             -m <timeout>?)",
            said(&error)
        ))
    })?;
    // Which broker of several answered is not known here: the first one stands for them.
    let from = match answer.brokers.first() {
        Some(broker) => (
            broker.node_id,
            format!("{}:{}/{}", &*broker.host, broker.port, broker.node_id),
        ),
        None => (
            -1,
            properties.get("bootstrap.servers").unwrap_or_default().to_owned(),
        ),
    };
    let shown = match options.json {
        true => json(topic, &from, &answer),
        false => plain(topic, &from, &answer).into_bytes(),
    };
    printed(&shown)
}

fn name(topic: &MetadataResponseTopic) -> &str {
    topic.name.as_ref().map(|name| name.as_str()).unwrap_or_default()
}

/// An error as librdkafka names it; `None` if there is none.
fn error(code: i16) -> Option<String> {
    match ErrorCode::from_code(code) {
        Some(ErrorCode::None) => None,
        Some(ErrorCode::UnknownTopicOrPartition) => Some("Broker: Unknown topic or partition".to_owned()),
        Some(ErrorCode::LeaderNotAvailable) => Some("Broker: Leader not available".to_owned()),
        Some(ErrorCode::InvalidTopicException) => Some("Broker: Invalid topic".to_owned()),
        Some(code) => Some(format!("Broker: {code}")),
        None => Some(format!("Broker: error {code}")),
    }
}

fn plain(topic: Option<&str>, from: &(i32, String), answer: &MetadataResponse) -> String {
    let mut out = String::new();
    let what = topic.unwrap_or("all topics");
    let _ = writeln!(out, "Metadata for {what} (from broker {}: {}):", from.0, from.1);
    let _ = writeln!(out, " {} brokers:", answer.brokers.len());
    for broker in &answer.brokers {
        let controller = if broker.node_id == answer.controller_id {
            " (controller)"
        } else {
            ""
        };
        let _ = writeln!(
            out,
            "  broker {} at {}:{}{controller}",
            broker.node_id, &*broker.host, broker.port
        );
    }
    let _ = writeln!(out, " {} topics:", answer.topics.len());
    for topic in &answer.topics {
        let wrong = error(topic.error_code).map_or(String::new(), |wrong| format!(" {wrong}"));
        let _ = writeln!(
            out,
            "  topic \"{}\" with {} partitions:{wrong}",
            name(topic),
            topic.partitions.len()
        );
        for partition in &topic.partitions {
            let ids = |ids: &[i32]| ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
            let wrong = error(partition.error_code).map_or(String::new(), |wrong| format!(", {wrong}"));
            let _ = writeln!(
                out,
                "    partition {}, leader {}, replicas: {}, isrs: {}{wrong}",
                partition.partition_index,
                partition.leader_id,
                ids(&partition.replica_nodes),
                ids(&partition.isr_nodes)
            );
        }
    }
    out
}

fn json(topic: Option<&str>, from: &(i32, String), answer: &MetadataResponse) -> Vec<u8> {
    let quoted = |value: &str| {
        let mut out = Vec::new();
        text(value.as_bytes(), &mut out);
        String::from_utf8_lossy(&out).into_owned()
    };
    let ids = |ids: &[i32]| {
        let each: Vec<String> = ids.iter().map(|id| format!("{{\"id\":{id}}}")).collect();
        format!("[{}]", each.join(","))
    };
    let wrong = |code| error(code).map_or(String::new(), |wrong| format!("\"error\":{},", quoted(&wrong)));
    let brokers: Vec<String> = answer
        .brokers
        .iter()
        .map(|broker| {
            let address = format!("{}:{}", &*broker.host, broker.port);
            format!("{{\"id\":{},\"name\":{}}}", broker.node_id, quoted(&address))
        })
        .collect();
    let topics: Vec<String> = answer
        .topics
        .iter()
        .map(|topic| {
            let partitions: Vec<String> = topic
                .partitions
                .iter()
                .map(|partition| {
                    format!(
                        "{{\"partition\":{},{}\"leader\":{},\"replicas\":{},\"isrs\":{}}}",
                        partition.partition_index,
                        wrong(partition.error_code),
                        partition.leader_id,
                        ids(&partition.replica_nodes),
                        ids(&partition.isr_nodes)
                    )
                })
                .collect();
            format!(
                "{{\"topic\":{},{}\"partitions\":[{}]}}",
                quoted(name(topic)),
                wrong(topic.error_code),
                partitions.join(",")
            )
        })
        .collect();
    let whole = format!(
        "{{\"originating_broker\":{{\"id\":{},\"name\":{}}},\"query\":{{\"topic\":{}}},\"controllerid\":{},\"brokers\":[{}],\"topics\":[{}]}}",
        from.0,
        quoted(&from.1),
        quoted(topic.unwrap_or("*")),
        answer.controller_id,
        brokers.join(","),
        topics.join(",")
    );
    whole.into_bytes()
}
