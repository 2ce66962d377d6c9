//! `ottla log ...`: chunks for people, the metadata log for Kafka's own tools.

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use os::Os;
use storage::{Error, Identity, Log, LogDirectory, Moved, Observer, Options, Read, ReadOutcome, Slices};
use types::{BrokerId, Offset};

use crate::segments::{Indexes, epoch_checkpoint, is_folder_name, partition_metadata};

/// In words, or a JSON object a line.
pub fn dump(files: &[PathBuf], json: bool) -> anyhow::Result<()> {
    for file in files {
        let bytes = std::fs::read(file).with_context(|| file.display().to_string())?;
        if json {
            print!("{}", storage::dump::json_lines(&bytes));
        } else {
            println!("{}", file.display());
            print!("{}", storage::dump::chunk(&bytes));
        }
    }
    Ok(())
}

struct Deaf;

impl Observer for Deaf {
    fn advanced(&self, _: &[Moved]) {}

    fn fenced(&self, _: &[Arc<Log>], _: &Error) {}
}

/// Writes logs as Kafka's folders and files: `<topic>-<partition>/` with segments, indexes, leader epochs and the topic's
/// id. The node must be stopped. With names, only those topics. Gives the folders and the bytes of their segments.
pub fn logs(data: &Path, to: &Path, topics: &[String]) -> anyhow::Result<Vec<(PathBuf, u64)>> {
    let identity = Identity {
        cluster_id: None,
        node_id: node_id(data)?,
    };
    let (directory, _) =
        LogDirectory::open(&Os::real(), data, &identity, Options::default(), Arc::new(Deaf))?;
    let mut logs = directory.logs();
    logs.sort_by_key(|log| (log.topic_name().to_owned(), log.target().partition));
    let mut written = Vec::new();
    for log in logs {
        let name = log.topic_name();
        let is_wanted = topics.is_empty() || topics.iter().any(|topic| topic == name);
        // A log that was rebuilt without a checkpoint may have lost its name, never its id.
        let name = if is_folder_name(name) {
            name.to_owned()
        } else {
            log.target().topic_id.to_string()
        };
        if is_wanted {
            let folder = to.join(format!("{name}-{}", log.target().partition));
            let bytes = export_log(&log, &folder).with_context(|| folder.display().to_string())?;
            written.push((folder, bytes));
        }
    }
    directory.close()?;
    Ok(written)
}

fn export_log(log: &Arc<Log>, folder: &Path) -> anyhow::Result<u64> {
    std::fs::create_dir_all(folder)?;
    let mut bytes = 0;
    let mut segments = log.segments();
    if segments.is_empty() {
        // Kafka has one segment of nothing.
        let (base, next) = (log.log_start(), log.written_end());
        segments.push(storage::Segment {
            base,
            next,
            bytes: 0,
            max_timestamp: -1,
            written_ms: None,
        });
    }
    for segment in segments {
        let mut next = segment.base.max(log.log_start());
        let mut file = SegmentFile::create(folder, segment.base)?;
        while next < segment.next {
            let slices = read(log, next, segment.next)?;
            let whole: Vec<u8> = slices.segments.concat();
            for batch in record::batches(&whole) {
                let (header, batch) = batch?;
                if !file.indexes.takes(&header) {
                    file = file.finish_and_begin(folder, header.base_offset)?;
                }
                file.indexes.append(&header);
                file.log.write_all(batch)?;
                bytes += batch.len() as u64;
            }
            if slices.next_offset <= next {
                break;
            }
            next = slices.next_offset;
        }
        file.finish(folder)?;
    }
    std::fs::write(
        folder.join("leader-epoch-checkpoint"),
        epoch_checkpoint(&log.epochs()),
    )?;
    std::fs::write(
        folder.join("partition.metadata"),
        partition_metadata(log.target().topic_id),
    )?;
    Ok(bytes)
}

fn read(log: &Arc<Log>, from: Offset, limit: Offset) -> anyhow::Result<Slices> {
    let read = Read {
        from,
        limit,
        bytes_max: 1 << 20,
        at_least_one: true,
    };
    Ok(match log.read(&read)? {
        ReadOutcome::Ready(slices) => slices,
        ReadOutcome::Cold(cold) => cold.run()?,
    })
}

/// A segment's `.log`, open, and its indexes.
struct SegmentFile {
    base: Offset,
    log: BufWriter<std::fs::File>,
    indexes: Indexes,
}

impl SegmentFile {
    fn create(folder: &Path, base: Offset) -> anyhow::Result<SegmentFile> {
        let file = std::fs::File::create(folder.join(format!("{:020}.log", base.0)))?;
        Ok(SegmentFile {
            base,
            log: BufWriter::new(file),
            indexes: Indexes::new(base),
        })
    }

    fn finish(mut self, folder: &Path) -> anyhow::Result<()> {
        self.log.flush()?;
        let (offsets, times) = self.indexes.finish();
        std::fs::write(folder.join(format!("{:020}.index", self.base.0)), offsets)?;
        std::fs::write(folder.join(format!("{:020}.timeindex", self.base.0)), times)?;
        Ok(())
    }

    fn finish_and_begin(self, folder: &Path, base: Offset) -> anyhow::Result<SegmentFile> {
        self.finish(folder)?;
        SegmentFile::create(folder, base)
    }
}

/// The node must be stopped: its directory is opened like at a start. Gives the segment's file.
pub fn metadata(data: &Path, to: &Path) -> anyhow::Result<PathBuf> {
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
        let slices = read(&log, next, log.written_end())?;
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
    directory.close()?;
    Ok(segment)
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

/// Zeros over the spares of a stopped node; gives how many files and bytes.
pub fn scrub(data: &Path) -> anyhow::Result<(usize, u64)> {
    Ok(storage::zero_spares(&Os::real(), data)?)
}
