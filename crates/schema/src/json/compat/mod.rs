//! What one JSON Schema can read of another: does every value that the writer's schema allows pass the reader's?
//!
//! Findings carry the names that Schema Registry gives them. The question is answered by structure: each keyword of
//! the reader is held against everything that is known of the writer's values at that place. Pairs of schemas are
//! remembered, and a pair that is met again inside itself is taken to hold (the greatest fixpoint), so recursive
//! schemas end. A trial that fails takes back what was remembered during it, because that may rest on the trial.

mod array;
mod combined;
mod facts;
mod finite;
mod number;
mod object;
mod rules;
mod types;

use std::collections::HashMap;

use self::facts::Writer;
use super::{JsonSchema, refs::Place};
use crate::{Direction, Incompatibility, Path, Stopped, Work};

pub use rules::LENIENT_ALLOWS;

/// Every reason why one side cannot read the other.
pub(crate) fn compatible(
    direction: Direction,
    new: &JsonSchema,
    old: &JsonSchema,
    work: &mut Work<'_>,
    found: &mut Vec<Incompatibility>,
) -> Result<(), Stopped> {
    let (reader, writer) = match direction {
        Direction::Backward => (new, old),
        Direction::Forward => (old, new),
    };
    let (Some(reading), Some(written)) = (reader.place(), writer.place()) else {
        return Ok(());
    };
    let same_documents = reader.root() == writer.root() && reader.references() == writer.references();
    let mut check = Check {
        direction,
        work,
        found: Vec::new(),
        known: HashMap::new(),
        trail: Vec::new(),
        same_documents,
    };
    let all = check.writer(vec![written])?;
    let passes = check.covers(&reading, &all, &Path::root())?;
    if !passes && check.found.is_empty() {
        check.say("TYPE_CHANGED", &Path::root(), (&reading, &[]), (&all, &[]));
    }
    let mut seen = std::collections::HashSet::new();
    check
        .found
        .retain(|finding| seen.insert((finding.rule, finding.path.clone())));
    found.append(&mut check.found);
    Ok(())
}

/// The schemas of `allOf`.
pub(super) fn all_of<'s>(place: &Place<'s>) -> Vec<Place<'s>> {
    facts::list(place, "allOf")
}

/// What a pair came to: the reader's schema, the writer's schemas, the types left, the branches chosen.
type Pair = (usize, Vec<usize>, u8, Vec<usize>);

struct Check<'w, 'c> {
    direction: Direction,
    work: &'w mut Work<'c>,
    found: Vec<Incompatibility>,
    known: HashMap<Pair, bool>,
    /// Pairs in the order in which they became known.
    trail: Vec<Pair>,
    /// Both sides are one text with one set of references.
    same_documents: bool,
}

impl<'s> Check<'_, '_> {
    /// Whether `reader` accepts every value of `writer`; findings are added for what it does not.
    fn covers(&mut self, reader: &Place<'s>, writer: &Writer<'s>, path: &Path) -> Result<bool, Stopped> {
        self.work.step()?;
        if writer.types == 0 || self.same(reader, writer) {
            return Ok(true);
        }
        let pair = (
            reader.address(),
            writer.key(),
            writer.types,
            writer.chosen.clone(),
        );
        if let Some(known) = self.known.get(&pair) {
            return Ok(*known);
        }
        self.remember(pair.clone(), true);
        let (found_before, trail_before) = (self.found.len(), self.trail.len());
        let mut passes = self.direct(reader, writer, path)?;
        if !passes && let Some(branches) = self.branches(writer)? {
            let whole = self.found.split_off(found_before);
            self.forget(trail_before);
            passes = true;
            for branch in &branches {
                passes &= self.covers(reader, branch, path)?;
            }
            if !passes && self.found.len() == found_before {
                self.found.extend(whole);
            }
        }
        self.remember(pair, passes);
        Ok(passes)
    }

    fn remember(&mut self, pair: Pair, passes: bool) {
        if self.known.insert(pair.clone(), passes).is_none() {
            self.trail.push(pair);
        }
    }

    fn forget(&mut self, from: usize) {
        for pair in self.trail.split_off(from.min(self.trail.len())) {
            self.known.remove(&pair);
        }
    }

    /// Whether `reader` accepts `writer`, and why not, without adding findings.
    fn tries(
        &mut self,
        reader: &Place<'s>,
        writer: &Writer<'s>,
        path: &Path,
    ) -> Result<Option<Vec<Incompatibility>>, Stopped> {
        let (found_before, trail_before) = (self.found.len(), self.trail.len());
        if self.covers(reader, writer, path)? {
            return Ok(None);
        }
        self.forget(trail_before);
        Ok(Some(self.found.split_off(found_before)))
    }

    /// Equal texts mean the same when they refer to nothing, or when everything they could refer to is equal too.
    fn same(&self, reader: &Place<'s>, writer: &Writer<'s>) -> bool {
        let Some(origin) = &writer.origin else {
            return false;
        };
        reader.draft == origin.draft
            && reader.value == origin.value
            && (self.same_documents || !facts::refers(reader.value))
    }

    /// The reader's keywords one by one.
    fn direct(&mut self, reader: &Place<'s>, writer: &Writer<'s>, path: &Path) -> Result<bool, Stopped> {
        if reader.value.as_bool() == Some(true) {
            return Ok(true);
        }
        if reader.value.is_boolean() {
            self.say("TYPE_CHANGED", path, (reader, &[]), (writer, &[]));
            return Ok(false);
        }
        let mut passes = true;
        for target in reader.targets().unwrap_or_default() {
            passes &= self.covers(&target, writer, path)?;
        }
        if reader.is_bare_reference() || self.values_pass(reader, writer)? {
            return Ok(passes);
        }
        for (position, part) in facts::list(reader, "allOf").iter().enumerate() {
            passes &= self.covers(part, writer, &path.with(&format!("allOf[{position}]")))?;
        }
        let (types_pass, writer) = self.types(reader, writer, path);
        passes &= types_pass;
        if writer.types == 0 {
            return Ok(passes);
        }
        passes &= self.values(reader, &writer, path);
        passes &= self.numbers(reader, &writer, path);
        passes &= self.strings(reader, &writer, path);
        passes &= self.arrays(reader, &writer, path)?;
        passes &= self.objects(reader, &writer, path)?;
        passes &= self.combined(reader, &writer, path)?;
        Ok(passes)
    }

    /// Adds a finding; the texts are the named keywords of both sides, or the whole schemas if none are named.
    fn say(
        &mut self,
        rule: &'static str,
        path: &Path,
        (reader, reader_keywords): (&Place<'s>, &[&str]),
        (writer, writer_keywords): (&Writer<'s>, &[&str]),
    ) {
        let read = facts::show(reader.value, reader_keywords);
        let written = facts::show_all(&writer.all, writer_keywords);
        self.say_texts(rule, path, read, written);
    }

    fn say_texts(&mut self, rule: &'static str, path: &Path, read: String, written: String) {
        let (new, old) = match self.direction {
            Direction::Backward => (read, written),
            Direction::Forward => (written, read),
        };
        let how = rules::how(rule).to_owned();
        self.found.push(Incompatibility {
            rule,
            path: path.clone(),
            old,
            new,
            how,
            direction: self.direction,
            against: 0,
        });
    }
}

#[cfg(test)]
mod tests;
