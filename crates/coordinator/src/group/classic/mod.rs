//! The classic protocol's group: who is in it and which phase of a rebalance it is in (Kafka's `ClassicGroup` and the
//! classic part of `GroupMetadataManager`).
//!
//! All of it is live state. What outlasts a coordinator is the generation that SyncGroup of the leader writes.

mod heartbeat;
mod join;
mod leave;
mod member;
mod protocols;
mod rebalance;
mod stored;
mod sync;
mod time;

use std::collections::{BTreeMap, BTreeSet};

use protocol::Str;
use types::ErrorCode;

use super::timers::{Deadline, Timers};
use super::{Effects, GroupConfig, Now, Refused};

pub(crate) use join::refuse as refuse_join;
pub use join::{Join, refusal as join_refusal};
pub use leave::Leave;
pub use member::Member;
pub use sync::Sync;
pub(crate) use sync::refuse as refuse_sync;

/// Kafka's states of a classic group. Dead is a group that does not exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    Empty,
    PreparingRebalance,
    CompletingRebalance,
    Stable,
}

impl Phase {
    /// The name that tools print.
    pub fn name(self) -> &'static str {
        match self {
            Phase::Empty => "Empty",
            Phase::PreparingRebalance => "PreparingRebalance",
            Phase::CompletingRebalance => "CompletingRebalance",
            Phase::Stable => "Stable",
        }
    }
}

/// Why the join phase has a timer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JoinWait {
    /// A new group gives its members time to come (`group.initial.rebalance.delay.ms`).
    Initial { delay_ms: u64, left_ms: u64 },
    /// Members that do not come back in time are left behind.
    Rebalance,
}

/// What deciding needs beside the group.
pub(crate) struct Context<'a> {
    pub now: Now,
    pub config: &'a GroupConfig,
    pub timers: &'a mut Timers,
    pub out: &'a mut Effects,
}

/// One group with its members.
#[derive(Debug)]
pub struct ClassicGroup {
    pub(crate) id: Str,
    pub(crate) phase: Phase,
    pub(crate) previous: Phase,
    /// When the group came into its phase, in milliseconds since 1970.
    pub(crate) phase_since_ms: Option<i64>,
    pub(crate) protocol_type: Option<Str>,
    /// The protocol that the members voted for.
    pub(crate) protocol: Option<Str>,
    pub(crate) generation: i32,
    pub(crate) leader: Option<Str>,
    pub(crate) members: BTreeMap<Str, Member>,
    /// The member of each static instance.
    pub(crate) instances: BTreeMap<Str, Str>,
    /// Ids that were given out (MEMBER_ID_REQUIRED) and have not joined, with their sessions.
    pub(crate) pending: BTreeMap<Str, Deadline>,
    /// Members that were told a generation and have not asked for their assignment.
    pub(crate) unsynced: BTreeSet<Str>,
    /// How many members know each protocol.
    pub(crate) supported: BTreeMap<Str, usize>,
    /// How many members wait in JoinGroup.
    pub(crate) joining: usize,
    /// What the members are subscribed to, if they are consumers that say so.
    pub(crate) subscribed: Option<BTreeSet<Str>>,
    /// A member came while a new group waits for its members.
    pub(crate) member_added: bool,
    pub(crate) join_wait: JoinWait,
    pub(crate) join_deadline: Deadline,
    pub(crate) sync_deadline: Deadline,
}

/// The protocol type of consumers.
pub(crate) const CONSUMER: &str = "consumer";

impl ClassicGroup {
    pub(crate) fn new(id: Str, now: Now) -> ClassicGroup {
        ClassicGroup {
            id,
            phase: Phase::Empty,
            previous: Phase::Empty,
            phase_since_ms: Some(now.wall_ms),
            protocol_type: None,
            protocol: None,
            generation: 0,
            leader: None,
            members: BTreeMap::new(),
            instances: BTreeMap::new(),
            pending: BTreeMap::new(),
            unsynced: BTreeSet::new(),
            supported: BTreeMap::new(),
            joining: 0,
            subscribed: None,
            member_added: false,
            join_wait: JoinWait::Rebalance,
            join_deadline: Deadline::default(),
            sync_deadline: Deadline::default(),
        }
    }

    pub(crate) fn enter(&mut self, phase: Phase, now: Now) {
        self.previous = self.phase;
        self.phase = phase;
        self.phase_since_ms = Some(now.wall_ms);
    }

    pub(crate) fn is_leader(&self, member: &str) -> bool {
        self.leader.as_ref().is_some_and(|leader| leader == member)
    }

    /// The longest time that a member gives the others to come back.
    pub(crate) fn rebalance_timeout_ms(&self) -> u64 {
        let longest = self.members.values().map(|member| member.rebalance_timeout_ms);
        u64::try_from(longest.max().unwrap_or(0)).unwrap_or(0)
    }

    pub(crate) fn all_joined(&self) -> bool {
        self.members.len() == self.joining && self.pending.is_empty()
    }

    /// Checks that a member is who it says it is (Kafka's `validateMember`).
    pub(crate) fn check_member(&self, member: &str, instance: Option<&Str>) -> Refused<()> {
        if let Some(instance) = instance {
            match self.instances.get(instance.as_str()) {
                None => return Err(ErrorCode::UnknownMemberId),
                Some(current) if current != member => return Err(ErrorCode::FencedInstanceId),
                Some(_) => {}
            }
        }
        if self.members.contains_key(member) {
            Ok(())
        } else {
            Err(ErrorCode::UnknownMemberId)
        }
    }

    /// Puts a member in. Its protocols were checked.
    pub(crate) fn add(&mut self, member: Member, protocol_type: &Str) {
        if self.members.is_empty() {
            self.protocol_type = Some(super::state::own(protocol_type));
        }
        if let Some(instance) = &member.instance {
            self.instances.insert(instance.clone(), member.id.clone());
        }
        if self.leader.is_none() {
            self.leader = Some(member.id.clone());
        }
        self.count_protocols(&member, true);
        self.joining += usize::from(member.joining.is_some());
        self.pending.remove(member.id.as_str());
        self.members.insert(member.id.clone(), member);
    }

    /// Takes a member, or an id that was given out, away. The next leader is any member that is left.
    pub(crate) fn remove(&mut self, id: &str) {
        if let Some(member) = self.members.remove(id) {
            self.count_protocols(&member, false);
            self.joining -= usize::from(member.joining.is_some());
            if let Some(instance) = &member.instance {
                self.instances.remove(instance.as_str());
            }
        }
        if self.is_leader(id) {
            self.leader = self.members.keys().next().cloned();
        }
        self.pending.remove(id);
        self.unsynced.remove(id);
    }

    /// Whether members read a topic. Consumers whose subscription is not known might (trap: GROUP_SUBSCRIBED_TO_TOPIC).
    pub(crate) fn is_subscribed(&self, topic: &str) -> bool {
        match &self.subscribed {
            Some(topics) => topics.contains(topic),
            None => self.is_of_consumers(),
        }
    }

    pub(crate) fn is_of_consumers(&self) -> bool {
        self.protocol_type.as_ref().is_some_and(|kind| kind == CONSUMER)
    }
}
