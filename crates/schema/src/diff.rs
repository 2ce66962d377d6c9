//! What changed between two versions, in the words of the outline.

use crate::{
    Path,
    outline::{FieldDecl, Outline, TypeDecl},
};

/// What happened to a type, field or symbol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChangeKind {
    Added,
    Removed,
    /// Its type, default or number.
    Changed,
    Renamed,
    /// Its documentation alone.
    Documented,
}

impl ChangeKind {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            ChangeKind::Added => "added",
            ChangeKind::Removed => "removed",
            ChangeKind::Changed => "changed",
            ChangeKind::Renamed => "renamed",
            ChangeKind::Documented => "documented",
        }
    }
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub kind: ChangeKind,
    pub path: Path,
    /// What was there; empty when it was added.
    pub old: String,
    /// What is there; empty when it was removed.
    pub new: String,
}

/// Every change from `old` to `new`, in the order of the new version, removals last.
///
/// ```
/// use schema::{Format, Schema, Source, diff::{ChangeKind, diff}};
/// let parse = |text: &str| Schema::parse(&Source::new(Format::Avro, text)).map(|schema| schema.outline());
/// let old = parse(r#"{"type":"record","name":"A","fields":[{"name":"x","type":"int"}]}"#)?;
/// let new = parse(r#"{"type":"record","name":"A","fields":[{"name":"x","type":"long"}]}"#)?;
/// let changes = diff(&old, &new);
/// assert_eq!((changes[0].kind, changes[0].path.as_str()), (ChangeKind::Changed, "/x"));
/// # Ok::<(), schema::SchemaError>(())
/// ```
pub fn diff(old: &Outline, new: &Outline) -> Vec<Change> {
    let mut changes = Vec::new();
    for (position, declared) in new.types.iter().enumerate() {
        let before = old
            .types
            .iter()
            .find(|before| before.name == declared.name && before.kind == declared.kind);
        // The outermost type is the same one, whatever it is called.
        let root = old
            .types
            .first()
            .filter(|before| position == 0 && before.kind == declared.kind);
        match before.or(root) {
            None => changes.push(added(&declared.path, &declared.name)),
            Some(before) => types(old, before, new, declared, &mut changes),
        }
    }
    let first = new.types.first().map(|declared| declared.kind);
    for (position, before) in old.types.iter().enumerate() {
        let is_root = position == 0 && first == Some(before.kind);
        if !is_root
            && !new
                .types
                .iter()
                .any(|declared| declared.name == before.name && declared.kind == before.kind)
        {
            changes.push(removed(&before.path, &before.name));
        }
    }
    changes
}

fn added(path: &Path, what: &str) -> Change {
    Change {
        kind: ChangeKind::Added,
        path: path.clone(),
        old: String::new(),
        new: what.to_owned(),
    }
}

fn removed(path: &Path, what: &str) -> Change {
    Change {
        kind: ChangeKind::Removed,
        path: path.clone(),
        old: what.to_owned(),
        new: String::new(),
    }
}

fn change(kind: ChangeKind, path: &Path, old: &str, new: &str) -> Change {
    Change {
        kind,
        path: path.clone(),
        old: old.to_owned(),
        new: new.to_owned(),
    }
}

fn types(old: &Outline, before: &TypeDecl, new: &Outline, declared: &TypeDecl, changes: &mut Vec<Change>) {
    if before.name != declared.name {
        changes.push(change(
            ChangeKind::Renamed,
            &declared.path,
            &before.name,
            &declared.name,
        ));
    }
    documented(
        &declared.path,
        before.doc.as_deref(),
        declared.doc.as_deref(),
        changes,
    );
    for field in &declared.fields {
        match same(&before.fields, field) {
            None => changes.push(added(&field.path, &show(new, field))),
            Some(was) => {
                if was.name != field.name {
                    changes.push(change(ChangeKind::Renamed, &field.path, &was.name, &field.name));
                }
                let (from, to) = (show(old, was), show(new, field));
                if from != to {
                    changes.push(change(ChangeKind::Changed, &field.path, &from, &to));
                }
                documented(&field.path, was.doc.as_deref(), field.doc.as_deref(), changes);
            }
        }
    }
    let is_gone = |was: &&FieldDecl| {
        !declared
            .fields
            .iter()
            .any(|field| same(std::slice::from_ref(was), field).is_some())
    };
    changes.extend(
        before
            .fields
            .iter()
            .filter(is_gone)
            .map(|was| removed(&was.path, &show(old, was))),
    );
    let has = |list: &TypeDecl, name: &str| list.symbols.iter().any(|symbol| symbol.name == name);
    let fresh = declared
        .symbols
        .iter()
        .filter(|symbol| !has(before, &symbol.name));
    changes.extend(fresh.map(|symbol| added(&symbol.path, &symbol.name)));
    let gone = before
        .symbols
        .iter()
        .filter(|symbol| !has(declared, &symbol.name));
    changes.extend(gone.map(|symbol| removed(&symbol.path, &symbol.name)));
}

fn documented(path: &Path, old: Option<&str>, new: Option<&str>, changes: &mut Vec<Change>) {
    let (old, new) = (old.unwrap_or_default(), new.unwrap_or_default());
    if old != new {
        changes.push(change(ChangeKind::Documented, path, old, new));
    }
}

/// The same field: by number where there are numbers, else by name or alias.
fn same<'f>(fields: &'f [FieldDecl], field: &FieldDecl) -> Option<&'f FieldDecl> {
    fields.iter().find(|was| match field.number {
        Some(_) => was.number == field.number,
        None => was.name == field.name || field.aliases.contains(&was.name),
    })
}

/// A field's type and default.
fn show(outline: &Outline, field: &FieldDecl) -> String {
    let typed = crate::lint::type_text(outline, &field.shape);
    let default = field
        .default
        .as_ref()
        .map(|default| format!(" = {default}"))
        .unwrap_or_default();
    let required = if field.required && outline.format != crate::Format::Avro {
        ", required"
    } else {
        ""
    };
    format!("{typed}{default}{required}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Format, Schema, Source};

    #[test]
    fn every_kind_of_change_is_told() {
        let parse = |text: &str| Schema::parse(&Source::new(Format::Avro, text)).unwrap().outline();
        let old = parse(
            r#"{"type":"record","name":"A","fields":[{"name":"x","type":"int"},{"name":"y","type":"string"},
            {"name":"z","type":{"type":"enum","name":"E","symbols":["P","Q"]}}]}"#,
        );
        let new = parse(
            r#"{"type":"record","name":"B","fields":[{"name":"w","type":["null","int"],"default":null,"aliases":["x"],"doc":"d"},
            {"name":"z","type":{"type":"enum","name":"E","symbols":["P","R"]}},{"name":"n","type":"bytes"}]}"#,
        );
        let told: Vec<(&str, String)> = diff(&old, &new)
            .iter()
            .map(|c| (c.kind.name(), c.path.to_string()))
            .collect();
        let wanted = [
            ("renamed", "/"),
            ("renamed", "/w"),
            ("changed", "/w"),
            ("documented", "/w"),
            ("added", "/n"),
            ("removed", "/y"),
            ("added", "/z/#R"),
            ("removed", "/z/#Q"),
        ];
        assert_eq!(told, wanted.map(|(kind, path)| (kind, path.to_owned())));
        assert_eq!(diff(&old, &old), []);
    }
}
