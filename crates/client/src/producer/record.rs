//! A record on its way in, and what becomes of it.

use std::future::Future;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use parking_lot::Mutex;
use record::HeaderRef;
use smallvec::SmallVec;
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
    pub(super) headers: SmallVec<[HeaderRef<'a>; 2]>,
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
    outcomes: SmallVec<[Outcome; 1]>,
    /// How often the batch was cut in two.
    cuts: usize,
    /// Those that wait for what is decided next.
    wakers: Vec<Option<Waker>>,
    /// Counts decisions: a place among the wakers is good until the next.
    round: usize,
}

/// What became of a run of a batch's records.
#[derive(Debug)]
struct Outcome {
    records: Range<i32>,
    landed: Result<Landed>,
}

/// A place among the wakers of a fate.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slot {
    round: usize,
    place: usize,
}

/// The run of a batch's records that one decision is about: all of them, unless the batch was cut.
#[derive(Debug, Clone)]
pub(super) struct Part {
    pub(super) fate: Arc<Fate>,
    records: Range<i32>,
}

impl Part {
    /// All records of a batch.
    pub(super) fn whole(fate: Arc<Fate>) -> Part {
        Part {
            fate,
            records: 0..i32::MAX,
        }
    }

    /// Decides it, once; later calls change nothing.
    pub(super) fn settle(&self, landed: Result<Landed>) {
        let wakers = {
            let mut state = self.fate.0.lock();
            let decided = |one: &Outcome| one.records.contains(&self.records.start);
            if !state.outcomes.iter().any(decided) {
                state.outcomes.push(Outcome {
                    records: self.records.clone(),
                    landed,
                });
            }
            state.round += 1;
            std::mem::take(&mut state.wakers)
        };
        wakers.into_iter().flatten().for_each(Waker::wake);
    }

    /// Cuts it behind `count` records: each side is decided by itself from now on.
    pub(super) fn cut(self, count: i32) -> [Part; 2] {
        self.fate.0.lock().cuts += 1;
        let middle = self.records.start.saturating_add(count);
        let second = Part {
            fate: self.fate.clone(),
            records: middle..self.records.end,
        };
        let first = Part {
            records: self.records.start..middle,
            ..self
        };
        [first, second]
    }
}

impl FateState {
    fn park(&mut self, context: &Context<'_>, slot: &mut Option<Slot>) {
        let waker = Some(context.waker().clone());
        let known = slot.filter(|slot| slot.round == self.round);
        match known.and_then(|slot| self.wakers.get_mut(slot.place)) {
            Some(place) => *place = waker,
            None => {
                *slot = Some(Slot {
                    round: self.round,
                    place: self.wakers.len(),
                });
                self.wakers.push(waker);
            }
        }
    }
}

impl Fate {
    /// What became of the record at `index`, and the index of the first that was decided with it.
    fn poll(
        &self,
        context: &Context<'_>,
        index: i32,
        slot: &mut Option<Slot>,
    ) -> Poll<(i32, Result<Landed>)> {
        let mut state = self.0.lock();
        let decided = state.outcomes.iter().find(|one| one.records.contains(&index));
        if let Some(outcome) = decided {
            return Poll::Ready((outcome.records.start, outcome.landed.clone()));
        }
        state.park(context, slot);
        Poll::Pending
    }

    /// Waits until every record's is decided.
    pub(super) async fn settled(&self) {
        let mut slot = None;
        let all = |context: &mut Context<'_>| {
            let mut state = self.0.lock();
            if state.cuts < state.outcomes.len() {
                return Poll::Ready(());
            }
            state.park(context, &mut slot);
            Poll::Pending
        };
        std::future::poll_fn(all).await;
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
    pub(super) slot: Option<Slot>,
}

impl Future for Delivery {
    type Output = Result<Delivered, Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let (first, landed) = match this.fate.poll(context, this.index, &mut this.slot) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(decided) => decided,
        };
        Poll::Ready(landed.map(|landed| {
            Delivered {
                partition: this.partition,
                offset: landed
                    .base_offset
                    .map(|base| Offset(base.saturating_add(i64::from(this.index - first)))),
                timestamp: landed.log_append_time.unwrap_or(this.timestamp),
            }
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delivery(fate: &Arc<Fate>, index: i32) -> Delivery {
        Delivery {
            fate: fate.clone(),
            partition: 0,
            index,
            timestamp: 5,
            slot: None,
        }
    }

    fn landed(base_offset: i64) -> Result<Landed> {
        Ok(Landed {
            base_offset: Some(base_offset),
            log_append_time: None,
        })
    }

    #[tokio::test(start_paused = true)]
    async fn each_side_of_a_cut_is_decided_by_itself() {
        let fate: Arc<Fate> = Arc::default();
        let waiting: Vec<_> = (0..5).map(|index| tokio::spawn(delivery(&fate, index))).collect();
        let flushing = tokio::spawn({
            let fate = fate.clone();
            async move { fate.settled().await }
        });
        tokio::task::yield_now().await;
        let [first, rest] = Part::whole(fate.clone()).cut(2);
        let [second, third] = rest.cut(1);
        third.settle(landed(900));
        tokio::task::yield_now().await;
        first.settle(landed(100));
        first.settle(Err(Error::Closed));
        tokio::task::yield_now().await;
        assert!(!flushing.is_finished());
        second.settle(Err(Error::Closed));
        let mut offsets = Vec::new();
        for task in waiting {
            let delivered = task.await.expect("it ends");
            offsets.push(delivered.ok().and_then(|one| one.offset).map(|offset| offset.0));
        }
        assert_eq!(offsets, [Some(100), Some(101), None, Some(900), Some(901)]);
        flushing.await.expect("it ends");
    }
}
