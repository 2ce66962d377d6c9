//! From errors of the log to Kafka's codes.

use storage::{AppendError, ReadError};
use types::ErrorCode;

pub fn append_error_code(error: &AppendError) -> ErrorCode {
    match error {
        AppendError::Offline => ErrorCode::KafkaStorageError,
        // Both pass: clients try again, as after any storage error.
        AppendError::Busy | AppendError::Full => ErrorCode::KafkaStorageError,
        AppendError::ProducerEpoch { .. } => ErrorCode::InvalidProducerEpoch,
        AppendError::CoordinatorEpoch { .. } => ErrorCode::TransactionCoordinatorFenced,
        AppendError::OutOfOrder { .. } => ErrorCode::OutOfOrderSequenceNumber,
        // Only a replica is told so, and asks its leader again.
        AppendError::OutOfPlace { .. } => ErrorCode::UnknownServerError,
        AppendError::OpenTransaction => ErrorCode::InvalidTxnState,
    }
}

pub fn read_error_code(error: &ReadError) -> ErrorCode {
    match error {
        ReadError::OutOfRange { .. } => ErrorCode::OffsetOutOfRange,
        ReadError::Damaged { .. } | ReadError::Io(_) | ReadError::Offline => ErrorCode::KafkaStorageError,
        ReadError::Batch(_) => ErrorCode::CorruptMessage,
    }
}
