//! What a broker may change in a batch: offset and leader epoch, which lie outside the checksum, and the timestamps of
//! a LogAppendTime topic.

use bytes::{Bytes, BytesMut};
use types::{LeaderEpoch, Offset};

use crate::crc32c;
use crate::header::{CRC_FROM, LOG_APPEND_TIME};

/// Base offset, batch length and leader epoch: all that changes when a batch is stored.
pub const PREFIX_BYTES: usize = 16;

/// The first 16 bytes of a stored batch; the rest stays as it was received.
pub fn prefix(base_offset: Offset, batch_length: i32, leader_epoch: LeaderEpoch) -> [u8; PREFIX_BYTES] {
    let mut bytes = [0; PREFIX_BYTES];
    bytes[..8].copy_from_slice(&base_offset.0.to_be_bytes());
    bytes[8..12].copy_from_slice(&batch_length.to_be_bytes());
    bytes[12..].copy_from_slice(&leader_epoch.0.to_be_bytes());
    bytes
}

/// A copy whose timestamps are ours (trap 22), or the producer's again if it claimed that they were ours.
pub fn with_log_append_time(batch: &[u8], now_ms: Option<i64>) -> Bytes {
    let mut out = BytesMut::from(batch);
    if let Some(attributes) = out.get_mut(21..).and_then(|rest| rest.first_chunk_mut::<2>()) {
        let before = i16::from_be_bytes(*attributes);
        let after = if now_ms.is_some() {
            before | LOG_APPEND_TIME
        } else {
            before & !LOG_APPEND_TIME
        };
        *attributes = after.to_be_bytes();
    }
    if let (Some(now_ms), Some(max_timestamp)) = (now_ms, out.get_mut(35..43)) {
        max_timestamp.copy_from_slice(&now_ms.to_be_bytes());
    }
    seal(out)
}

/// A copy with another largest timestamp, the producer's being wrong.
pub fn with_max_timestamp(batch: &[u8], largest: i64) -> Bytes {
    let mut out = BytesMut::from(batch);
    if let Some(max_timestamp) = out.get_mut(35..43) {
        max_timestamp.copy_from_slice(&largest.to_be_bytes());
    }
    seal(out)
}

fn seal(mut out: BytesMut) -> Bytes {
    let crc = crc32c(out.get(CRC_FROM..).unwrap_or_default());
    if let Some(place) = out.get_mut(17..21) {
        place.copy_from_slice(&crc.to_be_bytes());
    }
    out.freeze()
}
