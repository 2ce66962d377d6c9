//! The data directory: whether it can be written, how much room it has, what it lies on, how long a sync takes.

use std::io::IoSlice;
use std::path::Path;
use std::time::{Duration, Instant};

use config::BrokerConfig;
use os::{Disk, OpenOptions};

use super::judge::{self, Finding};

const SYNCS: usize = 21;
const PROBE: &str = ".doctor-probe";

pub fn look(config: &BrokerConfig) -> Vec<Finding> {
    let disk = Disk::real();
    let wanted = Path::new(&config.log_dir);
    let mut findings = Vec::new();
    // A directory that is not there yet is judged by the folder that it will be made in, and is not made.
    let there = wanted
        .ancestors()
        .find(|level| !level.as_os_str().is_empty() && disk.exists(level));
    let folder = there.unwrap_or(Path::new("."));
    let state = if folder == wanted { "there" } else { "to be made" };
    if let Some(mount) = os::machine::mount_of(folder) {
        findings.push(judge::file_system(&mount.kind, &mount.point.to_string_lossy()));
    }
    if let Ok(bytes) = disk.free_bytes(folder) {
        findings.push(judge::free_space(bytes));
    }
    if disk.exists(&wanted.join("fenced")) {
        let found = format!("{} was fenced after a failed write or sync", wanted.display());
        findings.push(
            Finding::warning("data directory", found)
                .advice("check the disk; the next start reads past the page cache"),
        );
    }
    match syncs(&disk, folder) {
        Ok(mut times) => {
            times.sort_unstable();
            findings.push(Finding::good(
                "data directory",
                format!("{}, {state}, can be written", wanted.display()),
            ));
            findings.extend(times.get(SYNCS / 2).map(|median| judge::sync_time(*median)));
        }
        Err(error) => findings.push(
            Finding::fault("data directory", format!("{}: {error}", folder.display())).advice(
                "the user of this process must be able to write there: see its owner, mode and mount options",
            ),
        ),
    }
    findings
}

/// Writes and syncs a page again and again, in place, as the log does.
fn syncs(disk: &Disk, folder: &Path) -> std::io::Result<Vec<Duration>> {
    let path = folder.join(PROBE);
    let file = disk.open(
        &path,
        OpenOptions {
            create: true,
            truncate: true,
        },
    )?;
    let times = (0..SYNCS).map(|_| {
        file.write_all_at(&mut [IoSlice::new(&[0; 4096])], 0)?;
        let begun = Instant::now();
        file.sync_data().map(|()| begun.elapsed())
    });
    let times = times.collect();
    disk.remove_file(&path)?;
    times
}
