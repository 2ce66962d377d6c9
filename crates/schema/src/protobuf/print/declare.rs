//! Messages, enums, services and the file around them.

use prost_reflect::{
    Cardinality, EnumDescriptor, ExtensionDescriptor, FieldDescriptor, Kind, MessageDescriptor,
    ServiceDescriptor, Syntax, prost_types::FieldDescriptorProto,
};

use super::{
    Printer, Style,
    options::{bracketed, quoted},
};

/// The largest field number, written as `max`.
const NUMBER_MAX: i64 = 536_870_911;

impl Printer<'_> {
    pub(super) fn file(mut self) -> String {
        let file = self.file.clone();
        let syntax = if file.syntax() == Syntax::Proto2 {
            "proto2"
        } else {
            "proto3"
        };
        self.declaration(&[12], &format!("syntax = \"{syntax}\";"));
        if !file.package_name().is_empty() {
            self.gap();
            self.declaration(&[2], &format!("package {};", file.package_name()));
        }
        self.gap();
        self.imports();
        self.gap();
        self.option_lines(&file.options());
        for message in file.messages() {
            self.gap();
            self.message(&message);
        }
        for of in file.enums() {
            self.gap();
            self.enumeration(&of);
        }
        for extension in file.extensions() {
            self.gap();
            self.extension(&extension);
        }
        for service in file.services() {
            self.gap();
            self.service(&service);
        }
        self.out
    }

    fn imports(&mut self) {
        let proto = self.file.file_descriptor_proto();
        let has = |list: &[i32], position: usize| list.iter().any(|at| usize::try_from(*at) == Ok(position));
        let mut lines: Vec<(Vec<i32>, String)> = Vec::new();
        for (position, name) in proto.dependency.iter().enumerate() {
            let how = match () {
                () if has(&proto.public_dependency, position) => "public ",
                () if has(&proto.weak_dependency, position) => "weak ",
                () => "",
            };
            let path = vec![3, i32::try_from(position).unwrap_or_default()];
            lines.push((path, format!("import {how}{};", quoted(name.as_bytes()))));
        }
        if self.style == Style::Normal {
            lines.sort_by(|a, b| a.1.cmp(&b.1));
        }
        lines.iter().for_each(|(path, line)| self.declaration(path, line));
    }

    fn open(&mut self, path: &[i32], head: &str) {
        let trailing = self.comments_above(path);
        self.line(&format!("{head} {{"));
        self.level += 1;
        if let Some(trailing) = trailing {
            self.comment(&trailing);
            self.out.push('\n');
        }
    }

    fn close(&mut self) {
        self.level -= 1;
        self.line("}");
    }

    fn message(&mut self, message: &MessageDescriptor) {
        self.open(message.path(), &format!("message {}", message.name()));
        self.body(message);
        self.close();
    }

    fn body(&mut self, message: &MessageDescriptor) {
        self.option_lines(&message.options());
        self.reserved(message);
        let mut fields: Vec<_> = message.fields().collect();
        match self.style {
            Style::Normal => fields.sort_by_key(FieldDescriptor::number),
            Style::Pretty => fields.sort_by_key(|field| field.path().last().copied()),
        }
        let mut oneofs = Vec::new();
        for field in &fields {
            match field.containing_oneof().filter(|oneof| !oneof.is_synthetic()) {
                None => self.field(field),
                Some(oneof) if oneofs.contains(&oneof) => {}
                Some(oneof) => {
                    self.gap();
                    self.open(oneof.path(), &format!("oneof {}", oneof.name()));
                    self.option_lines(&oneof.options());
                    let inside = fields
                        .iter()
                        .filter(|field| field.containing_oneof().as_ref() == Some(&oneof));
                    inside.for_each(|field| self.field(field));
                    self.close();
                    oneofs.push(oneof);
                }
            }
        }
        for extension in message.child_extensions() {
            self.extension(&extension);
        }
        for of in message.child_enums() {
            self.gap();
            self.enumeration(&of);
        }
        let is_written = |child: &MessageDescriptor| !child.is_map_entry() && !is_group_of(message, child);
        for child in message.child_messages().filter(is_written) {
            self.gap();
            self.message(&child);
        }
    }

    fn reserved(&mut self, message: &MessageDescriptor) {
        let ranges = |ranges: &mut dyn Iterator<Item = (i64, i64)>| {
            ranges
                .map(|(first, last)| range(first, last, NUMBER_MAX))
                .collect::<Vec<_>>()
                .join(", ")
        };
        let half_open = |range: std::ops::Range<u32>| (i64::from(range.start), i64::from(range.end) - 1);
        let reserved = ranges(&mut message.reserved_ranges().map(half_open));
        if !reserved.is_empty() {
            self.line(&format!("reserved {reserved};"));
        }
        let names: Vec<String> = message
            .reserved_names()
            .map(|name| quoted(name.as_bytes()))
            .collect();
        if !names.is_empty() {
            self.line(&format!("reserved {};", names.join(", ")));
        }
        let extensions = ranges(&mut message.extension_ranges().map(half_open));
        if !extensions.is_empty() {
            self.line(&format!("extensions {extensions};"));
        }
    }

    fn field(&mut self, field: &FieldDescriptor) {
        let proto = field.field_descriptor_proto();
        let in_oneof = field
            .containing_oneof()
            .is_some_and(|oneof| !oneof.is_synthetic());
        let label = match field.cardinality() {
            _ if field.is_map() || in_oneof => "",
            Cardinality::Repeated => "repeated ",
            Cardinality::Required => "required ",
            Cardinality::Optional if proto.proto3_optional() => "optional ",
            Cardinality::Optional if self.file.syntax() == Syntax::Proto2 => "optional ",
            Cardinality::Optional => "",
        };
        let options = bracketed(self.field_options(proto, &field.kind(), self.options(&field.options())));
        if let (true, Kind::Message(group)) = (field.is_group(), field.kind()) {
            self.open(
                field.path(),
                &format!("{label}group {} = {}{options}", group.name(), field.number()),
            );
            self.body(&group);
            return self.close();
        }
        let typed = self.field_type(field);
        self.declaration(
            field.path(),
            &format!("{label}{typed} {} = {}{options};", field.name(), field.number()),
        );
    }

    fn field_type(&self, field: &FieldDescriptor) -> String {
        match field.kind() {
            Kind::Message(entry) if field.is_map() => {
                let key = self.kind(&entry.map_entry_key_field().kind());
                format!("map<{key}, {}>", self.kind(&entry.map_entry_value_field().kind()))
            }
            kind => self.kind(&kind),
        }
    }

    fn kind(&self, kind: &Kind) -> String {
        match kind {
            Kind::Message(message) => self.type_name(message.full_name()),
            Kind::Enum(of) => self.type_name(of.full_name()),
            scalar => format!("{scalar:?}").to_lowercase(),
        }
    }

    /// `default` and `json_name` are no options in the descriptor, but are written as such.
    fn field_options(&self, proto: &FieldDescriptorProto, kind: &Kind, options: Vec<String>) -> Vec<String> {
        let mut written = Vec::new();
        if let Some(default) = &proto.default_value {
            let value = match kind {
                Kind::String => quoted(default.as_bytes()),
                // The descriptor holds bytes escaped already.
                Kind::Bytes => format!("\"{default}\""),
                _ => default.clone(),
            };
            written.push(format!("default = {value}"));
        }
        let json_name = proto.json_name();
        if !json_name.is_empty() && json_name != lower_camel(proto.name()) {
            written.push(format!("json_name = {}", quoted(json_name.as_bytes())));
        }
        written.extend(options);
        written
    }

    fn extension(&mut self, extension: &ExtensionDescriptor) {
        let extendee = self.type_name(extension.containing_message().full_name());
        let label = match extension.cardinality() {
            Cardinality::Repeated => "repeated ",
            Cardinality::Required => "required ",
            Cardinality::Optional if self.file.syntax() == Syntax::Proto2 => "optional ",
            Cardinality::Optional => "",
        };
        let proto = extension.field_descriptor_proto();
        let mut options = self.options(&extension.options());
        if let Some(default) = &proto.default_value {
            let is_text = matches!(extension.kind(), Kind::String);
            options.insert(
                0,
                format!(
                    "default = {}",
                    if is_text {
                        quoted(default.as_bytes())
                    } else {
                        default.clone()
                    }
                ),
            );
        }
        let (kind, options) = (self.kind(&extension.kind()), bracketed(options));
        self.open(&[], &format!("extend {extendee}"));
        let text = format!(
            "{label}{kind} {} = {}{options};",
            extension.name(),
            extension.number()
        );
        self.declaration(extension.path(), &text);
        self.close();
    }

    fn enumeration(&mut self, of: &EnumDescriptor) {
        self.open(of.path(), &format!("enum {}", of.name()));
        self.option_lines(&of.options());
        let ranges: Vec<String> = of
            .reserved_ranges()
            .map(|reserved| {
                range(
                    i64::from(*reserved.start()),
                    i64::from(*reserved.end()),
                    i64::from(i32::MAX),
                )
            })
            .collect();
        if !ranges.is_empty() {
            self.line(&format!("reserved {};", ranges.join(", ")));
        }
        let names: Vec<String> = of.reserved_names().map(|name| quoted(name.as_bytes())).collect();
        if !names.is_empty() {
            self.line(&format!("reserved {};", names.join(", ")));
        }
        for value in &of.enum_descriptor_proto().value {
            let Some(described) = of.get_value_by_name(value.name()) else {
                continue;
            };
            let options = bracketed(self.options(&described.options()));
            self.declaration(
                described.path(),
                &format!("{} = {}{options};", value.name(), value.number()),
            );
        }
        self.close();
    }

    fn service(&mut self, service: &ServiceDescriptor) {
        self.open(service.path(), &format!("service {}", service.name()));
        self.option_lines(&service.options());
        for method in service.methods() {
            let stream = |streams: bool| if streams { "stream " } else { "" };
            let input = self.type_name(method.input().full_name());
            let output = self.type_name(method.output().full_name());
            let (from, to) = (
                stream(method.is_client_streaming()),
                stream(method.is_server_streaming()),
            );
            let head = format!("rpc {}({from}{input}) returns ({to}{output})", method.name());
            let options = self.options(&method.options());
            if options.is_empty() {
                self.declaration(method.path(), &format!("{head};"));
                continue;
            }
            self.open(method.path(), &head);
            self.option_lines(&method.options());
            self.close();
        }
        self.close();
    }
}

fn is_group_of(message: &MessageDescriptor, child: &MessageDescriptor) -> bool {
    message
        .fields()
        .any(|field| field.is_group() && field.kind().as_message() == Some(child))
}

fn range(first: i64, last: i64, max: i64) -> String {
    match (first, last) {
        (first, last) if first == last => first.to_string(),
        (first, last) if last >= max => format!("{first} to max"),
        (first, last) => format!("{first} to {last}"),
    }
}

/// The JSON name that a field has unless it states one.
fn lower_camel(name: &str) -> String {
    let mut out = String::new();
    let mut upper = false;
    for letter in name.chars() {
        match letter {
            '_' => upper = true,
            letter if upper => {
                out.extend(letter.to_uppercase());
                upper = false;
            }
            letter => out.push(letter),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use crate::{Format, Limits, Source, protobuf::ProtobufSchema};

    const TEXT: &str = r#"// About the file.
syntax = "proto2";
package shop.v1;
import "google/protobuf/timestamp.proto";
import "google/protobuf/descriptor.proto";
option java_package = "shop";
extend google.protobuf.FieldOptions { optional string unit = 50001; }

/* An order. */
message Order {
  // When.
  required google.protobuf.Timestamp at = 2;
  optional int32 quantity = 1 [default = 1, (unit) = "pieces", deprecated = true]; // How many.
  repeated Line lines = 3;
  map<string, Line> by_name = 4;
  oneof paid { string card = 5 [json_name = "theCard"]; bytes token = 6; }
  optional group Extra = 7 { optional bool gift = 1; }
  reserved 10 to 12, 20;
  reserved "old";
  extensions 100 to max;
  message Line { optional Kind kind = 1 [default = GOOD]; }
  enum Kind { option allow_alias = true; GOOD = 0; FINE = 0; BAD = -1; }
}
service Orders { rpc Put(Order) returns (stream Order) { option deprecated = true; } rpc Get(Order) returns (Order); }
"#;

    fn parse(text: &str) -> ProtobufSchema {
        ProtobufSchema::parse_source(&Source::new(Format::Protobuf, text), &Limits::default()).unwrap()
    }

    #[test]
    fn the_normal_form_means_the_same_and_is_its_own() {
        let schema = parse(TEXT);
        let normal = schema.normal_text();
        let again = parse(&normal);
        assert_eq!(again.normal_text(), normal);
        let strip = |schema: &ProtobufSchema| {
            let mut proto = schema.file().file_descriptor_proto().clone();
            proto.source_code_info = None;
            proto.dependency.sort();
            proto
                .message_type
                .iter_mut()
                .for_each(|message| message.field.sort_by_key(|field| field.number));
            proto
        };
        assert_eq!(strip(&again), strip(&schema), "{normal}");
        let moved = TEXT
            .replace("// When.", "// Then.")
            .replace("import \"google/protobuf/descriptor.proto\";\n", "")
            .replace(
                "option java",
                "import \"google/protobuf/descriptor.proto\";\noption java",
            );
        assert_eq!(parse(&moved).normal_text(), normal);
        assert_ne!(
            parse(&TEXT.replace("quantity = 1", "quantity = 8")).normal_text(),
            normal
        );
    }

    #[test]
    fn the_layout_for_people_keeps_comments_order_and_meaning() {
        let source = Source::new(Format::Protobuf, TEXT);
        let schema = parse(TEXT);
        let pretty = schema.pretty_text(&source, &Limits::default()).unwrap();
        for comment in [
            "// About the file.",
            "// An order.",
            "  // When.",
            "  // How many.",
        ] {
            assert!(pretty.contains(comment), "{comment} in\n{pretty}");
        }
        assert!(pretty.contains("repeated Order.Line lines = 3;"), "{pretty}");
        let again = parse(&pretty);
        assert_eq!(again.pretty_text(&source, &Limits::default()).unwrap(), pretty);
        assert_eq!(again.normal_text(), schema.normal_text());
    }
}
