//! A record on its way in, and what becomes of it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use parking_lot::Mutex;
use record::HeaderRef;
use types::Offset;

use crate::{Error, Result};

/// A record to be sent. Borrows: the producer copies it once, into its batch.
///
/// ```
/// let record = client::NewRecord::to("orders").key(b"42").value(b"paid").header("trace", b"abc");
/// assert_eq!(record.topic(), "orders");
/// ```
#[derive(Debug, Clone, Default)]
pub struct NewRecord<'a> {
    pub(super) topic: &'a str,
    pub(super) partition: Option<i32>,
    pub(super) key: Option<&'a [u8]>,
    pub(super) value: Option<&'a [u8]>,
    pub(super) headers: smallvec::SmallVec<[HeaderRef<'a>; 2]>,
    pub(super) timestamp: Option<i64>,
}

impl<'a> NewRecord<'a> {
    /// A record for a topic, with neither key nor value.
    pub fn to(topic: &'a str) -> NewRecord<'a> {
        NewRecord {
            topic,
            ..NewRecord::default()
        }
    }

    /// The topic's name.
    pub fn topic(&self) -> &str {
        self.topic
    }

    /// The key, which decides the partition unless one is given.
    pub fn key(mut self, key: &'a (impl AsRef<[u8]> + ?Sized)) -> NewRecord<'a> {
        self.key = Some(key.as_ref());
        self
    }

    /// The value. Without one the record is a tombstone.
    pub fn value(mut self, value: &'a (impl AsRef<[u8]> + ?Sized)) -> NewRecord<'a> {
        self.value = Some(value.as_ref());
        self
    }

    /// The partition, whatever the key.
    pub fn partition(mut self, partition: i32) -> NewRecord<'a> {
        self.partition = Some(partition);
        self
    }

    /// One more header; names may repeat.
    pub fn header(mut self, name: &'a str, value: &'a (impl AsRef<[u8]> + ?Sized)) -> NewRecord<'a> {
        self.headers.push((name, Some(value.as_ref())));
        self
    }

    /// One more header without a value.
    pub fn null_header(mut self, name: &'a str) -> NewRecord<'a> {
        self.headers.push((name, None));
        self
    }

    /// The record's time in ms since 1970; without it, now.
    pub fn timestamp(mut self, timestamp: i64) -> NewRecord<'a> {
        self.timestamp = Some(timestamp);
        self
    }
}

/// Where a record came to lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delivered {
    /// The partition.
    pub partition: i32,
    /// Its offset; `None` if the broker did not tell: `acks=0`, or a retry of what was already there.
    pub offset: Option<Offset>,
    /// Its time in ms since 1970: the broker's if the topic wants that, else the record's.
    pub timestamp: i64,
}

/// What a batch came to.
#[derive(Debug, Clone)]
pub(super) struct Landed {
    pub(super) base_offset: Option<i64>,
    pub(super) log_append_time: Option<i64>,
}

/// What a batch and its records' deliveries share.
#[derive(Debug, Default)]
pub(super) struct Fate(Mutex<FateState>);

#[derive(Debug, Default)]
struct FateState {
    outcome: Option<Result<Landed>>,
    wakers: Vec<Option<Waker>>,
}

impl Fate {
    /// Decides it, once; later calls change nothing.
    pub(super) fn settle(&self, outcome: Result<Landed>) {
        let wakers = {
            let mut state = self.0.lock();
            state.outcome.get_or_insert(outcome);
            std::mem::take(&mut state.wakers)
        };
        wakers.into_iter().flatten().for_each(Waker::wake);
    }

    fn poll(&self, context: &mut Context<'_>, slot: &mut Option<usize>) -> Poll<Result<Landed>> {
        let mut state = self.0.lock();
        if let Some(outcome) = &state.outcome {
            return Poll::Ready(outcome.clone());
        }
        let waker = Some(context.waker().clone());
        match slot.and_then(|slot| state.wakers.get_mut(slot)) {
            Some(place) => *place = waker,
            None => {
                *slot = Some(state.wakers.len());
                state.wakers.push(waker);
            }
        }
        Poll::Pending
    }

    /// Waits until it is decided.
    pub(super) async fn settled(&self) {
        let mut slot = None;
        let _ = std::future::poll_fn(|context| self.poll(context, &mut slot)).await;
    }
}

/// A record's delivery: a future that ends when the brokers have taken the record as `acks` wants, or when it is
/// given up. Dropping it changes nothing about the record.
#[derive(Debug)]
pub struct Delivery {
    pub(super) fate: Arc<Fate>,
    pub(super) partition: i32,
    pub(super) index: i32,
    pub(super) timestamp: i64,
    pub(super) slot: Option<usize>,
}

impl Future for Delivery {
    type Output = Result<Delivered, Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let landed = match this.fate.poll(context, &mut this.slot) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(landed) => landed,
        };
        Poll::Ready(landed.map(|landed| {
            Delivered {
                partition: this.partition,
                offset: landed
                    .base_offset
                    .map(|base| Offset(base.saturating_add(i64::from(this.index)))),
                timestamp: landed.log_append_time.unwrap_or(this.timestamp),
            }
        }))
    }
}
