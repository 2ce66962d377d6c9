//! Why a command failed, in words for a person and in a number for a script.

use std::fmt;
use std::process::ExitCode;

use serde_json::{Value, json};

/// The kinds of failure that a script can tell apart by the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The operation, or one of several, failed: 1.
    Failed,
    /// The command line is wrong: 2.
    Usage,
    /// No server answers: 3.
    Unreachable,
    /// The principal may not do this: 4.
    NotAuthorized,
    /// A check, such as lint or compatibility, did not pass: 5.
    CheckFailed,
    /// The user ended it: 130.
    Interrupted,
}

impl Kind {
    /// The exit code.
    pub fn code(self) -> u8 {
        match self {
            Kind::Failed => 1,
            Kind::Usage => 2,
            Kind::Unreachable => 3,
            Kind::NotAuthorized => 4,
            Kind::CheckFailed => 5,
            Kind::Interrupted => 130,
        }
    }

    /// The word for it in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Failed => "failed",
            Kind::Usage => "usage",
            Kind::Unreachable => "unreachable",
            Kind::NotAuthorized => "not_authorized",
            Kind::CheckFailed => "check_failed",
            Kind::Interrupted => "interrupted",
        }
    }
}

/// A failure of a whole command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What kind, for the exit code.
    pub kind: Kind,
    /// The error's name, such as Kafka's `UNKNOWN_TOPIC_OR_PARTITION`; the kind's name where there is none.
    pub code: String,
    /// What went wrong, lower case, without a full stop.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Failure {
    /// A failure of a kind.
    pub fn new(kind: Kind, message: impl Into<String>) -> Failure {
        Failure {
            kind,
            code: kind.name().to_owned(),
            message: message.into(),
            hint: None,
        }
    }

    /// A command line that makes no sense.
    pub fn usage(message: impl Into<String>) -> Failure {
        Failure::new(Kind::Usage, message)
    }

    /// An operation that failed.
    pub fn failed(message: impl Into<String>) -> Failure {
        Failure::new(Kind::Failed, message)
    }

    /// Adds what to do about it.
    pub fn hint(mut self, hint: impl Into<String>) -> Failure {
        self.hint = Some(hint.into());
        self
    }

    /// Adds the error's own name.
    pub fn with_code(mut self, code: impl Into<String>) -> Failure {
        self.code = code.into();
        self
    }

    /// The exit code of the process.
    pub fn exit(&self) -> ExitCode {
        ExitCode::from(self.kind.code())
    }

    /// As JSON: `{"schema","error":{"code","message","hint"}}`.
    pub fn json(&self) -> Value {
        json!({"schema": "ottla.error.v1", "error": {"code": self.code, "message": self.message, "hint": self.hint}})
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.message)?;
        match &self.hint {
            Some(hint) => write!(f, "\n hint: {hint}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Failure {}
