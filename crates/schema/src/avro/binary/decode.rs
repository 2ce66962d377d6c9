//! Running a plan: bytes to values, in place, so that records that follow each other reuse each other's memory.

use super::{
    DataError, DataLimits, Fault, Input,
    input::VALUE_BYTES,
    plan::{Branch, EnumPlan, Node, NodeId, Op, Plan, RecordPlan, Step, UnionPlan},
    visit::{Visitor, Visits},
};
use crate::{
    Stopped, Work,
    avro::{model::AvroSchema, value::Value},
};

/// Reads data of one schema as values of another (or the same). Compiled once, used for every datum.
///
/// ```
/// use schema::{Work, avro::{AvroSchema, DataLimits, Decoder, Encoder, Value}};
/// let writer = AvroSchema::parse(r#"{"type": "record", "name": "R", "fields": [{"name": "n", "type": "int"}]}"#)?;
/// let reader = AvroSchema::parse(
///     r#"{"type": "record", "name": "R", "fields": [
///         {"name": "note", "type": "string", "default": "none"}, {"name": "n", "type": "long"}]}"#,
/// )?;
/// let mut bytes = Vec::new();
/// Encoder::new(&writer).encode(&Value::Record(vec![Value::Int(7)]), &mut bytes)?;
///
/// let decoder = Decoder::new(&writer, &reader, &mut Work::default())?;
/// let value = decoder.decode(&bytes)?;
/// assert_eq!(value, Value::Record(vec![Value::String("none".into()), Value::Long(7)]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Decoder {
    pub(in crate::avro) plan: Plan,
    pub(in crate::avro) limits: DataLimits,
}

impl Decoder {
    /// Compiles how data of `writer` is read as `reader`.
    ///
    /// What no datum can be read for is no error here, but in the data that holds it; ask [`crate::avro::can_read`].
    pub fn new(writer: &AvroSchema, reader: &AvroSchema, work: &mut Work<'_>) -> Result<Decoder, Stopped> {
        Ok(Decoder {
            plan: super::compile(writer, reader, work)?,
            limits: DataLimits::default(),
        })
    }

    /// The same decoder under other bounds.
    pub fn within(mut self, limits: DataLimits) -> Decoder {
        self.limits = limits;
        self
    }

    /// Reads one datum that takes all of `bytes`.
    pub fn decode(&self, bytes: &[u8]) -> Result<Value, DataError> {
        let mut value = Value::Null;
        self.decode_into(bytes, &mut value)?;
        Ok(value)
    }

    /// Reads one datum that takes all of `bytes` into a value whose memory is used again.
    ///
    /// Records of one schema read one after the other into one value take no new memory but for longer texts. After an
    /// error the value holds anything.
    pub fn decode_into(&self, bytes: &[u8], value: &mut Value) -> Result<(), DataError> {
        let rest = self.decode_first(bytes, value)?;
        no_more(rest)
    }

    /// Reads the first datum of `bytes`, and gives back what follows it.
    pub fn decode_first<'b>(&self, bytes: &'b [u8], value: &mut Value) -> Result<&'b [u8], DataError> {
        let mut input = Input::new(bytes, &self.limits);
        read(&self.plan, self.plan.root, &mut input, value)?;
        Ok(input.rest)
    }

    /// Reads one datum that takes all of `bytes` and tells `visitor` about it, without building values.
    pub fn visit<V: Visitor>(&self, bytes: &[u8], visitor: &mut V) -> Result<(), DataError> {
        let mut input = Input::new(bytes, &self.limits);
        Visits {
            plan: &self.plan,
            visitor,
        }
        .node(self.plan.root, &mut input)?;
        no_more(input.rest)
    }
}

pub(in crate::avro) fn no_more(rest: &[u8]) -> Result<(), DataError> {
    if rest.is_empty() {
        return Ok(());
    }
    Err(Fault::new(format!("{} bytes follow the datum", rest.len())).into())
}

/// Puts a number where one of its kind was, without a look at what it held.
macro_rules! put {
    ($out:expr, $kind:ident, $value:expr) => {{
        let value = $value;
        match $out {
            Value::$kind(old) => *old = value,
            out => *out = Value::$kind(value),
        }
    }};
}

/// Reads one value into `out`.
fn read(plan: &Plan, node: NodeId, input: &mut Input<'_>, out: &mut Value) -> Result<(), Fault> {
    match plan.get(node) {
        Node::Null => *out = Value::Null,
        Node::Boolean => put!(out, Boolean, input.boolean()?),
        Node::Int => put!(out, Int, input.int()?),
        Node::Long => put!(out, Long, input.long()?),
        Node::Float => put!(out, Float, input.float()?),
        Node::Double => put!(out, Double, input.double()?),
        Node::IntAsLong => put!(out, Long, i64::from(input.int()?)),
        Node::IntAsFloat => put!(out, Float, input.int()? as f32),
        Node::IntAsDouble => put!(out, Double, f64::from(input.int()?)),
        Node::LongAsFloat => put!(out, Float, input.long()? as f32),
        Node::LongAsDouble => put!(out, Double, input.long()? as f64),
        Node::FloatAsDouble => put!(out, Double, f64::from(input.float()?)),
        Node::String | Node::BytesAsString => put_text(out, input.paid_text()?),
        Node::Bytes | Node::StringAsBytes => put_bytes(out, input.paid_bytes()?),
        Node::Fixed(size) => {
            let bytes = input.take(*size)?;
            input.spend(*size)?;
            match out {
                Value::Fixed(old) => replace(old, bytes),
                _ => *out = Value::Fixed(bytes.to_vec()),
            }
        }
        Node::Enum(plan) => put!(out, Enum, read_symbol(plan, input)?),
        composed => return read_composed(plan, composed, input, out),
    }
    Ok(())
}

fn read_composed(plan: &Plan, node: &Node, input: &mut Input<'_>, out: &mut Value) -> Result<(), Fault> {
    if let Node::Union(union) = node {
        return read_union(plan, union, input, out);
    }
    input.enter()?;
    match node {
        Node::Record(record) => read_record(plan, record, input, out)?,
        Node::Array(items) => read_array(plan, *items, input, out)?,
        Node::Map(values) => read_map(plan, *values, input, out)?,
        Node::Chosen(branches) => read(plan, chosen(branches, input)?, input, out)?,
        Node::AsBranch { branch, node, .. } => {
            let inner = branch_of(out, *branch, input)?;
            read(plan, *node, input, inner)?;
        }
        Node::Impossible(why) => return Err(Fault::new(why.as_str())),
        _ => return Err(Fault::new("the plan has a hole")),
    }
    input.leave();
    Ok(())
}

#[inline]
fn put_text(out: &mut Value, text: &str) {
    match out {
        Value::String(old) => {
            old.clear();
            old.push_str(text);
        }
        _ => *out = Value::String(text.to_owned()),
    }
}

#[inline]
fn put_bytes(out: &mut Value, bytes: &[u8]) {
    match out {
        Value::Bytes(old) => replace(old, bytes),
        _ => *out = Value::Bytes(bytes.to_vec()),
    }
}

#[inline]
fn replace(old: &mut Vec<u8>, bytes: &[u8]) {
    old.clear();
    old.extend_from_slice(bytes);
}

/// The value inside a union, kept when the branch stays.
#[inline]
fn branch_of<'v>(out: &'v mut Value, branch: u32, input: &mut Input<'_>) -> Result<&'v mut Value, Fault> {
    input.spend(VALUE_BYTES)?;
    if let Value::Union(old, _) = out {
        *old = branch;
    } else {
        *out = Value::Union(branch, Box::new(Value::Null));
    }
    match out {
        Value::Union(_, inner) => Ok(inner),
        _ => Err(Fault::new("a union is none")),
    }
}

#[cold]
fn in_branch(fault: Fault, union: &UnionPlan, branch: u32) -> Fault {
    match union.labels.get(branch as usize) {
        Some(label) => fault.in_branch(label),
        None => fault,
    }
}

fn read_union(plan: &Plan, union: &UnionPlan, input: &mut Input<'_>, out: &mut Value) -> Result<(), Fault> {
    input.enter()?;
    let branch = branch(union, input)?;
    let inner = branch_of(out, branch.branch, input)?;
    let done = match branch.op {
        Op::Null => {
            *inner = Value::Null;
            Ok(())
        }
        Op::String => input.paid_text().map(|text| put_text(inner, text)),
        Op::Long => input.long().map(|value| put!(inner, Long, value)),
        _ => read(plan, branch.node, input, inner),
    };
    input.leave();
    done.map_err(|fault| in_branch(fault, union, branch.branch))
}

fn read_record(
    plan: &Plan,
    record: &RecordPlan,
    input: &mut Input<'_>,
    out: &mut Value,
) -> Result<(), Fault> {
    input.spend(record.fields.len() * VALUE_BYTES)?;
    let fields = match out {
        Value::Record(fields) => fields,
        _ => {
            *out = Value::Record(Vec::new());
            let Value::Record(fields) = out else {
                return Err(Fault::new("a record is none"));
            };
            fields
        }
    };
    if fields.len() != record.fields.len() {
        fields.clear();
        fields.resize(record.fields.len(), Value::Null);
    }
    read_fields(plan, record, input, fields)?;
    for default in &record.defaults {
        if let Some(field) = fields.get_mut(default.field as usize) {
            spend_default(&default.value, input)?;
            put_default(field, &default.value);
        }
    }
    Ok(())
}

/// Reads what was written of a record.
fn read_fields(
    plan: &Plan,
    record: &RecordPlan,
    input: &mut Input<'_>,
    fields: &mut [Value],
) -> Result<(), Fault> {
    // A copy that stays in registers, since nobody else is given its address; `input` is right around calls.
    let mut near = *input;
    for step in &record.steps {
        let Some(field) = fields.get_mut(step.field as usize) else {
            *input = near;
            skip(plan, step.node, input)?;
            near = *input;
            continue;
        };
        let done = match step.op {
            Op::Boolean => near.boolean().map(|value| put!(field, Boolean, value)),
            Op::Int => near.int().map(|value| put!(field, Int, value)),
            Op::Long => near.long().map(|value| put!(field, Long, value)),
            Op::IntAsLong => near.int().map(|value| put!(field, Long, i64::from(value))),
            Op::Float => near.float().map(|value| put!(field, Float, value)),
            Op::Double => near.double().map(|value| put!(field, Double, value)),
            Op::String => near.paid_text().map(|text| put_text(field, text)),
            Op::Bytes => near.paid_bytes().map(|bytes| put_bytes(field, bytes)),
            Op::Enum => read_symbol_of(plan, step.node, &mut near).map(|value| put!(field, Enum, value)),
            _ => {
                *input = near;
                let done = read(plan, step.node, input, field);
                near = *input;
                done
            }
        };
        done.map_err(|fault| in_field(fault, record, step.field))?;
    }
    *input = near;
    Ok(())
}

#[cold]
pub(in crate::avro) fn in_field(fault: Fault, record: &RecordPlan, field: u32) -> Fault {
    match record.fields.get(field as usize) {
        Some(name) => fault.in_field(name),
        None => fault,
    }
}

/// Texts keep their memory.
fn put_default(field: &mut Value, default: &Value) {
    match (field, default) {
        (Value::String(old), Value::String(text)) => old.clone_from(text),
        (Value::Union(old, inner), Value::Union(branch, default)) => {
            *old = *branch;
            put_default(inner, default);
        }
        (field, default) => field.clone_from(default),
    }
}

/// Defaults take memory for which the data has no bytes.
fn spend_default(default: &Value, input: &mut Input<'_>) -> Result<(), Fault> {
    match default {
        Value::String(text) => input.spend(text.len()),
        Value::Bytes(bytes) | Value::Fixed(bytes) => input.spend(bytes.len()),
        Value::Union(_, inner) => {
            input.spend(VALUE_BYTES)?;
            spend_default(inner, input)
        }
        Value::Array(items) | Value::Record(items) => {
            input.spend(items.len() * VALUE_BYTES)?;
            items.iter().try_for_each(|item| spend_default(item, input))
        }
        Value::Map(entries) => entries.iter().try_for_each(|(key, value)| {
            input.spend(key.len() + 2 * VALUE_BYTES)?;
            spend_default(value, input)
        }),
        _ => Ok(()),
    }
}

fn read_array(plan: &Plan, node: NodeId, input: &mut Input<'_>, out: &mut Value) -> Result<(), Fault> {
    if !matches!(out, Value::Array(_)) {
        *out = Value::Array(Vec::new());
    }
    let Value::Array(items) = out else { return Ok(()) };
    let mut used = 0;
    loop {
        let count = input.block()?;
        if count == 0 {
            items.truncate(used);
            return Ok(());
        }
        input.spend(count.saturating_mul(VALUE_BYTES))?;
        for _ in 0..count {
            if used == items.len() {
                items.push(Value::Null);
            }
            let Some(item) = items.get_mut(used) else {
                return Ok(());
            };
            read(plan, node, input, item).map_err(Fault::in_items)?;
            used += 1;
        }
    }
}

fn read_map(plan: &Plan, node: NodeId, input: &mut Input<'_>, out: &mut Value) -> Result<(), Fault> {
    if !matches!(out, Value::Map(_)) {
        *out = Value::Map(Vec::new());
    }
    let Value::Map(entries) = out else { return Ok(()) };
    let mut used = 0;
    loop {
        let count = input.block()?;
        if count == 0 {
            entries.truncate(used);
            return Ok(());
        }
        input.spend(count.saturating_mul(2 * VALUE_BYTES))?;
        for _ in 0..count {
            let text = input.text()?;
            input.spend(text.len())?;
            if used == entries.len() {
                entries.push((String::new(), Value::Null));
            }
            let Some((key, value)) = entries.get_mut(used) else {
                return Ok(());
            };
            key.clear();
            key.push_str(text);
            read(plan, node, input, value).map_err(Fault::in_values)?;
            used += 1;
        }
    }
}

#[inline]
pub(in crate::avro) fn read_symbol(plan: &EnumPlan, input: &mut Input<'_>) -> Result<u32, Fault> {
    let place = input.int()?;
    let target = usize::try_from(place)
        .ok()
        .and_then(|place| plan.targets.get(place));
    match target {
        Some(Some(symbol)) => Ok(*symbol),
        Some(None) => match plan.default {
            Some(default) => Ok(default),
            None => Err(unknown_symbol(plan, place)),
        },
        None => Err(no_symbol(plan, place)),
    }
}

#[cold]
fn no_symbol(plan: &EnumPlan, place: i32) -> Fault {
    Fault::new(format!(
        "the enum has {} symbols, none at {place}",
        plan.targets.len()
    ))
}

/// The same for a node that is known to be an enum.
#[inline]
pub(in crate::avro) fn read_symbol_of(
    plan: &Plan,
    node: NodeId,
    input: &mut Input<'_>,
) -> Result<u32, Fault> {
    match plan.get(node) {
        Node::Enum(symbols) => read_symbol(symbols, input),
        _ => Err(Fault::new("the plan has a hole")),
    }
}

#[cold]
fn unknown_symbol(plan: &EnumPlan, place: i32) -> Fault {
    let symbol = usize::try_from(place)
        .ok()
        .and_then(|place| plan.symbols.get(place));
    Fault::new(format!(
        "the symbol {} is unknown to the reader",
        symbol.map_or("?", String::as_str)
    ))
}

#[inline]
pub(in crate::avro) fn chosen(branches: &[NodeId], input: &mut Input<'_>) -> Result<NodeId, Fault> {
    let place = input.long()?;
    let node = usize::try_from(place).ok().and_then(|place| branches.get(place));
    node.copied().ok_or_else(|| no_branch(place, branches.len()))
}

#[inline]
pub(in crate::avro) fn branch(union: &UnionPlan, input: &mut Input<'_>) -> Result<Branch, Fault> {
    let place = input.long()?;
    let branch = usize::try_from(place)
        .ok()
        .and_then(|place| union.branches.get(place));
    branch
        .copied()
        .ok_or_else(|| no_branch(place, union.branches.len()))
}

#[cold]
fn no_branch(place: i64, branches: usize) -> Fault {
    Fault::new(format!("the union has {branches} branches, none at {place}"))
}

/// Passes over one value. Blocks that say their length are passed over whole.
pub(in crate::avro) fn skip(plan: &Plan, node: NodeId, input: &mut Input<'_>) -> Result<(), Fault> {
    match plan.get(node) {
        Node::Null => {}
        Node::Boolean => {
            input.take(1)?;
        }
        Node::Int | Node::Long | Node::IntAsLong | Node::IntAsFloat | Node::IntAsDouble => {
            input.long()?;
        }
        Node::LongAsFloat | Node::LongAsDouble | Node::Enum(_) => {
            input.long()?;
        }
        Node::Float | Node::FloatAsDouble => {
            input.take(4)?;
        }
        Node::Double => {
            input.take(8)?;
        }
        Node::Bytes | Node::String | Node::StringAsBytes | Node::BytesAsString => {
            input.bytes()?;
        }
        Node::Fixed(size) => {
            input.take(*size)?;
        }
        composed => {
            input.enter()?;
            skip_composed(plan, composed, input)?;
            input.leave();
        }
    }
    Ok(())
}

fn skip_composed(plan: &Plan, node: &Node, input: &mut Input<'_>) -> Result<(), Fault> {
    match node {
        Node::Record(record) => record
            .steps
            .iter()
            .try_for_each(|Step { node, .. }| skip(plan, *node, input)),
        Node::Chosen(branches) => skip(plan, chosen(branches, input)?, input),
        Node::Union(union) => skip(plan, branch(union, input)?.node, input),
        Node::AsBranch { node, .. } => skip(plan, *node, input),
        Node::Array(items) => skip_blocks(input, |input| skip(plan, *items, input)),
        Node::Map(values) => skip_blocks(input, |input| {
            input.bytes()?;
            skip(plan, *values, input)
        }),
        Node::Impossible(why) => Err(Fault::new(why.as_str())),
        _ => Err(Fault::new("the plan has a hole")),
    }
}

fn skip_blocks(
    input: &mut Input<'_>,
    mut item: impl FnMut(&mut Input<'_>) -> Result<(), Fault>,
) -> Result<(), Fault> {
    loop {
        match input.block_to_skip()? {
            (0, _) => return Ok(()),
            (_, Some(bytes)) => {
                input.take(bytes)?;
            }
            (count, None) => {
                // Items of no bytes cost time all the same.
                input.spend(count)?;
                (0..count).try_for_each(|_| item(input))?;
            }
        }
    }
}
