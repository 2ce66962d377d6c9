//! Object container files: a schema, then blocks of data, compressed or not. Bytes in, bytes out: no file is opened.

mod codec;
mod read;
mod write;

pub use codec::Codec;
pub use read::ContainerReader;
pub use write::ContainerWriter;

use super::binary::DataError;
use crate::SchemaError;

const MAGIC: [u8; 4] = *b"Obj\x01";

/// Why bytes are no container file, or hold what cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ContainerError {
    #[error("the bytes are no Avro container file: they do not start with Obj and 1")]
    NotAContainer,
    #[error("the file ends inside {0}")]
    Cut(&'static str),
    #[error("the file has no schema")]
    NoSchema,
    #[error("the file's schema: {0}")]
    Schema(#[from] SchemaError),
    #[error("the codec {0:?} is unknown")]
    UnknownCodec(String),
    #[error("block {block}: {what}")]
    Block { block: u64, what: String },
    #[error("block {block}: {error}")]
    Data { block: u64, error: DataError },
}

#[cfg(test)]
mod tests;
