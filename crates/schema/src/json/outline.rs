//! The format-neutral view of a JSON Schema.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use super::{JsonSchema, refs::Place};
use crate::{
    Format, Path,
    outline::{FieldDecl, Logical, Outline, Shape, ShapeKind, SymbolDecl, TypeDecl, TypeKind},
    text::Json,
};

/// Keywords that the outline itself tells; all others are handed on as properties.
const TOLD: &[&str] = &[
    "$anchor",
    "$defs",
    "$id",
    "$ref",
    "$schema",
    "allOf",
    "anyOf",
    "const",
    "default",
    "definitions",
    "deprecated",
    "description",
    "enum",
    "id",
    "items",
    "oneOf",
    "prefixItems",
    "properties",
    "required",
    "title",
    "type",
];

/// Objects and enums in the order of their first appearance.
pub(super) fn outline(schema: &JsonSchema) -> Outline {
    let mut view = View {
        schema,
        types: Vec::new(),
        positions: HashMap::new(),
        open: HashSet::new(),
    };
    let root = match schema.place() {
        Some(place) => view.shape(&place, "", &Path::root()),
        None => Shape::plain(ShapeKind::Any),
    };
    Outline {
        format: Format::Json,
        types: view.types,
        root,
    }
}

struct View<'s> {
    schema: &'s JsonSchema,
    types: Vec<TypeDecl>,
    positions: HashMap<usize, usize>,
    /// Schemas that are being looked at: one met again inside itself without an object between is told as anything.
    open: HashSet<usize>,
}

impl<'s> View<'s> {
    /// `name` is what the type is called unless it has a title.
    fn shape(&mut self, place: &Place<'s>, name: &str, path: &Path) -> Shape {
        let Some(members) = place.value.as_object() else {
            return Shape::plain(ShapeKind::Any);
        };
        if let Some(position) = self.positions.get(&place.address()) {
            return Shape {
                kind: ShapeKind::Named(*position),
                logical: None,
                props: props(members),
            };
        }
        if !self.open.insert(place.address()) {
            return Shape::plain(ShapeKind::Any);
        }
        let mut shape = self.shape_of(place, members, name, path);
        self.open.remove(&place.address());
        if !matches!(shape.kind, ShapeKind::Named(_)) || shape.props.is_empty() {
            shape.props.extend(props(members));
        }
        shape
    }

    fn shape_of(
        &mut self,
        place: &Place<'s>,
        members: &'s Map<String, Value>,
        name: &str,
        path: &Path,
    ) -> Shape {
        if let Some(target) = place.targets().unwrap_or_default().into_iter().next()
            && (place.is_bare_reference() || !is_typed(members))
        {
            let called = members
                .get("$ref")
                .and_then(Value::as_str)
                .and_then(last_segment)
                .unwrap_or(name);
            let at = Path::root().field(called);
            return self.shape(&target, called, &at);
        }
        if let Some(symbols) = symbols(members) {
            return self.enumeration(place, members, &symbols, name, path);
        }
        for keyword in ["oneOf", "anyOf"] {
            if let Some(branches) = members.get(keyword).and_then(Value::as_array) {
                let parts = branches.iter().enumerate().map(|(position, branch)| {
                    let called = format!("{name}{}", position + 1);
                    self.shape(
                        &place.part(branch),
                        &called,
                        &path.with(&format!("{keyword}[{position}]")),
                    )
                });
                return Shape::plain(ShapeKind::Union(parts.collect()));
            }
        }
        if members.contains_key("allOf")
            && !members.contains_key("type")
            && !members.contains_key("properties")
        {
            let parts = super::compat::all_of(place);
            if let [only] = parts.as_slice() {
                return self.shape(only, name, path);
            }
        }
        match members.get("type") {
            Some(Value::Array(names)) => {
                let of = |type_name: &str| self.typed(place, members, type_name, name, path);
                let mut parts: Vec<Shape> = names.iter().filter_map(Value::as_str).map(of).collect();
                if parts.len() == 1 {
                    parts.remove(0)
                } else {
                    Shape::plain(ShapeKind::Union(parts))
                }
            }
            Some(Value::String(type_name)) => self.typed(place, members, type_name, name, path),
            _ if members.contains_key("properties") || members.contains_key("allOf") => {
                self.typed(place, members, "object", name, path)
            }
            _ if members.contains_key("items") => self.typed(place, members, "array", name, path),
            _ => Shape::plain(ShapeKind::Any),
        }
    }

    fn typed(
        &mut self,
        place: &Place<'s>,
        members: &'s Map<String, Value>,
        type_name: &str,
        name: &str,
        path: &Path,
    ) -> Shape {
        let format = members.get("format").and_then(Value::as_str);
        match type_name {
            "null" => Shape::plain(ShapeKind::Null),
            "boolean" => Shape::plain(ShapeKind::Boolean),
            "integer" => {
                let bits = match format {
                    Some("int32") => 32,
                    Some("int64") => 64,
                    _ => 0,
                };
                Shape::plain(ShapeKind::Integer { bits, signed: true })
            }
            "number" => Shape::plain(ShapeKind::Float { bits: 64 }),
            "string" => Shape {
                kind: ShapeKind::String,
                logical: format.map(logical),
                props: Vec::new(),
            },
            "array" => {
                let items = members.get("items").filter(|items| !items.is_array());
                let first = members
                    .get("prefixItems")
                    .or(members.get("items"))
                    .and_then(|list| list.get(0));
                let inner = items
                    .or(first)
                    .map(|items| self.shape(&place.part(items), name, &path.items()));
                Shape::plain(ShapeKind::Array(Box::new(
                    inner.unwrap_or(Shape::plain(ShapeKind::Any)),
                )))
            }
            "object" if members.contains_key("properties") || members.contains_key("allOf") => {
                Shape::plain(ShapeKind::Named(self.record(place, members, name, path)))
            }
            "object" => {
                let values = members
                    .get("additionalProperties")
                    .filter(|values| values.is_object());
                let values = values.map(|values| self.shape(&place.part(values), name, &path.values()));
                Shape::plain(ShapeKind::Map(Box::new(
                    values.unwrap_or(Shape::plain(ShapeKind::Any)),
                )))
            }
            _ => Shape::plain(ShapeKind::Any),
        }
    }

    fn declaration(
        &self,
        place: &Place<'s>,
        members: &Map<String, Value>,
        name: &str,
        path: &Path,
    ) -> TypeDecl {
        let title = members
            .get("title")
            .and_then(Value::as_str)
            .filter(|title| !title.is_empty());
        TypeDecl {
            path: path.clone(),
            kind: TypeKind::Record,
            name: title.unwrap_or(name).to_owned(),
            namespace: None,
            doc: text(members, "description"),
            aliases: Vec::new(),
            fields: Vec::new(),
            symbols: Vec::new(),
            default_symbol: None,
            size: None,
            props: props(members),
            referenced: self.schema.is_referenced(&place.base()),
        }
    }

    fn record(
        &mut self,
        place: &Place<'s>,
        members: &'s Map<String, Value>,
        name: &str,
        path: &Path,
    ) -> usize {
        let position = self.types.len();
        let declared = self.declaration(place, members, name, path);
        self.types.push(declared);
        self.positions.insert(place.address(), position);
        let mut fields = Vec::new();
        let mut parts = super::compat::all_of(place);
        parts.insert(0, place.clone());
        for part in parts {
            // A part that is a reference contributes what it refers to.
            let part = part
                .targets()
                .unwrap_or_default()
                .into_iter()
                .next()
                .filter(|_| part.value.get("properties").is_none())
                .unwrap_or(part);
            for (property, value) in part
                .value
                .get("properties")
                .and_then(Value::as_object)
                .into_iter()
                .flatten()
            {
                fields.push(self.field(&part, property, value, path));
            }
        }
        if let Some(declared) = self.types.get_mut(position) {
            declared.fields = fields;
        }
        position
    }

    fn field(&mut self, parent: &Place<'s>, name: &str, value: &'s Value, path: &Path) -> FieldDecl {
        let place = parent.part(value);
        let path = path.field(name);
        let shape = self.shape(&place, name, &path);
        let required = parent
            .value
            .get("required")
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        let empty = Map::new();
        let members = value.as_object().unwrap_or(&empty);
        let default = members.get("default").map(json);
        let is_required = required
            .into_iter()
            .any(|required| required.as_str() == Some(name));
        FieldDecl {
            path,
            name: name.to_owned(),
            doc: text(members, "description").or_else(|| self.doc_of_target(&place)),
            required: is_required && default.is_none(),
            default,
            shape,
            aliases: Vec::new(),
            number: None,
            deprecated: members
                .get("deprecated")
                .and_then(Value::as_bool)
                .unwrap_or_default(),
            oneof: None,
            props: props(members),
        }
    }

    /// A property that is a plain reference is documented where it points.
    fn doc_of_target(&self, place: &Place<'s>) -> Option<String> {
        let target = place.targets().ok()?.into_iter().next()?;
        text(target.value.as_object()?, "description")
    }

    fn enumeration(
        &mut self,
        place: &Place<'s>,
        members: &Map<String, Value>,
        symbols: &[&str],
        name: &str,
        path: &Path,
    ) -> Shape {
        let position = self.types.len();
        let mut declared = self.declaration(place, members, name, path);
        declared.kind = TypeKind::Enum;
        declared.default_symbol = text(members, "default");
        let doc = |symbol: &str| {
            members
                .get("x-enum-descriptions")
                .and_then(|docs| text(docs.as_object()?, symbol))
        };
        declared.symbols = symbols
            .iter()
            .map(|symbol| SymbolDecl {
                path: path.symbol(symbol),
                name: (*symbol).to_owned(),
                number: None,
                doc: doc(symbol),
            })
            .collect();
        self.types.push(declared);
        self.positions.insert(place.address(), position);
        let named = Shape::plain(ShapeKind::Named(position));
        let nullable = members
            .get("enum")
            .and_then(Value::as_array)
            .is_some_and(|values| values.contains(&Value::Null));
        if nullable {
            Shape::plain(ShapeKind::Union(vec![Shape::plain(ShapeKind::Null), named]))
        } else {
            named
        }
    }
}

fn is_typed(members: &Map<String, Value>) -> bool {
    ["type", "properties", "oneOf", "anyOf", "enum"]
        .iter()
        .any(|keyword| members.contains_key(*keyword))
}

/// The strings of an `enum` or `const` that holds nothing else but null.
fn symbols(members: &Map<String, Value>) -> Option<Vec<&str>> {
    if let Some(one) = members.get("const").and_then(Value::as_str) {
        return Some(vec![one]);
    }
    let values = members.get("enum")?.as_array()?;
    let strings: Vec<&str> = values.iter().filter_map(Value::as_str).collect();
    let all = values.iter().all(|value| value.is_string() || value.is_null());
    (all && !strings.is_empty()).then_some(strings)
}

fn logical(format: &str) -> Logical {
    match format {
        "uuid" => Logical::Uuid,
        "date" => Logical::Date,
        "time" => Logical::Time,
        "date-time" => Logical::Timestamp { local: false },
        "duration" => Logical::Duration,
        other => Logical::Other(other.to_owned()),
    }
}

fn last_segment(reference: &str) -> Option<&str> {
    let end = reference.rsplit(['/', '#']).find(|segment| !segment.is_empty())?;
    Some(end.strip_suffix(".json").unwrap_or(end))
}

fn text(members: &Map<String, Value>, name: &str) -> Option<String> {
    members.get(name).and_then(Value::as_str).map(str::to_owned)
}

fn props(members: &Map<String, Value>) -> Vec<(String, Json)> {
    let others = members.iter().filter(|(name, _)| !TOLD.contains(&name.as_str()));
    others.map(|(name, value)| (name.clone(), json(value))).collect()
}

fn json(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(value) => Json::Bool(*value),
        Value::Number(number) => Json::Number(number.to_string().into()),
        Value::String(text) => Json::String(text.clone()),
        Value::Array(items) => Json::Array(items.iter().map(json).collect()),
        Value::Object(members) => Json::Object(
            members
                .iter()
                .map(|(name, value)| (name.clone(), json(value)))
                .collect(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Schema, Source};

    fn outline(text: &str) -> Outline {
        Schema::parse(&Source::new(Format::Json, text)).unwrap().outline()
    }

    #[test]
    fn objects_and_enums_are_types_and_references_lead_to_them() {
        let outline = outline(
            r##"{"title":"Order","description":"d","type":"object","required":["kind"],
            "properties":{"kind":{"enum":["A","B"]},"line":{"$ref":"#/definitions/Line"},
              "at":{"type":["null","string"],"format":"date-time","unit":"s"},"tags":{"type":"array","items":{"type":"string"}}},
            "definitions":{"Line":{"type":"object","description":"A line.","properties":{"parent":{"$ref":"#/definitions/Line"}}}}}"##,
        );
        let kinds: HashMap<&str, TypeKind> =
            outline.types.iter().map(|t| (t.name.as_str(), t.kind)).collect();
        let wanted = [
            ("Order", TypeKind::Record),
            ("Line", TypeKind::Record),
            ("kind", TypeKind::Enum),
        ];
        assert_eq!(kinds, HashMap::from(wanted));
        let order = &outline.types[0];
        let field = |name: &str| order.fields.iter().find(|field| field.name == name).unwrap();
        assert!(field("kind").required && !field("at").required);
        assert_eq!(field("line").doc.as_deref(), Some("A line."));
        assert_eq!(
            field("at").props,
            [
                ("format".to_owned(), Json::String("date-time".into())),
                ("unit".to_owned(), Json::String("s".into()))
            ]
        );
        let ShapeKind::Union(parts) = &field("at").shape.kind else {
            panic!("{:?}", field("at").shape)
        };
        assert_eq!(parts[1].logical, Some(Logical::Timestamp { local: false }));
        let ShapeKind::Named(line) = field("line").shape.kind else {
            panic!()
        };
        assert_eq!(outline.types[line].fields[0].shape.kind, ShapeKind::Named(line));
    }

    #[test]
    fn an_array_of_itself_ends() {
        let outline = outline(
            r##"{"$ref":"#/definitions/a","definitions":{"a":{"type":"array","items":{"$ref":"#/definitions/a"}}}}"##,
        );
        assert_eq!(
            outline.root.kind,
            ShapeKind::Array(Box::new(Shape::plain(ShapeKind::Any)))
        );
    }
}
