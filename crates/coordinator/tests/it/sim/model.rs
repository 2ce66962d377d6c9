//! What must hold of a history, kept beside it: every offset is what the last decision on it said, ownership is by
//! member, an assignment reaches whom its leader meant, and a static member that was replaced has no say.

use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;
use coordinator::group::Record;
use protocol::Str;

use super::GROUP;
use crate::world::{Timed, World};

/// What is committed for a partition, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    pub offset: i64,
    pub wall_ms: i64,
}

/// A decision on one partition's offset: kept, or gone.
#[derive(Debug, Clone)]
struct Decided {
    /// After its record.
    end: usize,
    place: (&'static str, i32),
    kept: Option<Kept>,
}

#[derive(Debug, Default)]
pub struct Model {
    decided: Vec<Decided>,
    expected: BTreeMap<(&'static str, i32), Kept>,
    /// Where the group's own tombstones end: each begins a new life, whose generations count anew.
    tombstones: Vec<usize>,
    /// Who was told that a partition is theirs, by life and generation.
    owners: HashMap<(usize, i32, i32), Str>,
    /// The newest generation of a life in which somebody has an assignment.
    newest: HashMap<usize, i32>,
    /// What leaders meant for a member's name, by life and generation.
    meant: HashMap<(usize, i32, Str), Vec<Bytes>>,
    /// Ids of static members that came back under another id, and the end of the record that says so, if one does.
    replaced: HashMap<Str, Option<usize>>,
    /// The names of members: their instance if they have one.
    names: HashMap<Str, Str>,
}

impl Model {
    pub fn decide(&mut self, end: usize, place: (&'static str, i32), kept: Option<Kept>) {
        self.decided.push(Decided { end, place, kept });
        self.expect(place, kept);
    }

    fn expect(&mut self, place: (&'static str, i32), kept: Option<Kept>) {
        match kept {
            Some(kept) => self.expected.insert(place, kept),
            None => self.expected.remove(&place),
        };
    }

    pub fn kept(&self) -> Vec<(&'static str, i32)> {
        self.expected.keys().copied().collect()
    }

    /// All offsets of the group are gone, and the group.
    pub fn delete_group(&mut self, end: usize) {
        for place in self.kept() {
            self.decide(end, place, None);
        }
        self.tombstones.push(end);
    }

    /// Everything above `kept` never was.
    pub fn cut(&mut self, kept: usize) {
        self.decided.retain(|decided| decided.end <= kept);
        self.tombstones.retain(|end| *end <= kept);
        self.replaced.retain(|_, end| end.is_some_and(|end| end <= kept));
        self.expected.clear();
        let decided = std::mem::take(&mut self.decided);
        for Decided { place, kept, .. } in &decided {
            self.expect(*place, *kept);
        }
        self.decided = decided;
    }

    /// Time alone wrote a record: an offset may go only when it is old, a group only without offsets.
    pub fn time_wrote(&mut self, timed: &Timed, retention_ms: i64) -> bool {
        match &timed.record {
            Record::Offset {
                topic,
                partition,
                value,
                ..
            } => {
                assert_eq!(*value, None, "time commits nothing");
                let place = *self
                    .expected
                    .keys()
                    .find(|(name, index)| topic == name && index == partition)
                    .expect("only what is there expires");
                let age = timed.wall_ms - self.expected[&place].wall_ms;
                assert!(retention_ms <= age, "{place:?} expired after {age} ms");
                self.decide(timed.end, place, None);
                true
            }
            Record::Group { value: None, .. } => {
                assert!(
                    self.expected.is_empty(),
                    "the group expired over {:?}",
                    self.expected
                );
                self.tombstones.push(timed.end);
                true
            }
            Record::Group { .. } => false,
        }
    }

    /// The group's life in which a decision was made.
    fn life_at(&self, end: usize) -> usize {
        self.tombstones
            .iter()
            .filter(|tombstone| **tombstone <= end)
            .count()
    }

    pub fn name(&mut self, member: &Str, instance: Option<&Str>) -> Str {
        let name = instance.unwrap_or(member).clone();
        self.names.insert(member.clone(), name.clone());
        name
    }

    pub fn replace(&mut self, member: Str, recorded: Option<usize>) {
        self.replaced.insert(member, recorded);
    }

    pub fn is_replaced(&self, member: &Str) -> bool {
        self.replaced.contains_key(member)
    }

    /// A leader hands in what a member is to have.
    pub fn mean(&mut self, generation: i32, name: Str, assignment: Bytes) {
        let key = (self.tombstones.len(), generation, name);
        self.meant.entry(key).or_default().push(assignment);
    }

    /// A member hears its assignment, which was decided at `end`.
    pub fn assigned(&mut self, end: usize, generation: i32, member: &Str, assignment: &Bytes) {
        let life = self.life_at(end);
        let newest = self.newest.entry(life).or_default();
        *newest = generation.max(*newest);
        let name = self.names.get(member).cloned().unwrap_or_default();
        let meant = self.meant.get(&(life, generation, name.clone()));
        assert!(
            meant.is_some_and(|meant| meant.contains(assignment)),
            "{name} of generation {generation} has {assignment:?}, its leader meant {meant:?}"
        );
        for partition in assignment {
            let key = (life, generation, i32::from(*partition));
            let owner = self.owners.entry(key).or_insert_with(|| member.clone());
            assert_eq!(
                self.names.get(owner),
                Some(&name),
                "partition {partition} has two owners in generation {generation}"
            );
            if !self.replaced.contains_key(member) {
                *owner = member.clone();
            }
        }
    }

    /// A commit was taken from a member.
    pub fn check_commit(&self, world: &World, generation: i32, member: &Str, partition: i32) {
        assert!(
            !self.is_replaced(member),
            "a commit of {member}, whom another one replaced, was taken"
        );
        let written = world.shard.state().group(GROUP);
        let newest = written.and_then(|group| Some(group.generation.as_ref()?.generation));
        assert_eq!(
            newest,
            Some(generation),
            "a commit of a generation that is not the group's was taken"
        );
        let owner = self.owners.get(&(self.tombstones.len(), generation, partition));
        assert_eq!(owner, Some(member), "a stranger's commit was taken");
    }

    /// What the coordinator has is what was decided, to the last bit of it.
    pub fn check(&self, world: &World) {
        let offsets = world.shard.offsets(GROUP);
        let mut found = Vec::new();
        for (topic, partitions) in offsets.all() {
            for (partition, committed) in partitions {
                let words = format!("m{}", committed.offset);
                assert_eq!(committed.metadata.as_str(), words, "the words of a commit");
                assert_eq!(i64::from(committed.leader_epoch), committed.offset % 5);
                found.push((topic, partition, committed.offset));
            }
        }
        let expected: Vec<_> = self
            .expected
            .iter()
            .map(|((topic, partition), kept)| (*topic, *partition, kept.offset))
            .collect();
        assert_eq!(found, expected, "what is committed (left) and what was decided");
    }
}
