//! OffsetDelete and DeleteGroups, and the offsets of topics that are gone.

use std::collections::BTreeMap;

use protocol::Str;
use types::{ErrorCode, Uuid};

use crate::group::classic::{ClassicGroup, Phase};
use crate::group::{Effects, Group, GroupShard, Now, Record, Refused};

impl GroupShard {
    /// OffsetDelete (key 47): an error code per partition, in the order of the request.
    pub fn delete_offsets(
        &self,
        now: Now,
        group: &Str,
        wanted: &[(Str, i32)],
    ) -> (Refused<Vec<ErrorCode>>, Effects) {
        let mut out = Effects::default();
        let Some(stored) = self.state.group(group) else {
            return (Err(ErrorCode::GroupIdNotFound), out);
        };
        let live = self.live.groups.get(group.as_str());
        let is_empty = live.is_none_or(|live| live.phase == Phase::Empty);
        if !is_empty && !live.is_some_and(|live| live.is_of_consumers()) {
            return (Err(ErrorCode::NonEmptyGroup), out);
        }
        let mut codes = Vec::with_capacity(wanted.len());
        for (topic, partition) in wanted {
            if live.is_some_and(|live| live.is_subscribed(topic)) {
                codes.push(ErrorCode::GroupSubscribedToTopic);
                continue;
            }
            codes.push(ErrorCode::None);
            if stored.offset(topic, *partition).is_some() {
                out.records.push(tombstone(group, topic, *partition));
            }
        }
        let removed = out.records.len();
        out.records
            .splice(0..0, birth_if_last(group, stored, removed, now));
        (Ok(codes), out)
    }

    /// DeleteGroups (key 42), of one group: only one without members goes.
    pub fn delete_group(&self, group: &Str) -> (Refused<()>, Effects) {
        let mut out = Effects::default();
        let refused = match self.phase(group) {
            None => Err(ErrorCode::GroupIdNotFound),
            Some(Phase::Empty) => Ok(()),
            Some(_) => Err(ErrorCode::NonEmptyGroup),
        };
        if let (Ok(()), Some(stored)) = (refused, self.state.group(group)) {
            out.records = all_tombstones(group, stored);
            out.records.push(group_tombstone(group));
        }
        (refused, out)
    }

    /// The offsets of topics that were deleted. `gone` is asked with the name and the id, zero if it is not known, of
    /// the topic that an offset was committed for.
    pub fn forget_topics(&self, now: Now, gone: impl Fn(&str, Uuid) -> bool) -> Effects {
        let mut out = Effects::default();
        for (id, group) in self.state.groups() {
            let mut tombstones = Vec::new();
            for (topic, partitions) in &group.offsets {
                let gone = partitions
                    .iter()
                    .filter(|(_, committed)| gone(topic, committed.topic_id));
                tombstones.extend(gone.map(|(partition, _)| tombstone(id, topic, *partition)));
            }
            out.records
                .extend(birth_if_last(id, group, tombstones.len(), now));
            out.records.append(&mut tombstones);
        }
        out
    }
}

/// A group that only kept offsets outlasts its last one, until it expires: it becomes one without members.
fn birth_if_last(id: &Str, group: &Group, removed: usize, now: Now) -> Option<Record> {
    let kept: usize = group.offsets.values().map(BTreeMap::len).sum();
    let is_last = 0 < removed && removed == kept && group.generation.is_none();
    is_last.then(|| ClassicGroup::new(id.clone(), now).birth_record())
}

pub(super) fn tombstone(group: &Str, topic: &Str, partition: i32) -> Record {
    Record::Offset {
        group: group.clone(),
        topic: topic.clone(),
        partition,
        value: None,
    }
}

pub(super) fn group_tombstone(group: &Str) -> Record {
    Record::Group {
        group: group.clone(),
        value: None,
    }
}

fn all_tombstones(id: &Str, group: &Group) -> Vec<Record> {
    let topics = group.offsets.iter();
    topics
        .flat_map(|(topic, partitions)| {
            partitions
                .keys()
                .map(|partition| tombstone(id, topic, *partition))
        })
        .collect()
}
