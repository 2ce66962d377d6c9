//! The table of commands.

mod cat;
mod cluster;
mod completion;
mod consume;
mod group;
mod manual;
mod produce;
mod schema;
mod topic;

use crate::Command;
pub(crate) use topic::partitions;

/// Every command that needs nothing but this crate; the binary adds its own (`start`, `log`).
pub static COMMANDS: &[Command] = &[
    topic::LIST,
    topic::CREATE,
    topic::DESCRIBE,
    topic::ALTER,
    topic::TRIM,
    topic::DELETE,
    produce::COMMAND,
    consume::COMMAND,
    cat::COMMAND,
    group::LIST,
    group::DESCRIBE,
    group::LAG,
    group::RESET,
    group::DELETE,
    cluster::DESCRIBE,
    cluster::CONFIG,
    cluster::FEATURES,
    schema::CHECK,
    schema::LINT,
    schema::DIFF,
    schema::FMT,
    completion::COMMAND,
    manual::COMMAND,
];
