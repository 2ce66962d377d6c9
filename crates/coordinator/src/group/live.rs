//! What a coordinator knows that is in no log: groups with members, and timers. Gone with the shard.

use protocol::Str;
use rustc_hash::FxHashMap;

use super::classic::{ClassicGroup, Context};
use super::state::State;
use super::timers::{Deadline, Due, Timer, Timers};
use super::{Effects, GroupConfig, Now, Ticket};

/// The live part of a shard.
#[derive(Debug, Default)]
pub struct Live {
    pub(crate) groups: FxHashMap<Str, ClassicGroup>,
    pub(crate) timers: Timers,
    expiry: Deadline,
}

impl Live {
    /// Runs `act` on a group and the rest of the context.
    pub(crate) fn with<R>(
        &mut self,
        id: &str,
        (now, config): (Now, &GroupConfig),
        out: &mut Effects,
        act: impl FnOnce(&mut ClassicGroup, &mut Context<'_>) -> R,
    ) -> Option<R> {
        let group = self.groups.get_mut(id)?;
        let mut context = Context {
            now,
            config,
            timers: &mut self.timers,
            out,
        };
        Some(act(group, &mut context))
    }

    /// The group of an id, from the log's generation if it has no live part yet.
    pub(crate) fn load(&mut self, id: &str, state: &State, now: Now) -> Option<&mut ClassicGroup> {
        if !self.groups.contains_key(id) {
            let (id, group) = state.groups_entry(id)?;
            let loaded = match &group.generation {
                Some(generation) => ClassicGroup::load(id.clone(), generation, now),
                // Somebody joins a group that only kept offsets.
                None => ClassicGroup::new(id.clone(), now),
            };
            self.groups.insert(id.clone(), loaded);
        }
        self.groups.get_mut(id)
    }

    /// Sessions of all members begin, and expired offsets are looked for from now on.
    pub(crate) fn start(&mut self, state: &State, config: &GroupConfig, now: Now, out: &mut Effects) {
        let with_members = state.groups().filter_map(|(id, group)| {
            let generation = group.generation.as_ref()?;
            (!generation.members.is_empty()).then_some(id)
        });
        for id in with_members {
            self.load(id, state, now);
            self.with(id, (now, config), out, |group, context| {
                group.start_sessions(context)
            });
        }
        self.schedule_expiry(config, now);
    }

    fn schedule_expiry(&mut self, config: &GroupConfig, now: Now) {
        let at_ms = now.elapsed_ms.saturating_add(config.offsets_check_interval_ms);
        self.timers.schedule(&mut self.expiry, at_ms, || Timer::Expiry);
    }

    /// Handles one timer that has come up. True if expired offsets are to be looked for.
    pub(crate) fn on_timer(
        &mut self,
        (at_ms, timer): (u64, &Timer),
        config: &GroupConfig,
        now: Now,
        out: &mut Effects,
    ) -> bool {
        match timer {
            Timer::Expiry => {
                let due = self.timers.is_due(&mut self.expiry, at_ms, now.elapsed_ms, timer);
                if due == Due::Now {
                    self.schedule_expiry(config, now);
                }
                due == Due::Now
            }
            Timer::Session { group, .. } | Timer::Join { group } | Timer::Sync { group } => {
                self.with(group, (now, config), out, |group, context| {
                    group.on_timer(at_ms, timer, context);
                });
                false
            }
        }
    }

    /// Everybody who waits, for whoever ends the shard.
    pub(crate) fn waiting(&self) -> Vec<Ticket> {
        let members = self.groups.values().flat_map(|group| group.members.values());
        members
            .flat_map(|member| member.joining.into_iter().chain(member.syncing))
            .collect()
    }
}
