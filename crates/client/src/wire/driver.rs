//! The task of a connection: writes what is queued, reads answers, hands them out in the order of the requests.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::io::IoSlice;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::{Buf, Bytes};
use parking_lot::Mutex;
use smallvec::SmallVec;
use tokio::io::{AsyncReadExt, AsyncWrite};
use tokio::sync::oneshot;
use tokio::time::{Instant, Sleep};

use super::receive::Receive;
use crate::transport::Stream;
use crate::{Error, Result};

/// Slices handed to one write call.
const SLICES_MAX: usize = 64;

/// A request that is to go out.
#[derive(Debug)]
pub(super) struct Outgoing {
    pub(super) pieces: SmallVec<[Bytes; 3]>,
    pub(super) correlation_id: i32,
    /// `None` for a request that is not answered.
    pub(super) answer: Option<oneshot::Sender<Result<Bytes>>>,
    pub(super) deadline: Instant,
    pub(super) timeout: Duration,
}

/// What users of a connection and its task share.
#[derive(Debug, Default)]
pub(super) struct Queue(Mutex<QueueState>);

#[derive(Debug, Default)]
struct QueueState {
    outgoing: VecDeque<Outgoing>,
    /// The task, when it sleeps.
    waker: Option<Waker>,
    /// Nobody can queue any more.
    left: bool,
    ended: Option<Error>,
}

impl Queue {
    pub(super) fn push(&self, outgoing: Outgoing) -> Result<()> {
        let waker = {
            let mut state = self.0.lock();
            if let Some(error) = &state.ended {
                return Err(error.clone());
            }
            state.outgoing.push_back(outgoing);
            state.waker.take()
        };
        waker.into_iter().for_each(Waker::wake);
        Ok(())
    }

    pub(super) fn is_open(&self) -> bool {
        self.0.lock().ended.is_none()
    }

    pub(super) fn leave(&self) {
        let waker = {
            let mut state = self.0.lock();
            state.left = true;
            state.waker.take()
        };
        waker.into_iter().for_each(Waker::wake);
    }
}

/// A request whose answer is awaited.
struct Waiting {
    correlation_id: i32,
    answer: oneshot::Sender<Result<Bytes>>,
    deadline: Instant,
    timeout: Duration,
}

struct Driver {
    stream: Box<dyn Stream>,
    queue: Arc<Queue>,
    address: Arc<str>,
    receive: Receive,
    writing: VecDeque<Bytes>,
    /// Bytes were written since the last flush.
    unflushed: bool,
    waiting: VecDeque<Waiting>,
    timer: Pin<Box<Sleep>>,
}

/// Serves a connection until it ends or nobody wants it any more.
pub(super) async fn drive(
    stream: Box<dyn Stream>,
    queue: Arc<Queue>,
    address: Arc<str>,
    frame_bytes_max: usize,
) {
    let mut driver = Driver {
        stream,
        queue,
        address,
        receive: Receive::new(frame_bytes_max),
        writing: VecDeque::new(),
        unflushed: false,
        waiting: VecDeque::new(),
        timer: Box::pin(tokio::time::sleep(Duration::from_secs(3600))),
    };
    let end = poll_fn(|context| driver.poll(context)).await;
    driver.fail_all(end);
}

impl Driver {
    /// Ready when the connection is over.
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Error> {
        loop {
            let left = self.take_queued(context);
            if let Err(error) = self.poll_write(context) {
                return Poll::Ready(error);
            }
            match self.poll_read(context) {
                Ok(()) => {}
                Err(error) => return Poll::Ready(error),
            }
            if left && self.writing.is_empty() && self.waiting.is_empty() {
                return Poll::Ready(Error::Closed);
            }
            if self.timer.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
            if let Some(error) = self.time_out() {
                return Poll::Ready(error);
            }
        }
    }

    /// Moves queued requests to the stream's side. Says whether more can come.
    fn take_queued(&mut self, context: &mut Context<'_>) -> bool {
        let queue = self.queue.clone();
        let mut state = queue.0.lock();
        for outgoing in state.outgoing.drain(..) {
            self.writing.extend(outgoing.pieces);
            let Some(answer) = outgoing.answer else { continue };
            if self.waiting.is_empty() || outgoing.deadline < self.timer.deadline() {
                self.timer.as_mut().reset(outgoing.deadline);
            }
            self.waiting.push_back(Waiting {
                correlation_id: outgoing.correlation_id,
                answer,
                deadline: outgoing.deadline,
                timeout: outgoing.timeout,
            });
        }
        match &mut state.waker {
            Some(waker) => waker.clone_from(context.waker()),
            empty => *empty = Some(context.waker().clone()),
        }
        state.left
    }

    fn poll_write(&mut self, context: &mut Context<'_>) -> Result<(), Error> {
        while !self.writing.is_empty() {
            let written = {
                let pieces = self.writing.iter().take(SLICES_MAX);
                let slices: SmallVec<[IoSlice<'_>; SLICES_MAX]> =
                    pieces.map(|piece| IoSlice::new(piece)).collect();
                Pin::new(&mut self.stream).poll_write_vectored(context, &slices)
            };
            match written {
                Poll::Pending => return Ok(()),
                Poll::Ready(Ok(0)) => return Err(self.disconnected("nothing more can be written")),
                Poll::Ready(Err(error)) => return Err(self.disconnected(&error.to_string())),
                Poll::Ready(Ok(written)) => self.advance(written),
            }
            self.unflushed = true;
        }
        if self.unflushed {
            match Pin::new(&mut self.stream).poll_flush(context) {
                Poll::Ready(Ok(())) => self.unflushed = false,
                Poll::Ready(Err(error)) => return Err(self.disconnected(&error.to_string())),
                Poll::Pending => {}
            }
        }
        Ok(())
    }

    fn advance(&mut self, written: usize) {
        let mut left = written;
        while let Some(piece) = self.writing.front_mut() {
            if left < piece.len() {
                piece.advance(left);
                return;
            }
            left -= piece.len();
            self.writing.pop_front();
        }
    }

    fn poll_read(&mut self, context: &mut Context<'_>) -> Result<(), Error> {
        loop {
            let read = {
                // The future holds nothing between polls, so a fresh one each time loses nothing.
                let mut read = pin!(self.stream.read_buf(self.receive.room()));
                read.as_mut().poll(context)
            };
            match read {
                Poll::Pending => return Ok(()),
                Poll::Ready(Ok(0)) => return Err(self.disconnected("the broker closed it")),
                Poll::Ready(Ok(_)) => self.hand_out()?,
                Poll::Ready(Err(error)) => return Err(self.disconnected(&error.to_string())),
            }
        }
    }

    fn hand_out(&mut self) -> Result<(), Error> {
        while let Some(frame) = self.receive.next().map_err(|reason| self.broken(reason))? {
            let id = frame.first_chunk::<4>().map(|id| i32::from_be_bytes(*id));
            let Some(waiting) = self.waiting.pop_front() else {
                return Err(self.broken("an answer that nobody asked for".into()));
            };
            if id != Some(waiting.correlation_id) {
                let error = self.broken(format!("answer {id:?} where {} was due", waiting.correlation_id));
                let _ = waiting.answer.send(Err(error.clone()));
                return Err(error);
            }
            // Nobody waits any more: then the answer is of no use.
            let _ = waiting.answer.send(Ok(frame));
        }
        Ok(())
    }

    /// Ends the connection if an answer is overdue, as Kafka's clients do: what was asked later cannot be answered
    /// before it.
    fn time_out(&mut self) -> Option<Error> {
        let now = Instant::now();
        if let Some(late) = self.waiting.iter().position(|waiting| waiting.deadline <= now) {
            let late = self.waiting.remove(late)?;
            let error = Error::TimedOut {
                what: format!("the answer of {}", self.address),
                after: late.timeout,
                last: None,
            };
            let _ = late.answer.send(Err(error));
            return Some(self.disconnected("an answer was overdue"));
        }
        let next = self.waiting.iter().map(|waiting| waiting.deadline).min();
        self.timer
            .as_mut()
            .reset(next.unwrap_or(now + Duration::from_secs(3600)));
        None
    }

    fn disconnected(&self, reason: &str) -> Error {
        Error::Disconnected {
            address: self.address.to_string(),
            reason: reason.to_owned(),
        }
    }

    fn broken(&self, reason: String) -> Error {
        Error::Protocol {
            address: self.address.to_string(),
            reason,
        }
    }

    fn fail_all(&mut self, error: Error) {
        tracing::debug!(broker = %self.address, %error, "connection ended");
        let queued = {
            let mut state = self.queue.0.lock();
            state.ended = Some(error.clone());
            std::mem::take(&mut state.outgoing)
        };
        let queued = queued.into_iter().filter_map(|outgoing| outgoing.answer);
        for answer in self.waiting.drain(..).map(|waiting| waiting.answer).chain(queued) {
            let _ = answer.send(Err(error.clone()));
        }
    }
}
