//! What the machine allows this process.

use std::path::{Path, PathBuf};

/// A limit of memory that a control group above this process sets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupLimit {
    /// The file that says it.
    pub file: PathBuf,
    pub bytes: u64,
}

/// Limits of memory by the control groups that this process is in, at every level up to the root: the kernel enforces
/// each of them. Versions 1 and 2.
pub fn memory_groups() -> Vec<GroupLimit> {
    let groups = std::fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    groups_below(Path::new("/sys/fs/cgroup"), &groups)
}

/// `groups` is /proc/self/cgroup: lines of `number:controllers:path`, without controllers in version 2.
fn groups_below(root: &Path, groups: &str) -> Vec<GroupLimit> {
    let mut found = Vec::new();
    for line in groups.lines() {
        let mut fields = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (fields.next(), fields.next()) else {
            continue;
        };
        let (root, file) = if controllers.is_empty() {
            (root.to_owned(), "memory.max")
        } else if controllers.split(',').any(|name| name == "memory") {
            (root.join("memory"), "memory.limit_in_bytes")
        } else {
            continue;
        };
        // Inside a container the path may name folders that only the host sees: the levels that are there count.
        let folder = root.join(path.trim_start_matches('/'));
        let levels = folder.ancestors().take_while(|level| level.starts_with(&root));
        found.extend(levels.filter_map(|level| limit_in(level.join(file))));
    }
    found
}

fn limit_in(file: PathBuf) -> Option<GroupLimit> {
    // "max" is no limit, and is no number.
    let bytes = std::fs::read_to_string(&file).ok()?.trim().parse().ok()?;
    Some(GroupLimit { file, bytes })
}

/// Bytes of memory that this process may use: the narrowest control group's limit, or what the machine has.
pub fn memory_bytes() -> u64 {
    let group = memory_groups().iter().map(|limit| limit.bytes).min();
    let machine = kib_of("/proc/meminfo", "MemTotal:").unwrap_or(1 << 30);
    group.map_or(machine, |group| group.min(machine))
}

/// A line `NAME 123 kB` of a file below /proc, in bytes.
fn kib_of(file: &str, name: &str) -> Option<u64> {
    let text = std::fs::read_to_string(file).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    let kib: u64 = line.split_ascii_whitespace().nth(1)?.parse().ok()?;
    kib.checked_mul(1024)
}

/// Memory that this process holds, in bytes; 0 where the system does not say.
pub fn resident_bytes() -> u64 {
    kib_of("/proc/self/status", "VmRSS:").unwrap_or(0)
}

/// File descriptors that this process has open; 0 where the system does not say.
pub fn open_files() -> usize {
    // One of them is the folder that is being read.
    std::fs::read_dir("/proc/self/fd").map_or(0, |entries| entries.count().saturating_sub(1))
}

/// Raises the limit of open files as far as it may be, and says what it is.
#[allow(unsafe_code)]
pub fn raise_open_files() -> u64 {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: the call writes one rlimit, which is ours.
    if unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) } != 0 {
        return 1024;
    }
    let raised = libc::rlimit {
        rlim_cur: limit.rlim_max,
        rlim_max: limit.rlim_max,
    };
    // SAFETY: the call reads one rlimit, which is ours.
    let done = unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const raised) } == 0;
    if done { raised.rlim_cur } else { limit.rlim_cur }
}

/// Cores that this process may run on.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Files of this process are for its owner alone (`security.md` 1).
#[allow(unsafe_code)]
pub fn restrict_file_mode() {
    // SAFETY: the call takes a number and touches no memory of ours.
    unsafe { libc::umask(0o077) };
}

/// What this process has used of the cores: user and system time.
#[allow(unsafe_code)]
pub fn cpu_time() -> std::time::Duration {
    // SAFETY: rusage is plain numbers, for which zeros are a value.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: the call writes one rusage, which is ours.
    unsafe { libc::getrusage(libc::RUSAGE_SELF, &raw mut usage) };
    let micros = |time: libc::timeval| time.tv_sec as u64 * 1_000_000 + time.tv_usec as u64;
    std::time::Duration::from_micros(micros(usage.ru_utime) + micros(usage.ru_stime))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("ottla-limits-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a temporary folder");
        folder
    }

    #[test]
    fn every_level_of_a_group_counts() {
        let root = folder("v2");
        let leaf = root.join("kubepods").join("pod1").join("main");
        std::fs::create_dir_all(&leaf).expect("folders");
        std::fs::write(leaf.join("memory.max"), "max\n").expect("a file");
        std::fs::write(root.join("kubepods/pod1/memory.max"), "536870912\n").expect("a file");
        std::fs::write(root.join("kubepods/memory.max"), "1073741824\n").expect("a file");
        let found = groups_below(&root, "0::/kubepods/pod1/main\n");
        let bytes: Vec<u64> = found.iter().map(|limit| limit.bytes).collect();
        assert_eq!(bytes, [512 << 20, 1 << 30]);
        std::fs::remove_dir_all(root).expect("ours");
    }

    #[test]
    fn version_one_and_paths_of_the_host_are_understood() {
        let root = folder("v1");
        std::fs::create_dir_all(root.join("memory")).expect("a folder");
        std::fs::write(root.join("memory/memory.limit_in_bytes"), "268435456\n").expect("a file");
        let groups = "12:cpu,cpuacct:/docker/abc\n9:memory:/docker/abc\n";
        let found = groups_below(&root, groups);
        assert_eq!(
            found.len(),
            1,
            "the host's folder is not there, the root's file is"
        );
        assert_eq!(found[0].bytes, 256 << 20);
        std::fs::remove_dir_all(root).expect("ours");
    }

    #[test]
    fn this_process_holds_memory_and_files() {
        assert!(1 << 20 < resident_bytes() && resident_bytes() < memory_bytes());
        assert!(3 <= open_files());
    }
}
