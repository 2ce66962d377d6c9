//! Records of an uncompressed payload, read where they lie.

use crate::varint;
use crate::{BatchError, BatchHeader};

/// One record. Key, value and headers borrow from the batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record<'a> {
    pub offset_delta: i32,
    pub timestamp: i64,
    pub key: Option<&'a [u8]>,
    pub value: Option<&'a [u8]>,
    pub headers: Headers<'a>,
}

/// A record's headers in order; names may repeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Headers<'a> {
    bytes: &'a [u8],
    count: i32,
}

impl<'a> Headers<'a> {
    pub fn len(&self) -> usize {
        self.count.max(0) as usize
    }

    pub fn is_empty(&self) -> bool {
        self.count <= 0
    }

    pub fn iter(&self) -> impl Iterator<Item = (&'a [u8], Option<&'a [u8]>)> + use<'a> {
        let mut rest = self.bytes;
        (0..self.count).map_while(move |_| {
            let (name, after) = chunk(rest)?;
            let (value, after) = chunk(after)?;
            rest = after;
            Some((name?, value))
        })
    }
}

/// Iterates over records; ends with an error where the bytes are not what the header says.
#[derive(Debug, Clone)]
pub struct Records<'a> {
    rest: &'a [u8],
    base_timestamp: i64,
    index: i32,
    count: i32,
    failed: bool,
}

/// The records of a payload that is not (or no longer) compressed.
pub fn walk<'a>(header: &BatchHeader, payload: &'a [u8]) -> Records<'a> {
    Records {
        rest: payload,
        base_timestamp: header.base_timestamp,
        index: 0,
        count: header.records_count,
        failed: false,
    }
}

/// Whether the payload is as many records as the header says, by their lengths alone; what is inside them is not
/// looked at. Much quicker than [`walk`].
pub fn check_lengths(header: &BatchHeader, payload: &[u8]) -> Result<(), BatchError> {
    let mut rest = payload;
    for index in 0..header.records_count {
        let body =
            varint::read_i32(rest).and_then(|(length, after)| after.get(usize::try_from(length).ok()?..));
        rest = body.ok_or(BatchError::Malformed {
            index,
            what: "its length",
        })?;
    }
    if rest.is_empty() {
        return Ok(());
    }
    Err(BatchError::Malformed {
        index: header.records_count,
        what: "bytes after the last record",
    })
}

/// Bytes with a varint length; -1 is null.
#[inline]
fn chunk(bytes: &[u8]) -> Option<(Option<&[u8]>, &[u8])> {
    let (length, rest) = varint::read_i32(bytes)?;
    match length {
        -1 => Some((None, rest)),
        0.. => rest
            .split_at_checked(length as usize)
            .map(|(value, rest)| (Some(value), rest)),
        _ => None,
    }
}

impl<'a> Records<'a> {
    #[inline]
    fn record(&mut self) -> Result<Record<'a>, &'static str> {
        let (length, rest) = varint::read_i32(self.rest).ok_or("its length")?;
        let length = usize::try_from(length).map_err(|_| "its length is negative")?;
        let (body, rest) = rest
            .split_at_checked(length)
            .ok_or("it is longer than the batch")?;
        self.rest = rest;
        let (_, body) = body.split_first().ok_or("its attributes")?;
        let (timestamp_delta, body) = varint::read(body).ok_or("its timestamp")?;
        let (offset_delta, body) = varint::read_i32(body).ok_or("its offset delta")?;
        let (key, body) = chunk(body).ok_or("its key")?;
        let (value, body) = chunk(body).ok_or("its value")?;
        let (count, header_bytes) = varint::read_i32(body).ok_or("its header count")?;
        if count < 0 {
            return Err("its header count is negative");
        }
        let mut after = header_bytes;
        for _ in 0..count {
            let (name, rest) = chunk(after).ok_or("a header's name")?;
            name.ok_or("a header's name is null")?;
            (_, after) = chunk(rest).ok_or("a header's value")?;
        }
        if !after.is_empty() {
            return Err("bytes are left over");
        }
        let timestamp = self.base_timestamp.wrapping_add(timestamp_delta);
        let headers = Headers {
            bytes: header_bytes,
            count,
        };
        Ok(Record {
            offset_delta,
            timestamp,
            key,
            value,
            headers,
        })
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Result<Record<'a>, BatchError>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        if self.count <= self.index {
            if self.rest.is_empty() {
                return None;
            }
            self.failed = true;
            return Some(Err(BatchError::Malformed {
                index: self.index,
                what: "bytes after the last record",
            }));
        }
        let index = self.index;
        self.index += 1;
        let record = self.record();
        self.failed = record.is_err();
        Some(record.map_err(|what| BatchError::Malformed { index, what }))
    }
}
