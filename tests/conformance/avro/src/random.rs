//! Random schemas, values and evolutions, from a seed.

use schema::avro::{AvroSchema, Kind, TypeId, Value};
use serde_json::{Map, Value as Json, json};

/// xorshift64*: the same seed gives the same cases.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub fn below(&mut self, n: usize) -> usize {
        (self.next() >> 11) as usize % n.max(1)
    }

    pub fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }
}

#[derive(Clone, Debug)]
pub enum Type {
    Plain(&'static str),
    Logical(&'static str, &'static str, Option<(u32, u32)>),
    Array(Box<Type>),
    Map(Box<Type>),
    Union(Vec<Type>),
    Record(Box<Record>),
    Enum(Box<Named>, Vec<String>, Option<String>),
    Fixed(Box<Named>, usize),
    Reference(String, char),
}

#[derive(Clone, Debug)]
pub struct Named {
    pub name: String,
    pub namespace: Option<String>,
    pub aliases: Vec<String>,
}

#[derive(Clone, Debug)]
pub struct Record {
    pub named: Named,
    pub fields: Vec<Field>,
}

#[derive(Clone, Debug)]
pub struct Field {
    pub name: String,
    pub aliases: Vec<String>,
    pub schema: Type,
    pub default: Option<Json>,
    pub doc: bool,
}

/// Makes schemas; names are numbered so that none is declared twice.
pub struct Maker<'r> {
    pub random: &'r mut Random,
    pub names: usize,
    /// Full names declared so far, and their kind: r, e, f.
    known: Vec<(String, char)>,
    /// No namespaces at all.
    flat: bool,
}

const PLAIN: [&str; 8] = ["null", "boolean", "int", "long", "float", "double", "bytes", "string"];
const LOGICAL: [(&str, &str); 11] = [
    ("int", "date"),
    ("int", "time-millis"),
    ("long", "time-micros"),
    ("long", "timestamp-millis"),
    ("long", "timestamp-micros"),
    ("long", "timestamp-nanos"),
    ("long", "local-timestamp-millis"),
    ("long", "local-timestamp-micros"),
    ("long", "local-timestamp-nanos"),
    ("string", "uuid"),
    ("bytes", "decimal"),
];

impl<'r> Maker<'r> {
    pub fn new(random: &'r mut Random) -> Maker<'r> {
        let flat = random.chance(30);
        Maker { random, names: 0, known: Vec::new(), flat }
    }

    pub fn root(&mut self) -> Type {
        if self.random.chance(70) { self.record(3) } else { self.any(3, true) }
    }

    fn named(&mut self) -> Named {
        self.names += 1;
        let namespace = match self.random.below(3) {
            _ if self.flat => None,
            0 => Some("a.b".to_owned()),
            _ => Some("c".to_owned()),
        };
        Named { name: format!("N{}", self.names), namespace, aliases: Vec::new() }
    }

    pub fn any(&mut self, depth: usize, union: bool) -> Type {
        let kinds = if depth == 0 { 8 } else { 16 };
        match self.random.below(kinds) {
            0..=5 => Type::Plain(*self.random.pick(&PLAIN)),
            6 => {
                let (kind, name) = *self.random.pick(&LOGICAL);
                let precision = 1 + self.random.below(20) as u32;
                let scale = self.random.below(precision as usize + 1) as u32;
                Type::Logical(kind, name, (name == "decimal").then_some((precision, scale)))
            }
            7 if !self.known.is_empty() => {
                let leaves: Vec<_> = self.known.iter().filter(|(_, kind)| *kind != 'r').cloned().collect();
                match leaves.is_empty() {
                    true => Type::Plain("int"),
                    false => {
                        let (name, kind) = self.random.pick(&leaves).clone();
                        Type::Reference(name, kind)
                    }
                }
            }
            7 => Type::Plain("string"),
            8 | 9 => Type::Array(Box::new(self.may_recur(depth - 1))),
            10 => Type::Map(Box::new(self.may_recur(depth - 1))),
            11 | 12 if union => self.union(depth - 1),
            13 => self.enumeration(),
            14 => self.fixed(),
            _ => self.record(depth - 1),
        }
    }

    /// A type that ends a circle: inside an array, a map or a union any known record may stand.
    fn may_recur(&mut self, depth: usize) -> Type {
        if !self.known.is_empty() && self.random.chance(15) {
            let (name, kind) = self.random.pick(&self.known).clone();
            return Type::Reference(name, kind);
        }
        self.any(depth, true)
    }

    pub fn union(&mut self, depth: usize) -> Type {
        let mut branches = vec![];
        let mut labels = vec![];
        if self.random.chance(60) {
            branches.push(Type::Plain("null"));
            labels.push("null".to_owned());
        }
        for _ in 0..1 + self.random.below(3) {
            let before = (self.names, self.known.len());
            let branch = if self.random.chance(20) { self.may_recur(depth) } else { self.any(depth, false) };
            let label = branch.label();
            if labels.contains(&label) || label == "union" {
                if self.known.len() > before.1 {
                    // What was declared in a branch that is thrown away is unknown again.
                    self.known.truncate(before.1);
                }
                continue;
            }
            labels.push(label);
            branches.push(branch);
        }
        if branches.is_empty() {
            branches.push(Type::Plain("string"));
        }
        // A circle must have an end.
        let ended = branches.iter().any(|branch| !matches!(branch, Type::Reference(_, 'r') | Type::Record(_)));
        if !ended {
            branches.insert(0, Type::Plain("null"));
        }
        Type::Union(branches)
    }

    fn enumeration(&mut self) -> Type {
        let named = self.named();
        self.known.push((named.full(), 'e'));
        let count = 1 + self.random.below(4);
        let symbols: Vec<_> = (0..count).map(|n| format!("S{n}")).collect();
        let default = if self.random.chance(30) { Some(self.random.pick(&symbols).clone()) } else { None };
        Type::Enum(Box::new(named), symbols, default)
    }

    fn fixed(&mut self) -> Type {
        let named = self.named();
        self.known.push((named.full(), 'f'));
        Type::Fixed(Box::new(named), self.random.below(6))
    }

    fn record(&mut self, depth: usize) -> Type {
        let named = self.named();
        self.known.push((named.full(), 'r'));
        let count = self.random.below(5) + usize::from(depth > 1);
        let fields = (0..count).map(|n| self.field(&format!("f{n}"), depth)).collect();
        Type::Record(Box::new(Record { named, fields }))
    }

    pub fn field(&mut self, name: &str, depth: usize) -> Field {
        let schema = self.any(depth, true);
        let default = if self.random.chance(40) { self.default(&schema, 0) } else { None };
        Field { name: name.into(), aliases: vec![], schema, default, doc: self.random.chance(20) }
    }

    /// A default for a type, where one is easily made.
    pub fn default(&mut self, schema: &Type, depth: usize) -> Option<Json> {
        Some(match schema {
            Type::Plain(kind) | Type::Logical(kind, ..) => match *kind {
                "null" => Json::Null,
                "boolean" => json!(self.random.chance(50)),
                "int" => json!(self.random.next() as i32 >> self.random.below(31)),
                "long" => json!(self.random.next() as i64 >> self.random.below(63)),
                "float" | "double" => json!((self.random.below(2000) as f64 - 1000.0) / 8.0),
                _ => json!(["", "a", "text", "~"][self.random.below(4)]),
            },
            Type::Array(items) => match self.default(items, depth + 1) {
                Some(item) if depth < 2 && self.random.chance(50) => json!([item]),
                _ => json!([]),
            },
            Type::Map(values) => match self.default(values, depth + 1) {
                Some(value) if depth < 2 && self.random.chance(50) => json!({"k": value}),
                _ => json!({}),
            },
            // The first branch: what readers of versions before 1.12 expect.
            Type::Union(branches) => self.default(branches.first()?, depth + 1)?,
            Type::Enum(_, symbols, _) => json!(self.random.pick(symbols)),
            Type::Fixed(_, size) => json!("x".repeat(*size)),
            Type::Record(record) => {
                let mut members = Map::new();
                for field in &record.fields {
                    members.insert(field.name.clone(), self.default(&field.schema, depth + 1)?);
                }
                Json::Object(members)
            }
            Type::Reference(..) => return None,
        })
    }
}

impl Named {
    pub fn full(&self) -> String {
        match &self.namespace {
            Some(namespace) => format!("{namespace}.{}", self.name),
            None => self.name.clone(),
        }
    }

    fn write(&self, members: &mut Map<String, Json>) {
        members.insert("name".into(), json!(self.name));
        // Always said: what encloses it must not count.
        members.insert("namespace".into(), json!(self.namespace.as_deref().unwrap_or("")));
        if !self.aliases.is_empty() {
            members.insert("aliases".into(), json!(self.aliases));
        }
    }
}

impl Type {
    pub fn label(&self) -> String {
        match self {
            Type::Plain(kind) | Type::Logical(kind, ..) => (*kind).to_owned(),
            Type::Array(_) => "array".into(),
            Type::Map(_) => "map".into(),
            Type::Union(_) => "union".into(),
            Type::Record(record) => record.named.full(),
            Type::Enum(named, ..) | Type::Fixed(named, _) => named.full(),
            Type::Reference(name, _) => name.clone(),
        }
    }

    pub fn to_json(&self) -> Json {
        let mut members = Map::new();
        match self {
            Type::Plain(kind) => return json!(kind),
            // A name without namespace inside one with a namespace cannot be told from a relative one: none is made.
            Type::Reference(name, _) => return json!(name),
            Type::Union(branches) => return branches.iter().map(Type::to_json).collect(),
            Type::Logical(kind, name, decimal) => {
                members.insert("type".into(), json!(kind));
                members.insert("logicalType".into(), json!(name));
                if let Some((precision, scale)) = decimal {
                    members.insert("precision".into(), json!(precision));
                    members.insert("scale".into(), json!(scale));
                }
            }
            Type::Array(items) => {
                members.insert("type".into(), json!("array"));
                members.insert("items".into(), items.to_json());
            }
            Type::Map(values) => {
                members.insert("type".into(), json!("map"));
                members.insert("values".into(), values.to_json());
            }
            Type::Fixed(named, size) => {
                members.insert("type".into(), json!("fixed"));
                named.write(&mut members);
                members.insert("size".into(), json!(size));
            }
            Type::Enum(named, symbols, default) => {
                members.insert("type".into(), json!("enum"));
                named.write(&mut members);
                members.insert("symbols".into(), json!(symbols));
                if let Some(default) = default {
                    members.insert("default".into(), json!(default));
                }
            }
            Type::Record(record) => {
                members.insert("type".into(), json!("record"));
                record.named.write(&mut members);
                members.insert("fields".into(), record.fields.iter().map(Field::to_json).collect());
            }
        }
        Json::Object(members)
    }
}

impl Field {
    fn to_json(&self) -> Json {
        let mut members = Map::new();
        members.insert("name".into(), json!(self.name));
        members.insert("type".into(), self.schema.to_json());
        if self.doc {
            members.insert("doc".into(), json!("says \"what\" it is: é"));
        }
        if let Some(default) = &self.default {
            members.insert("default".into(), default.clone());
        }
        if !self.aliases.is_empty() {
            members.insert("aliases".into(), json!(self.aliases));
        }
        Json::Object(members)
    }
}

/// Changes a schema in a few places: legal changes mostly, `wild` percent of any kind.
pub fn evolve(maker: &mut Maker<'_>, schema: &mut Type, wild: usize) {
    let wild = maker.random.chance(wild);
    match schema {
        Type::Plain(kind) => {
            if maker.random.chance(12) {
                *kind = match (*kind, maker.random.below(3)) {
                    ("int", 0) => "long",
                    ("int" | "long", 1) => "float",
                    ("int" | "long" | "float", _) => "double",
                    ("string", _) => "bytes",
                    ("bytes", _) => "string",
                    (other, _) => other,
                };
            } else if wild && maker.random.chance(10) {
                *kind = *maker.random.pick(&PLAIN);
            } else if maker.random.chance(3) && *kind != "null" {
                *schema = Type::Union(vec![Type::Plain("null"), Type::Plain(kind)]);
            }
        }
        Type::Array(inner) | Type::Map(inner) => evolve(maker, inner, usize::from(wild) * 100),
        Type::Union(branches) => {
            for branch in branches.iter_mut() {
                let before = branch.clone();
                evolve(maker, branch, usize::from(wild) * 100);
                if matches!(branch, Type::Union(_)) {
                    *branch = before;
                }
            }
            if maker.random.chance(10) {
                let kind = *maker.random.pick(&PLAIN);
                branches.push(Type::Plain(kind));
            }
            if wild && maker.random.chance(20) && branches.len() > 1 {
                let at = maker.random.below(branches.len());
                // What it declares may be named elsewhere.
                if matches!(branches[at], Type::Plain(_) | Type::Logical(..)) {
                    branches.remove(at);
                }
            }
            let mut labels = Vec::new();
            branches.retain(|branch| {
                let label = branch.label();
                let new = !labels.contains(&label);
                labels.push(label);
                new
            });
        }
        Type::Enum(_, symbols, default) => {
            if maker.random.chance(15) {
                symbols.push(format!("T{}", maker.random.below(3)));
                symbols.dedup();
            }
            if wild && symbols.len() > 1 && maker.random.chance(30) {
                let gone = symbols.remove(0);
                if default.as_ref() == Some(&gone) {
                    *default = Some(symbols[0].clone());
                }
            }
            let mut seen = Vec::new();
            symbols.retain(|symbol| {
                let new = !seen.contains(symbol);
                seen.push(symbol.clone());
                new
            });
        }
        Type::Fixed(_, size) => {
            if wild && maker.random.chance(20) {
                *size += 1;
            }
        }
        Type::Record(record) => evolve_record(maker, record, wild),
        Type::Logical(..) | Type::Reference(..) => {}
    }
}

fn evolve_record(maker: &mut Maker<'_>, record: &mut Record, wild: bool) {
    for field in &mut record.fields {
        let before = field.schema.clone();
        evolve(maker, &mut field.schema, usize::from(wild) * 100);
        if format!("{before:?}") != format!("{:?}", field.schema) {
            field.default = field.default.is_some().then(|| maker.default(&field.schema, 0)).flatten();
        }
        if maker.random.chance(8) {
            let old = std::mem::replace(&mut field.name, format!("g{}", maker.random.below(1000)));
            if !wild || maker.random.chance(50) {
                field.aliases.push(old);
            }
        }
    }
    if maker.random.chance(25) {
        let name = format!("n{}", maker.random.below(1000));
        // It may stand before what others declare.
        maker.known.clear();
        let mut field = maker.field(&name, 1);
        if field.default.is_none() && !wild {
            field.default = maker.default(&field.schema, 0);
        }
        if field.default.is_some() || wild {
            let at = maker.random.below(record.fields.len() + 1);
            record.fields.insert(at, field);
        }
    }
    if maker.random.chance(15) && !record.fields.is_empty() {
        let at = maker.random.below(record.fields.len());
        // What it declares may be named elsewhere.
        if matches!(record.fields[at].schema, Type::Plain(_) | Type::Logical(..)) {
            record.fields.remove(at);
        }
    }
    if maker.random.chance(15) && record.fields.len() > 1 {
        // Leaves may change places; a type must not be named before it is declared.
        let leaves: Vec<_> = (0..record.fields.len())
            .filter(|at| matches!(record.fields[*at].schema, Type::Plain(_) | Type::Logical(..)))
            .collect();
        if leaves.len() > 1 {
            record.fields.swap(leaves[0], leaves[leaves.len() - 1]);
        }
    }
    let mut names = Vec::new();
    record.fields.retain(|field| {
        let new = !names.contains(&field.name);
        names.push(field.name.clone());
        new
    });
}

/// A random value of a type. Text is drawn so that escapes and long lengths occur.
pub fn value(schema: &AvroSchema, id: TypeId, random: &mut Random, depth: usize) -> Value {
    match schema.kind(id) {
        Kind::Null => Value::Null,
        Kind::Boolean => Value::Boolean(random.chance(50)),
        Kind::Int => Value::Int(random.next() as i32 >> random.below(32)),
        Kind::Long => Value::Long(random.next() as i64 >> random.below(64)),
        Kind::Float => Value::Float(match random.below(20) {
            0 => f32::INFINITY,
            1 => -0.0,
            2 => f32::MIN_POSITIVE,
            _ => (random.next() as i32 >> random.below(32)) as f32 / 16.0,
        }),
        Kind::Double => Value::Double(match random.below(20) {
            0 => f64::NEG_INFINITY,
            1 => -0.0,
            2 => 1e300,
            _ => (random.next() as i64 >> random.below(64)) as f64 / 16.0,
        }),
        Kind::Bytes => Value::Bytes(bytes(random)),
        Kind::String => Value::String(text(random)),
        Kind::Fixed(fixed) => Value::Fixed((0..fixed.size).map(|_| random.next() as u8).collect()),
        Kind::Enum(symbols) => Value::Enum(random.below(symbols.symbols.len()) as u32),
        Kind::Array(items) => {
            let count = if depth > 5 { 0 } else { random.below(4) };
            Value::Array((0..count).map(|_| value(schema, *items, random, depth + 1)).collect())
        }
        Kind::Map(values) => {
            let count = if depth > 5 { 0 } else { random.below(4) };
            let entry = |n| (format!("k{n}{}", text(random)), value(schema, *values, random, depth + 1));
            Value::Map((0..count).map(entry).collect())
        }
        Kind::Union(branches) => {
            let leaf = branches.iter().position(|b| {
                !matches!(schema.kind(*b), Kind::Record(_) | Kind::Array(_) | Kind::Map(_))
            });
            let place = match leaf {
                Some(leaf) if depth > 5 => leaf,
                _ => random.below(branches.len()),
            };
            Value::Union(place as u32, Box::new(value(schema, branches[place], random, depth + 1)))
        }
        Kind::Record(record) => {
            let fields = record.fields.iter().map(|field| value(schema, field.schema, random, depth + 1));
            Value::Record(fields.collect())
        }
    }
}

fn bytes(random: &mut Random) -> Vec<u8> {
    // UTF-8, so that bytes may be read as strings.
    text(random).into_bytes()
}

fn text(random: &mut Random) -> String {
    let length = if random.chance(3) { 100 } else { random.below(8) };
    (0..length).map(|_| *random.pick(&['a', 'Z', '0', ' ', 'é', '"', '\\', '\n', '€', '😀'])).collect()
}

/// Whether the value nests deeper than the judges like.
pub fn depth(value: &Value) -> usize {
    1 + match value {
        Value::Union(_, inner) => depth(inner),
        Value::Array(items) | Value::Record(items) => items.iter().map(depth).max().unwrap_or(0),
        Value::Map(entries) => entries.iter().map(|(_, value)| depth(value)).max().unwrap_or(0),
        _ => 0,
    }
}
