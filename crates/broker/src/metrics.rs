//! What the broker says of itself to whoever measures.

use telemetry::{Names, Text, table};
use types::ErrorCode;

use crate::Broker;

const NAMES: Names = Names {
    api: |key| protocol::ApiKey::from_code(key).map_or("unknown", |key| key.name()),
    error: |code| ErrorCode::from_code(code).map_or("unknown", ErrorCode::name),
};

impl Broker {
    /// Everything this broker counts, in Prometheus' text. Looks at every partition, so not for a runtime's thread.
    pub fn write_metrics(&self, text: &mut Text) {
        self.requests.write(text, NAMES);
        self.write_partitions(text);
        text.family(&table::FETCH_SESSIONS);
        text.sample(&[], self.fetch_sessions.len() as f64);
        self.write_directory(text);
    }

    fn write_partitions(&self, text: &mut Text) {
        let topics = self.topics.all();
        let (mut partitions, mut offline) = (0, 0);
        for partition in topics.iter().flat_map(|topic| topic.partitions()) {
            partitions += 1;
            offline += usize::from(partition.is_offline());
        }
        for (metric, value) in [
            (&table::TOPICS, topics.len()),
            (&table::PARTITIONS, partitions),
            (&table::PARTITIONS_OFFLINE, offline),
        ] {
            text.family(metric);
            text.sample(&[], value as f64);
        }
    }

    fn write_directory(&self, text: &mut Text) {
        let path = self.directory.path().to_string_lossy();
        let labels = [("directory", &*path)];
        for (metric, value) in [
            (&table::LOG_ALLOCATED, self.directory.allocated_bytes()),
            (&table::LOG_LIVE, self.directory.live_bytes()),
            (&table::LOG_FENCED, u64::from(self.directory.is_fenced())),
        ] {
            text.family(metric);
            text.sample(&labels, value as f64);
        }
        text.family(&table::LOG_SYNC);
        text.histogram(&labels, &self.directory.sync_times());
    }

    /// Why no client should be sent here now; empty if there is no reason.
    pub fn not_ready(&self) -> Vec<String> {
        let mut reasons = Vec::new();
        if self.directory.is_fenced() {
            reasons.push(format!(
                "the log directory {} is fenced after a failed write or sync",
                self.directory.path().display()
            ));
        }
        reasons
    }
}
