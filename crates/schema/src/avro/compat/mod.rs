//! Does one Avro schema read the data of another? The rules of schema resolution, with every finding under the six
//! names of Java Avro's `SchemaCompatibility`. Logical types are not compared, as there.
//!
//! First the verdicts on all pairs of types (`verdict`), then one walk over those that do not read, which says why.

mod rules;
mod verdict;

use std::collections::HashSet;

pub(super) use rules::{find_written, names, same_name};
pub(super) use verdict::Verdicts;

use super::model::{AvroSchema, Enum, Fixed, Kind, Record, TypeId};
use crate::{Direction, Incompatibility, Path, Stopped, Work};

/// Adds every reason why the one schema cannot read the other's data.
pub(crate) fn compatible(
    direction: Direction,
    new: &AvroSchema,
    old: &AvroSchema,
    work: &mut Work<'_>,
    found: &mut Vec<Incompatibility>,
) -> Result<(), Stopped> {
    let (reader, writer) = match direction {
        Direction::Backward => (new, old),
        Direction::Forward => (old, new),
    };
    let verdicts = Verdicts::new(reader, writer, work)?;
    if verdicts.reads(reader.root(), writer.root()) {
        return Ok(());
    }
    let waiting = vec![Item::Pair(reader.root(), writer.root(), Path::root())];
    let mut report = Report {
        reader,
        writer,
        direction,
        verdicts,
        told: HashSet::new(),
        waiting,
    };
    // A list, not recursion: pairs of types may lead on for very long.
    while let Some(item) = report.waiting.pop() {
        work.step()?;
        match item {
            Item::Found(finding) => found.push(*finding),
            Item::Pair(reader, writer, path) => {
                let from = report.waiting.len();
                report.pair(reader, writer, &path);
                if let Some(added) = report.waiting.get_mut(from..) {
                    added.reverse();
                }
            }
        }
    }
    Ok(())
}

/// Whether `reader` reads everything that `writer` writes.
pub fn can_read(reader: &AvroSchema, writer: &AvroSchema, work: &mut Work<'_>) -> Result<bool, Stopped> {
    Ok(Verdicts::new(reader, writer, work)?.reads(reader.root(), writer.root()))
}

enum Item {
    Pair(TypeId, TypeId, Path),
    Found(Box<Incompatibility>),
}

struct Report<'a> {
    reader: &'a AvroSchema,
    writer: &'a AvroSchema,
    direction: Direction,
    verdicts: Verdicts<'a>,
    /// Pairs that were told about: each is told once, at its first path.
    told: HashSet<(TypeId, TypeId)>,
    /// What is still to be told, the next one last.
    waiting: Vec<Item>,
}

impl<'a> Report<'a> {
    fn add(&mut self, reader: TypeId, writer: TypeId, path: Path) {
        if !self.verdicts.reads(reader, writer) {
            self.waiting.push(Item::Pair(reader, writer, path));
        }
    }

    fn pair(&mut self, reader: TypeId, writer: TypeId, path: &Path) {
        if !self.told.insert((reader, writer)) {
            return;
        }
        let (r, w) = (self.reader.kind(reader), self.writer.kind(writer));
        match (r, w) {
            (_, Kind::Union(branches)) => {
                for branch in branches {
                    self.add(reader, *branch, path.branch(self.writer.label(*branch)));
                }
            }
            (Kind::Union(branches), _) => self.union(branches, writer, path),
            (Kind::Array(r), Kind::Array(w)) => self.add(*r, *w, path.items()),
            (Kind::Map(r), Kind::Map(w)) => self.add(*r, *w, path.values()),
            (Kind::Fixed(rf), Kind::Fixed(wf)) => {
                self.name(r, w, path);
                self.size(rf, wf, path);
            }
            (Kind::Enum(re), Kind::Enum(we)) => {
                self.name(r, w, path);
                self.symbols(re, we, path);
            }
            (Kind::Record(rr), Kind::Record(wr)) => {
                self.name(r, w, path);
                self.fields(rr, wr, path);
            }
            _ => {
                let (r, w) = (self.reader.type_text(reader), self.writer.type_text(writer));
                let how = type_mend(self.writer.kind(writer), &r, &w);
                self.push("TYPE_MISMATCH", path, r, w, how);
            }
        }
    }

    fn union(&mut self, branches: &'a [TypeId], writer: TypeId, path: &Path) {
        // What is wrong with the branch of the same name tells more than that none fits.
        let named = branches
            .iter()
            .find(|branch| self.verdicts.is_same_named(**branch, writer));
        if let Some(branch) = named {
            return self.add(*branch, writer, path.branch(self.reader.label(*branch)));
        }
        let choices: Vec<_> = branches.iter().map(|branch| self.reader.label(*branch)).collect();
        let label = self.writer.label(writer).to_owned();
        let how = format!("keep a branch that reads {label} in the union of the schema that reads");
        self.push(
            "MISSING_UNION_BRANCH",
            path,
            format!("[{}]", choices.join(", ")),
            label,
            how,
        );
    }

    fn name(&mut self, reader: &Kind, writer: &Kind, path: &Path) {
        if !same_name(reader, writer) {
            let (r, w) = (reader.label().to_owned(), writer.label().to_owned());
            let how = format!("keep the name, or add \"aliases\": [\"{w}\"] to {r}");
            self.push("NAME_MISMATCH", path, r, w, how);
        }
    }

    fn size(&mut self, reader: &Fixed, writer: &Fixed, path: &Path) {
        if reader.size != writer.size {
            let how = "keep the size, or add a field of a new fixed type".to_owned();
            let (r, w) = (format!("{} bytes", reader.size), format!("{} bytes", writer.size));
            self.push("FIXED_SIZE_MISMATCH", path, r, w, how);
        }
    }

    fn symbols(&mut self, reader: &Enum, writer: &Enum, path: &Path) {
        let missing = rules::missing_symbols(reader, writer);
        if missing.is_empty() || reader.default.is_some() {
            return;
        }
        let name = reader.name.full();
        let how = format!(
            "keep {} in {name}, or give {name} a default symbol",
            missing.join(", ")
        );
        self.push(
            "MISSING_ENUM_SYMBOLS",
            path,
            reader.symbols.join(", "),
            writer.symbols.join(", "),
            how,
        );
    }

    fn fields(&mut self, reader: &'a Record, writer: &'a Record, path: &Path) {
        let names = names(writer);
        for (n, field) in reader.fields.iter().enumerate() {
            let at = path.field(&field.name);
            match find_written(field, n, writer, &names) {
                Some(written) => self.add(field.schema, written.schema, at),
                None if field.default.is_none() => {
                    let how = format!(
                        "give {} a default, or an alias with the name that it had",
                        field.name
                    );
                    let reader = self.reader.type_text(field.schema);
                    self.push(
                        "READER_FIELD_MISSING_DEFAULT_VALUE",
                        &at,
                        reader,
                        String::new(),
                        how,
                    );
                }
                None => {}
            }
        }
    }

    fn push(&mut self, rule: &'static str, path: &Path, reader: String, writer: String, how: String) {
        let (new, old) = match self.direction {
            Direction::Backward => (reader, writer),
            Direction::Forward => (writer, reader),
        };
        let direction = self.direction;
        let finding = Incompatibility {
            rule,
            path: path.clone(),
            old,
            new,
            how,
            direction,
            against: 0,
        };
        self.waiting.push(Item::Found(Box::new(finding)));
    }
}

fn type_mend(writer: &Kind, reader_text: &str, writer_text: &str) -> String {
    let wider = match writer {
        Kind::Int => " (long, float and double read int)",
        Kind::Long => " (float and double read long)",
        Kind::Float => " (double reads float)",
        Kind::String => " (bytes read string)",
        Kind::Bytes => " (string reads bytes)",
        _ => "",
    };
    format!("keep {writer_text}{wider}, or add a new field of type {reader_text} with a default")
}

#[cfg(test)]
mod tests;
