//! What an operator asks of a cluster. A file a kind of thing.
//!
//! Calls over several things answer for each of them, in the order in which they were named.

mod cluster;
mod configs;
mod coordinator;
mod groups;
mod items;
mod leaders;
mod log_dirs;
mod offsets;
mod partitions;
mod records;
mod topics;

pub use cluster::{ClusterDescription, FeatureUpdate, Quorum, QuorumReplica};
pub use configs::{ConfigChange, ConfigEntry, ConfigSource, Resource, ResourceKind};
pub(crate) use groups::read_assignment;
pub use groups::{GroupDescription, GroupListing, GroupMember};
pub(crate) use items::indexes_by_topic;
pub use log_dirs::{LogDirectory, LogDirectoryReplica};
pub use offsets::CommittedOffset;
pub(crate) use offsets::Committer;
pub use partitions::TopicPartition;
pub use records::{FoundOffset, Isolation, OffsetSpec};
pub use topics::{CreatedTopic, NewTopic, TopicListing};

use crate::wire::Request;
use crate::{Client, Error, Result, To};

/// The outcome for each of several things, in the order in which they were named.
pub type Each<K, T> = Vec<(K, Result<T>)>;

/// Topics, groups, offsets, settings and the cluster itself.
///
/// ```no_run
/// # async fn example(client: client::Client) -> client::Result<()> {
/// let admin = client.admin();
/// let cluster = admin.describe_cluster().await?;
/// println!("{}: {} brokers", cluster.cluster_id, cluster.brokers.len());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Admin {
    pub(crate) client: Client,
}

impl Admin {
    pub(crate) fn new(client: Client) -> Admin {
        Admin { client }
    }

    /// The client that it calls with, for requests that have no function of their own.
    ///
    /// ```
    /// # testkit::with_node(async |servers| -> client::Result<()> {
    /// # let client = client::Client::new(client::ClientConfig::new(&servers))?;
    /// # let admin = client.admin();
    /// use client::To;
    /// use client::protocol::messages::list_transactions_request::ListTransactionsRequest;
    ///
    /// let version = admin.client().version_of::<ListTransactionsRequest>(To::Any).await;
    /// match version {
    ///     Ok(version) => println!("it is served in version {version}"),
    ///     Err(error) => println!("{error}"),
    /// }
    /// # Ok(())
    /// # });
    /// ```
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The milliseconds that a broker may take for what a request starts.
    fn timeout_ms(&self) -> i32 {
        i32::try_from(self.client.config().request_timeout.as_millis()).unwrap_or(i32::MAX)
    }

    /// Calls until the answer stands: `verdict` says whether the answer as a whole is a failure.
    pub(crate) async fn ask<Q: Request>(
        &self,
        to: To<'_>,
        what: &str,
        request: &Q,
        verdict: impl Fn(&Q::Response) -> Result<()> + Send + Sync,
    ) -> Result<Q::Response> {
        let mut retry = self.client.retry(what);
        if let To::Group(group) = to {
            retry = retry.of_group(group);
        }
        loop {
            let error = match self.client.call(to.clone(), request).await {
                Ok(answer) => match verdict(&answer) {
                    Ok(()) => return Ok(answer),
                    Err(error) => error,
                },
                Err(error) => error,
            };
            retry.pause(&self.client, error).await?;
        }
    }
}

/// The one failure of an item that concerns the whole request: another broker is the controller now.
fn moved(codes: impl IntoIterator<Item = i16>) -> Result<()> {
    let code = codes
        .into_iter()
        .find(|code| *code == types::ErrorCode::NotController.code());
    Error::check(code.unwrap_or(0), || "the controller".into())
}
