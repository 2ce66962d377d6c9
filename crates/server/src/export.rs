//! `ottla log ...`: chunks for people, the metadata log for Kafka's own tools.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use os::Os;
use storage::{Error, Identity, Log, LogDirectory, Moved, Observer, Options, Read, ReadOutcome};
use types::{BrokerId, Offset};

pub fn dump(files: &[PathBuf]) -> anyhow::Result<()> {
    for file in files {
        let bytes = std::fs::read(file).with_context(|| file.display().to_string())?;
        println!("{}", file.display());
        print!("{}", storage::dump::chunk(&bytes));
    }
    Ok(())
}

struct Deaf;

impl Observer for Deaf {
    fn advanced(&self, _: &[Moved]) {}

    fn fenced(&self, _: &[Arc<Log>], _: &Error) {}
}

/// The node must be stopped: its directory is opened like at a start.
pub fn metadata(data: &Path, to: &Path) -> anyhow::Result<()> {
    let identity = Identity {
        cluster_id: None,
        node_id: node_id(data)?,
    };
    let (directory, _) =
        LogDirectory::open(&Os::real(), data, &identity, Options::default(), Arc::new(Deaf))?;
    let log = directory.metadata_log();
    let mut bytes = Vec::new();
    let mut next = log.log_start();
    while next < log.written_end() {
        let read = Read {
            from: next,
            limit: log.written_end(),
            bytes_max: 1 << 20,
            at_least_one: true,
        };
        let slices = match log.read(&read)? {
            ReadOutcome::Ready(slices) => slices,
            ReadOutcome::Cold(cold) => cold.run()?,
        };
        slices
            .segments
            .iter()
            .for_each(|segment| bytes.extend_from_slice(segment));
        next = slices.next_offset;
    }
    let start: Offset = log.log_start();
    std::fs::create_dir_all(to)?;
    let segment = to.join(format!("{:020}.log", start.0));
    std::fs::write(&segment, &bytes).with_context(|| segment.display().to_string())?;
    for entry in std::fs::read_dir(directory.metadata_folder())? {
        let path = entry?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "checkpoint")
            && let Some(name) = path.file_name()
        {
            std::fs::copy(&path, to.join(name))?;
        }
    }
    println!("{}", segment.display());
    directory.close()?;
    Ok(())
}

fn node_id(data: &Path) -> anyhow::Result<BrokerId> {
    let path = data.join("meta.properties");
    let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let id = text
        .lines()
        .find_map(|line| line.strip_prefix("node.id="))
        .context("node.id is missing")?;
    Ok(BrokerId(id.trim().parse()?))
}
