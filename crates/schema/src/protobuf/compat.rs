//! What one Protobuf file can read of another: Schema Registry's rules, every finding.
//!
//! Messages are matched by their name inside the package, fields by their number. Imported files are compared as far
//! as the messages reach into them.

use std::collections::{BTreeMap, HashSet};

use prost_reflect::{Cardinality, FieldDescriptor, Kind, MessageDescriptor, OneofDescriptor};

use super::ProtobufSchema;
use crate::{Direction, Incompatibility, Path, Stopped, Work};

/// Every reason why one side cannot read the other.
pub(crate) fn compatible(
    direction: Direction,
    new: &ProtobufSchema,
    old: &ProtobufSchema,
    work: &mut Work<'_>,
    found: &mut Vec<Incompatibility>,
) -> Result<(), Stopped> {
    let (reader, writer) = match direction {
        Direction::Backward => (new, old),
        Direction::Forward => (old, new),
    };
    let mut check = Check {
        direction,
        reader,
        work,
        found,
        seen: HashSet::new(),
    };
    if reader.package() != writer.package() {
        let texts = (reader.package().to_owned(), writer.package().to_owned());
        check.say(
            "PACKAGE_CHANGED",
            Path::root().with("package"),
            texts,
            "keep the package: it is part of every name",
        );
    }
    check.messages(None, writer.file().messages(), writer)
}

struct Check<'a, 'w> {
    direction: Direction,
    reader: &'a ProtobufSchema,
    work: &'a mut Work<'w>,
    found: &'a mut Vec<Incompatibility>,
    /// Full names of messages that were compared: each once, so recursion ends.
    seen: HashSet<String>,
}

impl Check<'_, '_> {
    /// `texts` are the reader's and the writer's.
    fn say(&mut self, rule: &'static str, path: Path, texts: (String, String), how: &str) {
        let (new, old) = match self.direction {
            Direction::Backward => texts,
            Direction::Forward => (texts.1, texts.0),
        };
        let how = how.to_owned();
        self.found.push(Incompatibility {
            rule,
            path,
            old,
            new,
            how,
            direction: self.direction,
            against: 0,
        });
    }

    /// The writer's messages and what is inside them against the reader's of the same name.
    fn messages(
        &mut self,
        parent: Option<&MessageDescriptor>,
        written: impl Iterator<Item = MessageDescriptor>,
        writer: &ProtobufSchema,
    ) -> Result<(), Stopped> {
        for message in written.filter(|message| !message.is_map_entry()) {
            self.work.step()?;
            let reading = match parent {
                None => self
                    .reader
                    .file()
                    .messages()
                    .find(|other| other.name() == message.name()),
                Some(parent) => parent
                    .child_messages()
                    .find(|other| other.name() == message.name()),
            };
            let inside = message
                .full_name()
                .strip_prefix(writer.package())
                .unwrap_or(message.full_name());
            let path = inside
                .split('.')
                .filter(|name| !name.is_empty())
                .fold(Path::root(), |path, name| path.field(name));
            match reading {
                None => {
                    let texts = (String::new(), format!("message {}", message.name()));
                    self.say(
                        "MESSAGE_REMOVED",
                        path,
                        texts,
                        "keep the message, and mark it as deprecated",
                    );
                }
                Some(reading) => {
                    self.message(&reading, &message, &path)?;
                    self.messages(Some(&reading), message.child_messages(), writer)?;
                }
            }
        }
        Ok(())
    }

    fn message(
        &mut self,
        reading: &MessageDescriptor,
        written: &MessageDescriptor,
        path: &Path,
    ) -> Result<(), Stopped> {
        if !self
            .seen
            .insert(format!("{} {}", reading.full_name(), written.full_name()))
        {
            return Ok(());
        }
        for field in written.fields() {
            self.work.step()?;
            match reading.get_field(field.number()) {
                Some(read) => self.field(&read, &field, path)?,
                None => self.removed(reading, &field, path),
            }
        }
        for field in reading
            .fields()
            .filter(|field| written.get_field(field.number()).is_none())
        {
            self.work.step()?;
            if field.cardinality() == Cardinality::Required {
                let texts = (show(&field), String::new());
                let how = "add the field as optional: older data does not have it";
                self.say("REQUIRED_FIELD_ADDED", path.field(field.name()), texts, how);
            }
        }
        reading
            .oneofs()
            .filter(|oneof| !oneof.is_synthetic())
            .for_each(|oneof| self.moved(&oneof, written, path));
        Ok(())
    }

    fn removed(&mut self, reading: &MessageDescriptor, field: &FieldDescriptor, path: &Path) {
        let texts = || (String::new(), show(field));
        let path = path.field(field.name());
        if field.cardinality() == Cardinality::Required {
            let how = "keep the field: readers of the other version refuse data without it";
            self.say("REQUIRED_FIELD_REMOVED", path, texts(), how);
            return;
        }
        let Some(oneof) = real_oneof(field) else { return };
        if reading.oneofs().any(|other| other.name() == oneof.name()) {
            let how = "keep the field in the oneof: a value of it would read as nothing set";
            self.say("ONEOF_FIELD_REMOVED", path, texts(), how);
        }
    }

    /// Fields of the reader's `oneof` that the writer had elsewhere.
    fn moved(&mut self, oneof: &OneofDescriptor, written: &MessageDescriptor, path: &Path) {
        let mut homes: BTreeMap<Option<String>, Vec<FieldDescriptor>> = BTreeMap::new();
        for field in oneof.fields() {
            if let Some(before) = written.get_field(field.number()) {
                let home = real_oneof(&before).map(|oneof| oneof.name().to_owned());
                homes.entry(home).or_default().push(field);
            }
        }
        let outside = homes.remove(&None).unwrap_or_default();
        let texts = || (format!("oneof {}", oneof.name()), String::new());
        let path = path.branch(oneof.name());
        if homes.len() > 1 || (homes.len() == 1 && !outside.is_empty()) {
            let how = "add a new field to the oneof: both could be set in older data, and one would be lost";
            self.say("FIELD_MOVED_TO_EXISTING_ONEOF", path, texts(), how);
        } else if outside.len() > 1 {
            let how =
                "move one field at most: several could be set in older data, and all but one would be lost";
            self.say("MULTIPLE_FIELDS_MOVED_TO_ONEOF", path, texts(), how);
        }
    }

    fn field(
        &mut self,
        read: &FieldDescriptor,
        written: &FieldDescriptor,
        path: &Path,
    ) -> Result<(), Stopped> {
        let path = path.field(read.name());
        let texts = (show(read), show(written));
        let was_required = written.cardinality() == Cardinality::Required;
        if read.cardinality() == Cardinality::Required && !was_required {
            self.say(
                "REQUIRED_FIELD_ADDED",
                path,
                texts,
                "leave the field optional: older data may lack it",
            );
            return Ok(());
        }
        if read.is_map() != written.is_map() {
            self.say(
                "FIELD_KIND_CHANGED",
                path,
                texts,
                "add a field with a new number, and deprecate this one",
            );
            return Ok(());
        }
        if read.is_map() {
            return self.map(read, written, &path);
        }
        let kinds_found = self.found.len();
        self.kind(&read.kind(), &written.kind(), &path, &texts)?;
        let repeats = read.is_list() != written.is_list();
        if repeats && packs(&read.kind()) && kinds_found == self.found.len() {
            let how = "add a field with a new number: packed numbers cannot be read as one";
            self.say("FIELD_NUMERIC_LABEL_CHANGED", path, texts, how);
        }
        Ok(())
    }

    fn map(&mut self, read: &FieldDescriptor, written: &FieldDescriptor, path: &Path) -> Result<(), Stopped> {
        let texts = (show(read), show(written));
        let (Some(read), Some(written)) = (entry(read), entry(written)) else {
            return Ok(());
        };
        self.kind(&read.0, &written.0, path, &texts)?;
        self.kind(&read.1, &written.1, &path.values(), &texts)
    }

    fn kind(
        &mut self,
        read: &Kind,
        written: &Kind,
        path: &Path,
        texts: &(String, String),
    ) -> Result<(), Stopped> {
        self.work.step()?;
        match (read, written) {
            (Kind::Message(read), Kind::Message(written)) if inside(read) == inside(written) => {
                // A message of the file itself is compared on its own; an imported one only here.
                let path = Path::root().field(read.full_name());
                let own = read.parent_file().name() == self.reader.file().name();
                return if own {
                    Ok(())
                } else {
                    self.message(read, written, &path)
                };
            }
            (Kind::Message(_), Kind::Message(_)) => {
                let how = "add a field with a new number of the new type, and deprecate this one";
                self.say("FIELD_NAMED_TYPE_CHANGED", path.clone(), texts.clone(), how);
            }
            (Kind::Message(_), _) | (_, Kind::Message(_)) => {
                let how = "add a field with a new number, and deprecate this one";
                self.say("FIELD_KIND_CHANGED", path.clone(), texts.clone(), how);
            }
            _ if wire_group(read) == wire_group(written) => {}
            _ => {
                let how = "stay inside the group of the wire (int32, int64, uint32, uint64, bool, enum; sint32, sint64; \
                    string, bytes; fixed32, sfixed32; fixed64, sfixed64), or add a field with a new number";
                self.say("FIELD_SCALAR_KIND_CHANGED", path.clone(), texts.clone(), how);
            }
        }
        Ok(())
    }
}

/// The name inside the package, and for an imported message the full name: a change of package is told once.
fn inside(message: &MessageDescriptor) -> String {
    let file = message.parent_file();
    let is_own = file.name().ends_with("schema.proto");
    let inside = message
        .full_name()
        .strip_prefix(file.package_name())
        .filter(|_| is_own);
    inside
        .unwrap_or(message.full_name())
        .trim_start_matches('.')
        .to_owned()
}

fn real_oneof(field: &FieldDescriptor) -> Option<OneofDescriptor> {
    field.containing_oneof().filter(|oneof| !oneof.is_synthetic())
}

fn entry(field: &FieldDescriptor) -> Option<(Kind, Kind)> {
    match field.kind() {
        Kind::Message(entry) if entry.is_map_entry() => Some((
            entry.map_entry_key_field().kind(),
            entry.map_entry_value_field().kind(),
        )),
        _ => None,
    }
}

/// Kinds of one number can be read as each other.
fn wire_group(kind: &Kind) -> u8 {
    match kind {
        Kind::Int32 | Kind::Int64 | Kind::Uint32 | Kind::Uint64 | Kind::Bool | Kind::Enum(_) => 0,
        Kind::Sint32 | Kind::Sint64 => 1,
        Kind::String | Kind::Bytes => 2,
        Kind::Fixed32 | Kind::Sfixed32 => 3,
        Kind::Fixed64 | Kind::Sfixed64 => 4,
        Kind::Float => 5,
        Kind::Double => 6,
        Kind::Message(_) => 7,
    }
}

/// Repeated values may stand packed in one record.
fn packs(kind: &Kind) -> bool {
    !matches!(kind, Kind::String | Kind::Bytes | Kind::Message(_))
}

/// A field as it is declared.
fn show(field: &FieldDescriptor) -> String {
    let kind = |kind: &Kind| match kind {
        Kind::Message(message) => message.full_name().to_owned(),
        Kind::Enum(of) => of.full_name().to_owned(),
        scalar => format!("{scalar:?}"),
    };
    let typed = match entry(field) {
        Some((key, value)) => format!("map<{}, {}>", kind(&key), kind(&value)),
        None => kind(&field.kind()),
    };
    let label = match field.cardinality() {
        Cardinality::Repeated if !field.is_map() => "repeated ",
        Cardinality::Required => "required ",
        _ => "",
    };
    format!("{label}{typed} {} = {}", field.name(), field.number())
}

#[cfg(test)]
mod tests {
    use crate::{Format, Mode, Schema, Source, Work, compatible};

    fn check(old: &str, new: &str) -> Vec<(&'static str, String)> {
        let parse = |text: &str| {
            Schema::parse(&Source::new(
                Format::Protobuf,
                format!("syntax = \"proto3\"; package p; {text}"),
            ))
            .unwrap()
        };
        let found = compatible(Mode::Backward, &parse(new), &[&parse(old)], &mut Work::default()).unwrap();
        assert!(found.iter().all(|f| !f.how.is_empty()));
        found.into_iter().map(|f| (f.rule, f.path.to_string())).collect()
    }

    #[test]
    fn what_may_change() {
        let pairs = [
            ("message A {}", "message A {} message B {}"),
            ("message A { int32 x = 1; }", "message A { bool y = 1; }"),
            ("message A { int32 x = 1; }", "message A {}"),
            ("message A {}", "message A { int32 x = 1; }"),
            (
                "message A { int32 x = 1; } enum E { Z = 0; }",
                "message A { E x = 1; } enum E { Y = 0; X = 1; }",
            ),
            (
                "message A { string x = 1; }",
                "message A { repeated bytes x = 1; }",
            ),
            (
                "message A { int32 x = 1; }",
                "message A { oneof o { int32 x = 1; string y = 2; } }",
            ),
            (
                "message A { oneof o { int32 x = 1; } }",
                "message A { int32 x = 1; }",
            ),
            (
                "message A { oneof o { int32 x = 1; string y = 2; } }",
                "message A {}",
            ),
            ("message A { A a = 1; }", "message A { A a = 1; A b = 2; }"),
            (
                "message A { map<string, int32> m = 1; }",
                "message A { map<bytes_or_so, int64> m = 1; }",
            ),
        ];
        for (old, new) in pairs {
            let new = new.replace("bytes_or_so", "string");
            assert_eq!(check(old, &new), [], "{old} -> {new}");
        }
    }

    #[test]
    fn what_may_not_change() {
        let pairs = [
            ("message A {}", "message B {}", "MESSAGE_REMOVED", "/A"),
            (
                "message A { message B {} }",
                "message A {}",
                "MESSAGE_REMOVED",
                "/A/B",
            ),
            (
                "message A { int32 x = 1; }",
                "message A { sint32 x = 1; }",
                "FIELD_SCALAR_KIND_CHANGED",
                "/A/x",
            ),
            (
                "message A { int32 x = 1; }",
                "message A { A x = 1; }",
                "FIELD_KIND_CHANGED",
                "/A/x",
            ),
            (
                "message A { B x = 1; } message B {} message C {}",
                "message A { C x = 1; } message B {} message C {}",
                "FIELD_NAMED_TYPE_CHANGED",
                "/A/x",
            ),
            (
                "message A { int32 x = 1; }",
                "message A { repeated int32 x = 1; }",
                "FIELD_NUMERIC_LABEL_CHANGED",
                "/A/x",
            ),
            (
                "message A { oneof o { int32 x = 1; string y = 2; } }",
                "message A { oneof o { int32 x = 1; } }",
                "ONEOF_FIELD_REMOVED",
                "/A/y",
            ),
            (
                "message A { int32 x = 1; string y = 2; }",
                "message A { oneof o { int32 x = 1; string y = 2; } }",
                "MULTIPLE_FIELDS_MOVED_TO_ONEOF",
                "/A/<o>",
            ),
            (
                "message A { oneof o { int32 x = 1; } int32 y = 2; }",
                "message A { oneof o { int32 x = 1; int32 y = 2; } }",
                "FIELD_MOVED_TO_EXISTING_ONEOF",
                "/A/<o>",
            ),
            (
                "message A { map<string, int32> m = 1; }",
                "message A { map<string, string> m = 1; }",
                "FIELD_SCALAR_KIND_CHANGED",
                "/A/m/{}",
            ),
        ];
        for (old, new, rule, path) in pairs {
            assert_eq!(check(old, new), [(rule, path.to_owned())], "{old} -> {new}");
        }
    }

    #[test]
    fn required_fields_and_packages_stay() {
        let parse = |text: &str| Schema::parse(&Source::new(Format::Protobuf, text)).unwrap();
        let optional = parse("syntax = \"proto2\"; package p; message A { optional int32 x = 1; }");
        let required = parse("syntax = \"proto2\"; package q; message A { required int32 x = 1; }");
        let found = compatible(Mode::Full, &required, &[&optional], &mut Work::default()).unwrap();
        let rules: Vec<_> = found
            .iter()
            .map(|f| (f.rule, f.direction.to_string(), f.old.as_str(), f.new.as_str()))
            .collect();
        assert_eq!(
            rules,
            [
                ("PACKAGE_CHANGED", "BACKWARD".into(), "p", "q"),
                (
                    "REQUIRED_FIELD_ADDED",
                    "BACKWARD".into(),
                    "int32 x = 1",
                    "required int32 x = 1"
                ),
                ("PACKAGE_CHANGED", "FORWARD".into(), "p", "q"),
            ]
        );
    }

    #[test]
    fn imported_messages_are_compared_too() {
        let with = |imported: &str| {
            let reference = crate::Reference {
                name: "i.proto".into(),
                text: format!("syntax = \"proto3\"; package i; message I {{ {imported} }}"),
                ..Default::default()
            };
            let text = "syntax = \"proto3\"; import \"i.proto\"; message A { i.I x = 1; }";
            Schema::parse(&Source::new(Format::Protobuf, text).with_references(vec![reference])).unwrap()
        };
        let found = compatible(
            Mode::Backward,
            &with("string n = 1;"),
            &[&with("int32 n = 1;")],
            &mut Work::default(),
        )
        .unwrap();
        assert_eq!(found[0].rule, "FIELD_SCALAR_KIND_CHANGED");
        assert_eq!(found[0].path.as_str(), "/i.I/n");
    }
}
