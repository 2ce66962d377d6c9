//! What the log says of groups. Changed by [`State::apply`] alone: no clock, no chance, never an error.

use std::collections::BTreeMap;

use bytes::Bytes;
use protocol::Str;
use protocol::record_schemas::group::group_metadata_value::{GroupMetadataValue, MemberMetadata};
use rustc_hash::FxHashMap;
use types::Offset;

use super::{Committed, Record};

/// Partitions of one topic and what is committed for them.
pub type TopicOffsets = BTreeMap<i32, Committed>;

/// All groups of one partition of `__consumer_offsets`.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct State {
    groups: FxHashMap<Str, Group>,
    /// After the last record that was applied.
    end: Offset,
}

/// One group. It exists while it has a generation or an offset.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Group {
    /// The newest generation. None: nobody ever joined, the group only keeps offsets (Kafka's simple group).
    pub generation: Option<GroupMetadataValue>,
    /// By topic and partition.
    pub offsets: BTreeMap<Str, TopicOffsets>,
    /// After the group's last record: whoever read the group waits until this is committed.
    pub end: Offset,
}

impl State {
    pub fn group(&self, id: &str) -> Option<&Group> {
        self.groups.get(id)
    }

    /// A group with the text of its id that lives as long as the group.
    pub(crate) fn groups_entry(&self, id: &str) -> Option<(&Str, &Group)> {
        self.groups.get_key_value(id)
    }

    pub fn groups(&self) -> impl Iterator<Item = (&Str, &Group)> {
        self.groups.iter()
    }

    /// After the last record that was applied.
    pub fn end(&self) -> Offset {
        self.end
    }

    /// Makes a record's change. `end` is the offset after it. What is kept is copied: requests share large buffers.
    pub fn apply(&mut self, end: Offset, record: &Record) {
        self.end = end;
        match record {
            Record::Offset {
                group,
                topic,
                partition,
                value: Some(value),
            } => self.put_offset(group, topic, *partition, value, end),
            Record::Offset {
                group,
                topic,
                partition,
                value: None,
            } => self.remove_offset(group, topic, *partition, end),
            Record::Group {
                group,
                value: Some(value),
            } => {
                let entry = self.entry(group);
                entry.generation = Some(own_generation(value));
                entry.end = end;
            }
            Record::Group { group, value: None } => {
                // Kafka forgets a group's offsets with their own tombstones, which come before this one.
                if let Some(entry) = self.groups.get_mut(group.as_str()) {
                    entry.generation = None;
                    entry.end = end;
                }
                self.forget_if_empty(group);
            }
        }
    }

    fn entry(&mut self, group: &Str) -> &mut Group {
        if !self.groups.contains_key(group.as_str()) {
            self.groups.insert(own(group), Group::default());
        }
        self.groups.entry(group.clone()).or_default()
    }

    fn put_offset(&mut self, group: &Str, topic: &Str, partition: i32, value: &Committed, end: Offset) {
        let value = Committed {
            metadata: own(&value.metadata),
            ..value.clone()
        };
        let entry = self.entry(group);
        entry.end = end;
        match entry.offsets.get_mut(topic.as_str()) {
            Some(partitions) => {
                partitions.insert(partition, value);
            }
            None => {
                entry
                    .offsets
                    .insert(own(topic), TopicOffsets::from([(partition, value)]));
            }
        }
    }

    fn remove_offset(&mut self, group: &Str, topic: &Str, partition: i32, end: Offset) {
        let Some(entry) = self.groups.get_mut(group.as_str()) else {
            return;
        };
        entry.end = end;
        if let Some(partitions) = entry.offsets.get_mut(topic.as_str()) {
            partitions.remove(&partition);
            if partitions.is_empty() {
                entry.offsets.remove(topic.as_str());
            }
        }
        // Where a group is to outlast its last offset, a record of its own says so: the state is a function of what
        // compaction leaves.
        self.forget_if_empty(group);
    }

    fn forget_if_empty(&mut self, group: &Str) {
        let empty = |group: &Group| group.generation.is_none() && group.offsets.is_empty();
        if self.groups.get(group.as_str()).is_some_and(empty) {
            self.groups.remove(group.as_str());
        }
    }
}

impl Group {
    /// What is committed for a partition.
    pub fn offset(&self, topic: &str, partition: i32) -> Option<&Committed> {
        self.offsets.get(topic)?.get(&partition)
    }
}

/// A copy that shares no memory with a request.
pub(crate) fn own(text: &Str) -> Str {
    if text.is_empty() {
        Str::default()
    } else {
        Str::from(text.as_str())
    }
}

/// A copy that shares no memory with a request.
pub(crate) fn own_bytes(bytes: &Bytes) -> Bytes {
    Bytes::copy_from_slice(bytes)
}

fn own_generation(value: &GroupMetadataValue) -> GroupMetadataValue {
    let member = |member: &MemberMetadata| MemberMetadata {
        member_id: own(&member.member_id),
        group_instance_id: member.group_instance_id.as_ref().map(own),
        client_id: own(&member.client_id),
        client_host: own(&member.client_host),
        rebalance_timeout: member.rebalance_timeout,
        session_timeout: member.session_timeout,
        subscription: own_bytes(&member.subscription),
        assignment: own_bytes(&member.assignment),
        ..Default::default()
    };
    GroupMetadataValue {
        protocol_type: own(&value.protocol_type),
        generation: value.generation,
        protocol: value.protocol.as_ref().map(own),
        leader: value.leader.as_ref().map(own),
        current_state_timestamp: value.current_state_timestamp,
        members: value.members.iter().map(member).collect(),
        ..Default::default()
    }
}
