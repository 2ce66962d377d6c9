//! From text to a schema that can be used: limits, draft, references, the engine's own check.

use std::sync::Arc;

use jsonschema::{PatternOptions, Validator};
use referencing::{Draft as EngineDraft, Registry, uri};
use serde_json::Value;

use super::{Draft, draft::Stated, keyword, read, refs};
use crate::{Limits, Path, SchemaError, Source, outline::Outline};

/// The address of a schema that states none; references are resolved against it.
const BASE: &str = "json-schema:///";
/// Brackets per level of a schema: a part stands in a keyword's map, an array, and its own object.
const NESTING_PER_LEVEL: usize = 4;
/// Memory that all regular expressions of a schema may take together, and one at most.
const PATTERNS_BYTES_MAX: usize = 64 << 20;
const PATTERN_BYTES_MAX: usize = 1 << 20;

/// How a JSON Schema is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// The draft of a schema that states none.
    pub draft: Draft,
    /// `format` refuses values, rather than being a remark (the specification's default).
    pub formats_are_checked: bool,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            draft: Draft::UNSTATED,
            formats_are_checked: false,
        }
    }
}

/// A JSON Schema with what it refers to, ready to validate values. Cheap to clone.
#[derive(Debug, Clone)]
pub struct JsonSchema {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    text: String,
    draft: Draft,
    /// The address of the root.
    base: String,
    root: Value,
    /// The root and what it refers to, by address.
    registry: Registry<'static>,
    validator: Validator,
    references: Vec<(String, Value)>,
}

impl JsonSchema {
    /// Parses a schema and what it refers to.
    ///
    /// ```
    /// use schema::{Format, Limits, Source, json::JsonSchema};
    /// let text = r#"{"type": "object", "properties": {"quantity": {"type": "integer", "minimum": 1}}}"#;
    /// let schema = JsonSchema::parse_source(&Source::new(Format::Json, text), &Limits::default())?;
    /// assert!(schema.validate(&serde_json::json!({"quantity": 3})).is_empty());
    /// assert_eq!(schema.validate(&serde_json::json!({"quantity": 0}))[0].path, "/quantity");
    /// # Ok::<(), schema::SchemaError>(())
    /// ```
    pub fn parse_source(source: &Source, limits: &Limits) -> Result<JsonSchema, SchemaError> {
        JsonSchema::parse_with(source, limits, &Options::default())
    }

    /// Parses with another draft for schemas that state none, or with formats checked.
    pub fn parse_with(
        source: &Source,
        limits: &Limits,
        options: &Options,
    ) -> Result<JsonSchema, SchemaError> {
        let documents = documents(source, limits)?;
        let (root, references) = documents.split_first().ok_or_else(|| no_text(&Path::root()))?;
        let root = root.1.clone();
        let draft = draft_of(&root, references, options)?;
        let base = base_of(&root, draft)?;
        let mut measure = keyword::Measure { named: 0 };
        keyword::measure(&root, &Path::root(), draft, limits, &mut measure)?;
        for (name, value) in references {
            keyword::measure(value, &Path::root().field(name), draft, limits, &mut measure)?;
        }
        let registry = registry(Some((&base, &root)), references, &base, draft)?;
        refs::check(&registry, &base, draft, limits)?;
        let validator = validator(&root, references, &base, draft, options)?;
        let references = references.to_vec();
        let text = source.text.clone();
        Ok(JsonSchema {
            inner: Arc::new(Inner {
                text,
                draft,
                base,
                root,
                registry,
                validator,
                references,
            }),
        })
    }

    /// The text as it came.
    pub fn text(&self) -> &str {
        &self.inner.text
    }

    /// The draft that the schema is read by.
    pub fn draft(&self) -> Draft {
        self.inner.draft
    }

    /// The schema as a JSON value.
    pub fn root(&self) -> &Value {
        &self.inner.root
    }

    /// Equal for schemas that mean the same: members sorted by name, no white space, as Schema Registry's `normalize`.
    pub fn normal_text(&self) -> String {
        self.inner.root.to_string()
    }

    /// The format-neutral view.
    pub fn outline(&self) -> Outline {
        super::outline::outline(self)
    }

    pub(crate) fn validator(&self) -> &Validator {
        &self.inner.validator
    }

    pub(crate) fn place(&self) -> Option<refs::Place<'_>> {
        refs::Place::root(&self.inner.registry, &self.inner.base, self.inner.draft)
    }

    pub(crate) fn references(&self) -> &[(String, Value)] {
        &self.inner.references
    }

    pub(crate) fn is_referenced(&self, base: &str) -> bool {
        let own = self.inner.base.trim_end_matches('#');
        base.trim_end_matches('#') != own && !self.inner.references.is_empty()
    }
}

fn no_text(path: &Path) -> SchemaError {
    SchemaError::new(path, "there is no schema", "write one JSON value")
}

/// The schema itself and what it refers to, read: the schema first.
fn documents(source: &Source, limits: &Limits) -> Result<Vec<(String, Value)>, SchemaError> {
    let nesting_max = limits.depth_max.saturating_mul(NESTING_PER_LEVEL);
    let references = source.references_in_order(limits)?;
    let root = read::read(&Path::root(), &source.text, nesting_max)?;
    check_kind(&Path::root(), &root)?;
    let mut documents = vec![(String::new(), root)];
    for reference in references {
        let path = Path::root().field(&reference.name);
        let value = read::read(&path, &reference.text, nesting_max)?;
        check_kind(&path, &value)?;
        documents.push((reference.name.clone(), value));
    }
    Ok(documents)
}

fn check_kind(path: &Path, value: &Value) -> Result<(), SchemaError> {
    if value.is_object() || value.is_boolean() {
        return Ok(());
    }
    Err(SchemaError::new(
        path,
        format!("{value} is no schema"),
        "a schema is an object, true or false",
    ))
}

fn draft_of(root: &Value, references: &[(String, Value)], options: &Options) -> Result<Draft, SchemaError> {
    match Draft::stated(root) {
        Stated::Nothing => Ok(options.draft),
        Stated::Known(draft) => Ok(draft),
        Stated::Other(uri) => {
            let wanted = uri.trim_end_matches('#');
            let own = references
                .iter()
                .find(|(name, _)| name.trim_end_matches('#') == wanted);
            match own {
                Some((_, meta)) => match Draft::stated(meta) {
                    Stated::Known(draft) => Ok(draft),
                    _ => Ok(Draft::Draft202012),
                },
                None => Err(SchemaError::new(
                    &Path::root().with("$schema"),
                    format!("{uri} is no draft that is known, and no reference of that name was given"),
                    format!(
                        "write one of the known drafts, such as {}",
                        Draft::Draft202012.uri()
                    ),
                )),
            }
        }
    }
}

/// The root's address: its own id, resolved against [`BASE`], without a fragment.
fn base_of(root: &Value, draft: Draft) -> Result<String, SchemaError> {
    let keyword = draft.id_keyword();
    let id = root
        .get(keyword)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .trim_end_matches('#');
    if id.is_empty() || id.starts_with('#') {
        return Ok(BASE.to_owned());
    }
    let resolved = uri::from_str(BASE).and_then(|base| uri::resolve_against(&base.borrow(), id));
    match resolved {
        Ok(uri) => Ok(uri.as_str().split('#').next().unwrap_or(BASE).to_owned()),
        Err(error) => Err(SchemaError::new(
            &Path::root().with(keyword),
            format!("{id} is no address: {error}"),
            "write a URI, or leave the keyword out",
        )),
    }
}

/// Everything by address: references stand under their name resolved against the root's address.
fn registry(
    root: Option<(&str, &Value)>,
    references: &[(String, Value)],
    base: &str,
    draft: Draft,
) -> Result<Registry<'static>, SchemaError> {
    let mut builder = Registry::new().draft(draft.engine()).retriever(Nowhere);
    let place = |name: &str| Path::root().field(name);
    for (name, value) in references {
        let address = uri::from_str(base).and_then(|base| uri::resolve_against(&base.borrow(), name));
        let resource = resource(value, draft);
        builder = address
            .and_then(|address| builder.add(address.as_str(), resource))
            .map_err(|error| refs::refused(&place(name), &error))?;
    }
    if let Some((base, root)) = root {
        builder = builder
            .add(base, resource(root, draft))
            .map_err(|error| refs::refused(&Path::root(), &error))?;
    }
    builder
        .prepare()
        .map_err(|error| refs::refused(&Path::root(), &error))
}

fn resource(value: &Value, draft: Draft) -> referencing::Resource {
    let draft = match Draft::stated(value) {
        Stated::Nothing => draft.engine(),
        Stated::Known(draft) => draft.engine(),
        Stated::Other(_) => EngineDraft::default(),
    };
    draft.create_resource(value.clone())
}

fn validator(
    root: &Value,
    references: &[(String, Value)],
    base: &str,
    draft: Draft,
    options: &Options,
) -> Result<Validator, SchemaError> {
    let registry = registry(None, references, base, draft)?;
    let patterns = patterns(root) + references.iter().map(|(_, value)| patterns(value)).sum::<usize>();
    let pattern_bytes = (PATTERNS_BYTES_MAX / patterns.max(1)).min(PATTERN_BYTES_MAX);
    let engine = PatternOptions::regex()
        .size_limit(pattern_bytes)
        .dfa_size_limit(pattern_bytes);
    let mut builder = jsonschema::options()
        .with_registry(&registry)
        .with_retriever(Nowhere)
        .with_base_uri(base)
        .with_pattern_options(engine)
        .should_validate_formats(options.formats_are_checked);
    if !matches!(Draft::stated(root), Stated::Other(_)) {
        builder = builder.with_draft(draft.engine());
    }
    builder.build(root).map_err(|error| {
        let path = Path::root().with(error.instance_path().as_str().trim_start_matches('/'));
        let path = if error.instance_path().as_str().is_empty() {
            Path::root()
        } else {
            path
        };
        SchemaError::new(
            &path,
            shorten(&error.to_string()),
            format!("write the keyword as {draft} has it ({})", draft.uri()),
        )
    })
}

/// Messages of the engine carry the offending value, which may be the whole schema.
fn shorten(text: &str) -> String {
    const CHARS_MAX: usize = 300;
    match text.char_indices().nth(CHARS_MAX) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// Regular expressions in `value`, at most: every member of `patternProperties`, every `pattern`.
fn patterns(value: &Value) -> usize {
    match value {
        Value::Array(items) => items.iter().map(patterns).sum(),
        Value::Object(members) => {
            let own = |(name, value): (&String, &Value)| match (name.as_str(), value) {
                ("pattern", Value::String(_)) => 1,
                ("patternProperties", Value::Object(map)) => map.len() + patterns(value),
                _ => patterns(value),
            };
            members.iter().map(own).sum()
        }
        _ => 0,
    }
}

/// Nothing is fetched.
struct Nowhere;

impl referencing::Retrieve for Nowhere {
    fn retrieve(
        &self,
        uri: &referencing::Uri<String>,
    ) -> Result<Value, Box<dyn std::error::Error + Send + Sync>> {
        Err(format!("{} was not given as a reference", uri.as_str()).into())
    }
}
