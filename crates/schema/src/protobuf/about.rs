//! What lint asks of a file beyond its outline.

use std::collections::HashSet;

use prost_reflect::{Kind, MessageDescriptor};

use super::{ProtobufSchema, comments::ByPath};
use crate::Path;

impl ProtobufSchema {
    /// Every `oneof` of the file: its path, its name, what is written about it.
    pub fn oneofs(&self) -> Vec<(Path, String, Option<String>)> {
        let comments = ByPath::of(self.file().file_descriptor_proto());
        let mut found = Vec::new();
        let mut open: Vec<(MessageDescriptor, Path)> = self
            .file()
            .messages()
            .map(|message| (message.clone(), Path::root().field(message.name())))
            .collect();
        open.reverse();
        while let Some((message, path)) = open.pop() {
            for oneof in message.oneofs().filter(|oneof| !oneof.is_synthetic()) {
                found.push((
                    path.branch(oneof.name()),
                    oneof.name().to_owned(),
                    comments.doc(oneof.path()),
                ));
            }
            open.extend(
                message
                    .child_messages()
                    .map(|child| (child.clone(), path.field(child.name()))),
            );
        }
        found
    }

    /// Imports that nothing in the file needs.
    pub fn unused_imports(&self) -> Vec<String> {
        let file = self.file();
        let mut used = HashSet::new();
        let mut open: Vec<MessageDescriptor> = file.messages().collect();
        while let Some(message) = open.pop() {
            for field in message.fields() {
                match field.kind() {
                    Kind::Message(of) => used.insert(of.parent_file().name().to_owned()),
                    Kind::Enum(of) => used.insert(of.parent_file().name().to_owned()),
                    _ => false,
                };
            }
            used.extend(
                message
                    .child_extensions()
                    .map(|own| own.containing_message().parent_file().name().to_owned()),
            );
            open.extend(message.child_messages());
        }
        for method in file
            .services()
            .flat_map(|service| service.methods().collect::<Vec<_>>())
        {
            used.insert(method.input().parent_file().name().to_owned());
            used.insert(method.output().parent_file().name().to_owned());
        }
        used.extend(
            file.extensions()
                .map(|own| own.containing_message().parent_file().name().to_owned()),
        );
        let text = self.normal_text();
        let is_needed = |import: &prost_reflect::FileDescriptor| {
            // An extension is used where an option is set by its name; a public import stands for what it imports.
            let extends = import
                .extensions()
                .any(|extension| text.contains(&format!("({})", extension.full_name())));
            let passes_on = import
                .public_dependencies()
                .any(|inner| used.contains(inner.name()));
            used.contains(import.name()) || extends || passes_on
        };
        file.dependencies()
            .filter(|import| !is_needed(import))
            .map(|import| import.name().to_owned())
            .collect()
    }
}
