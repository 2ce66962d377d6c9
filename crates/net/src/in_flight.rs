//! The requests of one connection that have started and are not yet answered, in request order.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use telemetry::Finished;

use crate::memory::Permit;
use crate::{Answer, Response, Start};

/// Started requests that a connection may have at most.
pub(crate) const REQUESTS_MAX: usize = 64;
/// Bytes of started requests that a connection may have at most.
pub(crate) const BYTES_MAX: usize = 16 << 20;

/// A request that has begun.
pub(crate) struct Started<P> {
    pub(crate) answer: Start<P>,
    pub(crate) permit: Permit,
    /// What it cost so far.
    pub(crate) cost: Finished,
    /// When it began to wait, if it does.
    pub(crate) parked_at: Instant,
}

pub(crate) struct InFlight<P> {
    queue: VecDeque<Started<P>>,
    bytes: usize,
    /// Every started request may overlap with the next of its kind.
    all_overlap: bool,
}

/// Answers that may go out now, in order.
#[derive(Default)]
pub(crate) struct Ready {
    pub(crate) responses: Vec<Response>,
    /// Held until the answers are written.
    pub(crate) permits: Vec<Permit>,
    pub(crate) close: Option<&'static str>,
}

impl<P: Future<Output = Answer> + Unpin> InFlight<P> {
    pub(crate) fn new() -> InFlight<P> {
        InFlight {
            queue: VecDeque::new(),
            bytes: 0,
            all_overlap: true,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Whether the next request may start now.
    pub(crate) fn admits(&self, overlaps: bool, frame_bytes: usize) -> bool {
        if self.queue.is_empty() {
            return true;
        }
        let in_order = overlaps && self.all_overlap;
        in_order && self.queue.len() < REQUESTS_MAX && self.bytes + frame_bytes <= BYTES_MAX
    }

    pub(crate) fn push(&mut self, started: Started<P>, overlaps: bool) {
        self.all_overlap = overlaps && (self.all_overlap || self.queue.is_empty());
        self.bytes += started.cost.request_bytes;
        self.queue.push_back(started);
    }

    /// Moves every answer that is ready, and has no unready one before it, to `ready`.
    pub(crate) fn collect(
        &mut self,
        context: &mut Context<'_>,
        ready: &mut Ready,
        mut finished: impl FnMut(&Finished),
    ) {
        while let Some(front) = self.queue.front_mut() {
            let answer = match &mut front.answer {
                Start::Done(answer) => std::mem::replace(answer, Answer::Silence),
                Start::Parked(pending) => match Pin::new(pending).poll(context) {
                    Poll::Ready(answer) => {
                        front.cost.parked = front.parked_at.elapsed();
                        answer
                    }
                    Poll::Pending => return,
                },
            };
            match &answer {
                Answer::Send(response) => front.cost.response_bytes = response.bytes(),
                Answer::Silence => {}
                Answer::Close(_) => front.cost.closed = true,
            }
            finished(&front.cost);
            let Some(done) = self.queue.pop_front() else {
                return;
            };
            self.bytes -= done.cost.request_bytes;
            ready.permits.push(done.permit);
            match answer {
                Answer::Send(response) => ready.responses.push(response),
                Answer::Silence => {}
                Answer::Close(reason) => {
                    ready.close = Some(reason);
                    return;
                }
            }
        }
        self.all_overlap = true;
    }
}

impl Ready {
    pub(crate) fn is_empty(&self) -> bool {
        self.permits.is_empty() && self.close.is_none()
    }

    pub(crate) fn clear(&mut self) {
        self.responses.clear();
        self.permits.clear();
    }
}
