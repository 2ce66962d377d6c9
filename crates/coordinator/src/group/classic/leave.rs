//! LeaveGroup: of one member, or of many (KIP-345), which an admin may name by instance.

use protocol::Str;
use protocol::messages::leave_group_response::MemberResponse;
use types::ErrorCode;

use super::{ClassicGroup, Context, Phase};
use crate::group::Refused;

/// One who leaves.
#[derive(Debug, Clone)]
pub struct Leave {
    /// Empty: whoever has the instance.
    pub member: Str,
    pub instance: Option<Str>,
}

impl Leave {
    pub(crate) fn answered(&self, code: ErrorCode) -> MemberResponse {
        MemberResponse {
            member_id: self.member.clone(),
            group_instance_id: self.instance.clone(),
            error_code: code.code(),
            ..Default::default()
        }
    }
}

impl ClassicGroup {
    pub(crate) fn leave(&mut self, leaves: &[Leave], context: &mut Context<'_>) -> Vec<MemberResponse> {
        let mut answers = Vec::with_capacity(leaves.len());
        let mut anybody = false;
        for leave in leaves {
            let left = self.leave_one(leave, context);
            anybody |= left.is_ok();
            answers.push(leave.answered(left.err().unwrap_or(ErrorCode::None)));
        }
        if anybody {
            match self.phase {
                Phase::Stable | Phase::CompletingRebalance => self.prepare_rebalance(context),
                Phase::PreparingRebalance => self.complete_join_if_all_came(context),
                Phase::Empty => {}
            }
        }
        answers
    }

    fn leave_one(&mut self, leave: &Leave, context: &mut Context<'_>) -> Refused<()> {
        let id = if leave.member.is_empty() {
            let instance = leave.instance.as_ref().ok_or(ErrorCode::UnknownMemberId)?;
            let current = self.instances.get(instance.as_str());
            current.cloned().ok_or(ErrorCode::UnknownMemberId)?
        } else if self.pending.contains_key(leave.member.as_str()) {
            self.remove(&leave.member);
            return Ok(());
        } else {
            self.check_member(&leave.member, leave.instance.as_ref())?;
            leave.member.clone()
        };
        self.turn_away(&id, ErrorCode::UnknownMemberId, context);
        self.remove(&id);
        Ok(())
    }
}
