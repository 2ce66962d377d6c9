//! DescribeTopicPartitions (key 75), v0: topics with their partitions, a page at a time.

use metadata::{MetadataImage, TopicImage};
use net::Start;
use protocol::Str;
use protocol::messages::describe_topic_partitions_request::{DescribeTopicPartitionsRequest, TopicRequest};
use protocol::messages::describe_topic_partitions_response::{
    Cursor, DescribeTopicPartitionsResponse, DescribeTopicPartitionsResponsePartition,
    DescribeTopicPartitionsResponseTopic,
};
use types::{BrokerId, ErrorCode};

use super::{Call, Pending};

/// `max.request.partition.size.limit`
const PARTITIONS_MAX: i32 = 2000;
/// Every operation on a topic that this node knows, as nobody is refused any.
const TOPIC_OPERATIONS: i32 = 0b1101_1111_1000;

pub fn start(call: &mut Call<'_>) -> Start<Pending> {
    let request: DescribeTopicPartitionsRequest = match call.decode() {
        Ok(request) => request,
        Err(close) => return Start::Done(close),
    };
    let image = call.broker.image();
    let cursor = request.cursor.as_ref();
    let unasked =
        |name: &Str| !request.topics.is_empty() && request.topics.iter().all(|topic| topic.name != *name);
    if cursor.is_some_and(|cursor| cursor.partition_index < 0 || unasked(&cursor.topic_name)) {
        return Start::Done(call.reply().send(&refused(&request)));
    }
    let mut page = Page {
        left: request.response_partition_limit.clamp(0, PARTITIONS_MAX).max(1) as usize,
        response: DescribeTopicPartitionsResponse::default(),
    };
    let from: &str = cursor.map_or("", |cursor| &cursor.topic_name);
    let first = |name: &str| {
        cursor
            .filter(|cursor| *cursor.topic_name == *name)
            .map_or(0, |cursor| cursor.partition_index)
    };
    for name in names(&image, &request, from) {
        if !page.add(&image, &name, first(&name)) {
            break;
        }
    }
    Start::Done(call.reply().send(&page.response))
}

/// A cursor that cannot be: every topic says so.
fn refused(request: &DescribeTopicPartitionsRequest) -> DescribeTopicPartitionsResponse {
    let row = |topic: &TopicRequest| DescribeTopicPartitionsResponseTopic {
        error_code: ErrorCode::InvalidRequest.code(),
        name: Some(topic.name.clone()),
        ..Default::default()
    };
    DescribeTopicPartitionsResponse {
        topics: request.topics.iter().map(row).collect(),
        ..Default::default()
    }
}

/// The topics to describe, ascending, from the cursor on; none named means all.
fn names(image: &MetadataImage, request: &DescribeTopicPartitionsRequest, from: &str) -> Vec<Str> {
    let mut names: Vec<Str> = if request.topics.is_empty() {
        image
            .topics_from(from)
            .map(|topic| topic.name.as_str().into())
            .collect()
    } else {
        request
            .topics
            .iter()
            .map(|topic| topic.name.clone())
            .filter(|name| from <= &**name)
            .collect()
    };
    names.sort();
    names.dedup();
    names
}

struct Page {
    left: usize,
    response: DescribeTopicPartitionsResponse,
}

impl Page {
    /// Adds a topic from a partition on. False when the page is full.
    fn add(&mut self, image: &MetadataImage, name: &Str, first: i32) -> bool {
        if self.left == 0 {
            let cursor = Cursor {
                topic_name: name.clone(),
                partition_index: first,
                ..Default::default()
            };
            self.response.next_cursor = Some(cursor);
            return false;
        }
        let mut row = DescribeTopicPartitionsResponseTopic {
            name: Some(name.clone()),
            ..Default::default()
        };
        let Some(topic) = image.topic_by_name(name) else {
            let legal = types::TopicName::new(name).is_ok();
            let code = if legal {
                ErrorCode::UnknownTopicOrPartition
            } else {
                ErrorCode::InvalidTopicException
            };
            row.error_code = code.code();
            row.topic_authorized_operations = TOPIC_OPERATIONS;
            self.response.topics.push(row);
            return true;
        };
        row.topic_id = topic.id;
        row.is_internal = super::metadata::is_internal(name);
        row.topic_authorized_operations = TOPIC_OPERATIONS;
        let first = usize::try_from(first).unwrap_or(0);
        row.partitions = partitions(topic, first).take(self.left).collect();
        self.left -= row.partitions.len();
        let next = first + row.partitions.len();
        self.response.topics.push(row);
        if next < topic.partitions.len() {
            let partition_index = i32::try_from(next).unwrap_or(i32::MAX);
            let cursor = Cursor {
                topic_name: name.clone(),
                partition_index,
                ..Default::default()
            };
            self.response.next_cursor = Some(cursor);
            return false;
        }
        true
    }
}

fn partitions(
    topic: &TopicImage,
    first: usize,
) -> impl Iterator<Item = DescribeTopicPartitionsResponsePartition> + use<'_> {
    let ids = |brokers: &[BrokerId]| brokers.iter().map(|broker| broker.0).collect::<Vec<i32>>();
    topic
        .partitions
        .iter()
        .enumerate()
        .skip(first)
        .map(
            move |(index, partition)| DescribeTopicPartitionsResponsePartition {
                partition_index: i32::try_from(index).unwrap_or(i32::MAX),
                leader_id: partition.leader.0,
                leader_epoch: partition.leader_epoch.0,
                replica_nodes: ids(partition.replicas()),
                isr_nodes: ids(partition.in_sync()),
                eligible_leader_replicas: Some(ids(partition.eligible_leader_replicas())),
                last_known_elr: Some(ids(partition.last_known_elr())),
                ..Default::default()
            },
        )
}
