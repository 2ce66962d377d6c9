//! How the leader of a group spreads partitions over its members. Pure: members and partition counts in, partitions
//! out. Each does what the Java class of the same name does.

pub(crate) mod racks;
mod range;
mod round_robin;
mod sticky;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::TopicPartition;

/// A way to spread partitions over the members of a group.
///
/// ```
/// use client::{Assignor, ConsumerConfig};
///
/// let config = ConsumerConfig {
///     assignors: vec![Assignor::CooperativeSticky],
///     ..ConsumerConfig::group("billing")
/// };
/// assert_eq!(config.assignors[0].name(), "cooperative-sticky");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Assignor {
    /// `RangeAssignor`: of each topic, each member gets a run of partitions.
    Range,
    /// `RoundRobinAssignor`: partitions are dealt one by one.
    RoundRobin,
    /// `StickyAssignor`: balanced, and as much as can be stays where it was.
    Sticky,
    /// `CooperativeStickyAssignor`: the same, and members keep what stays with them while the group rebalances
    /// (KIP-429).
    CooperativeSticky,
}

impl Assignor {
    /// Its name in JoinGroup.
    pub fn name(self) -> &'static str {
        match self {
            Assignor::Range => "range",
            Assignor::RoundRobin => "roundrobin",
            Assignor::Sticky => "sticky",
            Assignor::CooperativeSticky => "cooperative-sticky",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Assignor> {
        [
            Assignor::Range,
            Assignor::RoundRobin,
            Assignor::Sticky,
            Assignor::CooperativeSticky,
        ]
        .into_iter()
        .find(|assignor| assignor.name() == name)
    }

    /// Whether members keep their partitions while the group rebalances.
    pub(crate) fn is_cooperative(self) -> bool {
        self == Assignor::CooperativeSticky
    }
}

/// A member as the leader sees it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) id: String,
    pub(crate) instance_id: Option<String>,
    /// The topics that it subscribes to.
    pub(crate) topics: Vec<Arc<str>>,
    /// What it had, as it says, in the generation that it says; -1 for one that is not known.
    pub(crate) owned: Vec<TopicPartition>,
    pub(crate) generation: i32,
    /// Where it runs, if it says.
    pub(crate) rack: Option<Arc<str>>,
}

impl Member {
    fn subscribes(&self, topic: &str) -> bool {
        self.topics.iter().any(|one| &**one == topic)
    }
}

/// Partitions by member id.
pub(crate) type Assignment = BTreeMap<String, Vec<TopicPartition>>;

/// Topics that exist, with their number of partitions.
pub(crate) type Counts = BTreeMap<Arc<str>, i32>;

/// What there is to spread.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) counts: Counts,
    /// The racks of each partition's replicas, by topic; nothing if no member has a rack.
    pub(crate) racks: BTreeMap<Arc<str>, Vec<racks::RackSet>>,
}

/// Spreads the partitions of `layout` over `members`. Every member has an entry.
pub(crate) fn assign(assignor: Assignor, members: &[Member], layout: &Layout) -> Assignment {
    let mut ordered: Vec<&Member> = members.iter().collect();
    // `MemberInfo.compareTo`: static members first, by instance id; others by member id.
    ordered.sort_by(|a, b| match (&a.instance_id, &b.instance_id) {
        (Some(a), Some(b)) => a.cmp(b),
        (Some(_), None) => std::cmp::Ordering::Less,
        (None, Some(_)) => std::cmp::Ordering::Greater,
        (None, None) => a.id.cmp(&b.id),
    });
    let mut assignment: Assignment = members
        .iter()
        .map(|member| (member.id.clone(), Vec::new()))
        .collect();
    match assignor {
        Assignor::Range => range::assign(&ordered, layout, &mut assignment),
        Assignor::RoundRobin => round_robin::assign(&ordered, &layout.counts, &mut assignment),
        Assignor::Sticky => sticky::assign(&ordered, layout, &mut assignment),
        Assignor::CooperativeSticky => {
            sticky::assign(&ordered, layout, &mut assignment);
            sticky::hold_back_moving(&ordered, &mut assignment);
        }
    }
    assignment
}

#[cfg(test)]
mod java;
#[cfg(test)]
mod tests;
