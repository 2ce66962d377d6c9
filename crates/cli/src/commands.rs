//! The table of commands.

mod bench;
mod cat;
mod cluster;
mod completion;
mod consume;
mod demo;
mod group;
mod manual;
mod produce;
mod profile;
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
    bench::PRODUCE,
    bench::CONSUME,
    bench::E2E,
    demo::COMMAND,
    profile::LIST,
    profile::SHOW,
    profile::USE,
    profile::CREATE,
    profile::EDIT,
    completion::COMMAND,
    manual::COMMAND,
];
