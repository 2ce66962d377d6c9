//! From text to schema, by the specification of Avro 1.12.
//!
//! What it refuses beyond that: more than the limits, names given twice. What it forgives as Java does: comments,
//! logical types that do not fit (they are ignored).

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use super::{
    defaults,
    logical::logical_type,
    model::{AvroSchema, Enum, Field, Fixed, Inner, Kind, Order, Record, Type, TypeId},
    name::{Name, PRIMITIVES, is_identifier},
};
use crate::{
    Limits, Path, SchemaError, Source,
    text::{Dialect, Json, parse_as},
};

/// Whether defaults must be legal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Defaults {
    /// For a new schema.
    Checked,
    /// For a schema that some registry accepted long ago. A default that is illegal is an error when it is used.
    Unchecked,
}

impl AvroSchema {
    /// Parses a schema that refers to nothing, under the default limits.
    ///
    /// ```
    /// use schema::avro::AvroSchema;
    /// let text = r#"{"type": "record", "name": "shop.Order", "fields": [{"name": "id", "type": "long"}]}"#;
    /// let schema = AvroSchema::parse(text)?;
    /// assert_eq!(schema.label(schema.root()), "shop.Order");
    /// # Ok::<(), schema::SchemaError>(())
    /// ```
    pub fn parse(text: &str) -> Result<AvroSchema, SchemaError> {
        let source = Source::new(crate::Format::Avro, text);
        AvroSchema::parse_source(&source, &Limits::default())
    }

    /// Parses a schema and what it refers to. Defaults are checked.
    pub fn parse_source(source: &Source, limits: &Limits) -> Result<AvroSchema, SchemaError> {
        AvroSchema::parse_with(source, limits, Defaults::Checked)
    }

    /// Parses a schema and what it refers to.
    pub fn parse_with(
        source: &Source,
        limits: &Limits,
        defaults: Defaults,
    ) -> Result<AvroSchema, SchemaError> {
        let mut parser = Parser {
            limits: *limits,
            types: Vec::new(),
            named: HashMap::new(),
            spelled: HashMap::new(),
            referenced: true,
        };
        for reference in source.references_in_order(limits)? {
            let path = Path::root().field(&reference.name);
            parser.text(&reference.text, &path)?;
        }
        parser.referenced = false;
        let root = parser.text(&source.text, &Path::root())?;
        let schema = AvroSchema(Arc::new(Inner {
            types: parser.types,
            root,
            named: parser.named,
        }));
        if super::walk::depth(&schema) > limits.depth_max * THROUGH_NAMES {
            let what = format!(
                "references lead on more than {} types deep",
                limits.depth_max * THROUGH_NAMES
            );
            return Err(SchemaError::new(
                &Path::root(),
                what,
                "flatten the types that refer to each other",
            ));
        }
        if defaults == Defaults::Checked {
            defaults::check(&schema)?;
        }
        Ok(schema)
    }
}

/// How much deeper than one text types may stand when names of references are followed.
const THROUGH_NAMES: usize = 4;

struct Parser {
    limits: Limits,
    types: Vec<Type>,
    named: HashMap<Name, TypeId>,
    /// Names as lower case, to suggest the right spelling.
    spelled: HashMap<String, Name>,
    referenced: bool,
}

/// Where the parser stands.
#[derive(Clone, Copy)]
struct At<'a> {
    path: &'a Path,
    namespace: Option<&'a str>,
    /// 1 is the outermost type.
    depth: usize,
}

impl<'a> At<'a> {
    fn inner<'b>(&self, path: &'b Path) -> At<'b>
    where
        'a: 'b,
    {
        At {
            path,
            namespace: self.namespace,
            depth: self.depth + 1,
        }
    }

    fn error<T>(&self, what: impl Into<String>, mend: impl Into<String>) -> Result<T, SchemaError> {
        Err(SchemaError::new(self.path, what, mend))
    }
}

type Members = [(String, Json)];

impl Parser {
    fn text(&mut self, text: &str, path: &Path) -> Result<TypeId, SchemaError> {
        let json = parse_as(Dialect::WithComments, text)
            .map_err(|error| SchemaError::new(path, format!("not JSON: {error}"), "write one JSON value"))?;
        self.schema(
            &json,
            At {
                path,
                namespace: None,
                depth: 1,
            },
        )
    }

    fn schema(&mut self, json: &Json, at: At<'_>) -> Result<TypeId, SchemaError> {
        self.limits.check_depth(at.path, at.depth)?;
        match json {
            Json::String(name) => self.by_name(name, at),
            Json::Array(branches) => self.union(branches, at),
            Json::Object(members) => self.object(json, members, at),
            other => at.error(
                format!(
                    "a schema is a name, an object or a list of branches, not {}",
                    other.kind()
                ),
                "write a type such as \"string\"",
            ),
        }
    }

    fn push(&mut self, kind: Kind, props: Vec<(String, Json)>) -> TypeId {
        let logical = logical_type(&kind, &props);
        self.types.push(Type { kind, logical, props });
        TypeId(u32::try_from(self.types.len() - 1).unwrap_or(u32::MAX))
    }

    fn by_name(&mut self, text: &str, at: At<'_>) -> Result<TypeId, SchemaError> {
        if let Some(kind) = primitive(text) {
            return Ok(self.push(kind, Vec::new()));
        }
        let known = [at.namespace, None].into_iter().find_map(|namespace| {
            let name = Name::new(text, namespace).ok()?;
            self.named.get(&name).copied()
        });
        match known {
            Some(id) => Ok(id),
            None => at.error(
                format!("{text:?} is no known type"),
                self.suggestion(text, at.namespace),
            ),
        }
    }

    fn suggestion(&self, text: &str, namespace: Option<&str>) -> String {
        let simple = text.rsplit('.').next().unwrap_or(text).to_lowercase();
        if matches!(text, "record" | "enum" | "fixed" | "array" | "map" | "error") {
            return format!("write it as an object: {{\"type\": {{\"type\": \"{text}\", ...}}}}");
        }
        if let Some(name) = self.spelled.get(&simple) {
            return format!(
                "write \"{}\", or declare {text} before it is used",
                name.seen_from(namespace)
            );
        }
        format!(
            "declare {text} before it is used, name it as a reference, or use one of {}",
            PRIMITIVES.join(", ")
        )
    }

    fn union(&mut self, branches: &[Json], at: At<'_>) -> Result<TypeId, SchemaError> {
        let mut ids = Vec::with_capacity(branches.len());
        let mut labels = HashSet::new();
        for (n, branch) in branches.iter().enumerate() {
            let path = at.path.branch(&branch_label(branch, n));
            let id = self.schema(branch, at.inner(&path))?;
            let kind = self
                .types
                .get(id.0 as usize)
                .map_or(&Kind::Null, |found| &found.kind);
            if matches!(kind, Kind::Union(_)) {
                return at.inner(&path).error(
                    "a union stands directly in a union",
                    "list its branches in the outer one",
                );
            }
            if !labels.insert(kind.label().to_owned()) {
                return at.inner(&path).error(
                    format!("the union has {} twice", kind.label()),
                    "keep one of them, or give records, enums and fixed different names",
                );
            }
            ids.push(id);
        }
        Ok(self.push(Kind::Union(ids), Vec::new()))
    }

    fn object(&mut self, json: &Json, members: &Members, at: At<'_>) -> Result<TypeId, SchemaError> {
        let word = match json.get("type") {
            Some(Json::String(word)) => word,
            Some(other) => {
                return at.error(
                    format!("\"type\" holds {}, not the name of a type", other.kind()),
                    "put the inner schema in the place of this object",
                );
            }
            None => return at.error("an object without \"type\"", "say its \"type\""),
        };
        match word.as_str() {
            "record" | "error" => self.record(json, members, at),
            "enum" => self.enumeration(json, members, at),
            "fixed" => self.fixed(json, members, at),
            "array" => {
                let path = at.path.items();
                let Some(items) = json.get("items") else {
                    return at.error(
                        "an array without \"items\"",
                        "add \"items\" with the type of an element",
                    );
                };
                let items = self.schema(items, at.inner(&path))?;
                Ok(self.push(Kind::Array(items), props(members, &["type", "items"])))
            }
            "map" => {
                let path = at.path.values();
                let Some(values) = json.get("values") else {
                    return at.error(
                        "a map without \"values\"",
                        "add \"values\" with the type of a value",
                    );
                };
                let values = self.schema(values, at.inner(&path))?;
                Ok(self.push(Kind::Map(values), props(members, &["type", "values"])))
            }
            word => match primitive(word) {
                Some(kind) => Ok(self.push(kind, props(members, &["type"]))),
                None => self.by_name(word, at),
            },
        }
    }

    /// Reads name and aliases and makes sure that the name is new.
    fn name(&self, json: &Json, at: At<'_>) -> Result<(Name, Vec<Name>), SchemaError> {
        let Some(text) = json.get("name").and_then(Json::as_str) else {
            return at.error("a named type without \"name\"", "give it a \"name\"");
        };
        let own = match json.get("namespace") {
            None | Some(Json::Null) => None,
            Some(Json::String(namespace)) => Some(namespace.as_str()),
            Some(other) => {
                return at.error(
                    format!("\"namespace\" holds {}", other.kind()),
                    "write it as a string",
                );
            }
        };
        let name = Name::new(text, own.or(at.namespace)).or_else(|what| {
            at.error(
                what,
                "use letters, digits and _, and dots between the parts of a namespace",
            )
        })?;
        if PRIMITIVES.contains(&name.full()) {
            return at.error(format!("{name} is a primitive type"), "choose another name");
        }
        if self.named.contains_key(&name) {
            return at.error(
                format!("{name} is declared twice"),
                format!("refer to it by its name: \"{name}\""),
            );
        }
        let aliases = strings(json, "aliases", at)?
            .into_iter()
            .map(|alias| Name::new(&alias, name.namespace()))
            .collect::<Result<Vec<_>, _>>()
            .or_else(|what| {
                at.error(
                    format!("in aliases: {what}"),
                    "write the names that it had before",
                )
            })?;
        Ok((name, aliases))
    }

    fn declare(&mut self, name: Name, id: TypeId, at: At<'_>) -> Result<(), SchemaError> {
        self.spelled.insert(name.simple().to_lowercase(), name.clone());
        self.named.insert(name, id);
        self.limits.check_named_types(at.path, self.named.len())
    }

    fn record(&mut self, json: &Json, members: &Members, at: At<'_>) -> Result<TypeId, SchemaError> {
        let (name, aliases) = self.name(json, at)?;
        let Some(list) = json.get("fields") else {
            return at.error(
                "a record without \"fields\"",
                "add \"fields\", a list that may be empty",
            );
        };
        let Some(list) = list.as_array() else {
            return at.error(format!("\"fields\" is {}", list.kind()), "write a list of fields");
        };
        let record = Record {
            name: name.clone(),
            doc: doc(json),
            aliases,
            fields: Vec::new(),
            is_error: json.get("type").and_then(Json::as_str) == Some("error"),
            referenced: self.referenced,
        };
        // Declared before its fields: they may name it.
        let id = self.push(Kind::Record(record), props(members, &RECORD_MEMBERS));
        self.declare(name.clone(), id, at)?;
        let mut fields = Vec::with_capacity(list.len());
        let mut taken = HashSet::new();
        for (n, field) in list.iter().enumerate() {
            let field = self.field(
                field,
                n,
                At {
                    namespace: name.namespace(),
                    ..at
                },
            )?;
            if !taken.insert(field.name.clone()) {
                let path = at.path.field(&field.name);
                return at
                    .inner(&path)
                    .error("the record has this field twice", "rename or remove one of them");
            }
            fields.push(field);
        }
        if let Some(Type {
            kind: Kind::Record(record),
            ..
        }) = self.types.get_mut(id.0 as usize)
        {
            record.fields = fields;
        }
        Ok(id)
    }

    fn field(&mut self, json: &Json, n: usize, at: At<'_>) -> Result<Field, SchemaError> {
        let Json::Object(members) = json else {
            return at.error(
                format!("field {n} is {}", json.kind()),
                "write an object with \"name\" and \"type\"",
            );
        };
        let Some(name) = json.get("name").and_then(Json::as_str) else {
            return at.error(format!("field {n} has no \"name\""), "give it a \"name\"");
        };
        let path = at.path.field(name);
        let inner = at.inner(&path);
        if !is_identifier(name) {
            return inner.error(
                format!("{name:?} is no name"),
                "use letters, digits and _, no digit first",
            );
        }
        let Some(schema) = json.get("type") else {
            return inner.error("a field without \"type\"", "add its \"type\"");
        };
        let schema = self.schema(schema, inner)?;
        Ok(Field {
            name: name.to_owned(),
            doc: doc(json),
            schema,
            default: json.get("default").cloned(),
            order: order(json, inner)?,
            aliases: strings(json, "aliases", inner)?,
            props: props(members, &FIELD_MEMBERS),
        })
    }

    fn enumeration(&mut self, json: &Json, members: &Members, at: At<'_>) -> Result<TypeId, SchemaError> {
        let (name, aliases) = self.name(json, at)?;
        if json.get("symbols").and_then(Json::as_array).is_none() {
            return at.error("an enum without \"symbols\"", "add \"symbols\", a list of names");
        }
        let symbols = strings(json, "symbols", at)?;
        let mut taken = HashSet::new();
        for symbol in &symbols {
            let path = at.path.symbol(symbol);
            if !is_identifier(symbol) {
                let mend = "use letters, digits and _, no digit first, such as CREDIT_CARD";
                return at.inner(&path).error(format!("{symbol:?} is no symbol"), mend);
            }
            if !taken.insert(symbol.as_str()) {
                return at
                    .inner(&path)
                    .error("the enum has this symbol twice", "remove one of them");
            }
        }
        let default = match json.get("default") {
            None | Some(Json::Null) => None,
            Some(Json::String(symbol)) if symbols.contains(symbol) => Some(symbol.clone()),
            Some(other) => {
                return at.error(
                    format!("the default {other} is no symbol of the enum"),
                    "name one of its symbols",
                );
            }
        };
        let kind = Enum {
            name: name.clone(),
            doc: doc(json),
            aliases,
            symbols,
            default,
            referenced: self.referenced,
        };
        let id = self.push(Kind::Enum(kind), props(members, &ENUM_MEMBERS));
        self.declare(name, id, at)?;
        Ok(id)
    }

    fn fixed(&mut self, json: &Json, members: &Members, at: At<'_>) -> Result<TypeId, SchemaError> {
        let (name, aliases) = self.name(json, at)?;
        let size = json
            .get("size")
            .and_then(Json::as_i64)
            .and_then(|size| i32::try_from(size).ok());
        let Some(size) = size.and_then(|size| usize::try_from(size).ok()) else {
            return at.error(
                "a fixed without a legal \"size\"",
                "add \"size\", bytes from 0 to 2147483647",
            );
        };
        let kind = Fixed {
            name: name.clone(),
            doc: doc(json),
            aliases,
            size,
            referenced: self.referenced,
        };
        let id = self.push(Kind::Fixed(kind), props(members, &FIXED_MEMBERS));
        self.declare(name, id, at)?;
        Ok(id)
    }
}

const RECORD_MEMBERS: [&str; 6] = ["type", "name", "namespace", "doc", "aliases", "fields"];
const ENUM_MEMBERS: [&str; 7] = [
    "type",
    "name",
    "namespace",
    "doc",
    "aliases",
    "symbols",
    "default",
];
const FIXED_MEMBERS: [&str; 6] = ["type", "name", "namespace", "doc", "aliases", "size"];
const FIELD_MEMBERS: [&str; 6] = ["name", "type", "doc", "default", "order", "aliases"];

pub(super) fn primitive(word: &str) -> Option<Kind> {
    Some(match word {
        "null" => Kind::Null,
        "boolean" => Kind::Boolean,
        "int" => Kind::Int,
        "long" => Kind::Long,
        "float" => Kind::Float,
        "double" => Kind::Double,
        "bytes" => Kind::Bytes,
        "string" => Kind::String,
        _ => return None,
    })
}

fn branch_label(branch: &Json, n: usize) -> String {
    let named = branch.as_str().or_else(|| {
        branch
            .get("name")
            .or_else(|| branch.get("type"))
            .and_then(Json::as_str)
    });
    named.map_or_else(|| n.to_string(), str::to_owned)
}

fn props(members: &Members, known: &[&str]) -> Vec<(String, Json)> {
    members
        .iter()
        .filter(|(name, _)| !known.contains(&name.as_str()))
        .cloned()
        .collect()
}

fn doc(json: &Json) -> Option<String> {
    json.get("doc").and_then(Json::as_str).map(str::to_owned)
}

fn order(json: &Json, at: At<'_>) -> Result<Order, SchemaError> {
    let Some(order) = json.get("order") else {
        return Ok(Order::Ascending);
    };
    let known = [Order::Ascending, Order::Descending, Order::Ignore].into_iter();
    match known
        .into_iter()
        .find(|known| Some(known.name()) == order.as_str())
    {
        Some(order) => Ok(order),
        None => at.error(
            format!("the order {order} is unknown"),
            "write ascending, descending or ignore",
        ),
    }
}

fn strings(json: &Json, member: &str, at: At<'_>) -> Result<Vec<String>, SchemaError> {
    let mend = || format!("write {member:?} as a list of strings");
    match json.get(member) {
        None => Ok(Vec::new()),
        Some(Json::Array(items)) => items
            .iter()
            .map(|item| match item {
                Json::String(text) => Ok(text.clone()),
                other => at.error(format!("{member:?} holds {}", other.kind()), mend()),
            })
            .collect(),
        Some(other) => at.error(format!("{member:?} is {}", other.kind()), mend()),
    }
}
