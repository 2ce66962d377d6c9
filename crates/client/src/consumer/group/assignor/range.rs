//! `org.apache.kafka.clients.consumer.RangeAssignor`.
//!
//! Of each topic, members in order get runs of partitions, the first ones one more. Where racks count, members first
//! get the partitions in their racks, up to their share; topics with the same members and as many partitions go
//! together, so that a partition's number stays with one member in all of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::racks::{RackSet, count, is_local};
use super::{Assignment, Layout, Member};
use crate::TopicPartition;

/// What is left to give of a topic.
struct Topic<'a> {
    name: &'a Arc<str>,
    members: Vec<&'a Member>,
    /// By member.
    given: Vec<i32>,
    free: BTreeSet<i32>,
    each: i32,
    /// Members that may still get one more than `each`.
    more: i32,
    /// Known only if a member has a rack.
    racks: &'a [RackSet],
    racks_count: bool,
}

impl<'a> Topic<'a> {
    fn new(name: &'a Arc<str>, partitions: i32, members: &[&'a Member], layout: &'a Layout) -> Option<Self> {
        let members: Vec<&Member> = members
            .iter()
            .copied()
            .filter(|member| member.subscribes(name))
            .collect();
        let member_count = i32::try_from(members.len()).ok().filter(|count| 0 < *count)?;
        let with_racks = members.iter().any(|member| member.rack.is_some());
        let racks = layout
            .racks
            .get(name)
            .filter(|_| with_racks)
            .map_or(&[][..], Vec::as_slice);
        Some(Topic {
            name,
            given: vec![0; members.len()],
            free: (0..partitions).collect(),
            each: partitions / member_count,
            more: partitions % member_count,
            racks,
            racks_count: count(members.iter().copied(), racks.iter()),
            members,
        })
    }

    /// How many more partitions a member may get.
    fn room(&self, place: usize) -> i32 {
        let given = self.given.get(place).copied().unwrap_or(i32::MAX);
        (self.each + i32::from(0 < self.more))
            .saturating_sub(given)
            .max(0)
    }

    fn is_local(&self, place: usize, partition: i32) -> bool {
        let racks = usize::try_from(partition)
            .ok()
            .and_then(|index| self.racks.get(index));
        self.members
            .get(place)
            .is_some_and(|member| is_local(member, racks))
    }

    fn give(&mut self, place: usize, partitions: &[i32], assignment: &mut Assignment) {
        let (Some(member), Some(given)) = (self.members.get(place), self.given.get_mut(place)) else {
            return;
        };
        let run = partitions
            .iter()
            .map(|one| TopicPartition::new(self.name.clone(), *one));
        assignment.entry(member.id.clone()).or_default().extend(run);
        *given += partitions.len() as i32;
        self.more -= i32::from(self.each < *given);
        partitions.iter().for_each(|one| {
            self.free.remove(one);
        });
    }

    /// Gives each member in turn the first free partitions that it may have.
    fn give_runs(&mut self, may: impl Fn(&Self, usize, i32) -> bool, assignment: &mut Assignment) {
        for place in 0..self.members.len() {
            let free = self.free.iter().copied();
            let run: Vec<i32> = free
                .filter(|partition| may(self, place, *partition))
                .take(self.room(place) as usize)
                .collect();
            if !run.is_empty() {
                self.give(place, &run, assignment);
            }
        }
    }
}

pub(super) fn assign(members: &[&Member], layout: &Layout, assignment: &mut Assignment) {
    let topics = layout.counts.iter();
    let mut topics: Vec<Topic<'_>> = topics
        .filter_map(|(name, count)| Topic::new(name, *count, members, layout))
        .collect();
    let racks_count = topics.iter().any(|topic| topic.racks_count);
    if racks_count {
        give_local(&mut topics, assignment);
    }
    for topic in &mut topics {
        topic.give_runs(|_, _, _| true, assignment);
    }
    if racks_count {
        assignment.values_mut().for_each(|partitions| partitions.sort());
    }
}

/// Gives what members can read in their racks: topics that belong together first as one.
fn give_local(topics: &mut [Topic<'_>], assignment: &mut Assignment) {
    let mut groups: BTreeMap<(Vec<&str>, usize), Vec<usize>> = BTreeMap::new();
    for (place, topic) in topics.iter().enumerate() {
        let ids = topic.members.iter().map(|member| member.id.as_str()).collect();
        groups.entry((ids, topic.racks.len())).or_default().push(place);
    }
    let groups: Vec<Vec<usize>> = groups.into_values().collect();
    for group in groups {
        match group.as_slice() {
            [one] => {
                let alone = topics.get_mut(*one).filter(|topic| topic.racks_count);
                if let Some(topic) = alone {
                    topic.give_runs(Topic::is_local, assignment);
                }
            }
            several => give_together(topics, several, assignment),
        }
    }
}

/// Gives a number of all topics of a group to the first member that has room for it and its racks in each of them.
fn give_together(topics: &mut [Topic<'_>], group: &[usize], assignment: &mut Assignment) {
    let Some(first) = group.first().and_then(|first| topics.get(*first)) else {
        return;
    };
    let (member_count, partitions) = (first.members.len(), first.racks.len() as i32);
    for partition in 0..partitions {
        let fits = |member: usize| {
            let mut each = group.iter().filter_map(|place| topics.get(*place));
            each.all(|topic| topic.is_local(member, partition) && 0 < topic.room(member))
        };
        let Some(member) = (0..member_count).find(|member| fits(*member)) else {
            continue;
        };
        for place in group {
            if let Some(topic) = topics.get_mut(*place) {
                topic.give(member, &[partition], assignment);
            }
        }
    }
}
