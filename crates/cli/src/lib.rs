//! The command line of Ottla: commands as a table, reports in the format that is asked for, exit codes for scripts.
//!
//! A [`Command`] is a row: its words, what it does, an example, its arguments and the function that runs it. Help,
//! manual, completion and the reference page are made from the rows, so they cannot differ from what runs.

mod arguments;
mod cat;
mod changes;
mod choices;
mod command;
mod commands;
mod complete;
mod connect;
mod context;
mod failure;
mod input;
mod java_file;
mod kafka;
mod offsets;
mod profile;
mod progress;
mod render;
mod report;
mod shapes;
mod tree;
mod usage;
mod watch;
mod when;

pub use command::Command;
pub use commands::COMMANDS;
pub use context::Context;
pub use failure::{Failure, Kind};
pub use render::Format;
pub use report::{Column, ItemFailure, Report};
pub use shapes::page as json_page;
pub use tree::{reference, run};

/// The time of the machine, in ms since 1970.
pub(crate) fn now_ms() -> i64 {
    os::Clock::real().wall_ms()
}
