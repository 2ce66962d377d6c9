//! The door between connections and whoever answers requests.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use telemetry::Finished;

use crate::Response;

/// Who is at the other end, and where they came in.
#[derive(Debug, Clone)]
pub struct Peer {
    pub address: SocketAddr,
    /// The address of ours that the peer dialled.
    pub local: SocketAddr,
    /// The listener's name, as in `listeners`.
    pub listener: Arc<str>,
}

/// One frame without its size prefix. The bytes are shared with the block they were received in.
#[derive(Debug)]
pub struct Request {
    pub frame: Bytes,
}

/// What a finished request leaves to do on the connection.
#[derive(Debug)]
pub enum Answer {
    Send(Response),
    /// Nothing goes out, as with acks=0.
    Silence,
    /// The connection ends; the reason is logged at debug level.
    Close(&'static str),
}

/// How a request began.
pub enum Start<P> {
    Done(Answer),
    /// The answer comes later: the future is polled on the connection's task and dropped with it.
    Parked(P),
}

/// Answers requests. One per listener kind; shared by all connections.
pub trait Service: Send + Sync + 'static {
    /// What a connection remembers between requests.
    type Session: Send + 'static;
    /// An answer on its way. Dropping it must release whatever it waits on.
    type Pending: Future<Output = Answer> + Unpin + Send + 'static;

    fn open(&self, peer: Peer) -> Self::Session;

    /// The largest frame that this connection may send now, in bytes.
    fn frame_bytes_max(&self, session: &Self::Session) -> usize;

    /// Whether this request may start before the answers of earlier requests of its kind are written.
    fn may_overlap(&self, frame: &[u8]) -> bool;

    /// Begins a request; never blocks. What it queued is set in motion by the next [`Service::kick`].
    fn start(&self, session: &mut Self::Session, request: Request) -> Start<Self::Pending>;

    /// Called once after a row of starts: one write for all of them.
    fn kick(&self, session: &mut Self::Session);

    /// A request's answer is known, and what it cost.
    fn finished(&self, request: &Finished);
}
