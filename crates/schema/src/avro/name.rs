//! Names of types: simple, full, and what may be one.

use std::{fmt, sync::Arc};

/// The eight primitive types, in the order of the specification.
pub const PRIMITIVES: [&str; 8] = [
    "null", "boolean", "int", "long", "float", "double", "bytes", "string",
];

/// A full name: an optional namespace and a simple name, joined by a dot. Cheap to clone.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name {
    full: Arc<str>,
    /// Bytes of the namespace; 0 when there is none.
    namespace_bytes: usize,
}

impl Name {
    /// A name as it is written in a schema: `name` may hold dots, and then `namespace` does not count.
    ///
    /// The error says what is wrong with it.
    pub fn new(name: &str, namespace: Option<&str>) -> Result<Name, String> {
        let full = match namespace {
            Some(namespace) if !name.contains('.') && !namespace.is_empty() => format!("{namespace}.{name}"),
            // Java writes `.Name` for a name in no namespace.
            _ => name.strip_prefix('.').unwrap_or(name).to_owned(),
        };
        if let Some(wrong) = full.split('.').find(|part| !is_identifier(part)) {
            return Err(format!(
                "{wrong:?} in the name {full:?} is not letters, digits and _ only, or starts with a digit"
            ));
        }
        let namespace_bytes = full.rfind('.').unwrap_or(0);
        Ok(Name {
            full: full.into(),
            namespace_bytes,
        })
    }

    /// With the namespace.
    pub fn full(&self) -> &str {
        &self.full
    }

    /// Without the namespace.
    pub fn simple(&self) -> &str {
        let from = if self.namespace_bytes == 0 {
            0
        } else {
            self.namespace_bytes + 1
        };
        self.full.get(from..).unwrap_or_default()
    }

    /// The namespace alone.
    pub fn namespace(&self) -> Option<&str> {
        self.full
            .get(..self.namespace_bytes)
            .filter(|namespace| !namespace.is_empty())
    }

    /// As it is written where `enclosing` is the namespace: simple when that says enough.
    pub fn seen_from(&self, enclosing: Option<&str>) -> &str {
        // A simple name that is a primitive's would be read as that.
        let simple_says_enough = self.namespace() == enclosing && !is_primitive(self.simple());
        if simple_says_enough {
            self.simple()
        } else {
            self.full()
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.full)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.full)
    }
}

/// Whether `name` is one of the eight primitive types.
pub fn is_primitive(name: &str) -> bool {
    PRIMITIVES.contains(&name)
}

/// Whether `name` may name a field, a symbol or a part of a full name.
pub fn is_identifier(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dotted_name_carries_its_own_namespace() {
        let name = Name::new("a.b.C", Some("x")).unwrap();
        assert_eq!(
            (name.full(), name.simple(), name.namespace()),
            ("a.b.C", "C", Some("a.b"))
        );
        let name = Name::new("C", Some("x.y")).unwrap();
        assert_eq!(
            (name.full(), name.simple(), name.namespace()),
            ("x.y.C", "C", Some("x.y"))
        );
        let name = Name::new("C", Some("")).unwrap();
        assert_eq!((name.full(), name.simple(), name.namespace()), ("C", "C", None));
        assert_eq!(Name::new(".C", Some("x")).unwrap().full(), "C");
    }

    #[test]
    fn a_name_is_as_short_as_the_enclosing_namespace_allows() {
        let name = Name::new("a.C", None).unwrap();
        assert_eq!(name.seen_from(Some("a")), "C");
        assert_eq!(name.seen_from(Some("b")), "a.C");
        assert_eq!(Name::new("a.int", None).unwrap().seen_from(Some("a")), "a.int");
    }

    #[test]
    fn names_are_letters_digits_and_underscores() {
        for wrong in ["", "1a", "a-b", "a..b", "a.", "é"] {
            assert!(Name::new(wrong, None).is_err(), "{wrong}");
        }
    }
}
