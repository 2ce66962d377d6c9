//! How many connections came, stayed out, and went.

use std::sync::Arc;

use crate::{Counter, Text, table};

/// Why a connection was not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// The node has as many as it may (`max.connections`).
    Connections,
    /// The address has as many as it may (`max.connections.per.ip`).
    PerAddress,
    /// The address opens them too fast.
    Rate,
}

/// Why a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closed {
    Client,
    /// The socket failed.
    Failed,
    /// What came was no frame of Kafka's protocol, or too large.
    BadFrame,
    /// A request that is answered by closing.
    Request,
    /// Nothing came for `connections.max.idle.ms`.
    Idle,
    /// A frame, or the first request, did not end in time.
    Slow,
}

const REFUSED: [(Refused, &str); 3] = [
    (Refused::Connections, "connections"),
    (Refused::PerAddress, "per_address"),
    (Refused::Rate, "rate"),
];
const CLOSED: [(Closed, &str); 6] = [
    (Closed::Client, "client"),
    (Closed::Failed, "failed"),
    (Closed::BadFrame, "bad_frame"),
    (Closed::Request, "request"),
    (Closed::Idle, "idle"),
    (Closed::Slow, "slow"),
];

/// Connection metrics of a node.
#[derive(Debug, Default)]
pub struct Connections {
    accepted: Counter,
    refused: [Counter; REFUSED.len()],
    closed: [Counter; CLOSED.len()],
    /// Ended with the runtime that they lived on.
    dropped: Counter,
}

/// A connection that was let in. However it ends, it is counted once.
#[derive(Debug)]
pub struct Open {
    of: Arc<Connections>,
    closed: Option<Closed>,
}

impl Connections {
    pub fn refused(&self, why: Refused) {
        count(&REFUSED, &self.refused, why).add(1);
    }

    /// A connection was let in; it is open until what this returns is dropped.
    pub fn open(self: &Arc<Connections>) -> Open {
        self.accepted.add(1);
        Open {
            of: self.clone(),
            closed: None,
        }
    }

    /// Connections that are open now.
    pub fn now(&self) -> u64 {
        let ended: u64 = self.closed.iter().map(Counter::get).sum::<u64>() + self.dropped.get();
        self.accepted.get().saturating_sub(ended)
    }

    pub fn accepted(&self) -> u64 {
        self.accepted.get()
    }

    pub fn count_refused(&self, why: Refused) -> u64 {
        count(&REFUSED, &self.refused, why).get()
    }

    pub fn count_closed(&self, why: Closed) -> u64 {
        count(&CLOSED, &self.closed, why).get()
    }

    pub fn write(&self, text: &mut Text) {
        text.family(&table::CONNECTIONS);
        text.sample(&[], self.now() as f64);
        text.family(&table::CONNECTIONS_ACCEPTED);
        text.sample(&[], self.accepted.get() as f64);
        text.family(&table::CONNECTIONS_REFUSED);
        for ((_, name), counter) in REFUSED.iter().zip(&self.refused) {
            text.sample(&[("reason", name)], counter.get() as f64);
        }
        text.family(&table::CONNECTIONS_CLOSED);
        for ((_, name), counter) in CLOSED.iter().zip(&self.closed) {
            text.sample(&[("reason", name)], counter.get() as f64);
        }
    }
}

fn count<'a, R: PartialEq, const N: usize>(
    names: &[(R, &str); N],
    counters: &'a [Counter; N],
    why: R,
) -> &'a Counter {
    let at = names.iter().position(|(reason, _)| *reason == why);
    at.and_then(|at| counters.get(at))
        .expect("every reason has a row, a test counts them")
}

impl Open {
    pub fn closed(&mut self, why: Closed) {
        self.closed = Some(why);
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        match self.closed {
            Some(why) => count(&CLOSED, &self.of.closed, why).add(1),
            None => self.of.dropped.add(1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_is_open_until_it_ends_and_counts_once() {
        let connections = Arc::new(Connections::default());
        let mut first = connections.open();
        let second = connections.open();
        assert_eq!(connections.now(), 2);
        first.closed(Closed::Idle);
        drop(first);
        drop(second);
        assert_eq!((connections.now(), connections.accepted()), (0, 2));
        assert_eq!(connections.count_closed(Closed::Idle), 1);
    }

    #[test]
    fn every_reason_has_a_row() {
        let connections = Arc::new(Connections::default());
        for why in [Refused::Connections, Refused::PerAddress, Refused::Rate] {
            connections.refused(why);
            assert_eq!(connections.count_refused(why), 1);
        }
        for why in [
            Closed::Client,
            Closed::Failed,
            Closed::BadFrame,
            Closed::Request,
            Closed::Idle,
            Closed::Slow,
        ] {
            connections.open().closed(why);
            assert_eq!(connections.count_closed(why), 1);
        }
    }
}
