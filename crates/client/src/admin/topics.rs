//! Topics: list, create, delete, describe, add partitions.

use std::sync::Arc;

use protocol::messages::create_partitions_request::{CreatePartitionsRequest, CreatePartitionsTopic};
use protocol::messages::create_topics_request::{
    CreatableReplicaAssignment, CreatableTopic, CreatableTopicConfig, CreateTopicsRequest,
};
use protocol::messages::delete_topics_request::{DeleteTopicState, DeleteTopicsRequest};
use types::{BrokerId, TopicId};

use super::{Admin, Each, moved};
use crate::client::Wanted;
use crate::{Error, Result, To, Topic};

/// A topic to be created.
///
/// ```
/// use client::NewTopic;
///
/// let topic = NewTopic::new("orders").partitions(6).config("cleanup.policy", "compact");
/// assert_eq!(topic.name(), "orders");
/// ```
#[derive(Debug, Clone)]
pub struct NewTopic {
    topic: CreatableTopic,
}

impl NewTopic {
    /// A topic with the cluster's default partitions and replication factor.
    pub fn new(name: &str) -> NewTopic {
        NewTopic {
            topic: CreatableTopic {
                name: name.into(),
                num_partitions: -1,
                replication_factor: -1,
                ..CreatableTopic::default()
            },
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.topic.name
    }

    /// How many partitions it gets.
    pub fn partitions(mut self, count: i32) -> NewTopic {
        self.topic.num_partitions = count;
        self
    }

    /// How many brokers hold each partition.
    pub fn replication_factor(mut self, factor: i16) -> NewTopic {
        self.topic.replication_factor = factor;
        self
    }

    /// A setting of the topic.
    pub fn config(mut self, name: &str, value: &str) -> NewTopic {
        self.topic.configs.push(CreatableTopicConfig {
            name: name.into(),
            value: Some(value.into()),
            ..CreatableTopicConfig::default()
        });
        self
    }

    /// The brokers of the next partition, preferred leader first. Takes the place of the two counts.
    pub fn assign(mut self, replicas: &[BrokerId]) -> NewTopic {
        let partition_index = self.topic.assignments.len() as i32;
        self.topic.num_partitions = -1;
        self.topic.replication_factor = -1;
        self.topic.assignments.push(CreatableReplicaAssignment {
            partition_index,
            broker_ids: replicas.iter().map(|id| id.0).collect(),
            ..CreatableReplicaAssignment::default()
        });
        self
    }
}

/// A topic that was created, or would have been.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreatedTopic {
    /// Its id; zero if the broker does not tell, or only checked.
    pub id: TopicId,
    /// Its partitions; -1 if the broker does not tell.
    pub partitions: i32,
    /// Its replication factor; -1 if the broker does not tell.
    pub replication_factor: i16,
}

/// A topic in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicListing {
    /// Its name.
    pub name: String,
    /// Its id; zero if the broker does not tell.
    pub id: TopicId,
    /// Whether it is one of Kafka's own.
    pub internal: bool,
    /// How many partitions it has.
    pub partitions: usize,
}

impl Admin {
    /// Every topic that this client may see, Kafka's own too, by name.
    ///
    /// ```
    /// # testkit::with_node(async |servers| -> client::Result<()> {
    /// # let client = client::Client::new(client::ClientConfig::new(&servers))?;
    /// # client.admin().create_topics(&[client::NewTopic::new("orders").partitions(3)]).await?;
    /// # let admin = client.admin();
    /// let topics = admin.list_topics().await?;
    /// assert_eq!((topics[0].name.as_str(), topics[0].partitions), ("orders", 3));
    /// # Ok(())
    /// # });
    /// ```
    pub async fn list_topics(&self) -> Result<Vec<TopicListing>> {
        let mut retry = self.client.retry("listing the topics");
        while let Err(error) = self.client.refresh(Wanted::All).await {
            retry.pause(&self.client, error).await?;
        }
        let metadata = self.client.metadata();
        let mut topics: Vec<TopicListing> = metadata
            .topics()
            .map(|topic| TopicListing {
                name: topic.name.to_string(),
                id: topic.id,
                internal: topic.internal,
                partitions: topic.partitions.len(),
            })
            .collect();
        topics.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(topics)
    }

    /// Creates topics.
    ///
    /// ```
    /// # testkit::with_node(async |servers| -> client::Result<()> {
    /// # let client = client::Client::new(client::ClientConfig::new(&servers))?;
    /// # let admin = client.admin();
    /// use client::NewTopic;
    ///
    /// let orders = NewTopic::new("orders").partitions(6).config("retention.ms", "86400000");
    /// for (topic, outcome) in admin.create_topics(&[orders]).await? {
    ///     assert_eq!(outcome?.partitions, 6);
    /// }
    /// # Ok(())
    /// # });
    /// ```
    pub async fn create_topics(&self, topics: &[NewTopic]) -> Result<Each<String, CreatedTopic>> {
        self.create(topics, false).await
    }

    /// Checks whether topics could be created, and creates nothing.
    ///
    /// ```
    /// # testkit::with_node(async |servers| -> client::Result<()> {
    /// # let client = client::Client::new(client::ClientConfig::new(&servers))?;
    /// # let admin = client.admin();
    /// use client::NewTopic;
    ///
    /// for (topic, outcome) in admin.check_topics(&[NewTopic::new("no such name!")]).await? {
    ///     println!("{}", outcome.expect_err("a space and a mark"));
    /// }
    /// # Ok(())
    /// # });
    /// ```
    pub async fn check_topics(&self, topics: &[NewTopic]) -> Result<Each<String, CreatedTopic>> {
        self.create(topics, true).await
    }

    async fn create(&self, topics: &[NewTopic], validate_only: bool) -> Result<Each<String, CreatedTopic>> {
        let request = CreateTopicsRequest {
            topics: topics.iter().map(|topic| topic.topic.clone()).collect(),
            timeout_ms: self.timeout_ms(),
            validate_only,
            ..CreateTopicsRequest::default()
        };
        let verdict = |answer: &protocol::messages::create_topics_response::CreateTopicsResponse| {
            moved(answer.topics.iter().map(|topic| topic.error_code))
        };
        let answer = self
            .ask(To::Controller, "creating topics", &request, verdict)
            .await?;
        let outcome = |name: &str| {
            let answered = answer
                .topics
                .iter()
                .find(|topic| topic.name == *name)
                .ok_or_else(|| missing(name))?;
            Error::check_with(answered.error_code, answered.error_message.as_ref(), || {
                format!("topic {name}")
            })?;
            Ok(CreatedTopic {
                id: answered.topic_id,
                partitions: answered.num_partitions,
                replication_factor: answered.replication_factor,
            })
        };
        Ok(topics
            .iter()
            .map(|topic| (topic.name().to_owned(), outcome(topic.name())))
            .collect())
    }

    /// Deletes topics by name.
    ///
    /// ```
    /// # testkit::with_node(async |servers| -> client::Result<()> {
    /// # let client = client::Client::new(client::ClientConfig::new(&servers))?;
    /// # client.admin().create_topics(&[client::NewTopic::new("orders").partitions(3)]).await?;
    /// # let admin = client.admin();
    /// for (topic, outcome) in admin.delete_topics(&["orders"]).await? {
    ///     outcome?;
    /// }
    /// # Ok(())
    /// # });
    /// ```
    pub async fn delete_topics(&self, names: &[&str]) -> Result<Each<String, ()>> {
        let version = self
            .client
            .version_of::<DeleteTopicsRequest>(To::Controller)
            .await?;
        let mut request = DeleteTopicsRequest {
            timeout_ms: self.timeout_ms(),
            ..DeleteTopicsRequest::default()
        };
        if version < 6 {
            request.topic_names = names.iter().map(|name| (*name).into()).collect();
        } else {
            let state = |name: &&str| DeleteTopicState {
                name: Some((*name).into()),
                ..DeleteTopicState::default()
            };
            request.topics = names.iter().map(state).collect();
        }
        let verdict = |answer: &protocol::messages::delete_topics_response::DeleteTopicsResponse| {
            moved(answer.responses.iter().map(|topic| topic.error_code))
        };
        let answer = self
            .ask(To::Controller, "deleting topics", &request, verdict)
            .await?;
        let outcome = |name: &str| {
            let answered = answer
                .responses
                .iter()
                .find(|topic| topic.name.as_deref() == Some(name));
            let answered = answered.ok_or_else(|| missing(name))?;
            Error::check_with(answered.error_code, answered.error_message.as_ref(), || {
                format!("topic {name}")
            })
        };
        Ok(names
            .iter()
            .map(|name| ((*name).to_owned(), outcome(name)))
            .collect())
    }

    /// Partitions, leaders and replicas of topics, as of now.
    ///
    /// ```
    /// # testkit::with_node(async |servers| -> client::Result<()> {
    /// # let client = client::Client::new(client::ClientConfig::new(&servers))?;
    /// # client.admin().create_topics(&[client::NewTopic::new("orders").partitions(3)]).await?;
    /// # let admin = client.admin();
    /// for (topic, described) in admin.describe_topics(&["orders"]).await? {
    ///     for partition in &described?.partitions {
    ///         println!("{topic}-{} is led by {}", partition.index, partition.leader);
    ///     }
    /// }
    /// # Ok(())
    /// # });
    /// ```
    pub async fn describe_topics(&self, names: &[&str]) -> Result<Each<String, Arc<Topic>>> {
        let mut retry = self.client.retry("describing topics");
        while let Err(error) = self.client.refresh(Wanted::Names(names)).await {
            retry.pause(&self.client, error).await?;
        }
        let metadata = self.client.metadata();
        let outcome = |name: &str| match metadata.topic(name) {
            Some(topic) => Ok(topic.clone()),
            None => Err(metadata.error_of(name).cloned().unwrap_or_else(|| missing(name))),
        };
        Ok(names
            .iter()
            .map(|name| ((*name).to_owned(), outcome(name)))
            .collect())
    }

    /// Adds partitions: each topic with the number that it is to have in all.
    ///
    /// ```
    /// # testkit::with_node(async |servers| -> client::Result<()> {
    /// # let client = client::Client::new(client::ClientConfig::new(&servers))?;
    /// # client.admin().create_topics(&[client::NewTopic::new("orders").partitions(3)]).await?;
    /// # let admin = client.admin();
    /// for (topic, outcome) in admin.create_partitions(&[("orders", 5)], false).await? {
    ///     outcome?;
    /// }
    /// # Ok(())
    /// # });
    /// ```
    pub async fn create_partitions(
        &self,
        topics: &[(&str, i32)],
        validate_only: bool,
    ) -> Result<Each<String, ()>> {
        let grown = |(name, count): &(&str, i32)| CreatePartitionsTopic {
            name: (*name).into(),
            count: *count,
            assignments: None,
            ..CreatePartitionsTopic::default()
        };
        let request = CreatePartitionsRequest {
            topics: topics.iter().map(grown).collect(),
            timeout_ms: self.timeout_ms(),
            validate_only,
            ..CreatePartitionsRequest::default()
        };
        let verdict = |answer: &protocol::messages::create_partitions_response::CreatePartitionsResponse| {
            moved(answer.results.iter().map(|topic| topic.error_code))
        };
        let answer = self
            .ask(To::Controller, "adding partitions", &request, verdict)
            .await?;
        let outcome = |name: &str| {
            let answered = answer
                .results
                .iter()
                .find(|topic| topic.name == *name)
                .ok_or_else(|| missing(name))?;
            Error::check_with(answered.error_code, answered.error_message.as_ref(), || {
                format!("topic {name}")
            })
        };
        Ok(topics
            .iter()
            .map(|(name, _)| ((*name).to_owned(), outcome(name)))
            .collect())
    }
}

fn missing(name: &str) -> Error {
    Error::Protocol {
        address: "the broker".into(),
        reason: format!("its answer leaves out {name}"),
    }
}
