//! Which crate may use which (`layers.toml`), and what every crate has.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context;

use super::Finding;

pub fn check(root: &Path) -> anyhow::Result<Vec<Finding>> {
    let text = std::fs::read_to_string(root.join("layers.toml"))?;
    let layers: BTreeMap<String, Vec<String>> = toml::from_str(&text)?;
    let mut findings = Vec::new();
    for entry in std::fs::read_dir(root.join("crates"))? {
        let path = entry?.path();
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .context("a crate's name")?
            .to_owned();
        let manifest = std::fs::read_to_string(path.join("Cargo.toml"))?;
        let manifest: toml::Table = manifest.parse()?;
        if !path.join("README.md").exists() {
            findings.push(format!("crates/{name}: a README of a few lines is missing"));
        }
        if !manifest.contains_key("lints") {
            findings.push(format!(
                "crates/{name}/Cargo.toml: the workspace's lints are missing"
            ));
        }
        let Some(allowed) = layers.get(&name) else {
            findings.push(format!("layers.toml: crates/{name} has no row"));
            continue;
        };
        findings.extend(dependencies(&name, &manifest, allowed, &layers));
    }
    Ok(findings)
}

fn dependencies(
    name: &str,
    manifest: &toml::Table,
    allowed: &[String],
    layers: &BTreeMap<String, Vec<String>>,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    for section in ["dependencies", "dev-dependencies"] {
        let Some(table) = manifest.get(section).and_then(toml::Value::as_table) else {
            continue;
        };
        for (dependency, value) in table {
            let inherits = value.get("workspace").and_then(toml::Value::as_bool) == Some(true);
            if !inherits {
                findings.push(format!(
                    "crates/{name}: {dependency} must take its version from the workspace"
                ));
            }
            let ours = layers.contains_key(dependency);
            if section == "dependencies" && ours && !allowed.contains(dependency) {
                findings.push(format!(
                    "crates/{name}: uses {dependency}, which layers.toml does not allow"
                ));
            }
        }
    }
    findings
}
