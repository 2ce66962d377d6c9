//! `ottla`: from the command line to a running node.

mod commands;
mod doctor;
mod export;
mod operator;
mod segments;
mod start;

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let mut args: Vec<_> = std::env::args_os().collect();
    if args.len() == 1 {
        // Without a word everything starts (`docs/`: first steps).
        args.push("start".into());
    }
    telemetry::log::init();
    cli::run(vec![commands::COMMANDS, cli::COMMANDS], args)
}
