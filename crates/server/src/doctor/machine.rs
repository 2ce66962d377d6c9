//! Limits and clock.

use std::path::Path;

use config::BrokerConfig;
use os::Clock;

use super::judge::{self, Finding};

pub fn look(config: &BrokerConfig) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some((now, most)) = os::machine::open_file_limits() {
        findings.push(judge::open_files(now, most));
    }
    let bytes = os::limits::memory_bytes();
    let groups = os::limits::memory_groups();
    let narrowest = groups.iter().find(|group| group.bytes == bytes);
    let file = narrowest.map(|group| group.file.to_string_lossy().into_owned());
    findings.push(judge::memory(bytes, file.as_deref()));
    // Folders change when chunks come and go.
    let written =
        [".", "chunks", "pool"].map(|name| os::machine::modified_ms(&Path::new(&config.log_dir).join(name)));
    let newest = written.into_iter().flatten().max();
    let disciplined = os::machine::clock_is_disciplined();
    findings.push(judge::clock(Clock::real().wall_ms(), disciplined, newest));
    findings
}
