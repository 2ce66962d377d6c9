//! The client proper: settings, connections, metadata, and calls to whichever broker is right.

use std::ops::RangeInclusive;
use std::sync::Arc;

use arc_swap::ArcSwap;
use protocol::messages::find_coordinator_request::FindCoordinatorRequest;
use protocol::messages::metadata_request::{MetadataRequest, MetadataRequestTopic};
use rustc_hash::FxHashMap;
use tokio::time::Instant;
use types::{BrokerId, LeaderEpoch};

use crate::metadata::{Broker, Metadata, Topic};
use crate::pool::{Lane, Pool, Target};
use crate::retry::Retry;
use crate::wire::{Connection, Request, Versions};
use crate::{ClientConfig, Error, Result};

/// A client of a cluster. Cheap to clone; clones share connections and metadata.
///
/// Nothing is dialled before the first call. Calls need a tokio runtime with time and IO enabled.
///
/// ```
/// # testkit::with_node(async |servers| -> client::Result<()> {
/// # let client = client::Client::new(client::ClientConfig::new(&servers))?;
/// # client.admin().create_topics(&[client::NewTopic::new("orders").partitions(3)]).await?;
/// use client::{Client, ClientConfig};
///
/// let client = Client::new(ClientConfig::new(&servers))?;
/// for topic in client.admin().list_topics().await? {
///     println!("{} has {} partitions", topic.name, topic.partitions);
/// }
/// # Ok(())
/// # });
/// ```
#[derive(Debug, Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    config: ClientConfig,
    pool: Pool,
    metadata: ArcSwap<Metadata>,
    /// One refresh at a time; holds when the last one ended.
    refreshing: tokio::sync::Mutex<Option<Instant>>,
    coordinators: parking_lot::Mutex<FxHashMap<String, BrokerId>>,
}

/// Whom a call goes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum To<'a> {
    /// Whichever broker can be reached.
    Any,
    /// The controller, or the broker that forwards to it.
    Controller,
    /// One broker.
    Broker(BrokerId),
    /// The coordinator of a group.
    Group(&'a str),
}

/// Which topics metadata is asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Wanted<'a> {
    All,
    Names(&'a [&'a str]),
    /// Brokers only.
    Nothing,
}

impl Client {
    /// Checks the settings. Dials nothing.
    ///
    /// ```
    /// # testkit::with_node(async |servers| -> client::Result<()> {
    /// # let client = client::Client::new(client::ClientConfig::new(&servers))?;
    /// use client::{Client, ClientConfig};
    ///
    /// let client = Client::new(ClientConfig::new(&servers).with_client_id("shop"))?;
    /// assert!(Client::new(ClientConfig::new("no port")).is_err());
    /// # Ok(())
    /// # });
    /// ```
    pub fn new(config: ClientConfig) -> Result<Client> {
        let pool = Pool::new(&config)?;
        Ok(Client {
            inner: Arc::new(Inner {
                config,
                pool,
                metadata: ArcSwap::default(),
                refreshing: tokio::sync::Mutex::new(None),
                coordinators: parking_lot::Mutex::default(),
            }),
        })
    }

    /// A client with the same settings and its own connections.
    pub(crate) fn fork(&self) -> Result<Client> {
        let forked = Client::new(self.inner.config.clone())?;
        forked.inner.metadata.store(self.inner.metadata.load_full());
        Ok(forked)
    }

    /// The settings.
    pub fn config(&self) -> &ClientConfig {
        &self.inner.config
    }

    /// Topics, groups, offsets, settings and the cluster itself.
    ///
    /// ```
    /// # testkit::with_node(async |servers| -> client::Result<()> {
    /// # let client = client::Client::new(client::ClientConfig::new(&servers))?;
    /// assert_eq!(client.admin().describe_cluster().await?.brokers.len(), 1);
    /// # Ok(())
    /// # });
    /// ```
    pub fn admin(&self) -> crate::Admin {
        crate::Admin::new(self.clone())
    }

    /// What is known of the cluster now. Asks nobody.
    ///
    /// ```
    /// # testkit::with_node(async |servers| -> client::Result<()> {
    /// # let client = client::Client::new(client::ClientConfig::new(&servers))?;
    /// # client.admin().create_topics(&[client::NewTopic::new("orders").partitions(3)]).await?;
    /// client.admin().describe_topics(&["orders"]).await?;
    /// let metadata = client.metadata();
    /// let orders = metadata.topic("orders").expect("it was just described");
    /// assert_eq!(orders.partitions.len(), 3);
    /// # Ok(())
    /// # });
    /// ```
    pub fn metadata(&self) -> Arc<Metadata> {
        self.inner.metadata.load_full()
    }

    /// Sends any request of Kafka's protocol once, in the highest version that both sides have, and waits for the
    /// answer. Error codes inside the answer are the caller's to read.
    ///
    /// ```
    /// # testkit::with_node(async |servers| -> client::Result<()> {
    /// # let client = client::Client::new(client::ClientConfig::new(&servers))?;
    /// use client::To;
    /// use client::protocol::messages::describe_cluster_request::DescribeClusterRequest;
    ///
    /// let answer = client.call(To::Any, &DescribeClusterRequest::default()).await?;
    /// assert_eq!(answer.brokers.len(), 1);
    /// # Ok(())
    /// # });
    /// ```
    pub async fn call<Q: Request>(&self, to: To<'_>, request: &Q) -> Result<Q::Response> {
        self.call_within(to, request, &Q::VERSIONS).await
    }

    /// As [`Client::call`], in a version out of `versions`.
    ///
    /// ```
    /// # testkit::with_node(async |servers| -> client::Result<()> {
    /// # let client = client::Client::new(client::ClientConfig::new(&servers))?;
    /// use client::To;
    /// use client::protocol::messages::metadata_request::MetadataRequest;
    ///
    /// let answer = client.call_within(To::Any, &MetadataRequest::default(), &(9..=12)).await?;
    /// assert_eq!(answer.brokers.len(), 1);
    /// # Ok(())
    /// # });
    /// ```
    pub async fn call_within<Q: Request>(
        &self,
        to: To<'_>,
        request: &Q,
        versions: &RangeInclusive<i16>,
    ) -> Result<Q::Response> {
        let connection = self.connection(to, Lane::Calls).await?;
        let answer = connection.send(request, versions, self.inner.config.request_timeout)?;
        answer.receive().await
    }

    /// What a broker serves.
    ///
    /// ```
    /// # testkit::with_node(async |servers| -> client::Result<()> {
    /// # let client = client::Client::new(client::ClientConfig::new(&servers))?;
    /// use client::To;
    /// use client::protocol::ApiKey;
    ///
    /// let versions = client.versions(To::Any).await?;
    /// assert!(versions.of(ApiKey::Fetch).is_some_and(|fetch| fetch.contains(&12)));
    /// # Ok(())
    /// # });
    /// ```
    pub async fn versions(&self, to: To<'_>) -> Result<Arc<Versions>> {
        Ok(self.connection(to, Lane::Calls).await?.versions().clone())
    }

    /// The version in which a request would go to a broker, or an error if the broker has none of ours.
    ///
    /// ```
    /// # testkit::with_node(async |servers| -> client::Result<()> {
    /// # let client = client::Client::new(client::ClientConfig::new(&servers))?;
    /// use client::To;
    /// use client::protocol::messages::fetch_request::FetchRequest;
    ///
    /// assert!(12 <= client.version_of::<FetchRequest>(To::Any).await?);
    /// # Ok(())
    /// # });
    /// ```
    pub async fn version_of<Q: Request>(&self, to: To<'_>) -> Result<i16> {
        self.connection(to, Lane::Calls)
            .await?
            .version_of::<Q>(&Q::VERSIONS)
    }

    pub(crate) async fn connection(&self, to: To<'_>, lane: Lane) -> Result<Connection> {
        match to {
            To::Any => self.any().await,
            To::Broker(id) => self.broker_connection(id, lane).await,
            To::Controller => {
                if self.metadata().broker(self.metadata().controller).is_none() {
                    self.refresh(Wanted::Nothing).await?;
                }
                let controller = self.metadata().controller;
                if controller == BrokerId::NONE {
                    return self.any().await;
                }
                self.broker_connection(controller, lane).await
            }
            To::Group(group) => {
                let id = self.coordinator(group).await?;
                self.broker_connection(id, lane).await
            }
        }
    }

    async fn broker_connection(&self, id: BrokerId, lane: Lane) -> Result<Connection> {
        if self.metadata().broker(id).is_none() {
            self.refresh(Wanted::Nothing).await?;
        }
        let metadata = self.metadata();
        let broker = metadata.broker(id).ok_or_else(|| Error::Broker {
            what: format!("broker {id}"),
            code: types::ErrorCode::BrokerNotAvailable,
            message: Some("no such broker is in the cluster".into()),
        })?;
        let target = Target::Broker(id, lane);
        self.inner
            .pool
            .get(&self.inner.config, target, &broker.host, broker.port)
            .await
    }

    /// A connection to whichever broker answers: one that is open, else the known brokers from a random one on, else
    /// the bootstrap servers (KIP-899).
    async fn any(&self) -> Result<Connection> {
        if let Some(open) = self.inner.pool.any_open() {
            return Ok(open);
        }
        let mut tried = Vec::new();
        let metadata = self.metadata();
        let start = self.inner.config.random.u64() as usize % metadata.brokers.len().max(1);
        let (later, first) = metadata.brokers.split_at(start);
        for broker in first.iter().chain(later) {
            let target = Target::Broker(broker.id, Lane::Calls);
            match self
                .inner
                .pool
                .get(&self.inner.config, target, &broker.host, broker.port)
                .await
            {
                Ok(connection) => return Ok(connection),
                Err(error) => tried.push((format!("{}:{}", broker.host, broker.port), error)),
            }
        }
        for (index, (host, port)) in self.inner.pool.bootstrap().iter().enumerate() {
            let name = format!("{host}:{port}");
            if tried.iter().any(|(address, _)| *address == name) {
                continue;
            }
            match self
                .inner
                .pool
                .get(&self.inner.config, Target::Bootstrap(index), host, *port)
                .await
            {
                Ok(connection) => return Ok(connection),
                Err(error) => tried.push((name, error)),
            }
        }
        Err(Error::NoBroker { tried })
    }

    /// Asks for metadata once and keeps the answer.
    pub(crate) async fn refresh(&self, wanted: Wanted<'_>) -> Result<()> {
        self.refresh_with(wanted, false).await
    }

    async fn refresh_with(&self, wanted: Wanted<'_>, create: bool) -> Result<()> {
        let mut last = self.inner.refreshing.lock().await;
        let named = |name: &&str| MetadataRequestTopic {
            name: Some((*name).into()),
            ..MetadataRequestTopic::default()
        };
        let topics = match wanted {
            Wanted::All => None,
            Wanted::Names(names) => Some(names.iter().map(named).collect()),
            Wanted::Nothing => Some(Vec::new()),
        };
        let all = topics.is_none();
        let request = MetadataRequest {
            topics,
            allow_auto_topic_creation: create,
            ..MetadataRequest::default()
        };
        // Versions before 1 say "all" with an empty list; before 4 they cannot refuse to create.
        let lowest = if create { 1 } else { 4 };
        let connection = self.any().await?;
        let timeout = self.inner.config.request_timeout;
        let response = connection
            .send(&request, &(lowest..=13), timeout)?
            .receive()
            .await?;
        Error::check(response.error_code, || "metadata".into())?;
        // A broker that knows of no broker, itself included, is starting or lies.
        if response.brokers.is_empty() {
            return Err(Error::Broker {
                what: format!("metadata of {}", connection.address()),
                code: types::ErrorCode::BrokerNotAvailable,
                message: Some("it names no broker".into()),
            });
        }
        self.inner.metadata.rcu(|old| old.updated(&response, all));
        self.inner.pool.keep(&self.metadata().brokers);
        *last = Some(Instant::now());
        Ok(())
    }

    /// Whether metadata is older than `metadata.max.age.ms`.
    pub(crate) async fn metadata_is_old(&self) -> bool {
        let last = self.inner.refreshing.lock().await;
        last.is_none_or(|at| self.inner.config.metadata_max_age <= at.elapsed())
    }

    /// A topic with at least one partition, asked for until it is there or time is up.
    pub(crate) async fn topic(&self, name: &str, create: bool) -> Result<Arc<Topic>> {
        if let Some(topic) = self.metadata().topic(name) {
            return Ok(topic.clone());
        }
        let mut retry = self.retry(&format!("metadata of {name}"));
        loop {
            let error = match self.refresh_with(Wanted::Names(&[name]), create).await {
                Ok(()) => match self.metadata().topic(name) {
                    Some(topic) => return Ok(topic.clone()),
                    None => self
                        .metadata()
                        .error_of(name)
                        .cloned()
                        .unwrap_or(Error::Protocol {
                            address: "a broker".into(),
                            reason: format!("no metadata of {name}, which was asked for"),
                        }),
                },
                Err(error) => error,
            };
            retry.pause(self, error).await?;
        }
    }

    /// The coordinator of a group, from memory or asked for once.
    pub(crate) async fn coordinator(&self, group: &str) -> Result<BrokerId> {
        let known = self.inner.coordinators.lock().get(group).copied();
        if let Some(known) = known {
            return Ok(known);
        }
        let connection = self.any().await?;
        let version = connection.version_of::<FindCoordinatorRequest>(&(0..=6))?;
        let mut request = FindCoordinatorRequest::default();
        if 4 <= version {
            request.coordinator_keys = vec![group.into()];
        } else {
            request.key = group.into();
        }
        let timeout = self.inner.config.request_timeout;
        let response = connection
            .send(&request, &(version..=version), timeout)?
            .receive()
            .await?;
        let what = || format!("the coordinator of group {group}");
        let (id, host, port) = if version < 4 {
            Error::check_with(response.error_code, response.error_message.as_ref(), what)?;
            (response.node_id, response.host, response.port)
        } else {
            let answered = response.coordinators.iter().find(|one| one.key == *group);
            let one = answered.ok_or_else(|| Error::Protocol {
                address: connection.address().to_owned(),
                reason: format!("it does not name {}", what()),
            })?;
            Error::check_with(one.error_code, one.error_message.as_ref(), what)?;
            (one.node_id, one.host.clone(), one.port)
        };
        let broker = Broker {
            id: BrokerId(id),
            host: host.as_str().to_owned(),
            port: u16::try_from(port).unwrap_or_default(),
            rack: None,
        };
        self.learn_broker(broker);
        self.inner
            .coordinators
            .lock()
            .insert(group.to_owned(), BrokerId(id));
        Ok(BrokerId(id))
    }

    fn learn_broker(&self, broker: Broker) {
        if self.metadata().broker(broker.id).is_some() {
            return;
        }
        self.inner.metadata.rcu(|old| {
            let mut next = Metadata::clone(old);
            next.brokers.retain(|known| known.id != broker.id);
            next.brokers.push(broker.clone());
            next.brokers.sort_by_key(|known| known.id);
            next
        });
    }

    /// Forgets which broker coordinates a group.
    pub(crate) fn forget_coordinator(&self, group: &str) {
        self.inner.coordinators.lock().remove(group);
    }

    /// A refusal named the new leader (KIP-951). Says whether that was news.
    pub(crate) fn learn_leader(
        &self,
        topic: &str,
        partition: i32,
        leader: (BrokerId, LeaderEpoch),
        endpoint: Option<Broker>,
    ) -> bool {
        let mut news = false;
        self.inner.metadata.rcu(|old| {
            match old.with_leader(topic, partition, leader.0, leader.1, endpoint.clone()) {
                Some(next) => {
                    news = true;
                    Arc::new(next)
                }
                None => {
                    news = false;
                    old.clone()
                }
            }
        });
        news
    }

    /// Attempts at one call, within `default.api.timeout.ms`.
    pub(crate) fn retry(&self, what: &str) -> Retry {
        Retry::new(what, self.inner.config.api_timeout)
    }
}
