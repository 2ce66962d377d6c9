//! A schema as text: the order of Java Avro's `Schema.toString()`, which is what Schema Registry stores, and the
//! normal text in which equal meaning is equal text.

use std::{collections::HashSet, fmt};

use super::{
    model::{AvroSchema, Field, Kind, LogicalType, Order, Type, TypeId},
    name::Name,
};
use crate::text::Json;

/// Compact, in the order of Java Avro: type, name, namespace, doc, what the kind has, properties, aliases.
impl fmt::Display for AvroSchema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.to_json())
    }
}

impl AvroSchema {
    /// The schema as JSON, in the order of [`AvroSchema`]'s text. Types of references are named, not written out.
    pub fn to_json(&self) -> Json {
        Printer {
            schema: self,
            inline: false,
            sorted: false,
            written: HashSet::new(),
        }
        .schema(self.root(), None)
    }

    /// One text that needs no references: what they declare stands where it is first used.
    pub fn to_json_inline(&self) -> Json {
        Printer {
            schema: self,
            inline: true,
            sorted: false,
            written: HashSet::new(),
        }
        .schema(self.root(), None)
    }

    /// The text that is compared and stored when `normalize` is asked for: properties sorted by name.
    pub fn normal_text(&self) -> String {
        let printer = Printer {
            schema: self,
            inline: false,
            sorted: true,
            written: HashSet::new(),
        };
        let mut printer = printer;
        printer.schema(self.root(), None).to_string()
    }

    /// One type as text, for messages. What it names is not written out.
    pub(super) fn type_text(&self, id: TypeId) -> String {
        match self.kind(id) {
            Kind::Array(items) => format!("array of {}", self.label(*items)),
            Kind::Map(values) => format!("map of {}", self.label(*values)),
            Kind::Union(branches) => {
                let labels: Vec<_> = branches.iter().map(|branch| self.label(*branch)).collect();
                format!("[{}]", labels.join(", "))
            }
            kind => kind.label().to_owned(),
        }
    }
}

struct Printer<'a> {
    schema: &'a AvroSchema,
    /// Write out what references declare.
    inline: bool,
    /// Sort properties.
    sorted: bool,
    written: HashSet<TypeId>,
}

type Members = Vec<(String, Json)>;

fn put(members: &mut Members, name: &str, value: Json) {
    members.push((name.to_owned(), value));
}

fn text(value: &str) -> Json {
    Json::String(value.to_owned())
}

impl Printer<'_> {
    fn schema(&mut self, id: TypeId, namespace: Option<&str>) -> Json {
        let found = self.schema.get(id);
        let kind = &found.kind;
        if let Some(name) = kind.name() {
            let elsewhere = is_referenced(kind) && !self.inline && id != self.schema.root();
            if elsewhere || !self.written.insert(id) {
                return text(name.seen_from(namespace));
            }
        }
        let mut members = Vec::new();
        match kind {
            Kind::Union(branches) => {
                return Json::Array(
                    branches
                        .iter()
                        .map(|branch| self.schema(*branch, namespace))
                        .collect(),
                );
            }
            Kind::Array(items) => {
                put(&mut members, "type", text("array"));
                let items = self.schema(*items, namespace);
                put(&mut members, "items", items);
            }
            Kind::Map(values) => {
                put(&mut members, "type", text("map"));
                let values = self.schema(*values, namespace);
                put(&mut members, "values", values);
            }
            Kind::Record(record) => {
                let word = if record.is_error { "error" } else { "record" };
                head(&mut members, word, &record.name, record.doc.as_deref(), namespace);
                let own = record.name.namespace();
                let fields = record.fields.iter().map(|field| self.field(field, own)).collect();
                put(&mut members, "fields", Json::Array(fields));
            }
            Kind::Enum(symbols) => {
                head(
                    &mut members,
                    "enum",
                    &symbols.name,
                    symbols.doc.as_deref(),
                    namespace,
                );
                put(
                    &mut members,
                    "symbols",
                    Json::Array(symbols.symbols.iter().map(|s| text(s)).collect()),
                );
                if let Some(default) = &symbols.default {
                    put(&mut members, "default", text(default));
                }
            }
            Kind::Fixed(fixed) => {
                head(
                    &mut members,
                    "fixed",
                    &fixed.name,
                    fixed.doc.as_deref(),
                    namespace,
                );
                put(&mut members, "size", Json::int(fixed.size as i64));
            }
            simple if found.props.is_empty() => return text(simple.word()),
            simple => put(&mut members, "type", text(simple.word())),
        }
        self.type_props(&mut members, found);
        if let Some(name) = kind.name() {
            let mut seen: Vec<_> = kind.aliases().iter().collect();
            if self.sorted {
                seen.sort();
                members.retain(|(member, value)| member != "doc" || value.as_str() != Some(""));
            }
            let seen = seen
                .into_iter()
                .map(|alias| text(alias.seen_from(name.namespace())))
                .collect();
            aliases(&mut members, seen);
        }
        Json::Object(members)
    }

    fn type_props(&self, members: &mut Members, found: &Type) {
        let leaf = !matches!(
            found.kind,
            Kind::Array(_) | Kind::Map(_) | Kind::Record(_) | Kind::Enum(_)
        );
        if !(self.sorted && leaf && found.logical.is_some()) {
            return self.props(members, &found.props);
        }
        let mut first = vec!["logicalType"];
        if let Some(LogicalType::Decimal { scale, .. }) = found.logical {
            first.push("precision");
            first.extend((scale != 0).then_some("scale"));
        }
        for name in &first {
            members.extend(found.props.iter().filter(|(known, _)| known == name).cloned());
        }
        let is_rest = |(name, _): &&(String, Json)| !first.contains(&name.as_str());
        let rest: Vec<_> = found.props.iter().filter(is_rest).cloned().collect();
        self.props(members, &rest);
    }

    fn field(&mut self, field: &Field, namespace: Option<&str>) -> Json {
        let mut members = Vec::new();
        put(&mut members, "name", text(&field.name));
        let schema = self.schema(field.schema, namespace);
        put(&mut members, "type", schema);
        if let Some(doc) = &field.doc {
            put(&mut members, "doc", text(doc));
        }
        if let Some(default) = &field.default {
            put(&mut members, "default", default.clone());
        }
        if field.order != Order::Ascending {
            put(&mut members, "order", text(field.order.name()));
        }
        let mut known: Vec<_> = field.aliases.iter().collect();
        if self.sorted {
            known.sort();
        }
        aliases(&mut members, known.into_iter().map(|alias| text(alias)).collect());
        self.props(&mut members, &field.props);
        Json::Object(members)
    }

    fn props(&self, members: &mut Members, props: &[(String, Json)]) {
        let from = members.len();
        members.extend(props.iter().cloned());
        if self.sorted
            && let Some(added) = members.get_mut(from..)
        {
            added.sort_by(|a, b| a.0.cmp(&b.0));
            added.iter_mut().for_each(|(_, value)| sort_members(value));
        }
    }
}

fn head(members: &mut Members, word: &str, name: &Name, doc: Option<&str>, enclosing: Option<&str>) {
    put(members, "type", text(word));
    put(members, "name", text(name.simple()));
    if name.namespace() != enclosing {
        put(members, "namespace", text(name.namespace().unwrap_or_default()));
    }
    if let Some(doc) = doc {
        put(members, "doc", text(doc));
    }
}

fn aliases(members: &mut Members, aliases: Vec<Json>) {
    if !aliases.is_empty() {
        put(members, "aliases", Json::Array(aliases));
    }
}

fn is_referenced(kind: &Kind) -> bool {
    match kind {
        Kind::Record(record) => record.referenced,
        Kind::Enum(symbols) => symbols.referenced,
        Kind::Fixed(fixed) => fixed.referenced,
        _ => false,
    }
}

fn sort_members(json: &mut Json) {
    match json {
        Json::Array(items) => items.iter_mut().for_each(sort_members),
        Json::Object(members) => {
            members.sort_by(|a, b| a.0.cmp(&b.0));
            members.iter_mut().for_each(|(_, value)| sort_members(value));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_in_the_order_of_java_and_reads_back() {
        let schema = AvroSchema::parse(
            r#"{"x": 1, "aliases": ["Old", "b.C"], "fields": [
                {"default": null, "type": ["null", {"type": "string", "logicalType": "uuid"}], "name": "a",
                 "aliases": ["z"], "order": "ignore", "doc": "d"},
                {"name": "self", "type": {"type": "array", "items": "R"}, "p": {"b": 1, "a": 2}},
                {"name": "k", "type": {"type": "enum", "name": "k.E", "symbols": ["A"], "default": "A"}},
                {"name": "f", "type": {"type": "fixed", "name": "F", "namespace": "", "size": 3}}],
                "name": "n.R", "type": "record", "doc": "D"}"#,
        )
        .unwrap();
        let text = concat!(
            r#"{"type":"record","name":"R","namespace":"n","doc":"D","fields":["#,
            r#"{"name":"a","type":["null",{"type":"string","logicalType":"uuid"}],"doc":"d","default":null,"#,
            r#""order":"ignore","aliases":["z"]},"#,
            r#"{"name":"self","type":{"type":"array","items":"R"},"p":{"b":1,"a":2}},"#,
            r#"{"name":"k","type":{"type":"enum","name":"E","namespace":"k","symbols":["A"],"default":"A"}},"#,
            r#"{"name":"f","type":{"type":"fixed","name":"F","namespace":"","size":3}}],"#,
            r#""x":1,"aliases":["Old","b.C"]}"#
        );
        assert_eq!(schema.to_string(), text);
        assert_eq!(AvroSchema::parse(text).unwrap(), schema);
        assert!(schema.normal_text().contains(r#""p":{"a":2,"b":1}"#));
    }
}
