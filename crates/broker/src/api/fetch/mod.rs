//! Fetch (key 1), v4-v18.
//!
//! Answers whole batches from the one that holds the fetch offset. With too few bytes the request is parked once on
//! all its partitions and looks again when one of them grows, or when `max_wait_ms` is over; nothing polls.
//! Order and limits as in `ReplicaManager.readFromLog` of Kafka 4.3 (traps 35-52).

mod answer;
mod items;
mod parked;

use net::Start;
use protocol::messages::fetch_request::view;
use smallvec::SmallVec;
use types::ErrorCode;

use super::{Call, Pending};
use crate::fetch_session::Context;
use crate::partition::Isolation;
use answer::Row;
use items::Item;
pub use parked::FetchPending;

/// The first version that names topics by id.
const TOPIC_ID_FROM: i16 = 13;

/// Most fetches in a session of one partition name one: lists of one take no memory of their own.
type Items = SmallVec<[Item; 1]>;
type Rows = SmallVec<[Row; 1]>;

/// What holds for all partitions of a request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Terms {
    pub(super) isolation: Isolation,
    pub(super) min_bytes: i64,
    pub(super) max_bytes: usize,
    pub(super) max_wait_ms: u64,
    /// A broker that replicates, or -1.
    pub(super) replica: i32,
}

pub fn start(call: &mut Call<'_>) -> Start<Pending> {
    let frame = call.frame.clone();
    let request = match call.decode_view(&frame, view::FetchRequest::decode) {
        Ok(request) => request,
        Err(close) => return Start::Done(close),
    };
    let terms = terms(call, &request);
    let asked = items::asked(call, &request);
    let broker = call.broker;
    let context = match broker
        .fetch_sessions
        .begin(&asked, broker.now_ms(), || broker.random_i32())
    {
        Ok(context) => context,
        Err(code) => return Start::Done(answer::refusal(&call.reply(), code)),
    };
    let items = items::resolve(broker, &context, asked);
    let mut fetch = FetchPending::new(call.broker.clone(), call.reply(), terms, context, items);
    let rows = fetch.look();
    if fetch.is_enough(&rows) {
        return fetch.finish(rows);
    }
    drop(rows);
    Start::Parked(Pending::Fetch(Box::new(fetch)))
}

fn terms(call: &Call<'_>, request: &view::FetchRequest<'_>) -> Terms {
    let broker_max = call.broker.config.fetch_max_bytes;
    let replica = if call.version() < 15 {
        request.replica_id
    } else {
        request.replica_state.replica_id
    };
    Terms {
        isolation: if request.isolation_level == 1 {
            Isolation::Committed
        } else {
            Isolation::Uncommitted
        },
        min_bytes: i64::from(request.min_bytes.min(request.max_bytes)),
        max_bytes: request.max_bytes.clamp(0, broker_max) as usize,
        max_wait_ms: u64::try_from(request.max_wait_ms).unwrap_or(0),
        replica,
    }
}

/// Reads every item in turn, as long as the request's bytes last.
fn look(items: &[Item], terms: &Terms) -> Rows {
    let mut left = terms.max_bytes;
    let mut at_least_one = true;
    let mut rows = Rows::with_capacity(items.len());
    for item in items {
        let row = item.read(terms, left, at_least_one);
        let bytes = row.bytes();
        at_least_one &= bytes == 0;
        left = left.saturating_sub(bytes);
        rows.push(row);
    }
    rows
}

/// A partition of the session answers an error at once; nobody waits on it.
fn error_row(code: ErrorCode) -> Row {
    Row::error(code)
}

/// Whether a session answers only news.
fn is_incremental(context: &Context) -> bool {
    matches!(context, Context::Incremental(_))
}

/// The session id that a client is told; 0 means none.
fn session_id(context: &Context) -> i32 {
    match context {
        Context::Sessionless | Context::Full(None) => 0,
        Context::Full(Some(session)) | Context::Incremental(session) => session.lock().id(),
    }
}
