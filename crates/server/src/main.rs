//! `ottla`: from the command line to a running node.

mod commands;
mod doctor;
mod export;
mod guide;
mod operator;
#[cfg(test)]
mod reference;
mod segments;
mod start;

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let mut args: Vec<_> = std::env::args_os().collect();
    if args.len() == 1 {
        // Without a word everything starts, and a newcomer reads where it is.
        args.extend(["start".into(), "--guide".into()]);
    }
    telemetry::log::init();
    cli::run(vec![commands::COMMANDS, cli::COMMANDS], args)
}
