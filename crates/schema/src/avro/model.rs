//! What an Avro schema is made of: types in a list, referring to each other by position.
//!
//! Named types occur once however often they are used, so recursion is no loop in memory. Positions are given out by
//! the parser alone; all of them stay valid.

use std::{collections::HashMap, fmt, sync::Arc};

use super::name::Name;
use crate::text::Json;

/// The position of a type in its schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TypeId(pub(crate) u32);

/// A parsed Avro schema. Cheap to clone.
#[derive(Clone)]
pub struct AvroSchema(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub types: Vec<Type>,
    pub root: TypeId,
    /// Every named type, those of references included.
    pub named: HashMap<Name, TypeId>,
}

/// One type, at its declaration or, for unnamed ones, at its use.
#[derive(Debug, Clone, PartialEq)]
pub struct Type {
    pub kind: Kind,
    /// Only when it is legal on this kind; an illegal one is ignored, as the specification asks.
    pub logical: Option<LogicalType>,
    /// Members that the specification does not name, `logicalType` and its own included, in their order.
    pub props: Vec<(String, Json)>,
}

/// The fourteen kinds of types.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    Null,
    Boolean,
    Int,
    Long,
    Float,
    Double,
    Bytes,
    String,
    Array(TypeId),
    Map(TypeId),
    Union(Vec<TypeId>),
    Record(Record),
    Enum(Enum),
    Fixed(Fixed),
}

/// A record, or an error of a protocol.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    pub name: Name,
    pub doc: Option<String>,
    pub aliases: Vec<Name>,
    pub fields: Vec<Field>,
    /// Written as `error`.
    pub is_error: bool,
    /// Came with a reference.
    pub referenced: bool,
}

/// A field of a record.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    pub name: String,
    pub doc: Option<String>,
    pub schema: TypeId,
    pub default: Option<Json>,
    pub order: Order,
    pub aliases: Vec<String>,
    pub props: Vec<(String, Json)>,
}

/// How a field counts when records are sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    #[default]
    Ascending,
    Descending,
    Ignore,
}

impl Order {
    /// As it is written in a schema.
    pub fn name(self) -> &'static str {
        match self {
            Order::Ascending => "ascending",
            Order::Descending => "descending",
            Order::Ignore => "ignore",
        }
    }
}

/// An enum.
#[derive(Debug, Clone, PartialEq)]
pub struct Enum {
    pub name: Name,
    pub doc: Option<String>,
    pub aliases: Vec<Name>,
    pub symbols: Vec<String>,
    /// What a reader makes of a symbol that it does not know.
    pub default: Option<String>,
    pub referenced: bool,
}

/// Bytes of one size.
#[derive(Debug, Clone, PartialEq)]
pub struct Fixed {
    pub name: Name,
    pub doc: Option<String>,
    pub aliases: Vec<Name>,
    /// In bytes.
    pub size: usize,
    pub referenced: bool,
}

/// The logical types of the specification, 1.12.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LogicalType {
    /// An unscaled two's-complement big-endian integer in bytes or fixed.
    Decimal {
        precision: u32,
        scale: u32,
    },
    /// Bytes that hold unscaled value and scale.
    BigDecimal,
    /// A string of RFC 4122, or a fixed of 16 bytes.
    Uuid,
    /// Days since 1970-01-01.
    Date,
    TimeMillis,
    TimeMicros,
    TimestampMillis,
    TimestampMicros,
    TimestampNanos,
    LocalTimestampMillis,
    LocalTimestampMicros,
    LocalTimestampNanos,
    /// A fixed of 12 bytes: months, days, milliseconds, each unsigned 32 bits little-endian.
    Duration,
}

impl LogicalType {
    /// As it is written in a schema.
    pub fn name(self) -> &'static str {
        match self {
            LogicalType::Decimal { .. } => "decimal",
            LogicalType::BigDecimal => "big-decimal",
            LogicalType::Uuid => "uuid",
            LogicalType::Date => "date",
            LogicalType::TimeMillis => "time-millis",
            LogicalType::TimeMicros => "time-micros",
            LogicalType::TimestampMillis => "timestamp-millis",
            LogicalType::TimestampMicros => "timestamp-micros",
            LogicalType::TimestampNanos => "timestamp-nanos",
            LogicalType::LocalTimestampMillis => "local-timestamp-millis",
            LogicalType::LocalTimestampMicros => "local-timestamp-micros",
            LogicalType::LocalTimestampNanos => "local-timestamp-nanos",
            LogicalType::Duration => "duration",
        }
    }
}

static NULL: Type = Type {
    kind: Kind::Null,
    logical: None,
    props: Vec::new(),
};

impl AvroSchema {
    /// The outermost type.
    pub fn root(&self) -> TypeId {
        self.0.root
    }

    /// The type at a position of this schema.
    pub fn get(&self, id: TypeId) -> &Type {
        // The parser gives out no other positions than those it filled.
        self.0.types.get(id.0 as usize).unwrap_or(&NULL)
    }

    /// What the type at a position is.
    pub fn kind(&self, id: TypeId) -> &Kind {
        &self.get(id).kind
    }

    /// The named type of that full name, in this schema or what it refers to.
    pub fn find(&self, full_name: &str) -> Option<TypeId> {
        let name = Name::new(full_name, None).ok()?;
        self.0.named.get(&name).copied()
    }

    /// How a type is called inside a union: its full name, or its kind when it has none.
    pub fn label(&self, id: TypeId) -> &str {
        self.kind(id).label()
    }
}

impl Kind {
    /// The full name of a named type, else the name of the kind.
    pub fn label(&self) -> &str {
        self.name().map_or(self.word(), Name::full)
    }

    /// The word for the kind in a schema.
    pub fn word(&self) -> &'static str {
        match self {
            Kind::Null => "null",
            Kind::Boolean => "boolean",
            Kind::Int => "int",
            Kind::Long => "long",
            Kind::Float => "float",
            Kind::Double => "double",
            Kind::Bytes => "bytes",
            Kind::String => "string",
            Kind::Array(_) => "array",
            Kind::Map(_) => "map",
            Kind::Union(_) => "union",
            Kind::Record(_) => "record",
            Kind::Enum(_) => "enum",
            Kind::Fixed(_) => "fixed",
        }
    }

    /// Of a record, enum or fixed.
    pub fn name(&self) -> Option<&Name> {
        match self {
            Kind::Record(record) => Some(&record.name),
            Kind::Enum(symbols) => Some(&symbols.name),
            Kind::Fixed(fixed) => Some(&fixed.name),
            _ => None,
        }
    }

    /// Of a record, enum or fixed.
    pub fn aliases(&self) -> &[Name] {
        match self {
            Kind::Record(record) => &record.aliases,
            Kind::Enum(symbols) => &symbols.aliases,
            Kind::Fixed(fixed) => &fixed.aliases,
            _ => &[],
        }
    }
}

impl fmt::Debug for AvroSchema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AvroSchema({self})")
    }
}

impl PartialEq for AvroSchema {
    /// Equal texts in our own order: every attribute counts, docs and properties too.
    fn eq(&self, other: &AvroSchema) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.to_string() == other.to_string()
    }
}
