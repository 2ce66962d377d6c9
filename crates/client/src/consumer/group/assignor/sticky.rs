//! The sticky assignors (`AbstractStickyAssignor`): balanced first, then as little moved as can be.
//!
//! Balanced: no partition can go to a member with at least two fewer, neither by itself nor by passing it on along a
//! chain of members. Sticky: a partition stays with the member that
//! owned it in the latest generation, unless balance takes it away. A partition that two members claim in the same
//! generation belongs to neither. Where racks count, they come between the two: a partition leaves an owner in another
//! rack for a member in one of its own, if that one has room.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use super::{Assignment, Layout, Member, racks};
use crate::TopicPartition;

/// The members of a group and what is known of racks.
struct Table<'a> {
    members: &'a [&'a Member],
    /// Only where racks count.
    racks: Option<&'a Layout>,
    /// No member gets more for the sake of racks.
    fair_share: usize,
}

type Loads = Vec<Vec<TopicPartition>>;

/// A partition that is given anew.
struct Free {
    partition: TopicPartition,
    /// Who had it and still wants it.
    owner: Option<usize>,
}

pub(super) fn assign(members: &[&Member], layout: &Layout, assignment: &mut Assignment) {
    let owners = owners(members);
    let all: BTreeSet<TopicPartition> = layout
        .counts
        .iter()
        .filter(|(topic, _)| members.iter().any(|member| member.subscribes(topic)))
        .flat_map(|(topic, count)| (0..*count).map(|partition| TopicPartition::new(topic.clone(), partition)))
        .collect();
    let known = layout.racks.values().flatten();
    let table = Table {
        members,
        racks: racks::count(members.iter().copied(), known).then_some(layout),
        fair_share: all.len().div_ceil(members.len().max(1)),
    };
    let mut loads: Loads = vec![Vec::new(); members.len()];
    let mut free: Vec<Free> = Vec::new();
    for partition in all {
        let owner = owners
            .get(&partition)
            .copied()
            .filter(|owner| table.wants(*owner, &partition));
        let kept = owner.filter(|owner| !table.is_nearer_elsewhere(*owner, &partition));
        match kept.and_then(|owner| loads.get_mut(owner)) {
            Some(load) => load.push(partition),
            None => free.push(Free { partition, owner }),
        }
    }
    table.deal(&mut loads, free);
    table.balance(&mut loads);
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

impl Table<'_> {
    fn wants(&self, place: usize, partition: &TopicPartition) -> bool {
        let member = self.members.get(place);
        member.is_some_and(|member| member.subscribes(&partition.topic))
    }

    /// Whether a partition's owner is in another rack, and a candidate is not.
    fn is_nearer_elsewhere(&self, owner: usize, partition: &TopicPartition) -> bool {
        let near = |place| self.is_local(place, partition);
        !near(owner) && self.candidates(&partition.topic).any(near)
    }

    fn is_local(&self, place: usize, partition: &TopicPartition) -> bool {
        let (Some(layout), Some(member)) = (self.racks, self.members.get(place)) else {
            return true;
        };
        racks::is_local(member, layout.racks_of(partition))
    }

    /// Members that may have a topic.
    fn candidates(&self, topic: &str) -> impl Iterator<Item = usize> {
        let places = self.members.iter().enumerate();
        places
            .filter(move |(_, member)| member.subscribes(topic))
            .map(|(place, _)| place)
    }

    fn least_loaded(&self, loads: &Loads, topic: &str) -> Option<usize> {
        self.candidates(topic)
            .min_by_key(|place| loads.get(*place).map_or(usize::MAX, Vec::len))
    }

    fn has_room(&self, loads: &Loads, place: usize) -> bool {
        loads.get(place).is_some_and(|load| load.len() < self.fair_share)
    }

    /// The least loaded member in the partition's racks that has room.
    fn least_loaded_near(&self, loads: &Loads, partition: &TopicPartition) -> Option<usize> {
        self.racks?;
        self.candidates(&partition.topic)
            .filter(|place| self.is_local(*place, partition) && self.has_room(loads, *place))
            .min_by_key(|place| loads.get(*place).map_or(usize::MAX, Vec::len))
    }

    /// Gives free partitions out, those with the fewest candidates first: to a member near them, else to the one that
    /// had it, else to the least loaded.
    fn deal(&self, loads: &mut Loads, mut free: Vec<Free>) {
        let mut choice: BTreeMap<Arc<str>, usize> = BTreeMap::new();
        for Free { partition, .. } in &free {
            if !choice.contains_key(&partition.topic) {
                let count = self.candidates(&partition.topic).count();
                choice.insert(partition.topic.clone(), count);
            }
        }
        free.sort_by_key(|free| choice.get(&free.partition.topic).copied().unwrap_or_default());
        let near = |loads: &Loads, free: &Free| self.least_loaded_near(loads, &free.partition);
        let free = give(loads, free, near);
        let owner = |loads: &Loads, free: &Free| free.owner.filter(|owner| self.has_room(loads, *owner));
        let free = give(loads, free, owner);
        give(loads, free, |loads, free| {
            self.least_loaded(loads, &free.partition.topic)
        });
    }

    /// Moves partitions one by one from the most loaded member that can give one to a member with at least two fewer,
    /// until there is none. Each move makes the sum of the squares of the loads smaller, so it ends.
    fn balance(&self, loads: &mut Loads) {
        loop {
            let mut order: Vec<usize> = (0..loads.len()).collect();
            order.sort_by_key(|place| std::cmp::Reverse(loads.get(*place).map_or(0, Vec::len)));
            let moved = order.iter().any(|from| self.unload(loads, *from))
                || order.iter().any(|from| self.unload_by_chain(loads, *from));
            if !moved {
                return;
            }
        }
    }

    /// Takes one partition off a member by passing others on along the shortest chain of members, to one with at least
    /// two fewer. Only members that subscribe to different topics leave something to do for it.
    fn unload_by_chain(&self, loads: &mut Loads, from: usize) -> bool {
        let high = loads.get(from).map_or(0, Vec::len);
        let mut came_from: BTreeMap<usize, usize> = BTreeMap::from([(from, from)]);
        let mut queue = VecDeque::from([from]);
        while let Some(place) = queue.pop_front() {
            if loads.get(place).map_or(usize::MAX, Vec::len).saturating_add(1) < high {
                self.pass_on(loads, &came_from, place);
                return true;
            }
            let own = loads.get(place).map(Vec::as_slice).unwrap_or_default();
            let topics: BTreeSet<&Arc<str>> = own.iter().map(|partition| &partition.topic).collect();
            for next in topics.into_iter().flat_map(|topic| self.candidates(topic)) {
                came_from.entry(next).or_insert_with(|| {
                    queue.push_back(next);
                    place
                });
            }
        }
        false
    }

    /// Moves one partition over each step of the chain that ends at `place`.
    fn pass_on(&self, loads: &mut Loads, came_from: &BTreeMap<usize, usize>, mut place: usize) {
        while let Some(before) = came_from.get(&place).copied().filter(|before| *before != place) {
            let own = loads.get_mut(before);
            let taken = own.and_then(|own| {
                let index = own.iter().rposition(|partition| self.wants(place, partition))?;
                Some(own.remove(index))
            });
            if let (Some(load), Some(partition)) = (loads.get_mut(place), taken) {
                load.push(partition);
            }
            place = before;
        }
    }

    fn unload(&self, loads: &mut Loads, from: usize) -> bool {
        let Some((index, to)) = self.next_move(loads, from) else {
            return false;
        };
        let taken = loads.get_mut(from).map(|load| load.remove(index));
        if let (Some(load), Some(partition)) = (loads.get_mut(to), taken) {
            load.push(partition);
        }
        true
    }

    /// What leaves a member, and for whom. What is not near there, or is near where it goes, leaves first.
    fn next_move(&self, loads: &Loads, from: usize) -> Option<(usize, usize)> {
        let own = loads.get(from)?;
        let mut found = None;
        for (index, partition) in own.iter().enumerate().rev() {
            // The least loaded first: if it may have none of these, another may.
            let Some(to) = self.least_loaded(loads, &partition.topic) else {
                continue;
            };
            if own.len() <= loads.get(to).map_or(usize::MAX, Vec::len).saturating_add(1) {
                continue;
            }
            if self.is_local(to, partition) || !self.is_local(from, partition) {
                return Some((index, to));
            }
            found = found.or(Some((index, to)));
        }
        found
    }
}

/// Gives each partition to whom `to` chooses. Gives back those for which it chooses nobody.
fn give(loads: &mut Loads, free: Vec<Free>, to: impl Fn(&Loads, &Free) -> Option<usize>) -> Vec<Free> {
    let mut left = Vec::new();
    for one in free {
        let place = to(loads, &one);
        match place.and_then(|place| loads.get_mut(place)) {
            Some(load) => load.push(one.partition),
            None => left.push(one),
        }
    }
    left
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
