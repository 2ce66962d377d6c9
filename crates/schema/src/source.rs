//! What comes in: a schema's text, its format, and the texts it refers to.

use std::{collections::HashSet, fmt, str::FromStr};

use crate::{Limits, SchemaError};

/// The language that a schema is written in. Displayed as Schema Registry's `schemaType`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Format {
    Avro,
    Json,
    Protobuf,
}

impl Format {
    /// The name in Schema Registry's REST API.
    pub fn name(self) -> &'static str {
        match self {
            Format::Avro => "AVRO",
            Format::Json => "JSON",
            Format::Protobuf => "PROTOBUF",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Not one of AVRO, JSON, PROTOBUF.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown schema type {0}: AVRO, JSON and PROTOBUF are known")]
pub struct UnknownFormat(pub String);

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(name: &str) -> Result<Format, UnknownFormat> {
        match name.to_ascii_uppercase().as_str() {
            "AVRO" => Ok(Format::Avro),
            "JSON" => Ok(Format::Json),
            "PROTOBUF" => Ok(Format::Protobuf),
            _ => Err(UnknownFormat(name.to_owned())),
        }
    }
}

/// Another registered schema that a schema names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reference {
    /// What the referring text calls it: an Avro full name, a JSON Schema URI, a Protobuf import path.
    pub name: String,
    pub subject: String,
    pub version: i32,
    pub text: String,
    /// What the referenced text itself refers to.
    pub references: Vec<Reference>,
}

/// A schema as it was registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    pub format: Format,
    pub text: String,
    pub references: Vec<Reference>,
}

impl Source {
    /// A schema that refers to nothing.
    pub fn new(format: Format, text: impl Into<String>) -> Source {
        Source {
            format,
            text: text.into(),
            references: Vec::new(),
        }
    }

    /// The same schema with what it refers to.
    pub fn with_references(mut self, references: Vec<Reference>) -> Source {
        self.references = references;
        self
    }

    /// Every reference, direct and further, each name once, what is referred to before what refers to it.
    ///
    /// Refuses texts and numbers of references above `limits`, and nesting above its depth.
    pub fn references_in_order<'a>(&'a self, limits: &'a Limits) -> Result<Vec<&'a Reference>, SchemaError> {
        limits.check_text(&crate::Path::root(), &self.text)?;
        let mut walk = Walk {
            limits,
            seen: HashSet::new(),
            order: Vec::new(),
            visited: 0,
        };
        walk.all(&self.references, 1)?;
        Ok(walk.order)
    }
}

struct Walk<'a> {
    limits: &'a Limits,
    seen: HashSet<&'a str>,
    order: Vec<&'a Reference>,
    /// Visits, not distinct names: a tree that repeats itself is bounded too.
    visited: usize,
}

impl<'a> Walk<'a> {
    fn all(&mut self, references: &'a [Reference], depth: usize) -> Result<(), SchemaError> {
        for reference in references {
            self.visited += 1;
            self.limits.check_references(self.visited)?;
            let path = crate::Path::root().field(&reference.name);
            self.limits.check_depth(&path, depth)?;
            self.limits.check_text(&path, &reference.text)?;
            if !self.seen.insert(&reference.name) {
                continue;
            }
            self.all(&reference.references, depth + 1)?;
            self.order.push(reference);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reference(name: &str, references: Vec<Reference>) -> Reference {
        Reference {
            name: name.into(),
            subject: name.into(),
            version: 1,
            text: "\"int\"".into(),
            references,
        }
    }

    #[test]
    fn what_is_referred_to_comes_first_and_once() {
        let c = reference("c", vec![]);
        let b = reference("b", vec![c.clone()]);
        let source = Source::new(Format::Avro, "\"int\"").with_references(vec![b, c]);
        let limits = Limits::default();
        let names: Vec<_> = source
            .references_in_order(&limits)
            .unwrap()
            .iter()
            .map(|r| &r.name)
            .collect();
        assert_eq!(names, ["c", "b"]);
    }

    #[test]
    fn references_are_bounded_in_number_depth_and_bytes() {
        let limits = Limits {
            text_bytes_max: 5,
            depth_max: 2,
            references_max: 3,
            ..Limits::default()
        };
        let chain = |depth: usize| {
            (1..depth).fold(reference("r0", vec![]), |inner, n| {
                reference(&format!("r{n}"), vec![inner])
            })
        };
        let check = |references| {
            Source::new(Format::Avro, "\"int\"")
                .with_references(references)
                .references_in_order(&limits)
                .is_ok()
        };
        assert!(check(vec![chain(2)]));
        assert!(!check(vec![chain(3)]));
        assert!(check(vec![
            reference("a", vec![]),
            reference("b", vec![]),
            reference("c", vec![])
        ]));
        assert!(!check(vec![reference("a", vec![]); 4]));
        assert!(!check(vec![Reference {
            text: "\"long\"".into(),
            ..reference("a", vec![])
        }]));
    }

    #[test]
    fn a_format_reads_back_its_name() {
        for format in [Format::Avro, Format::Json, Format::Protobuf] {
            assert_eq!(format.name().parse(), Ok(format));
        }
        assert!("THRIFT".parse::<Format>().is_err());
    }
}
