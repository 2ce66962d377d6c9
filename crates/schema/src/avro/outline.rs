//! An Avro schema seen as an [`Outline`].

use std::collections::HashMap;

use super::{
    model::{AvroSchema, Kind, LogicalType, Type, TypeId},
    walk,
};
use crate::{
    Format, Path,
    outline::{FieldDecl, Logical, Outline, Shape, ShapeKind, SymbolDecl, TypeDecl, TypeKind},
    text::Json,
};

impl AvroSchema {
    /// The format-neutral view.
    pub fn outline(&self) -> Outline {
        let mut places = HashMap::new();
        let mut order = Vec::new();
        let visited = walk::each_type::<()>(self, &mut |id, path| {
            if self.kind(id).name().is_some() {
                places.insert(id, order.len());
                order.push((id, path.clone()));
            }
            Ok(())
        });
        debug_assert!(visited.is_ok(), "the visitor refuses nothing");
        let shapes = Shapes { schema: self, places };
        Outline {
            format: Format::Avro,
            types: order
                .iter()
                .filter_map(|(id, path)| shapes.declaration(*id, path))
                .collect(),
            root: shapes.of(self.root()),
        }
    }
}

struct Shapes<'a> {
    schema: &'a AvroSchema,
    places: HashMap<TypeId, usize>,
}

impl Shapes<'_> {
    fn declaration(&self, id: TypeId, path: &Path) -> Option<TypeDecl> {
        let found = self.schema.get(id);
        let name = found.kind.name()?;
        let mut decl = TypeDecl {
            path: path.clone(),
            kind: TypeKind::Record,
            name: name.simple().to_owned(),
            namespace: name.namespace().map(str::to_owned),
            doc: None,
            aliases: found.kind.aliases().iter().map(ToString::to_string).collect(),
            fields: Vec::new(),
            symbols: Vec::new(),
            default_symbol: None,
            size: None,
            props: found.props.clone(),
            referenced: false,
        };
        match &found.kind {
            Kind::Record(record) => {
                decl.doc.clone_from(&record.doc);
                decl.referenced = record.referenced;
                decl.fields = record
                    .fields
                    .iter()
                    .map(|field| self.field(field, path))
                    .collect();
            }
            Kind::Enum(symbols) => {
                decl.kind = TypeKind::Enum;
                decl.doc.clone_from(&symbols.doc);
                decl.referenced = symbols.referenced;
                decl.default_symbol.clone_from(&symbols.default);
                let symbol = |name: &String| SymbolDecl {
                    path: path.symbol(name),
                    name: name.clone(),
                    number: None,
                    doc: None,
                };
                decl.symbols = symbols.symbols.iter().map(symbol).collect();
            }
            Kind::Fixed(fixed) => {
                decl.kind = TypeKind::Fixed;
                decl.doc.clone_from(&fixed.doc);
                decl.referenced = fixed.referenced;
                decl.size = Some(fixed.size);
            }
            _ => return None,
        }
        Some(decl)
    }

    fn field(&self, field: &super::model::Field, path: &Path) -> FieldDecl {
        let deprecated = field
            .props
            .iter()
            .any(|(name, value)| name == "deprecated" && !matches!(value, Json::Bool(false) | Json::Null));
        FieldDecl {
            path: path.field(&field.name),
            name: field.name.clone(),
            doc: field.doc.clone(),
            shape: self.of(field.schema),
            default: field.default.clone(),
            aliases: field.aliases.clone(),
            number: None,
            required: field.default.is_none(),
            deprecated,
            oneof: None,
            props: field.props.clone(),
        }
    }

    fn of(&self, id: TypeId) -> Shape {
        let found = self.schema.get(id);
        let kind = match &found.kind {
            Kind::Null => ShapeKind::Null,
            Kind::Boolean => ShapeKind::Boolean,
            Kind::Int => ShapeKind::Integer {
                bits: 32,
                signed: true,
            },
            Kind::Long => ShapeKind::Integer {
                bits: 64,
                signed: true,
            },
            Kind::Float => ShapeKind::Float { bits: 32 },
            Kind::Double => ShapeKind::Float { bits: 64 },
            Kind::Bytes => ShapeKind::Bytes,
            Kind::String => ShapeKind::String,
            Kind::Array(items) => ShapeKind::Array(Box::new(self.of(*items))),
            Kind::Map(values) => ShapeKind::Map(Box::new(self.of(*values))),
            Kind::Union(branches) => {
                ShapeKind::Union(branches.iter().map(|branch| self.of(*branch)).collect())
            }
            Kind::Record(_) | Kind::Enum(_) | Kind::Fixed(_) => self
                .places
                .get(&id)
                .map_or(ShapeKind::Any, |place| ShapeKind::Named(*place)),
        };
        let named = found.kind.name().is_some();
        Shape {
            kind,
            logical: logical(found),
            props: if named { Vec::new() } else { found.props.clone() },
        }
    }
}

fn logical(found: &Type) -> Option<Logical> {
    let Some(logical) = found.logical else {
        let unknown = found.props.iter().find(|(name, _)| name == "logicalType");
        return unknown
            .and_then(|(_, value)| value.as_str())
            .map(|name| Logical::Other(name.to_owned()));
    };
    Some(match logical {
        LogicalType::Decimal { precision, scale } => Logical::Decimal { precision, scale },
        LogicalType::BigDecimal => Logical::Other("big-decimal".into()),
        LogicalType::Uuid => Logical::Uuid,
        LogicalType::Date => Logical::Date,
        LogicalType::TimeMillis | LogicalType::TimeMicros => Logical::Time,
        LogicalType::TimestampMillis | LogicalType::TimestampMicros | LogicalType::TimestampNanos => {
            Logical::Timestamp { local: false }
        }
        LogicalType::LocalTimestampMillis
        | LogicalType::LocalTimestampMicros
        | LogicalType::LocalTimestampNanos => Logical::Timestamp { local: true },
        LogicalType::Duration => Logical::Duration,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recursive_record_is_declared_once() {
        let schema = AvroSchema::parse(
            r#"{"type":"record","name":"n.Node","fields":[
                {"name":"next","type":["null","Node"],"default":null},
                {"name":"at","type":{"type":"long","logicalType":"timestamp-millis"}}]}"#,
        )
        .unwrap();
        let outline = schema.outline();
        assert_eq!(outline.root.kind, ShapeKind::Named(0));
        let node = &outline.types[0];
        assert_eq!(
            (node.name.as_str(), node.namespace.as_deref()),
            ("Node", Some("n"))
        );
        assert_eq!(node.fields[0].path.as_str(), "/next");
        let ShapeKind::Union(branches) = &node.fields[0].shape.kind else {
            panic!("not a union")
        };
        assert_eq!(branches[1].kind, ShapeKind::Named(0));
        assert!(!node.fields[0].required && node.fields[1].required);
        assert_eq!(
            node.fields[1].shape.logical,
            Some(Logical::Timestamp { local: false })
        );
    }
}
