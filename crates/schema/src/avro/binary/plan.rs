//! What a pair of schemas is compiled to: a list of nodes that refer to each other by position.

use super::super::value::Value;

pub(in crate::avro) type NodeId = u32;

/// How data of one schema becomes values of another.
#[derive(Debug, Clone)]
pub(in crate::avro) struct Plan {
    pub nodes: Vec<Node>,
    pub root: NodeId,
}

/// How one value is read. The first word is what is written, the second what it is read as.
#[derive(Debug, Clone)]
pub(in crate::avro) enum Node {
    Null,
    Boolean,
    Int,
    Long,
    Float,
    Double,
    Bytes,
    String,
    IntAsLong,
    IntAsFloat,
    IntAsDouble,
    LongAsFloat,
    LongAsDouble,
    FloatAsDouble,
    StringAsBytes,
    BytesAsString,
    Fixed(usize),
    Enum(EnumPlan),
    Array(NodeId),
    Map(NodeId),
    Record(RecordPlan),
    /// A union is written, its branches are read as one type that is none.
    Chosen(Vec<NodeId>),
    /// A union is written and one is read: each branch of the writer knows its branch of the reader.
    Union(UnionPlan),
    /// No union is written, but one is read.
    AsBranch {
        branch: u32,
        /// The name of the reader's branch.
        label: Box<str>,
        node: NodeId,
    },
    /// Data of this kind cannot be read: why.
    Impossible(String),
    /// A position that is filled later; none is left when the plan is done.
    Open,
}

#[derive(Debug, Clone)]
pub(in crate::avro) struct EnumPlan {
    /// For each symbol of the writer its position in the reader's, if it has one.
    pub targets: Vec<Option<u32>>,
    /// What an unknown one becomes.
    pub default: Option<u32>,
    /// The writer's symbols, for messages.
    pub symbols: Vec<String>,
    /// The reader's symbols, for those who want names.
    pub names: Vec<String>,
}

#[derive(Debug, Clone)]
pub(in crate::avro) struct UnionPlan {
    pub branches: Vec<Branch>,
    /// Names of the reader's branches.
    pub labels: Vec<String>,
}

#[derive(Debug, Clone, Copy)]
pub(in crate::avro) struct Branch {
    /// The position in the reader's union.
    pub branch: u32,
    pub node: NodeId,
}

#[derive(Debug, Clone)]
pub(in crate::avro) struct RecordPlan {
    /// In the order of the writer's fields.
    pub steps: Vec<Step>,
    /// The reader's fields that nobody wrote.
    pub defaults: Vec<DefaultPlan>,
    /// The reader's fields: names, in the order of its schema.
    pub fields: Vec<String>,
}

/// A field that takes its default.
#[derive(Debug, Clone)]
pub(in crate::avro) struct DefaultPlan {
    /// The reader's field.
    pub field: u32,
    pub value: Value,
    /// The same value as data, and how it is read by those who want no values.
    pub bytes: Vec<u8>,
    pub node: NodeId,
}

/// One field of the writer.
#[derive(Debug, Clone, Copy)]
pub(in crate::avro) struct Step {
    /// The reader's field; [`Step::SKIP`] when it has none.
    pub field: u32,
    pub node: NodeId,
}

impl Step {
    pub const SKIP: u32 = u32::MAX;
}

static IMPOSSIBLE: Node = Node::Open;

impl Plan {
    #[inline]
    pub fn get(&self, id: NodeId) -> &Node {
        // The compiler gives out no other positions than those it filled.
        self.nodes.get(id as usize).unwrap_or(&IMPOSSIBLE)
    }
}
