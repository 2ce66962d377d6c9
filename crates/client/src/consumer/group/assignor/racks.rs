//! Racks of members and of replicas (KIP-881): who can read a partition without leaving its rack.
//!
//! Racks count only where they say something: some member's rack has replicas, and not every partition has replicas in
//! the same racks.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Layout, Member};
use crate::TopicPartition;

/// The racks of a partition's replicas, the brokers off line among them.
pub(crate) type RackSet = BTreeSet<Arc<str>>;

/// Whether racks say anything about who should read these partitions (`useRackAwareAssignment`).
pub(super) fn count<'a>(
    members: impl Iterator<Item = &'a Member>,
    partitions: impl Iterator<Item = &'a RackSet> + Clone,
) -> bool {
    let of_members: BTreeSet<&Arc<str>> = members.filter_map(|member| member.rack.as_ref()).collect();
    if of_members.is_empty() {
        return false;
    }
    let all: BTreeSet<&Arc<str>> = partitions.clone().flatten().collect();
    let meet = of_members.iter().any(|rack| all.contains(rack));
    meet && partitions.into_iter().any(|racks| racks.len() < all.len())
}

/// Whether a member can read a partition in its rack; one without a rack is at home everywhere.
pub(super) fn is_local(member: &Member, racks: Option<&RackSet>) -> bool {
    match &member.rack {
        Some(rack) => racks.is_some_and(|racks| racks.contains(rack)),
        None => true,
    }
}

impl Layout {
    /// The racks of a partition, if they are known.
    pub(super) fn racks_of(&self, partition: &TopicPartition) -> Option<&RackSet> {
        let index = usize::try_from(partition.partition).ok()?;
        self.racks.get(&partition.topic)?.get(index)
    }
}
