//! What the broker says of itself to whoever measures.

use std::collections::BTreeMap;

use coordinator::group::Filter;
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
        self.write_groups(text);
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

    fn write_groups(&self, text: &mut Text) {
        // States that groups pass through are there from the start, so that a rate of change can be seen.
        let mut states: BTreeMap<&str, u64> =
            ["Empty", "Stable", "PreparingRebalance", "CompletingRebalance"]
                .map(|state| (state, 0))
                .into();
        let every = Filter::new(&[], &[]);
        for slot in self.coordinators.slots() {
            // A shard that is not loaded has no group here.
            let _ = slot.look(self, |shard, _| {
                shard
                    .list(&every)
                    .for_each(|listed| *states.entry(listed.state).or_default() += 1);
            });
        }
        text.family(&table::GROUPS);
        for (state, count) in states {
            text.sample(&[("state", state)], count as f64);
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
        if self.directory.is_full() {
            reasons.push(format!(
                "the disk of {} is full: events are refused until there is room",
                self.directory.path().display()
            ));
        }
        reasons
    }
}
