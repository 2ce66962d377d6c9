//! One partition of `__consumer_offsets`: its groups, and what is decided about them.
//!
//! The host calls a verb, appends the records as one batch, applies them, and lets the answers go when they are
//! committed. If it cannot append, it throws the shard away and loads it anew: nothing here is ever undone.

use std::sync::Arc;

use protocol::Str;
use protocol::messages::leave_group_response::MemberResponse;
use types::{ErrorCode, Offset};

use super::classic::{self, ClassicGroup, Phase};
use super::{Effects, GroupConfig, Join, Leave, Live, Now, Record, Refused, State, Sync, Ticket};

/// The decider of one partition's groups.
#[derive(Debug)]
pub struct GroupShard {
    pub(crate) config: Arc<GroupConfig>,
    pub(crate) state: State,
    pub(crate) live: Live,
}

impl GroupShard {
    /// A shard from what its log says. What the effects hold is to be handled like a decision's.
    pub fn load(state: State, config: Arc<GroupConfig>, now: Now) -> (GroupShard, Effects) {
        let (mut live, mut out) = (Live::default(), Effects::default());
        live.start(&state, &config, now, &mut out);
        (GroupShard { config, state, live }, out)
    }

    pub fn state(&self) -> &State {
        &self.state
    }

    /// Makes the change of a record that was appended. `end` is the offset after it.
    pub fn apply(&mut self, end: Offset, record: &Record) {
        self.state.apply(end, record);
        if self.state.group(record.group()).is_none() {
            self.live.groups.remove(record.group().as_str());
        }
    }

    /// When [`GroupShard::on_time`] wants to be called next, in the milliseconds of [`Now::elapsed_ms`].
    pub fn next_deadline_ms(&self) -> Option<u64> {
        self.live.timers.next_ms()
    }

    /// Requests that wait for others and have to be refused when the shard is thrown away.
    pub fn waiting(&self) -> Vec<Ticket> {
        self.live.waiting()
    }

    /// JoinGroup (key 11).
    pub fn join(&mut self, now: Now, join: &Join) -> Effects {
        let mut out = Effects::default();
        let bounds = self.config.session_timeout_min_ms..=self.config.session_timeout_max_ms;
        let refusal = if join.group.is_empty() {
            Some(ErrorCode::InvalidGroupId)
        } else if !bounds.contains(&join.session_timeout_ms) {
            Some(ErrorCode::InvalidSessionTimeout)
        } else {
            None
        };
        let exists =
            self.state.group(&join.group).is_some() || self.live.groups.contains_key(join.group.as_str());
        let unknown = !exists && !join.member.is_empty();
        if let Some(code) = refusal.or(unknown.then_some(ErrorCode::UnknownMemberId)) {
            self.refuse_join(now, join, code, &mut out);
            return out;
        }
        if !exists {
            let id: Str = super::state::own(&join.group);
            self.live.groups.insert(id.clone(), ClassicGroup::new(id, now));
        }
        self.live.load(&join.group, &self.state, now);
        self.in_group(&join.group, now, &mut out, |group, context| {
            group.join(join, context);
            if !exists && context.out.records.is_empty() {
                // The group exists from now on, also for a coordinator that comes after this one.
                context.out.records.push(group.birth_record());
            }
        });
        out
    }

    fn refuse_join(&mut self, now: Now, join: &Join, code: ErrorCode, out: &mut Effects) {
        let mut context = classic::Context {
            now,
            config: &self.config,
            timers: &mut self.live.timers,
            out,
        };
        classic::refuse_join(join, &join.member, code, &mut context);
    }

    /// SyncGroup (key 14).
    pub fn sync(&mut self, now: Now, sync: &Sync) -> Effects {
        let mut out = Effects::default();
        let code = if sync.group.is_empty() {
            ErrorCode::InvalidGroupId
        } else {
            ErrorCode::UnknownMemberId
        };
        let answered = self.in_group(&sync.group, now, &mut out, |group, context| {
            if group.phase == Phase::Empty {
                classic::refuse_sync(sync, code, context);
            } else {
                group.sync(sync, context);
            }
        });
        if answered.is_none() {
            let mut context = classic::Context {
                now,
                config: &self.config,
                timers: &mut self.live.timers,
                out: &mut out,
            };
            classic::refuse_sync(sync, code, &mut context);
        }
        out
    }

    /// Heartbeat (key 12). Sees and changes live state alone, so its answer waits for nothing.
    pub fn heartbeat(
        &mut self,
        now: Now,
        group: &str,
        member: &str,
        instance: Option<&Str>,
        generation: i32,
    ) -> Refused<()> {
        if group.is_empty() {
            return Err(ErrorCode::InvalidGroupId);
        }
        let mut out = Effects::default();
        self.in_group(group, now, &mut out, |group, context| {
            group.heartbeat(member, instance, generation, context)
        })
        .unwrap_or(Err(ErrorCode::UnknownMemberId))
    }

    /// LeaveGroup (key 13).
    pub fn leave(
        &mut self,
        now: Now,
        group: &str,
        leaves: &[Leave],
    ) -> (Refused<Vec<MemberResponse>>, Effects) {
        let mut out = Effects::default();
        if group.is_empty() {
            return (Err(ErrorCode::InvalidGroupId), out);
        }
        if self.state.group(group).is_some() {
            self.live.load(group, &self.state, now);
        }
        let answers = self.in_group(group, now, &mut out, |group, context| {
            group.leave(leaves, context)
        });
        let unknown = || {
            leaves
                .iter()
                .map(|leave| leave.answered(ErrorCode::UnknownMemberId))
        };
        (Ok(answers.unwrap_or_else(|| unknown().collect())), out)
    }

    /// What has become due. Call again if [`GroupShard::next_deadline_ms`] has still passed.
    pub fn on_time(&mut self, now: Now) -> Effects {
        let mut out = Effects::default();
        while out.records.is_empty() {
            let Some((at_ms, timer)) = self.live.timers.pop(now.elapsed_ms) else {
                break;
            };
            if self.live.on_timer((at_ms, &timer), &self.config, now, &mut out) {
                out.records.extend(self.expired(now));
            }
        }
        out
    }

    pub(crate) fn in_group<R>(
        &mut self,
        id: &str,
        now: Now,
        out: &mut Effects,
        act: impl FnOnce(&mut ClassicGroup, &mut classic::Context<'_>) -> R,
    ) -> Option<R> {
        self.live.with(id, (now, &self.config), out, act)
    }
}
