//! OffsetFetch: what is committed, and behind which offset of the log a reader has to wait.

use types::Offset;

use crate::group::{Committed, Group, GroupShard};

/// A group's offsets as they are now. Empty if there is no such group (trap 59).
#[derive(Debug, Clone, Copy)]
pub struct Fetched<'a> {
    group: Option<&'a Group>,
    end: Offset,
}

impl GroupShard {
    /// The committed offsets of a group.
    pub fn offsets(&self, group: &str) -> Fetched<'_> {
        let group = self.state.group(group);
        // A group that is not there may have gone with a record that is not committed yet.
        let end = group.map_or(self.state.end(), |group| group.end);
        Fetched { group, end }
    }
}

impl<'a> Fetched<'a> {
    /// The answer may leave when everything below is committed.
    pub fn end(&self) -> Offset {
        self.end
    }

    pub fn one(&self, topic: &str, partition: i32) -> Option<&'a Committed> {
        self.group?.offset(topic, partition)
    }

    /// All offsets by topic.
    pub fn all(
        &self,
    ) -> impl Iterator<Item = (&'a str, impl Iterator<Item = (i32, &'a Committed)> + use<'a>)> + use<'a> {
        let topics = self.group.into_iter().flat_map(|group| &group.offsets);
        topics.map(|(topic, partitions)| {
            let partitions = partitions
                .iter()
                .map(|(partition, committed)| (*partition, committed));
            (topic.as_str(), partitions)
        })
    }
}
