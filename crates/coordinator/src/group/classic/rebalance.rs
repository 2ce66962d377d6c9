//! The phases of a rebalance: everybody comes back, then a new generation begins.

use protocol::Str;
use protocol::messages::join_group_response::{JoinGroupResponse, JoinGroupResponseMember};
use protocol::messages::sync_group_response::SyncGroupResponse;
use types::ErrorCode;

use super::{ClassicGroup, Context, JoinWait, Phase};
use crate::group::Answer;

impl ClassicGroup {
    /// Begins a rebalance where one may begin; else a join phase may be complete now.
    pub(crate) fn rebalance(&mut self, context: &mut Context<'_>) {
        match self.phase {
            Phase::PreparingRebalance => self.complete_join_if_all_came(context),
            Phase::Empty | Phase::CompletingRebalance | Phase::Stable => self.prepare_rebalance(context),
        }
    }

    /// Everybody has to join again.
    pub(crate) fn prepare_rebalance(&mut self, context: &mut Context<'_>) {
        if self.phase == Phase::CompletingRebalance {
            self.fail_syncs(ErrorCode::RebalanceInProgress, context);
        }
        self.unsynced.clear();
        self.sync_deadline.cancel();
        let is_initial = self.phase == Phase::Empty;
        if is_initial {
            let delay_ms = u64::try_from(context.config.initial_rebalance_delay_ms).unwrap_or(0);
            let left_ms = self.rebalance_timeout_ms().saturating_sub(delay_ms);
            self.wait_for_joins(JoinWait::Initial { delay_ms, left_ms }, delay_ms, context);
        }
        self.enter(Phase::PreparingRebalance, context.now);
        if is_initial {
            return;
        }
        if self.all_joined() {
            self.complete_join(context);
        } else {
            self.wait_for_joins(JoinWait::Rebalance, self.rebalance_timeout_ms(), context);
        }
    }

    /// Ends the join phase when nobody is missing. The first one of a group ends by time alone.
    pub(crate) fn complete_join_if_all_came(&mut self, context: &mut Context<'_>) {
        let rebalances = self.phase == Phase::PreparingRebalance && self.previous != Phase::Empty;
        if rebalances && self.all_joined() {
            self.complete_join(context);
        }
    }

    /// The join phase is over: whoever came is in the next generation. Static members may stay away.
    pub(crate) fn complete_join(&mut self, context: &mut Context<'_>) {
        self.join_deadline.cancel();
        let stays_away = |member: &&super::Member| member.joining.is_none() && member.instance.is_none();
        let gone: Vec<Str> = self
            .members
            .values()
            .filter(stays_away)
            .map(|member| member.id.clone())
            .collect();
        for id in &gone {
            self.remove(id);
        }
        if !self.elect_joined_leader() && !self.members.is_empty() {
            // Only static members are left, and none of them came: until their sessions end, or one comes.
            self.wait_for_joins(JoinWait::Rebalance, self.rebalance_timeout_ms(), context);
            return;
        }
        self.generation = self.generation.wrapping_add(1);
        self.unsynced.clear();
        if self.members.is_empty() {
            self.protocol = None;
            self.subscribed = self.read_subscriptions();
            self.enter(Phase::Empty, context.now);
            context.out.records.push(self.record());
            return;
        }
        self.protocol = self.select_protocol();
        self.subscribed = self.read_subscriptions();
        self.enter(Phase::CompletingRebalance, context.now);
        self.announce_generation(context);
    }

    /// The leader, if it came; else one that did.
    fn elect_joined_leader(&mut self) -> bool {
        let Some(leader) = &self.leader else {
            return false;
        };
        let came = |id: &Str| {
            self.members
                .get(id.as_str())
                .is_some_and(|member| member.joining.is_some())
        };
        if came(leader) {
            return true;
        }
        let next = self.members.values().find(|member| member.joining.is_some());
        match next.map(|member| member.id.clone()) {
            Some(id) => {
                self.leader = Some(id);
                true
            }
            None => false,
        }
    }

    /// Tells everybody who waits the new generation, and the leader who is in it.
    fn announce_generation(&mut self, context: &mut Context<'_>) {
        let ids: Vec<Str> = self.members.keys().cloned().collect();
        for id in ids {
            let response = self.joined(&id, self.is_leader(&id));
            self.answer_join(&id, response, context);
            self.renew_session(&id, context);
            if let Some(member) = self.members.get_mut(id.as_str()) {
                member.is_new = false;
            }
            self.unsynced.insert(id);
        }
        self.wait_for_syncs(context);
    }

    /// The answer to a member of the current generation.
    pub(crate) fn joined(&self, member: &Str, with_members: bool) -> JoinGroupResponse {
        JoinGroupResponse {
            generation_id: self.generation,
            protocol_type: self.protocol_type.clone(),
            protocol_name: self.protocol.clone(),
            leader: self.leader.clone().unwrap_or_default(),
            member_id: member.clone(),
            members: if with_members { self.roster() } else { Vec::new() },
            ..Default::default()
        }
    }

    fn roster(&self) -> Vec<JoinGroupResponseMember> {
        let row = |member: &super::Member| JoinGroupResponseMember {
            member_id: member.id.clone(),
            group_instance_id: member.instance.clone(),
            metadata: self.subscription(member),
            ..Default::default()
        };
        self.members.values().map(row).collect()
    }

    pub(crate) fn answer_join(&mut self, id: &str, response: JoinGroupResponse, context: &mut Context<'_>) {
        let ticket = self.members.get_mut(id).and_then(|member| member.joining.take());
        if let Some(ticket) = ticket {
            self.joining -= 1;
            context.out.answers.push((ticket, Answer::Join(response)));
        }
    }

    /// Ends a member's wait: it has to begin anew.
    pub(crate) fn turn_away(&mut self, id: &str, code: ErrorCode, context: &mut Context<'_>) {
        let syncing = self.members.get_mut(id).and_then(|member| member.syncing.take());
        if let Some(ticket) = syncing {
            let response = SyncGroupResponse {
                error_code: code.code(),
                ..Default::default()
            };
            context.out.answers.push((ticket, Answer::Sync(response)));
        }
        self.answer_join(id, super::join::refusal(&Str::default(), code), context);
    }

    pub(crate) fn fail_syncs(&mut self, code: ErrorCode, context: &mut Context<'_>) {
        let mut answered = Vec::new();
        for member in self.members.values_mut() {
            member.assignment = bytes::Bytes::new();
            if let Some(ticket) = member.syncing.take() {
                let response = SyncGroupResponse {
                    error_code: code.code(),
                    ..Default::default()
                };
                context.out.answers.push((ticket, Answer::Sync(response)));
                answered.push(member.id.clone());
            }
        }
        for id in answered {
            self.renew_session(&id, context);
        }
    }
}
