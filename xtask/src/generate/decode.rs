//! Decoding, in Rust.

use std::fmt::Write;

use super::code::{Scope, condition, plain_type};
use super::names;
use super::schema::{Field, Struct, Type, Versions};

pub fn implementation(scope: &Scope<'_>, inner: &Struct) -> anyhow::Result<String> {
    let range = inner.versions.intersect(scope.valid).unwrap_or(scope.valid);
    let mut out = format!(
        "impl Decode for {} {{\n    fn decode(reader: &mut Reader, version: i16, budget: &mut Budget) -> Result<Self, DecodeError> {{\n        \
         let flexible = {};\n        let mut message = Self::default();\n",
        inner.name,
        scope.flexible(range)
    );
    for field in &inner.fields {
        plain_field(scope, &mut out, field, range)?;
    }
    out += "        if flexible {\n";
    tags(scope, &mut out, inner, range)?;
    out += "        }\n        Ok(message)\n    }\n}\n\n";
    Ok(out)
}

/// A field at its place in the row, in the versions in which it is not tagged.
fn plain_field(scope: &Scope<'_>, out: &mut String, field: &Field, range: Versions) -> anyhow::Result<()> {
    let Some(versions) = field.versions else {
        return Ok(());
    };
    let present = condition(Some(versions), range);
    let untagged = match field.tagged {
        Some(tagged) => format!("!({})", condition(Some(tagged), range)),
        None => "true".to_owned(),
    };
    if is_always_tagged(field, versions) {
        return Ok(());
    }
    let expression = value(scope, field, versions, Place::Row);
    let name = names::field(&field.name);
    match (present.as_str(), untagged.as_str()) {
        ("true", "true") => writeln!(out, "        message.{name} = {expression};")?,
        (present, "true") => writeln!(out, "        if {present} {{ message.{name} = {expression}; }}")?,
        (present, untagged) => writeln!(
            out,
            "        if ({present}) && {untagged} {{ message.{name} = {expression}; }}"
        )?,
    }
    Ok(())
}

/// Whether it is a tag in every version that has it.
pub fn is_always_tagged(field: &Field, versions: Versions) -> bool {
    field.tagged.is_some_and(|tagged| tagged.contains(versions))
}

/// Where a value stands. A struct that may be null begins with another marker in a tag than in the row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Row,
    Tag,
}

/// Rust that reads a value: a `Result` with `?`.
fn value(scope: &Scope<'_>, field: &Field, range: Versions, place: Place) -> String {
    let read = value_where_flexible(scope, field, range, place);
    if field.never_flexible {
        format!("{{ let flexible = false; {read} }}")
    } else {
        read
    }
}

fn value_where_flexible(scope: &Scope<'_>, field: &Field, range: Versions, place: Place) -> String {
    let name = &field.name;
    let read = match &field.kind {
        Type::Struct(inner) if place == Place::Tag => {
            format!("reader.nullable_tagged_struct(|reader| {inner}::decode(reader, version, budget))")
        }
        kind => nullable_read(scope, kind, range),
    };
    match field.nullable {
        None => format!("{}?", required(scope, &field.kind, name, range)),
        Some(_) if read.is_empty() => format!("Some({}?)", required(scope, &field.kind, name, range)),
        Some(nullable) => {
            let allowed = condition(Some(nullable), range);
            if allowed == "true" {
                format!("{read}?")
            } else {
                format!("Reader::nullable({read}?, {allowed}, {name:?})?")
            }
        }
    }
}

fn required(scope: &Scope<'_>, kind: &Type, name: &str, range: Versions) -> String {
    match kind {
        Type::Bool => "reader.bool()".into(),
        Type::Int(int) => format!("reader.{int}()"),
        Type::Float64 => "reader.f64()".into(),
        Type::Uuid => "reader.uuid()".into(),
        Type::Str | Type::Bytes | Type::Records | Type::Array(_) => {
            format!(
                "Reader::required({}?, {name:?})",
                nullable_read(scope, kind, range)
            )
        }
        Type::Struct(inner) => format!("{inner}::decode(reader, version, budget)"),
    }
}

/// Rust that reads a value or null; empty for kinds that have no null.
fn nullable_read(scope: &Scope<'_>, kind: &Type, range: Versions) -> String {
    match kind {
        Type::Str => "reader.string(flexible)".into(),
        Type::Bytes => "reader.bytes(flexible)".into(),
        Type::Records => "reader.records(flexible)".into(),
        Type::Struct(inner) => {
            format!("reader.nullable_struct(|reader| {inner}::decode(reader, version, budget))")
        }
        Type::Array(element) => {
            let bytes_min = scope.wire_bytes_min(element, range);
            let one = required(scope, element, "element", range);
            let element = plain_type(element);
            format!("reader.array::<{element}>(flexible, {bytes_min}, budget, |reader, budget| {one})")
        }
        _ => String::new(),
    }
}

fn tags(scope: &Scope<'_>, out: &mut String, inner: &Struct, range: Versions) -> anyhow::Result<()> {
    let tagged: Vec<&Field> = inner.fields.iter().filter(|field| field.tag.is_some()).collect();
    if tagged.is_empty() {
        out.push_str("            message.unknown_tagged_fields = reader.tagged_fields(budget)?;\n");
        return Ok(());
    }
    out.push_str(
        "            let mut tags = reader.tags()?;\n            while let Some((tag, mut field)) = reader.next_tag(&mut tags)? {\n                \
         let reader = &mut field;\n                match tag {\n",
    );
    for field in tagged {
        let (Some(tag), Some(versions)) = (field.tag, field.tagged.or(field.versions)) else {
            continue;
        };
        let guard = condition(Some(versions), range);
        let guard = if guard == "true" {
            String::new()
        } else {
            format!(" if {guard}")
        };
        let expression = value(scope, field, versions, Place::Tag);
        let name = names::field(&field.name);
        writeln!(
            out,
            "                    {tag}{guard} => {{ message.{name} = {expression}; reader.finished()?; }}"
        )?;
    }
    out.push_str(
        "                    _ => message.unknown_tagged_fields.keep(tag, reader.rest(), budget)?,\n                }\n            }\n",
    );
    Ok(())
}
