//! `cargo xtask TASK`: what a developer runs beside cargo itself. One file a task.

fn main() -> anyhow::Result<()> {
    anyhow::bail!("no task yet")
}
