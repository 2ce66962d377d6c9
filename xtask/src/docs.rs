//! `cargo xtask docs`: writes the reference pages anew from their tables, by the tests that compare them otherwise.

use std::process::Command;

/// Crates that have a table, and a test that makes a page of it.
const CRATES: &[&str] = &["config", "telemetry", "schema", "broker", "server"];

pub fn run() -> anyhow::Result<()> {
    let mut test = Command::new("cargo");
    test.args(["test", "--quiet"]).env("UPDATE_EXPECT", "1");
    for name in CRATES {
        test.args(["--package", &format!("ottla-{name}")]);
    }
    test.arg("the_reference_page_is_written_from_the_table");
    if !test.status()?.success() {
        anyhow::bail!("the reference pages could not be written");
    }
    println!("docs/reference: written");
    Ok(())
}
