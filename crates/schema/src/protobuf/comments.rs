//! What people wrote beside declarations.

use std::collections::HashMap;

use prost_reflect::prost_types::FileDescriptorProto;

/// The comments of one declaration.
#[derive(Debug, Clone, Default)]
pub(super) struct Comments {
    /// Blocks above, apart from the declaration.
    pub detached: Vec<String>,
    /// Right above.
    pub leading: Option<String>,
    /// Behind, on the same line or below.
    pub trailing: Option<String>,
}

/// Comments of a file by the descriptor path of what they belong to.
#[derive(Debug, Default)]
pub(super) struct ByPath(HashMap<Vec<i32>, Comments>);

impl ByPath {
    pub fn of(file: &FileDescriptorProto) -> ByPath {
        let locations = file.source_code_info.iter().flat_map(|info| &info.location);
        let with_comments = locations.filter(|location| {
            let detached = !location.leading_detached_comments.is_empty();
            detached || location.leading_comments.is_some() || location.trailing_comments.is_some()
        });
        ByPath(
            with_comments
                .map(|location| {
                    let comments = Comments {
                        detached: location.leading_detached_comments.clone(),
                        leading: location.leading_comments.clone(),
                        trailing: location.trailing_comments.clone(),
                    };
                    (location.path.clone(), comments)
                })
                .collect(),
        )
    }

    pub fn get(&self, path: &[i32]) -> Comments {
        self.0.get(path).cloned().unwrap_or_default()
    }

    /// The documentation of a declaration: what stands above it and behind it, one paragraph.
    pub fn doc(&self, path: &[i32]) -> Option<String> {
        let comments = self.0.get(path)?;
        let parts = [comments.leading.as_deref(), comments.trailing.as_deref()];
        let lines = parts
            .into_iter()
            .flatten()
            .flat_map(str::lines)
            .map(|line| line.trim().trim_start_matches('*').trim());
        let doc = lines
            .filter(|line| !line.is_empty())
            .collect::<Vec<_>>()
            .join(" ");
        (!doc.is_empty()).then_some(doc)
    }
}
