//! What can go wrong with logs.

use std::path::PathBuf;

use types::Offset;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{path}: {error}")]
    Io { path: PathBuf, error: std::io::Error },
    #[error("{path} is in use by another process")]
    Locked { path: PathBuf },
    #[error("{path} cannot be used: {reason}")]
    Unusable { path: PathBuf, reason: String },
    #[error("chunk {chunk:016x} is damaged at byte {position}: {what}")]
    Damaged {
        chunk: u64,
        position: u64,
        what: &'static str,
    },
    #[error("the log directory is fenced after a failed write or sync: {reason}")]
    Fenced { reason: String },
    #[error("no room is left in the log directory")]
    Full,
    #[error("the state of {log} cannot be rebuilt: {reason}")]
    Rebuild {
        log: types::TopicIdPartition,
        reason: String,
    },
}

impl Error {
    pub(crate) fn io(path: &std::path::Path, error: std::io::Error) -> Error {
        Error::Io {
            path: path.to_owned(),
            error,
        }
    }
}

/// Why a batch was not appended. Nothing happened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    #[error("the log is offline")]
    Offline,
    /// The next chunk is not ready: [`crate::LogDirectory::make_room`], then again.
    #[error("the next chunk is not ready")]
    Busy,
    #[error("no room is left in the log directory")]
    Full,
    #[error("producer epoch {found} is older than {current}")]
    ProducerEpoch { found: i16, current: i16 },
    #[error("sequence {found} does not follow {last}")]
    OutOfOrder { found: i32, last: i32 },
    #[error("coordinator epoch {found} is older than {current}")]
    CoordinatorEpoch { found: i32, current: i32 },
    /// A replica's batch does not continue the log.
    #[error("offset {found} does not follow the end {end}")]
    OutOfPlace { found: Offset, end: Offset },
    #[error("a transaction of this producer is open")]
    OpenTransaction,
}

#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error("offset {wanted} is outside {start} to {end}")]
    OutOfRange {
        wanted: Offset,
        start: Offset,
        end: Offset,
    },
    #[error("chunk {chunk:016x} is damaged at byte {position}: {what}")]
    Damaged { chunk: u64, position: u64, what: String },
    #[error("a batch cannot be read: {0}")]
    Batch(#[from] record::BatchError),
    #[error("reading failed: {0}")]
    Io(#[from] std::io::Error),
    #[error("the log is offline")]
    Offline,
}
