//! What can be wrong with a batch, and which Kafka error says so (traps 20 to 27 and 105).

use types::ErrorCode;

/// Bad records that are named at most: a batch can bring more than an answer could hold.
pub const BAD_RECORDS_MAX: usize = 65_536;

/// A record that is to blame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadRecord {
    /// In its batch, from 0.
    pub index: i32,
    pub why: Why,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    NoKey,
    /// In ms since 1970.
    Timestamp(i64),
    /// The producer claims that the time is the broker's.
    TimestampType,
}

impl Why {
    /// For a person.
    pub fn message(self) -> &'static str {
        match self {
            Why::NoKey => "it has no key, which a compacted topic needs",
            Why::Timestamp(_) => "its timestamp is out of the allowed range",
            Why::TimestampType => "its timestamp claims to be the broker's",
        }
    }
}

fn first(bad: &[BadRecord]) -> i32 {
    bad.first().map_or(-1, |record| record.index)
}

fn first_why(bad: &[BadRecord]) -> &'static str {
    bad.first().map_or("", |record| record.why.message())
}

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
    #[error("{} of the batch's records cannot be taken, the first is record {}: {}", .0.len(), first(.0), first_why(.0))]
    BadRecords(Vec<BadRecord>),
    #[error("the batch cannot be packed as the topic wants it")]
    CannotRepack,
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
            // One bad time makes it a matter of times (`LogValidator.processRecordErrors`).
            BadRecords(bad) if bad.iter().any(|record| record.why != Why::NoKey) => {
                ErrorCode::InvalidTimestamp
            }
            CannotRepack => ErrorCode::UnknownServerError,
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
            | BadRecords(_)
            | Decompress { .. }
            | ProducerFields => ErrorCode::InvalidRecord,
        }
    }

    /// The records in the batch that are to blame, if it is they.
    pub fn bad_records(&self) -> &[BadRecord] {
        match self {
            BatchError::BadRecords(bad) => bad,
            _ => &[],
        }
    }
}
