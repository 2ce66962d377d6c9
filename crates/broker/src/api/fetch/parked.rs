//! A fetch between its start and its answer.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};
use std::time::Duration;

use net::{Answer, RemoteWaker, Start};
use tokio::time::Sleep;

use super::answer::{self, Row};
use super::{Context, Items, Rows, Terms, look};
use crate::Broker;
use crate::api::Pending;
use crate::partition::FetchWaiter;
use crate::respond::Reply;

/// Kept on the connection; dropped with it, which takes it off every partition.
pub struct FetchPending {
    broker: Arc<Broker>,
    /// Taken when the answer is made.
    parts: Option<Parts>,
    waiter: Option<Arc<FetchWaiter>>,
    deadline: Option<Pin<Box<Sleep>>>,
    cold: Option<Pin<Box<dyn Future<Output = Answer> + Send>>>,
}

struct Parts {
    reply: Reply,
    terms: Terms,
    context: Context,
    items: Items,
}

impl FetchPending {
    pub(super) fn new(
        broker: Arc<Broker>,
        reply: Reply,
        terms: Terms,
        context: Context,
        items: Items,
    ) -> FetchPending {
        let parts = Some(Parts {
            reply,
            terms,
            context,
            items,
        });
        FetchPending {
            broker,
            parts,
            waiter: None,
            deadline: None,
            cold: None,
        }
    }

    pub(super) fn look(&mut self) -> Rows {
        self.parts
            .as_ref()
            .map_or_else(Rows::new, |parts| look(&parts.items, &parts.terms))
    }

    /// Whether the answer leaves now: enough bytes, nothing to wait for, or news that cannot wait.
    pub(super) fn is_enough(&self, rows: &[Row]) -> bool {
        let Some(parts) = &self.parts else { return true };
        let bytes: usize = rows.iter().map(Row::bytes).sum();
        let waits = parts.terms.max_wait_ms != 0 && !rows.is_empty();
        !waits || parts.terms.min_bytes <= bytes as i64 || rows.iter().any(Row::is_urgent)
    }

    /// The answer, at once or, where something must be read from disk, later.
    pub(super) fn finish(mut self, rows: Rows) -> Start<Pending> {
        let Some(parts) = self.parts.take() else {
            return Start::Done(Answer::Silence);
        };
        if rows.iter().any(Row::is_cold) {
            self.cold = Some(Box::pin(parts.warm_and_encode(rows)));
            return Start::Parked(Pending::Fetch(Box::new(self)));
        }
        Start::Done(parts.encode(rows))
    }

    fn partitions(&self) -> impl Iterator<Item = &Arc<crate::partition::Partition>> {
        self.parts
            .iter()
            .flat_map(|parts| &parts.items)
            .filter_map(|item| item.partition.as_ref().ok())
    }

    fn unwatch(&mut self) {
        if let Some(waiter) = self.waiter.take() {
            for partition in self.partitions() {
                partition.unwatch(&waiter);
            }
        }
    }

    fn watch(&mut self, context: &TaskContext<'_>) {
        let waiter = self.waiter.get_or_insert_with(Arc::default).clone();
        waiter.arm();
        for partition in self.partitions() {
            partition.watch(&waiter, RemoteWaker::of(context.waker()));
        }
    }

    fn deadline_over(&mut self, context: &mut TaskContext<'_>) -> bool {
        let wait = self.parts.as_ref().map_or(0, |parts| parts.terms.max_wait_ms);
        let sleep = self
            .deadline
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(Duration::from_millis(wait))));
        sleep.as_mut().poll(context).is_ready()
    }
}

impl Parts {
    fn encode(self, rows: Rows) -> Answer {
        answer::encode(&self.reply, &self.terms, &self.context, &self.items, rows)
    }

    /// Disk reads go to the blocking pool: a runtime never waits for a disk.
    async fn warm_and_encode(self, mut rows: Rows) -> Answer {
        let warmed = tokio::task::spawn_blocking(move || {
            rows.iter_mut().for_each(Row::warm);
            rows
        });
        match warmed.await {
            Ok(rows) => self.encode(rows),
            Err(_) => Answer::Close("a disk read was cut off"),
        }
    }
}

impl Future for FetchPending {
    type Output = Answer;

    fn poll(mut self: Pin<&mut Self>, context: &mut TaskContext<'_>) -> Poll<Answer> {
        let this = &mut *self;
        if let Some(cold) = &mut this.cold {
            return cold.as_mut().poll(context);
        }
        let news = this.waiter.as_ref().is_none_or(|waiter| waiter.fired());
        let over = this.deadline_over(context);
        if !news && !over {
            return Poll::Pending;
        }
        if !over {
            // Registered before the look, so that what arrives in between wakes us again.
            this.watch(context);
        }
        let rows = this.look();
        if !over && !this.is_enough(&rows) {
            return Poll::Pending;
        }
        this.unwatch();
        let Some(parts) = this.parts.take() else {
            return Poll::Ready(Answer::Silence);
        };
        if rows.iter().any(Row::is_cold) {
            let mut cold: Pin<Box<dyn Future<Output = Answer> + Send>> =
                Box::pin(parts.warm_and_encode(rows));
            let polled = cold.as_mut().poll(context);
            this.cold = Some(cold);
            return polled;
        }
        Poll::Ready(parts.encode(rows))
    }
}

impl Drop for FetchPending {
    fn drop(&mut self) {
        self.unwatch();
        // The broker outlives its connections; held here so that partitions do too.
        let _ = &self.broker;
    }
}
