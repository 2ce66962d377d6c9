//! What a row of the table is.

use std::fmt;

use super::{Input, tree::Found};
use crate::Format;

/// How much a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Not looked for unless asked.
    Off,
    /// Worth knowing.
    Info,
    /// Readers will stumble.
    Warning,
    /// Readers cannot rely on it.
    Error,
}

impl Severity {
    /// Every severity, the heaviest first.
    pub const ALL: [Severity; 4] = [Severity::Error, Severity::Warning, Severity::Info, Severity::Off];

    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Severity::Off => "off",
            Severity::Info => "info",
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a rule must be handed to say anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Needs {
    /// The schema alone.
    Schema,
    /// The version before.
    Previous,
    /// What the registry knows of the subject: its name, topic and metadata.
    Subject,
    /// Other schemas, or the dictionary.
    Others,
    /// Counts of values that were seen.
    Samples,
    /// That the topic goes to the lakehouse.
    Lake,
}

impl Needs {
    /// In words, for the reference page.
    pub fn words(self) -> &'static str {
        match self {
            Needs::Schema => "the schema",
            Needs::Previous => "the previous version",
            Needs::Subject => "the subject",
            Needs::Others => "other schemas",
            Needs::Samples => "sampled data",
            Needs::Lake => "a lakehouse topic",
        }
    }
}

/// A schema that shows what a rule finds, or what it is content with.
#[derive(Debug, Clone, Copy)]
pub struct Example {
    pub format: Format,
    pub text: &'static str,
    /// The version before; empty when there is none.
    pub previous: &'static str,
    /// Another schema beside it; empty when there is none.
    pub other: &'static str,
}

impl Example {
    /// A schema by itself.
    pub const fn of(format: Format, text: &'static str) -> Example {
        Example {
            format,
            text,
            previous: "",
            other: "",
        }
    }

    /// An Avro schema by itself.
    pub const fn avro(text: &'static str) -> Example {
        Example::of(Format::Avro, text)
    }

    /// A JSON Schema by itself.
    pub const fn json(text: &'static str) -> Example {
        Example::of(Format::Json, text)
    }

    /// A Protobuf file by itself.
    pub const fn proto(text: &'static str) -> Example {
        Example::of(Format::Protobuf, text)
    }

    /// With the version before.
    pub const fn after(mut self, previous: &'static str) -> Example {
        self.previous = previous;
        self
    }

    /// With another schema beside it.
    pub const fn beside(mut self, other: &'static str) -> Example {
        self.other = other;
        self
    }
}

/// One rule.
pub struct Rule {
    /// Stable; never used for anything else.
    pub id: &'static str,
    /// What it weighs unless the options say otherwise.
    pub severity: Severity,
    /// The formats that it looks at.
    pub formats: &'static [Format],
    pub needs: Needs,
    /// What it asks, one sentence without a full stop.
    pub asks: &'static str,
    /// Why readers care, one sentence without a full stop.
    pub why: &'static str,
    pub fails: Example,
    pub passes: Example,
    pub(super) check: fn(&Input<'_>, &mut Found),
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rule")
            .field("id", &self.id)
            .field("severity", &self.severity)
            .finish_non_exhaustive()
    }
}

/// All three formats.
pub(super) const ALL: &[Format] = &[Format::Avro, Format::Json, Format::Protobuf];
pub(super) const AVRO: &[Format] = &[Format::Avro];
pub(super) const JSON: &[Format] = &[Format::Json];
pub(super) const PROTO: &[Format] = &[Format::Protobuf];
pub(super) const AVRO_PROTO: &[Format] = &[Format::Avro, Format::Protobuf];
pub(super) const AVRO_JSON: &[Format] = &[Format::Avro, Format::Json];
