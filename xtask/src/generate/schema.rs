//! Kafka's message definitions as data.

use anyhow::{Context, bail};
use serde::Deserialize;
use serde_json::Value;

/// The highest version that an open range reaches.
const OPEN: i16 = i16::MAX;

/// Inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Versions {
    pub low: i16,
    pub high: i16,
}

impl Versions {
    pub fn parse(text: &str) -> anyhow::Result<Option<Versions>> {
        let text = text.trim();
        if text.is_empty() || text == "none" {
            return Ok(None);
        }
        let number = |text: &str| text.parse::<i16>().with_context(|| format!("version {text}"));
        let (low, high) = if let Some(low) = text.strip_suffix('+') {
            (number(low)?, OPEN)
        } else if let Some((low, high)) = text.split_once('-') {
            (number(low)?, number(high)?)
        } else {
            (number(text)?, number(text)?)
        };
        Ok(Some(Versions { low, high }))
    }

    pub fn intersect(self, other: Versions) -> Option<Versions> {
        let both = Versions {
            low: self.low.max(other.low),
            high: self.high.min(other.high),
        };
        (both.low <= both.high).then_some(both)
    }

    pub fn contains(self, other: Versions) -> bool {
        self.low <= other.low && other.high <= self.high
    }

    pub fn has(self, version: i16) -> bool {
        self.contains(Versions {
            low: version,
            high: version,
        })
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Type {
    Bool,
    Int(&'static str),
    Float64,
    Uuid,
    Str,
    Bytes,
    Records,
    Struct(String),
    Array(Box<Type>),
}

#[derive(Debug, Clone)]
pub struct Field {
    pub name: String,
    pub kind: Type,
    pub versions: Option<Versions>,
    pub nullable: Option<Versions>,
    pub tagged: Option<Versions>,
    pub tag: Option<u32>,
    pub default: Option<String>,
    pub ignorable: bool,
    /// Never compact, whatever the message is: the client id of request headers.
    pub never_flexible: bool,
}

#[derive(Debug, Clone)]
pub struct Struct {
    pub name: String,
    /// The versions in which it can occur.
    pub versions: Versions,
    pub fields: Vec<Field>,
}

#[derive(Debug, Clone)]
pub struct Message {
    pub name: String,
    pub kind: String,
    pub api_key: Option<i16>,
    pub listeners: Vec<String>,
    pub valid: Option<Versions>,
    pub flexible: Option<Versions>,
    pub latest_unstable: bool,
    /// The message itself first.
    pub structs: Vec<Struct>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawMessage {
    api_key: Option<i16>,
    r#type: String,
    name: String,
    #[serde(default)]
    listeners: Vec<String>,
    valid_versions: String,
    flexible_versions: Option<String>,
    #[serde(default)]
    latest_version_unstable: bool,
    #[serde(default)]
    fields: Vec<RawField>,
    #[serde(default)]
    common_structs: Vec<RawStruct>,
}

#[derive(Deserialize)]
struct RawStruct {
    name: String,
    versions: String,
    fields: Vec<RawField>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawField {
    name: String,
    r#type: String,
    versions: Option<String>,
    nullable_versions: Option<String>,
    tagged_versions: Option<String>,
    tag: Option<u32>,
    flexible_versions: Option<String>,
    default: Option<Value>,
    #[serde(default)]
    ignorable: bool,
    fields: Option<Vec<RawField>>,
}

/// `None` for a definition that is no message of its own.
pub fn parse(text: &str) -> anyhow::Result<Option<Message>> {
    let plain: String = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect::<Vec<_>>()
        .join("\n");
    let raw: RawMessage = serde_json::from_str(&plain)?;
    let valid = Versions::parse(&raw.valid_versions)?;
    let flexible = Versions::parse(raw.flexible_versions.as_deref().unwrap_or("none"))?;
    let mut message = Message {
        name: raw.name.clone(),
        kind: raw.r#type,
        api_key: raw.api_key,
        listeners: raw.listeners,
        valid,
        flexible,
        latest_unstable: raw.latest_version_unstable,
        structs: Vec::new(),
    };
    let Some(valid) = valid else {
        return Ok(Some(message));
    };
    add_struct(&mut message.structs, &raw.name, valid, &raw.fields)?;
    for common in &raw.common_structs {
        let versions = Versions::parse(&common.versions)?.and_then(|versions| versions.intersect(valid));
        add_struct(
            &mut message.structs,
            &common.name,
            versions.unwrap_or(valid),
            &common.fields,
        )?;
    }
    Ok(Some(message))
}

fn add_struct(
    structs: &mut Vec<Struct>,
    name: &str,
    versions: Versions,
    raw: &[RawField],
) -> anyhow::Result<()> {
    let mut fields = Vec::new();
    let place = structs.len();
    structs.push(Struct {
        name: name.to_owned(),
        versions,
        fields: Vec::new(),
    });
    for raw in raw {
        let range = |text: &Option<String>| Versions::parse(text.as_deref().unwrap_or("none"));
        let present = match &raw.versions {
            Some(text) => Versions::parse(text)?,
            None => range(&raw.tagged_versions)?,
        };
        if raw
            .flexible_versions
            .as_deref()
            .is_some_and(|text| text != "none")
        {
            bail!("{} has flexible versions of its own", raw.name);
        }
        let field = Field {
            name: raw.name.clone(),
            kind: parse_type(&raw.r#type)?,
            versions: present.and_then(|present| present.intersect(versions)),
            nullable: range(&raw.nullable_versions)?.and_then(|nullable| nullable.intersect(versions)),
            tagged: range(&raw.tagged_versions)?.and_then(|tagged| tagged.intersect(versions)),
            tag: raw.tag,
            default: raw.default.as_ref().map(default_text),
            ignorable: raw.ignorable,
            never_flexible: raw.flexible_versions.is_some(),
        };
        if let Some(inner) = &raw.fields {
            let name = struct_name(&field.kind).context("fields without a struct")?;
            add_struct(structs, &name, field.versions.unwrap_or(versions), inner)?;
        }
        fields.push(field);
    }
    structs[place].fields = fields;
    Ok(())
}

fn default_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn struct_name(kind: &Type) -> Option<String> {
    match kind {
        Type::Struct(name) => Some(name.clone()),
        Type::Array(inner) => struct_name(inner),
        _ => None,
    }
}

fn parse_type(text: &str) -> anyhow::Result<Type> {
    if let Some(inner) = text.strip_prefix("[]") {
        return Ok(Type::Array(Box::new(parse_type(inner)?)));
    }
    Ok(match text {
        "bool" => Type::Bool,
        "int8" => Type::Int("i8"),
        "int16" => Type::Int("i16"),
        "uint16" => Type::Int("u16"),
        "int32" => Type::Int("i32"),
        "uint32" => Type::Int("u32"),
        "int64" => Type::Int("i64"),
        "float64" => Type::Float64,
        "uuid" => Type::Uuid,
        "string" => Type::Str,
        "bytes" => Type::Bytes,
        "records" => Type::Records,
        name if name.starts_with(|letter: char| letter.is_ascii_uppercase()) => Type::Struct(name.to_owned()),
        other => bail!("unknown type {other}"),
    })
}
