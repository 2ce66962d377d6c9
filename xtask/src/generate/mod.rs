//! `cargo xtask gen`: Rust from the message definitions inside Apache Kafka's jars.
//!
//! The jars come from Maven Central at a pinned version (or from `--jars DIR`). The output is committed, so a build
//! needs neither Java nor the network.

mod code;
mod decode;
mod encode;
mod names;
mod registry;
mod schema;
mod view;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};
use schema::Message;

const KAFKA_VERSION: &str = "4.3.1";
/// Jar, folder inside it, module under `generated` (none: by the message's type).
const SOURCES: &[(&str, &str, &str)] = &[
    ("kafka-clients", "common/message", "messages"),
    ("kafka-metadata", "common/metadata", "metadata"),
    ("kafka-raft", "common/message", "raft"),
    ("kafka-group-coordinator", "common/message", "group"),
    ("kafka-transaction-coordinator", "common/message", "transaction"),
    ("kafka-share-coordinator", "common/message", "share"),
    ("kafka-storage", "message", "storage"),
];

/// A module of `generated` and its messages.
pub struct Area {
    pub name: &'static str,
    pub messages: Vec<Message>,
}

pub fn run(arguments: &[String]) -> anyhow::Result<()> {
    let jars = match arguments {
        [flag, folder] if flag == "--jars" => PathBuf::from(folder),
        [] => fetch_jars()?,
        _ => bail!("usage: cargo xtask gen [--jars DIR]"),
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/protocol/src/generated");
    std::fs::remove_dir_all(&root).ok();
    let mut areas = Vec::new();
    for (jar, folder, name) in SOURCES {
        let messages = read_jar(&jars.join(format!("{jar}-{KAFKA_VERSION}.jar")), folder)?;
        println!("{name}: {} definitions", messages.len());
        areas.push(Area { name, messages });
    }
    for area in &areas {
        write_area(&root, area)?;
    }
    write(&root.join("mod.rs"), &registry::root(&areas))?;
    write(&root.join("api_key.rs"), &registry::api_keys(&areas))?;
    write(
        &root.join("metadata_record.rs"),
        &registry::metadata_record(&areas),
    )?;
    let every = root.join("../../tests/generated/every_message.rs");
    write(&every, &registry::every_message(&areas))?;
    let files = Command::new("rustfmt")
        .args(["--edition", "2024"])
        .arg(root.join("mod.rs"))
        .arg(&every)
        .status()?;
    if !files.success() {
        bail!("rustfmt failed");
    }
    Ok(())
}

fn write_area(root: &Path, area: &Area) -> anyhow::Result<()> {
    for message in &area.messages {
        let path = root
            .join(area.name)
            .join(format!("{}.rs", names::snake(&message.name)));
        write(
            &path,
            &code::message(message).with_context(|| message.name.clone())?,
        )?;
    }
    write(&root.join(area.name).join("mod.rs"), &registry::area(area))
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(path, text).with_context(|| path.display().to_string())
}

/// The definitions in a jar, by name.
fn read_jar(jar: &Path, folder: &str) -> anyhow::Result<Vec<Message>> {
    let list = Command::new("unzip")
        .arg("-Z1")
        .arg(jar)
        .output()
        .context("unzip is needed")?;
    let mut messages = Vec::new();
    for entry in String::from_utf8(list.stdout)?.lines() {
        if !entry.starts_with(folder) || !entry.ends_with(".json") {
            continue;
        }
        let text = Command::new("unzip")
            .arg("-p")
            .arg(jar)
            .arg(entry)
            .output()?
            .stdout;
        let message = schema::parse(&String::from_utf8(text)?).with_context(|| entry.to_owned())?;
        // Removed keys keep a definition without a version.
        messages.extend(message.filter(|message| message.valid.is_some()));
    }
    if messages.is_empty() {
        bail!("no definition under {folder} in {}", jar.display());
    }
    messages.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(messages)
}

/// Copies the jars from Maven Central into the target folder.
fn fetch_jars() -> anyhow::Result<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/kafka-jars");
    std::fs::create_dir_all(&folder)?;
    for (jar, _, _) in SOURCES {
        let status = Command::new("mvn")
            .args(["-B", "-q", "dependency:copy"])
            .arg(format!("-Dartifact=org.apache.kafka:{jar}:{KAFKA_VERSION}"))
            .arg(format!("-DoutputDirectory={}", folder.display()))
            .status()
            .context("mvn is needed")?;
        if !status.success() {
            bail!("mvn could not fetch {jar}");
        }
    }
    Ok(folder)
}
