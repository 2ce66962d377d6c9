//! Running a plan without building values: a visitor is told what is there.

use super::{
    DataLimits, Fault, Input,
    decode::{branch, chosen, in_field, read_symbol, skip},
    plan::{Branch, Node, NodeId, Op, Plan, RecordPlan},
};

/// Is told about one datum, in the order of its bytes. Every method does nothing unless it is written.
///
/// Inside a record each value follows its [`field`](Visitor::field); fields that were not written come last, with their
/// defaults.
#[allow(unused_variables)]
pub trait Visitor {
    fn null(&mut self) {}
    fn boolean(&mut self, value: bool) {}
    fn int(&mut self, value: i32) {}
    fn long(&mut self, value: i64) {}
    fn float(&mut self, value: f32) {}
    fn double(&mut self, value: f64) {}
    fn bytes(&mut self, value: &[u8]) {}
    fn string(&mut self, value: &str) {}
    fn fixed(&mut self, value: &[u8]) {}
    /// The position of the symbol in the schema that reads, and its name.
    fn symbol(&mut self, place: u32, name: &str) {}
    /// The position of the branch in the schema that reads; its value follows.
    fn branch(&mut self, place: u32) {}
    fn begin_record(&mut self) {}
    /// The position of the field in the schema that reads, and its name; its value follows.
    fn field(&mut self, place: u32, name: &str) {}
    fn end_record(&mut self) {}
    fn begin_array(&mut self) {}
    fn end_array(&mut self) {}
    fn begin_map(&mut self) {}
    /// The key of an entry; its value follows.
    fn key(&mut self, key: &str) {}
    fn end_map(&mut self) {}
}

pub(super) struct Visits<'p, 'v, V> {
    pub plan: &'p Plan,
    pub visitor: &'v mut V,
}

impl<'p, V: Visitor> Visits<'p, '_, V> {
    pub fn node(&mut self, node: NodeId, input: &mut Input<'_>) -> Result<(), Fault> {
        match self.plan.get(node) {
            Node::Null => self.visitor.null(),
            Node::Boolean => self.visitor.boolean(input.boolean()?),
            Node::Int => self.visitor.int(input.int()?),
            Node::Long => self.visitor.long(input.long()?),
            Node::Float => self.visitor.float(input.float()?),
            Node::Double => self.visitor.double(input.double()?),
            Node::IntAsLong => self.visitor.long(i64::from(input.int()?)),
            Node::IntAsFloat => self.visitor.float(input.int()? as f32),
            Node::IntAsDouble => self.visitor.double(f64::from(input.int()?)),
            Node::LongAsFloat => self.visitor.float(input.long()? as f32),
            Node::LongAsDouble => self.visitor.double(input.long()? as f64),
            Node::FloatAsDouble => self.visitor.double(f64::from(input.float()?)),
            Node::String | Node::BytesAsString => self.visitor.string(input.text()?),
            Node::Bytes | Node::StringAsBytes => self.visitor.bytes(input.bytes()?),
            Node::Fixed(size) => self.visitor.fixed(input.take(*size)?),
            Node::Enum(plan) => {
                let symbol = read_symbol(plan, input)?;
                self.visitor
                    .symbol(symbol, plan.names.get(symbol as usize).map_or("", String::as_str));
            }
            composed => {
                input.enter()?;
                self.composed(composed, input)?;
                input.leave();
            }
        }
        Ok(())
    }

    fn composed(&mut self, node: &'p Node, input: &mut Input<'_>) -> Result<(), Fault> {
        match node {
            Node::Record(record) => self.record(record, input),
            Node::Array(items) => {
                self.visitor.begin_array();
                self.blocks(input, |visits, input| {
                    visits.node(*items, input).map_err(Fault::in_items)
                })?;
                self.visitor.end_array();
                Ok(())
            }
            Node::Map(values) => {
                self.visitor.begin_map();
                self.blocks(input, |visits, input| {
                    visits.visitor.key(input.text()?);
                    visits.node(*values, input).map_err(Fault::in_values)
                })?;
                self.visitor.end_map();
                Ok(())
            }
            Node::Chosen(branches) => self.node(chosen(branches, input)?, input),
            Node::Union(union) => {
                let branch = branch(union, input)?;
                self.branch(branch, input)
            }
            Node::AsBranch { branch, node, .. } => {
                self.visitor.branch(*branch);
                self.node(*node, input)
            }
            Node::Impossible(why) => Err(Fault::new(why.as_str())),
            _ => Err(Fault::new("the plan has a hole")),
        }
    }

    fn record(&mut self, record: &'p RecordPlan, input: &mut Input<'_>) -> Result<(), Fault> {
        self.visitor.begin_record();
        // A copy that stays in registers, since nobody else is given its address; `input` is right around calls.
        let mut near = *input;
        for step in &record.steps {
            let Some(name) = record.fields.get(step.field as usize) else {
                *input = near;
                skip(self.plan, step.node, input)?;
                near = *input;
                continue;
            };
            self.visitor.field(step.field, name);
            let done = match step.op {
                Op::Boolean => near.boolean().map(|value| self.visitor.boolean(value)),
                Op::Int => near.int().map(|value| self.visitor.int(value)),
                Op::Long => near.long().map(|value| self.visitor.long(value)),
                Op::IntAsLong => near.int().map(|value| self.visitor.long(i64::from(value))),
                Op::Float => near.float().map(|value| self.visitor.float(value)),
                Op::Double => near.double().map(|value| self.visitor.double(value)),
                Op::String => near.text().map(|text| self.visitor.string(text)),
                Op::Bytes => near.bytes().map(|bytes| self.visitor.bytes(bytes)),
                _ => {
                    *input = near;
                    let done = self.node(step.node, input);
                    near = *input;
                    done
                }
            };
            done.map_err(|fault| in_field(fault, record, step.field))?;
        }
        *input = near;
        for default in &record.defaults {
            let name = record
                .fields
                .get(default.field as usize)
                .map_or("", String::as_str);
            self.visitor.field(default.field, name);
            self.node(
                default.node,
                &mut Input::new(&default.bytes, &DataLimits::default()),
            )?;
        }
        self.visitor.end_record();
        Ok(())
    }

    fn branch(&mut self, branch: Branch, input: &mut Input<'_>) -> Result<(), Fault> {
        self.visitor.branch(branch.branch);
        match branch.op {
            Op::Null => {
                self.visitor.null();
                Ok(())
            }
            Op::String => input.text().map(|text| self.visitor.string(text)),
            _ => self.node(branch.node, input),
        }
    }

    fn blocks(
        &mut self,
        input: &mut Input<'_>,
        mut item: impl FnMut(&mut Self, &mut Input<'_>) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        loop {
            let count = input.block()?;
            if count == 0 {
                return Ok(());
            }
            input.spend(count)?;
            (0..count).try_for_each(|_| item(self, input))?;
        }
    }
}
