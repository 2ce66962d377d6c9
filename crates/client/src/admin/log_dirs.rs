//! Log directories of brokers, and what lies in them.

use protocol::messages::describe_log_dirs_request::DescribeLogDirsRequest;
use protocol::messages::describe_log_dirs_response::{DescribeLogDirsResponse, DescribeLogDirsResult};
use types::BrokerId;

use super::{Admin, Each, TopicPartition};
use crate::{Error, Result, To};

/// A log directory of a broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogDirectory {
    /// Its path on the broker.
    pub path: String,
    /// The size of its file system in bytes; `None` if the broker does not tell.
    pub total_bytes: Option<u64>,
    /// The bytes that are left on it; `None` if the broker does not tell.
    pub usable_bytes: Option<u64>,
    /// The replicas in it.
    pub replicas: Vec<LogDirectoryReplica>,
}

/// A replica in a log directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogDirectoryReplica {
    /// Its partition.
    pub partition: TopicPartition,
    /// Its size in bytes.
    pub bytes: u64,
    /// How many records it lacks.
    pub offset_lag: i64,
    /// Whether it is being moved to this directory.
    pub is_future: bool,
}

fn directory(result: &DescribeLogDirsResult) -> LogDirectory {
    let replicas = result.topics.iter().flat_map(|topic| {
        topic.partitions.iter().map(|one| LogDirectoryReplica {
            partition: TopicPartition::new(topic.name.as_str(), one.partition_index),
            bytes: u64::try_from(one.partition_size).unwrap_or_default(),
            offset_lag: one.offset_lag,
            is_future: one.is_future_key,
        })
    });
    LogDirectory {
        path: result.log_dir.as_str().to_owned(),
        total_bytes: u64::try_from(result.total_bytes).ok(),
        usable_bytes: u64::try_from(result.usable_bytes).ok(),
        replicas: replicas.collect(),
    }
}

impl Admin {
    /// The log directories of brokers. A directory that is off line is an error by itself, named by its path.
    ///
    /// ```no_run
    /// # testkit::with_node(async |servers| -> client::Result<()> {
    /// # let client = client::Client::new(client::ClientConfig::new(&servers))?;
    /// # client.admin().create_topics(&[client::NewTopic::new("orders").partitions(3)]).await?;
    /// # let admin = client.admin();
    /// let brokers: Vec<_> = admin.describe_cluster().await?.brokers.iter().map(|broker| broker.id).collect();
    /// for (broker, directories) in admin.describe_log_dirs(&brokers).await? {
    ///     for (path, directory) in directories? {
    ///         println!("broker {broker}, {path}: {} replicas", directory?.replicas.len());
    ///     }
    /// }
    /// # Ok(())
    /// # });
    /// ```
    pub async fn describe_log_dirs(
        &self,
        brokers: &[BrokerId],
    ) -> Result<Each<BrokerId, Each<String, LogDirectory>>> {
        let mut outcomes = Vec::with_capacity(brokers.len());
        for broker in brokers {
            let request = DescribeLogDirsRequest {
                topics: None,
                ..DescribeLogDirsRequest::default()
            };
            let what = || format!("log directories of broker {broker}");
            let verdict = |answer: &DescribeLogDirsResponse| Error::check(answer.error_code, what);
            let answer = self.ask(To::Broker(*broker), &what(), &request, verdict).await;
            let outcome = answer.map(|answer| {
                let each = answer.results.iter().map(|result| {
                    let path = result.log_dir.as_str().to_owned();
                    let sound = Error::check(result.error_code, || path.clone());
                    (path, sound.map(|()| directory(result)))
                });
                each.collect()
            });
            outcomes.push((*broker, outcome));
        }
        Ok(outcomes)
    }
}
