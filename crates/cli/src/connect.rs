//! Commands on a cluster: one runtime, one client, and what its errors mean to a person.

use std::future::Future;

use client::{Admin, Client, ClientConfig, Error, ErrorCode};

use crate::{Context, Failure, ItemFailure, Kind, Report};

/// Runs `work` with an admin client of the context's cluster; Ctrl-C ends it.
pub(crate) fn with_admin<F>(context: &Context, work: impl FnOnce(Admin) -> F) -> Result<Report, Failure>
where
    F: Future<Output = Result<Report, Failure>>,
{
    with_client(context, |client| work(client.admin()))
}

/// The same with the client itself.
pub(crate) fn with_client<T, F>(context: &Context, work: impl FnOnce(Client) -> F) -> Result<T, Failure>
where
    F: Future<Output = Result<T, Failure>>,
{
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::failed(format!("no runtime could be made: {error}")))?;
    let config = ClientConfig::new(&context.bootstrap)
        .with_client_id("ottla-cli")
        .with_api_timeout(context.timeout);
    runtime.block_on(async {
        let client = Client::new(config).map_err(|error| failure(context, &error))?;
        tokio::select! {
            done = work(client) => done,
            _ = tokio::signal::ctrl_c() => Err(Failure::new(Kind::Interrupted, "interrupted")),
        }
    })
}

/// A failed call as the failure of the command.
pub(crate) fn failure(context: &Context, error: &Error) -> Failure {
    let made = Failure::new(kind(error), error.to_string()).with_code(code(error));
    match hint(context, error) {
        Some(hint) => made.hint(hint),
        None => made,
    }
}

/// A failed item of a call.
pub(crate) fn item_failure(context: &Context, item: &str, error: &Error) -> ItemFailure {
    let message = match error {
        Error::Broker {
            code,
            message: Some(message),
            ..
        } => format!("{code}: {message}"),
        Error::Broker { code, .. } => code.to_string(),
        other => other.to_string(),
    };
    ItemFailure {
        item: item.to_owned(),
        code: code(error),
        message,
        hint: hint(context, error),
    }
}

/// Adds what failed to a report, with the exit code that it stands for.
pub(crate) fn note_failure(report: &mut Report, context: &Context, item: &str, error: &Error) {
    report.failed_kind = kind(error);
    report.failures.push(item_failure(context, item, error));
}

/// What stands behind a call that was tried until its time was over: the error that it met each time.
fn cause(error: &Error) -> &Error {
    match error {
        Error::TimedOut { last: Some(last), .. } => match cause(last) {
            Error::TimedOut { .. } => error,
            cause => cause,
        },
        other => other,
    }
}

fn code(error: &Error) -> String {
    match cause(error) {
        Error::RecordTooLarge { .. } => ErrorCode::MessageTooLarge.to_string(),
        cause => match cause.code() {
            Some(code) => code.to_string(),
            None => kind(error).name().to_owned(),
        },
    }
}

fn kind(error: &Error) -> Kind {
    match cause(error) {
        Error::Connect { .. }
        | Error::NoBroker { .. }
        | Error::Disconnected { .. }
        | Error::TimedOut { .. } => Kind::Unreachable,
        Error::Config { .. } | Error::NoPartition { .. } => Kind::Usage,
        Error::Broker {
            code:
                ErrorCode::TopicAuthorizationFailed
                | ErrorCode::GroupAuthorizationFailed
                | ErrorCode::ClusterAuthorizationFailed
                | ErrorCode::TransactionalIdAuthorizationFailed
                | ErrorCode::SaslAuthenticationFailed,
            ..
        } => Kind::NotAuthorized,
        _ => Kind::Failed,
    }
}

/// Whether somebody listens there who does not speak Kafka's protocol.
fn is_stranger(tried: &[(String, Error)]) -> bool {
    let strange = |(_, error): &(String, Error)| {
        matches!(
            error,
            Error::Disconnected { .. }
                | Error::TimedOut { .. }
                | Error::Protocol { .. }
                | Error::Decode { .. }
        )
    };
    tried.iter().any(strange)
}

fn hint(context: &Context, error: &Error) -> Option<String> {
    let servers = &context.bootstrap;
    let hint = match cause(error) {
        Error::NoBroker { tried } if is_stranger(tried) => format!(
            "something listens on {servers} that does not answer as Kafka does: is it the right port (9092 unless \
             `listeners` says otherwise)? TLS and SASL are not served yet"
        ),
        Error::Connect { .. } | Error::NoBroker { .. } => format!(
            "is a server listening on {servers}? `ottla start` starts one here; -b HOST:PORT names another"
        ),
        Error::TimedOut { .. } => {
            "the server did not answer in time; --timeout SECONDS waits longer".to_owned()
        }
        Error::Config { .. } => "servers are given as -b HOST:PORT[,HOST:PORT...]".to_owned(),
        Error::NoPartition { topic, .. } => format!("`ottla topic describe {topic}` shows its partitions"),
        Error::RecordTooLarge { .. } => "write less at once, or records one by one".to_owned(),
        Error::Broker { code, .. } => match code {
            ErrorCode::InvalidConfig => {
                "docs/reference/settings.md lists the settings and what they take".to_owned()
            }
            ErrorCode::UnknownTopicOrPartition => "`ottla topic list` shows the topics that exist".to_owned(),
            ErrorCode::TopicAlreadyExists => "choose another name, or add --if-not-exists".to_owned(),
            ErrorCode::InvalidReplicationFactor => {
                "a cluster cannot hold more copies than it has brokers: lower -r".to_owned()
            }
            ErrorCode::GroupIdNotFound => "`ottla group list` shows the groups that exist".to_owned(),
            ErrorCode::NonEmptyGroup => "stop the group's members first".to_owned(),
            ErrorCode::KafkaStorageError => {
                "the server cannot write: is its disk full? `ottla doctor --data DIR` there says so; `ottla topic trim` \
                 and `ottla topic delete` make room, and it goes on by itself"
                    .to_owned()
            }
            ErrorCode::InvalidTopicException => {
                "names have letters, digits, '.', '_' and '-', at most 249 of them".to_owned()
            }
            ErrorCode::MessageTooLarge => {
                "raise max.message.bytes: `ottla topic alter TOPIC --set max.message.bytes=N`".to_owned()
            }
            ErrorCode::UnsupportedVersion => "this server is too old for the command".to_owned(),
            _ => return None,
        },
        _ => return None,
    };
    Some(hint)
}
