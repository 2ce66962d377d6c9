//! The command line of Ottla: commands as a table, reports in the format that is asked for, exit codes for scripts.
//!
//! A [`Command`] is a row: its words, what it does, an example, its arguments and the function that runs it. Help,
//! manual, completion and the reference page are made from the rows, so they cannot differ from what runs.

mod command;
mod commands;
mod context;
mod failure;
mod render;
mod report;
mod tree;

pub use command::Command;
pub use commands::COMMANDS;
pub use context::Context;
pub use failure::{Failure, Kind};
pub use render::Format;
pub use report::{Column, ItemFailure, Report};
pub use tree::{reference, run};
