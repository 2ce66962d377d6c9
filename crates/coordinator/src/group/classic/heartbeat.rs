//! Heartbeats, and offset commits, which count as one.

use protocol::Str;
use types::ErrorCode;

use super::{ClassicGroup, Context, Phase};
use crate::group::Refused;

impl ClassicGroup {
    /// Trap 63: a rebalance is told while it prepares, and not while it completes.
    pub(crate) fn heartbeat(
        &mut self,
        member: &str,
        instance: Option<&Str>,
        generation: i32,
        context: &mut Context<'_>,
    ) -> Refused<()> {
        self.check_member(member, instance)?;
        if generation != self.generation {
            return Err(ErrorCode::IllegalGeneration);
        }
        match self.phase {
            Phase::Empty => Err(ErrorCode::UnknownMemberId),
            Phase::PreparingRebalance => {
                self.renew_session(member, context);
                Err(ErrorCode::RebalanceInProgress)
            }
            Phase::CompletingRebalance | Phase::Stable => {
                self.renew_session(member, context);
                Ok(())
            }
        }
    }

    /// Trap 64: who may commit offsets.
    pub(crate) fn check_commit(&self, member: &str, instance: Option<&Str>, generation: i32) -> Refused<()> {
        if generation < 0 && self.phase == Phase::Empty {
            // An admin client, or a consumer that assigns partitions itself.
            return Ok(());
        }
        if 0 <= generation || !member.is_empty() || instance.is_some() {
            self.check_member(member, instance)?;
            if generation != self.generation {
                return Err(ErrorCode::IllegalGeneration);
            }
        } else if self.phase != Phase::Empty {
            return Err(ErrorCode::UnknownMemberId);
        }
        if self.phase == Phase::CompletingRebalance {
            return Err(ErrorCode::RebalanceInProgress);
        }
        Ok(())
    }

    /// A commit shows that its member is alive.
    pub(crate) fn note_commit(&mut self, member: &str, context: &mut Context<'_>) {
        if matches!(self.phase, Phase::Stable | Phase::PreparingRebalance) {
            self.renew_session(member, context);
        }
    }
}
