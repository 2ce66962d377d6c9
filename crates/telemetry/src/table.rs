//! Every metric that this node has: name, type, unit, labels, and what it says to a person.

/// What may become of a metric's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Grows, and begins at 0 with the process.
    Counter,
    Gauge,
    Histogram,
}

impl Kind {
    /// Prometheus' word.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    Count,
    Bytes,
    Seconds,
    /// 0 or 1.
    Flag,
}

/// A row of the table.
#[derive(Debug, Clone, Copy)]
pub struct Metric {
    pub name: &'static str,
    pub kind: Kind,
    pub unit: Unit,
    pub labels: &'static [&'static str],
    /// One sentence.
    pub doc: &'static str,
}

macro_rules! metrics {
    ($($id:ident: $name:literal, $kind:ident, $unit:ident, $labels:expr, $doc:literal;)*) => {
        $(#[doc = $doc]
        pub static $id: Metric = Metric {
            name: $name, kind: Kind::$kind, unit: Unit::$unit, labels: &$labels, doc: $doc,
        };)*

        /// All of them, in the order of the page.
        pub static ALL: &[&Metric] = &[$(&$id,)*];
    };
}

metrics! {
    REQUESTS: "ottla_requests_total", Counter, Count, ["api"],
        "Requests that were answered, or that ended their connection.";
    REQUEST_BYTES: "ottla_request_bytes_total", Counter, Bytes, ["api"],
        "Bytes of requests, without the size in front.";
    RESPONSE_BYTES: "ottla_response_bytes_total", Counter, Bytes, ["api"],
        "Bytes of answers, with the size in front.";
    REQUESTS_CLOSED: "ottla_requests_closed_total", Counter, Count, ["api"],
        "Requests that were answered by closing the connection, as Kafka does with what it cannot answer.";
    REQUEST_QUEUE: "ottla_request_queue_seconds", Histogram, Seconds, ["api"],
        "From the arrival of a request's last byte until work on it began: earlier answers, or memory, were waited for.";
    REQUEST_HANDLE: "ottla_request_handle_seconds", Histogram, Seconds, ["api"],
        "Work on a request until it was answered or had to wait.";
    REQUEST_PARK: "ottla_request_park_seconds", Histogram, Seconds, ["api"],
        "A request's wait for the disk (Produce), for records (Fetch), for members (JoinGroup) or for the metadata log.";
    REQUEST_ERRORS: "ottla_request_errors_total", Counter, Count, ["api", "error"],
        "Error codes in answers, each partition or resource for itself, under Kafka's names.";
    CONNECTIONS: "ottla_connections", Gauge, Count, [],
        "Connections of Kafka clients that are open.";
    CONNECTIONS_ACCEPTED: "ottla_connections_accepted_total", Counter, Count, [],
        "Connections that were let in.";
    CONNECTIONS_REFUSED: "ottla_connections_refused_total", Counter, Count, ["reason"],
        "Connections that were not let in: max.connections, max.connections.per.ip, or too many in a second.";
    CONNECTIONS_CLOSED: "ottla_connections_closed_total", Counter, Count, ["reason"],
        "Connections that ended, by reason.";
    REQUEST_MEMORY: "ottla_request_memory_bytes", Gauge, Bytes, [],
        "Memory that requests in flight hold; when it reaches ottla_request_memory_limit_bytes, reading pauses.";
    REQUEST_MEMORY_LIMIT: "ottla_request_memory_limit_bytes", Gauge, Bytes, [],
        "Memory that requests in flight may hold (ottla.memory.bytes).";
    TOPICS: "ottla_topics", Gauge, Count, [],
        "Topics of which this node has partitions.";
    PARTITIONS: "ottla_partitions", Gauge, Count, [],
        "Partitions on this node.";
    PARTITIONS_OFFLINE: "ottla_partitions_offline", Gauge, Count, [],
        "Partitions that cannot be read or written, because their log is damaged or their directory is fenced.";
    FETCH_SESSIONS: "ottla_fetch_sessions", Gauge, Count, [],
        "Fetch sessions that are remembered.";
    GROUPS: "ottla_groups", Gauge, Count, ["state"],
        "Groups that this node coordinates, by state.";
    LOG_ALLOCATED: "ottla_log_allocated_bytes", Gauge, Bytes, ["directory"],
        "Bytes of chunks on disk: in use, and spare.";
    LOG_LIVE: "ottla_log_live_bytes", Gauge, Bytes, ["directory"],
        "Bytes of batches that can be read.";
    LOG_SYNC: "ottla_log_sync_seconds", Histogram, Seconds, ["directory"],
        "Time that a sync of the log took; an acknowledgement with acks=all waits for one.";
    LOG_FENCED: "ottla_log_directory_fenced", Gauge, Flag, ["directory"],
        "1 after a failed write or sync: nothing is written any more until a restart.";
    CPU: "process_cpu_seconds_total", Counter, Seconds, [],
        "Time of the processors that this process has used.";
    RESIDENT: "process_resident_memory_bytes", Gauge, Bytes, [],
        "Memory that this process holds.";
    OPEN_FILES: "process_open_fds", Gauge, Count, [],
        "File descriptors that are open.";
    MAX_FILES: "process_max_fds", Gauge, Count, [],
        "File descriptors that may be open.";
    UPTIME: "ottla_uptime_seconds", Gauge, Seconds, [],
        "Time since this node was ready.";
    BUILD: "ottla_build_info", Gauge, Flag, ["version"],
        "1, with the version of this build.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_once_and_say_their_unit() {
        let mut names: Vec<&str> = ALL.iter().map(|metric| metric.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ALL.len());
        for metric in ALL {
            let base = metric.name.strip_suffix("_total").unwrap_or(metric.name);
            assert_eq!(
                metric.kind == Kind::Counter,
                base != metric.name,
                "{}",
                metric.name
            );
            match metric.unit {
                Unit::Bytes => assert!(base.ends_with("_bytes"), "{}", metric.name),
                Unit::Seconds => assert!(base.ends_with("_seconds"), "{}", metric.name),
                Unit::Count | Unit::Flag => {}
            }
            assert!(
                metric.doc.ends_with('.') && !metric.doc.contains('\n'),
                "{}",
                metric.name
            );
        }
    }
}
