//! Which type of the reader reads which type of the writer, as a fixpoint.
//!
//! A pair of records reads when all its fields do, a union of the reader when any branch does. Such rules refer to each
//! other in circles. Every pair that can be reached is assumed to read; those that break a rule of their own are struck
//! out, then those that depend on them, until nothing changes: the greatest fixpoint, in time linear in the rules.

use rustc_hash::FxHashMap;

use super::rules::{find_written, missing_symbols, reads_simple, same_name};
use crate::{
    Stopped, Work,
    avro::model::{AvroSchema, Kind, Record, TypeId},
};

/// Verdicts on every pair that can be reached from the two roots.
pub(in crate::avro) struct Verdicts<'a> {
    reader: &'a AvroSchema,
    writer: &'a AvroSchema,
    places: FxHashMap<(TypeId, TypeId), u32>,
    pairs: Vec<Pair>,
}

struct Pair {
    reader: TypeId,
    writer: TypeId,
    reads: bool,
    /// Needs one of its parts, not all.
    any: bool,
    /// Parts that may still read; counted when `any`.
    hopes: u32,
    dependents: Vec<u32>,
}

impl<'a> Verdicts<'a> {
    pub fn new(
        reader: &'a AvroSchema,
        writer: &'a AvroSchema,
        work: &mut Work<'_>,
    ) -> Result<Verdicts<'a>, Stopped> {
        let mut verdicts = Verdicts {
            reader,
            writer,
            places: FxHashMap::default(),
            pairs: Vec::new(),
        };
        verdicts.place(reader.root(), writer.root());
        let mut next = 0;
        while next < verdicts.pairs.len() {
            verdicts.expand(next, work)?;
            next += 1;
        }
        verdicts.strike_out(work)?;
        Ok(verdicts)
    }

    /// Whether `reader` reads `writer`: both from the roots of these verdicts.
    pub fn reads(&self, reader: TypeId, writer: TypeId) -> bool {
        match self.simple(reader, writer) {
            Some(verdict) => verdict,
            None => {
                let place = self.places.get(&(reader, writer));
                place
                    .and_then(|place| self.pairs.get(*place as usize))
                    .is_some_and(|pair| pair.reads)
            }
        }
    }

    /// The branch that reads `writer`: one of its own kind and name first, then one that it is promoted to.
    pub fn branch(&self, branches: &[TypeId], writer: TypeId) -> Option<usize> {
        let same = |branch: &TypeId| self.is_same_named(*branch, writer) && self.reads(*branch, writer);
        branches
            .iter()
            .position(same)
            .or_else(|| branches.iter().position(|branch| self.reads(*branch, writer)))
    }

    /// Same kind, and for named types a name that matches.
    pub fn is_same_named(&self, reader: TypeId, writer: TypeId) -> bool {
        let (r, w) = (self.reader.kind(reader), self.writer.kind(writer));
        std::mem::discriminant(r) == std::mem::discriminant(w) && same_name(r, w)
    }

    /// The verdict on types that hold no others.
    fn simple(&self, reader: TypeId, writer: TypeId) -> Option<bool> {
        match (self.reader.kind(reader), self.writer.kind(writer)) {
            (Kind::Union(_), _) | (_, Kind::Union(_)) => None,
            (Kind::Array(_), Kind::Array(_)) | (Kind::Map(_), Kind::Map(_)) => None,
            (Kind::Record(_), Kind::Record(_)) => None,
            (r @ Kind::Fixed(rf), w @ Kind::Fixed(wf)) => Some(same_name(r, w) && rf.size == wf.size),
            (r @ Kind::Enum(re), w @ Kind::Enum(we)) => {
                Some(same_name(r, w) && (re.default.is_some() || missing_symbols(re, we).is_empty()))
            }
            (r, w) => Some(reads_simple(r, w)),
        }
    }

    fn place(&mut self, reader: TypeId, writer: TypeId) -> u32 {
        let next = self.pairs.len() as u32;
        let place = *self.places.entry((reader, writer)).or_insert(next);
        if place == next {
            let reads = self.simple(reader, writer).unwrap_or(true);
            self.pairs.push(Pair {
                reader,
                writer,
                reads,
                any: false,
                hopes: 0,
                dependents: Vec::new(),
            });
        }
        place
    }

    fn expand(&mut self, at: usize, work: &mut Work<'_>) -> Result<(), Stopped> {
        work.step()?;
        let Some(pair) = self.pairs.get(at) else {
            return Ok(());
        };
        let (r, w) = (pair.reader, pair.writer);
        let (reader, writer) = (self.reader, self.writer);
        match (reader.kind(r), writer.kind(w)) {
            (_, Kind::Union(branches)) => {
                for branch in branches {
                    self.part(at, r, *branch, work)?;
                }
            }
            (Kind::Union(branches), _) => {
                self.set_any(at);
                for branch in branches {
                    self.part(at, *branch, w, work)?;
                }
                self.fail_when_hopeless(at);
            }
            (Kind::Array(ri), Kind::Array(wi)) | (Kind::Map(ri), Kind::Map(wi)) => {
                self.part(at, *ri, *wi, work)?
            }
            (Kind::Record(rr), Kind::Record(wr)) => {
                if !same_name(reader.kind(r), writer.kind(w)) {
                    self.fail(at);
                }
                self.fields(at, rr, wr, work)?;
            }
            _ => {}
        }
        Ok(())
    }

    fn fields(&mut self, at: usize, r: &Record, w: &Record, work: &mut Work<'_>) -> Result<(), Stopped> {
        let names = super::rules::names(w);
        for (n, field) in r.fields.iter().enumerate() {
            match find_written(field, n, w, &names) {
                Some(written) => self.part(at, field.schema, written.schema, work)?,
                None if field.default.is_none() => self.fail(at),
                None => {}
            }
        }
        Ok(())
    }

    fn part(&mut self, at: usize, r: TypeId, w: TypeId, work: &mut Work<'_>) -> Result<(), Stopped> {
        work.step()?;
        let hope = match self.simple(r, w) {
            Some(verdict) => verdict,
            None => {
                let place = self.place(r, w);
                if let Some(part) = self.pairs.get_mut(place as usize) {
                    part.dependents.push(at as u32);
                }
                // Struck out later if it must be.
                true
            }
        };
        let Some(pair) = self.pairs.get_mut(at) else {
            return Ok(());
        };
        pair.hopes += u32::from(hope);
        if !hope && !pair.any {
            pair.reads = false;
        }
        Ok(())
    }

    fn set_any(&mut self, at: usize) {
        if let Some(pair) = self.pairs.get_mut(at) {
            pair.any = true;
        }
    }

    fn fail(&mut self, at: usize) {
        if let Some(pair) = self.pairs.get_mut(at) {
            pair.reads = false;
        }
    }

    fn fail_when_hopeless(&mut self, at: usize) {
        if let Some(pair) = self.pairs.get_mut(at)
            && pair.hopes == 0
        {
            pair.reads = false;
        }
    }

    fn strike_out(&mut self, work: &mut Work<'_>) -> Result<(), Stopped> {
        let mut failed: Vec<usize> = self
            .pairs
            .iter()
            .enumerate()
            .filter(|(_, pair)| !pair.reads)
            .map(|(at, _)| at)
            .collect();
        while let Some(at) = failed.pop() {
            let dependents = self
                .pairs
                .get_mut(at)
                .map(|pair| std::mem::take(&mut pair.dependents));
            for dependent in dependents.unwrap_or_default() {
                work.step()?;
                let Some(pair) = self.pairs.get_mut(dependent as usize) else {
                    continue;
                };
                pair.hopes = pair.hopes.saturating_sub(1);
                let lost = !pair.any || pair.hopes == 0;
                if pair.reads && lost {
                    pair.reads = false;
                    failed.push(dependent as usize);
                }
            }
        }
        Ok(())
    }
}
