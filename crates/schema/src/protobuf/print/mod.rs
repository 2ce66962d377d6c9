//! A file's descriptor back to text: the normal form, and a layout for people.

mod declare;
mod options;

use prost_reflect::FileDescriptor;

use super::comments::{ByPath, Comments};

/// What is written how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    /// No comments, imports and fields in order, full type names.
    Normal,
    /// Comments and order as they were, type names without the own package.
    Pretty,
}

/// The normal form.
pub(super) fn normal(file: &FileDescriptor) -> String {
    Printer::new(file, Style::Normal).file()
}

/// A layout for people.
pub(super) fn pretty(file: &FileDescriptor) -> String {
    Printer::new(file, Style::Pretty).file()
}

struct Printer<'a> {
    file: &'a FileDescriptor,
    style: Style,
    comments: ByPath,
    out: String,
    level: usize,
}

impl<'a> Printer<'a> {
    fn new(file: &'a FileDescriptor, style: Style) -> Printer<'a> {
        let comments = ByPath::of(file.file_descriptor_proto());
        Printer {
            file,
            style,
            comments,
            out: String::new(),
            level: 0,
        }
    }

    fn line(&mut self, text: &str) {
        for _ in 0..self.level {
            self.out.push_str("  ");
        }
        self.out.push_str(text);
        self.out.push('\n');
    }

    /// An empty line between declarations, for people.
    fn gap(&mut self) {
        if self.style == Style::Pretty
            && !self.out.ends_with("{\n")
            && !self.out.ends_with("\n\n")
            && !self.out.is_empty()
        {
            self.out.push('\n');
        }
    }

    /// Comments above the declaration at `path`; answers what stands behind it.
    fn comments_above(&mut self, path: &[i32]) -> Option<String> {
        if self.style == Style::Normal {
            return None;
        }
        let Comments {
            detached,
            leading,
            trailing,
        } = self.comments.get(path);
        for block in detached {
            self.comment(&block);
            self.out.push('\n');
        }
        if let Some(leading) = leading {
            self.comment(&leading);
        }
        trailing
    }

    fn comment(&mut self, block: &str) {
        for line in block.trim_end_matches('\n').lines() {
            let text = line.trim_end();
            let space = if text.starts_with(' ') || text.is_empty() {
                ""
            } else {
                " "
            };
            self.line(&format!("//{space}{text}"));
        }
    }

    /// A declaration that ends on its line, with the comments of `path`.
    fn declaration(&mut self, path: &[i32], text: &str) {
        let trailing = self.comments_above(path);
        self.line(text);
        if let Some(trailing) = trailing {
            self.comment(&trailing);
        }
    }

    /// A type's name as it is written: full, or without the own package.
    fn type_name(&self, full_name: &str) -> String {
        let package = self.file.package_name();
        let inside = full_name
            .strip_prefix(package)
            .and_then(|name| name.strip_prefix('.'));
        match inside {
            Some(name) if self.style == Style::Pretty && !package.is_empty() => name.to_owned(),
            _ if self.style == Style::Pretty => full_name.to_owned(),
            _ => format!(".{full_name}"),
        }
    }
}
