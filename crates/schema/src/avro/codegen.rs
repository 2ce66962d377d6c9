//! Rust types for a schema: text that compiles, with serde and with the docs of the schema.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    fmt::Write,
};

use super::{
    binary::variants,
    model::{AvroSchema, Enum, Kind, Record, TypeId},
    walk,
};

/// Words of Rust that may not name a field without `r#`, and those that may not even then.
const KEYWORDS: [&str; 43] = [
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "do", "dyn", "else",
    "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop", "macro",
    "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return", "static", "struct", "trait",
    "true", "try", "type", "unsafe", "use", "where",
];
const NEVER_RAW: [&str; 4] = ["crate", "self", "super", "Self"];
/// Types that the text itself uses, and the one word of Rust that looks like a type: nothing else may be called so.
const TAKEN: [&str; 6] = ["Self", "Option", "String", "Vec", "Box", "Some"];

impl AvroSchema {
    /// Rust types for every record, enum and union of several types, to be written into a file.
    ///
    /// Fields keep their names; types take the simple name of the schema's, in full where two would meet. What the
    /// text needs is `serde` with `derive`. Logical types stay what they are made of: the schema says what they mean.
    ///
    /// ```
    /// use schema::avro::AvroSchema;
    /// let schema = AvroSchema::parse(
    ///     r#"{"type": "record", "name": "shop.Order", "doc": "One purchase.", "fields": [
    ///         {"name": "id", "type": "long"}, {"name": "note", "type": ["null", "string"], "doc": "By the buyer."}]}"#,
    /// )?;
    /// let text = schema.rust_types();
    /// assert!(text.contains("/// One purchase.\n"));
    /// assert!(text.contains("pub struct Order {\n    pub id: i64,\n"));
    /// assert!(text.contains("    /// By the buyer.\n    pub note: Option<String>,\n"));
    /// # Ok::<(), schema::SchemaError>(())
    /// ```
    pub fn rust_types(&self) -> String {
        let mut order = Vec::new();
        let visited = walk::each_type::<()>(self, &mut |id, _| {
            order.push(id);
            Ok(())
        });
        debug_assert!(visited.is_ok(), "the visitor refuses nothing");
        let mut writer = Writer {
            schema: self,
            names: type_names(self, &order),
            unions: BTreeSet::new(),
            out: String::new(),
        };
        for id in order {
            // Writing to a string does not fail.
            let _ = writer.declare(id);
        }
        writer.out
    }
}

/// What each named type is called in Rust: its simple name, or its full one where two would meet.
fn type_names(schema: &AvroSchema, order: &[TypeId]) -> HashMap<TypeId, String> {
    let named = || {
        order
            .iter()
            .filter_map(|id| Some((*id, schema.kind(*id).name()?)))
    };
    let mut uses: HashMap<String, usize> = HashMap::new();
    for (_, name) in named() {
        *uses.entry(pascal(name.simple())).or_default() += 1;
    }
    let mut taken: HashSet<String> = TAKEN.iter().map(|word| (*word).to_owned()).collect();
    let mut names = HashMap::new();
    for (id, name) in named() {
        let mut chosen = pascal(name.simple());
        if uses.get(&chosen).is_some_and(|uses| *uses > 1) {
            chosen = name.full().split('.').map(pascal).collect();
        }
        while !taken.insert(chosen.clone()) {
            chosen.push('_');
        }
        names.insert(id, chosen);
    }
    names
}

struct Writer<'a> {
    schema: &'a AvroSchema,
    /// Of every named type.
    names: HashMap<TypeId, String>,
    /// Names of unions that were written.
    unions: BTreeSet<String>,
    out: String,
}

impl Writer<'_> {
    fn declare(&mut self, id: TypeId) -> std::fmt::Result {
        match self.schema.kind(id) {
            Kind::Record(record) => self.record(id, record),
            Kind::Enum(symbols) => self.enumeration(id, symbols),
            Kind::Union(branches) => self.union(branches),
            _ => Ok(()),
        }
    }

    fn record(&mut self, id: TypeId, record: &Record) -> std::fmt::Result {
        self.head(record.doc.as_deref(), "Debug, Clone, PartialEq")?;
        let name = self.type_name(id);
        if name != record.name.simple() {
            // Its name chooses the branch of a union.
            writeln!(self.out, "#[serde(rename = \"{}\")]", record.name.simple())?;
        }
        writeln!(self.out, "pub struct {name} {{")?;
        for field in &record.fields {
            doc(&mut self.out, "    ", field.doc.as_deref())?;
            if NEVER_RAW.contains(&field.name.as_str()) {
                writeln!(self.out, "    #[serde(rename = \"{}\")]", field.name)?;
            }
            let mut kind = self.rust_type(field.schema);
            if self.holds(field.schema, id, &mut HashSet::new()) {
                kind = boxed(&kind);
            }
            writeln!(self.out, "    pub {}: {kind},", field_name(&field.name))?;
        }
        self.out.push_str("}\n");
        Ok(())
    }

    fn enumeration(&mut self, id: TypeId, symbols: &Enum) -> std::fmt::Result {
        self.head(symbols.doc.as_deref(), "Debug, Clone, Copy, PartialEq, Eq, Hash")?;
        writeln!(self.out, "pub enum {} {{", self.type_name(id))?;
        let mut taken = HashSet::new();
        for symbol in &symbols.symbols {
            let mut variant = pascal(symbol);
            if variant == "Self" {
                variant.push('_');
            }
            // Two symbols may differ in case alone; whole symbols never meet, but for what stands there already.
            if !taken.insert(variant.clone()) {
                variant = field_name(symbol);
                while !taken.insert(variant.clone()) {
                    variant.push('_');
                }
            }
            if variant != *symbol {
                writeln!(self.out, "    #[serde(rename = \"{symbol}\")]")?;
            }
            writeln!(self.out, "    {variant},")?;
        }
        self.out.push_str("}\n");
        Ok(())
    }

    fn union(&mut self, branches: &[TypeId]) -> std::fmt::Result {
        let others = self.not_null(branches);
        let name = self.union_name(&others);
        if others.len() < 2 || !self.unions.insert(name.clone()) {
            return Ok(());
        }
        self.head(None, "Debug, Clone, PartialEq")?;
        writeln!(self.out, "pub enum {name} {{")?;
        let labels: Vec<_> = branches.iter().map(|id| self.schema.label(*id)).collect();
        for (id, label) in branches.iter().copied().zip(variants(&labels)) {
            if matches!(self.schema.kind(id), Kind::Null) {
                continue;
            }
            let variant = self.branch_name(id);
            if variant != label {
                writeln!(self.out, "    #[serde(rename = \"{label}\")]")?;
            }
            // A branch may hold the union again.
            let kind = self.rust_type(id);
            let kind = if matches!(self.schema.kind(id), Kind::Record(_)) {
                format!("Box<{kind}>")
            } else {
                kind
            };
            writeln!(self.out, "    {variant}({kind}),")?;
        }
        self.out.push_str("}\n");
        Ok(())
    }

    fn head(&mut self, text: Option<&str>, derives: &str) -> std::fmt::Result {
        if !self.out.is_empty() {
            self.out.push('\n');
        }
        doc(&mut self.out, "", text)?;
        writeln!(
            self.out,
            "#[derive({derives}, serde::Serialize, serde::Deserialize)]"
        )
    }

    fn not_null(&self, branches: &[TypeId]) -> Vec<TypeId> {
        branches
            .iter()
            .copied()
            .filter(|id| !matches!(self.schema.kind(*id), Kind::Null))
            .collect()
    }

    fn rust_type(&self, id: TypeId) -> String {
        match self.schema.kind(id) {
            Kind::Null => "()".into(),
            Kind::Boolean => "bool".into(),
            Kind::Int => "i32".into(),
            Kind::Long => "i64".into(),
            Kind::Float => "f32".into(),
            Kind::Double => "f64".into(),
            Kind::String => "String".into(),
            Kind::Bytes | Kind::Fixed(_) => "Vec<u8>".into(),
            Kind::Array(items) => format!("Vec<{}>", self.rust_type(*items)),
            Kind::Map(values) => format!("std::collections::HashMap<String, {}>", self.rust_type(*values)),
            Kind::Record(_) | Kind::Enum(_) => self.type_name(id),
            Kind::Union(branches) => {
                let others = self.not_null(branches);
                let inner = match others.as_slice() {
                    [] => "()".to_owned(),
                    [only] => self.rust_type(*only),
                    _ => self.union_name(&others),
                };
                if others.len() < branches.len() && !others.is_empty() {
                    format!("Option<{inner}>")
                } else {
                    inner
                }
            }
        }
    }

    fn type_name(&self, id: TypeId) -> String {
        self.names.get(&id).cloned().unwrap_or_default()
    }

    fn branch_name(&self, id: TypeId) -> String {
        match self.schema.kind(id) {
            Kind::Record(_) | Kind::Enum(_) => self.type_name(id),
            kind => pascal(kind.label().rsplit('.').next().unwrap_or_default()),
        }
    }

    fn union_name(&self, branches: &[TypeId]) -> String {
        let names: Vec<_> = branches.iter().map(|id| self.branch_name(*id)).collect();
        let mut name = names.join("Or");
        while self.names.values().any(|other| *other == name) {
            name.push_str("Union");
        }
        name
    }

    /// Whether a value of `id` holds a `record` without a vector or map in between, so that its size has no end.
    fn holds(&self, id: TypeId, record: TypeId, seen: &mut HashSet<TypeId>) -> bool {
        if id == record {
            return true;
        }
        if !seen.insert(id) {
            return false;
        }
        match self.schema.kind(id) {
            Kind::Record(inner) => inner
                .fields
                .iter()
                .any(|field| self.holds(field.schema, record, seen)),
            // Unions of several types box their records themselves.
            Kind::Union(branches) => {
                let others = self.not_null(branches);
                matches!(others.as_slice(), [only] if self.holds(*only, record, seen))
            }
            _ => false,
        }
    }
}

fn boxed(kind: &str) -> String {
    match kind
        .strip_prefix("Option<")
        .and_then(|inner| inner.strip_suffix('>'))
    {
        Some(inner) => format!("Option<Box<{inner}>>"),
        None => format!("Box<{kind}>"),
    }
}

fn doc(out: &mut String, indent: &str, text: Option<&str>) -> std::fmt::Result {
    for line in text.unwrap_or_default().lines() {
        // Rust refuses a return in the middle of a comment.
        let line = line.replace('\r', " ");
        writeln!(out, "{}", format!("{indent}/// {line}").trim_end())?;
    }
    Ok(())
}

fn field_name(name: &str) -> String {
    match name {
        name if NEVER_RAW.contains(&name) => format!("{name}_"),
        name if KEYWORDS.contains(&name) => format!("r#{name}"),
        name => name.to_owned(),
    }
}

/// `CREDIT_CARD` and `credit_card` become `CreditCard`; what has small letters keeps its capitals.
fn pascal(name: &str) -> String {
    let shout = !name.bytes().any(|byte| byte.is_ascii_lowercase());
    let mut out = String::new();
    for word in name.split('_').filter(|word| !word.is_empty()) {
        let mut letters = word.chars();
        out.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        match shout {
            true => out.extend(letters.map(|letter| letter.to_ascii_lowercase())),
            false => out.push_str(letters.as_str()),
        }
    }
    match out.as_bytes().first() {
        Some(first) if first.is_ascii_alphabetic() => out,
        _ => format!("T{out}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_what_rust_calls_types() {
        for (name, expected) in [
            ("CREDIT_CARD", "CreditCard"),
            ("order_line", "OrderLine"),
            ("OrderURL", "OrderURL"),
            ("_1", "T1"),
            ("A", "A"),
        ] {
            assert_eq!(pascal(name), expected);
        }
    }

    #[test]
    fn keywords_recursion_and_unions_become_legal_rust() {
        let schema = AvroSchema::parse(
            r#"{"type":"record","name":"a.Node","fields":[
                {"name":"type","type":{"type":"enum","name":"Kind","symbols":["BIG_ONE","big_one"]}},
                {"name":"self","type":["null","Node"]},
                {"name":"next","type":{"type":"array","items":"Node"}},
                {"name":"pick","type":["null","string",{"type":"fixed","name":"H","size":2},"Node"]},
                {"name":"by","type":{"type":"map","values":"bytes"}},
                {"name":"twin","type":{"type":"record","name":"b.Node","fields":[]}}]}"#,
        )
        .unwrap();
        let text = schema.rust_types();
        for line in [
            "#[serde(rename = \"Node\")]\npub struct ANode {",
            "    pub r#type: Kind,",
            "    #[serde(rename = \"self\")]\n    pub self_: Option<Box<ANode>>,",
            "    pub next: Vec<ANode>,",
            "    pub pick: Option<StringOrHOrANode>,",
            "    pub by: std::collections::HashMap<String, Vec<u8>>,",
            "    #[serde(rename = \"BIG_ONE\")]\n    BigOne,\n    big_one,",
            "    #[serde(rename = \"string\")]\n    String(String),\n    H(Vec<u8>),",
            "    #[serde(rename = \"Node\")]\n    ANode(Box<ANode>),",
            "pub struct BNode {\n}",
        ] {
            assert!(text.contains(line), "{line}\nis not in\n{text}");
        }
    }
}
