//! `anyOf`, `oneOf`, `not` and `if`.

use serde_json::Value;

use super::{Check, facts, facts::Writer, types};
use crate::{
    Incompatibility, Path, Stopped,
    json::{Draft, refs::Place},
};

impl<'s> Check<'_, '_> {
    pub(super) fn combined(
        &mut self,
        reader: &Place<'s>,
        writer: &Writer<'s>,
        path: &Path,
    ) -> Result<bool, Stopped> {
        let mut passes = true;
        for keyword in ["anyOf", "oneOf"] {
            let branches = facts::list(reader, keyword);
            if branches.is_empty() {
                continue;
            }
            let mut nearest = None;
            if !self.sum(&branches, writer, path, &mut nearest)? {
                self.say_sum(reader, keyword, writer, path, nearest);
                passes = false;
            }
        }
        passes &= self.not(reader, writer, path)?;
        passes &= self.conditional(reader, writer, path)?;
        Ok(passes)
    }

    /// Whether every value of the writer passes some branch. A value that passes two branches of a `oneOf` is not
    /// looked for: Schema Registry does not either, and a schema that can do that is wrong in itself.
    fn sum(
        &mut self,
        branches: &[Place<'s>],
        writer: &Writer<'s>,
        path: &Path,
        nearest: &mut Option<Vec<Incompatibility>>,
    ) -> Result<bool, Stopped> {
        if writer.types == 0 {
            return Ok(true);
        }
        for branch in branches {
            match self.tries(branch, writer, path)? {
                None => return Ok(true),
                Some(why) if nearest.as_ref().is_none_or(|known| why.len() < known.len()) => {
                    *nearest = Some(why)
                }
                Some(_) => {}
            }
        }
        let parts = match self.branches(writer)? {
            Some(parts) => parts,
            None if writer.types.count_ones() > 1 && !is_number(writer.types) => by_type(writer),
            None => return Ok(false),
        };
        for part in &parts {
            if !self.sum(branches, part, path, nearest)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn say_sum(
        &mut self,
        reader: &Place<'s>,
        keyword: &str,
        writer: &Writer<'s>,
        path: &Path,
        nearest: Option<Vec<Incompatibility>>,
    ) {
        let count = |value: &Value| value.as_array().map_or(0, Vec::len);
        let before = ["anyOf", "oneOf"]
            .iter()
            .flat_map(|keyword| writer.get(keyword))
            .map(count)
            .max();
        let now = reader.value.get(keyword).map_or(0, count);
        let rule = match before {
            None => "TYPE_CHANGED",
            Some(before) if now < before => "SUM_TYPE_NARROWED",
            Some(_) => "COMBINED_TYPE_SUBSCHEMAS_CHANGED",
        };
        self.say(
            rule,
            path,
            (reader, &[keyword]),
            (writer, &["type", "anyOf", "oneOf"]),
        );
        let why = nearest.and_then(|why| why.into_iter().next());
        if let (Some(finding), Some(why)) = (self.found.last_mut(), why) {
            finding.how = format!(
                "{} (the nearest branch fails at {}: {})",
                finding.how, why.path, why.rule
            );
        }
    }

    /// What the reader excludes, the writer must exclude as well.
    fn not(&mut self, reader: &Place<'s>, writer: &Writer<'s>, path: &Path) -> Result<bool, Stopped> {
        let Some(excluded) = reader.member("not") else {
            return Ok(true);
        };
        let inside = path.with("not");
        let excluded_values = self.writer(vec![excluded])?;
        if excluded_values.types & writer.types == 0 {
            return Ok(true);
        }
        let before: Vec<Place<'s>> = writer
            .all
            .iter()
            .filter_map(|place| place.member("not"))
            .collect();
        for known in &before {
            if self.tries(known, &excluded_values, &inside)?.is_none() {
                return Ok(true);
            }
        }
        self.say("NOT_TYPE_EXTENDED", path, (reader, &["not"]), (writer, &["not"]));
        Ok(false)
    }

    /// Both ends of the condition accept everything, or the writer has the same condition with narrower ends.
    fn conditional(&mut self, reader: &Place<'s>, writer: &Writer<'s>, path: &Path) -> Result<bool, Stopped> {
        let Some(condition) = reader.member("if").filter(|_| reader.draft >= Draft::Draft7) else {
            return Ok(true);
        };
        let ends = [("then", reader.member("then")), ("else", reader.member("else"))];
        let mut open: Vec<(&str, Place<'s>)> = Vec::new();
        for (keyword, end) in ends {
            let Some(end) = end else { continue };
            if self.tries(&end, writer, &path.with(keyword))?.is_some() {
                open.push((keyword, end));
            }
        }
        if open.is_empty() {
            return Ok(true);
        }
        for place in writer.all.clone() {
            let same = place.value.get("if") == Some(condition.value)
                && (self.same_documents || !facts::refers(condition.value));
            if !same {
                continue;
            }
            let mut passes = true;
            for (keyword, end) in &open {
                let mut all = writer.all.clone();
                all.extend(place.member(keyword));
                let known = self.writer_of(all, writer.types, writer.chosen.clone())?;
                passes &= self.tries(end, &known, &path.with(keyword))?.is_none();
            }
            if passes {
                return Ok(true);
            }
        }
        let keywords = ["if", "then", "else"];
        self.say(
            "CONDITION_CHANGED",
            path,
            (reader, &keywords),
            (writer, &keywords),
        );
        Ok(false)
    }
}

fn is_number(types: u8) -> bool {
    types & !types::NUMBER == 0
}

/// The writer's values one type at a time; numbers stay together.
fn by_type<'s>(writer: &Writer<'s>) -> Vec<Writer<'s>> {
    let each = types::EACH
        .into_iter()
        .filter(|bit| *bit & types::NUMBER == 0)
        .chain([types::NUMBER]);
    each.map(|bit| writer.types & bit)
        .filter(|bits| *bits != 0)
        .map(|types| Writer {
            types,
            origin: None,
            ..writer.clone()
        })
        .collect()
}
