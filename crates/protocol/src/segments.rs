//! Writes Kafka's primitives. Large byte fields are kept by reference, so that stored batches reach the socket
//! without a copy.

use bytes::{BufMut, Bytes, BytesMut};
use smallvec::SmallVec;
use types::Uuid;

use crate::{EncodeError, Records, Str, TaggedFields};

/// Byte fields below this are copied: another slice in a vectored write costs more.
const BY_REFERENCE_BYTES: usize = 512;

/// An encoded message in the making: small things in one buffer, large ones in between by reference.
#[derive(Debug, Default)]
pub struct Segments {
    buffer: BytesMut,
    /// (place in the buffer, bytes that come before what is there).
    large: SmallVec<[(usize, Bytes); 3]>,
    large_bytes: usize,
}

impl Segments {
    pub fn new() -> Segments {
        Segments {
            buffer: BytesMut::with_capacity(128),
            large: SmallVec::new(),
            large_bytes: 0,
        }
    }

    /// Begins a frame: room for the size, which [`Segments::finish_frame`] fills in.
    pub fn frame() -> Segments {
        let mut segments = Segments::new();
        segments.put_i32(0);
        segments
    }

    pub fn len(&self) -> usize {
        self.buffer.len() + self.large_bytes
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Writes the size of what follows into the first four bytes.
    pub fn finish_frame(mut self) -> Result<SmallVec<[Bytes; 3]>, EncodeError> {
        let bytes = self.len().saturating_sub(4);
        let size = i32::try_from(bytes).map_err(|_| EncodeError::TooLong { length: bytes })?;
        if let Some(place) = self.buffer.first_chunk_mut::<4>() {
            *place = size.to_be_bytes();
        }
        Ok(self.into_segments())
    }

    /// The pieces, in order.
    pub fn into_segments(self) -> SmallVec<[Bytes; 3]> {
        let mut buffer = self.buffer.freeze();
        let mut out = SmallVec::new();
        let mut taken = 0;
        for (place, bytes) in self.large {
            if taken < place {
                out.push(buffer.split_to(place - taken));
                taken = place;
            }
            out.push(bytes);
        }
        if !buffer.is_empty() {
            out.push(buffer);
        }
        out
    }

    /// All of it in one piece.
    pub fn into_bytes(self) -> Bytes {
        let segments = self.into_segments();
        match segments.as_slice() {
            [one] => one.clone(),
            many => {
                let mut whole = BytesMut::with_capacity(many.iter().map(Bytes::len).sum());
                many.iter().for_each(|segment| whole.extend_from_slice(segment));
                whole.freeze()
            }
        }
    }

    pub fn put_slice(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// Bytes that may be kept by reference.
    pub fn put_shared(&mut self, bytes: &Bytes) {
        if bytes.len() < BY_REFERENCE_BYTES {
            self.put_slice(bytes);
            return;
        }
        self.large.push((self.buffer.len(), bytes.clone()));
        self.large_bytes += bytes.len();
    }

    pub fn put_bool(&mut self, value: bool) {
        self.buffer.put_u8(u8::from(value));
    }

    pub fn put_i8(&mut self, value: i8) {
        self.buffer.put_i8(value);
    }

    pub fn put_i16(&mut self, value: i16) {
        self.buffer.put_i16(value);
    }

    pub fn put_u16(&mut self, value: u16) {
        self.buffer.put_u16(value);
    }

    pub fn put_i32(&mut self, value: i32) {
        self.buffer.put_i32(value);
    }

    pub fn put_u32(&mut self, value: u32) {
        self.buffer.put_u32(value);
    }

    pub fn put_i64(&mut self, value: i64) {
        self.buffer.put_i64(value);
    }

    pub fn put_f64(&mut self, value: f64) {
        self.buffer.put_f64(value);
    }

    pub fn put_uuid(&mut self, value: Uuid) {
        self.buffer.extend_from_slice(&value.0);
    }

    pub fn put_unsigned_varint(&mut self, value: u32) {
        let mut rest = value;
        while 0x80 <= rest {
            self.buffer.put_u8((rest & 0x7f) as u8 | 0x80);
            rest >>= 7;
        }
        self.buffer.put_u8(rest as u8);
    }

    fn put_compact_length(&mut self, length: usize) -> Result<(), EncodeError> {
        let plus_one = u32::try_from(length + 1).map_err(|_| EncodeError::TooLong { length })?;
        self.put_unsigned_varint(plus_one);
        Ok(())
    }

    pub fn put_string(&mut self, text: &Str, flexible: bool) -> Result<(), EncodeError> {
        let length = text.as_bytes().len();
        let short = i16::try_from(length).map_err(|_| EncodeError::TooLong { length })?;
        if flexible {
            self.put_compact_length(length)?;
        } else {
            self.put_i16(short);
        }
        self.put_slice(text.as_bytes());
        Ok(())
    }

    pub fn put_null_string(&mut self, flexible: bool) {
        if flexible {
            self.put_i8(0)
        } else {
            self.put_i16(-1)
        }
    }

    pub fn put_null_bytes(&mut self, flexible: bool) {
        self.put_null_array(flexible);
    }

    pub fn put_null_array(&mut self, flexible: bool) {
        if flexible {
            self.put_i8(0)
        } else {
            self.put_i32(-1)
        }
    }

    pub fn put_array_len(&mut self, length: usize, flexible: bool) -> Result<(), EncodeError> {
        if flexible {
            return self.put_compact_length(length);
        }
        self.put_i32(i32::try_from(length).map_err(|_| EncodeError::TooLong { length })?);
        Ok(())
    }

    pub fn put_bytes_field(&mut self, bytes: &Bytes, flexible: bool) -> Result<(), EncodeError> {
        self.put_array_len(bytes.len(), flexible)?;
        self.put_shared(bytes);
        Ok(())
    }

    pub fn put_records(&mut self, records: &Records, flexible: bool) -> Result<(), EncodeError> {
        self.put_array_len(records.len(), flexible)?;
        records
            .segments()
            .iter()
            .for_each(|segment| self.put_shared(segment));
        Ok(())
    }

    pub fn put_tagged_fields(&mut self, unknown: &TaggedFields) {
        KnownTags::new().finish(unknown, self);
    }
}

/// The tags of a struct that are set, until their number is known.
#[derive(Debug, Default)]
pub struct KnownTags {
    fields: SmallVec<[(u32, Bytes); 2]>,
}

impl KnownTags {
    pub fn new() -> KnownTags {
        KnownTags::default()
    }

    pub fn put(
        &mut self,
        tag: u32,
        write: impl FnOnce(&mut Segments) -> Result<(), EncodeError>,
    ) -> Result<(), EncodeError> {
        let mut value = Segments::new();
        write(&mut value)?;
        self.fields.push((tag, value.into_bytes()));
        Ok(())
    }

    /// Writes the section: ours and the unknown ones, ascending.
    pub fn finish(mut self, unknown: &TaggedFields, sink: &mut Segments) {
        if !unknown.is_empty() {
            self.fields.extend(unknown.iter().cloned());
            self.fields.sort_by_key(|(tag, _)| *tag);
        }
        sink.put_unsigned_varint(self.fields.len() as u32);
        for (tag, value) in &self.fields {
            sink.put_unsigned_varint(*tag);
            sink.put_unsigned_varint(value.len() as u32);
            sink.put_shared(value);
        }
    }
}
