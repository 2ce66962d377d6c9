//! Lint: is a schema a contract that its readers can rely on?
//!
//! Owns the table of rules ([`RULES`]), what they look at, waivers, the ratchet against the previous version, and the
//! grade. A rule is a row and a function over the format-neutral outline, so it holds for all three formats.

mod input;
mod page;
mod rule;
mod rules;
mod run;
mod tree;
mod words;

pub use input::{Input, Other, Samples, Subject, Term};
pub use page::markdown;
pub use rule::{Example, Needs, Rule, Severity};
pub use rules::{RULES, find};
pub use run::{Finding, Gate, Grade, Options, Report, Waiver, lint};
pub(crate) use tree::type_text;
