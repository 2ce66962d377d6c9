//! From a pair of schemas to a plan: schema resolution, done once.
//!
//! A union of the reader is read as the branch of the same kind and name, else as the first that the value is promoted
//! to, as Java Avro does. What cannot be read is an error only for data that holds it.

use rustc_hash::FxHashMap;

use super::{
    Fault,
    default::default_value,
    encode::write,
    plan::{Branch, DefaultPlan, EnumPlan, Node, NodeId, Plan, RecordPlan, Step, UnionPlan, variants},
};
use crate::{
    Stopped, Work,
    avro::{
        compat::{Verdicts, find_written, names, same_name},
        model::{AvroSchema, Enum, Field, Kind, Record, TypeId},
        value::Value,
    },
};

/// Compiles how data of `writer` is read as values of `reader`.
pub(in crate::avro) fn compile(
    writer: &AvroSchema,
    reader: &AvroSchema,
    work: &mut Work<'_>,
) -> Result<Plan, Stopped> {
    let verdicts = Verdicts::new(reader, writer, work)?;
    let mut compiler = Compiler {
        writer,
        reader,
        verdicts,
        work,
        places: FxHashMap::default(),
        skips: FxHashMap::default(),
        owns: FxHashMap::default(),
        nodes: Vec::new(),
        waiting: Vec::new(),
    };
    let root = compiler.pair(reader.root(), writer.root());
    // A list, not recursion: names may lead on for ten thousand types.
    while let Some((place, task)) = compiler.waiting.pop() {
        compiler.work.step()?;
        let node = match task {
            Task::Pair(reader, writer) => compiler.node(reader, writer)?,
            Task::Skip(writer) => compiler.skipping(writer),
            Task::Own(reader) => compiler.owning(reader),
        };
        compiler.fill(place, node);
    }
    let mut plan = Plan {
        nodes: compiler.nodes,
        root,
    };
    plan.settle();
    encode_defaults(&mut plan);
    Ok(plan)
}

struct Compiler<'a, 'w> {
    writer: &'a AvroSchema,
    reader: &'a AvroSchema,
    verdicts: Verdicts<'a>,
    work: &'a mut Work<'w>,
    places: FxHashMap<(TypeId, TypeId), NodeId>,
    /// How a type of the writer is read as itself, to be passed over.
    skips: FxHashMap<TypeId, NodeId>,
    owns: FxHashMap<TypeId, NodeId>,
    nodes: Vec<Node>,
    waiting: Vec<(NodeId, Task)>,
}

enum Task {
    Pair(TypeId, TypeId),
    Skip(TypeId),
    /// A type of the reader, written and read as itself: its defaults.
    Own(TypeId),
}

impl<'a> Compiler<'a, '_> {
    fn open(&mut self) -> NodeId {
        self.nodes.push(Node::Open);
        (self.nodes.len() - 1) as NodeId
    }

    fn fill(&mut self, place: NodeId, node: Node) {
        if let Some(open) = self.nodes.get_mut(place as usize) {
            *open = node;
        }
    }

    fn pair(&mut self, reader: TypeId, writer: TypeId) -> NodeId {
        if let Some(place) = self.places.get(&(reader, writer)) {
            return *place;
        }
        let place = self.open();
        self.places.insert((reader, writer), place);
        self.waiting.push((place, Task::Pair(reader, writer)));
        place
    }

    fn node(&mut self, reader: TypeId, writer: TypeId) -> Result<Node, Stopped> {
        let (r, w) = (self.reader.kind(reader), self.writer.kind(writer));
        Ok(match (r, w) {
            (Kind::Union(targets), Kind::Union(branches)) => self.union(targets, branches),
            (_, Kind::Union(branches)) => {
                Node::Chosen(branches.iter().map(|branch| self.pair(reader, *branch)).collect())
            }
            (Kind::Union(targets), _) => match self.branch(targets, writer) {
                Some(branch) => self.as_branch(targets, branch, writer),
                None => Node::Impossible(format!("{} is no branch of the union", w.label())),
            },
            (Kind::Array(r), Kind::Array(w)) => Node::Array(self.pair(*r, *w)),
            (Kind::Map(r), Kind::Map(w)) => Node::Map(self.pair(*r, *w)),
            (Kind::Record(rr), Kind::Record(wr)) if same_name(r, w) => self.record(rr, wr)?,
            (Kind::Enum(re), Kind::Enum(we)) if same_name(r, w) => Node::Enum(enumeration(re, we)),
            (Kind::Fixed(rf), Kind::Fixed(wf)) if same_name(r, w) && rf.size == wf.size => {
                Node::Fixed(rf.size)
            }
            _ => simple(r, w),
        })
    }

    /// The branch that reads all of `writer`, else one of the same name that reads some of it.
    fn branch(&self, targets: &[TypeId], writer: TypeId) -> Option<usize> {
        self.verdicts.branch(targets, writer).or_else(|| {
            targets
                .iter()
                .position(|target| self.verdicts.is_same_named(*target, writer))
        })
    }

    fn as_branch(&mut self, targets: &[TypeId], branch: usize, writer: TypeId) -> Node {
        let Some(target) = targets.get(branch) else {
            return Node::Open;
        };
        let labels: Vec<_> = targets.iter().map(|target| self.reader.label(*target)).collect();
        let variant = variants(&labels).into_iter().nth(branch).unwrap_or_default();
        Node::AsBranch {
            branch: branch as u32,
            variant: variant.into(),
            node: self.pair(*target, writer),
        }
    }

    fn union(&mut self, targets: &[TypeId], branches: &[TypeId]) -> Node {
        let mut plans = Vec::with_capacity(branches.len());
        for written in branches {
            let plan = match self.branch(targets, *written) {
                Some(branch) => match targets.get(branch) {
                    Some(target) => Branch::new(branch as u32, self.pair(*target, *written)),
                    None => continue,
                },
                None => {
                    let node = self.open();
                    let label = self.writer.label(*written);
                    self.fill(
                        node,
                        Node::Impossible(format!("{label} is no branch of the union")),
                    );
                    Branch::new(u32::MAX, node)
                }
            };
            plans.push(plan);
        }
        self.union_plan(targets, plans)
    }

    fn union_plan(&self, targets: &[TypeId], branches: Vec<Branch>) -> Node {
        let label = |target: &TypeId| self.reader.label(*target).to_owned();
        let labels: Vec<String> = targets.iter().map(label).collect();
        let variants = variants(&labels);
        Node::Union(UnionPlan {
            branches,
            labels,
            variants,
        })
    }

    fn record(&mut self, reader: &'a Record, writer: &'a Record) -> Result<Node, Stopped> {
        let known = names(writer);
        let mut readers: FxHashMap<&str, u32> = FxHashMap::default();
        let mut defaults = Vec::new();
        let mut missing = None;
        for (n, field) in reader.fields.iter().enumerate() {
            self.work.step()?;
            if let Some(written) = find_written(field, n, writer, &known) {
                // Two fields of the reader may name one of the writer; the first gets it.
                readers.entry(written.name.as_str()).or_insert(n as u32);
                if readers.get(written.name.as_str()) == Some(&(n as u32)) {
                    continue;
                }
            }
            match self.default(field) {
                Ok(value) => {
                    let node = self.own(field.schema);
                    defaults.push(DefaultPlan {
                        field: n as u32,
                        value,
                        bytes: Vec::new(),
                        node,
                    });
                }
                Err(why) => missing = Some(format!("{}: {why}", field.name)),
            }
        }
        if let Some(why) = missing {
            return Ok(Node::Impossible(why));
        }
        let mut steps = Vec::with_capacity(writer.fields.len());
        for written in &writer.fields {
            steps.push(match readers.get(written.name.as_str()) {
                Some(n) => {
                    let schema = reader
                        .fields
                        .get(*n as usize)
                        .map_or(written.schema, |field| field.schema);
                    Step::new(*n, self.pair(schema, written.schema))
                }
                None => Step::new(Step::SKIP, self.skip(written.schema)),
            });
        }
        let fields = reader.fields.iter().map(|field| field.name.clone()).collect();
        Ok(Node::Record(RecordPlan::new(steps, defaults, fields)))
    }

    fn default(&self, field: &Field) -> Result<Value, String> {
        let Some(default) = &field.default else {
            return Err("the field was not written and has no default".into());
        };
        default_value(self.reader, field.schema, default).map_err(|fault: Fault| {
            format!(
                "its default is not of its type: {}",
                super::DataError::from(fault)
            )
        })
    }

    fn own(&mut self, reader: TypeId) -> NodeId {
        if let Some(place) = self.owns.get(&reader) {
            return *place;
        }
        let place = self.open();
        self.owns.insert(reader, place);
        self.waiting.push((place, Task::Own(reader)));
        place
    }

    fn owning(&mut self, reader: TypeId) -> Node {
        match self.reader.kind(reader) {
            Kind::Array(items) => Node::Array(self.own(*items)),
            Kind::Map(values) => Node::Map(self.own(*values)),
            Kind::Union(branches) => {
                let plan = |(n, id): (usize, &TypeId)| Branch::new(n as u32, self.own(*id));
                let plans = branches.iter().enumerate().map(plan).collect();
                self.union_plan(branches, plans)
            }
            Kind::Record(record) => {
                let step = |(n, field): (usize, &Field)| Step::new(n as u32, self.own(field.schema));
                let steps = record.fields.iter().enumerate().map(step).collect();
                let fields = record.fields.iter().map(|field| field.name.clone()).collect();
                Node::Record(RecordPlan::new(steps, Vec::new(), fields))
            }
            Kind::Enum(symbols) => Node::Enum(enumeration(symbols, symbols)),
            Kind::Fixed(fixed) => Node::Fixed(fixed.size),
            leaf => simple(leaf, leaf),
        }
    }

    fn skip(&mut self, writer: TypeId) -> NodeId {
        if let Some(place) = self.skips.get(&writer) {
            return *place;
        }
        let place = self.open();
        self.skips.insert(writer, place);
        self.waiting.push((place, Task::Skip(writer)));
        place
    }

    fn skipping(&mut self, writer: TypeId) -> Node {
        match self.writer.kind(writer) {
            Kind::Array(items) => Node::Array(self.skip(*items)),
            Kind::Map(values) => Node::Map(self.skip(*values)),
            Kind::Union(branches) => Node::Chosen(branches.iter().map(|branch| self.skip(*branch)).collect()),
            Kind::Record(record) => {
                let skip = |field: &Field| Step::new(Step::SKIP, self.skip(field.schema));
                let steps = record.fields.iter().map(skip).collect();
                Node::Record(RecordPlan::new(steps, Vec::new(), Vec::new()))
            }
            Kind::Enum(symbols) => Node::Enum(enumeration(symbols, symbols)),
            Kind::Fixed(fixed) => Node::Fixed(fixed.size),
            // Passing over needs no look at the text.
            Kind::String => Node::Bytes,
            leaf => simple(leaf, leaf),
        }
    }
}

/// Defaults once more as data, for those who want no values.
fn encode_defaults(plan: &mut Plan) {
    let mut encoded = Vec::new();
    for (at, node) in plan.nodes.iter().enumerate() {
        let Node::Record(record) = node else { continue };
        for (n, default) in record.defaults.iter().enumerate() {
            let mut bytes = Vec::new();
            // A default that was built from its type is of its type.
            if write(plan, default.node, &default.value, &mut bytes).is_ok() {
                encoded.push((at, n, bytes));
            }
        }
    }
    for (at, n, bytes) in encoded {
        if let Some(Node::Record(record)) = plan.nodes.get_mut(at)
            && let Some(default) = record.defaults.get_mut(n)
        {
            default.bytes = bytes;
        }
    }
}

fn enumeration(reader: &Enum, writer: &Enum) -> EnumPlan {
    let places: FxHashMap<&str, u32> = reader
        .symbols
        .iter()
        .enumerate()
        .map(|(n, symbol)| (symbol.as_str(), n as u32))
        .collect();
    let find = |symbol: &String| places.get(symbol.as_str()).copied();
    EnumPlan {
        targets: writer.symbols.iter().map(find).collect(),
        default: reader.default.as_ref().and_then(find),
        symbols: writer.symbols.clone(),
        names: reader.symbols.clone(),
    }
}

fn simple(reader: &Kind, writer: &Kind) -> Node {
    match (reader, writer) {
        (Kind::Null, Kind::Null) => Node::Null,
        (Kind::Boolean, Kind::Boolean) => Node::Boolean,
        (Kind::Int, Kind::Int) => Node::Int,
        (Kind::Long, Kind::Long) => Node::Long,
        (Kind::Float, Kind::Float) => Node::Float,
        (Kind::Double, Kind::Double) => Node::Double,
        (Kind::Bytes, Kind::Bytes) => Node::Bytes,
        (Kind::String, Kind::String) => Node::String,
        (Kind::Long, Kind::Int) => Node::IntAsLong,
        (Kind::Float, Kind::Int) => Node::IntAsFloat,
        (Kind::Double, Kind::Int) => Node::IntAsDouble,
        (Kind::Float, Kind::Long) => Node::LongAsFloat,
        (Kind::Double, Kind::Long) => Node::LongAsDouble,
        (Kind::Double, Kind::Float) => Node::FloatAsDouble,
        (Kind::Bytes, Kind::String) => Node::StringAsBytes,
        (Kind::String, Kind::Bytes) => Node::BytesAsString,
        (r, w) => Node::Impossible(format!("{} cannot be read as {}", w.label(), r.label())),
    }
}
