//! What can go wrong between an application and its brokers, and what Kafka's clients do about it.

use std::sync::Arc;
use std::time::Duration;

use protocol::{ApiKey, DecodeError, EncodeError};
use record::BatchError;
use types::ErrorCode;

/// Why a call, a record or a poll failed. Cheap to clone: one failure may concern many records.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A setting that cannot be.
    #[error("{name}: {reason}")]
    Config {
        /// Kafka's name of the setting.
        name: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// A broker could not be reached.
    #[error("cannot connect to {address}: {source}")]
    Connect {
        /// Host and port.
        address: String,
        /// What the system said.
        source: Arc<std::io::Error>,
    },
    /// None of the bootstrap servers and none of the brokers known from them could be used.
    #[error("no broker could be reached; tried {}", list(.tried))]
    NoBroker {
        /// Each address and why it failed.
        tried: Vec<(String, Error)>,
    },
    /// The connection ended before the answer came. Whether the broker acted on the request is not known.
    #[error("the connection to {address} ended: {reason}")]
    Disconnected {
        /// Host and port.
        address: String,
        /// What was seen.
        reason: String,
    },
    /// A request, or a call with all its retries, took too long.
    #[error("{what} took longer than {after:?}{}", because(.last))]
    TimedOut {
        /// What was waited for.
        what: String,
        /// The time that was given.
        after: Duration,
        /// The last failure that was met on the way.
        last: Option<Box<Error>>,
    },
    /// A broker answered with an error.
    #[error("{what}: {code}{}", colon(.message))]
    Broker {
        /// What the error is about: a topic, a partition, a group, a request.
        what: String,
        /// Kafka's error code.
        code: ErrorCode,
        /// The broker's own words.
        message: Option<String>,
    },
    /// A broker answered with an error code that Kafka 4.3 does not have.
    #[error("{what}: error code {code}, which is not known")]
    UnknownCode {
        /// What the error is about.
        what: String,
        /// The number.
        code: i16,
    },
    /// Client and broker have no version of a request in common.
    #[error("{key:?} in versions {ours} is not served by {address} ({theirs})")]
    UnsupportedVersion {
        /// The request.
        key: ApiKey,
        /// The versions that would do.
        ours: String,
        /// The versions that the broker has.
        theirs: String,
        /// Host and port.
        address: String,
    },
    /// A broker broke the protocol; the connection was closed.
    #[error("{address} broke the protocol: {reason}")]
    Protocol {
        /// Host and port.
        address: String,
        /// What was wrong.
        reason: String,
    },
    /// A response does not decode.
    #[error("the answer to {key:?} v{version} does not decode: {source}")]
    Decode {
        /// The request that was answered.
        key: ApiKey,
        /// Its version.
        version: i16,
        /// Where and why.
        source: DecodeError,
    },
    /// A request cannot be said in the version that the broker speaks.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// A record batch that was read is damaged.
    #[error("{partition}: {source}")]
    Batch {
        /// Topic and partition.
        partition: String,
        /// What is wrong with it.
        source: BatchError,
    },
    /// A record is larger than a request may be.
    #[error("a record of {bytes} bytes is larger than the {max} that are allowed")]
    RecordTooLarge {
        /// The record with its overhead.
        bytes: usize,
        /// The limit.
        max: usize,
    },
    /// The partition does not exist.
    #[error("the topic {topic} has {partitions} partitions, there is no partition {partition}")]
    NoPartition {
        /// The topic's name.
        topic: String,
        /// What was asked for.
        partition: i32,
        /// How many there are.
        partitions: usize,
    },
    /// There is nothing committed and `auto.offset.reset` is `none`, or the position is out of the log's range.
    #[error("{partition}: no position: {reason}")]
    NoOffset {
        /// Topic and partition.
        partition: String,
        /// Which of the two.
        reason: &'static str,
    },
    /// The call makes no sense in the state in which the client is.
    #[error("{0}")]
    State(&'static str),
    /// The producer or consumer was closed.
    #[error("the client is closed")]
    Closed,
}

/// A result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

fn list(tried: &[(String, Error)]) -> String {
    if tried.is_empty() {
        return "nothing: no server is configured".to_owned();
    }
    let each: Vec<String> = tried
        .iter()
        .map(|(address, error)| match error {
            Error::Connect { source, .. } => format!("{address} ({source})"),
            error => format!("{address} ({error})"),
        })
        .collect();
    each.join(", ")
}

fn because(last: &Option<Box<Error>>) -> String {
    last.as_ref()
        .map_or(String::new(), |last| format!(", last: {last}"))
}

fn colon(message: &Option<String>) -> String {
    message
        .as_ref()
        .map_or(String::new(), |message| format!(": {message}"))
}

impl Error {
    /// The error of a code from the wire; `Ok` for 0.
    pub(crate) fn check(code: i16, what: impl FnOnce() -> String) -> Result<()> {
        Error::check_with(code, None, what)
    }

    /// The same with what the broker says about it.
    pub(crate) fn check_with(
        code: i16,
        message: Option<&protocol::Str>,
        what: impl FnOnce() -> String,
    ) -> Result<()> {
        match ErrorCode::from_code(code) {
            Some(ErrorCode::None) => Ok(()),
            Some(code) => Err(Error::Broker {
                what: what(),
                code,
                message: message
                    .map(|message| message.as_str().to_owned())
                    .filter(|words| !words.is_empty()),
            }),
            None => Err(Error::UnknownCode { what: what(), code }),
        }
    }

    /// Kafka's error code, where a broker gave one.
    ///
    /// ```
    /// # testkit::with_node(async |servers| -> client::Result<()> {
    /// # let client = client::Client::new(client::ClientConfig::new(&servers))?;
    /// # let admin = client.admin();
    /// use client::ErrorCode;
    ///
    /// let described = admin.describe_topics(&["nowhere"]).await?;
    /// let error = described[0].1.as_ref().expect_err("there is no such topic");
    /// assert_eq!(error.code(), Some(ErrorCode::UnknownTopicOrPartition));
    /// # Ok(())
    /// # });
    /// ```
    pub fn code(&self) -> Option<ErrorCode> {
        match self {
            Error::Broker { code, .. } => Some(*code),
            _ => None,
        }
    }

    /// Whether the same request may succeed later (`RetriableException` of Kafka's clients).
    ///
    /// ```
    /// assert!(!client::Error::Closed.is_retriable());
    /// ```
    pub fn is_retriable(&self) -> bool {
        match self {
            Error::Broker { code, .. } => code.retriable(),
            Error::Connect { .. }
            | Error::NoBroker { .. }
            | Error::Disconnected { .. }
            | Error::TimedOut { .. } => true,
            _ => false,
        }
    }

    /// Whether the metadata that led here may be old (`InvalidMetadataException` of Kafka's clients).
    pub(crate) fn wants_metadata(&self) -> bool {
        use ErrorCode::*;
        match self {
            Error::Broker { code, .. } => matches!(
                code,
                UnknownTopicOrPartition
                    | LeaderNotAvailable
                    | NotLeaderOrFollower
                    | ReplicaNotAvailable
                    | NetworkException
                    | NotController
                    | KafkaStorageError
                    | ListenerNotFound
                    | FencedLeaderEpoch
                    | UnknownLeaderEpoch
                    | OffsetNotAvailable
                    | PreferredLeaderNotAvailable
                    | EligibleLeadersNotAvailable
                    | UnknownTopicId
                    | InconsistentTopicId
                    | FetchSessionTopicIdError
            ),
            Error::Connect { .. }
            | Error::NoBroker { .. }
            | Error::Disconnected { .. }
            | Error::TimedOut { .. } => true,
            _ => false,
        }
    }

    /// Whether the coordinator may have moved.
    pub(crate) fn wants_coordinator(&self) -> bool {
        match self {
            Error::Broker { code, .. } => {
                matches!(
                    code,
                    ErrorCode::NotCoordinator | ErrorCode::CoordinatorNotAvailable
                )
            }
            Error::Connect { .. } | Error::Disconnected { .. } | Error::TimedOut { .. } => true,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_of_zero_is_no_error_and_a_strange_one_is_kept() {
        assert!(Error::check(0, String::new).is_ok());
        let strange = Error::check(9999, || "x".into()).expect_err("not known");
        assert!(matches!(strange, Error::UnknownCode { code: 9999, .. }));
        assert!(!strange.is_retriable());
    }

    #[test]
    fn no_broker_says_what_was_tried() {
        let refused = Error::Connect {
            address: "localhost:1".into(),
            source: Arc::new(std::io::ErrorKind::ConnectionRefused.into()),
        };
        let error = Error::NoBroker {
            tried: vec![("localhost:1".into(), refused)],
        };
        assert_eq!(
            error.to_string(),
            "no broker could be reached; tried localhost:1 (connection refused)"
        );
    }
}
