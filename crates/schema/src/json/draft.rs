//! The five drafts that are spoken, and how a schema names its own.

use std::fmt;

use serde_json::Value;

/// A version of JSON Schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Draft {
    Draft4,
    Draft6,
    Draft7,
    Draft201909,
    Draft202012,
}

impl Draft {
    /// Every draft, oldest first.
    pub const ALL: [Draft; 5] = [
        Draft::Draft4,
        Draft::Draft6,
        Draft::Draft7,
        Draft::Draft201909,
        Draft::Draft202012,
    ];

    /// What a schema without `$schema` is read as: draft 7, as Schema Registry does.
    pub const UNSTATED: Draft = Draft::Draft7;

    /// The meta-schema's address, the value of `$schema`.
    pub fn uri(self) -> &'static str {
        match self {
            Draft::Draft4 => "http://json-schema.org/draft-04/schema#",
            Draft::Draft6 => "http://json-schema.org/draft-06/schema#",
            Draft::Draft7 => "http://json-schema.org/draft-07/schema#",
            Draft::Draft201909 => "https://json-schema.org/draft/2019-09/schema",
            Draft::Draft202012 => "https://json-schema.org/draft/2020-12/schema",
        }
    }

    /// The draft that `$schema` names; nothing for a meta-schema of somebody's own.
    pub fn of_uri(uri: &str) -> Option<Draft> {
        known(referencing::Draft::from_schema_uri(uri))
    }

    /// The keyword that gives a schema its address.
    pub fn id_keyword(self) -> &'static str {
        if self == Draft::Draft4 { "id" } else { "$id" }
    }

    /// Before 2019-09 everything beside a `$ref` is ignored.
    pub fn ref_stands_alone(self) -> bool {
        self <= Draft::Draft7
    }

    pub(crate) fn engine(self) -> referencing::Draft {
        match self {
            Draft::Draft4 => referencing::Draft::Draft4,
            Draft::Draft6 => referencing::Draft::Draft6,
            Draft::Draft7 => referencing::Draft::Draft7,
            Draft::Draft201909 => referencing::Draft::Draft201909,
            Draft::Draft202012 => referencing::Draft::Draft202012,
        }
    }

    /// The draft in the engine's words; a meta-schema of somebody's own is read as the newest.
    pub(crate) fn of_engine(draft: referencing::Draft) -> Draft {
        known(draft).unwrap_or(Draft::Draft202012)
    }

    /// The draft that `schema` states.
    pub(crate) fn stated(schema: &Value) -> Stated<'_> {
        match schema.get("$schema").and_then(Value::as_str) {
            None => Stated::Nothing,
            Some(uri) => match Draft::of_uri(uri) {
                Some(draft) => Stated::Known(draft),
                None => Stated::Other(uri),
            },
        }
    }
}

/// What `$schema` says.
pub(crate) enum Stated<'a> {
    Nothing,
    Known(Draft),
    /// A meta-schema of somebody's own.
    Other(&'a str),
}

fn known(draft: referencing::Draft) -> Option<Draft> {
    Draft::ALL
        .into_iter()
        .find(|candidate| candidate.engine() == draft)
}

impl fmt::Display for Draft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Draft::Draft4 => "draft 4",
            Draft::Draft6 => "draft 6",
            Draft::Draft7 => "draft 7",
            Draft::Draft201909 => "draft 2019-09",
            Draft::Draft202012 => "draft 2020-12",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draft_is_found_by_its_address() {
        for draft in Draft::ALL {
            assert_eq!(Draft::of_uri(draft.uri()), Some(draft));
            assert_eq!(Draft::of_engine(draft.engine()), draft);
        }
        assert_eq!(Draft::of_uri("http://example.com/schema"), None);
    }
}
