//! Where inside a schema something is.

use std::fmt;

/// A place inside a schema, by names, so that it stays when fields are reordered or a branch is added.
///
/// Segments are joined by `/`: a field's name, `[]` the items of an array, `{}` the values of a map, `<name>` a branch
/// of a union (a `oneof`, `anyOf`), `#SYMBOL` a symbol of an enum. `/` and `~` inside a name are written `~1` and `~0`.
///
/// ```
/// use schema::Path;
/// let path = Path::root().field("lines").items().field("price").branch("null");
/// assert_eq!(path.to_string(), "/lines/[]/price/<null>");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Path(String);

impl Path {
    /// The schema itself, shown as `/`.
    pub fn root() -> Path {
        Path::default()
    }

    /// A field, property or definition of that name.
    pub fn field(&self, name: &str) -> Path {
        self.with(&escape(name))
    }

    /// The items of an array.
    pub fn items(&self) -> Path {
        self.with("[]")
    }

    /// The values of a map.
    pub fn values(&self) -> Path {
        self.with("{}")
    }

    /// A branch of a union, by the name of its type.
    pub fn branch(&self, name: &str) -> Path {
        self.with(&format!("<{}>", escape(name)))
    }

    /// A symbol of an enum.
    pub fn symbol(&self, name: &str) -> Path {
        self.with(&format!("#{}", escape(name)))
    }

    /// Any other segment, as it is.
    pub fn with(&self, segment: &str) -> Path {
        Path(format!("{}/{segment}", self.0))
    }

    /// The path as text; `/` for the schema itself.
    pub fn as_str(&self) -> &str {
        if self.0.is_empty() { "/" } else { &self.0 }
    }
}

fn escape(name: &str) -> String {
    if name.contains(['/', '~']) {
        name.replace('~', "~0").replace('/', "~1")
    } else {
        name.to_owned()
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slash_in_a_name_is_not_a_new_segment() {
        assert_eq!(Path::root().as_str(), "/");
        assert_eq!(Path::root().field("a/b~c").as_str(), "/a~1b~0c");
        assert_eq!(
            Path::root().field("m").values().symbol("RED").as_str(),
            "/m/{}/#RED"
        );
    }
}
