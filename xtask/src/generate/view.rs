//! Borrowed views: the same message without an allocation. Arrays are walked once when the view is made, which proves
//! them whole, and read again by whoever iterates.

use std::fmt::Write;

use super::code::{Scope, condition, default_value};
use super::names;
use super::schema::{Field, Struct, Type, Versions};

pub fn module(scope: &Scope<'_>) -> anyhow::Result<String> {
    let mut out = String::from(
        "/// Views that borrow from the frame and allocate nothing.\npub mod view {\n    use types::Uuid;\n\n    \
         use crate::view::{ArrayView, Cursor, RecordsView, View};\n    use crate::DecodeError;\n\n",
    );
    for (index, inner) in scope.message.structs.iter().enumerate() {
        let range = inner.versions.intersect(scope.valid).unwrap_or(scope.valid);
        let name = &inner.name;
        writeln!(
            out,
            "    #[derive(Debug, Clone, Copy, PartialEq)]\n    pub struct {name}<'a> {{"
        )?;
        for field in &inner.fields {
            writeln!(
                out,
                "        pub {}: {},",
                names::field(&field.name),
                field_type(field)
            )?;
        }
        writeln!(
            out,
            "        pub(crate) lifetime: std::marker::PhantomData<&'a ()>,\n    }}\n"
        )?;
        writeln!(
            out,
            "    impl<'a> View<'a> for {name}<'a> {{\n        fn read(cursor: &mut Cursor<'a>, version: i16) -> Result<Self, DecodeError> {{"
        )?;
        writeln!(out, "            let flexible = {};", scope.flexible(range))?;
        out += "            let mut message = Self::empty();\n";
        fields(&mut out, inner, range)?;
        out += "            Ok(message)\n        }\n\n";
        writeln!(out, "        fn empty() -> Self {{\n            {name} {{")?;
        for field in &inner.fields {
            writeln!(
                out,
                "                {}: {},",
                names::field(&field.name),
                default(field)?
            )?;
        }
        out += "                lifetime: std::marker::PhantomData,\n            }\n        }\n    }\n\n";
        if index == 0 {
            writeln!(
                out,
                "    impl<'a> {name}<'a> {{\n        /// The view of a whole body.\n        pub fn decode(body: &'a [u8], version: i16) -> Result<Self, DecodeError> {{\n            Self::read(&mut Cursor::new(body), version)\n        }}\n    }}\n"
            )?;
        }
    }
    out += "}\n";
    Ok(out)
}

fn fields(out: &mut String, inner: &Struct, range: Versions) -> anyhow::Result<()> {
    for field in inner.fields.iter().filter(|field| field.tag.is_none()) {
        let present = condition(field.versions, range);
        let name = names::field(&field.name);
        let read = read(field);
        match present.as_str() {
            "false" => {}
            "true" => writeln!(out, "            message.{name} = {read};")?,
            present => writeln!(out, "            if {present} {{ message.{name} = {read}; }}")?,
        }
    }
    let tagged: Vec<&Field> = inner.fields.iter().filter(|field| field.tag.is_some()).collect();
    out.push_str("            if flexible {\n                let mut tags = cursor.tags()?;\n                while let Some((tag, mut field)) = cursor.next_tag(&mut tags)? {\n                    let cursor = &mut field;\n                    match tag {\n");
    for field in tagged {
        let Some(tag) = field.tag else { continue };
        let guard = condition(field.tagged.or(field.versions), range);
        writeln!(
            out,
            "                        {tag} if {guard} => message.{} = {},",
            names::field(&field.name),
            read(field)
        )?;
    }
    out.push_str(
        "                        _ => {}\n                    }\n                }\n            }\n",
    );
    Ok(())
}

fn plain(kind: &Type) -> String {
    match kind {
        Type::Bool => "bool".into(),
        Type::Int(name) => (*name).into(),
        Type::Float64 => "f64".into(),
        Type::Uuid => "Uuid".into(),
        Type::Str => "&'a str".into(),
        Type::Bytes => "&'a [u8]".into(),
        Type::Records => "RecordsView<'a>".into(),
        Type::Struct(name) => format!("{name}<'a>"),
        Type::Array(inner) => format!("ArrayView<'a, {}>", plain(inner)),
    }
}

fn field_type(field: &Field) -> String {
    let plain = plain(&field.kind);
    if field.nullable.is_some() {
        format!("Option<{plain}>")
    } else {
        plain
    }
}

fn default(field: &Field) -> anyhow::Result<String> {
    if field.nullable.is_some() {
        return Ok("None".into());
    }
    Ok(match &field.kind {
        Type::Str => "\"\"".into(),
        Type::Bytes => "&[]".into(),
        Type::Array(_) | Type::Struct(_) | Type::Records => "View::empty()".into(),
        Type::Uuid => "Uuid::ZERO".into(),
        _ => default_value(field)?,
    })
}

fn read(field: &Field) -> String {
    let nullable = field.nullable.is_some();
    let wrap = |text: String| {
        if nullable {
            format!("{text}?")
        } else {
            format!("Cursor::required({text}?)?")
        }
    };
    match &field.kind {
        Type::Bool => "cursor.bool()?".into(),
        Type::Int(int) => format!("cursor.{int}()?"),
        Type::Float64 => "cursor.f64()?".into(),
        Type::Uuid => "cursor.uuid()?".into(),
        Type::Str => wrap("cursor.string(flexible)".into()),
        Type::Bytes => wrap("cursor.bytes(flexible)".into()),
        Type::Records => wrap("cursor.records(flexible)".into()),
        Type::Array(_) => wrap("cursor.array(flexible, version)".into()),
        Type::Struct(_) => "View::read(cursor, version)?".into(),
    }
}
