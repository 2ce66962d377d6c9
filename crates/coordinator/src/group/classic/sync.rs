//! SyncGroup: the leader hands in the assignment, everybody gets theirs.

use bytes::Bytes;
use protocol::Str;
use protocol::messages::sync_group_response::SyncGroupResponse;
use rustc_hash::FxHashMap;
use types::ErrorCode;

use super::{ClassicGroup, Context, Phase};
use crate::group::state::own_bytes;
use crate::group::{Answer, Refused, Ticket};

/// A request for an assignment, in one shape for all versions.
#[derive(Debug, Clone)]
pub struct Sync {
    pub ticket: Ticket,
    pub group: Str,
    pub generation: i32,
    pub member: Str,
    pub instance: Option<Str>,
    /// What the member believes; none in old versions.
    pub protocol_type: Option<Str>,
    pub protocol: Option<Str>,
    /// From the leader: member and assignment.
    pub assignments: Vec<(Str, Bytes)>,
}

pub(crate) fn refuse(sync: &Sync, code: ErrorCode, context: &mut Context<'_>) {
    let response = SyncGroupResponse {
        error_code: code.code(),
        ..Default::default()
    };
    context.out.answers.push((sync.ticket, Answer::Sync(response)));
}

impl ClassicGroup {
    pub(crate) fn sync(&mut self, sync: &Sync, context: &mut Context<'_>) {
        if let Err(code) = self.check_sync(sync) {
            return refuse(sync, code, context);
        }
        match self.phase {
            Phase::Empty => refuse(sync, ErrorCode::UnknownMemberId, context),
            Phase::PreparingRebalance => refuse(sync, ErrorCode::RebalanceInProgress, context),
            Phase::CompletingRebalance => {
                self.note_sync(&sync.member);
                self.wait_for_assignment(sync, context);
                if self.is_leader(&sync.member) {
                    self.assign(sync, context);
                }
            }
            Phase::Stable => {
                self.note_sync(&sync.member);
                let response = self.assignment_of(&sync.member);
                context.out.answers.push((sync.ticket, Answer::Sync(response)));
            }
        }
    }

    fn check_sync(&self, sync: &Sync) -> Refused<()> {
        self.check_member(&sync.member, sync.instance.as_ref())?;
        if sync.generation != self.generation {
            return Err(ErrorCode::IllegalGeneration);
        }
        let differs =
            |said: &Option<Str>, ours: &Option<Str>| said.is_some() && ours.is_some() && said != ours;
        if differs(&sync.protocol_type, &self.protocol_type) || differs(&sync.protocol, &self.protocol) {
            return Err(ErrorCode::InconsistentGroupProtocol);
        }
        Ok(())
    }

    fn note_sync(&mut self, member: &str) {
        self.unsynced.remove(member);
        if self.unsynced.is_empty() {
            self.sync_deadline.cancel();
        }
    }

    fn wait_for_assignment(&mut self, sync: &Sync, context: &mut Context<'_>) {
        let Some(member) = self.members.get_mut(sync.member.as_str()) else {
            return;
        };
        if let Some(old) = member.syncing.replace(sync.ticket) {
            let response = SyncGroupResponse {
                error_code: ErrorCode::RebalanceInProgress.code(),
                ..Default::default()
            };
            context.out.answers.push((old, Answer::Sync(response)));
        }
    }

    /// The leader's assignment is written; all who wait hear of it when it is committed.
    fn assign(&mut self, sync: &Sync, context: &mut Context<'_>) {
        let mut given: FxHashMap<&str, &Bytes> = FxHashMap::default();
        for (member, assignment) in &sync.assignments {
            given.insert(member, assignment);
        }
        for member in self.members.values_mut() {
            let assignment = given.get(member.id.as_str());
            member.assignment = assignment.map_or_else(Bytes::new, |bytes| own_bytes(bytes));
        }
        let record = self.record();
        let fits = |bytes: usize| bytes <= context.config.record_bytes_max;
        if !encoded_bytes(&record).is_some_and(fits) {
            // Kafka answers a record that is too large so, and lets the group try again.
            self.fail_syncs(ErrorCode::UnknownServerError, context);
            return self.prepare_rebalance(context);
        }
        context.out.records.push(record);
        self.enter(Phase::Stable, context.now);
        let ids: Vec<Str> = self.members.keys().cloned().collect();
        for id in ids {
            let response = self.assignment_of(&id);
            let waiting = self.members.get_mut(id.as_str());
            if let Some(ticket) = waiting.and_then(|member| member.syncing.take()) {
                context.out.answers.push((ticket, Answer::Sync(response)));
                self.renew_session(&id, context);
            }
        }
    }

    fn assignment_of(&self, member: &str) -> SyncGroupResponse {
        let assignment = self.members.get(member).map(|member| member.assignment.clone());
        SyncGroupResponse {
            protocol_type: self.protocol_type.clone(),
            protocol_name: self.protocol.clone(),
            assignment: assignment.unwrap_or_default(),
            ..Default::default()
        }
    }
}

/// None if the record cannot be written at all.
fn encoded_bytes(record: &crate::group::Record) -> Option<usize> {
    let (key, value) = record.encode().ok()?;
    Some(key.len() + value.map_or(0, |value| value.len()))
}
