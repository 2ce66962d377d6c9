//! How many connections there may be: in all, from one address, and accepted in a second from one address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::Mutex;

/// Limits on connections (`security.md` 3). Loopback is exempt from the ones per address.
#[derive(Debug, Clone)]
pub struct ConnectionLimits {
    pub connections_max: usize,
    pub per_address_max: usize,
    pub per_address_accepts_max: usize,
    /// A connection that has sent nothing whole yet is closed after this long.
    pub first_request_max: Duration,
    /// A frame that has begun must end within this.
    pub frame_max: Duration,
    /// A connection without traffic is closed after this long (`connections.max.idle.ms`).
    pub idle_max: Duration,
}

impl Default for ConnectionLimits {
    fn default() -> ConnectionLimits {
        ConnectionLimits {
            connections_max: 16_384,
            per_address_max: 1_000,
            per_address_accepts_max: 500,
            first_request_max: Duration::from_secs(30),
            frame_max: Duration::from_secs(30),
            idle_max: Duration::from_secs(600),
        }
    }
}

/// Why a connection was not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("the limit of {max} connections is reached")]
    Connections { max: usize },
    #[error("the limit of {max} connections from one address is reached")]
    PerAddress { max: usize },
    #[error("more than {max} connections a second from one address")]
    Rate { max: usize },
}

impl Refusal {
    pub(crate) fn counted(self) -> telemetry::Refused {
        match self {
            Refusal::Connections { .. } => telemetry::Refused::Connections,
            Refusal::PerAddress { .. } => telemetry::Refused::PerAddress,
            Refusal::Rate { .. } => telemetry::Refused::Rate,
        }
    }
}

#[derive(Debug, Default)]
struct Address {
    open: usize,
    second: u64,
    accepted: usize,
}

#[derive(Debug, Default)]
struct Counts {
    open: usize,
    addresses: HashMap<IpAddr, Address>,
}

/// The limits that may change while connections come and go. Those that are open stay.
#[derive(Debug, Clone)]
pub struct ConnectionCaps {
    connections: Arc<AtomicUsize>,
    per_address: Arc<AtomicUsize>,
}

impl ConnectionCaps {
    fn new(limits: &ConnectionLimits) -> ConnectionCaps {
        ConnectionCaps {
            connections: Arc::new(limits.connections_max.into()),
            per_address: Arc::new(limits.per_address_max.into()),
        }
    }

    /// Other limits, from the next connection on.
    pub fn set(&self, limits: &ConnectionLimits) {
        self.connections.store(limits.connections_max, Ordering::Relaxed);
        self.per_address.store(limits.per_address_max, Ordering::Relaxed);
    }
}

/// Counts connections against the limits.
#[derive(Debug, Clone)]
pub(crate) struct Admission {
    limits: Arc<ConnectionLimits>,
    caps: ConnectionCaps,
    counts: Arc<Mutex<Counts>>,
}

/// A place among the connections; given back when dropped.
#[derive(Debug)]
pub(crate) struct Place {
    admission: Admission,
    address: IpAddr,
}

impl Admission {
    pub(crate) fn new(limits: ConnectionLimits) -> Admission {
        Admission {
            caps: ConnectionCaps::new(&limits),
            limits: Arc::new(limits),
            counts: Arc::default(),
        }
    }

    pub(crate) fn limits(&self) -> &ConnectionLimits {
        &self.limits
    }

    pub(crate) fn caps(&self) -> ConnectionCaps {
        self.caps.clone()
    }

    /// Lets a connection in, or says why not. `second` counts whole seconds of any clock.
    pub(crate) fn admit(&self, address: IpAddr, second: u64) -> Result<Place, Refusal> {
        let mut counts = self.counts.lock();
        let max = self.caps.connections.load(Ordering::Relaxed);
        if max <= counts.open {
            return Err(Refusal::Connections { max });
        }
        if !address.is_loopback() {
            let entry = counts.addresses.entry(address).or_default();
            if entry.second != second {
                (entry.second, entry.accepted) = (second, 0);
            }
            if self.limits.per_address_accepts_max <= entry.accepted {
                return Err(Refusal::Rate {
                    max: self.limits.per_address_accepts_max,
                });
            }
            let max = self.caps.per_address.load(Ordering::Relaxed);
            if max <= entry.open {
                return Err(Refusal::PerAddress { max });
            }
            entry.accepted += 1;
            entry.open += 1;
        }
        counts.open += 1;
        Ok(Place {
            admission: self.clone(),
            address,
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.admission.counts.lock();
        counts.open -= 1;
        if let Some(entry) = counts.addresses.get_mut(&self.address) {
            entry.open -= 1;
            if entry.open == 0 {
                counts.addresses.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admission(connections_max: usize) -> Admission {
        let limits = ConnectionLimits {
            connections_max,
            per_address_max: 2,
            per_address_accepts_max: 3,
            ..ConnectionLimits::default()
        };
        Admission::new(limits)
    }

    #[test]
    fn a_limit_may_change_while_connections_are_open() {
        let admission = admission(2);
        let address: IpAddr = [127, 0, 0, 1].into();
        let first = admission.admit(address, 0).expect("below the limit");
        let _second = admission.admit(address, 0).expect("at the limit");
        assert!(admission.admit(address, 0).is_err());
        let limits = |connections_max| ConnectionLimits {
            connections_max,
            ..ConnectionLimits::default()
        };
        admission.caps().set(&limits(3));
        let third = admission.admit(address, 0);
        assert!(third.is_ok());
        admission.caps().set(&limits(1));
        drop((first, third));
        assert!(admission.admit(address, 0).is_err(), "one is still open");
    }

    #[test]
    fn a_place_given_back_can_be_taken_again() {
        let admission = admission(1);
        let loopback = IpAddr::from([127, 0, 0, 1]);
        let place = admission.admit(loopback, 0).expect("empty");
        assert_eq!(
            admission.admit(loopback, 0).err(),
            Some(Refusal::Connections { max: 1 })
        );
        drop(place);
        assert!(admission.admit(loopback, 0).is_ok());
    }

    #[test]
    fn one_address_cannot_take_everything() {
        let admission = admission(10);
        let stranger = IpAddr::from([192, 0, 2, 1]);
        let held = [
            admission.admit(stranger, 0).expect("first"),
            admission.admit(stranger, 0).expect("second"),
        ];
        assert_eq!(
            admission.admit(stranger, 0).err(),
            Some(Refusal::PerAddress { max: 2 })
        );
        drop(held);
        let other = IpAddr::from([192, 0, 2, 2]);
        for _ in 0..3 {
            assert!(admission.admit(other, 0).is_ok());
        }
        let kept = admission.admit(other, 1).expect("a new second");
        drop(kept);
    }

    #[test]
    fn loopback_is_exempt_from_the_limits_per_address() {
        let admission = admission(10);
        let loopback = IpAddr::from([127, 0, 0, 1]);
        let held: Vec<_> = (0..10).map(|_| admission.admit(loopback, 0)).collect();
        assert!(held.iter().all(Result::is_ok));
    }
}
