//! `cargo xtask tidy`: the rules of the house that a compiler does not check.

mod book;
mod files;
mod layers;
mod logs;

use std::path::{Path, PathBuf};

/// A broken rule: where, and what to do.
pub type Finding = String;

pub fn run() -> anyhow::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize()?;
    let mut findings = layers::check(&root)?;
    findings.extend(book::check(&root)?);
    let mut count = 0;
    for folder in ["crates", "xtask"] {
        for path in rust_files(&root.join(folder))? {
            count += 1;
            findings.extend(files::check(&root, &path)?);
        }
    }
    for finding in &findings {
        eprintln!("{finding}");
    }
    if !findings.is_empty() {
        anyhow::bail!("{} rules are broken", findings.len());
    }
    println!("tidy: {count} files keep the rules");
    Ok(())
}

/// All hand-written Rust under a folder.
fn rust_files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        if path.is_dir() && name != "generated" && name != "target" {
            found.extend(rust_files(&path)?);
        } else if name.ends_with(".rs") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}
