//! `cargo xtask TASK`: what a developer runs beside cargo itself. One file a task.

mod bench;
mod docs;
mod generate;
mod mutants;
mod tidy;

const USAGE: &str = "usage:
  cargo xtask gen [--jars DIR]   write crates/protocol/src/generated from Kafka's definitions
  cargo xtask bench [ARGS]       Ottla beside the floor and Apache Kafka (bench/run.py says which ARGS)
  cargo xtask docs               write docs/reference anew from the tables
  cargo xtask mutants CRATE      plant the faults of a crate's tests/mutants, say which are found
  cargo xtask tidy               check layers, sizes, headers, the book and the rules of the house";

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some("gen") => generate::run(arguments.get(1..).unwrap_or_default()),
        Some("bench") => bench::run(arguments.get(1..).unwrap_or_default()),
        Some("docs") => docs::run(),
        Some("mutants") => mutants::run(arguments.get(1..).unwrap_or_default()),
        Some("tidy") => tidy::run(),
        _ => anyhow::bail!(USAGE),
    }
}
