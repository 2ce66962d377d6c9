//! JoinGroup: who may come in, and what it does to the group.

use bytes::Bytes;
use protocol::Str;
use protocol::messages::join_group_response::JoinGroupResponse;
use protocol::messages::sync_group_response::SyncGroupResponse;
use types::ErrorCode;

use super::{ClassicGroup, Context, Member, Phase};
use crate::group::config::NEW_MEMBER_JOIN_TIMEOUT_MS;
use crate::group::state::{own, own_bytes};
use crate::group::timers::{Deadline, Timer};
use crate::group::{Answer, Ticket};

/// A request to be in a group, in one shape for all versions.
#[derive(Debug, Clone)]
pub struct Join {
    pub ticket: Ticket,
    pub group: Str,
    pub member: Str,
    pub instance: Option<Str>,
    pub client_id: Str,
    pub client_host: Str,
    pub session_timeout_ms: i32,
    pub rebalance_timeout_ms: i32,
    pub protocol_type: Str,
    /// Name and metadata, each name once.
    pub protocols: Vec<(Str, Bytes)>,
    /// From v4 on a new dynamic member first gets an id and comes again with it (KIP-394).
    pub needs_known_member: bool,
    /// From v9 on a static leader may come back without assigning anew (KIP-814).
    pub can_skip_assignment: bool,
    /// Chance, for a new member's id.
    pub fresh: u128,
}

impl Join {
    fn new_member_id(&self) -> Str {
        let name = self.instance.as_ref().unwrap_or(&self.client_id);
        // A UUID of version 4, as Java prints one.
        let bits = (self.fresh & !(0xf << 76) & !(0x3 << 62)) | (0x4 << 76) | (0x2 << 62);
        let hex = format!("{bits:032x}");
        let part = |range: std::ops::Range<usize>| hex.get(range).unwrap_or_default().to_owned();
        let parts = [part(0..8), part(8..12), part(12..16), part(16..20), part(20..32)];
        format!("{name}-{}", parts.join("-")).into()
    }

    fn member_of(&self, id: Str) -> Member {
        Member {
            id,
            instance: self.instance.as_ref().map(own),
            client_id: own(&self.client_id),
            client_host: own(&self.client_host),
            rebalance_timeout_ms: self.rebalance_timeout_ms,
            session_timeout_ms: self.session_timeout_ms,
            protocols: self.owned_protocols(),
            assignment: Bytes::new(),
            is_new: true,
            joining: Some(self.ticket),
            syncing: None,
            session: Deadline::default(),
        }
    }

    fn owned_protocols(&self) -> Vec<(Str, Bytes)> {
        let pair = |(name, metadata): &(Str, Bytes)| (own(name), own_bytes(metadata));
        self.protocols.iter().map(pair).collect()
    }
}

pub(crate) fn refuse(join: &Join, member: &Str, code: ErrorCode, context: &mut Context<'_>) {
    let response = refusal(member, code);
    context.out.answers.push((join.ticket, Answer::Join(response)));
}

/// The answer to a JoinGroup that is refused.
pub fn refusal(member: &Str, code: ErrorCode) -> JoinGroupResponse {
    JoinGroupResponse {
        error_code: code.code(),
        member_id: member.clone(),
        protocol_name: None,
        ..Default::default()
    }
}

impl ClassicGroup {
    pub(crate) fn join(&mut self, join: &Join, context: &mut Context<'_>) {
        let nobody = Str::default();
        if !self.has_room_for(&join.member, context.config.members_max) {
            self.remove(&join.member);
            refuse(join, &nobody, ErrorCode::GroupMaxSizeReached, context);
        } else if join.member.is_empty() {
            if self.supports(&join.protocol_type, &join.protocols) {
                self.join_as_new(join, context);
            } else {
                refuse(join, &nobody, ErrorCode::InconsistentGroupProtocol, context);
            }
        } else if !self.supports(&join.protocol_type, &join.protocols) {
            refuse(join, &join.member, ErrorCode::InconsistentGroupProtocol, context);
        } else if self.pending.contains_key(join.member.as_str()) {
            self.join_as_pending(join, context);
        } else if let Err(code) = self.check_member(&join.member, join.instance.as_ref()) {
            refuse(join, &join.member, code, context);
        } else {
            self.rejoin(join, context);
        }
    }

    /// Kafka's `acceptJoiningMember`: while a rebalance prepares, those who wait count, so that the last to come back
    /// are the ones to go.
    fn has_room_for(&self, member: &str, members_max: usize) -> bool {
        let known = self.members.get(member);
        match self.phase {
            Phase::Empty => true,
            Phase::PreparingRebalance => {
                known.is_some_and(|member| member.joining.is_some()) || self.joining < members_max
            }
            Phase::CompletingRebalance | Phase::Stable => known.is_some() || self.members.len() < members_max,
        }
    }

    fn join_as_new(&mut self, join: &Join, context: &mut Context<'_>) {
        let id = join.new_member_id();
        if let Some(instance) = &join.instance {
            match self.instances.get(instance.as_str()).cloned() {
                Some(old) => self.replace_static(join, &old, id, context),
                None => self.add_and_rebalance(join, id, context),
            }
        } else if join.needs_known_member {
            let mut session = Deadline::default();
            let timeout = u64::try_from(join.session_timeout_ms).unwrap_or(0);
            let timer = || Timer::Session {
                group: self.id.clone(),
                member: id.clone(),
            };
            let at_ms = context.now.elapsed_ms.saturating_add(timeout);
            context.timers.schedule(&mut session, at_ms, timer);
            self.pending.insert(id.clone(), session);
            refuse(join, &id, ErrorCode::MemberIdRequired, context);
        } else {
            self.add_and_rebalance(join, id, context);
        }
    }

    fn join_as_pending(&mut self, join: &Join, context: &mut Context<'_>) {
        if join.instance.is_some() {
            // Ids are given out to dynamic members alone. Kafka fails on it with UNKNOWN_SERVER_ERROR.
            return refuse(join, &join.member, ErrorCode::UnknownServerError, context);
        }
        self.add_and_rebalance(join, own(&join.member), context);
    }

    fn add_and_rebalance(&mut self, join: &Join, id: Str, context: &mut Context<'_>) {
        if self.phase == Phase::PreparingRebalance && self.previous == Phase::Empty {
            self.member_added = true;
        }
        self.add(join.member_of(id.clone()), &join.protocol_type);
        // It cannot send heartbeats before it knows its id; but clients that are gone must not stay for ever.
        self.renew_session_for(&id, NEW_MEMBER_JOIN_TIMEOUT_MS, context);
        self.rebalance(context);
    }

    /// A member that is known comes again.
    fn rejoin(&mut self, join: &Join, context: &mut Context<'_>) {
        let known = self.members.get(join.member.as_str());
        let unchanged = known.is_some_and(|member| member.protocols == join.protocols);
        let is_leader = self.is_leader(&join.member);
        match self.phase {
            Phase::PreparingRebalance => self.update_and_rebalance(join, context),
            // It did not hear the answer to its first request.
            Phase::CompletingRebalance if unchanged => {
                let response = self.joined(&join.member, is_leader);
                context.out.answers.push((join.ticket, Answer::Join(response)));
            }
            // Nothing changed for a follower: it hears the current generation. A leader asks for a rebalance.
            Phase::Stable if unchanged && !is_leader => {
                let response = self.joined(&join.member, false);
                context.out.answers.push((join.ticket, Answer::Join(response)));
            }
            Phase::CompletingRebalance | Phase::Stable => self.update_and_rebalance(join, context),
            Phase::Empty => refuse(join, &join.member, ErrorCode::UnknownMemberId, context),
        }
    }

    fn update_and_rebalance(&mut self, join: &Join, context: &mut Context<'_>) {
        self.update(&join.member, join, context);
        self.rebalance(context);
    }

    /// What a member says now counts, and it waits.
    fn update(&mut self, id: &str, join: &Join, context: &mut Context<'_>) {
        let Some(mut member) = self.members.remove(id) else {
            return;
        };
        self.count_protocols(&member, false);
        member.protocols = join.owned_protocols();
        self.count_protocols(&member, true);
        member.rebalance_timeout_ms = join.rebalance_timeout_ms;
        member.session_timeout_ms = join.session_timeout_ms;
        match member.joining.replace(join.ticket) {
            None => self.joining += 1,
            // It asks again on another connection; whoever waits on the old one begins anew.
            Some(old) => {
                let response = refusal(&Str::default(), ErrorCode::UnknownMemberId);
                context.out.answers.push((old, Answer::Join(response)));
            }
        }
        self.members.insert(member.id.clone(), member);
    }

    /// A static member comes back under a new id; the old one is fenced (KIP-345; trap 62).
    fn replace_static(&mut self, join: &Join, old: &Str, id: Str, context: &mut Context<'_>) {
        let leader_before = self.leader.clone();
        self.fence(old, &id, context);
        self.renew_session(&id, context);
        self.update(&id, join, context);
        match self.phase {
            Phase::Stable if self.select_protocol() == self.protocol => {
                self.welcome_back(join, id, leader_before, context);
            }
            Phase::Stable => self.rebalance(context),
            // The old id may be with the leader already, so the assignment would miss the new one.
            Phase::CompletingRebalance => self.prepare_rebalance(context),
            Phase::PreparingRebalance | Phase::Empty => self.complete_join_if_all_came(context),
        }
    }

    fn fence(&mut self, old: &Str, id: &Str, context: &mut Context<'_>) {
        self.answer_join(old, refusal(old, ErrorCode::FencedInstanceId), context);
        let Some(mut member) = self.members.remove(old.as_str()) else {
            return;
        };
        if let Some(ticket) = member.syncing.take() {
            let fenced = SyncGroupResponse {
                error_code: ErrorCode::FencedInstanceId.code(),
                ..Default::default()
            };
            context.out.answers.push((ticket, Answer::Sync(fenced)));
        }
        if self.is_leader(old) {
            self.leader = Some(id.clone());
        }
        if self.unsynced.remove(old.as_str()) {
            self.unsynced.insert(id.clone());
        }
        if let Some(instance) = &member.instance {
            self.instances.insert(instance.clone(), id.clone());
        }
        member.id = id.clone();
        member.is_new = false;
        member.session = Deadline::default();
        self.members.insert(id.clone(), member);
    }

    /// No rebalance: the member has its assignment, the log learns its new id.
    fn welcome_back(&mut self, join: &Join, id: Str, leader_before: Option<Str>, context: &mut Context<'_>) {
        context.out.records.push(self.record());
        let is_leader = self.is_leader(&id);
        let response = if join.can_skip_assignment {
            JoinGroupResponse {
                skip_assignment: is_leader,
                ..self.joined(&id, is_leader)
            }
        } else {
            // Clients that cannot skip the assignment would assign anew if they knew that they lead.
            JoinGroupResponse {
                leader: leader_before.unwrap_or_default(),
                ..self.joined(&id, false)
            }
        };
        self.answer_join(&id, response, context);
    }
}
