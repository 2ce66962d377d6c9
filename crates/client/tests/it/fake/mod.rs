//! Two brokers of a cluster in memory, as far as producers and members of classic groups need one.
//!
//! One version of each key is served. The brokers keep the batches they acknowledged and the last five of each
//! producer, check sequences, epochs and generations as Kafka does, and move leaders.

mod group;
mod log;
mod serve;

pub use group::Group;
pub use log::{Appended, Log};

use std::collections::BTreeMap;
use std::sync::Arc;

use client::transport::InProcess;
use parking_lot::Mutex;

/// Everything that the brokers know.
#[derive(Default)]
pub struct State {
    pub partitions: Vec<Log>,
    pub groups: BTreeMap<String, Group>,
    pub producer_ids: i64,
    pub member_ids: u64,
    /// Every accepted commit: generation, member, partition, offset.
    pub commits: Vec<(i32, String, i32, i64)>,
}

/// The cluster, shared by its brokers.
#[derive(Clone, Default)]
pub struct Cluster(pub Arc<Mutex<State>>);

pub const TOPIC: &str = "t";
pub const TOPIC_ID: types::Uuid = types::Uuid([7; 16]);
pub const BROKERS: i32 = 2;

impl Cluster {
    /// A dialer to the brokers: broker 0 at `b0`, broker 1 at `b1`, any port.
    pub fn dialer(&self) -> InProcess {
        let cluster = self.clone();
        InProcess::new(move |stream, host, _port| {
            let broker = host.trim_start_matches('b').parse().unwrap_or(0);
            tokio::spawn(serve::serve(cluster.clone(), broker, stream));
            Ok(())
        })
    }

    pub fn new(partitions: usize) -> Cluster {
        let cluster = Cluster::default();
        cluster.0.lock().partitions = (0..partitions)
            .map(|one| Log::new(one as i32 % BROKERS))
            .collect();
        cluster
    }

    /// The other broker leads a partition from now on.
    pub fn move_leader(&self, partition: usize) {
        if let Some(log) = self.0.lock().partitions.get_mut(partition) {
            log.leader = (log.leader + 1) % BROKERS;
            log.epoch += 1;
        }
    }
}
