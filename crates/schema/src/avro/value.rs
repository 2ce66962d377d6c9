//! A datum of any schema, without names: the schema knows those.

/// One datum. What it means is said by the schema that it was read with.
///
/// Comparing values compares positions: fields and symbols count by their place in the schema.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Value {
    #[default]
    Null,
    Boolean(bool),
    Int(i32),
    Long(i64),
    Float(f32),
    Double(f64),
    Bytes(Vec<u8>),
    String(String),
    Array(Vec<Value>),
    /// Entries in the order of the data.
    Map(Vec<(String, Value)>),
    /// The position of the branch, and its value.
    Union(u32, Box<Value>),
    /// Fields in the order of the schema.
    Record(Vec<Value>),
    /// The position of the symbol.
    Enum(u32),
    Fixed(Vec<u8>),
}

impl Value {
    /// What kind of value it is, in the schema's word.
    pub fn word(&self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Boolean(_) => "boolean",
            Value::Int(_) => "int",
            Value::Long(_) => "long",
            Value::Float(_) => "float",
            Value::Double(_) => "double",
            Value::Bytes(_) => "bytes",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Map(_) => "map",
            Value::Union(..) => "union",
            Value::Record(_) => "record",
            Value::Enum(_) => "enum",
            Value::Fixed(_) => "fixed",
        }
    }
}
