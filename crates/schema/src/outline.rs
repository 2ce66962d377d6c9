//! The view of a schema that does not depend on its format: what lint, diff, search and table mapping walk.
//!
//! Named types stand in a list and refer to each other by position, so recursion is no loop in memory.

use crate::{Format, Path, text::Json};

/// A schema as named types and the shape of the whole.
#[derive(Debug, Clone, PartialEq)]
pub struct Outline {
    pub format: Format,
    /// Records, messages, objects, enums, fixed: in the order of their first appearance.
    pub types: Vec<TypeDecl>,
    pub root: Shape,
}

/// What a named type is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TypeKind {
    /// Avro record, Protobuf message, JSON object.
    Record,
    /// Avro enum, Protobuf enum, JSON `enum` of strings.
    Enum,
    /// Avro fixed.
    Fixed,
}

/// A record, enum or fixed.
#[derive(Debug, Clone, PartialEq)]
pub struct TypeDecl {
    pub path: Path,
    pub kind: TypeKind,
    /// Without namespace or package. An anonymous JSON object takes the name of its title, its property, or is empty.
    pub name: String,
    /// Namespace, package; absent where the format has none or it is empty.
    pub namespace: Option<String>,
    pub doc: Option<String>,
    /// Full names that it was known by.
    pub aliases: Vec<String>,
    /// Of a record.
    pub fields: Vec<FieldDecl>,
    /// Of an enum.
    pub symbols: Vec<SymbolDecl>,
    /// Of an enum: the symbol that an unknown one becomes (Avro `default`, Protobuf's zero value).
    pub default_symbol: Option<String>,
    /// Bytes of a fixed.
    pub size: Option<usize>,
    /// Avro's and JSON Schema's further properties, Protobuf's options.
    pub props: Vec<(String, Json)>,
    /// Came with a reference: owned by another subject.
    pub referenced: bool,
}

/// A field of a record.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldDecl {
    pub path: Path,
    pub name: String,
    pub doc: Option<String>,
    pub shape: Shape,
    pub default: Option<Json>,
    pub aliases: Vec<String>,
    /// Protobuf's field number.
    pub number: Option<i32>,
    /// A datum without it is refused (no default, not optional).
    pub required: bool,
    pub deprecated: bool,
    /// The Protobuf oneof that it belongs to.
    pub oneof: Option<String>,
    pub props: Vec<(String, Json)>,
}

/// A symbol of an enum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SymbolDecl {
    pub path: Path,
    pub name: String,
    pub number: Option<i32>,
    pub doc: Option<String>,
}

/// The type of a value: what it is, and how it is meant.
#[derive(Debug, Clone, PartialEq)]
pub struct Shape {
    pub kind: ShapeKind,
    pub logical: Option<Logical>,
    /// Properties that stand at the use of a type, not at its declaration.
    pub props: Vec<(String, Json)>,
}

impl Shape {
    /// A plain shape without logical type or properties.
    pub fn plain(kind: ShapeKind) -> Shape {
        Shape {
            kind,
            logical: None,
            props: Vec::new(),
        }
    }
}

/// What a value is made of.
#[derive(Debug, Clone, PartialEq)]
pub enum ShapeKind {
    Null,
    Boolean,
    /// 8 to 64 bits; JSON's unbounded `integer` has 0.
    Integer {
        bits: u8,
        signed: bool,
    },
    /// 32 or 64 bits; JSON's `number` has 64.
    Float {
        bits: u8,
    },
    Bytes,
    String,
    Array(Box<Shape>),
    Map(Box<Shape>),
    /// Avro union, JSON `oneOf`, `anyOf` or a list of types. Protobuf's oneof stands at its fields.
    Union(Vec<Shape>),
    /// The position in [`Outline::types`].
    Named(usize),
    /// Anything: JSON's `true` or an untyped schema, `google.protobuf.Any`.
    Any,
}

/// How a value is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Logical {
    Decimal {
        precision: u32,
        scale: u32,
    },
    Uuid,
    Date,
    Time,
    /// A point in time, or with `local` a wall clock's reading.
    Timestamp {
        local: bool,
    },
    Duration,
    /// Any other: Avro's unknown logicalType, JSON's `format`, a Protobuf well-known type.
    Other(String),
}
