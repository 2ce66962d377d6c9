//! From rows to the response on the wire.

use std::sync::Arc;

use net::Answer;
use protocol::Records;
use protocol::messages::fetch_response::{
    AbortedTransaction, EpochEndOffset, FetchResponse, FetchableTopicResponse, PartitionData,
};
use storage::{ColdRead, Slices};
use types::{ErrorCode, LeaderEpoch, Offset};

use super::items::Item;
use super::{Context, Rows, Terms, is_incremental, session_id};
use crate::fetch_session::{Answered, PartitionKey, TopicKey};
use crate::partition::{Bounds, Isolation, Partition};
use crate::respond::Reply;

/// The records of one partition, or where they are to be read.
pub(super) enum Body {
    Empty,
    Ready(Slices),
    Cold(ColdRead),
}

/// What one partition answers.
pub(super) struct Row {
    code: ErrorCode,
    bounds: Option<Bounds>,
    diverging: Option<(LeaderEpoch, Offset)>,
    source: Option<(Arc<Partition>, Offset)>,
    pub(super) body: Body,
}

impl Row {
    pub(super) fn error(code: ErrorCode) -> Row {
        Row {
            code,
            bounds: None,
            diverging: None,
            source: None,
            body: Body::Empty,
        }
    }

    pub(super) fn quiet(bounds: Bounds, partition: Arc<Partition>, from: Offset) -> Row {
        Row {
            code: ErrorCode::None,
            bounds: Some(bounds),
            diverging: None,
            source: Some((partition, from)),
            body: Body::Empty,
        }
    }

    pub(super) fn diverging(bounds: Bounds, epoch: LeaderEpoch, end: Offset) -> Row {
        let diverging = Some((epoch, end));
        Row {
            code: ErrorCode::None,
            bounds: Some(bounds),
            diverging,
            source: None,
            body: Body::Empty,
        }
    }

    pub(super) fn bytes(&self) -> usize {
        match &self.body {
            Body::Empty => 0,
            Body::Ready(slices) => slices.bytes,
            Body::Cold(cold) => cold.bytes(),
        }
    }

    pub(super) fn is_cold(&self) -> bool {
        matches!(self.body, Body::Cold(_))
    }

    /// An error, or a reader that must truncate: the answer leaves at once (trap 40).
    pub(super) fn is_urgent(&self) -> bool {
        self.code != ErrorCode::None || self.diverging.is_some()
    }

    /// Reads what is cold. Blocks.
    pub(super) fn warm(&mut self) {
        let Body::Cold(cold) = std::mem::replace(&mut self.body, Body::Empty) else {
            return;
        };
        match cold.run() {
            Ok(slices) => self.body = Body::Ready(slices),
            Err(error) => {
                let failed = self
                    .source
                    .as_ref()
                    .map(|(partition, _)| partition.read_failed(error));
                *self = Row::error(failed.unwrap_or(ErrorCode::KafkaStorageError));
            }
        }
    }

    fn answered(&self) -> Answered {
        Answered {
            high_watermark: self.bounds.map_or(-1, |bounds| bounds.high_watermark.0),
            log_start_offset: self.bounds.map_or(-1, |bounds| bounds.log_start.0),
            has_records: 0 < self.bytes(),
            has_error: self.code != ErrorCode::None,
            diverges: self.diverging.is_some(),
        }
    }

    fn into_data(self, partition: i32, isolation: Isolation) -> PartitionData {
        let mut data = PartitionData {
            partition_index: partition,
            error_code: self.code.code(),
            high_watermark: -1,
            last_stable_offset: -1,
            log_start_offset: -1,
            aborted_transactions: None,
            records: Some(Records::default()),
            ..PartitionData::default()
        };
        if let Some(bounds) = self.bounds {
            data.high_watermark = bounds.high_watermark.0;
            data.last_stable_offset = bounds.last_stable_offset.0;
            data.log_start_offset = bounds.log_start.0;
        }
        if let Some((epoch, end)) = self.diverging {
            data.diverging_epoch = EpochEndOffset {
                epoch: epoch.0,
                end_offset: end.0,
                ..EpochEndOffset::default()
            };
        }
        if isolation == Isolation::Committed
            && let Some((partition, from)) = &self.source
        {
            let until = match &self.body {
                Body::Ready(slices) => slices.next_offset,
                Body::Empty | Body::Cold(_) => *from,
            };
            data.aborted_transactions = Some(aborted(partition, *from, until));
        }
        if let Body::Ready(slices) = self.body {
            data.records = Some(Records::from_segments(slices.segments));
        }
        data
    }
}

/// The aborted transactions that overlap what was read, sorted by first offset (trap 47).
fn aborted(partition: &Partition, from: Offset, until: Offset) -> Vec<AbortedTransaction> {
    if until <= from {
        return Vec::new();
    }
    let row = |(producer_id, first_offset): (types::ProducerId, Offset)| AbortedTransaction {
        producer_id: producer_id.0,
        first_offset: first_offset.0,
        ..AbortedTransaction::default()
    };
    partition
        .log()
        .aborted_transactions(from, until)
        .into_iter()
        .map(row)
        .collect()
}

/// The whole answer. A session is told what its client now knows.
pub(super) fn encode(reply: &Reply, terms: &Terms, context: &Context, items: &[Item], rows: Rows) -> Answer {
    let mut response = FetchResponse {
        session_id: session_id(context),
        ..FetchResponse::default()
    };
    for (item, row) in items.iter().zip(rows) {
        if !is_told(context, &item.key, &row) {
            continue;
        }
        let data = row.into_data(item.key.partition, terms.isolation);
        push(&mut response, &item.key, data);
    }
    reply.send(&response)
}

fn is_told(context: &Context, key: &PartitionKey, row: &Row) -> bool {
    let session = match context {
        Context::Sessionless | Context::Full(None) => return true,
        Context::Full(Some(session)) | Context::Incremental(session) => session,
    };
    let mut session = session.lock();
    let is_news = session.is_news(key, &row.answered());
    if 0 < row.bytes() {
        session.served(key);
    }
    is_news || !is_incremental(context)
}

/// Appends to the topic's list if it is the last one, as the order of serving may return to a topic.
fn push(response: &mut FetchResponse, key: &PartitionKey, data: PartitionData) {
    let same = |topic: &FetchableTopicResponse| match &key.topic {
        TopicKey::Name(name) => topic.topic == *name,
        TopicKey::Id(id) => topic.topic_id == *id,
    };
    if let Some(topic) = response.responses.last_mut().filter(|topic| same(topic)) {
        topic.partitions.push(data);
        return;
    }
    let mut topic = FetchableTopicResponse {
        partitions: vec![data],
        ..FetchableTopicResponse::default()
    };
    match &key.topic {
        TopicKey::Name(name) => topic.topic = name.clone(),
        TopicKey::Id(id) => topic.topic_id = *id,
    }
    response.responses.push(topic);
}

/// A request whose session fields are wrong: nothing but the error (trap 42).
pub(super) fn refusal(reply: &Reply, code: ErrorCode) -> Answer {
    reply.send(&FetchResponse {
        error_code: code.code(),
        ..FetchResponse::default()
    })
}
