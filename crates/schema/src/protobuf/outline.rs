//! The format-neutral view of a Protobuf file.

use std::collections::HashMap;

use prost_reflect::{
    Cardinality, DynamicMessage, EnumDescriptor, FieldDescriptor, FileDescriptor, Kind, MessageDescriptor,
    Value,
};

use super::comments::ByPath;
use crate::{
    Format, Path,
    outline::{FieldDecl, Logical, Outline, Shape, ShapeKind, SymbolDecl, TypeDecl, TypeKind},
    text::Json,
};

/// Messages and enums of the file in their order, then what they use of imported files.
pub(super) fn outline(file: &FileDescriptor) -> Outline {
    let mut view = View {
        file,
        types: Vec::new(),
        positions: HashMap::new(),
        comments: HashMap::new(),
        open: Vec::new(),
    };
    for message in file.messages() {
        view.declare_message(&message);
    }
    file.enums().for_each(|of| {
        view.enum_position(&of);
    });
    while let Some((position, message)) = view.open.pop() {
        let fields = message.fields().map(|field| view.field(&field)).collect();
        if let Some(declared) = view.types.get_mut(position) {
            declared.fields = fields;
        }
    }
    let root = match view.types.first() {
        Some(_) => Shape::plain(ShapeKind::Named(0)),
        None => Shape::plain(ShapeKind::Any),
    };
    Outline {
        format: Format::Protobuf,
        types: view.types,
        root,
    }
}

struct View<'a> {
    file: &'a FileDescriptor,
    types: Vec<TypeDecl>,
    positions: HashMap<String, usize>,
    comments: HashMap<String, ByPath>,
    /// Declared messages whose fields are still to be read.
    open: Vec<(usize, MessageDescriptor)>,
}

impl View<'_> {
    fn declare_message(&mut self, message: &MessageDescriptor) {
        self.message_position(message);
        message.child_enums().for_each(|of| {
            self.enum_position(&of);
        });
        for child in message.child_messages().filter(|child| !child.is_map_entry()) {
            self.declare_message(&child);
        }
    }

    fn doc(&mut self, file: &FileDescriptor, path: &[i32]) -> Option<String> {
        let proto = file.file_descriptor_proto();
        self.comments
            .entry(file.name().to_owned())
            .or_insert_with(|| ByPath::of(proto))
            .doc(path)
    }

    fn declaration(
        &mut self,
        file: &FileDescriptor,
        path: &[i32],
        kind: TypeKind,
        full_name: &str,
    ) -> TypeDecl {
        let package = file.package_name();
        let name = full_name
            .strip_prefix(package)
            .map_or(full_name, |name| name.trim_start_matches('.'));
        TypeDecl {
            path: type_path(name),
            kind,
            name: name.to_owned(),
            namespace: (!package.is_empty()).then(|| package.to_owned()),
            doc: self.doc(file, path),
            aliases: Vec::new(),
            fields: Vec::new(),
            symbols: Vec::new(),
            default_symbol: None,
            size: None,
            props: Vec::new(),
            referenced: file.name() != self.file.name(),
        }
    }

    fn message_position(&mut self, message: &MessageDescriptor) -> usize {
        if let Some(position) = self.positions.get(message.full_name()) {
            return *position;
        }
        let file = message.parent_file();
        let mut declared = self.declaration(&file, message.path(), TypeKind::Record, message.full_name());
        let options = message.options();
        declared.doc = declared
            .doc
            .or_else(|| meta(&options).and_then(|meta| text(&meta, "doc")));
        declared.props = props(&options);
        reserved(message, &mut declared.props);
        let position = self.add(message.full_name(), declared);
        self.open.push((position, message.clone()));
        position
    }

    fn enum_position(&mut self, of: &EnumDescriptor) -> usize {
        if let Some(position) = self.positions.get(of.full_name()) {
            return *position;
        }
        let file = of.parent_file();
        let mut declared = self.declaration(&file, of.path(), TypeKind::Enum, of.full_name());
        declared.props = props(&of.options());
        for value in of.values() {
            declared.symbols.push(SymbolDecl {
                path: declared.path.symbol(value.name()),
                name: value.name().to_owned(),
                number: Some(value.number()),
                doc: self.doc(&file, value.path()),
            });
        }
        declared.default_symbol = Some(of.default_value().name().to_owned());
        self.add(of.full_name(), declared)
    }

    fn add(&mut self, full_name: &str, declared: TypeDecl) -> usize {
        let position = self.types.len();
        self.types.push(declared);
        self.positions.insert(full_name.to_owned(), position);
        position
    }

    fn field(&mut self, field: &FieldDescriptor) -> FieldDecl {
        let parent = field.parent_message();
        let file = parent.parent_file();
        let options = field.options();
        let meta = meta(&options);
        let doc = self
            .doc(&file, field.path())
            .or_else(|| meta.as_ref().and_then(|meta| text(meta, "doc")));
        let position = self
            .positions
            .get(parent.full_name())
            .copied()
            .unwrap_or_default();
        let path = self
            .types
            .get(position)
            .map(|declared| declared.path.clone())
            .unwrap_or_default();
        let proto = field.field_descriptor_proto();
        let default = proto.default_value.clone().map(Json::String);
        FieldDecl {
            path: path.field(field.name()),
            name: field.name().to_owned(),
            doc,
            shape: self.shape(field),
            default,
            aliases: Vec::new(),
            number: i32::try_from(field.number()).ok(),
            required: field.cardinality() == Cardinality::Required,
            deprecated: proto.options.as_ref().is_some_and(|options| options.deprecated()),
            oneof: field
                .containing_oneof()
                .filter(|o| !o.is_synthetic())
                .map(|o| o.name().to_owned()),
            props: props(&options),
        }
    }

    fn shape(&mut self, field: &FieldDescriptor) -> Shape {
        if let (true, Kind::Message(entry)) = (field.is_map(), field.kind()) {
            let value = self.kind(&entry.map_entry_value_field().kind());
            return Shape::plain(ShapeKind::Map(Box::new(value)));
        }
        let shape = self.kind(&field.kind());
        match field.cardinality() {
            Cardinality::Repeated => Shape::plain(ShapeKind::Array(Box::new(shape))),
            _ => shape,
        }
    }

    fn kind(&mut self, kind: &Kind) -> Shape {
        let integer = |bits, signed| Shape::plain(ShapeKind::Integer { bits, signed });
        match kind {
            Kind::Double => Shape::plain(ShapeKind::Float { bits: 64 }),
            Kind::Float => Shape::plain(ShapeKind::Float { bits: 32 }),
            Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => integer(32, true),
            Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => integer(64, true),
            Kind::Uint32 | Kind::Fixed32 => integer(32, false),
            Kind::Uint64 | Kind::Fixed64 => integer(64, false),
            Kind::Bool => Shape::plain(ShapeKind::Boolean),
            Kind::String => Shape::plain(ShapeKind::String),
            Kind::Bytes => Shape::plain(ShapeKind::Bytes),
            Kind::Message(message) => match well_known(message.full_name()) {
                Some(shape) => shape,
                None => Shape::plain(ShapeKind::Named(self.message_position(message))),
            },
            Kind::Enum(of) => Shape::plain(ShapeKind::Named(self.enum_position(of))),
        }
    }
}

fn type_path(name: &str) -> Path {
    name.split('.').fold(Path::root(), |path, part| path.field(part))
}

/// What the well-known types mean.
fn well_known(full_name: &str) -> Option<Shape> {
    let shape = |kind, logical| {
        Some(Shape {
            kind,
            logical: Some(logical),
            props: Vec::new(),
        })
    };
    let nullable = |kind| {
        Some(Shape::plain(ShapeKind::Union(vec![
            Shape::plain(ShapeKind::Null),
            Shape::plain(kind),
        ])))
    };
    let integer = |bits, signed| ShapeKind::Integer { bits, signed };
    match full_name {
        "google.protobuf.Timestamp" => shape(integer(64, true), Logical::Timestamp { local: false }),
        "google.protobuf.Duration" => shape(integer(64, true), Logical::Duration),
        "google.type.Date" => shape(ShapeKind::String, Logical::Date),
        "google.type.TimeOfDay" => shape(ShapeKind::String, Logical::Time),
        "google.type.Money" | "google.type.Decimal" | "confluent.type.Decimal" => {
            shape(ShapeKind::Bytes, Logical::Other("decimal".into()))
        }
        "google.protobuf.Any" | "google.protobuf.Value" => Some(Shape::plain(ShapeKind::Any)),
        "google.protobuf.Struct" => Some(Shape::plain(ShapeKind::Map(Box::new(Shape::plain(
            ShapeKind::Any,
        ))))),
        "google.protobuf.ListValue" => Some(Shape::plain(ShapeKind::Array(Box::new(Shape::plain(
            ShapeKind::Any,
        ))))),
        "google.protobuf.Empty" | "google.protobuf.FieldMask" => {
            shape(ShapeKind::String, Logical::Other(full_name.into()))
        }
        "google.protobuf.DoubleValue" => nullable(ShapeKind::Float { bits: 64 }),
        "google.protobuf.FloatValue" => nullable(ShapeKind::Float { bits: 32 }),
        "google.protobuf.Int64Value" => nullable(integer(64, true)),
        "google.protobuf.UInt64Value" => nullable(integer(64, false)),
        "google.protobuf.Int32Value" => nullable(integer(32, true)),
        "google.protobuf.UInt32Value" => nullable(integer(32, false)),
        "google.protobuf.BoolValue" => nullable(ShapeKind::Boolean),
        "google.protobuf.StringValue" => nullable(ShapeKind::String),
        "google.protobuf.BytesValue" => nullable(ShapeKind::Bytes),
        _ => None,
    }
}

/// The option `confluent.*_meta`.
fn meta(options: &DynamicMessage) -> Option<DynamicMessage> {
    let found = options.extensions().find(|(extension, _)| {
        extension.full_name().starts_with("confluent.") && extension.full_name().ends_with("_meta")
    })?;
    found.1.as_message().cloned()
}

fn text(message: &DynamicMessage, field: &str) -> Option<String> {
    let value = message.get_field_by_name(field)?;
    value.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

/// Tags and parameters of the meta option, and every other option as text.
fn props(options: &DynamicMessage) -> Vec<(String, Json)> {
    let mut props = Vec::new();
    for (extension, value) in options.extensions() {
        props.push((extension.full_name().to_owned(), Json::String(value.to_string())));
    }
    if let Some(meta) = meta(options) {
        let list = meta.get_field_by_name("tags");
        let tags: Vec<Json> = list
            .iter()
            .flat_map(|value| value.as_list().unwrap_or_default())
            .filter_map(|tag| tag.as_str().map(|tag| Json::String(tag.to_owned())))
            .collect();
        if !tags.is_empty() {
            props.push(("tags".into(), Json::Array(tags)));
        }
        if let Some(params) = meta.get_field_by_name("params") {
            let mut entries: Vec<_> = params
                .as_map()
                .into_iter()
                .flatten()
                .filter_map(|(key, value)| {
                    Some((key.as_str()?.to_owned(), Json::String(value.as_str()?.to_owned())))
                })
                .collect();
            entries.sort_by(|a, b| a.0.cmp(&b.0));
            props.extend(entries);
        }
    }
    for (field, value) in options.fields() {
        props.push((field.name().to_owned(), plain(value)));
    }
    props
}

fn plain(value: &Value) -> Json {
    match value {
        Value::Bool(value) => Json::Bool(*value),
        Value::I32(value) => Json::int(i64::from(*value)),
        Value::I64(value) => Json::int(*value),
        Value::String(value) => Json::String(value.clone()),
        other => Json::String(other.to_string()),
    }
}

/// Reserved numbers and names, for the rules on removed fields.
fn reserved(message: &MessageDescriptor, props: &mut Vec<(String, Json)>) {
    let ranges: Vec<Json> = message
        .reserved_ranges()
        .map(|range| {
            Json::Array(vec![
                Json::int(i64::from(range.start)),
                Json::int(i64::from(range.end)),
            ])
        })
        .collect();
    if !ranges.is_empty() {
        props.push(("reserved_ranges".into(), Json::Array(ranges)));
    }
    let names: Vec<Json> = message
        .reserved_names()
        .map(|name| Json::String(name.to_owned()))
        .collect();
    if !names.is_empty() {
        props.push(("reserved_names".into(), Json::Array(names)));
    }
}
