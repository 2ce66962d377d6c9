//! Records of the metadata log: `[frame version 1][type][version][body]`, the first three as unsigned varints
//! (`org.apache.kafka.server.common.serialization.AbstractApiMessageSerde`).

use bytes::Bytes;

use crate::{Budget, DecodeError, EncodeError, MetadataRecord, Reader, Segments};

const FRAME_VERSION: u32 = 1;

impl MetadataRecord {
    /// The record's value bytes at a version.
    pub fn encode_frame(&self, version: i16) -> Result<Bytes, EncodeError> {
        let mut sink = Segments::new();
        sink.put_unsigned_varint(FRAME_VERSION);
        sink.put_unsigned_varint(self.api_key() as u32);
        sink.put_unsigned_varint(version as u32);
        self.encode_body(version, &mut sink)?;
        Ok(sink.into_bytes())
    }

    /// Reads a value of the metadata log; a type or version that is not known is an error, never skipped.
    pub fn decode_frame(value: &Bytes) -> Result<MetadataRecord, DecodeError> {
        let mut reader = Reader::new(value.clone());
        let frame_version = reader.unsigned_varint()?;
        if frame_version != FRAME_VERSION {
            return Err(DecodeError::FrameVersion {
                version: frame_version,
            });
        }
        let api_key = i16::try_from(reader.unsigned_varint()?).unwrap_or(-1);
        let version = i16::try_from(reader.unsigned_varint()?).unwrap_or(-1);
        let mut budget = Budget::after_authentication(value.len());
        let record = MetadataRecord::decode_body(api_key, version, &mut reader, &mut budget)?;
        reader.finished()?;
        Ok(record)
    }
}
