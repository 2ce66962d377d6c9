//! What can be wrong with a batch, and which Kafka error says so (traps 20 to 27 and 105).

use types::ErrorCode;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    #[error("a batch needs {needed} bytes, {found} are there")]
    Short { needed: usize, found: usize },
    #[error("the batch length {length} cannot be")]
    Length { length: i32 },
    #[error("the batch's checksum is {stored:08x}, its bytes give {computed:08x}")]
    Crc { stored: u32, computed: u32 },
    #[error("magic {magic} is not served, only format v2 is")]
    OldMagic { magic: i8 },
    #[error("magic {magic} is not known")]
    UnknownMagic { magic: i8 },
    #[error("exactly one batch is wanted for a partition")]
    NotOneBatch,
    #[error("no batch was sent for the partition")]
    Empty,
    #[error("compression codec {codec} is not known")]
    UnknownCodec { codec: i16 },
    #[error("zstd needs a newer version of the request")]
    ZstdTooEarly,
    #[error("the base offset is {offset}, producers send 0")]
    BaseOffset { offset: i64 },
    #[error("the batch says {count} records, its last offset delta is {last_offset_delta}")]
    Count { count: i32, last_offset_delta: i32 },
    #[error("record {index} is malformed: {what}")]
    Malformed { index: i32, what: &'static str },
    #[error("clients may not write control batches")]
    Control,
    #[error("a batch of {bytes} bytes is larger than the {max} that the topic allows")]
    TooLarge { bytes: usize, max: usize },
    #[error("the timestamp {timestamp} of record {index} is out of the allowed range")]
    Timestamp { index: i32, timestamp: i64 },
    #[error("record {index} has no key, which a compacted topic needs")]
    NoKey { index: i32 },
    #[error("the batch does not decompress: {what}")]
    Decompress { what: String },
    #[error("the batch decompresses to more than {max} bytes")]
    Bomb { max: usize },
    #[error("an idempotent batch needs a producer epoch and a sequence")]
    ProducerFields,
}

impl BatchError {
    pub fn error_code(&self) -> ErrorCode {
        use BatchError::*;
        match self {
            Crc { .. } | UnknownMagic { .. } | Length { .. } => ErrorCode::CorruptMessage,
            ZstdTooEarly => ErrorCode::UnsupportedCompressionType,
            TooLarge { .. } => ErrorCode::MessageTooLarge,
            Timestamp { .. } => ErrorCode::InvalidTimestamp,
            Bomb { .. } => ErrorCode::CorruptMessage,
            Short { .. }
            | OldMagic { .. }
            | NotOneBatch
            | Empty
            | UnknownCodec { .. }
            | BaseOffset { .. }
            | Count { .. }
            | Malformed { .. }
            | Control
            | NoKey { .. }
            | Decompress { .. }
            | ProducerFields => ErrorCode::InvalidRecord,
        }
    }

    /// The record in the batch that is to blame, if it is one.
    pub fn record_index(&self) -> Option<i32> {
        match self {
            BatchError::Timestamp { index, .. } | BatchError::NoKey { index } => Some(*index),
            _ => None,
        }
    }
}
