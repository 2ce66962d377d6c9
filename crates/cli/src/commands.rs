//! The table of commands.

mod completion;
mod manual;

use crate::Command;

/// Every command that needs nothing but this crate; the binary adds its own (`start`, `log`).
pub static COMMANDS: &[Command] = &[completion::COMMAND, manual::COMMAND];
