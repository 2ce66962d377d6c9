//! The sticky assignors (`AbstractStickyAssignor`): balanced first, then as little moved as can be.
//!
//! Balanced: no partition can go to a member with at least two fewer. Sticky: a partition stays with the member that
//! owned it in the latest generation, unless balance takes it away. A partition that two members claim in the same
//! generation belongs to neither.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Assignment, Counts, Member};
use crate::TopicPartition;

pub(super) fn assign(members: &[&Member], counts: &Counts, assignment: &mut Assignment) {
    let owners = owners(members);
    let all: BTreeSet<TopicPartition> = counts
        .iter()
        .filter(|(topic, _)| members.iter().any(|member| member.subscribes(topic)))
        .flat_map(|(topic, count)| (0..*count).map(|partition| TopicPartition::new(topic.clone(), partition)))
        .collect();
    let mut loads: Vec<Vec<TopicPartition>> = vec![Vec::new(); members.len()];
    let mut free: Vec<TopicPartition> = Vec::new();
    for partition in all {
        let owner = owners.get(&partition).copied().filter(|owner| {
            members
                .get(*owner)
                .is_some_and(|member| member.subscribes(&partition.topic))
        });
        match owner.and_then(|owner| loads.get_mut(owner)) {
            Some(load) => load.push(partition),
            None => free.push(partition),
        }
    }
    deal(members, &mut loads, free);
    balance(members, &mut loads);
    for (member, load) in members.iter().zip(loads) {
        assignment.insert(member.id.clone(), load);
    }
}

/// The member that had each partition last.
fn owners(members: &[&Member]) -> BTreeMap<TopicPartition, usize> {
    let mut claims: BTreeMap<TopicPartition, (i32, Option<usize>)> = BTreeMap::new();
    for (place, member) in members.iter().enumerate() {
        for partition in &member.owned {
            let claim = claims.entry(partition.clone()).or_insert((i32::MIN, None));
            match member.generation.cmp(&claim.0) {
                std::cmp::Ordering::Greater => *claim = (member.generation, Some(place)),
                std::cmp::Ordering::Equal => claim.1 = None,
                std::cmp::Ordering::Less => {}
            }
        }
    }
    claims
        .into_iter()
        .filter_map(|(partition, (_, owner))| Some((partition, owner?)))
        .collect()
}

/// Members that may have a topic.
fn candidates<'a>(members: &'a [&Member], topic: &'a str) -> impl Iterator<Item = usize> + 'a {
    let places = members.iter().enumerate();
    places
        .filter(move |(_, member)| member.subscribes(topic))
        .map(|(place, _)| place)
}

fn least_loaded(members: &[&Member], loads: &[Vec<TopicPartition>], topic: &str) -> Option<usize> {
    candidates(members, topic).min_by_key(|place| loads.get(*place).map_or(usize::MAX, Vec::len))
}

/// Gives each free partition to the least loaded member that may have it, those with the fewest candidates first.
fn deal(members: &[&Member], loads: &mut [Vec<TopicPartition>], mut free: Vec<TopicPartition>) {
    let mut choice: BTreeMap<Arc<str>, usize> = BTreeMap::new();
    for partition in &free {
        if !choice.contains_key(&partition.topic) {
            let count = candidates(members, &partition.topic).count();
            choice.insert(partition.topic.clone(), count);
        }
    }
    free.sort_by_key(|partition| choice.get(&partition.topic).copied().unwrap_or_default());
    for partition in free {
        let place = least_loaded(members, loads, &partition.topic);
        if let Some(load) = place.and_then(|place| loads.get_mut(place)) {
            load.push(partition);
        }
    }
}

/// Moves partitions one by one from a member to one with at least two fewer, until there is none to move. Each move
/// makes the sum of the squares of the loads smaller, so it ends.
fn balance(members: &[&Member], loads: &mut [Vec<TopicPartition>]) {
    loop {
        let mut order: Vec<usize> = (0..loads.len()).collect();
        order.sort_by_key(|place| std::cmp::Reverse(loads.get(*place).map_or(0, Vec::len)));
        let mut moved = false;
        for from in order {
            moved |= unload(members, loads, from);
        }
        if !moved {
            return;
        }
    }
}

fn unload(members: &[&Member], loads: &mut [Vec<TopicPartition>], from: usize) -> bool {
    let mut moved = false;
    loop {
        let load = loads.get(from).map_or(0, Vec::len);
        // The least loaded first: if it may have none of these, another may.
        let own = loads.get(from).map(Vec::as_slice).unwrap_or_default();
        let found = own.iter().enumerate().rev().find_map(|(index, partition)| {
            let to = least_loaded(members, loads, &partition.topic)?;
            (loads.get(to)?.len() + 1 < load).then_some((index, to))
        });
        let Some((index, to)) = found else { return moved };
        let taken = loads.get_mut(from).map(|load| load.remove(index));
        if let (Some(load), Some(partition)) = (loads.get_mut(to), taken) {
            load.push(partition);
        }
        moved = true;
    }
}

/// Partitions that another member still has are given out in the next round, when that one has let go.
pub(super) fn hold_back_moving(members: &[&Member], assignment: &mut Assignment) {
    let owners = owners(members);
    for (id, partitions) in assignment.iter_mut() {
        partitions.retain(|partition| {
            let owner = owners.get(partition).and_then(|owner| members.get(*owner));
            owner.is_none_or(|owner| owner.id == *id)
        });
    }
}
