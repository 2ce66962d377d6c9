//! A plan as a serde deserializer.

use serde::de::{
    self, DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, VariantAccess,
    Visitor,
};

use crate::avro::binary::{
    DataError, DataLimits, Decoder, Fault, Input, Node, NodeId, Plan, RecordPlan, Step, branch, chosen,
    in_field, no_more, read_symbol, skip,
};

/// Reads one datum that takes all of `bytes`.
pub(super) fn from_bytes<'de, T: de::Deserialize<'de>>(
    decoder: &'de Decoder,
    bytes: &'de [u8],
) -> Result<T, DataError> {
    let mut input = Input::new(bytes, &decoder.limits);
    let value = T::deserialize(Datum {
        plan: &decoder.plan,
        label: None,
        node: decoder.plan.root,
        input: &mut input,
    })?;
    no_more(input.rest)?;
    Ok(value)
}

impl de::Error for Fault {
    fn custom<T: std::fmt::Display>(what: T) -> Fault {
        Fault::new(what.to_string())
    }
}

/// One value that was not read yet.
struct Datum<'i, 'de> {
    plan: &'de Plan,
    node: NodeId,
    /// The branch, when the position in a union was read already.
    label: Option<&'de str>,
    input: &'i mut Input<'de>,
}

impl<'i, 'de> Datum<'i, 'de> {
    fn at(self, node: NodeId) -> Datum<'i, 'de> {
        Datum { node, ..self }
    }

    /// Follows unions to the value inside: its node, and the name of the branch if the reader has a union.
    fn open(mut self) -> Result<(Option<&'de str>, Datum<'i, 'de>), Fault> {
        let mut label = self.label;
        loop {
            let node = match self.plan.get(self.node) {
                Node::Chosen(branches) => chosen(branches, self.input)?,
                Node::Union(union) => {
                    let branch = branch(union, self.input)?;
                    label = union.variants.get(branch.branch as usize).map(String::as_str);
                    branch.node
                }
                Node::AsBranch { variant, node, .. } => {
                    label = Some(&**variant);
                    *node
                }
                _ => return Ok((label, self)),
            };
            self = self.at(node);
        }
    }
}

impl<'de> Deserializer<'de> for Datum<'_, 'de> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let (plan, input) = (self.plan, self.input);
        match plan.get(self.node) {
            Node::Null => visitor.visit_unit(),
            Node::Boolean => visitor.visit_bool(input.boolean()?),
            Node::Int => visitor.visit_i32(input.int()?),
            Node::Long => visitor.visit_i64(input.long()?),
            Node::Float => visitor.visit_f32(input.float()?),
            Node::Double => visitor.visit_f64(input.double()?),
            Node::IntAsLong => visitor.visit_i64(i64::from(input.int()?)),
            Node::IntAsFloat => visitor.visit_f32(input.int()? as f32),
            Node::IntAsDouble => visitor.visit_f64(f64::from(input.int()?)),
            Node::LongAsFloat => visitor.visit_f32(input.long()? as f32),
            Node::LongAsDouble => visitor.visit_f64(input.long()? as f64),
            Node::FloatAsDouble => visitor.visit_f64(f64::from(input.float()?)),
            Node::String | Node::BytesAsString => visitor.visit_borrowed_str(input.text()?),
            Node::Bytes | Node::StringAsBytes => visitor.visit_borrowed_bytes(input.bytes()?),
            Node::Fixed(size) => visitor.visit_borrowed_bytes(input.take(*size)?),
            Node::Enum(symbols) => {
                let place = read_symbol(symbols, input)?;
                visitor.visit_str(symbols.names.get(place as usize).map_or("", String::as_str))
            }
            Node::Record(record) => {
                input.enter()?;
                let fields = Fields {
                    plan,
                    record,
                    input: &mut *input,
                    step: 0,
                    default: 0,
                };
                let value = visitor.visit_map(fields)?;
                input.leave();
                Ok(value)
            }
            Node::Array(items) => {
                input.enter()?;
                let mut blocks = Blocks {
                    plan,
                    node: *items,
                    input: &mut *input,
                    left: 0,
                    ended: false,
                };
                let value = visitor.visit_seq(Items(&mut blocks))?;
                blocks.must_be_ended()?;
                input.leave();
                Ok(value)
            }
            Node::Map(values) => {
                input.enter()?;
                let mut blocks = Blocks {
                    plan,
                    node: *values,
                    input: &mut *input,
                    left: 0,
                    ended: false,
                };
                let value = visitor.visit_map(Entries(&mut blocks))?;
                blocks.must_be_ended()?;
                input.leave();
                Ok(value)
            }
            Node::Chosen(_) | Node::Union(_) | Node::AsBranch { .. } => {
                input.enter()?;
                let (_, inner) = Datum {
                    plan,
                    label: None,
                    node: self.node,
                    input: &mut *input,
                }
                .open()?;
                let value = inner.deserialize_any(visitor)?;
                input.leave();
                Ok(value)
            }
            Node::Impossible(why) => Err(Fault::new(why.as_str())),
            Node::Open => Err(Fault::new("the plan has a hole")),
        }
    }

    #[inline]
    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.plan.get(self.node) {
            Node::Boolean => visitor.visit_bool(self.input.boolean()?),
            _ => self.deserialize_any(visitor),
        }
    }

    #[inline]
    fn deserialize_i32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.plan.get(self.node) {
            Node::Int => visitor.visit_i32(self.input.int()?),
            _ => self.deserialize_any(visitor),
        }
    }

    #[inline]
    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.plan.get(self.node) {
            Node::Long => visitor.visit_i64(self.input.long()?),
            _ => self.deserialize_any(visitor),
        }
    }

    #[inline]
    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.plan.get(self.node) {
            Node::Double => visitor.visit_f64(self.input.double()?),
            _ => self.deserialize_any(visitor),
        }
    }

    #[inline]
    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.plan.get(self.node) {
            Node::String => visitor.visit_borrowed_str(self.input.text()?),
            _ => self.deserialize_any(visitor),
        }
    }

    #[inline]
    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_str(visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match self.plan.get(self.node) {
            Node::Record(record) if is_in_order(record, fields) => {
                self.input.enter()?;
                let value = visitor.visit_seq(InOrder {
                    plan: self.plan,
                    record,
                    steps: record.steps.iter(),
                    input: &mut *self.input,
                })?;
                self.input.leave();
                Ok(value)
            }
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let (label, inner) = self.open()?;
        match inner.plan.get(inner.node) {
            Node::Null => visitor.visit_none(),
            _ => visitor.visit_some(Datum { label, ..inner }),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let (label, inner) = self.open()?;
        // An enum inside a union: a type that has the branch for a variant holds the symbol inside it.
        let label = label
            .filter(|label| variants.contains(label) || !matches!(inner.plan.get(inner.node), Node::Enum(_)));
        match (inner.plan.get(inner.node), label) {
            (Node::Enum(symbols), None) => {
                let place = read_symbol(symbols, inner.input)?;
                let name = symbols.names.get(place as usize).map_or("", String::as_str);
                visitor.visit_enum(IntoDeserializer::<Fault>::into_deserializer(name))
            }
            (_, Some(label)) => visitor.visit_enum(Branch { label, inner }),
            (Node::String, None) => {
                let name = inner.input.text()?;
                visitor.visit_enum(IntoDeserializer::<Fault>::into_deserializer(name))
            }
            _ => Err(Fault::new("an enum of Rust needs an enum or a union")),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let (_, inner) = self.open()?;
        let bytes = match inner.plan.get(inner.node) {
            Node::Bytes | Node::StringAsBytes => inner.input.bytes()?,
            Node::Fixed(size) => inner.input.take(*size)?,
            _ => return inner.deserialize_any(visitor),
        };
        inner.input.spend(bytes.len())?;
        visitor.visit_seq(de::value::SeqDeserializer::<_, Fault>::new(bytes.iter().copied()))
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _length: usize, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        skip(self.plan, self.node, self.input)?;
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! {
        i8 i16 i128 u8 u16 u32 u64 u128 f32 char bytes byte_buf unit unit_struct tuple_struct map identifier
    }
}

/// Whether the data hold just the fields of a Rust type, in its order: then nobody need compare names.
#[inline]
fn is_in_order(record: &RecordPlan, fields: &'static [&'static str]) -> bool {
    if record.steps.len() != fields.len() || !record.defaults.is_empty() {
        return false;
    }
    let address = fields.as_ptr() as usize;
    match record.order.verdict(address) {
        Some(verdict) => verdict,
        None => {
            let mut pairs = record.steps.iter().zip(fields);
            let right = pairs.all(|(step, name)| {
                record
                    .fields
                    .get(step.field as usize)
                    .is_some_and(|field| field == name)
            });
            record.order.keep(address, right);
            right
        }
    }
}

/// The fields of a record one after the other, as the Rust type has them.
struct InOrder<'i, 'de> {
    plan: &'de Plan,
    record: &'de RecordPlan,
    steps: std::slice::Iter<'de, Step>,
    input: &'i mut Input<'de>,
}

impl<'de> SeqAccess<'de> for InOrder<'_, 'de> {
    type Error = Fault;

    #[inline]
    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Fault> {
        let Some(step) = self.steps.next() else {
            return Ok(None);
        };
        let datum = Datum {
            plan: self.plan,
            label: None,
            node: step.node,
            input: self.input,
        };
        match seed.deserialize(datum) {
            Ok(value) => Ok(Some(value)),
            Err(fault) => Err(in_field(fault, self.record, step.field)),
        }
    }
}

/// The value of a union as a variant of an enum of Rust.
struct Branch<'i, 'de> {
    label: &'de str,
    inner: Datum<'i, 'de>,
}

impl<'i, 'de> EnumAccess<'de> for Branch<'i, 'de> {
    type Error = Fault;
    type Variant = Datum<'i, 'de>;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self::Variant), Fault> {
        let name = seed.deserialize(IntoDeserializer::<Fault>::into_deserializer(self.label))?;
        Ok((name, self.inner))
    }
}

impl<'de> VariantAccess<'de> for Datum<'_, 'de> {
    type Error = Fault;

    fn unit_variant(self) -> Result<(), Fault> {
        skip(self.plan, self.node, self.input)
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Fault> {
        seed.deserialize(self)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _length: usize, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_seq(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.deserialize_any(visitor)
    }
}

/// The fields of a record: those that were written, then the defaults.
struct Fields<'i, 'de> {
    plan: &'de Plan,
    record: &'de RecordPlan,
    input: &'i mut Input<'de>,
    /// Steps done; the one before it is the current field.
    step: usize,
    /// Defaults done.
    default: usize,
}

impl<'de> Fields<'_, 'de> {
    fn name(&self, field: u32) -> &'de str {
        self.record.fields.get(field as usize).map_or("", String::as_str)
    }
}

impl<'de> MapAccess<'de> for Fields<'_, 'de> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Fault> {
        while let Some(step) = self.record.steps.get(self.step) {
            self.step += 1;
            if (step.field as usize) < self.record.fields.len() {
                let name = IntoDeserializer::<Fault>::into_deserializer(self.name(step.field));
                return seed.deserialize(name).map(Some);
            }
            skip(self.plan, step.node, self.input)?;
        }
        let Some(default) = self.record.defaults.get(self.default) else {
            return Ok(None);
        };
        self.default += 1;
        seed.deserialize(IntoDeserializer::<Fault>::into_deserializer(
            self.name(default.field),
        ))
        .map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Fault> {
        if let Some(default) = self
            .default
            .checked_sub(1)
            .and_then(|at| self.record.defaults.get(at))
        {
            let mut input = Input::new(&default.bytes, &DataLimits::default());
            return seed.deserialize(Datum {
                plan: self.plan,
                label: None,
                node: default.node,
                input: &mut input,
            });
        }
        let Some(step) = self.step.checked_sub(1).and_then(|at| self.record.steps.get(at)) else {
            return Err(Fault::new("a value was asked for before its name"));
        };
        let datum = Datum {
            plan: self.plan,
            label: None,
            node: step.node,
            input: self.input,
        };
        seed.deserialize(datum)
            .map_err(|fault| in_field(fault, self.record, step.field))
    }
}

/// The items of an array or the entries of a map.
struct Blocks<'i, 'de> {
    plan: &'de Plan,
    node: NodeId,
    input: &'i mut Input<'de>,
    /// Items of the open block.
    left: usize,
    ended: bool,
}

impl<'de> Blocks<'_, 'de> {
    fn more(&mut self) -> Result<bool, Fault> {
        if self.left == 0 && !self.ended {
            self.left = self.input.block()?;
            self.ended = self.left == 0;
            self.input.spend(self.left)?;
        }
        let more = self.left > 0;
        self.left = self.left.saturating_sub(1);
        Ok(more)
    }

    fn datum(&mut self) -> Datum<'_, 'de> {
        Datum {
            plan: self.plan,
            label: None,
            node: self.node,
            input: self.input,
        }
    }

    fn must_be_ended(mut self) -> Result<(), Fault> {
        if self.more()? {
            Err(Fault::new("there are more items than the type holds"))
        } else {
            Ok(())
        }
    }
}

struct Items<'b, 'i, 'de>(&'b mut Blocks<'i, 'de>);

impl<'de> SeqAccess<'de> for Items<'_, '_, 'de> {
    type Error = Fault;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Fault> {
        if !self.0.more()? {
            return Ok(None);
        }
        seed.deserialize(self.0.datum())
            .map(Some)
            .map_err(Fault::in_items)
    }
}

struct Entries<'b, 'i, 'de>(&'b mut Blocks<'i, 'de>);

impl<'de> MapAccess<'de> for Entries<'_, '_, 'de> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Fault> {
        if !self.0.more()? {
            return Ok(None);
        }
        let key = self.0.input.text()?;
        seed.deserialize(de::value::BorrowedStrDeserializer::<Fault>::new(key))
            .map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Fault> {
        seed.deserialize(self.0.datum()).map_err(Fault::in_values)
    }
}
