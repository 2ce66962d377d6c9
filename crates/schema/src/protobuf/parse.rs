//! From text to descriptors: limits, imports, and errors that say the line.

use std::{collections::HashMap, sync::Arc};

use prost_reflect::{
    DescriptorPool, FileDescriptor, MessageDescriptor, prost::Message as _, prost_types::FileDescriptorProto,
};
use protox::file::{File, FileResolver, GoogleFileResolver};

use super::{builtin, print};
use crate::{Limits, Path, SchemaError, Source, outline::Outline};

/// The name of the file itself; imports are named as their references.
const OWN: &str = "schema.proto";
/// Brackets per level: a message, its option, a literal's list.
const NESTING_PER_LEVEL: usize = 4;

/// A Protobuf file with what it imports. Cheap to clone.
#[derive(Debug, Clone)]
pub struct ProtobufSchema {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    text: String,
    file: FileDescriptor,
}

impl ProtobufSchema {
    /// Parses a file and what it imports. The text is `.proto`, or a `FileDescriptorProto` in base64, which is what
    /// Python's clients register.
    ///
    /// ```
    /// use schema::{Format, Limits, Source, protobuf::ProtobufSchema};
    /// let text = r#"syntax = "proto3"; message Line { int32 quantity = 1; }"#;
    /// let schema = ProtobufSchema::parse_source(&Source::new(Format::Protobuf, text), &Limits::default())?;
    /// let line = schema.message("Line").unwrap();
    /// let bytes = schema.encode_json(&line, &serde_json::json!({"quantity": 3}))?;
    /// assert_eq!(bytes, [8, 3]);
    /// assert_eq!(schema.decode_json(&line, &bytes)?, serde_json::json!({"quantity": 3}));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn parse_source(source: &Source, limits: &Limits) -> Result<ProtobufSchema, SchemaError> {
        let mut files = HashMap::new();
        for reference in source.references_in_order(limits)? {
            let path = Path::root().field(&reference.name);
            check_nesting(&path, &reference.text, limits)?;
            files.insert(reference.name.clone(), reference.text.clone());
        }
        check_nesting(&Path::root(), &source.text, limits)?;
        let file = compile(&source.text, files)?;
        check_sizes(&file, limits)?;
        Ok(ProtobufSchema {
            inner: Arc::new(Inner {
                text: source.text.clone(),
                file,
            }),
        })
    }

    /// The text as it came.
    pub fn text(&self) -> &str {
        &self.inner.text
    }

    /// The file: messages, enums, services, options.
    pub fn file(&self) -> &FileDescriptor {
        &self.inner.file
    }

    /// The package; empty when there is none.
    pub fn package(&self) -> &str {
        self.inner.file.package_name()
    }

    /// The message of that name, full or without the package.
    pub fn message(&self, name: &str) -> Option<MessageDescriptor> {
        let pool = self.inner.file.parent_pool();
        let inside = || pool.get_message_by_name(&format!("{}.{name}", self.package()));
        pool.get_message_by_name(name).or_else(inside)
    }

    /// The first message of the file: what a subject's records hold unless they say otherwise.
    pub fn first_message(&self) -> Option<MessageDescriptor> {
        self.inner.file.messages().next()
    }

    /// Equal for files that mean the same: one layout, no comments, imports and fields in order, full type names.
    pub fn normal_text(&self) -> String {
        print::normal(&self.inner.file)
    }

    /// The file laid out anew for people: comments stay, the order of declarations stays.
    ///
    /// The result is read again and compared before it is handed out, so no meaning is lost.
    pub fn pretty_text(&self, source: &Source, limits: &Limits) -> Result<String, SchemaError> {
        let text = print::pretty(&self.inner.file);
        let again = Source {
            text: text.clone(),
            ..source.clone()
        };
        if ProtobufSchema::parse_source(&again, limits)?.normal_text() == self.normal_text() {
            return Ok(text);
        }
        Err(SchemaError::new(
            &Path::root(),
            "the file cannot be laid out anew without changing what it means",
            "lay it out by hand",
        ))
    }

    /// The format-neutral view.
    pub fn outline(&self) -> Outline {
        super::outline::outline(&self.inner.file)
    }
}

/// What may be imported.
struct Imports {
    own: File,
    files: HashMap<String, String>,
    google: GoogleFileResolver,
}

impl FileResolver for Imports {
    fn open_file(&self, name: &str) -> Result<File, protox::Error> {
        if name == OWN && !self.files.contains_key(OWN) {
            return Ok(self.own.clone());
        }
        if let Some(text) = self.files.get(name) {
            return open(name, text);
        }
        match builtin::text(name) {
            Some(text) => File::from_source(name, text),
            None => self.google.open_file(name),
        }
    }
}

/// A file from `.proto` text, or from a descriptor in base64.
fn open(name: &str, text: &str) -> Result<File, protox::Error> {
    if let Some(bytes) = base64(text) {
        let mut descriptor = FileDescriptorProto::decode(bytes.as_slice()).map_err(protox::Error::new)?;
        descriptor.name = Some(name.to_owned());
        return Ok(File::from_file_descriptor_proto(descriptor));
    }
    File::from_source(name, text)
}

fn compile(text: &str, files: HashMap<String, String>) -> Result<FileDescriptor, SchemaError> {
    let own_name = if files.contains_key(OWN) {
        "ottla/schema.proto"
    } else {
        OWN
    };
    let own = open(own_name, text).map_err(|error| refused(&error))?;
    let mut compiler = protox::Compiler::with_file_resolver(Named {
        name: own_name,
        imports: Imports {
            own,
            files,
            google: GoogleFileResolver::new(),
        },
    });
    compiler.include_imports(true).include_source_info(true);
    compiler.open_file(own_name).map_err(|error| refused(&error))?;
    let pool: DescriptorPool = compiler.descriptor_pool();
    pool.get_file_by_name(own_name).ok_or_else(|| {
        SchemaError::new(
            &Path::root(),
            "the file was not found after it was read",
            "name no import as the schema itself",
        )
    })
}

/// The file itself under its own name, before what it imports.
struct Named {
    name: &'static str,
    imports: Imports,
}

impl FileResolver for Named {
    fn open_file(&self, name: &str) -> Result<File, protox::Error> {
        if name == self.name {
            Ok(self.imports.own.clone())
        } else {
            self.imports.open_file(name)
        }
    }
}

fn refused(error: &protox::Error) -> SchemaError {
    let place = error
        .file()
        .filter(|name| *name != OWN)
        .map_or_else(Path::root, |name| Path::root().field(name));
    let text = format!("{error:?}");
    let what = text.lines().next().unwrap_or_default();
    let mend = if error.is_file_not_found() {
        "nothing is fetched: hand over the imported file as a reference of that name"
    } else if text.contains("edition") {
        "write proto2 or proto3: editions are not read yet"
    } else if error.is_parse() {
        "write a proto2 or proto3 file"
    } else {
        "declare or import what is named, and give every number and name once"
    };
    SchemaError::new(&place, what, mend)
}

/// Refuses brackets nested deeper than types and their options can be, before anything is parsed.
fn check_nesting(path: &Path, text: &str, limits: &Limits) -> Result<(), SchemaError> {
    let nesting_max = limits.depth_max.saturating_mul(NESTING_PER_LEVEL);
    let (mut depth, mut deepest) = (0usize, 0usize);
    for byte in text.bytes() {
        match byte {
            b'{' | b'[' | b'<' | b'(' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' | b'>' | b')' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    if deepest <= nesting_max {
        return Ok(());
    }
    Err(SchemaError::new(
        path,
        format!("brackets are nested {deepest} deep, at most {nesting_max} are allowed"),
        "flatten the file, or name the inner messages",
    ))
}

/// Refuses too many named types, imports included, and messages nested too deep.
fn check_sizes(file: &FileDescriptor, limits: &Limits) -> Result<(), SchemaError> {
    let pool = file.parent_pool();
    let google = |name: &str| name.starts_with("google.protobuf.");
    let messages = pool
        .all_messages()
        .filter(|m| !google(m.full_name()) && !m.is_map_entry())
        .count();
    let enums = pool.all_enums().filter(|e| !google(e.full_name())).count();
    limits.check_named_types(&Path::root(), messages + enums)?;
    for message in pool.all_messages() {
        let depth =
            1 + std::iter::successors(message.parent_message(), MessageDescriptor::parent_message).count();
        let own = usize::from(message.is_map_entry());
        limits.check_depth(
            &Path::root().field(message.full_name()),
            depth.saturating_sub(own),
        )?;
    }
    Ok(())
}

/// The bytes of a text that is base64 and nothing else; `.proto` text never is: it holds a semicolon or a brace.
fn base64(text: &str) -> Option<Vec<u8>> {
    let text = text.trim();
    if text.is_empty() || !text.len().is_multiple_of(4) {
        return None;
    }
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let digits = text.trim_end_matches('=');
    if text.len() - digits.len() > 2 {
        return None;
    }
    let (mut word, mut bits) = (0u32, 0u32);
    for digit in digits.bytes() {
        let value = match digit {
            b'A'..=b'Z' => digit - b'A',
            b'a'..=b'z' => digit - b'a' + 26,
            b'0'..=b'9' => digit - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        word = (word << 6 | u32::from(value)) & 0xff_ffff;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push((word >> bits & 0xff) as u8);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Format, Reference};

    fn parse(text: &str) -> Result<ProtobufSchema, SchemaError> {
        ProtobufSchema::parse_source(&Source::new(Format::Protobuf, text), &Limits::default())
    }

    #[test]
    fn an_error_says_the_line_and_how_to_mend_it() {
        let error = parse("syntax = \"proto3\";\nmessage A {\n  strin x = 1;\n}").unwrap_err();
        assert!(error.what.contains("schema.proto:3:3"), "{error}");
        assert!(error.mend.contains("declare or import"), "{error}");
        let error = parse("syntax = \"proto3\"; import \"other.proto\"; message A {}").unwrap_err();
        assert!(error.mend.contains("hand over the imported file"), "{error}");
        let error = parse("edition = \"2023\"; message A {}").unwrap_err();
        assert!(error.mend.contains("editions"), "{error}");
    }

    #[test]
    fn imports_come_from_references_and_well_known_files() {
        let reference = |name: &str, text: &str, references: Vec<Reference>| Reference {
            name: name.into(),
            subject: name.into(),
            version: 1,
            text: text.into(),
            references,
        };
        let inner = reference(
            "b.proto",
            "syntax=\"proto3\"; package b; message B { int32 x = 1; }",
            vec![],
        );
        let outer = reference(
            "a.proto",
            "syntax=\"proto3\"; package a; import \"b.proto\"; message A { b.B b = 1; }",
            vec![inner],
        );
        let text =
            "syntax=\"proto3\"; package c; import \"a.proto\"; import \"google/protobuf/timestamp.proto\";
            import \"confluent/meta.proto\";
            message C { a.A a = 1 [(confluent.field_meta) = { doc: \"d\", tags: [\"PII\"] }];
            google.protobuf.Timestamp at = 2; }";
        let source = Source::new(Format::Protobuf, text).with_references(vec![outer]);
        let schema = ProtobufSchema::parse_source(&source, &Limits::default()).unwrap();
        assert_eq!(schema.message("C").unwrap().full_name(), "c.C");
        assert_eq!(schema.message("b.B").unwrap().full_name(), "b.B");
        assert_eq!(schema.package(), "c");
    }

    #[test]
    fn a_descriptor_in_base64_is_read_as_its_text() {
        let schema = parse("syntax = \"proto3\"; package p; message A { int32 x = 1; }").unwrap();
        let mut bytes = schema.file().file_descriptor_proto().clone();
        bytes.name = Some("whatever.proto".into());
        let encoded = encode_base64(&bytes.encode_to_vec());
        let again = parse(&encoded).unwrap();
        assert_eq!(again.normal_text(), schema.normal_text());
        assert!(base64("message A {}").is_none());
    }

    fn encode_base64(bytes: &[u8]) -> String {
        const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let mut out = String::new();
        for chunk in bytes.chunks(3) {
            let word =
                chunk.iter().fold(0u32, |word, byte| word << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
            for n in 0..4 {
                let digit = DIGITS[(word >> (18 - 6 * n) & 63) as usize] as char;
                out.push(if n <= chunk.len() { digit } else { '=' });
            }
        }
        out
    }

    #[test]
    fn limits_hold_at_their_edge() {
        let limits = Limits {
            depth_max: 3,
            named_types_max: 4,
            ..Limits::default()
        };
        let parse = |text: &str| {
            ProtobufSchema::parse_source(
                &Source::new(Format::Protobuf, format!("syntax=\"proto3\";{text}")),
                &limits,
            )
        };
        assert!(parse("message A { message B { message C { } } }").is_ok());
        assert!(
            parse("message A { message B { message C { message D { } } } }")
                .unwrap_err()
                .what
                .contains("nested 4")
        );
        assert!(parse("message A {} message B {} message C {} enum D { X = 0; }").is_ok());
        assert!(parse("message A {} message B {} message C {} message E {} enum D { X = 0; }").is_err());
        let bombs = format!(
            "message A {{ int32 x = 1 [(o) = {}{}]; }}",
            "{a:".repeat(100_000),
            "}".repeat(100_000)
        );
        assert!(parse(&bombs).unwrap_err().what.contains("brackets"));
        let wide = format!("message A {{ {} }}", "{}".repeat(10));
        assert!(parse(&wide).is_err());
    }
}
