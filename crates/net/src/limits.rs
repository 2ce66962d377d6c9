//! How many connections there may be: in all, from one address, and accepted in a second from one address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

/// Limits on connections (`security.md` 3). Loopback is exempt from the ones per address.
#[derive(Debug, Clone)]
pub struct ConnectionLimits {
    pub connections_max: usize,
    pub per_address_max: usize,
    /// In place of `per_address_max`, for single addresses; loopback counts if it is named.
    pub per_address_overrides: HashMap<IpAddr, usize>,
    pub per_address_accepts_max: usize,
    /// Connections accepted in a second over all listeners; more wait in the socket. None: as many as come.
    pub accepts_max: Option<u32>,
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
            per_address_overrides: HashMap::new(),
            per_address_accepts_max: 500,
            accepts_max: None,
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
    /// Up to when the accepts so far would have taken at the highest rate.
    paid_until: Duration,
}

/// The limits that may change while connections come and go. Those that are open stay.
#[derive(Debug, Clone)]
pub struct ConnectionCaps(Arc<Mutex<Caps>>);

#[derive(Debug)]
struct Caps {
    connections: usize,
    per_address: usize,
    overrides: HashMap<IpAddr, usize>,
    accepts: Option<u32>,
}

impl Caps {
    fn new(limits: &ConnectionLimits) -> Caps {
        Caps {
            connections: limits.connections_max,
            per_address: limits.per_address_max,
            overrides: limits.per_address_overrides.clone(),
            accepts: limits.accepts_max,
        }
    }

    /// None: without a limit.
    fn of(&self, address: IpAddr) -> Option<usize> {
        let named = self.overrides.get(&address).copied();
        named.or((!address.is_loopback()).then_some(self.per_address))
    }
}

impl ConnectionCaps {
    fn new(limits: &ConnectionLimits) -> ConnectionCaps {
        ConnectionCaps(Arc::new(Mutex::new(Caps::new(limits))))
    }

    /// Other limits, from the next connection on.
    pub fn set(&self, limits: &ConnectionLimits) {
        *self.0.lock() = Caps::new(limits);
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
        // An address as IPv4 over IPv6 is the IPv4 address.
        let address = address.to_canonical();
        let (max, per_address) = {
            let caps = self.caps.0.lock();
            (caps.connections, caps.of(address))
        };
        let mut counts = self.counts.lock();
        if max <= counts.open {
            return Err(Refusal::Connections { max });
        }
        if let Some(max) = per_address {
            counts.admit_from(address, second, max, self.limits.per_address_accepts_max)?;
        }
        counts.open += 1;
        Ok(Place {
            admission: self.clone(),
            address,
        })
    }

    /// A connection was accepted at `now` of any clock: how long the acceptor waits before the next, so that not more
    /// than `accepts_max` come in a second. A second's worth may come at once.
    pub(crate) fn accepted(&self, now: Duration) -> Duration {
        let Some(per_second) = self.caps.0.lock().accepts else {
            return Duration::ZERO;
        };
        let mut counts = self.counts.lock();
        let step = Duration::from_secs(1) / per_second.max(1);
        counts.paid_until = counts.paid_until.max(now) + step;
        let credit = Duration::from_secs(1).saturating_sub(step);
        counts.paid_until.saturating_sub(now + credit)
    }
}

impl Counts {
    fn admit_from(
        &mut self,
        address: IpAddr,
        second: u64,
        open_max: usize,
        accepts_max: usize,
    ) -> Result<(), Refusal> {
        self.forget_others(second);
        let entry = self.addresses.entry(address).or_default();
        if entry.second != second {
            (entry.second, entry.accepted) = (second, 0);
        }
        if !address.is_loopback() && accepts_max <= entry.accepted {
            return Err(Refusal::Rate { max: accepts_max });
        }
        if open_max <= entry.open {
            return Err(Refusal::PerAddress { max: open_max });
        }
        entry.accepted += 1;
        entry.open += 1;
        Ok(())
    }

    /// Addresses without a connection are remembered for the second in which they came; many of them are looked
    /// through at once.
    fn forget_others(&mut self, second: u64) {
        if 2 * self.open + 1_024 <= self.addresses.len() {
            self.addresses
                .retain(|_, address| 0 < address.open || address.second == second);
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.admission.counts.lock();
        counts.open -= 1;
        if let Some(entry) = counts.addresses.get_mut(&self.address) {
            // An override may have come for loopback since.
            entry.open = entry.open.saturating_sub(1);
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
        assert_eq!(
            admission.admit(other, 0).err(),
            Some(Refusal::Rate { max: 3 }),
            "whoever comes and goes is counted all the same"
        );
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

    #[test]
    fn a_single_address_may_have_a_limit_of_its_own() {
        let limits = |overrides: &[([u8; 4], usize)]| ConnectionLimits {
            per_address_max: 2,
            per_address_overrides: overrides
                .iter()
                .map(|(address, max)| (IpAddr::from(*address), *max))
                .collect(),
            ..ConnectionLimits::default()
        };
        let admission = Admission::new(limits(&[([192, 0, 2, 1], 3), ([127, 0, 0, 1], 1)]));
        let open = |address: IpAddr| -> Vec<Place> {
            (0..10).filter_map(|_| admission.admit(address, 0).ok()).collect()
        };
        assert_eq!(open([192, 0, 2, 1].into()).len(), 3);
        assert_eq!(open([192, 0, 2, 2].into()).len(), 2);
        let mapped = std::net::Ipv4Addr::new(192, 0, 2, 3).to_ipv6_mapped();
        assert_eq!(open(mapped.into()).len(), 2);
        assert_eq!(
            open([127, 0, 0, 1].into()).len(),
            1,
            "loopback, since it is named"
        );
        assert_eq!(open(std::net::Ipv6Addr::LOCALHOST.into()).len(), 10);
        admission.caps().set(&limits(&[([192, 0, 2, 1], 0)]));
        assert_eq!(open([192, 0, 2, 1].into()).len(), 0);
    }

    #[test]
    fn a_seconds_worth_comes_at_once_and_then_at_the_rate() {
        let limits = ConnectionLimits {
            accepts_max: Some(4),
            ..ConnectionLimits::default()
        };
        let admission = Admission::new(limits);
        let mut now = Duration::from_secs(9);
        let pauses: Vec<u128> = (0..4).map(|_| admission.accepted(now).as_millis()).collect();
        assert_eq!(pauses, [0, 0, 0, 250]);
        for _ in 0..100 {
            now += admission.accepted(now);
        }
        assert_eq!(
            now,
            Duration::from_secs(9) + Duration::from_millis(100 * 250 + 250)
        );
    }
}
