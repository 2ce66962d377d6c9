//! Encoding, in Rust.

use std::fmt::Write;

use super::code::{Scope, condition, is_default};
use super::decode::{Place, is_always_tagged};
use super::names;
use super::schema::{Field, Struct, Type, Versions};

pub fn implementation(scope: &Scope<'_>, inner: &Struct) -> anyhow::Result<String> {
    let range = inner.versions.intersect(scope.valid).unwrap_or(scope.valid);
    let mut out = format!(
        "impl Encode for {} {{\n    fn encode(&self, version: i16, sink: &mut Segments) -> Result<(), EncodeError> {{\n        \
         let flexible = {};\n",
        inner.name,
        scope.flexible(range)
    );
    for field in &inner.fields {
        plain_field(&mut out, inner, field, range)?;
    }
    out += "        if flexible {\n";
    tags(&mut out, inner, range)?;
    out += "        }\n        Ok(())\n    }\n}\n\n";
    Ok(out)
}

fn plain_field(out: &mut String, inner: &Struct, field: &Field, range: Versions) -> anyhow::Result<()> {
    let present = condition(field.versions, range);
    let name = names::field(&field.name);
    // What a version cannot say must not be lost in silence, unless the definition allows it.
    let refuse = if field.ignorable {
        String::new()
    } else {
        format!(
            "if !({}) {{ return Err(EncodeError::unsupported(\"{}.{name}\", version)); }}",
            is_default(field)?,
            inner.name
        )
    };
    let tagged = field.tagged.map(|tagged| condition(Some(tagged), range));
    let write = match tagged.as_deref() {
        Some(_)
            if field
                .versions
                .is_none_or(|versions| is_always_tagged(field, versions)) =>
        {
            String::new()
        }
        Some(tagged) => format!(
            "if !({tagged}) {{ {} }}",
            value(field, &format!("self.{name}"), range, Place::Row)
        ),
        None => value(field, &format!("self.{name}"), range, Place::Row),
    };
    match present.as_str() {
        "true" => writeln!(out, "        {write}")?,
        "false" => writeln!(out, "        {refuse}")?,
        _ if refuse.is_empty() && write.is_empty() => {}
        present if write.is_empty() => writeln!(out, "        if !({present}) {{ {refuse} }}")?,
        present if refuse.is_empty() => writeln!(out, "        if {present} {{ {write} }}")?,
        present => writeln!(out, "        if {present} {{ {write} }} else {{ {refuse} }}")?,
    }
    Ok(())
}

/// Rust that writes what `name` names.
fn value(field: &Field, name: &str, range: Versions, place: Place) -> String {
    let write = value_where_flexible(field, name, range, place);
    if field.never_flexible {
        format!("{{ let flexible = false; {write} }}")
    } else {
        write
    }
}

fn value_where_flexible(field: &Field, name: &str, range: Versions, place: Place) -> String {
    let Some(nullable) = field.nullable else {
        return required(&field.kind, name, false);
    };
    let is_struct = matches!(field.kind, Type::Struct(_));
    let allowed = condition(Some(nullable), range);
    let null = match &field.kind {
        Type::Struct(_) if place == Place::Tag => "sink.put_unsigned_varint(0);",
        Type::Struct(_) => "sink.put_i8(-1);",
        Type::Str => "sink.put_null_string(flexible);",
        Type::Array(_) => "sink.put_null_array(flexible);",
        _ => "sink.put_null_bytes(flexible);",
    };
    let null = match allowed.as_str() {
        "true" => null.to_owned(),
        allowed => format!(
            "if {allowed} {{ {null} }} else {{ return Err(EncodeError::null({:?}, version)); }}",
            field.name
        ),
    };
    let marker = match (is_struct, place) {
        (false, _) => "",
        (true, Place::Row) => "sink.put_i8(1); ",
        (true, Place::Tag) => "sink.put_unsigned_varint(1); ",
    };
    let some = required(&field.kind, "value", true);
    format!("match &{name} {{ None => {{ {null} }} Some(value) => {{ {marker}{some} }} }}")
}

/// `by_reference`: the place is a reference already.
fn required(kind: &Type, place: &str, by_reference: bool) -> String {
    let copied = if by_reference {
        format!("*{place}")
    } else {
        place.to_owned()
    };
    let referenced = if by_reference {
        place.to_owned()
    } else {
        format!("&{place}")
    };
    match kind {
        Type::Bool => format!("sink.put_bool({copied});"),
        Type::Int(int) => format!("sink.put_{int}({copied});"),
        Type::Float64 => format!("sink.put_f64({copied});"),
        Type::Uuid => format!("sink.put_uuid({copied});"),
        Type::Str => format!("sink.put_string({referenced}, flexible)?;"),
        Type::Bytes => format!("sink.put_bytes_field({referenced}, flexible)?;"),
        Type::Records => format!("sink.put_records({referenced}, flexible)?;"),
        Type::Struct(_) => format!("{place}.encode(version, sink)?;"),
        Type::Array(element) => {
            let one = required(element, "item", true);
            format!("sink.put_array_len({place}.len(), flexible)?; for item in {place}.iter() {{ {one} }}")
        }
    }
}

fn tags(out: &mut String, inner: &Struct, range: Versions) -> anyhow::Result<()> {
    let mut tagged: Vec<&Field> = inner.fields.iter().filter(|field| field.tag.is_some()).collect();
    tagged.sort_by_key(|field| field.tag);
    if tagged.is_empty() {
        out.push_str("            sink.put_tagged_fields(&self.unknown_tagged_fields);\n");
        return Ok(());
    }
    out.push_str("            let mut known = crate::KnownTags::new();\n");
    for field in tagged {
        let Some(tag) = field.tag else { continue };
        let present = condition(field.tagged.or(field.versions), range);
        let set = format!("({present}) && !({})", is_default(field)?);
        let write = value(
            field,
            &format!("self.{}", names::field(&field.name)),
            range,
            Place::Tag,
        );
        writeln!(
            out,
            "            if {set} {{ known.put({tag}, |sink: &mut Segments| -> Result<(), EncodeError> {{ {write} Ok(()) }})?; }}"
        )?;
    }
    out.push_str("            known.finish(&self.unknown_tagged_fields, sink);\n");
    Ok(())
}
