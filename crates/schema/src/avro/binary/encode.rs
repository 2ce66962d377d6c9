//! Values to bytes.

use super::{
    DataError, Fault,
    plan::{Node, NodeId, Op, Plan, RecordPlan},
};
use crate::{
    Work,
    avro::{model::AvroSchema, value::Value},
};

/// Writes values of one schema. Compiled once, used for every datum.
#[derive(Debug, Clone)]
pub struct Encoder {
    pub(in crate::avro) plan: Plan,
}

impl Encoder {
    /// Compiles how values of `schema` are written.
    pub fn new(schema: &AvroSchema) -> Encoder {
        let mut work = Work::bounded(u64::MAX);
        // Only a bound or a cancelling hand stops a compilation; there is neither.
        let plan = super::compile(schema, schema, &mut work);
        Encoder {
            plan: plan.unwrap_or(Plan {
                nodes: Vec::new(),
                root: 0,
            }),
        }
    }

    /// Appends the encoding of `value`. After an error `out` is as it was.
    pub fn encode(&self, value: &Value, out: &mut Vec<u8>) -> Result<(), DataError> {
        let before = out.len();
        write(&self.plan, self.plan.root, value, out).map_err(|fault| {
            out.truncate(before);
            fault.into()
        })
    }
}

pub(super) fn write(plan: &Plan, node: NodeId, value: &Value, out: &mut Vec<u8>) -> Result<(), Fault> {
    match (plan.get(node), value) {
        (Node::Null, Value::Null) => {}
        (Node::Boolean, Value::Boolean(value)) => out.push(u8::from(*value)),
        (Node::Int, Value::Int(value)) => put_long(out, i64::from(*value)),
        (Node::Long, Value::Long(value)) => put_long(out, *value),
        (Node::Float, Value::Float(value)) => out.extend_from_slice(&value.to_le_bytes()),
        (Node::Double, Value::Double(value)) => out.extend_from_slice(&value.to_le_bytes()),
        (Node::String, Value::String(text)) => put_bytes(out, text.as_bytes()),
        (Node::Bytes, Value::Bytes(bytes)) => put_bytes(out, bytes),
        (Node::Fixed(size), Value::Fixed(bytes)) if bytes.len() == *size => out.extend_from_slice(bytes),
        (Node::Enum(symbols), Value::Enum(place)) if (*place as usize) < symbols.targets.len() => {
            put_long(out, i64::from(*place));
        }
        (composed, value) => return write_composed(plan, composed, value, out),
    }
    Ok(())
}

fn write_composed(plan: &Plan, node: &Node, value: &Value, out: &mut Vec<u8>) -> Result<(), Fault> {
    match (node, value) {
        (Node::Record(record), Value::Record(fields)) if fields.len() == record.steps.len() => {
            write_fields(plan, record, fields, out)?;
        }
        (Node::Union(union), Value::Union(place, inner)) => {
            let Some(branch) = union.branches.get(*place as usize) else {
                return Err(Fault::new(format!(
                    "the union has {} branches, none at {place}",
                    union.branches.len()
                )));
            };
            put_long(out, i64::from(*place));
            let label = |fault: Fault| match union.labels.get(*place as usize) {
                Some(label) => fault.in_branch(label),
                None => fault,
            };
            write(plan, branch.node, inner, out).map_err(label)?;
        }
        (Node::Array(node), Value::Array(items)) => {
            if !items.is_empty() {
                put_long(out, items.len() as i64);
            }
            for item in items {
                write(plan, *node, item, out).map_err(Fault::in_items)?;
            }
            out.push(0);
        }
        (Node::Map(node), Value::Map(entries)) => {
            if !entries.is_empty() {
                put_long(out, entries.len() as i64);
            }
            for (key, value) in entries {
                put_bytes(out, key.as_bytes());
                write(plan, *node, value, out).map_err(Fault::in_values)?;
            }
            out.push(0);
        }
        _ => return Err(unfit(node, value)),
    }
    Ok(())
}

fn write_fields(plan: &Plan, record: &RecordPlan, fields: &[Value], out: &mut Vec<u8>) -> Result<(), Fault> {
    for (step, field) in record.steps.iter().zip(fields) {
        match (step.op, field) {
            (Op::Long, Value::Long(value)) => put_long(out, *value),
            (Op::Int, Value::Int(value)) => put_long(out, i64::from(*value)),
            (Op::String, Value::String(text)) => put_bytes(out, text.as_bytes()),
            (Op::Double, Value::Double(value)) => out.extend_from_slice(&value.to_le_bytes()),
            (Op::Boolean, Value::Boolean(value)) => out.push(u8::from(*value)),
            _ => write(plan, step.node, field, out)
                .map_err(|fault| super::decode::in_field(fault, record, step.field))?,
        }
    }
    Ok(())
}

#[cold]
fn unfit(node: &Node, value: &Value) -> Fault {
    let wanted = match node {
        Node::Null => "null".into(),
        Node::Boolean => "boolean".into(),
        Node::Int => "int".into(),
        Node::Long => "long".into(),
        Node::Float => "float".into(),
        Node::Double => "double".into(),
        Node::Bytes => "bytes".into(),
        Node::String => "string".into(),
        Node::Fixed(size) => format!("fixed of {size} bytes"),
        Node::Enum(symbols) => format!("enum of {} symbols", symbols.targets.len()),
        Node::Record(record) => format!("record of {} fields", record.steps.len()),
        Node::Array(_) => "array".into(),
        Node::Map(_) => "map".into(),
        _ => "union".to_owned(),
    };
    Fault::new(format!(
        "a value of kind {} where the schema has {wanted}",
        value.word()
    ))
}

/// Appends a length and the bytes.
#[inline]
pub(in crate::avro) fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_long(out, bytes.len() as i64);
    out.extend_from_slice(bytes);
}

/// Appends a number in zigzag base 128.
#[inline]
pub(crate) fn put_long(out: &mut Vec<u8>, value: i64) {
    let zigzag = ((value << 1) ^ (value >> 63)) as u64;
    if zigzag < 0x80 {
        out.push(zigzag as u8);
    } else if zigzag < 1 << 56 {
        // Eight bytes at once, and those that are too many taken off: no loop whose end must be guessed.
        let length = (70 - zigzag.leading_zeros() as usize) / 7;
        let more = 0x0080_8080_8080_8080 & ((1 << (8 * (length - 1))) - 1);
        let end = out.len() + length;
        out.extend_from_slice(&(spread(zigzag) | more).to_le_bytes());
        out.truncate(end);
    } else {
        put_longest(out, zigzag);
    }
}

/// 56 bits to eight groups of seven bits, a byte each.
#[inline]
fn spread(bits: u64) -> u64 {
    let fours = (bits & 0x0fff_ffff) | ((bits << 4) & 0x0fff_ffff_0000_0000);
    let pairs = (fours & 0x0000_3fff_0000_3fff) | ((fours << 2) & 0x3fff_0000_3fff_0000);
    (pairs & 0x007f_007f_007f_007f) | ((pairs << 1) & 0x7f00_7f00_7f00_7f00)
}

#[cold]
fn put_longest(out: &mut Vec<u8>, mut zigzag: u64) {
    while zigzag >= 0x80 {
        out.push(zigzag as u8 | 0x80);
        zigzag >>= 7;
    }
    out.push(zigzag as u8);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::avro::{DataLimits, binary::Input};

    #[test]
    fn numbers_of_every_length_are_written_as_the_loop_writes_them_and_read_back() {
        let edges = (0..64).flat_map(|bit| [1i64 << bit, (1i64 << bit).wrapping_sub(1)]);
        for value in edges.flat_map(|value| [value, value.wrapping_neg(), !value]) {
            let (mut fast, mut slow) = (Vec::new(), Vec::new());
            put_long(&mut fast, value);
            put_longest(&mut slow, ((value << 1) ^ (value >> 63)) as u64);
            assert_eq!(fast, slow, "{value}");
            for behind in [0, 1, 9] {
                let bytes = [fast.as_slice(), &vec![0xff; behind]].concat();
                let mut input = Input::new(&bytes, &DataLimits::default());
                assert_eq!(input.long().unwrap(), value);
                assert_eq!(input.rest.len(), behind);
            }
        }
    }
}
