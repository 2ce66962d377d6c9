//! What a pair of schemas is compiled to: a list of nodes that refer to each other by position.

use std::sync::atomic::{AtomicUsize, Ordering};

use rustc_hash::FxHashMap;

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
        /// What a variant of a Rust enum is called that stands for it.
        variant: Box<str>,
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
    /// What variants of a Rust enum are called that stand for them: simple names, or full ones where two are alike.
    pub variants: Vec<String>,
}

#[derive(Debug, Clone, Copy)]
pub(in crate::avro) struct Branch {
    /// The position in the reader's union.
    pub branch: u32,
    pub node: NodeId,
    /// What the node is.
    pub op: Op,
}

impl Branch {
    /// A branch whose `op` is found when the plan is done.
    pub fn new(branch: u32, node: NodeId) -> Branch {
        Branch {
            branch,
            node,
            op: Op::Other,
        }
    }
}

#[derive(Debug, Clone)]
pub(in crate::avro) struct RecordPlan {
    /// In the order of the writer's fields.
    pub steps: Vec<Step>,
    /// The reader's fields that nobody wrote.
    pub defaults: Vec<DefaultPlan>,
    /// The reader's fields: names, in the order of its schema.
    pub fields: Vec<String>,
    /// The list of a Rust type's fields that was compared with the steps first, and what came of it.
    pub order: Seen,
    /// For each step the Rust name that was found equal to its field's.
    pub keys: Vec<Seen>,
}

impl RecordPlan {
    pub fn new(steps: Vec<Step>, defaults: Vec<DefaultPlan>, fields: Vec<String>) -> RecordPlan {
        let keys = steps.iter().map(|_| Seen::default()).collect();
        let order = Seen::default();
        RecordPlan {
            steps,
            defaults,
            fields,
            order,
            keys,
        }
    }
}

/// An address of something static that was looked at before, so that the same thing needs no second look. What is
/// static never changes nor goes away, so the address says all, with the length that the plan knows.
#[derive(Debug, Default)]
pub(in crate::avro) struct Seen(AtomicUsize);

impl Seen {
    /// Whether that address was found to be right (or wrong) before.
    #[inline]
    pub fn verdict(&self, address: usize) -> Option<bool> {
        let known = self.0.load(Ordering::Relaxed);
        if address & Seen::RIGHT != 0 {
            None
        } else if known == address | Seen::RIGHT {
            Some(true)
        } else {
            (known == address).then_some(false)
        }
    }

    /// Keeps a verdict; the first stays, so that two types in turn do not write all the time.
    pub fn keep(&self, address: usize, right: bool) {
        let word = if right { address | Seen::RIGHT } else { address };
        if address & Seen::RIGHT == 0 {
            let _ = self
                .0
                .compare_exchange(0, word, Ordering::Relaxed, Ordering::Relaxed);
        }
    }

    /// The highest bit, which addresses of a process do not have where it matters; one that has it is never kept.
    const RIGHT: usize = 1 << (usize::BITS - 1);
}

impl Clone for Seen {
    fn clone(&self) -> Seen {
        Seen(AtomicUsize::new(self.0.load(Ordering::Relaxed)))
    }
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
    /// What the node is, so that the usual kinds need no look at it.
    pub op: Op,
}

impl Step {
    pub const SKIP: u32 = u32::MAX;

    /// A step whose `op` is found when the plan is done.
    pub fn new(field: u32, node: NodeId) -> Step {
        Step {
            field,
            node,
            op: Op::Other,
        }
    }
}

/// What a step does, in one byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::avro) enum Op {
    Null,
    Boolean,
    Int,
    Long,
    Float,
    Double,
    String,
    Bytes,
    IntAsLong,
    Enum,
    Union,
    Other,
}

impl Op {
    fn of(node: &Node) -> Op {
        match node {
            Node::Null => Op::Null,
            Node::Boolean => Op::Boolean,
            Node::Int => Op::Int,
            Node::Long => Op::Long,
            Node::Float => Op::Float,
            Node::Double => Op::Double,
            Node::String | Node::BytesAsString => Op::String,
            Node::Bytes | Node::StringAsBytes => Op::Bytes,
            Node::IntAsLong => Op::IntAsLong,
            Node::Enum(_) => Op::Enum,
            Node::Union(_) => Op::Union,
            _ => Op::Other,
        }
    }
}

/// What variants of a Rust enum are called for branches of these names.
pub(in crate::avro) fn variants(labels: &[impl AsRef<str>]) -> Vec<String> {
    let simple = |label: &str| label.rsplit('.').next().unwrap_or_default().to_owned();
    let mut uses: FxHashMap<String, usize> = FxHashMap::default();
    for label in labels {
        *uses.entry(simple(label.as_ref())).or_default() += 1;
    }
    let choose = |label: &str| match uses.get(&simple(label)) {
        Some(1) => simple(label),
        _ => label.to_owned(),
    };
    labels.iter().map(|label| choose(label.as_ref())).collect()
}

static IMPOSSIBLE: Node = Node::Open;

impl Plan {
    #[inline]
    pub fn get(&self, id: NodeId) -> &Node {
        // The compiler gives out no other positions than those it filled.
        self.nodes.get(id as usize).unwrap_or(&IMPOSSIBLE)
    }

    /// Tells every step and branch what its node is: the last thing that compiling does.
    pub fn settle(&mut self) {
        let ops: Vec<Op> = self.nodes.iter().map(Op::of).collect();
        let op = |node: NodeId| ops.get(node as usize).copied().unwrap_or(Op::Other);
        for node in &mut self.nodes {
            match node {
                Node::Record(record) => record.steps.iter_mut().for_each(|step| step.op = op(step.node)),
                Node::Union(union) => union
                    .branches
                    .iter_mut()
                    .for_each(|branch| branch.op = op(branch.node)),
                _ => {}
            }
        }
    }
}
