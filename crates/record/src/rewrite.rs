//! A batch with only some of its records, as a compaction leaves it (`MemoryRecords.filterTo`): base offset, last offset,
//! producer and sequence stay, so that neither consumers nor the producer's state see a difference.

use bytes::{BufMut, Bytes, BytesMut};

use crate::header::{CRC_FROM, DELETE_HORIZON, HEADER_BYTES, LENGTH_FROM, LOG_APPEND_TIME};
use crate::{BatchError, BatchHeader, Codec, ReusedPacker, TimestampType, crc32c, varint};

/// What a compaction asks of a record; the rest of it is copied as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sketch<'a> {
    pub offset_delta: i32,
    pub timestamp: i64,
    pub key: Option<&'a [u8]>,
    pub has_value: bool,
    /// Key, value and headers, with their lengths.
    tail: &'a [u8],
    /// The record as it is.
    whole: &'a [u8],
}

/// The records of a payload that is not compressed, as far as a compaction looks at them. Headers are not checked.
pub fn sketches<'a>(
    header: &BatchHeader,
    payload: &'a [u8],
) -> impl Iterator<Item = Result<Sketch<'a>, BatchError>> + use<'a> {
    let header = *header;
    let mut rest = payload;
    (0..header.records_count.max(0)).map(move |index| {
        sketch(&header, &mut rest).ok_or(BatchError::Malformed {
            index,
            what: "its fields",
        })
    })
}

#[inline]
fn sketch<'a>(header: &BatchHeader, rest: &mut &'a [u8]) -> Option<Sketch<'a>> {
    let before = *rest;
    let (length, after) = varint::read_i32(rest)?;
    let (body, after) = after.split_at_checked(usize::try_from(length).ok()?)?;
    *rest = after;
    let (_, body) = body.split_first()?;
    let (timestamp_delta, body) = varint::read(body)?;
    let (offset_delta, tail) = varint::read_i32(body)?;
    let (key_length, after) = varint::read_i32(tail)?;
    let (key, after) = match key_length {
        -1 => (None, after),
        length => {
            let (key, after) = after.split_at_checked(usize::try_from(length).ok()?)?;
            (Some(key), after)
        }
    };
    let (value_length, _) = varint::read_i32(after)?;
    let timestamp = match header.timestamp_type() {
        TimestampType::LogAppendTime => header.max_timestamp,
        TimestampType::CreateTime => header.base_timestamp.wrapping_add(timestamp_delta),
    };
    Some(Sketch {
        offset_delta,
        timestamp,
        key,
        has_value: 0 <= value_length,
        tail,
        whole: before.get(..before.len() - rest.len())?,
    })
}

/// Where records lie in a batch, and nothing else of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<'a> {
    pub offset_delta: i32,
    whole: &'a [u8],
}

/// As [`sketches`], without a look at keys and values: for records of which most are of no interest.
pub fn places<'a>(
    header: &BatchHeader,
    payload: &'a [u8],
) -> impl Iterator<Item = Result<Place<'a>, BatchError>> + use<'a> {
    let mut rest = payload;
    (0..header.records_count.max(0)).map(move |index| {
        place(&mut rest).ok_or(BatchError::Malformed {
            index,
            what: "its fields",
        })
    })
}

#[inline]
fn place<'a>(rest: &mut &'a [u8]) -> Option<Place<'a>> {
    let (length, after) = varint::read_i32(rest)?;
    let (body, after) = after.split_at_checked(usize::try_from(length).ok()?)?;
    let whole = rest.get(..rest.len() - after.len())?;
    *rest = after;
    let (_, body) = body.split_first()?;
    let (_, body) = varint::read(body)?;
    let (offset_delta, _) = varint::read_i32(body)?;
    Some(Place { offset_delta, whole })
}

impl<'a> Place<'a> {
    /// The whole record; none if its fields are not what they should be.
    pub fn sketch(&self, header: &BatchHeader) -> Option<Sketch<'a>> {
        sketch(header, &mut { self.whole })
    }
}

/// The batch with these of its records, packed with the same codec. From `delete_horizon_ms` on its tombstones may go:
/// Kafka keeps that in the base timestamp, which an attribute says.
pub fn with_records(
    header: &BatchHeader,
    kept: &[Sketch<'_>],
    delete_horizon_ms: Option<i64>,
    packer: &mut ReusedPacker,
) -> Result<Bytes, BatchError> {
    let base_timestamp = delete_horizon_ms.or_else(|| kept.first().map(|record| record.timestamp));
    let base_timestamp = base_timestamp.unwrap_or(-1);
    let capacity: usize = kept.iter().map(|record| record.whole.len() + 12).sum();
    let mut out = BytesMut::with_capacity(HEADER_BYTES + capacity);
    out.put_bytes(0, HEADER_BYTES);
    // Times count from the base: where it stays, records stay as they are.
    let stays =
        base_timestamp == header.base_timestamp && header.timestamp_type() == TimestampType::CreateTime;
    for record in kept {
        if stays {
            out.extend_from_slice(record.whole);
        } else {
            put_record(&mut out, record, base_timestamp);
        }
    }
    let codec = header.codec()?;
    if codec != Codec::None {
        let plain = out.split_off(HEADER_BYTES);
        let packed = packer.pack(codec, &plain).map_err(|_| BatchError::CannotRepack)?;
        out.extend_from_slice(packed);
    }
    let largest = match header.timestamp_type() {
        TimestampType::LogAppendTime => Some(header.max_timestamp),
        TimestampType::CreateTime => kept.iter().map(|record| record.timestamp).max(),
    };
    let horizon = if delete_horizon_ms.is_some() {
        DELETE_HORIZON
    } else {
        0
    };
    let of = BatchHeader {
        attributes: (header.attributes & !DELETE_HORIZON) | horizon,
        base_timestamp,
        max_timestamp: largest.unwrap_or(-1),
        records_count: kept.len() as i32,
        ..*header
    };
    Ok(seal(&of, out))
}

fn put_record(out: &mut BytesMut, record: &Sketch<'_>, base_timestamp: i64) {
    let timestamp_delta = record.timestamp.wrapping_sub(base_timestamp);
    let offset_delta = i64::from(record.offset_delta);
    let body = 1 + varint::length(timestamp_delta) + varint::length(offset_delta) + record.tail.len();
    varint::write(out, body as i64);
    out.put_u8(0);
    varint::write(out, timestamp_delta);
    varint::write(out, offset_delta);
    out.extend_from_slice(record.tail);
}

/// The batch without a record (`DefaultRecordBatch.writeEmptyHeader`): it only remembers its producer's sequence and
/// where it ended.
pub fn emptied(header: &BatchHeader) -> Bytes {
    let kept = header.attributes & (LOG_APPEND_TIME | crate::header::TRANSACTIONAL | crate::header::CONTROL);
    let of = BatchHeader {
        attributes: kept,
        base_timestamp: -1,
        records_count: 0,
        ..*header
    };
    seal(&of, BytesMut::zeroed(HEADER_BYTES))
}

/// Room for a header, and records behind it: with the header, the length and the checksum that go with them.
fn seal(header: &BatchHeader, mut batch: BytesMut) -> Bytes {
    let length = batch.len().saturating_sub(LENGTH_FROM) as i32;
    if let Some(mut out) = batch.get_mut(..HEADER_BYTES) {
        out.put_i64(header.base_offset.0);
        out.put_i32(length);
        out.put_i32(header.leader_epoch.0);
        out.put_i8(2);
        out.put_u32(0);
        out.put_i16(header.attributes);
        out.put_i32(header.last_offset_delta);
        out.put_i64(header.base_timestamp);
        out.put_i64(header.max_timestamp);
        out.put_i64(header.producer_id.0);
        out.put_i16(header.producer_epoch.0);
        out.put_i32(header.base_sequence);
        out.put_i32(header.records_count);
    }
    let crc = crc32c(batch.get(CRC_FROM..).unwrap_or_default());
    if let Some(place) = batch.get_mut(17..CRC_FROM) {
        place.copy_from_slice(&crc.to_be_bytes());
    }
    batch.freeze()
}

#[cfg(test)]
mod tests {
    use types::{LeaderEpoch, Offset, ProducerEpoch, ProducerId};

    use super::*;
    use crate::{BatchBuilder, BatchOptions, check_crc, decompress, walk};

    fn original(codec: Codec) -> (BatchHeader, Bytes, Bytes) {
        let mut builder = BatchBuilder::new(BatchOptions {
            base_offset: Offset(100),
            leader_epoch: LeaderEpoch(4),
            codec,
            producer_id: ProducerId(7),
            producer_epoch: ProducerEpoch(2),
            base_sequence: 50,
            ..BatchOptions::default()
        });
        builder.push(1000, Some(b"a"), Some(b"one"));
        builder.push_with_headers(1005, Some(b"b"), None, &[("h", Some(b"v")), ("n", None)]);
        builder.push(1002, None, Some(&[9; 300]));
        let batch = builder.build().expect("memory suffices");
        let header = BatchHeader::parse(&batch).expect("ours");
        let payload = decompress(codec, &batch.slice(HEADER_BYTES..), 1 << 20).expect("ours");
        (header, batch, payload)
    }

    #[test]
    fn kept_records_are_what_they_were_at_their_offsets() {
        let mut packer = ReusedPacker::default();
        for codec in [Codec::None, Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd] {
            for horizon in [None, Some(5000)] {
                let (header, batch, payload) = original(codec);
                let all: Vec<Sketch<'_>> = sketches(&header, &payload)
                    .map(|found| found.expect("ours"))
                    .collect();
                assert_eq!(
                    all.iter().map(|record| record.has_value).collect::<Vec<_>>(),
                    [true, false, true]
                );
                let kept = with_records(&header, &all[1..], horizon, &mut packer).expect("memory suffices");
                let found = BatchHeader::parse(&kept).expect("ours");
                check_crc(&found, &kept).expect("its checksum holds");
                assert_eq!(
                    (found.base_offset, found.last_offset()),
                    (Offset(100), Offset(102))
                );
                assert_eq!((found.base_sequence, found.last_sequence()), (50, 52));
                assert_eq!((found.records_count, found.max_timestamp), (2, 1005));
                assert_eq!(found.delete_horizon_ms(), horizon);
                assert_eq!(found.codec(), Ok(codec));
                let plain = decompress(codec, &kept.slice(HEADER_BYTES..), 1 << 20).expect("ours");
                let before: Vec<_> = walk(&header, &payload)
                    .map(|record| record.expect("ours"))
                    .skip(1)
                    .collect();
                let after: Vec<_> = walk(&found, &plain).map(|record| record.expect("ours")).collect();
                for (one, other) in before.iter().zip(&after) {
                    assert_eq!(
                        (one.offset_delta, one.timestamp),
                        (other.offset_delta, other.timestamp)
                    );
                    assert_eq!((one.key, one.value), (other.key, other.value));
                    assert!(one.headers.iter().eq(other.headers.iter()));
                }
                assert_eq!(before.len(), after.len());
                drop(batch);
            }
        }
    }

    #[test]
    fn an_emptied_batch_keeps_its_offsets_and_its_sequence() {
        let (header, _, _) = original(Codec::Lz4);
        let empty = emptied(&header);
        let found = BatchHeader::parse(&empty).expect("ours");
        check_crc(&found, &empty).expect("its checksum holds");
        assert_eq!(empty.len(), HEADER_BYTES);
        assert_eq!(
            (found.last_offset(), found.last_sequence(), found.records_count),
            (Offset(102), 52, 0)
        );
        assert_eq!((found.base_timestamp, found.max_timestamp), (-1, 1005));
        assert_eq!(found.codec(), Ok(Codec::None));
    }
}
