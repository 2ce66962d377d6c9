//! Which keywords hold schemas, and the walk over all of a schema's parts.

use serde_json::Value;

use super::Draft;
use crate::{Limits, Path, SchemaError};

/// How a keyword holds schemas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holds {
    One,
    List,
    OneOrList,
    Map,
    /// A map whose values are schemas or lists of names (`dependencies`).
    MapOrNames,
}

/// Every keyword that holds schemas. Which of them a draft knows is the draft's to say.
const APPLICATORS: &[(&str, Holds)] = &[
    ("$defs", Holds::Map),
    ("additionalItems", Holds::One),
    ("additionalProperties", Holds::One),
    ("allOf", Holds::List),
    ("anyOf", Holds::List),
    ("contains", Holds::One),
    ("contentSchema", Holds::One),
    ("definitions", Holds::Map),
    ("dependencies", Holds::MapOrNames),
    ("dependentSchemas", Holds::Map),
    ("else", Holds::One),
    ("if", Holds::One),
    ("items", Holds::OneOrList),
    ("not", Holds::One),
    ("oneOf", Holds::List),
    ("patternProperties", Holds::Map),
    ("prefixItems", Holds::List),
    ("properties", Holds::Map),
    ("propertyNames", Holds::One),
    ("then", Holds::One),
    ("unevaluatedItems", Holds::One),
    ("unevaluatedProperties", Holds::One),
];

/// A schema directly inside another.
pub(crate) struct Part<'a> {
    pub keyword: &'static str,
    pub path: Path,
    pub value: &'a Value,
}

/// The schemas directly inside `schema`, which stands at `path`.
pub(crate) fn parts<'a>(schema: &'a Value, path: &Path, draft: Draft) -> Vec<Part<'a>> {
    let Some(members) = schema.as_object() else {
        return Vec::new();
    };
    let mut parts = Vec::new();
    for (keyword, holds) in APPLICATORS {
        let Some(value) = members.get(*keyword) else {
            continue;
        };
        if !draft.engine().is_known_keyword(keyword) && *keyword != "definitions" {
            continue;
        }
        let mut push = |path: Path, value: &'a Value| parts.push(Part { keyword, path, value });
        match (holds, value) {
            (Holds::Map, Value::Object(map)) => {
                map.iter()
                    .for_each(|(name, value)| push(named(path, keyword, name), value));
            }
            (Holds::MapOrNames, Value::Object(map)) => {
                let schemas = map.iter().filter(|(_, value)| !value.is_array());
                schemas.for_each(|(name, value)| push(named(path, keyword, name), value));
            }
            (Holds::List | Holds::OneOrList, Value::Array(list)) => {
                let at = |position: usize| path.with(&format!("{keyword}[{position}]"));
                list.iter()
                    .enumerate()
                    .for_each(|(position, value)| push(at(position), value));
            }
            (Holds::One | Holds::OneOrList, value) => push(single(path, keyword), value),
            _ => {}
        }
    }
    parts
}

fn named(path: &Path, keyword: &str, name: &str) -> Path {
    match keyword {
        "properties" => path.field(name),
        _ => path.with(keyword).field(name),
    }
}

fn single(path: &Path, keyword: &str) -> Path {
    match keyword {
        "items" => path.items(),
        "additionalProperties" => path.values(),
        _ => path.with(keyword),
    }
}

/// What a walk counts.
pub(crate) struct Measure {
    pub named: usize,
}

/// Refuses a schema that nests deeper or names more than `limits` allow. `measure` goes on over several documents.
pub(crate) fn measure(
    root: &Value,
    path: &Path,
    draft: Draft,
    limits: &Limits,
    measure: &mut Measure,
) -> Result<(), SchemaError> {
    let mut open = vec![(root, path.clone(), 1usize)];
    while let Some((schema, path, depth)) = open.pop() {
        limits.check_depth(&path, depth)?;
        for part in parts(schema, &path, draft) {
            if matches!(part.keyword, "$defs" | "definitions") {
                measure.named += 1;
                limits.check_named_types(&part.path, measure.named)?;
            }
            open.push((part.value, part.path, depth + 1));
        }
    }
    Ok(())
}
