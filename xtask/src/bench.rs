//! `cargo xtask bench`: a release build, then `bench/run.py` with it.

use std::path::Path;
use std::process::Command;

use anyhow::bail;

pub fn run(arguments: &[String]) -> anyhow::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut build = Command::new("cargo");
    build
        .args(["build", "--release", "--package", "ottla-server"])
        .current_dir(&root);
    if !succeeds(&mut build)? {
        bail!("the release build failed");
    }
    let target = std::env::var("CARGO_TARGET_DIR").map_or_else(|_| root.join("target"), Into::into);
    let mut bench = Command::new("python3");
    bench
        .arg(root.join("bench/run.py"))
        .arg(target.join("release/ottla"))
        .args(arguments);
    if !succeeds(&mut bench)? {
        bail!("the benchmark failed");
    }
    Ok(())
}

fn succeeds(command: &mut Command) -> anyhow::Result<bool> {
    Ok(command.status()?.success())
}
