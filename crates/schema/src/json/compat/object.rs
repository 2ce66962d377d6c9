//! Objects: properties by name and in general, what must be there, what depends on what.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Check, facts, facts::Writer, finite, number::Count, types};
use crate::{Path, Stopped, json::refs::Place};

const MOST: Count = Count {
    keyword: "maxProperties",
    upper: true,
    added: "MAX_PROPERTIES_ADDED",
    changed: "MAX_PROPERTIES_DECREASED",
};
const LEAST: Count = Count {
    keyword: "minProperties",
    upper: false,
    added: "MIN_PROPERTIES_ADDED",
    changed: "MIN_PROPERTIES_INCREASED",
};

/// The schema of a property that is declared by name.
fn declared<'s>(place: &Place<'s>, name: &str) -> Option<Place<'s>> {
    place
        .value
        .get("properties")
        .and_then(|properties| properties.get(name))
        .map(|value| place.part(value))
}

/// The schemas of the patterns that match a name.
fn patterned<'s>(place: &Place<'s>, name: &str) -> Vec<Place<'s>> {
    let patterns = facts::map(place, "patternProperties").into_iter();
    patterns
        .filter(|(pattern, _)| finite::pattern_matches(pattern, name) == Some(true))
        .map(|(_, part)| part)
        .collect()
}

/// The schema of names that nothing else speaks of.
fn general<'s>(place: &Place<'s>) -> Option<Place<'s>> {
    place.member("additionalProperties")
}

/// Every schema that a property of that name must pass.
fn applicable<'s>(place: &Place<'s>, name: &str) -> Vec<Place<'s>> {
    let mut found: Vec<Place<'s>> = declared(place, name).into_iter().collect();
    found.extend(patterned(place, name));
    if found.is_empty() {
        found.extend(general(place));
    }
    found
}

fn names<'s>(place: &Place<'s>) -> impl Iterator<Item = &'s str> {
    let properties = place.value.get("properties").and_then(Value::as_object);
    properties
        .into_iter()
        .flat_map(|members| members.keys().map(String::as_str))
}

fn required<'s>(place: &Place<'s>) -> impl Iterator<Item = &'s str> {
    let list = place.value.get("required").and_then(Value::as_array);
    list.into_iter().flatten().filter_map(Value::as_str)
}

/// How the writer speaks of properties that it does not declare.
#[derive(PartialEq, Eq, Clone, Copy)]
enum Model {
    Open,
    Partly,
    Closed,
}

impl<'s> Check<'_, '_> {
    pub(super) fn objects(
        &mut self,
        reader: &Place<'s>,
        writer: &Writer<'s>,
        path: &Path,
    ) -> Result<bool, Stopped> {
        if writer.types & types::OBJECT == 0 {
            return Ok(true);
        }
        let must: BTreeSet<&str> = writer.all.iter().flat_map(required).collect();
        let mut passes = self.count(&MOST, None, reader, writer, path);
        passes &= self.count(&LEAST, Some(must.len() as f64), reader, writer, path);
        passes &= self.required(reader, writer, path);
        let all: BTreeSet<&str> = names(reader).chain(writer.all.iter().flat_map(names)).collect();
        for name in all {
            passes &= self.property(reader, writer, name, path)?;
        }
        passes &= self.patterns(reader, writer, path)?;
        passes &= self.others(reader, writer, path)?;
        passes &= self.dependencies(reader, writer, path)?;
        passes &= self.property_names(reader, writer, path)?;
        Ok(passes)
    }

    fn model(&self, writer: &Writer<'s>) -> Model {
        let general: Vec<&Value> = writer
            .get("additionalProperties")
            .chain(writer.get("unevaluatedProperties"))
            .collect();
        let is = |wanted: bool| general.iter().any(|value| value.as_bool() == Some(wanted));
        let patterns = writer.get("patternProperties").next().is_some();
        match () {
            () if is(false) && !patterns => Model::Closed,
            () if patterns || general.iter().any(|value| value.is_object()) => Model::Partly,
            () => Model::Open,
        }
    }

    /// What is known of the writer's property of that name.
    fn written_property(&mut self, writer: &Writer<'s>, name: &str) -> Result<Writer<'s>, Stopped> {
        let mut known: Vec<Place<'s>> = writer
            .all
            .iter()
            .flat_map(|place| applicable(place, name))
            .collect();
        if known.is_empty() && writer.is_static() {
            known.extend(
                writer
                    .all
                    .iter()
                    .filter_map(|place| place.member("unevaluatedProperties")),
            );
        }
        self.writer(known)
    }

    fn property(
        &mut self,
        reader: &Place<'s>,
        writer: &Writer<'s>,
        name: &str,
        path: &Path,
    ) -> Result<bool, Stopped> {
        let written = self.written_property(writer, name)?;
        let was_declared = writer.all.iter().any(|place| declared(place, name).is_some());
        let is_declared = declared(reader, name).is_some();
        let path = path.field(name);
        let mut passes = true;
        for read in applicable(reader, name) {
            if was_declared && is_declared {
                passes &= self.covers(&read, &written, &path)?;
                continue;
            }
            if self.tries(&read, &written, &path)?.is_none() {
                continue;
            }
            let rule = if is_declared {
                self.added(reader, writer, name)
            } else if read.value.as_bool() == Some(false) {
                "PROPERTY_REMOVED_FROM_CLOSED_CONTENT_MODEL"
            } else {
                "PROPERTY_REMOVED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL"
            };
            self.say(rule, &path, (&read, &[]), (&written, &[]));
            passes = false;
        }
        Ok(passes)
    }

    fn added(&self, reader: &Place<'s>, writer: &Writer<'s>, name: &str) -> &'static str {
        let must = required(reader).any(|required| required == name);
        match (self.model(writer), must, has_default(reader, name)) {
            (Model::Partly, _, _) => "PROPERTY_ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL",
            (_, true, false) => "REQUIRED_PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL",
            (_, true, true) => "REQUIRED_PROPERTY_WITH_DEFAULT_ADDED_TO_OPEN_CONTENT_MODEL",
            (_, false, _) => "OPTIONAL_PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL",
        }
    }

    /// What the reader requires, the writer requires, or the reader has a default for it.
    fn required(&mut self, reader: &Place<'s>, writer: &Writer<'s>, path: &Path) -> bool {
        let mut passes = true;
        for name in required(reader) {
            if writer.lists("required", name) || has_default(reader, name) {
                continue;
            }
            let was_declared = writer.all.iter().any(|place| declared(place, name).is_some());
            let rule = match (was_declared, self.model(writer)) {
                (true, _) => "REQUIRED_ATTRIBUTE_ADDED",
                (false, Model::Open) => "REQUIRED_PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL",
                (false, _) => "REQUIRED_PROPERTY_ADDED_TO_UNOPEN_CONTENT_MODEL",
            };
            self.say(
                rule,
                &path.field(name),
                (reader, &["required"]),
                (writer, &["required"]),
            );
            passes = false;
        }
        passes
    }

    /// Names that match a pattern of either side.
    fn patterns(&mut self, reader: &Place<'s>, writer: &Writer<'s>, path: &Path) -> Result<bool, Stopped> {
        let mut passes = true;
        let read: Vec<(&'s str, Place<'s>)> = facts::map(reader, "patternProperties");
        for (pattern, wanted) in &read {
            let known: Vec<Place<'s>> = writer
                .all
                .iter()
                .filter_map(|place| {
                    let own = place.value.get("patternProperties");
                    match own.and_then(|patterns| patterns.get(*pattern)) {
                        Some(same) => Some(place.part(same)),
                        None if own.is_none() => general(place),
                        None => None,
                    }
                })
                .collect();
            let had = writer
                .get("patternProperties")
                .any(|patterns| patterns.get(*pattern).is_some());
            let written = self.writer(known)?;
            let path = path.with("patternProperties").field(pattern);
            if had {
                passes &= self.covers(wanted, &written, &path)?;
            } else if self.tries(wanted, &written, &path)?.is_some() {
                let rule = "PROPERTY_ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL";
                self.say(rule, &path, (wanted, &[]), (&written, &[]));
                passes = false;
            }
        }
        let Some(rest) = self.reads_others(reader) else {
            return Ok(passes);
        };
        for place in writer.all.clone() {
            for (pattern, written) in facts::map(&place, "patternProperties") {
                if read.iter().any(|(known, _)| *known == pattern) {
                    continue;
                }
                let written = self.writer(vec![written])?;
                let path = path.with("patternProperties").field(pattern);
                if self.tries(&rest.1, &written, &path)?.is_some() {
                    let rule = "PROPERTY_REMOVED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL";
                    self.say(rule, &path, (&rest.1, &[]), (&written, &[]));
                    passes = false;
                }
            }
        }
        Ok(passes)
    }

    /// The reader's schema for names that it does not declare, and the keyword that gives it.
    fn reads_others(&self, reader: &Place<'s>) -> Option<(&'static str, Place<'s>)> {
        let unevaluated = || {
            reader
                .member("unevaluatedProperties")
                .map(|place| ("unevaluatedProperties", place))
        };
        general(reader)
            .map(|place| ("additionalProperties", place))
            .or_else(unevaluated)
    }

    /// Names that neither side declares, and with `unevaluatedProperties` those that a part of the reader declares.
    fn others(&mut self, reader: &Place<'s>, writer: &Writer<'s>, path: &Path) -> Result<bool, Stopped> {
        let Some((keyword, read)) = self.reads_others(reader) else {
            return Ok(true);
        };
        let mut known: Vec<Place<'s>> = writer.all.iter().filter_map(general).collect();
        if writer.is_static() {
            known.extend(
                writer
                    .all
                    .iter()
                    .filter_map(|place| place.member("unevaluatedProperties")),
            );
        }
        let written = self.writer(known)?;
        let is_unevaluated = keyword == "unevaluatedProperties";
        let mut passes = self.tries(&read, &written, &path.values())?.is_none();
        if is_unevaluated {
            passes &= self.unevaluated(reader, &read, writer, path)?;
        }
        if passes {
            return Ok(true);
        }
        let rule = match (is_unevaluated, read.value.as_bool() == Some(false)) {
            (false, true) => "ADDITIONAL_PROPERTIES_REMOVED",
            (false, false) => "ADDITIONAL_PROPERTIES_NARROWED",
            (true, true) => "UNEVALUATED_PROPERTIES_REMOVED",
            (true, false) => "UNEVALUATED_PROPERTIES_NARROWED",
        };
        let keywords = ["additionalProperties", "unevaluatedProperties"];
        self.say(rule, &path.values(), (reader, &keywords), (writer, &keywords));
        Ok(false)
    }

    /// Properties that the writer declares and no part of the reader always looks at must pass what is left over.
    fn unevaluated(
        &mut self,
        reader: &Place<'s>,
        read: &Place<'s>,
        writer: &Writer<'s>,
        path: &Path,
    ) -> Result<bool, Stopped> {
        let parts = self.writer(vec![reader.clone()])?;
        let all: BTreeSet<&str> = writer.all.iter().flat_map(names).collect();
        for name in all {
            let looked_at = parts.all.iter().any(|place| {
                declared(place, name).is_some()
                    || !patterned(place, name).is_empty()
                    || general(place).is_some()
            });
            if looked_at {
                continue;
            }
            let written = self.written_property(writer, name)?;
            if self.tries(read, &written, &path.field(name))?.is_some() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn dependencies(
        &mut self,
        reader: &Place<'s>,
        writer: &Writer<'s>,
        path: &Path,
    ) -> Result<bool, Stopped> {
        let mut passes = true;
        for keyword in ["dependentRequired", "dependencies"] {
            let lists = reader
                .value
                .get(keyword)
                .and_then(Value::as_object)
                .into_iter()
                .flatten();
            for (name, needed) in lists {
                let Some(needed) = needed.as_array() else { continue };
                if self.written_property(writer, name)?.types == 0 {
                    continue;
                }
                let missing = needed.iter().filter_map(Value::as_str).any(|needed| {
                    let lists = writer.get("dependentRequired").chain(writer.get("dependencies"));
                    let mut lists = lists.filter_map(|map| map.get(name)?.as_array());
                    !writer.lists("required", needed)
                        && !lists.any(|list| list.iter().any(|n| n.as_str() == Some(needed)))
                });
                if missing {
                    let had = writer.get(keyword).any(|map| map.get(name).is_some());
                    let rule = if had {
                        "DEPENDENCY_ARRAY_EXTENDED"
                    } else {
                        "DEPENDENCY_ARRAY_ADDED"
                    };
                    self.say(
                        rule,
                        &path.field(name),
                        (reader, &[keyword]),
                        (writer, &[keyword]),
                    );
                    passes = false;
                }
            }
        }
        for keyword in ["dependentSchemas", "dependencies"] {
            for (name, wanted) in facts::map(reader, keyword) {
                if self.written_property(writer, name)?.types == 0 {
                    continue;
                }
                let mut all = writer.all.clone();
                let maps = ["dependentSchemas", "dependencies"];
                let own = writer
                    .all
                    .iter()
                    .flat_map(|place| maps.iter().flat_map(|keyword| facts::map(place, keyword)));
                all.extend(own.filter(|(known, _)| *known == name).map(|(_, part)| part));
                let known = self.writer_of(all, writer.types, writer.chosen.clone())?;
                if self.tries(&wanted, &known, &path.field(name))?.is_some() {
                    self.say(
                        "DEPENDENCY_SCHEMA_ADDED",
                        &path.field(name),
                        (reader, &[keyword]),
                        (writer, &[keyword]),
                    );
                    passes = false;
                }
            }
        }
        Ok(passes)
    }

    fn property_names(
        &mut self,
        reader: &Place<'s>,
        writer: &Writer<'s>,
        path: &Path,
    ) -> Result<bool, Stopped> {
        let Some(wanted) = reader.member("propertyNames") else {
            return Ok(true);
        };
        let closed = self.model(writer) == Model::Closed;
        let mut own = writer.all.iter().flat_map(names);
        if closed && own.all(|name| finite::holds(&wanted, &Value::String(name.to_owned()), 0) == Some(true))
        {
            return Ok(true);
        }
        let known: Vec<Place<'s>> = writer
            .all
            .iter()
            .filter_map(|place| place.member("propertyNames"))
            .collect();
        let mut written = self.writer(known)?;
        (written.types, written.origin) = (written.types & types::STRING, None);
        if self
            .tries(&wanted, &written, &path.with("propertyNames"))?
            .is_none()
        {
            return Ok(true);
        }
        self.say(
            "PROPERTY_NAMES_NARROWED",
            path,
            (reader, &["propertyNames"]),
            (writer, &["propertyNames"]),
        );
        Ok(false)
    }
}

/// Whether the reader fills the property in when it is missing.
fn has_default(reader: &Place<'_>, name: &str) -> bool {
    let Some(property) = declared(reader, name) else {
        return false;
    };
    let own = property.value.get("default").is_some();
    own || property
        .targets()
        .unwrap_or_default()
        .iter()
        .any(|target| target.value.get("default").is_some())
}
