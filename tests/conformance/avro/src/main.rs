//! Avro beside the other implementations: differential proofs, files and speed. See README.md.

mod arrow;
mod bench;
mod differential;
mod files;
mod java;
mod library;
mod random;

use anyhow::{Result, bail};

fn main() -> Result<()> {
    // apache-avro recurses once for each level of a datum and of a schema, with large frames.
    let run = std::thread::Builder::new().stack_size(1 << 30).spawn(run)?;
    run.join().map_err(|_| anyhow::anyhow!("panicked"))?
}

fn run() -> Result<()> {
    let args: Vec<_> = std::env::args().skip(1).collect();
    let words: Vec<_> = args.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["java", classpath, seed, pairs] => {
            report(&differential::against_java(classpath, seed.parse()?, pairs.parse()?)?)
        }
        ["apache-avro", seed, pairs] => report(&library::against_apache_avro(seed.parse()?, pairs.parse()?)?),
        ["arrow-avro", seed, pairs] => report(&arrow::against_arrow(seed.parse()?, pairs.parse()?)?),
        ["write", folder, seed, count] => files::write(folder, seed.parse()?, count.parse()?),
        ["check", folder, seed, count] => files::check(folder, seed.parse()?, count.parse()?),
        ["bench"] => bench::run(),
        _ => bail!("java CLASSPATH SEED PAIRS | apache-avro SEED PAIRS | arrow-avro SEED PAIRS | write|check FOLDER SEED FILES | bench"),
    }
}

fn report(tally: &differential::Tally) -> Result<()> {
    println!(
        "pairs {}, compatible {}, data {}, refused by both {}",
        tally.pairs, tally.compatible, tally.cases, tally.refused_by_both
    );
    for (why, count) in &tally.explained {
        println!("explained {count}: {why}");
    }
    println!("unexplained {}", tally.unexplained);
    if tally.unexplained > 0 { bail!("differences without an explanation") } else { Ok(()) }
}
