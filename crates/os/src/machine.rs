//! What kind of machine this is: file systems, limits, clock. For those who advise a person, not for hot paths.

use std::path::{Path, PathBuf};

/// Where a path lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    pub point: PathBuf,
    /// The kernel's name, such as `ext4`.
    pub kind: String,
}

/// The mount that holds a path, or would hold it once it is made; `None` where the system does not say.
pub fn mount_of(path: &Path) -> Option<Mount> {
    let whole = std::path::absolute(path).ok()?;
    let there = whole.ancestors().find_map(|level| level.canonicalize().ok())?;
    mount_in(&std::fs::read_to_string("/proc/self/mountinfo").ok()?, &there)
}

/// The line of the longest mount point above `path`; of two the later, which covers the earlier (proc(5), mountinfo).
fn mount_in(table: &str, path: &Path) -> Option<Mount> {
    let rows = table.lines().filter_map(|line| {
        let (front, back) = line.split_once(" - ")?;
        let point = PathBuf::from(unescaped(front.split(' ').nth(4)?));
        let kind = back.split(' ').next()?.to_owned();
        path.starts_with(&point).then_some(Mount { point, kind })
    });
    rows.max_by_key(|mount| mount.point.components().count())
}

/// Blanks in paths are written in octal.
fn unescaped(text: &str) -> String {
    text.replace("\\040", " ")
        .replace("\\011", "\t")
        .replace("\\134", "\\")
}

/// How many files this process may open: now, and at most without more rights.
pub fn open_file_limits() -> Option<(u64, u64)> {
    let limits = std::fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))?;
    let mut numbers = line.split_ascii_whitespace().map(|word| match word {
        "unlimited" => Some(u64::MAX),
        number => number.parse().ok(),
    });
    Some((numbers.next()??, numbers.next()??))
}

/// Whether something keeps the wall clock right (NTP or PTP), as the kernel was told; `None` where it does not say.
#[allow(unsafe_code)]
pub fn clock_is_disciplined() -> Option<bool> {
    // SAFETY: timex is plain numbers, for which zeros are a value; with modes 0 the call only writes into it.
    let state = unsafe {
        let mut timex: libc::timex = std::mem::zeroed();
        libc::adjtimex(&raw mut timex)
    };
    match state {
        libc::TIME_ERROR => Some(false),
        negative if negative < 0 => None,
        _ => Some(true),
    }
}

/// Whether this process runs in a container, as far as one can tell.
pub fn in_container() -> bool {
    let marked = ["/.dockerenv", "/run/.containerenv"]
        .iter()
        .any(|path| Path::new(path).exists());
    marked || std::env::var_os("KUBERNETES_SERVICE_HOST").is_some()
}

/// When a file was last changed, in milliseconds since 1970.
pub fn modified_ms(path: &Path) -> Option<i64> {
    let modified = std::fs::metadata(path).ok()?.modified().ok()?;
    let since = modified.duration_since(std::time::UNIX_EPOCH).ok()?;
    i64::try_from(since.as_millis()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "\
22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
30 22 0:25 / /var rw - btrfs /dev/vdb rw
31 30 0:26 / /var/lib/my\\040data rw shared:7 master:1 - tmpfs tmpfs rw
32 22 0:27 / /var rw - xfs /dev/vdc rw
";

    #[test]
    fn the_nearest_mount_counts_and_the_later_of_two() {
        let kind = |path: &str| mount_in(TABLE, Path::new(path)).expect("a root").kind;
        assert_eq!(kind("/home"), "ext4");
        assert_eq!(kind("/various"), "ext4");
        assert_eq!(kind("/var/log"), "xfs");
        assert_eq!(kind("/var/lib/my data/x"), "tmpfs");
    }

    #[test]
    fn this_machine_has_a_root_and_limits() {
        assert!(mount_of(Path::new("/not/there/yet")).is_some());
        let (now, most) = open_file_limits().expect("Linux says so");
        assert!(3 < now && now <= most);
        assert!(modified_ms(Path::new("/proc/self/limits")).is_some());
    }
}
