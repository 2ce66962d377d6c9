//! What is well, what deserves a look, and what will not work: measurements in, findings out.

use std::time::Duration;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    Good,
    /// It works, and a person should know.
    Warning,
    /// A node will not start, or will lose data or clients.
    Fault,
}

impl Status {
    pub fn name(self) -> &'static str {
        match self {
            Status::Good => "ok",
            Status::Warning => "warning",
            Status::Fault => "fault",
        }
    }
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub check: &'static str,
    pub status: Status,
    /// What there is, in words and numbers.
    pub found: String,
    /// What to do about it.
    pub advice: Option<String>,
}

impl Finding {
    pub fn good(check: &'static str, found: impl Into<String>) -> Finding {
        Finding {
            check,
            status: Status::Good,
            found: found.into(),
            advice: None,
        }
    }

    pub fn warning(check: &'static str, found: impl Into<String>) -> Finding {
        Finding {
            status: Status::Warning,
            ..Finding::good(check, found)
        }
    }

    pub fn fault(check: &'static str, found: impl Into<String>) -> Finding {
        Finding {
            status: Status::Fault,
            ..Finding::good(check, found)
        }
    }

    pub fn advice(mut self, advice: impl Into<String>) -> Finding {
        self.advice = Some(advice.into());
        self
    }
}

pub fn sync_time(median: Duration) -> Finding {
    let found = format!("{} us for 4 KiB (median)", median.as_micros());
    if Duration::from_millis(10) < median {
        return Finding::warning("disk sync time", found)
            .advice("every acknowledgement with acks=all waits for a sync: use a faster disk, or ottla.flush=interval where losing the last second at a power loss is acceptable");
    }
    if median < Duration::from_micros(5) {
        return Finding::warning("disk sync time", found).advice(
            "no disk is so fast: syncs are not carried out, and a power loss can take what was acknowledged",
        );
    }
    Finding::good("disk sync time", found)
}

pub fn file_system(kind: &str, point: &str) -> Finding {
    let found = format!("{kind}, mounted at {point}");
    let advice = match kind {
        "btrfs" | "zfs" | "bcachefs" => {
            "it copies on write, so that chunks are not written in place: ext4 or xfs is faster and fragments less"
        }
        "tmpfs" | "ramfs" => "everything is lost when the machine stops: use a disk for data that matters",
        "overlay" | "aufs" => "the data is gone with the container: mount a volume there",
        "nfs" | "nfs4" | "cifs" | "smb3" | "9p" | "virtiofs" => {
            "syncs, locks and preallocation over a network are not what they are on a disk: use a local or block device"
        }
        kind if kind.starts_with("fuse") => {
            "what a sync promises depends on the program behind it: use a local disk"
        }
        _ => return Finding::good("file system", found),
    };
    Finding::warning("file system", found).advice(advice)
}

pub fn free_space(bytes: u64) -> Finding {
    let found = format!("{} MiB free", bytes >> 20);
    if bytes < 256 << 20 {
        return Finding::fault("disk space", found)
            .advice("a node needs room for its first chunks: free at least 1 GiB");
    }
    if bytes < 2 << 30 {
        return Finding::warning("disk space", found)
            .advice("writing stops when the disk is full: free space, or shorten retention (log.retention.ms, log.retention.bytes)");
    }
    Finding::good("disk space", found)
}

pub fn open_files(now: u64, most: u64) -> Finding {
    let found = if most == u64::MAX {
        "unlimited".to_owned()
    } else {
        format!("{now}, raised to {most} at the start")
    };
    let advice =
        "a connection takes one descriptor: raise the hard limit (ulimit -Hn, LimitNOFILE= in a unit)";
    if most < 256 {
        return Finding::fault("open files", found).advice(advice);
    }
    if most < 4096 {
        return Finding::warning("open files", found).advice(advice);
    }
    Finding::good("open files", found)
}

/// `group` names the control group's file that limits it, if one does.
pub fn memory(bytes: u64, group: Option<&str>) -> Finding {
    let by = group.map_or_else(|| "the machine's".to_owned(), |file| format!("limited by {file}"));
    let found = format!("{} MiB, {by}", bytes >> 20);
    if bytes < 64 << 20 {
        return Finding::fault("memory", found)
            .advice("requests in flight alone may take 64 MiB: give at least 128 MiB");
    }
    if bytes < 256 << 20 {
        return Finding::warning("memory", found)
            .advice("lower ottla.memory.bytes and ottla.tail.cache.bytes, or give at least 256 MiB");
    }
    Finding::good("memory", found)
}

/// What the wall clock says, what says it is right, and the newest time that the data directory knows.
pub fn clock(now_ms: i64, disciplined: Option<bool>, newest_ms: Option<i64>) -> Finding {
    /// The first of January 2026: earlier than this code.
    const WRITTEN_MS: i64 = 1_767_225_600_000;
    const HOUR_MS: i64 = 3_600_000;
    if now_ms < WRITTEN_MS {
        return Finding::fault("clock", "it is before 2026")
            .advice("set the clock: retention and timestamps go by it");
    }
    if let Some(ahead) = newest_ms
        .map(|newest| newest - now_ms)
        .filter(|ahead| HOUR_MS < *ahead)
    {
        return Finding::fault(
            "clock",
            format!(
                "the data directory was written {} h in the future",
                ahead / HOUR_MS
            ),
        )
        .advice(
            "set the clock: it went back, and retention by time would keep too much or delete too early",
        );
    }
    if disciplined == Some(false) {
        return Finding::warning("clock", "nothing keeps it right")
            .advice("run an NTP client, such as chrony");
    }
    Finding::good(
        "clock",
        if disciplined.is_some() {
            "kept right"
        } else {
            "plausible"
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slow_and_impossible_syncs_are_told() {
        assert_eq!(sync_time(Duration::from_micros(300)).status, Status::Good);
        assert_eq!(sync_time(Duration::from_millis(12)).status, Status::Warning);
        assert_eq!(sync_time(Duration::from_micros(1)).status, Status::Warning);
    }

    #[test]
    fn file_systems_that_copy_on_write_or_forget_are_told() {
        for kind in ["btrfs", "zfs", "tmpfs", "overlay", "nfs4", "fuse.sshfs"] {
            assert_eq!(file_system(kind, "/").status, Status::Warning, "{kind}");
        }
        assert_eq!(file_system("ext4", "/").status, Status::Good);
        assert_eq!(file_system("xfs", "/").status, Status::Good);
    }

    #[test]
    fn limits_are_good_from_their_bound_on() {
        assert_eq!(open_files(256, 255).status, Status::Fault);
        assert_eq!(open_files(256, 4095).status, Status::Warning);
        assert_eq!(open_files(1024, 4096).status, Status::Good);
        assert_eq!(memory((64 << 20) - 1, Some("/x")).status, Status::Fault);
        assert_eq!(memory((256 << 20) - 1, None).status, Status::Warning);
        assert_eq!(memory(256 << 20, None).status, Status::Good);
        assert_eq!(free_space((256 << 20) - 1).status, Status::Fault);
        assert_eq!(free_space(2 << 30).status, Status::Good);
    }

    #[test]
    fn a_clock_that_went_back_is_a_fault() {
        let now = 1_795_000_000_000;
        assert_eq!(clock(now, Some(true), Some(now - 5)).status, Status::Good);
        assert_eq!(
            clock(now, Some(true), Some(now + 7_200_000)).status,
            Status::Fault
        );
        assert_eq!(clock(now, Some(false), None).status, Status::Warning);
        assert_eq!(clock(1_000, Some(true), None).status, Status::Fault);
    }
}
