//! What can be wrong with bytes, and with messages.

/// Why bytes do not decode.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    #[error("{missing} more bytes are needed at byte {at}")]
    Short { at: usize, missing: usize },
    #[error("the length {length} at byte {at} cannot be")]
    Length { at: usize, length: i64 },
    #[error("{count} elements at byte {at} cannot fit the bytes that follow")]
    CountExceedsFrame { at: usize, count: usize },
    #[error("decoding would take more memory than the budget of this request")]
    Budget,
    #[error("the text at byte {at} is not UTF-8")]
    Utf8 { at: usize },
    #[error("{field} cannot be null in this version")]
    Null { field: &'static str },
    #[error("the varint at byte {at} is too long")]
    Varint { at: usize },
    #[error("{bytes} bytes are left over in a tagged field")]
    Trailing { bytes: usize },
    #[error("more than {max} unknown tagged fields")]
    TooManyTags { max: usize },
    #[error("more than {max} bytes of unknown tagged fields")]
    UnknownBytes { max: usize },
    #[error("the frame version {version} is not known")]
    FrameVersion { version: u32 },
    #[error("a metadata record of type {api_key} and version {version} is not known")]
    UnknownRecord { api_key: i16, version: i16 },
}

/// Why a message cannot be written at a version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    #[error("{field} is set, and version {version} cannot say it")]
    Unsupported { field: &'static str, version: i16 },
    #[error("{field} is null, which version {version} does not allow")]
    Null { field: &'static str, version: i16 },
    #[error("a value of {length} bytes or elements is too long for the wire")]
    TooLong { length: usize },
}

impl EncodeError {
    pub(crate) fn unsupported(field: &'static str, version: i16) -> EncodeError {
        EncodeError::Unsupported { field, version }
    }

    pub(crate) fn null(field: &'static str, version: i16) -> EncodeError {
        EncodeError::Null { field, version }
    }
}
