//! The binary encoding: plans compiled once per pair of schemas, and what runs them.
//!
//! A [`Decoder`] reads what one schema wrote as values of another; an [`Encoder`] writes. Both hold a plan, so keep them.

mod compile;
mod decode;
mod default;
mod encode;
mod input;
mod plan;
mod visit;

pub use decode::Decoder;
pub use encode::Encoder;
pub use visit::Visitor;

pub(super) use compile::compile;
pub(super) use decode::{branch, chosen, in_field, no_more, read_symbol, skip};
pub(super) use default::latin1;
pub(super) use encode::put_bytes;
pub(crate) use encode::put_long;
pub(super) use input::Input;
pub(super) use plan::{Node, NodeId, Plan, RecordPlan, Step, variants};

/// Why data is not of a schema, or cannot be read as another.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {what}")]
pub struct DataError {
    /// Where in the schema that reads.
    pub path: crate::Path,
    pub what: String,
}

/// Bounds on one datum, so that a few bytes cannot ask for much memory or time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DataLimits {
    /// Bytes of memory for the values of one datum. Text and bytes count themselves, every value 32 bytes more.
    pub memory_bytes_max: usize,
    /// Values inside values: recursive types nest as deep as their data.
    pub depth_max: u32,
}

impl Default for DataLimits {
    fn default() -> DataLimits {
        DataLimits {
            memory_bytes_max: 64 << 20,
            depth_max: 128,
        }
    }
}

/// What is said inside, before the path is known. Small, so that results stay small.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.1)]
pub(in crate::avro) struct Fault(Box<(Vec<Segment>, String)>);

#[derive(Debug)]
enum Segment {
    Field(String),
    Items,
    Values,
    Branch(String),
}

impl Fault {
    #[cold]
    pub fn new(what: impl Into<String>) -> Fault {
        Fault(Box::new((Vec::new(), what.into())))
    }

    #[cold]
    pub fn in_field(mut self, name: &str) -> Fault {
        self.0.0.push(Segment::Field(name.to_owned()));
        self
    }

    #[cold]
    pub fn in_items(mut self) -> Fault {
        self.0.0.push(Segment::Items);
        self
    }

    #[cold]
    pub fn in_values(mut self) -> Fault {
        self.0.0.push(Segment::Values);
        self
    }

    #[cold]
    pub fn in_branch(mut self, label: &str) -> Fault {
        self.0.0.push(Segment::Branch(label.to_owned()));
        self
    }
}

impl From<Fault> for DataError {
    fn from(fault: Fault) -> DataError {
        let (segments, what) = *fault.0;
        let path = segments
            .iter()
            .rev()
            .fold(crate::Path::root(), |path, segment| match segment {
                Segment::Field(name) => path.field(name),
                Segment::Items => path.items(),
                Segment::Values => path.values(),
                Segment::Branch(label) => path.branch(label),
            });
        DataError { path, what }
    }
}

#[cfg(test)]
mod tests;
