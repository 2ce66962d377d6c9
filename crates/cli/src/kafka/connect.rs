//! A tool's client: `--bootstrap-server` and `--command-config`; and errors in Kafka's words.

use std::future::Future;
use std::time::Duration;

use client::{Admin, Client, ClientConfig, Error, ErrorCode};

use super::options::Options;
use super::{Stop, properties};

/// Settings of `--command-config` that a client without encryption and authentication can leave aside.
const PLAINTEXT: &str = "PLAINTEXT";

/// Runs `work` with an admin client.
pub(crate) fn with_admin<T, F>(options: &Options, work: impl FnOnce(Admin) -> F) -> Result<T, Stop>
where
    F: Future<Output = Result<T, Stop>>,
{
    let config = config(options, "bootstrap-server", "command-config")?;
    block_on(async {
        let client = Client::new(config).map_err(|error| Stop::Usage(error.to_string()))?;
        work(client.admin()).await
    })
}

/// Runs a future on a runtime of its own.
pub(crate) fn block_on<T>(work: impl Future<Output = Result<T, Stop>>) -> Result<T, Stop> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Stop::Usage(error.to_string()))?;
    runtime.block_on(work)
}

/// A client's settings from the flags that name the server and the file.
pub(crate) fn config(options: &Options, server: &str, file: &str) -> Result<ClientConfig, Stop> {
    let servers = options.required(server)?;
    let mut config = ClientConfig::new(servers).with_client_id("ottla-cli");
    if let Some(path) = options.value(file) {
        let text = std::fs::read_to_string(path).map_err(|error| Stop::Usage(format!("{path}: {error}")))?;
        for (name, value) in properties::parse(&text) {
            apply(&mut config, &name, &value)?;
        }
    }
    Ok(config)
}

/// One setting of a Java client.
pub(crate) fn apply(config: &mut ClientConfig, name: &str, value: &str) -> Result<(), Stop> {
    let milliseconds = || {
        let wrong = |_| {
            Stop::Usage(format!(
                "Invalid value {value} for configuration {name}: Not a number"
            ))
        };
        value.parse().map(Duration::from_millis).map_err(wrong)
    };
    match name {
        "client.id" => config.client_id = value.to_owned(),
        "request.timeout.ms" => config.request_timeout = milliseconds()?,
        "default.api.timeout.ms" => config.api_timeout = milliseconds()?,
        "security.protocol" if value != PLAINTEXT => {
            return Err(Stop::Usage(format!(
                "security.protocol={value} is not supported yet, only {PLAINTEXT}"
            )));
        }
        _ => {}
    }
    Ok(())
}

/// What Java's exception would say.
pub(crate) fn said(error: &Error) -> String {
    match error {
        Error::Broker {
            message: Some(message),
            ..
        } => message.clone(),
        Error::Broker { code, .. } => default_message(*code).map_or_else(|| code.to_string(), str::to_owned),
        other => other.to_string(),
    }
}

/// What Kafka's clients say for a code when the broker says nothing (`Errors` of Kafka).
fn default_message(code: ErrorCode) -> Option<&'static str> {
    Some(match code {
        ErrorCode::UnknownTopicOrPartition => "This server does not host this topic-partition.",
        ErrorCode::GroupIdNotFound => "The group id does not exist.",
        ErrorCode::NonEmptyGroup => "The group is not empty.",
        ErrorCode::GroupSubscribedToTopic => {
            "Deleting offsets of a topic is forbidden while the consumer group is actively subscribed to it."
        }
        ErrorCode::UnknownMemberId => "The coordinator is not aware of this member.",
        _ => return None,
    })
}

/// The same with the exception's class in front, as in `Throwable.toString`.
pub(crate) fn exception(error: &Error) -> String {
    let class = match error.code() {
        Some(ErrorCode::GroupIdNotFound) => "GroupIdNotFoundException",
        Some(ErrorCode::NonEmptyGroup) => "GroupNotEmptyException",
        Some(ErrorCode::UnknownTopicOrPartition) => "UnknownTopicOrPartitionException",
        Some(ErrorCode::InvalidConfig) => "InvalidConfigurationException",
        Some(ErrorCode::InvalidRequest) => "InvalidRequestException",
        Some(ErrorCode::UnknownMemberId) => "UnknownMemberIdException",
        Some(ErrorCode::GroupSubscribedToTopic) => "GroupSubscribedToTopicException",
        Some(ErrorCode::InvalidTopicException) => "InvalidTopicException",
        Some(ErrorCode::MessageTooLarge) => "RecordTooLargeException",
        Some(ErrorCode::TopicAuthorizationFailed) => "TopicAuthorizationException",
        Some(_) => "ApiException",
        None if matches!(error, Error::TimedOut { .. } | Error::NoBroker { .. }) => "TimeoutException",
        None => "KafkaException",
    };
    format!("org.apache.kafka.common.errors.{class}: {}", said(error))
}
