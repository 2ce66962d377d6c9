//! A classic group: the states and checks of `ClassicGroup` that members notice.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Phase {
    #[default]
    Empty,
    /// Members join until all have, or until then.
    Preparing(Instant),
    Completing,
    Stable,
}

#[derive(Debug, Default)]
pub struct Member {
    pub protocols: Vec<(String, Bytes)>,
    pub joined: bool,
    pub seen: Option<Instant>,
    pub session: Duration,
    pub assignment: Bytes,
}

#[derive(Debug, Default)]
pub struct Group {
    pub phase: Phase,
    pub generation: i32,
    pub members: BTreeMap<String, Member>,
    pub pending: Vec<String>,
    pub protocol: String,
    pub offsets: BTreeMap<i32, i64>,
}

const REBALANCE: Duration = Duration::from_secs(4);

impl Group {
    /// Drops members that were not heard of, and ends a preparation whose time is over.
    pub fn tick(&mut self, now: Instant) {
        let before = self.members.len();
        let preparing = matches!(self.phase, Phase::Preparing(_));
        self.members.retain(|_, member| {
            let fresh = member.seen.is_some_and(|at| now < at + member.session);
            fresh || (preparing && member.joined)
        });
        if self.members.len() < before && !preparing {
            self.prepare(now);
        }
        if let Phase::Preparing(until) = self.phase {
            let all = !self.members.is_empty() && self.members.values().all(|member| member.joined);
            if all || until <= now {
                self.complete(now);
            }
        }
    }

    pub fn prepare(&mut self, now: Instant) {
        if !matches!(self.phase, Phase::Preparing(_)) {
            self.phase = Phase::Preparing(now + REBALANCE);
            self.members.values_mut().for_each(|member| member.joined = false);
        }
    }

    fn complete(&mut self, now: Instant) {
        self.members.retain(|_, member| member.joined);
        self.generation += 1;
        if self.members.is_empty() {
            self.phase = Phase::Empty;
            return;
        }
        let first = self
            .members
            .values()
            .next()
            .map(|member| member.protocols.clone())
            .unwrap_or_default();
        let common = first.iter().map(|(name, _)| name).find(|name| {
            self.members
                .values()
                .all(|member| member.protocols.iter().any(|(one, _)| one == *name))
        });
        self.protocol = common.cloned().unwrap_or_default();
        self.phase = Phase::Completing;
        for member in self.members.values_mut() {
            member.seen = Some(now);
            member.assignment = Bytes::new();
        }
    }

    pub fn leader(&self) -> String {
        self.members.keys().next().cloned().unwrap_or_default()
    }

    pub fn heard(&mut self, member: &str, now: Instant) {
        if let Some(member) = self.members.get_mut(member) {
            member.seen = Some(now);
        }
    }
}
