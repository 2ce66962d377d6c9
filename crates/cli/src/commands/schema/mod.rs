//! `ottla schema ...`: schemas in files, without any server.

mod check;
mod diff;
mod files;
mod fmt;
mod lint;
mod styles;

pub use check::COMMAND as CHECK;
pub use diff::COMMAND as DIFF;
pub use fmt::COMMAND as FMT;
pub use lint::COMMAND as LINT;
