//! Borrowed reading: a cursor over a slice, and arrays that are read where they lie.

use std::marker::PhantomData;

use bytes::Bytes;
use types::Uuid;

use crate::DecodeError;
use crate::tagged::TAGS_MAX;

/// A place in a slice.
#[derive(Debug, Clone)]
pub struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

/// How many tags are left in a section.
#[derive(Debug)]
pub struct CursorTags {
    left: u32,
}

/// What can be read borrowed.
pub trait View<'a>: Sized {
    fn read(cursor: &mut Cursor<'a>, version: i16) -> Result<Self, DecodeError>;

    /// What stands where a version has no such field.
    fn empty() -> Self;
}

macro_rules! fixed {
    ($($name:ident: $kind:ty = $bytes:literal;)*) => {
        $(
            pub fn $name(&mut self) -> Result<$kind, DecodeError> {
                let bytes = self.take($bytes)?;
                let bytes = bytes.first_chunk::<$bytes>().ok_or(DecodeError::Short { at: self.at, missing: 0 })?;
                Ok(<$kind>::from_be_bytes(*bytes))
            }
        )*
    };
}

impl<'a> Cursor<'a> {
    pub fn new(bytes: &'a [u8]) -> Cursor<'a> {
        Cursor { bytes, at: 0 }
    }

    pub(crate) fn at(bytes: &'a [u8], at: usize) -> Cursor<'a> {
        Cursor { bytes, at }
    }

    pub fn position(&self) -> usize {
        self.at
    }

    pub fn take(&mut self, length: usize) -> Result<&'a [u8], DecodeError> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        match rest.split_at_checked(length) {
            Some((taken, _)) => {
                self.at += length;
                Ok(taken)
            }
            None => Err(DecodeError::Short {
                at: self.at,
                missing: length - rest.len(),
            }),
        }
    }

    fixed! {
        i8: i8 = 1;
        i16: i16 = 2;
        u16: u16 = 2;
        i32: i32 = 4;
        u32: u32 = 4;
        i64: i64 = 8;
        f64: f64 = 8;
    }

    pub fn bool(&mut self) -> Result<bool, DecodeError> {
        Ok(self.i8()? != 0)
    }

    pub fn uuid(&mut self) -> Result<Uuid, DecodeError> {
        let bytes = self.take(16)?;
        bytes
            .first_chunk()
            .map(|bytes| Uuid(*bytes))
            .ok_or(DecodeError::Short {
                at: self.at,
                missing: 16,
            })
    }

    pub fn unsigned_varint(&mut self) -> Result<u32, DecodeError> {
        let start = self.at;
        let mut value = 0u64;
        for shift in (0..35).step_by(7) {
            let byte = self.take(1)?.first().copied().unwrap_or_default();
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return u32::try_from(value).map_err(|_| DecodeError::Varint { at: start });
            }
        }
        Err(DecodeError::Varint { at: start })
    }

    fn compact_length(&mut self) -> Result<Option<usize>, DecodeError> {
        Ok((self.unsigned_varint()? as usize).checked_sub(1))
    }

    /// Any negative length is null, as Kafka reads it (trap 115).
    fn checked(length: i64) -> Option<usize> {
        usize::try_from(length).ok()
    }

    pub fn string(&mut self, flexible: bool) -> Result<Option<&'a str>, DecodeError> {
        let length = if flexible {
            self.compact_length()?
        } else {
            let length = self.i16()?;
            Self::checked(i64::from(length))
        };
        let Some(length) = length else { return Ok(None) };
        if (i16::MAX as usize) < length {
            return Err(DecodeError::Length {
                at: self.at,
                length: length as i64,
            });
        }
        let at = self.at;
        let bytes = self.take(length)?;
        std::str::from_utf8(bytes)
            .map(Some)
            .map_err(|_| DecodeError::Utf8 { at })
    }

    pub fn bytes(&mut self, flexible: bool) -> Result<Option<&'a [u8]>, DecodeError> {
        let length = self.array_len(flexible)?;
        length.map(|length| self.take(length)).transpose()
    }

    pub fn records(&mut self, flexible: bool) -> Result<Option<RecordsView<'a>>, DecodeError> {
        Ok(self.bytes(flexible)?.map(|bytes| RecordsView { bytes }))
    }

    /// The count of an array, or the length of bytes.
    pub fn array_len(&mut self, flexible: bool) -> Result<Option<usize>, DecodeError> {
        if flexible {
            return self.compact_length();
        }
        let length = self.i32()?;
        Ok(Self::checked(i64::from(length)))
    }

    /// Walks an array once, which proves it whole.
    pub fn array<T: View<'a>>(
        &mut self,
        flexible: bool,
        version: i16,
    ) -> Result<Option<ArrayView<'a, T>>, DecodeError> {
        let Some(count) = self.array_len(flexible)? else {
            return Ok(None);
        };
        let at = self.at;
        if self.bytes.len() - at < count {
            return Err(DecodeError::CountExceedsFrame { at, count });
        }
        for _ in 0..count {
            T::read(self, version)?;
        }
        let bytes = self.bytes.get(at..self.at).unwrap_or_default();
        Ok(Some(ArrayView {
            bytes,
            count,
            version,
            element: PhantomData,
        }))
    }

    pub fn required<T>(value: Option<T>) -> Result<T, DecodeError> {
        value.ok_or(DecodeError::Null { field: "a field" })
    }

    pub fn tags(&mut self) -> Result<CursorTags, DecodeError> {
        let left = self.unsigned_varint()?;
        if TAGS_MAX < left as usize {
            return Err(DecodeError::TooManyTags { max: TAGS_MAX });
        }
        Ok(CursorTags { left })
    }

    pub fn next_tag(&mut self, tags: &mut CursorTags) -> Result<Option<(u32, Cursor<'a>)>, DecodeError> {
        if tags.left == 0 {
            return Ok(None);
        }
        tags.left -= 1;
        let tag = self.unsigned_varint()?;
        let length = self.unsigned_varint()? as usize;
        Ok(Some((tag, Cursor::new(self.take(length)?))))
    }
}

impl<'a> View<'a> for i32 {
    fn read(cursor: &mut Cursor<'a>, _: i16) -> Result<i32, DecodeError> {
        cursor.i32()
    }

    fn empty() -> i32 {
        0
    }
}

/// The bytes of a records field, inside the frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordsView<'a> {
    bytes: &'a [u8],
}

impl<'a> RecordsView<'a> {
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The same bytes as a slice that shares `frame`, which must be the frame that the view was read from.
    pub fn slice_of(&self, frame: &Bytes) -> Bytes {
        if self.bytes.is_empty() {
            Bytes::new()
        } else {
            frame.slice_ref(self.bytes)
        }
    }
}

impl<'a> View<'a> for RecordsView<'a> {
    fn read(cursor: &mut Cursor<'a>, _: i16) -> Result<Self, DecodeError> {
        Ok(cursor.records(false)?.unwrap_or(Self::empty()))
    }

    fn empty() -> Self {
        RecordsView { bytes: &[] }
    }
}

/// An array that is read where it lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ArrayView<'a, T> {
    bytes: &'a [u8],
    count: usize,
    version: i16,
    element: PhantomData<T>,
}

impl<'a, T: View<'a>> ArrayView<'a, T> {
    pub fn len(&self) -> usize {
        self.count
    }

    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    pub fn iter(&self) -> impl Iterator<Item = T> + use<'a, T> {
        let (mut cursor, version) = (Cursor::new(self.bytes), self.version);
        // Every element was read once already, so none fails.
        (0..self.count).map_while(move |_| T::read(&mut cursor, version).ok())
    }
}

impl<'a, T: View<'a>> View<'a> for ArrayView<'a, T> {
    fn read(cursor: &mut Cursor<'a>, version: i16) -> Result<Self, DecodeError> {
        Ok(cursor.array(false, version)?.unwrap_or(Self::empty()))
    }

    fn empty() -> Self {
        ArrayView {
            bytes: &[],
            count: 0,
            version: 0,
            element: PhantomData,
        }
    }
}
