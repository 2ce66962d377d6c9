//! Walking an outline, and collecting what is found.

use super::Input;
use crate::{
    Path,
    outline::{FieldDecl, Logical, Outline, Shape, ShapeKind, TypeDecl, TypeKind},
    text::Json,
};

/// What one rule found: places, what is wrong there, and how to mend it.
#[derive(Debug, Default)]
pub(super) struct Found(pub Vec<(Path, String, String)>);

impl Found {
    pub fn say(&mut self, path: &Path, what: impl Into<String>, mend: impl Into<String>) {
        self.0.push((path.clone(), what.into(), mend.into()));
    }
}

impl Input<'_> {
    /// The types that the schema itself declares.
    pub(super) fn types(&self) -> impl Iterator<Item = &TypeDecl> {
        self.outline.types.iter().filter(|declared| !declared.referenced)
    }

    pub(super) fn records(&self) -> impl Iterator<Item = &TypeDecl> {
        self.types().filter(|declared| declared.kind == TypeKind::Record)
    }

    pub(super) fn enums(&self) -> impl Iterator<Item = &TypeDecl> {
        self.types().filter(|declared| declared.kind == TypeKind::Enum)
    }

    /// Every field with the record that it stands in.
    pub(super) fn fields(&self) -> impl Iterator<Item = (&TypeDecl, &FieldDecl)> {
        self.records()
            .flat_map(|record| record.fields.iter().map(move |field| (record, field)))
    }

    /// The outermost record: for Protobuf the first message.
    pub(super) fn root(&self) -> Option<&TypeDecl> {
        match self.outline.root.kind {
            ShapeKind::Named(position) => self
                .outline
                .types
                .get(position)
                .filter(|declared| declared.kind == TypeKind::Record),
            _ => None,
        }
    }

    pub(super) fn named(&self, shape: &Shape) -> Option<&TypeDecl> {
        named(&self.outline, shape)
    }
}

/// The type that a shape names, past nullability and repetition.
pub(super) fn named<'o>(outline: &'o Outline, shape: &Shape) -> Option<&'o TypeDecl> {
    match leaf(shape).kind {
        ShapeKind::Named(position) => outline.types.get(position),
        _ => None,
    }
}

/// The shape without null: of `[null, T]` it is `T`.
pub(super) fn value(shape: &Shape) -> &Shape {
    match &shape.kind {
        ShapeKind::Union(parts) => {
            let mut others = parts.iter().filter(|part| part.kind != ShapeKind::Null);
            match (others.next(), others.next()) {
                (Some(one), None) => one,
                _ => shape,
            }
        }
        _ => shape,
    }
}

/// The innermost shape: past nullability, arrays and maps.
pub(super) fn leaf(shape: &Shape) -> &Shape {
    let mut at = value(shape);
    while let ShapeKind::Array(inner) | ShapeKind::Map(inner) = &at.kind {
        at = value(inner);
    }
    at
}

/// Every shape inside, the shape itself first.
pub(super) fn each<'s>(shape: &'s Shape, visit: &mut dyn FnMut(&'s Shape)) {
    visit(shape);
    match &shape.kind {
        ShapeKind::Array(inner) | ShapeKind::Map(inner) => each(inner, visit),
        ShapeKind::Union(parts) => parts.iter().for_each(|part| each(part, visit)),
        _ => {}
    }
}

pub(super) fn is_number(shape: &Shape) -> bool {
    matches!(shape.kind, ShapeKind::Integer { .. } | ShapeKind::Float { .. })
}

pub(super) fn is_time(logical: Option<&Logical>) -> bool {
    matches!(
        logical,
        Some(Logical::Timestamp { .. } | Logical::Date | Logical::Time)
    )
}

pub(super) fn is_decimal(shape: &Shape) -> bool {
    match &shape.logical {
        Some(Logical::Decimal { .. }) => true,
        Some(Logical::Other(name)) => matches!(name.as_str(), "decimal" | "big-decimal" | "money"),
        _ => false,
    }
}

/// A property of a field, at the field or at its type.
pub(super) fn prop<'f>(field: &'f FieldDecl, name: &str) -> Option<&'f Json> {
    let at_type = || leaf(&field.shape).props.iter();
    field
        .props
        .iter()
        .chain(at_type())
        .find(|(key, _)| key == name)
        .map(|(_, value)| value)
}

pub(super) fn doc(field: &FieldDecl) -> &str {
    field.doc.as_deref().unwrap_or_default().trim()
}

/// A shape in a few letters, for comparing fields across schemas.
pub(super) fn signature(outline: &Outline, shape: &Shape) -> String {
    let shape = value(shape);
    match &shape.kind {
        ShapeKind::Null => "null".into(),
        ShapeKind::Boolean => "boolean".into(),
        ShapeKind::Integer { .. } if shape.logical.is_none() => "integer".into(),
        ShapeKind::Float { .. } => "float".into(),
        ShapeKind::Array(inner) => format!("array of {}", signature(outline, inner)),
        ShapeKind::Map(inner) => format!("map of {}", signature(outline, inner)),
        ShapeKind::Union(_) => "union".into(),
        ShapeKind::Any => "any".into(),
        ShapeKind::Named(position) => outline
            .types
            .get(*position)
            .map_or("any".into(), |named| match named.kind {
                TypeKind::Record => format!("record {}", named.name),
                TypeKind::Enum => "enum".into(),
                TypeKind::Fixed => "bytes".into(),
            }),
        ShapeKind::Bytes | ShapeKind::String | ShapeKind::Integer { .. } => match &shape.logical {
            None if shape.kind == ShapeKind::Bytes => "bytes".into(),
            None => "string".into(),
            Some(Logical::Decimal { .. }) => "decimal".into(),
            Some(Logical::Uuid) => "uuid".into(),
            Some(Logical::Date) => "date".into(),
            Some(Logical::Time) => "time of day".into(),
            Some(Logical::Timestamp { .. }) => "timestamp".into(),
            Some(Logical::Duration) => "duration".into(),
            Some(Logical::Other(name)) => name.clone(),
        },
    }
}

/// A shape in words, with nullability and width.
pub(crate) fn type_text(outline: &Outline, shape: &Shape) -> String {
    match &shape.kind {
        ShapeKind::Union(parts) if std::ptr::eq(value(shape), shape) => {
            let texts: Vec<String> = parts.iter().map(|part| type_text(outline, part)).collect();
            format!("one of {}", texts.join(", "))
        }
        ShapeKind::Union(_) => format!("{} or null", type_text(outline, value(shape))),
        ShapeKind::Array(inner) => format!("array of {}", type_text(outline, inner)),
        ShapeKind::Map(inner) => format!("map of {}", type_text(outline, inner)),
        ShapeKind::Integer { bits, signed } if *bits > 0 && shape.logical.is_none() => {
            format!("{}int{bits}", if *signed { "" } else { "u" })
        }
        ShapeKind::Float { bits } => format!("float{bits}"),
        _ => match &shape.logical {
            Some(Logical::Decimal { precision, scale }) => format!("decimal({precision}, {scale})"),
            _ => signature(outline, shape),
        },
    }
}
