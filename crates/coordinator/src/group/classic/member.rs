//! One member of a classic group.

use bytes::Bytes;
use protocol::Str;

use crate::group::Ticket;
use crate::group::timers::Deadline;

/// A member and what it waits for.
#[derive(Debug)]
pub struct Member {
    pub id: Str,
    /// The name under which a static member comes back (KIP-345).
    pub instance: Option<Str>,
    pub client_id: Str,
    /// As Java prints an address: `/127.0.0.1`.
    pub client_host: Str,
    pub rebalance_timeout_ms: i32,
    pub session_timeout_ms: i32,
    /// Name and metadata, the preferred one first. Opaque (trap 67).
    pub protocols: Vec<(Str, Bytes)>,
    pub assignment: Bytes,
    /// It has not been told a generation yet: it cannot send heartbeats.
    pub(crate) is_new: bool,
    pub(crate) joining: Option<Ticket>,
    pub(crate) syncing: Option<Ticket>,
    pub(crate) session: Deadline,
}

impl Member {
    /// The metadata of a protocol.
    pub(crate) fn metadata(&self, protocol: &str) -> Option<&Bytes> {
        let named = self.protocols.iter().find(|(name, _)| name == protocol);
        named.map(|(_, metadata)| metadata)
    }

    /// Members that wait for the others cannot send heartbeats; new ones are timed all the same.
    pub(crate) fn is_excused(&self) -> bool {
        !self.is_new && (self.joining.is_some() || self.syncing.is_some())
    }
}
