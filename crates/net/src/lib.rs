//! Frames on sockets: runtimes, listeners, connections and their limits. What a request means is a [`Service`]'s
//! business; this crate only keeps frames whole, answers in order and memory bounded.

// Input must not bring the node down (security.md 8).
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing))]

mod connection;
mod entrance;
mod frame;
mod in_flight;
mod limits;
mod memory;
mod response;
mod runtime;
mod server;
mod service;
mod stream;
mod wake;

pub use entrance::Entrance;
pub use limits::{ConnectionCaps, ConnectionLimits, Refusal};
pub use memory::{Memory, Permit};
pub use response::Response;
pub use runtime::{RuntimeId, Runtimes};
pub use server::{Bound, BoundListener, Listener, Server, ServerOptions};
pub use service::{Answer, Peer, Request, Service, Start};
pub use wake::{RemoteWaker, WakeSet};
