//! Following `$ref`: a place in a schema that knows its address and its draft.

use std::collections::HashMap;

use referencing::{Registry, ResourceRef, uri};
use serde_json::Value;

use super::{Draft, keyword};
use crate::{Limits, Path, SchemaError};

/// Schemas that may apply to one and the same value, nested in each other.
const IN_PLACE_HEIGHT_MAX: usize = 512;
/// Schemas that may apply to one and the same value in all: `allOf` of two references, nested, doubles at every level.
const IN_PLACE_MAX: u64 = 100_000;
/// Keywords whose schemas apply to the same value as the schema that they stand in.
const IN_PLACE: &[&str] = &[
    "allOf",
    "anyOf",
    "oneOf",
    "not",
    "if",
    "then",
    "else",
    "dependentSchemas",
    "dependencies",
];

/// A schema, with what is needed to follow its references.
#[derive(Clone)]
pub(crate) struct Place<'s> {
    pub value: &'s Value,
    pub draft: Draft,
    resolver: referencing::Resolver<'s>,
}

impl<'s> Place<'s> {
    /// The schema at `base`.
    pub fn root(registry: &'s Registry<'static>, base: &str, draft: Draft) -> Option<Place<'s>> {
        let base = uri::from_str(base).ok()?;
        let resolved = registry.resolver(base).lookup("").ok()?;
        let (value, resolver, _) = resolved.into_inner();
        Some(Place {
            value,
            draft,
            resolver,
        })
    }

    /// The part `value` of this schema.
    pub fn part(&self, value: &'s Value) -> Place<'s> {
        let part = ResourceRef::new(value, self.draft.engine());
        let resolver = self
            .resolver
            .in_subresource(part)
            .unwrap_or_else(|_| self.resolver.clone());
        Place {
            value,
            draft: self.draft,
            resolver,
        }
    }

    /// The member of this schema called `keyword`, as a schema.
    pub fn member(&self, keyword: &str) -> Option<Place<'s>> {
        self.value.get(keyword).map(|value| self.part(value))
    }

    /// The schemas that this one's references point at; an error is a reference that leads nowhere.
    pub fn targets(&self) -> Result<Vec<Place<'s>>, Box<(String, referencing::Error)>> {
        let Some(members) = self.value.as_object() else {
            return Ok(Vec::new());
        };
        let mut targets = Vec::new();
        for keyword in ["$ref", "$dynamicRef", "$recursiveRef"] {
            let Some(reference) = members.get(keyword).and_then(Value::as_str) else {
                continue;
            };
            if keyword != "$ref" && !self.draft.engine().is_known_keyword(keyword) {
                continue;
            }
            let resolved = match keyword {
                "$recursiveRef" => self.resolver.lookup_recursive_ref(),
                _ => self.resolver.lookup(reference),
            };
            let (value, resolver, draft) = resolved
                .map_err(|e| Box::new((reference.to_owned(), e)))?
                .into_inner();
            targets.push(Place {
                value,
                draft: Draft::of_engine(draft),
                resolver,
            });
        }
        Ok(targets)
    }

    /// A number that is this schema's alone as long as it lives.
    pub fn address(&self) -> usize {
        std::ptr::from_ref(self.value).addr()
    }

    /// The address of the document that it stands in.
    pub fn base(&self) -> String {
        self.resolver.base_uri().as_str().to_owned()
    }

    /// A `$ref` that hides everything beside it.
    pub fn is_bare_reference(&self) -> bool {
        self.draft.ref_stands_alone() && self.value.get("$ref").is_some_and(Value::is_string)
    }
}

/// The words for a reference that leads nowhere.
pub(crate) fn refused(path: &Path, error: &referencing::Error) -> SchemaError {
    SchemaError::new(
        path,
        error.to_string(),
        "nothing is fetched: hand over what is referred to as a reference of that name, or put it into the schema",
    )
}

/// Refuses references that lead nowhere, and schemas that apply themselves too often to one value.
pub(crate) fn check(
    registry: &Registry<'static>,
    base: &str,
    draft: Draft,
    limits: &Limits,
) -> Result<(), SchemaError> {
    let Some(root) = Place::root(registry, base, draft) else {
        return Ok(());
    };
    let mut counted = Counted {
        by_address: HashMap::new(),
    };
    let mut seen = std::collections::HashSet::new();
    let mut open = vec![(root, Path::root())];
    while let Some((place, path)) = open.pop() {
        if !seen.insert(place.address()) {
            continue;
        }
        limits_of_visit(seen.len(), limits, &path)?;
        counted.count(&place, &path)?;
        let targets = place.targets().map_err(|lost| {
            let (reference, error) = *lost;
            let mut refused = refused(&path.with("$ref"), &error);
            refused.what = format!("{reference} leads nowhere: {}", refused.what);
            refused
        })?;
        let at = |_: &Place<'_>| path.clone();
        open.extend(targets.into_iter().map(|target| (target.clone(), at(&target))));
        if !place.is_bare_reference() {
            let parts = keyword::parts(place.value, &path, place.draft);
            open.extend(parts.into_iter().map(|part| (place.part(part.value), part.path)));
        }
    }
    Ok(())
}

/// A text of `text_bytes_max` cannot hold more schemas than bytes; with references that is still a bound.
fn limits_of_visit(seen: usize, limits: &Limits, path: &Path) -> Result<(), SchemaError> {
    if seen <= limits.text_bytes_max {
        return Ok(());
    }
    Err(SchemaError::new(
        path,
        "the schema has too many parts",
        "split it",
    ))
}

/// How many schemas apply to one value, by schema.
struct Counted {
    by_address: HashMap<usize, (u64, usize)>,
}

/// A schema on the way down, with what its parts came to so far.
struct Frame<'s> {
    place: Place<'s>,
    todo: Vec<Place<'s>>,
    count: u64,
    height: usize,
}

impl Counted {
    /// Depth first without recursion; a schema that is met again while it is being counted adds nothing: the engine
    /// applies it to a value once.
    fn count(&mut self, place: &Place<'_>, path: &Path) -> Result<(), SchemaError> {
        let mut frames = Vec::new();
        self.enter(place.clone(), &mut frames);
        while let Some(frame) = frames.last_mut() {
            if let Some(part) = frame.todo.pop() {
                match self.by_address.get(&part.address()) {
                    Some((count, height)) => frame.add(*count, *height),
                    None => self.enter(part, &mut frames),
                }
                continue;
            }
            let (address, count, height) = (frame.place.address(), frame.count, frame.height);
            if count > IN_PLACE_MAX || height > IN_PLACE_HEIGHT_MAX {
                return Err(too_often(path, count, height));
            }
            self.by_address.insert(address, (count, height));
            frames.pop();
            if let Some(outer) = frames.last_mut() {
                outer.add(count, height);
            }
        }
        Ok(())
    }

    fn enter<'s>(&mut self, place: Place<'s>, frames: &mut Vec<Frame<'s>>) {
        if self.by_address.contains_key(&place.address()) {
            return;
        }
        self.by_address.insert(place.address(), (0, 0));
        let mut todo = place.targets().unwrap_or_default();
        if !place.is_bare_reference() {
            let parts = keyword::parts(place.value, &Path::root(), place.draft);
            let in_place = parts.into_iter().filter(|part| IN_PLACE.contains(&part.keyword));
            todo.extend(in_place.map(|part| place.part(part.value)));
        }
        frames.push(Frame {
            place,
            todo,
            count: 1,
            height: 1,
        });
    }
}

impl Frame<'_> {
    fn add(&mut self, count: u64, height: usize) {
        self.count = self.count.saturating_add(count);
        self.height = self.height.max(height + 1);
    }
}

fn too_often(path: &Path, count: u64, height: usize) -> SchemaError {
    let what = if height > IN_PLACE_HEIGHT_MAX {
        format!(
            "{height} references and combined schemas in a row apply to one value, at most {IN_PLACE_HEIGHT_MAX} may"
        )
    } else {
        format!("{count} schemas apply to one value, at most {IN_PLACE_MAX} may")
    };
    SchemaError::new(
        path,
        what,
        "say it with fewer references inside allOf, anyOf and oneOf",
    )
}
