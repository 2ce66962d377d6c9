//! Avro beside the other implementations: differential proofs and speed. See README.md.

mod differential;
mod java;
mod random;

use anyhow::{Result, bail};

fn main() -> Result<()> {
    let args: Vec<_> = std::env::args().skip(1).collect();
    let words: Vec<_> = args.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["java", classpath, seed, pairs] => {
            report(&differential::against_java(classpath, seed.parse()?, pairs.parse()?)?)
        }
        _ => bail!("java CLASSPATH SEED PAIRS"),
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
