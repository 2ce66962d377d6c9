//! What the passing of time does to a group.

use protocol::Str;
use types::ErrorCode;

use super::{ClassicGroup, Context, JoinWait, Phase};
use crate::group::timers::{Due, Timer};

impl ClassicGroup {
    /// A member is alive: its session begins anew.
    pub(crate) fn renew_session(&mut self, member: &str, context: &mut Context<'_>) {
        if let Some(found) = self.members.get(member) {
            let timeout = u64::try_from(found.session_timeout_ms).unwrap_or(0);
            self.renew_session_for(member, timeout, context);
        }
    }

    pub(crate) fn renew_session_for(&mut self, member: &str, timeout_ms: u64, context: &mut Context<'_>) {
        let group = &self.id;
        if let Some(found) = self.members.get_mut(member) {
            let id = &found.id;
            let timer = || Timer::Session {
                group: group.clone(),
                member: id.clone(),
            };
            let at_ms = context.now.elapsed_ms.saturating_add(timeout_ms);
            context.timers.schedule(&mut found.session, at_ms, timer);
        }
    }

    /// Sessions of all members begin, after a load.
    pub(crate) fn start_sessions(&mut self, context: &mut Context<'_>) {
        let ids: Vec<Str> = self.members.keys().cloned().collect();
        for id in &ids {
            self.renew_session(id, context);
        }
        if context.config.members_max < self.members.len() {
            // The bound was lowered: the members get a chance to commit before some are turned away.
            self.prepare_rebalance(context);
        }
    }

    pub(crate) fn wait_for_joins(&mut self, wait: JoinWait, timeout_ms: u64, context: &mut Context<'_>) {
        self.join_wait = wait;
        let at_ms = context.now.elapsed_ms.saturating_add(timeout_ms);
        let group = &self.id;
        let timer = || Timer::Join { group: group.clone() };
        context.timers.schedule(&mut self.join_deadline, at_ms, timer);
    }

    pub(crate) fn wait_for_syncs(&mut self, context: &mut Context<'_>) {
        let at_ms = context.now.elapsed_ms.saturating_add(self.rebalance_timeout_ms());
        let group = &self.id;
        let timer = || Timer::Sync { group: group.clone() };
        context.timers.schedule(&mut self.sync_deadline, at_ms, timer);
    }

    /// An entry of the heap came up.
    pub(crate) fn on_timer(&mut self, at_ms: u64, timer: &Timer, context: &mut Context<'_>) {
        let now_ms = context.now.elapsed_ms;
        let mut is_due = |deadline| context.timers.is_due(deadline, at_ms, now_ms, timer) == Due::Now;
        match timer {
            Timer::Join { .. } => {
                if is_due(&mut self.join_deadline) {
                    self.on_join_time(context);
                }
            }
            Timer::Sync { .. } => {
                if is_due(&mut self.sync_deadline) {
                    self.on_sync_time(context);
                }
            }
            Timer::Session { member, .. } => {
                let session = match self.members.get_mut(member.as_str()) {
                    Some(member) => Some(&mut member.session),
                    None => self.pending.get_mut(member.as_str()),
                };
                if session.is_some_and(is_due) {
                    self.on_session_end(member, context);
                }
            }
            Timer::Expiry => {}
        }
    }

    fn on_join_time(&mut self, context: &mut Context<'_>) {
        if self.phase != Phase::PreparingRebalance {
            return;
        }
        let JoinWait::Initial { delay_ms, left_ms } = self.join_wait else {
            return self.complete_join(context);
        };
        if !self.member_added || left_ms == 0 {
            return self.complete_join(context);
        }
        // Somebody came: wait once more, as long as the longest rebalance time-out allows.
        self.member_added = false;
        let configured = u64::try_from(context.config.initial_rebalance_delay_ms).unwrap_or(0);
        let next = configured.min(left_ms);
        let wait = JoinWait::Initial {
            delay_ms: next,
            left_ms: left_ms.saturating_sub(delay_ms),
        };
        self.wait_for_joins(wait, next, context);
    }

    /// Members that were told a generation and never asked for their assignment are gone.
    fn on_sync_time(&mut self, context: &mut Context<'_>) {
        let waits = matches!(self.phase, Phase::CompletingRebalance | Phase::Stable);
        if !waits || self.unsynced.is_empty() {
            return;
        }
        for id in std::mem::take(&mut self.unsynced) {
            self.remove(&id);
        }
        self.prepare_rebalance(context);
    }

    fn on_session_end(&mut self, member: &Str, context: &mut Context<'_>) {
        if self.pending.contains_key(member.as_str()) {
            self.remove(member);
            if self.phase == Phase::PreparingRebalance && self.all_joined() {
                self.complete_join(context);
            }
            return;
        }
        if self
            .members
            .get(member.as_str())
            .is_some_and(super::Member::is_excused)
        {
            return;
        }
        self.turn_away(member, ErrorCode::UnknownMemberId, context);
        self.remove(member);
        match self.phase {
            Phase::Stable | Phase::CompletingRebalance => self.prepare_rebalance(context),
            Phase::PreparingRebalance if self.all_joined() => self.complete_join(context),
            Phase::PreparingRebalance | Phase::Empty => {}
        }
    }
}
