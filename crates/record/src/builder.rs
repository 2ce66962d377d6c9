//! Builds batches: the broker's own records, the client's, and tests'.

use bytes::{BufMut, Bytes, BytesMut};
use types::{LeaderEpoch, Offset, ProducerEpoch, ProducerId};

use crate::header::{CRC_FROM, HEADER_BYTES, LENGTH_FROM};
use crate::{Codec, compress, crc32c, varint};

/// What holds for all records of a batch.
#[derive(Debug, Clone)]
pub struct BatchOptions {
    pub base_offset: Offset,
    pub leader_epoch: LeaderEpoch,
    pub codec: Codec,
    pub producer_id: ProducerId,
    pub producer_epoch: ProducerEpoch,
    pub base_sequence: i32,
    pub is_transactional: bool,
    pub is_control: bool,
}

impl Default for BatchOptions {
    fn default() -> BatchOptions {
        BatchOptions {
            base_offset: Offset(0),
            leader_epoch: LeaderEpoch(-1),
            codec: Codec::None,
            producer_id: ProducerId::NONE,
            producer_epoch: ProducerEpoch::NONE,
            base_sequence: -1,
            is_transactional: false,
            is_control: false,
        }
    }
}

/// Kafka's control record types (`ControlRecordType`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i16)]
pub enum ControlType {
    Abort = 0,
    Commit = 1,
    LeaderChange = 2,
    SnapshotHeader = 3,
    SnapshotFooter = 4,
    KRaftVersion = 5,
    KRaftVoters = 6,
}

impl ControlType {
    pub fn from_key(key: &[u8]) -> Option<ControlType> {
        use ControlType::*;
        let code = key
            .get(2..4)?
            .first_chunk::<2>()
            .map(|code| i16::from_be_bytes(*code))?;
        [
            Abort,
            Commit,
            LeaderChange,
            SnapshotHeader,
            SnapshotFooter,
            KRaftVersion,
            KRaftVoters,
        ]
        .into_iter()
        .find(|known| *known as i16 == code)
    }

    /// The key of a control record: version 0 and the type.
    pub fn key(self) -> [u8; 4] {
        let [high, low] = (self as i16).to_be_bytes();
        [0, 0, high, low]
    }
}

/// A batch in the making.
#[derive(Debug)]
pub struct BatchBuilder {
    options: BatchOptions,
    records: BytesMut,
    count: i32,
    base_timestamp: i64,
    max_timestamp: i64,
}

impl BatchBuilder {
    pub fn new(options: BatchOptions) -> BatchBuilder {
        BatchBuilder {
            options,
            records: BytesMut::new(),
            count: 0,
            base_timestamp: -1,
            max_timestamp: -1,
        }
    }

    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Bytes so far, before compression.
    pub fn bytes(&self) -> usize {
        HEADER_BYTES + self.records.len()
    }

    pub fn push(&mut self, timestamp: i64, key: Option<&[u8]>, value: Option<&[u8]>) {
        self.push_with_headers(timestamp, key, value, &[]);
    }

    pub fn push_with_headers(
        &mut self,
        timestamp: i64,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        headers: &[(&str, Option<&[u8]>)],
    ) {
        if self.count == 0 {
            self.base_timestamp = timestamp;
        }
        self.max_timestamp = self.max_timestamp.max(timestamp);
        let timestamp_delta = timestamp.wrapping_sub(self.base_timestamp);
        let offset_delta = i64::from(self.count);
        let headers_bytes: usize = headers
            .iter()
            .map(|(name, value)| chunk_bytes(Some(name.as_bytes())) + chunk_bytes(*value))
            .sum();
        let body = 1
            + varint::length(timestamp_delta)
            + varint::length(offset_delta)
            + chunk_bytes(key)
            + chunk_bytes(value)
            + varint::length(headers.len() as i64)
            + headers_bytes;
        varint::write(&mut self.records, body as i64);
        self.records.put_u8(0);
        varint::write(&mut self.records, timestamp_delta);
        varint::write(&mut self.records, offset_delta);
        put_chunk(&mut self.records, key);
        put_chunk(&mut self.records, value);
        varint::write(&mut self.records, headers.len() as i64);
        for (name, value) in headers {
            put_chunk(&mut self.records, Some(name.as_bytes()));
            put_chunk(&mut self.records, *value);
        }
        self.count += 1;
    }

    pub fn build(self) -> std::io::Result<Bytes> {
        let payload = match self.options.codec {
            Codec::None => self.records.freeze(),
            codec => compress(codec, &self.records)?,
        };
        let options = &self.options;
        let attributes = options.codec.attributes()
            | (i16::from(options.is_transactional) << 4)
            | (i16::from(options.is_control) << 5);
        let mut out = BytesMut::with_capacity(HEADER_BYTES + payload.len());
        out.put_i64(options.base_offset.0);
        out.put_i32((HEADER_BYTES - LENGTH_FROM + payload.len()) as i32);
        out.put_i32(options.leader_epoch.0);
        out.put_i8(2);
        out.put_u32(0);
        out.put_i16(attributes);
        out.put_i32(self.count - 1);
        out.put_i64(self.base_timestamp);
        out.put_i64(self.max_timestamp);
        out.put_i64(options.producer_id.0);
        out.put_i16(options.producer_epoch.0);
        out.put_i32(options.base_sequence);
        out.put_i32(self.count);
        out.extend_from_slice(&payload);
        let crc = crc32c(out.get(CRC_FROM..).unwrap_or_default());
        if let Some(place) = out.get_mut(17..21) {
            place.copy_from_slice(&crc.to_be_bytes());
        }
        Ok(out.freeze())
    }
}

fn chunk_bytes(chunk: Option<&[u8]>) -> usize {
    match chunk {
        None => 1,
        Some(bytes) => varint::length(bytes.len() as i64) + bytes.len(),
    }
}

fn put_chunk(out: &mut BytesMut, chunk: Option<&[u8]>) {
    match chunk {
        None => varint::write(out, -1),
        Some(bytes) => {
            varint::write(out, bytes.len() as i64);
            out.extend_from_slice(bytes);
        }
    }
}
