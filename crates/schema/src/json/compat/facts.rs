//! What is known of the writer's values at one place, and small readers of keywords.

use serde_json::Value;

use super::{Check, types};
use crate::{Stopped, json::refs::Place};

/// The writer's values: all of these schemas hold for them.
#[derive(Clone)]
pub(super) struct Writer<'s> {
    /// References followed and `allOf` opened. Empty means any value.
    pub all: Vec<Place<'s>>,
    /// The one schema that this comes from.
    pub origin: Option<Place<'s>>,
    /// Types that values may still have.
    pub types: u8,
    /// `anyOf` and `oneOf` of which a branch is among `all`.
    pub chosen: Vec<usize>,
}

impl<'s> Writer<'s> {
    pub fn key(&self) -> Vec<usize> {
        let mut key: Vec<usize> = self.all.iter().map(Place::address).collect();
        key.sort_unstable();
        key
    }

    /// The values of `keyword` in every schema that has it.
    pub fn get<'a>(&'a self, keyword: &'a str) -> impl Iterator<Item = &'s Value> + 'a {
        self.all.iter().filter_map(move |place| place.value.get(keyword))
    }

    /// The least of `keyword`'s numbers.
    pub fn least(&self, keyword: &str) -> Option<f64> {
        self.get(keyword).filter_map(Value::as_f64).reduce(f64::min)
    }

    /// The greatest of `keyword`'s numbers.
    pub fn greatest(&self, keyword: &str) -> Option<f64> {
        self.get(keyword).filter_map(Value::as_f64).reduce(f64::max)
    }

    /// Whether `name` is among the names of a list that `keyword` holds.
    pub fn lists(&self, keyword: &str, name: &str) -> bool {
        let mut lists = self.get(keyword).filter_map(Value::as_array);
        lists.any(|names| names.iter().any(|listed| listed.as_str() == Some(name)))
    }

    /// The values that it can be at most, when they are few: `enum`, `const`, and types of one or two values.
    pub fn values(&self) -> Option<Vec<Value>> {
        let listed = self
            .get("enum")
            .filter_map(Value::as_array)
            .min_by_key(|values| values.len())
            .cloned();
        let one = self
            .all
            .iter()
            .find_map(constant)
            .map(|value| vec![value.clone()]);
        let by_type = match self.types {
            types::NULL => Some(vec![Value::Null]),
            types::BOOLEAN => Some(vec![Value::Bool(false), Value::Bool(true)]),
            _ => None,
        };
        let values = one.or(listed).or(by_type)?;
        Some(
            values
                .into_iter()
                .filter(|value| types::of(value) & self.types != 0)
                .collect(),
        )
    }

    /// Schemas that depend on the value may have evaluated anything.
    pub fn is_static(&self) -> bool {
        !self.all.iter().any(|place| is_dynamic(place.value))
    }
}

/// `const`, where the draft knows it.
pub(super) fn constant<'s>(place: &Place<'s>) -> Option<&'s Value> {
    place
        .value
        .get("const")
        .filter(|_| place.draft != crate::json::Draft::Draft4)
}

pub(super) fn is_dynamic(schema: &Value) -> bool {
    ["anyOf", "oneOf", "if", "dependentSchemas", "dependencies"]
        .iter()
        .any(|keyword| schema.get(*keyword).is_some())
}

/// The schemas in the list that `keyword` holds.
pub(super) fn list<'s>(place: &Place<'s>, keyword: &str) -> Vec<Place<'s>> {
    let parts = place
        .value
        .get(keyword)
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    parts.map(|part| place.part(part)).collect()
}

/// The schemas in the map that `keyword` holds.
pub(super) fn map<'s>(place: &Place<'s>, keyword: &str) -> Vec<(&'s str, Place<'s>)> {
    let parts = place
        .value
        .get(keyword)
        .and_then(Value::as_object)
        .into_iter()
        .flatten();
    parts
        .filter(|(_, part)| !part.is_array())
        .map(|(name, part)| (name.as_str(), place.part(part)))
        .collect()
}

/// Whether a reference stands anywhere inside.
pub(super) fn refers(schema: &Value) -> bool {
    match schema {
        Value::Array(items) => items.iter().any(refers),
        Value::Object(members) => members.iter().any(|(name, value)| {
            matches!(name.as_str(), "$ref" | "$dynamicRef" | "$recursiveRef") || refers(value)
        }),
        _ => false,
    }
}

/// The named keywords as they stand, or the whole schema when none are named.
pub(super) fn show(schema: &Value, keywords: &[&str]) -> String {
    let named = keywords
        .iter()
        .filter_map(|keyword| schema.get(*keyword).map(|value| format!("{keyword}: {value}")));
    if keywords.is_empty() {
        shorten(schema.to_string())
    } else {
        shorten(named.collect::<Vec<_>>().join(", "))
    }
}

pub(super) fn show_all(all: &[Place<'_>], keywords: &[&str]) -> String {
    let texts: Vec<String> = all
        .iter()
        .map(|place| show(place.value, keywords))
        .filter(|text| !text.is_empty())
        .collect();
    shorten(texts.join(" and "))
}

fn shorten(text: String) -> String {
    const CHARS_MAX: usize = 200;
    match text.char_indices().nth(CHARS_MAX) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

impl<'s> Check<'_, '_> {
    /// Values for which all of `places` hold.
    pub(super) fn writer(&mut self, places: Vec<Place<'s>>) -> Result<Writer<'s>, Stopped> {
        let origin = match places.as_slice() {
            [one] => Some(one.clone()),
            _ => None,
        };
        let mut writer = self.writer_of(places, types::ALL, Vec::new())?;
        writer.origin = origin;
        Ok(writer)
    }

    pub(super) fn writer_of(
        &mut self,
        places: Vec<Place<'s>>,
        types: u8,
        chosen: Vec<usize>,
    ) -> Result<Writer<'s>, Stopped> {
        let mut writer = Writer {
            all: Vec::new(),
            origin: None,
            types,
            chosen,
        };
        let mut seen = std::collections::HashSet::new();
        let mut open = places;
        open.reverse();
        while let Some(place) = open.pop() {
            self.work.step()?;
            if !seen.insert(place.address()) {
                continue;
            }
            open.extend(place.targets().unwrap_or_default());
            if place.is_bare_reference() {
                continue;
            }
            open.extend(list(&place, "allOf"));
            writer.types &= types::stated(place.value);
            if place.value.as_bool() != Some(true) {
                writer.all.push(place);
            }
        }
        if let Some(values) = writer.values() {
            writer.types &= values.iter().fold(0, |bits, value| bits | types::of(value));
        }
        Ok(writer)
    }

    /// The writer's values, one set a branch of its first `anyOf` or `oneOf` that is still open.
    pub(super) fn branches(&mut self, writer: &Writer<'s>) -> Result<Option<Vec<Writer<'s>>>, Stopped> {
        for place in &writer.all {
            for keyword in ["anyOf", "oneOf"] {
                let Some(value) = place.value.get(keyword) else {
                    continue;
                };
                let address = std::ptr::from_ref(value).addr();
                if writer.chosen.contains(&address) {
                    continue;
                }
                let mut chosen = writer.chosen.clone();
                chosen.push(address);
                chosen.sort_unstable();
                let mut branches = Vec::new();
                for branch in list(place, keyword) {
                    let mut all = writer.all.clone();
                    all.push(branch);
                    branches.push(self.writer_of(all, writer.types, chosen.clone())?);
                }
                return Ok(Some(branches));
            }
        }
        Ok(None)
    }
}
