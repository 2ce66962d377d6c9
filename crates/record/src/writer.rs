//! Writes a batch where it will be sent from: records go behind room for the header, which is filled in at the end.
//! No record is copied twice, and none allocates.

use bytes::{BufMut, Bytes, BytesMut};
use types::{ProducerEpoch, ProducerId};

use crate::header::{CRC_FROM, HEADER_BYTES, LENGTH_FROM};
use crate::{BatchOptions, Codec, compress, crc32c, varint};

/// Where the producer's id begins in a batch.
const PRODUCER_FROM: usize = 43;
const SEQUENCE_TO: usize = 57;

/// A header of a record: its name and value.
pub type HeaderRef<'a> = (&'a str, Option<&'a [u8]>);

/// A batch that is being written in place.
#[derive(Debug)]
pub struct BatchWriter {
    buffer: BytesMut,
    count: i32,
    base_timestamp: i64,
    max_timestamp: i64,
}

/// A few varints on the stack.
struct Head {
    bytes: [u8; 48],
    length: usize,
}

impl Head {
    fn byte(&mut self, byte: u8) {
        if let Some(place) = self.bytes.get_mut(self.length) {
            *place = byte;
            self.length += 1;
        }
    }

    fn varint(&mut self, value: i64) {
        let mut rest = ((value << 1) ^ (value >> 63)) as u64;
        while 0x80 <= rest {
            self.byte((rest & 0x7f) as u8 | 0x80);
            rest >>= 7;
        }
        self.byte(rest as u8);
    }

    fn written(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

fn chunk_bytes(chunk: Option<&[u8]>) -> usize {
    match chunk {
        None => 1,
        Some(bytes) => varint::length(bytes.len() as i64) + bytes.len(),
    }
}

fn length_or_null(chunk: Option<&[u8]>) -> i64 {
    chunk.map_or(-1, |bytes| bytes.len() as i64)
}

impl BatchWriter {
    /// An empty batch with room for `bytes` in all.
    pub fn with_capacity(bytes: usize) -> BatchWriter {
        let mut buffer = BytesMut::with_capacity(bytes.max(HEADER_BYTES));
        buffer.put_bytes(0, HEADER_BYTES);
        BatchWriter {
            buffer,
            count: 0,
            base_timestamp: -1,
            max_timestamp: -1,
        }
    }

    /// How many records it has.
    pub fn count(&self) -> i32 {
        self.count
    }

    /// Bytes so far, with the header, before compression.
    pub fn bytes(&self) -> usize {
        self.buffer.len()
    }

    /// The most bytes that a record can add to any batch.
    pub fn record_bytes_max(key: Option<&[u8]>, value: Option<&[u8]>, headers: &[HeaderRef<'_>]) -> usize {
        // Length, attributes, a timestamp delta of 64 bits, an offset delta and a header count of 32 bits.
        5 + 1 + 10 + 5 + 5 + chunk_bytes(key) + chunk_bytes(value) + headers_bytes(headers)
    }

    /// Adds a record; gives its place in the batch.
    pub fn push(
        &mut self,
        timestamp: i64,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        headers: &[HeaderRef<'_>],
    ) -> i32 {
        if self.count == 0 {
            self.base_timestamp = timestamp;
        }
        self.max_timestamp = self.max_timestamp.max(timestamp);
        let timestamp_delta = timestamp.wrapping_sub(self.base_timestamp);
        let offset_delta = i64::from(self.count);
        let body = 1
            + varint::length(timestamp_delta)
            + varint::length(offset_delta)
            + chunk_bytes(key)
            + chunk_bytes(value)
            + varint::length(headers.len() as i64)
            + headers_bytes(headers);
        let mut head = Head {
            bytes: [0; 48],
            length: 0,
        };
        head.varint(body as i64);
        head.byte(0);
        head.varint(timestamp_delta);
        head.varint(offset_delta);
        head.varint(length_or_null(key));
        self.buffer.reserve(body + varint::length(body as i64));
        self.buffer.extend_from_slice(head.written());
        self.buffer.extend_from_slice(key.unwrap_or_default());
        varint::write(&mut self.buffer, length_or_null(value));
        self.buffer.extend_from_slice(value.unwrap_or_default());
        varint::write(&mut self.buffer, headers.len() as i64);
        for (name, value) in headers {
            varint::write(&mut self.buffer, name.len() as i64);
            self.buffer.extend_from_slice(name.as_bytes());
            varint::write(&mut self.buffer, length_or_null(*value));
            self.buffer.extend_from_slice(value.unwrap_or_default());
        }
        self.count += 1;
        self.count - 1
    }

    /// The finished batch. Compression makes a new one; without it these are the bytes that were written.
    pub fn finish(mut self, options: &BatchOptions) -> std::io::Result<Bytes> {
        if options.codec != Codec::None {
            let packed = compress(options.codec, self.buffer.get(HEADER_BYTES..).unwrap_or_default())?;
            let mut packed_buffer = BytesMut::with_capacity(HEADER_BYTES + packed.len());
            packed_buffer.put_bytes(0, HEADER_BYTES);
            packed_buffer.extend_from_slice(&packed);
            self.buffer = packed_buffer;
        }
        let header = self.header(options);
        if let Some(place) = self.buffer.get_mut(..HEADER_BYTES) {
            place.copy_from_slice(&header);
        }
        put_crc(&mut self.buffer);
        Ok(self.buffer.freeze())
    }

    fn header(&self, options: &BatchOptions) -> [u8; HEADER_BYTES] {
        let mut header = [0; HEADER_BYTES];
        let mut out = header.as_mut_slice();
        let attributes = options.codec.attributes()
            | (i16::from(options.is_transactional) << 4)
            | (i16::from(options.is_control) << 5);
        out.put_i64(options.base_offset.0);
        out.put_i32((self.buffer.len() - LENGTH_FROM) as i32);
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
        header
    }
}

fn headers_bytes(headers: &[HeaderRef<'_>]) -> usize {
    headers
        .iter()
        .map(|(name, value)| chunk_bytes(Some(name.as_bytes())) + chunk_bytes(*value))
        .sum()
}

fn put_crc(batch: &mut BytesMut) {
    let crc = crc32c(batch.get(CRC_FROM..).unwrap_or_default());
    if let Some(place) = batch.get_mut(17..21) {
        place.copy_from_slice(&crc.to_be_bytes());
    }
}

/// The same batch by another producer, epoch and first sequence. Copies it.
pub fn with_producer(batch: &[u8], id: ProducerId, epoch: ProducerEpoch, base_sequence: i32) -> Bytes {
    let mut copy = BytesMut::from(batch);
    if let Some(mut place) = copy.get_mut(PRODUCER_FROM..SEQUENCE_TO) {
        place.put_i64(id.0);
        place.put_i16(epoch.0);
        place.put_i32(base_sequence);
    }
    put_crc(&mut copy);
    copy.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BatchBuilder, BatchHeader, check_crc};

    #[test]
    fn a_batch_written_in_place_is_the_one_that_the_builder_builds() {
        for codec in [Codec::None, Codec::Lz4] {
            let options = BatchOptions {
                codec,
                producer_id: ProducerId(7),
                producer_epoch: ProducerEpoch(1),
                base_sequence: 5,
                ..BatchOptions::default()
            };
            let mut builder = BatchBuilder::new(options.clone());
            let mut writer = BatchWriter::with_capacity(100);
            let headers: &[HeaderRef<'_>] = &[("a", Some(b"1")), ("a", None)];
            for index in 0..300i64 {
                let value = vec![b'x'; index as usize];
                let (key, value) = (Some(&b"key"[..]), (index % 5 != 0).then_some(&value[..]));
                let before = writer.bytes();
                builder.push_with_headers(1000 - index, key, value, headers);
                writer.push(1000 - index, key, value, headers);
                assert!(writer.bytes() - before <= BatchWriter::record_bytes_max(key, value, headers));
            }
            let built = builder.build().expect("memory");
            assert_eq!(writer.finish(&options).expect("memory"), built);
        }
    }

    #[test]
    fn another_producer_leaves_a_sound_batch() {
        let mut writer = BatchWriter::with_capacity(100);
        writer.push(1, None, Some(b"v"), &[]);
        let batch = writer.finish(&BatchOptions::default()).expect("memory");
        let other = with_producer(&batch, ProducerId(9), ProducerEpoch(2), 77);
        let header = BatchHeader::parse(&other).expect("whole");
        assert_eq!(
            (header.producer_id, header.producer_epoch.0, header.base_sequence),
            (ProducerId(9), 2, 77)
        );
        assert_eq!(check_crc(&header, &other), Ok(()));
    }
}
