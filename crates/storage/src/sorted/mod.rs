//! Sorted chunks: runs by partition, immutable, unlinked when nothing lives in them. What a cleaner keeps is put here.

mod replace;
mod source;
mod writer;

pub(crate) use replace::{Placed, commit};
pub(crate) use source::{Source, SourceError};
pub(crate) use writer::SortedWriter;
