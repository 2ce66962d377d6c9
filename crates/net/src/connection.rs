//! One connection, one task: receive, start in order, answer in order.
//!
//! Requests that may overlap (Produce) start while earlier ones of their kind still wait; every other request starts
//! when the answers before it are written (`architecture.md` 5). While answers are awaited the socket is read on, up
//! to a bound, so that a closed peer is noticed and what waits for it is freed.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use telemetry::{Closed, Finished, Open};
use tokio::time::{Instant, Sleep};
use tracing::debug;

use crate::frame::{FrameError, ReceiveBuffer};
use crate::in_flight::{InFlight, Ready, Started};
use crate::limits::Admission;
use crate::memory::{Memory, Permit};
use crate::stream::Stream;
use crate::{Peer, Request, Response, Service, Start};

/// Received but not started bytes that a connection may hold while answers are awaited.
const READ_AHEAD_BYTES: usize = 64 << 10;
/// Slices handed to one write call.
const SLICES_MAX: usize = 256;

/// Why a connection ended.
enum End {
    /// The peer closed it, between requests.
    Peer,
    Failed(io::Error),
    Frame(FrameError),
    Service(&'static str),
    Idle,
    /// A started frame did not end in time, or an answer was not taken.
    Slow,
}

impl From<io::Error> for End {
    fn from(error: io::Error) -> End {
        End::Failed(error)
    }
}

pub(crate) struct Connection<S: Service> {
    stream: Stream,
    service: Arc<S>,
    session: S::Session,
    buffer: ReceiveBuffer,
    in_flight: InFlight<S::Pending>,
    ready: Ready,
    memory: Memory,
    admission: Admission,
    peer: Peer,
    clock: Deadline,
    /// For a large frame whose body is still arriving.
    reserved: Option<Permit>,
    /// When bytes came last.
    received_at: std::time::Instant,
    open: Open,
}

impl<S: Service> Connection<S> {
    pub(crate) fn new(
        stream: Stream,
        peer: Peer,
        service: Arc<S>,
        memory: Memory,
        admission: Admission,
        open: Open,
    ) -> Connection<S> {
        let session = service.open(peer.clone());
        let clock = Deadline::new(admission.limits().first_request_max);
        Connection {
            stream,
            service,
            session,
            buffer: ReceiveBuffer::new(),
            in_flight: InFlight::new(),
            ready: Ready::default(),
            memory,
            admission,
            peer,
            clock,
            reserved: None,
            received_at: std::time::Instant::now(),
            open,
        }
    }

    pub(crate) async fn run(mut self) {
        let end = loop {
            if let Err(end) = self.turn().await {
                break end;
            }
        };
        let address = self.peer.address;
        match end {
            End::Peer => debug!(peer = %address, "connection closed by the client"),
            End::Failed(ref error) => debug!(peer = %address, %error, "connection failed"),
            End::Frame(ref error) => {
                tracing::warn!(
                    peer = %address,
                    listener = %self.peer.listener,
                    %error,
                    action = "see which program at that address speaks another protocol to this port",
                    "connection refused"
                );
            }
            End::Service(reason) => debug!(peer = %address, reason, "connection closed"),
            End::Idle => debug!(peer = %address, "an idle connection was closed"),
            End::Slow => debug!(peer = %address, "a frame did not end, or an answer was not taken, in time"),
        }
        self.open.closed(closed(&end));
    }

    /// Starts what may start, sends what is ready; else waits for either to change.
    async fn turn(&mut self) -> Result<(), End> {
        self.start_available().await?;
        poll_fn(|context| {
            self.collect(context);
            Poll::Ready(())
        })
        .await;
        if self.ready.is_empty() {
            return self.wait().await;
        }
        self.send().await
    }

    async fn start_available(&mut self) -> Result<(), End> {
        let mut started = false;
        while let Some(frame_bytes) = self.next_frame()? {
            if !self.buffer.holds(frame_bytes) {
                break;
            }
            let overlaps = self.service.may_overlap(self.buffer.peek(frame_bytes));
            if !self.in_flight.admits(overlaps, frame_bytes) {
                break;
            }
            let reserved = self.reserved.take();
            let permit = match reserved.or_else(|| self.memory.try_acquire(frame_bytes)) {
                Some(permit) => permit,
                None => {
                    // What was started must be able to finish, or its permits would never come back.
                    if started {
                        break;
                    }
                    if !self.in_flight.is_empty() {
                        return Ok(());
                    }
                    self.memory.acquire(frame_bytes).await
                }
            };
            let frame = self.buffer.take(frame_bytes);
            started = true;
            if self.start(frame, overlaps, permit) {
                break;
            }
        }
        if started {
            self.clock.active(self.admission.limits().idle_max);
            self.service.kick(&mut self.session);
        }
        Ok(())
    }

    /// Starts one request. True: its answer is to close.
    fn start(&mut self, frame: Bytes, overlaps: bool, permit: Permit) -> bool {
        let begun = std::time::Instant::now();
        let mut cost = Finished {
            // A frame without a key counts as nobody's.
            api: frame.first_chunk().map_or(-1, |key| i16::from_be_bytes(*key)),
            request_bytes: frame.len(),
            queued: begun.duration_since(self.received_at),
            ..Finished::default()
        };
        let answer = self.service.start(&mut self.session, Request { frame });
        let parked_at = std::time::Instant::now();
        cost.handled = parked_at.duration_since(begun);
        let closing = matches!(answer, Start::Done(crate::Answer::Close(_)));
        let started = Started {
            answer,
            permit,
            cost,
            parked_at,
        };
        self.in_flight.push(started, overlaps);
        closing
    }

    fn collect(&mut self, context: &mut Context<'_>) {
        let service = &self.service;
        self.in_flight
            .collect(context, &mut self.ready, |cost| service.finished(cost));
    }

    fn next_frame(&self) -> Result<Option<usize>, End> {
        let max = self.service.frame_bytes_max(&self.session);
        self.buffer.next_frame_bytes(max).map_err(End::Frame)
    }

    /// Waits until an answer is ready, bytes arrive or time is up.
    async fn wait(&mut self) -> Result<(), End> {
        let frame_bytes = self.next_frame()?;
        let may_read = self.in_flight.is_empty() || self.buffer.buffered() < READ_AHEAD_BYTES;
        if self.buffer.is_empty() && self.in_flight.is_empty() {
            return self.wait_idle().await;
        }
        // A large frame's body is read once it is granted whole.
        if let Some(bytes) = frame_bytes
            && self.in_flight.is_empty()
            && self.reserved.is_none()
            && READ_AHEAD_BYTES < bytes
        {
            self.reserved = Some(self.memory.acquire(bytes).await);
        }
        if !self.buffer.is_empty() && self.in_flight.is_empty() {
            self.clock.within(self.admission.limits().frame_max);
        }
        let waits_for_answers = !self.in_flight.is_empty();
        poll_fn(|context| {
            self.collect(context);
            if !self.ready.is_empty() {
                return Poll::Ready(Ok(()));
            }
            if may_read {
                let wanted = frame_bytes.filter(|_| !waits_for_answers);
                if let Poll::Ready(read) = self.poll_receive(context, wanted) {
                    return Poll::Ready(read);
                }
            }
            if !waits_for_answers && self.clock.poll_over(context).is_ready() {
                return Poll::Ready(Err(End::Slow));
            }
            Poll::Pending
        })
        .await
    }

    /// Receives what is there. Until something is, no block is held.
    fn poll_receive(
        &mut self,
        context: &mut Context<'_>,
        frame_bytes: Option<usize>,
    ) -> Poll<Result<(), End>> {
        let readable = self.stream.poll_readable(context);
        if readable.is_ready() {
            match self.stream.poll_read_into(context, self.buffer.room(frame_bytes)) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(End::Peer)),
                Poll::Ready(Ok(_)) => {
                    self.received_at = std::time::Instant::now();
                    return Poll::Ready(Ok(()));
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(End::Failed(error))),
                // Readiness was stale.
                Poll::Pending => {}
            }
        }
        self.buffer.shrink();
        Poll::Pending
    }

    /// Waits for the first byte of a request without holding a block.
    async fn wait_idle(&mut self) -> Result<(), End> {
        poll_fn(|context| match self.poll_receive(context, None) {
            Poll::Ready(received) => Poll::Ready(received),
            Poll::Pending if self.clock.poll_over(context).is_ready() => Poll::Ready(Err(End::Idle)),
            Poll::Pending => Poll::Pending,
        })
        .await
    }

    async fn send(&mut self) -> Result<(), End> {
        let idle_max = self.admission.limits().idle_max;
        self.clock.active(idle_max);
        let (stream, responses) = (&mut self.stream, &self.ready.responses);
        write_responses(stream, responses, &mut self.clock, idle_max).await?;
        self.clock.active(self.admission.limits().idle_max);
        self.ready.clear();
        match self.ready.close.take() {
            Some(reason) => Err(End::Service(reason)),
            None => Ok(()),
        }
    }
}

fn closed(end: &End) -> Closed {
    match end {
        End::Peer => Closed::Client,
        End::Failed(_) => Closed::Failed,
        End::Frame(_) => Closed::BadFrame,
        End::Service(_) => Closed::Request,
        End::Idle => Closed::Idle,
        End::Slow => Closed::Slow,
    }
}

/// Writes whole responses with as few calls as there are slices allow. A peer that takes nothing for `idle_max` is
/// given up: its answers hold memory.
async fn write_responses(
    stream: &mut Stream,
    responses: &[Response],
    clock: &mut Deadline,
    idle_max: Duration,
) -> Result<(), End> {
    let mut segments = responses.iter().flat_map(|response| response.segments());
    let mut slices: smallvec::SmallVec<[io::IoSlice<'_>; 64]> = smallvec::SmallVec::new();
    loop {
        slices.extend(
            segments
                .by_ref()
                .take(SLICES_MAX)
                .map(|segment| io::IoSlice::new(segment)),
        );
        if slices.is_empty() {
            return Ok(());
        }
        let mut rest = slices.as_mut_slice();
        while !rest.is_empty() {
            let write = |context: &mut Context<'_>| match stream.poll_write_vectored(context, rest) {
                Poll::Pending if clock.poll_over(context).is_ready() => Poll::Ready(None),
                Poll::Pending => Poll::Pending,
                Poll::Ready(written) => Poll::Ready(Some(written)),
            };
            let Some(written) = poll_fn(write).await else {
                return Err(End::Slow);
            };
            let written = written?;
            if written == 0 {
                return Err(End::Failed(io::ErrorKind::WriteZero.into()));
            }
            clock.active(idle_max);
            io::IoSlice::advance_slices(&mut rest, written);
        }
        slices.clear();
    }
}

/// A deadline that is moved often and looked at rarely: the timer is touched only when it fires.
struct Deadline {
    until: Instant,
    timer: Pin<Box<Sleep>>,
}

impl Deadline {
    fn new(after: Duration) -> Deadline {
        let until = Instant::now() + after;
        Deadline {
            until,
            timer: Box::pin(tokio::time::sleep_until(until)),
        }
    }

    /// Something happened: the connection may be idle for `idle` from now.
    fn active(&mut self, idle: Duration) {
        self.until = Instant::now() + idle;
        // A timer that fires early is set again; one that fires late would not be noticed.
        if self.until < self.timer.deadline() {
            self.timer.as_mut().reset(self.until);
        }
    }

    /// Brings the deadline closer, never further away.
    fn within(&mut self, limit: Duration) {
        let until = Instant::now() + limit;
        if until < self.until {
            self.until = until;
            self.timer.as_mut().reset(until);
        }
    }

    fn poll_over(&mut self, context: &mut Context<'_>) -> Poll<()> {
        while self.timer.as_mut().poll(context).is_ready() {
            if self.until <= Instant::now() {
                return Poll::Ready(());
            }
            self.timer.as_mut().reset(self.until);
        }
        Poll::Pending
    }
}
