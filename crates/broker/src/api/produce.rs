//! Produce (key 0), v3-v13; v0-v2 are advertised and end the connection, as in Kafka (traps 4 and 103).
//!
//! Splits the request by partition, appends each batch, and answers in one piece when all of them are in the log
//! (acks=1) or committed (acks=all). acks=0 is never answered; an error closes the connection instead (trap 18).

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use net::{Answer, Start};
use protocol::Str;
use protocol::messages::produce_request::view;
use protocol::messages::produce_response::{
    BatchIndexAndErrorMessage, LeaderIdAndEpoch, PartitionProduceResponse, ProduceResponse,
    TopicProduceResponse,
};
use smallvec::SmallVec;
use tokio::time::Sleep;
use types::ErrorCode;

use super::metadata::is_internal;
use super::{Call, Pending};
use crate::partition::{Acks, AppendFailure, ProduceEnd, ProduceWait};
use crate::respond::Reply;
use crate::topics::Topic;

/// The first version that reports errors per record.
const RECORD_ERRORS_FROM: i16 = 8;
/// The first version that names the leader in an answer (KIP-951).
const LEADER_FROM: i16 = 10;
/// The first version that names topics by id.
const TOPIC_ID_FROM: i16 = 13;

/// The only client id that may write to Kafka's own topics (`AdminUtils.ADMIN_CLIENT_ID`).
const ADMIN_CLIENT: &str = "__admin_client";

/// Appends everything in the request; what is left is waiting.
pub fn start(call: &mut Call<'_>) -> Start<Pending> {
    if call.version() < 3 {
        return Start::Done(Answer::Close("produce v0 to v2 is not served"));
    }
    let frame = call.frame.clone();
    let request = match call.decode_view(&frame, view::ProduceRequest::decode) {
        Ok(request) => request,
        Err(close) => return Start::Done(close),
    };
    let mut produce = ProducePending {
        reply: call.reply(),
        acks: Acks::from_wire(request.acks),
        response: ProduceResponse::default(),
        waits: SmallVec::new(),
        timeout: Timeout::After(Duration::from_millis(
            u64::try_from(request.timeout_ms).unwrap_or(0),
        )),
    };
    for topic in request.topic_data.iter() {
        append_topic(call, &frame, &topic, &request, &mut produce);
    }
    produce.finish_start()
}

fn append_topic(
    call: &mut Call<'_>,
    frame: &Bytes,
    topic: &view::TopicProduceData<'_>,
    request: &view::ProduceRequest<'_>,
    produce: &mut ProducePending,
) {
    let by_id = TOPIC_ID_FROM <= call.version();
    let found = if by_id {
        call.broker.topics.by_id(topic.topic_id)
    } else {
        call.broker.topics.by_name(topic.name)
    };
    let missing = if by_id {
        ErrorCode::UnknownTopicId
    } else {
        ErrorCode::UnknownTopicOrPartition
    };
    let mut answers = Vec::with_capacity(topic.partition_data.len());
    for data in topic.partition_data.iter() {
        let records = data.records.map(|records| records.slice_of(frame));
        let place = Place {
            topic: produce.response.responses.len(),
            partition: answers.len(),
        };
        let outcome = match &found {
            Some(topic) => append(call, topic, data.index, records, request, produce, place),
            None => Err(AppendFailure::of(missing)),
        };
        answers.push(answer(call.version(), data.index, outcome));
    }
    produce.response.responses.push(TopicProduceResponse {
        name: named_in(frame, topic.name),
        topic_id: topic.topic_id,
        partition_responses: answers,
        ..TopicProduceResponse::default()
    });
}

/// A name of the request, which the answer repeats: it stays in the frame.
fn named_in(frame: &Bytes, name: &str) -> Str {
    Str::from_utf8(frame.slice_ref(name.as_bytes())).unwrap_or_default()
}

/// Where in the answer a partition's row is.
#[derive(Debug, Clone, Copy)]
struct Place {
    topic: usize,
    partition: usize,
}

fn append(
    call: &mut Call<'_>,
    topic: &Topic,
    index: i32,
    records: Option<Bytes>,
    request: &view::ProduceRequest<'_>,
    produce: &mut ProducePending,
    place: Place,
) -> Result<PartitionProduceResponse, AppendFailure> {
    let acks = produce
        .acks
        .ok_or(AppendFailure::of(ErrorCode::InvalidRequiredAcks))?;
    if is_internal(&topic.name) && call.header.client_id.as_deref() != Some(ADMIN_CLIENT) {
        return Err(AppendFailure::of(ErrorCode::InvalidTopicException));
    }
    let partition = topic
        .partition(index)
        .ok_or(AppendFailure::of(ErrorCode::UnknownTopicOrPartition))?;
    let is_transactional = request.transactional_id.is_some();
    let produced = partition.produce(
        records,
        call.version(),
        is_transactional,
        call.broker.clock.wall_ms(),
    )?;
    call.session.queued = true;
    call.session.wants_sync |= partition.wants_sync(acks);
    let wait = match acks {
        Acks::None => None,
        Acks::Leader => Some(ProduceWait::written(partition.clone(), produced.end)),
        Acks::All => Some(ProduceWait::committed(partition.clone(), produced.end)),
    };
    produce.waits.extend(wait.map(|wait| (place, wait)));
    Ok(PartitionProduceResponse {
        index,
        base_offset: produced.base_offset.0,
        log_append_time_ms: produced.log_append_time_ms,
        log_start_offset: produced.log_start.0,
        ..PartitionProduceResponse::default()
    })
}

fn answer(
    version: i16,
    index: i32,
    outcome: Result<PartitionProduceResponse, AppendFailure>,
) -> PartitionProduceResponse {
    let failure = match outcome {
        Ok(answer) => return answer,
        Err(failure) => failure,
    };
    let mut answer = PartitionProduceResponse {
        index,
        error_code: failure.code.code(),
        base_offset: -1,
        log_start_offset: failure.log_start.map_or(-1, |offset| offset.0),
        ..PartitionProduceResponse::default()
    };
    if RECORD_ERRORS_FROM <= version {
        answer.error_message = failure.message.map(Into::into);
        let row = |bad: record::BadRecord| BatchIndexAndErrorMessage {
            batch_index: bad.index,
            batch_index_error_message: Some(Str::from_static(bad.why.message())),
            ..BatchIndexAndErrorMessage::default()
        };
        answer.record_errors = failure.records.into_iter().map(row).collect();
    }
    if LEADER_FROM <= version && failure.code == ErrorCode::NotLeaderOrFollower {
        answer.current_leader = LeaderIdAndEpoch::default();
    }
    answer
}

/// A request whose batches are queued and not all where its acks want them.
pub struct ProducePending {
    reply: Reply,
    acks: Option<Acks>,
    response: ProduceResponse,
    waits: SmallVec<[(Place, ProduceWait); 1]>,
    timeout: Timeout,
}

/// The timer is only made when a request has to wait.
enum Timeout {
    After(Duration),
    Running(Pin<Box<Sleep>>),
}

impl ProducePending {
    fn finish_start(self) -> Start<Pending> {
        if self.acks == Some(Acks::None) {
            let failed = self.rows().any(|row| row.error_code != 0);
            let answer = if failed {
                Answer::Close("an acks=0 produce failed")
            } else {
                Answer::Silence
            };
            return Start::Done(answer);
        }
        if self.waits.is_empty() {
            return Start::Done(self.encode());
        }
        Start::Parked(Pending::Produce(self))
    }

    fn rows(&self) -> impl Iterator<Item = &PartitionProduceResponse> {
        self.response
            .responses
            .iter()
            .flat_map(|topic| &topic.partition_responses)
    }

    fn fail(&mut self, place: Place, code: ErrorCode) {
        let topic = self.response.responses.get_mut(place.topic);
        if let Some(row) = topic.and_then(|topic| topic.partition_responses.get_mut(place.partition)) {
            row.error_code = code.code();
            row.base_offset = -1;
            row.log_append_time_ms = -1;
        }
    }

    fn encode(&self) -> Answer {
        self.reply.send(&self.response)
    }

    fn timed_out(&mut self, context: &mut Context<'_>) -> bool {
        if let Timeout::After(duration) = self.timeout {
            self.timeout = Timeout::Running(Box::pin(tokio::time::sleep(duration)));
        }
        match &mut self.timeout {
            Timeout::Running(sleep) => sleep.as_mut().poll(context).is_ready(),
            Timeout::After(_) => false,
        }
    }
}

impl Future for ProducePending {
    type Output = Answer;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Answer> {
        let this = &mut *self;
        while let Some((place, wait)) = this.waits.last_mut() {
            let place = *place;
            match wait.poll(context) {
                Poll::Ready(end) => {
                    this.waits.pop();
                    if end == ProduceEnd::Offline {
                        this.fail(place, ErrorCode::KafkaStorageError);
                    }
                }
                Poll::Pending => {
                    if !this.timed_out(context) {
                        return Poll::Pending;
                    }
                    while let Some((place, _)) = this.waits.pop() {
                        this.fail(place, ErrorCode::RequestTimedOut);
                    }
                }
            }
        }
        Poll::Ready(this.encode())
    }
}
