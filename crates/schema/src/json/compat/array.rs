//! Arrays: items by position and in general, their number, what they contain.

use serde_json::Value;

use super::{Check, facts, facts::Writer, number::Count, types};
use crate::{Path, Stopped, json::refs::Place};

const MOST: Count = Count {
    keyword: "maxItems",
    upper: true,
    added: "MAX_ITEMS_ADDED",
    changed: "MAX_ITEMS_DECREASED",
};
const LEAST: Count = Count {
    keyword: "minItems",
    upper: false,
    added: "MIN_ITEMS_ADDED",
    changed: "MIN_ITEMS_INCREASED",
};

/// The schemas of single positions.
fn positions<'s>(place: &Place<'s>) -> Vec<Place<'s>> {
    let modern = facts::list(place, "prefixItems");
    if modern.is_empty() && place.value.get("items").is_some_and(Value::is_array) {
        return facts::list(place, "items");
    }
    modern
}

/// The schema of the items behind single positions.
fn rest<'s>(place: &Place<'s>) -> Option<Place<'s>> {
    let items = place.value.get("items");
    let keyword = if items.is_some_and(Value::is_array) {
        "additionalItems"
    } else {
        "items"
    };
    let own = place.member(keyword);
    let is_open = own.is_none() && !facts::is_dynamic(place.value) && place.value.get("contains").is_none();
    if is_open {
        place.member("unevaluatedItems")
    } else {
        own
    }
}

/// The schema of the item at `position`.
fn slot<'s>(place: &Place<'s>, position: usize) -> Option<Place<'s>> {
    let stated = positions(place);
    if position < stated.len() {
        stated.into_iter().nth(position)
    } else {
        rest(place)
    }
}

impl<'s> Check<'_, '_> {
    pub(super) fn arrays(
        &mut self,
        reader: &Place<'s>,
        writer: &Writer<'s>,
        path: &Path,
    ) -> Result<bool, Stopped> {
        if writer.types & types::ARRAY == 0 {
            return Ok(true);
        }
        let mut passes =
            self.count(&MOST, None, reader, writer, path) & self.count(&LEAST, None, reader, writer, path);
        passes &= self.unique(reader, writer, path);
        passes &= self.contained(reader, writer, path)?;
        let most = writer.least("maxItems").unwrap_or(f64::INFINITY);
        let stated = writer
            .all
            .iter()
            .chain([reader])
            .map(|place| positions(place).len())
            .max()
            .unwrap_or_default();
        for position in 0..stated {
            if (position as f64) < most {
                passes &= self.item(reader, writer, Some(position), path)?;
            }
        }
        if (stated as f64) < most {
            passes &= self.item(reader, writer, None, path)?;
        }
        if reader.value.get("unevaluatedItems").is_some() && facts::is_dynamic(reader.value) {
            let same = writer
                .get("unevaluatedItems")
                .any(|value| Some(value) == reader.value.get("unevaluatedItems"));
            if !same {
                let keyword = ["unevaluatedItems"];
                self.say(
                    "UNEVALUATED_ITEMS_REMOVED",
                    path,
                    (reader, &keyword),
                    (writer, &keyword),
                );
                passes = false;
            }
        }
        Ok(passes)
    }

    /// The item at a position, or all behind the last one that is stated.
    fn item(
        &mut self,
        reader: &Place<'s>,
        writer: &Writer<'s>,
        position: Option<usize>,
        path: &Path,
    ) -> Result<bool, Stopped> {
        let of = |place: &Place<'s>| match position {
            Some(position) => slot(place, position),
            None => rest(place),
        };
        let Some(read) = of(reader) else { return Ok(true) };
        let known: Vec<Place<'s>> = writer.all.iter().filter_map(of).collect();
        let is_open = known.is_empty();
        let written = self.writer(known)?;
        let path = match position {
            Some(position) => path.with(&format!("[{position}]")),
            None => path.items(),
        };
        let closed = read.value.as_bool() == Some(false);
        if !is_open && !closed {
            return self.covers(&read, &written, &path);
        }
        if self.tries(&read, &written, &path)?.is_none() {
            return Ok(true);
        }
        let rule = match (closed, position) {
            (true, Some(_)) => "ITEM_REMOVED_FROM_CLOSED_CONTENT_MODEL",
            (true, None) => "ADDITIONAL_ITEMS_REMOVED",
            (false, Some(_)) => "ITEM_ADDED_TO_OPEN_CONTENT_MODEL",
            (false, None) => "ADDITIONAL_ITEMS_NARROWED",
        };
        self.say(rule, &path, (&read, &[]), (&written, &[]));
        Ok(false)
    }

    fn unique(&mut self, reader: &Place<'s>, writer: &Writer<'s>, path: &Path) -> bool {
        let is_true = |value: &Value| value.as_bool() == Some(true);
        let wanted = reader.value.get("uniqueItems").is_some_and(is_true);
        let few = writer.least("maxItems").is_some_and(|most| most <= 1.0);
        if !wanted || few || writer.get("uniqueItems").any(is_true) {
            return true;
        }
        self.say(
            "UNIQUE_ITEMS_ADDED",
            path,
            (reader, &["uniqueItems"]),
            (writer, &["uniqueItems"]),
        );
        false
    }

    fn contained(&mut self, reader: &Place<'s>, writer: &Writer<'s>, path: &Path) -> Result<bool, Stopped> {
        let Some(wanted) = reader.member("contains") else {
            return Ok(true);
        };
        if reader.draft == crate::json::Draft::Draft4 {
            return Ok(true);
        }
        let bound = |place: &Place<'s>, keyword: &str| place.value.get(keyword).and_then(Value::as_f64);
        let modern = !reader.draft.ref_stands_alone();
        let least = bound(reader, "minContains").filter(|_| modern).unwrap_or(1.0);
        let most = bound(reader, "maxContains")
            .filter(|_| modern)
            .unwrap_or(f64::INFINITY);
        let inside = path.with("contains");
        let (mut least_known, mut most_known) = (least <= 0.0, most == f64::INFINITY);
        most_known |= writer.least("maxItems").is_some_and(|items| items <= most);
        for place in writer.all.clone() {
            let Some(written) = place.member("contains") else {
                continue;
            };
            let modern = !place.draft.ref_stands_alone();
            let known = self.writer(vec![written.clone()])?;
            let own_least = bound(&place, "minContains").filter(|_| modern).unwrap_or(1.0);
            if own_least >= least && self.tries(&wanted, &known, &inside)?.is_none() {
                least_known = true;
            }
            let own_most = bound(&place, "maxContains")
                .filter(|_| modern)
                .unwrap_or(f64::INFINITY);
            let wanted_only = self.writer(vec![wanted.clone()])?;
            if own_most <= most && self.tries(&written, &wanted_only, &inside)?.is_none() {
                most_known = true;
            }
        }
        let keywords = ["contains", "minContains", "maxContains"];
        if !least_known {
            let rule = if writer.get("contains").next().is_none() {
                "MIN_CONTAINS_ADDED"
            } else {
                "MIN_CONTAINS_INCREASED"
            };
            self.say(rule, path, (reader, &keywords), (writer, &keywords));
        }
        if !most_known {
            let rule = if writer.get("maxContains").next().is_none() {
                "MAX_CONTAINS_ADDED"
            } else {
                "MAX_CONTAINS_DECREASED"
            };
            self.say(rule, path, (reader, &keywords), (writer, &keywords));
        }
        Ok(least_known && most_known)
    }
}
