//! A serde serializer that writes by a plan.

use serde::ser::{self, Serialize, Serializer};

use crate::avro::binary::{
    DataError, Encoder, Fault, Node, NodeId, Plan, RecordPlan, in_field, put_bytes, put_long,
};

/// Appends one datum.
pub(super) fn append<T: Serialize + ?Sized>(
    encoder: &Encoder,
    value: &T,
    out: &mut Vec<u8>,
) -> Result<(), DataError> {
    Ok(value.serialize(Slot {
        plan: &encoder.plan,
        node: encoder.plan.root,
        out,
    })?)
}

impl ser::Error for Fault {
    fn custom<T: std::fmt::Display>(what: T) -> Fault {
        Fault::new(what.to_string())
    }
}

/// A place for one value.
struct Slot<'p, 'o> {
    plan: &'p Plan,
    node: NodeId,
    out: &'o mut Vec<u8>,
}

impl<'p, 'o> Slot<'p, 'o> {
    /// The node that `fits`: this one, or the first branch of the union, whose position is then written.
    fn choose(
        mut self,
        fits: impl Fn(&Node, &str) -> bool,
    ) -> Result<(&'p Node, Slot<'p, 'o>), Slot<'p, 'o>> {
        let node = self.plan.get(self.node);
        let Node::Union(union) = node else {
            return if fits(node, "") {
                Ok((node, self))
            } else {
                Err(self)
            };
        };
        for ((place, branch), name) in union.branches.iter().enumerate().zip(&union.variants) {
            let inner = self.plan.get(branch.node);
            if fits(inner, name) {
                put_long(self.out, place as i64);
                self.node = branch.node;
                return Ok((inner, self));
            }
        }
        Err(self)
    }

    /// The same, or an error that names what was to be written.
    fn must(self, what: &str, fits: impl Fn(&Node, &str) -> bool) -> Result<(&'p Node, Slot<'p, 'o>), Fault> {
        self.choose(fits)
            .map_err(|_| Fault::new(format!("the schema has no place for {what} here")))
    }

    /// The branch of that name.
    fn variant(self, name: &str) -> Result<Slot<'p, 'o>, Fault> {
        let found = self.choose(|_, label| label == name);
        found
            .map(|(_, slot)| slot)
            .map_err(|_| Fault::new(format!("{name} is no branch of the union")))
    }

    /// Writes an integer: as the kind that is asked for, else as one that holds it exactly.
    fn integer(self, value: i64, wanted: fn(&Node) -> bool) -> Result<(), Fault> {
        let small = i32::try_from(value).is_ok();
        let holds = |node: &Node| matches!(node, Node::Long) || (matches!(node, Node::Int) && small);
        let slot = match self.choose(|node, _| wanted(node) && holds(node)) {
            Ok((_, slot)) => slot,
            Err(slot) => slot.must(&value.to_string(), |node, _| holds(node))?.1,
        };
        put_long(slot.out, value);
        Ok(())
    }

    fn record(self, record: &'p RecordPlan) -> Fields<'p, 'o> {
        Fields::Record {
            plan: self.plan,
            record,
            out: self.out,
            next: 0,
            ahead: Vec::new(),
        }
    }

    fn fields(self, name: &str) -> Result<Fields<'p, 'o>, Fault> {
        if let Node::Record(record) = self.plan.get(self.node) {
            return Ok(self.record(record));
        }
        let slot = match self.choose(|node, label| matches!(node, Node::Record(_)) && label == name) {
            Ok((_, slot)) => slot,
            Err(slot) => {
                slot.must(name, |node, _| matches!(node, Node::Record(_) | Node::Map(_)))?
                    .1
            }
        };
        Ok(match slot.plan.get(slot.node) {
            Node::Record(record) => slot.record(record),
            Node::Map(node) => Fields::Map {
                plan: slot.plan,
                node: *node,
                out: slot.out,
                key: None,
            },
            _ => return Err(Fault::new("a struct needs a record or a map")),
        })
    }
}

fn is_int(node: &Node) -> bool {
    matches!(node, Node::Int)
}

fn is_long(node: &Node) -> bool {
    matches!(node, Node::Long)
}

impl<'p, 'o> Serializer for Slot<'p, 'o> {
    type Ok = ();
    type Error = Fault;
    type SerializeSeq = Items<'p, 'o>;
    type SerializeTuple = Items<'p, 'o>;
    type SerializeTupleStruct = Items<'p, 'o>;
    type SerializeTupleVariant = Items<'p, 'o>;
    type SerializeMap = Fields<'p, 'o>;
    type SerializeStruct = Fields<'p, 'o>;
    type SerializeStructVariant = Fields<'p, 'o>;

    #[inline]
    fn serialize_bool(self, value: bool) -> Result<(), Fault> {
        let (_, slot) = self.must("a boolean", |node, _| matches!(node, Node::Boolean))?;
        slot.out.push(u8::from(value));
        Ok(())
    }

    fn serialize_i8(self, value: i8) -> Result<(), Fault> {
        self.integer(i64::from(value), is_int)
    }

    fn serialize_i16(self, value: i16) -> Result<(), Fault> {
        self.integer(i64::from(value), is_int)
    }

    #[inline]
    fn serialize_i32(self, value: i32) -> Result<(), Fault> {
        if let Node::Int = self.plan.get(self.node) {
            put_long(self.out, i64::from(value));
            return Ok(());
        }
        self.integer(i64::from(value), is_int)
    }

    #[inline]
    fn serialize_i64(self, value: i64) -> Result<(), Fault> {
        if let Node::Long = self.plan.get(self.node) {
            put_long(self.out, value);
            return Ok(());
        }
        self.integer(value, is_long)
    }

    fn serialize_u8(self, value: u8) -> Result<(), Fault> {
        self.integer(i64::from(value), is_int)
    }

    fn serialize_u16(self, value: u16) -> Result<(), Fault> {
        self.integer(i64::from(value), is_int)
    }

    fn serialize_u32(self, value: u32) -> Result<(), Fault> {
        self.integer(i64::from(value), is_long)
    }

    fn serialize_u64(self, value: u64) -> Result<(), Fault> {
        let value = i64::try_from(value).map_err(|_| Fault::new(format!("{value} does not fit a long")))?;
        self.integer(value, is_long)
    }

    fn serialize_f32(self, value: f32) -> Result<(), Fault> {
        match self.choose(|node, _| matches!(node, Node::Float)) {
            Ok((_, slot)) => {
                slot.out.extend_from_slice(&value.to_le_bytes());
                Ok(())
            }
            Err(slot) => slot.serialize_f64(f64::from(value)),
        }
    }

    #[inline]
    fn serialize_f64(self, value: f64) -> Result<(), Fault> {
        let (_, slot) = self.must("a double", |node, _| matches!(node, Node::Double))?;
        slot.out.extend_from_slice(&value.to_le_bytes());
        Ok(())
    }

    fn serialize_char(self, value: char) -> Result<(), Fault> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Result<(), Fault> {
        match self.choose(|node, _| matches!(node, Node::String)) {
            Ok((_, slot)) => put_bytes(slot.out, value.as_bytes()),
            Err(slot) => match slot.choose(|node, _| symbol(node, value, 0).is_some()) {
                Ok((node, slot)) => put_long(slot.out, symbol(node, value, 0).unwrap_or_default()),
                Err(_) => return Err(no_place_for_text(value)),
            },
        }
        Ok(())
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), Fault> {
        let fits = |node: &Node, _: &str| match node {
            Node::Bytes => true,
            Node::Fixed(size) => *size == value.len(),
            _ => false,
        };
        let (node, slot) = self.must("bytes", fits)?;
        match node {
            Node::Fixed(_) => slot.out.extend_from_slice(value),
            _ => put_bytes(slot.out, value),
        }
        Ok(())
    }

    fn serialize_none(self) -> Result<(), Fault> {
        self.must("nothing", |node, _| matches!(node, Node::Null))
            .map(drop)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Fault> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Fault> {
        self.serialize_none()
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<(), Fault> {
        self.serialize_none()
    }

    fn serialize_unit_variant(
        self,
        _name: &'static str,
        place: u32,
        variant: &'static str,
    ) -> Result<(), Fault> {
        let place = place as usize;
        if let Some(symbol) = symbol(self.plan.get(self.node), variant, place) {
            put_long(self.out, symbol);
            return Ok(());
        }
        match self.choose(|node, _| symbol(node, variant, place).is_some()) {
            Ok((node, slot)) => {
                put_long(slot.out, symbol(node, variant, place).unwrap_or_default());
                Ok(())
            }
            Err(slot) => match slot.choose(|node, label| matches!(node, Node::Null) && label == variant) {
                Ok(_) => Ok(()),
                Err(slot) => slot.serialize_str(variant),
            },
        }
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        value: &T,
    ) -> Result<(), Fault> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _place: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Fault> {
        value.serialize(self.variant(variant)?)
    }

    fn serialize_seq(self, length: Option<usize>) -> Result<Items<'p, 'o>, Fault> {
        let fits = |node: &Node, _: &str| matches!(node, Node::Array(_) | Node::Bytes | Node::Fixed(_));
        let (node, slot) = self.must("a sequence", fits)?;
        Ok(match node {
            Node::Array(node) => {
                let counted = length.is_some_and(|length| length > 0);
                if counted {
                    put_long(slot.out, length.unwrap_or_default() as i64);
                }
                Items::Array {
                    plan: slot.plan,
                    node: *node,
                    out: slot.out,
                    counted,
                }
            }
            Node::Fixed(size) => Items::Bytes {
                fixed: Some(*size),
                bytes: Vec::new(),
                out: slot.out,
            },
            _ => Items::Bytes {
                fixed: None,
                bytes: Vec::new(),
                out: slot.out,
            },
        })
    }

    fn serialize_tuple(self, length: usize) -> Result<Items<'p, 'o>, Fault> {
        self.serialize_seq(Some(length))
    }

    fn serialize_tuple_struct(self, _name: &'static str, length: usize) -> Result<Items<'p, 'o>, Fault> {
        self.serialize_seq(Some(length))
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _place: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<Items<'p, 'o>, Fault> {
        self.variant(variant)?.serialize_seq(Some(length))
    }

    fn serialize_map(self, _length: Option<usize>) -> Result<Fields<'p, 'o>, Fault> {
        let slot = match self.choose(|node, _| matches!(node, Node::Map(_))) {
            Ok((_, slot)) | Err(slot) => slot,
        };
        slot.fields("a map")
    }

    fn serialize_struct(self, name: &'static str, _length: usize) -> Result<Fields<'p, 'o>, Fault> {
        self.fields(name)
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _place: u32,
        variant: &'static str,
        _length: usize,
    ) -> Result<Fields<'p, 'o>, Fault> {
        self.variant(variant)?.fields(variant)
    }
}

/// The position of a symbol; `guess` is looked at first, where a Rust enum has it.
fn symbol(node: &Node, name: &str, guess: usize) -> Option<i64> {
    let Node::Enum(symbols) = node else { return None };
    if symbols.names.get(guess).is_some_and(|symbol| symbol == name) {
        return Some(guess as i64);
    }
    symbols
        .names
        .iter()
        .position(|symbol| symbol == name)
        .map(|place| place as i64)
}

#[cold]
fn no_place_for_text(text: &str) -> Fault {
    Fault::new(format!("the schema has no place for the text {text:?} here"))
}

/// The items of an array, or of bytes that came as a sequence.
enum Items<'p, 'o> {
    Array {
        plan: &'p Plan,
        node: NodeId,
        out: &'o mut Vec<u8>,
        counted: bool,
    },
    Bytes {
        fixed: Option<usize>,
        bytes: Vec<u8>,
        out: &'o mut Vec<u8>,
    },
}

impl Items<'_, '_> {
    fn item<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Fault> {
        match self {
            Items::Array {
                plan,
                node,
                out,
                counted,
            } => {
                if !*counted {
                    // Nobody said how many there are: a block each.
                    put_long(out, 1);
                }
                value
                    .serialize(Slot {
                        plan,
                        node: *node,
                        out,
                    })
                    .map_err(Fault::in_items)
            }
            Items::Bytes { bytes, .. } => {
                let plan = Plan {
                    nodes: vec![Node::Int],
                    root: 0,
                };
                let mut number = Vec::new();
                value.serialize(Slot {
                    plan: &plan,
                    node: 0,
                    out: &mut number,
                })?;
                let byte = match number.as_slice() {
                    [low] if low.is_multiple_of(2) => low / 2,
                    [low, high @ 1..=3] if low.is_multiple_of(2) => (low & 0x7f) / 2 + high * 64,
                    _ => return Err(Fault::new("an item is no byte")),
                };
                bytes.push(byte);
                Ok(())
            }
        }
    }

    fn finish(self) -> Result<(), Fault> {
        match self {
            Items::Array { out, .. } => out.push(0),
            Items::Bytes {
                fixed: None,
                bytes,
                out,
            } => put_bytes(out, &bytes),
            Items::Bytes {
                fixed: Some(size),
                bytes,
                out,
            } if bytes.len() == size => out.extend_from_slice(&bytes),
            Items::Bytes { bytes, .. } => {
                return Err(Fault::new(format!(
                    "{} bytes for a fixed of another size",
                    bytes.len()
                )));
            }
        }
        Ok(())
    }
}

macro_rules! items {
    ($($kind:ident $item:ident),*) => {$(
        impl ser::$kind for Items<'_, '_> {
            type Ok = ();
            type Error = Fault;

            fn $item<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Fault> {
                self.item(value)
            }

            fn end(self) -> Result<(), Fault> {
                self.finish()
            }
        }
    )*};
}

items!(SerializeSeq serialize_element, SerializeTuple serialize_element);
items!(SerializeTupleStruct serialize_field, SerializeTupleVariant serialize_field);

/// The fields of a record, or the entries of a map.
enum Fields<'p, 'o> {
    Record {
        plan: &'p Plan,
        record: &'p RecordPlan,
        out: &'o mut Vec<u8>,
        /// The field whose turn it is.
        next: usize,
        /// Fields that came before their turn.
        ahead: Vec<(usize, Vec<u8>)>,
    },
    Map {
        plan: &'p Plan,
        node: NodeId,
        out: &'o mut Vec<u8>,
        key: Option<String>,
    },
}

impl Fields<'_, '_> {
    fn put<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<(), Fault> {
        match self {
            Fields::Record {
                plan,
                record,
                out,
                next,
                ahead,
            } => {
                let in_turn = record.fields.get(*next).is_some_and(|field| field == name);
                let place = if in_turn {
                    Some(*next)
                } else {
                    record.fields.iter().position(|field| field == name)
                };
                let found = place.and_then(|place| Some((place, record.steps.get(place)?)));
                let Some((place, step)) = found else {
                    return Err(Fault::new(format!("the record has no field {name}")));
                };
                let faulty = |fault| in_field(fault, record, step.field);
                if !in_turn {
                    let mut bytes = Vec::new();
                    value
                        .serialize(Slot {
                            plan,
                            node: step.node,
                            out: &mut bytes,
                        })
                        .map_err(faulty)?;
                    ahead.push((place, bytes));
                    return Ok(());
                }
                value
                    .serialize(Slot {
                        plan,
                        node: step.node,
                        out,
                    })
                    .map_err(faulty)?;
                *next += 1;
                take_ahead(out, next, ahead);
                Ok(())
            }
            Fields::Map { plan, node, out, .. } => {
                put_long(out, 1);
                put_bytes(out, name.as_bytes());
                value
                    .serialize(Slot {
                        plan,
                        node: *node,
                        out,
                    })
                    .map_err(Fault::in_values)
            }
        }
    }

    fn finish(self) -> Result<(), Fault> {
        match self {
            Fields::Record {
                plan,
                record,
                out,
                mut next,
                mut ahead,
            } => {
                while let Some(step) = record.steps.get(next) {
                    // A field that serde left out is null, where it may be.
                    let slot = Slot {
                        plan,
                        node: step.node,
                        out: &mut *out,
                    };
                    let missing = |_| in_field(Fault::new("the field is missing"), record, step.field);
                    slot.serialize_none().map_err(missing)?;
                    next += 1;
                    take_ahead(out, &mut next, &mut ahead);
                }
            }
            Fields::Map { out, .. } => out.push(0),
        }
        Ok(())
    }
}

/// Whether the field whose turn it is has that name.
#[inline]
fn is_field(record: &RecordPlan, next: usize, key: &'static str) -> bool {
    let (Some(name), Some(seen)) = (record.fields.get(next), record.keys.get(next)) else {
        return false;
    };
    let address = key.as_ptr() as usize;
    if name.len() != key.len() {
        return false;
    }
    if seen.verdict(address) == Some(true) {
        return true;
    }
    let right = name == key;
    if right {
        seen.keep(address, right);
    }
    right
}

/// Writes fields that came early and whose turn has come.
fn take_ahead(out: &mut Vec<u8>, next: &mut usize, ahead: &mut Vec<(usize, Vec<u8>)>) {
    while let Some(at) = ahead.iter().position(|(place, _)| place == next) {
        out.extend_from_slice(&ahead.swap_remove(at).1);
        *next += 1;
    }
}

impl ser::SerializeStruct for Fields<'_, '_> {
    type Ok = ();
    type Error = Fault;

    #[inline]
    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), Fault> {
        if let Fields::Record {
            plan,
            record,
            out,
            next,
            ahead,
        } = self
            && ahead.is_empty()
            && let Some(step) = record.steps.get(*next)
            && is_field(record, *next, key)
        {
            *next += 1;
            let slot = Slot {
                plan,
                node: step.node,
                out,
            };
            return value
                .serialize(slot)
                .map_err(|fault| in_field(fault, record, step.field));
        }
        self.put(key, value)
    }

    fn end(self) -> Result<(), Fault> {
        self.finish()
    }
}

impl ser::SerializeStructVariant for Fields<'_, '_> {
    type Ok = ();
    type Error = Fault;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), Fault> {
        self.put(key, value)
    }

    fn end(self) -> Result<(), Fault> {
        self.finish()
    }
}

impl ser::SerializeMap for Fields<'_, '_> {
    type Ok = ();
    type Error = Fault;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, name: &T) -> Result<(), Fault> {
        let plan = Plan {
            nodes: vec![Node::String],
            root: 0,
        };
        let mut bytes = Vec::new();
        name.serialize(Slot {
            plan: &plan,
            node: 0,
            out: &mut bytes,
        })?;
        let mut input = crate::avro::binary::Input::new(&bytes, &crate::avro::DataLimits::default());
        let text = input.text()?.to_owned();
        match self {
            Fields::Map { key, .. } => *key = Some(text),
            // The key of a record's field waits at the end of what came early.
            Fields::Record { ahead, .. } => ahead.push((usize::MAX, text.into_bytes())),
        }
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Fault> {
        let name = match self {
            Fields::Map { key, .. } => key.take(),
            Fields::Record { ahead, .. } => ahead.pop().and_then(|(_, text)| String::from_utf8(text).ok()),
        };
        self.put(&name.unwrap_or_default(), value)
    }

    fn end(self) -> Result<(), Fault> {
        self.finish()
    }
}
