//! OffsetCommit: who may commit, and what is written.

use protocol::Str;
use types::{ErrorCode, Uuid};

use crate::group::classic::Phase;
use crate::group::{Committed, Effects, GroupShard, Now, Record, Refused};

/// A request to commit, in one shape for all versions. Its topics exist.
#[derive(Debug, Clone)]
pub struct Commit {
    pub group: Str,
    pub member: Str,
    pub instance: Option<Str>,
    /// -1: not as a member.
    pub generation: i32,
    /// How long the offsets are kept, in milliseconds (v2-v4); -1: as the broker says.
    pub retention_ms: i64,
    /// From v9 on a group that does not exist is told so.
    pub knows_missing_groups: bool,
    pub offsets: Vec<OffsetToCommit>,
}

/// One partition's offset.
#[derive(Debug, Clone)]
pub struct OffsetToCommit {
    pub topic: Str,
    pub topic_id: Uuid,
    pub partition: i32,
    pub offset: i64,
    pub leader_epoch: i32,
    pub metadata: Option<Str>,
}

impl GroupShard {
    /// Decides a commit: an error code per offset, in the order of the request, and the records.
    pub fn commit_offsets(&mut self, now: Now, commit: &Commit) -> (Refused<Vec<ErrorCode>>, Effects) {
        let mut out = Effects::default();
        if let Err(code) = self.check_commit(commit) {
            return (Err(code), out);
        }
        self.in_group(&commit.group, now, &mut out, |group, context| {
            group.note_commit(&commit.member, context);
        });
        let expire_timestamp = match commit.retention_ms {
            -1 => -1,
            retention => now.wall_ms.saturating_add(retention),
        };
        let mut codes = Vec::with_capacity(commit.offsets.len());
        for offset in &commit.offsets {
            if self.is_too_long(offset.metadata.as_deref()) {
                codes.push(ErrorCode::OffsetMetadataTooLarge);
                continue;
            }
            codes.push(ErrorCode::None);
            let value = Committed {
                offset: offset.offset,
                leader_epoch: offset.leader_epoch,
                metadata: offset.metadata.clone().unwrap_or_default(),
                commit_timestamp: now.wall_ms,
                expire_timestamp,
                topic_id: offset.topic_id,
            };
            out.records.push(Record::Offset {
                group: commit.group.clone(),
                topic: offset.topic.clone(),
                partition: offset.partition,
                value: Some(value),
            });
        }
        (Ok(codes), out)
    }

    fn check_commit(&self, commit: &Commit) -> Refused<()> {
        let (member, instance) = (commit.member.as_str(), commit.instance.as_ref());
        if let Some(group) = self.live.groups.get(commit.group.as_str()) {
            return group.check_commit(member, instance, commit.generation);
        }
        if self.state.group(&commit.group).is_some() {
            // Without a live part it is empty.
            let is_outsider = commit.generation < 0;
            return if is_outsider {
                Ok(())
            } else {
                Err(ErrorCode::UnknownMemberId)
            };
        }
        match commit.generation {
            // A simple group begins with its first offset.
            ..0 => Ok(()),
            _ if commit.knows_missing_groups => Err(ErrorCode::GroupIdNotFound),
            _ => Err(ErrorCode::IllegalGeneration),
        }
    }

    /// Kafka counts UTF-16 units, never more than there are bytes.
    fn is_too_long(&self, metadata: Option<&str>) -> bool {
        let max = self.config.offset_metadata_max;
        metadata.is_some_and(|text| max < text.len() && max < text.encode_utf16().count())
    }

    /// Whether a group has a member or lets one in.
    pub(crate) fn phase(&self, group: &str) -> Option<Phase> {
        match self.live.groups.get(group) {
            Some(live) => Some(live.phase),
            None => self.state.group(group).map(|_| Phase::Empty),
        }
    }
}
