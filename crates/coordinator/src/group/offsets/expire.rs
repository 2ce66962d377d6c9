//! Offsets and groups that nobody uses any more (KIP-211).

use protocol::Str;

use super::delete::{group_tombstone, tombstone};
use crate::group::classic::{CONSUMER, Phase};
use crate::group::{Committed, Group, GroupShard, Now, Record};

/// From when on an offset ages.
enum Age {
    /// Since it was committed.
    SinceCommit,
    /// Since the group has no members.
    SinceEmpty(i64),
    /// Not at all: the group is in use.
    Never,
}

impl GroupShard {
    /// Tombstones of what has expired: offsets, and groups that have neither members nor offsets left.
    pub(crate) fn expired(&self, now: Now) -> Vec<Record> {
        let mut records = Vec::new();
        for (id, group) in self.state.groups() {
            let all_expired = self.expire_offsets(id, group, now, &mut records);
            if all_expired && self.phase(id) == Some(Phase::Empty) {
                records.push(group_tombstone(id));
            }
        }
        records
    }

    /// True if no offset is left.
    fn expire_offsets(&self, id: &Str, group: &Group, now: Now, records: &mut Vec<Record>) -> bool {
        if group.offsets.is_empty() {
            return true;
        }
        let age = self.age(id, group);
        if matches!(age, Age::Never) {
            return false;
        }
        let live = self.live.groups.get(id.as_str());
        let mut all = true;
        for (topic, partitions) in &group.offsets {
            if live.is_some_and(|live| live.is_subscribed(topic)) {
                all = false;
                continue;
            }
            for (partition, committed) in partitions {
                if self.has_expired(committed, &age, now) {
                    records.push(tombstone(id, topic, *partition));
                } else {
                    all = false;
                }
            }
        }
        all
    }

    fn age(&self, id: &Str, group: &Group) -> Age {
        if let Some(live) = self.live.groups.get(id.as_str()) {
            return match (&live.protocol_type, live.phase) {
                (None, _) => Age::SinceCommit,
                (Some(_), Phase::Empty) => live.phase_since_ms.map_or(Age::SinceCommit, Age::SinceEmpty),
                (Some(kind), Phase::Stable) if kind == CONSUMER && live.subscribed.is_some() => {
                    Age::SinceCommit
                }
                (Some(_), _) => Age::Never,
            };
        }
        match &group.generation {
            Some(generation) if !generation.protocol_type.is_empty() => {
                match generation.current_state_timestamp {
                    -1 => Age::SinceCommit,
                    since => Age::SinceEmpty(since),
                }
            }
            Some(_) | None => Age::SinceCommit,
        }
    }

    fn has_expired(&self, committed: &Committed, age: &Age, now: Now) -> bool {
        if committed.expire_timestamp != -1 {
            return committed.expire_timestamp <= now.wall_ms;
        }
        let since = match age {
            Age::SinceCommit => committed.commit_timestamp,
            Age::SinceEmpty(since) => *since,
            Age::Never => return false,
        };
        self.config.offsets_retention_ms <= now.wall_ms.saturating_sub(since)
    }
}
