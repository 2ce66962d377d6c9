//! Reads Kafka's primitives from a frame. Text, bytes and records are slices of it.

use bytes::Bytes;
use types::Uuid;

use crate::records::Records;
use crate::tagged::TAGS_MAX;
use crate::view::Cursor;
use crate::{Budget, DecodeError, Str, TaggedFields};

/// A place in a frame.
#[derive(Debug, Clone)]
pub struct Reader {
    bytes: Bytes,
    at: usize,
}

/// How many tags are left in a section.
#[derive(Debug)]
pub struct Tags {
    left: u32,
}

macro_rules! integers {
    ($($name:ident),*) => {
        $(
            pub fn $name(&mut self) -> Result<$name, DecodeError> {
                let (value, at) = {
                    let mut cursor = self.cursor();
                    (cursor.$name()?, cursor.position())
                };
                self.at = at;
                Ok(value)
            }
        )*
    };
}

impl Reader {
    pub fn new(bytes: Bytes) -> Reader {
        Reader { bytes, at: 0 }
    }

    fn cursor(&self) -> Cursor<'_> {
        Cursor::at(&self.bytes, self.at)
    }

    /// Runs a cursor's method and keeps its place.
    fn with<T>(
        &mut self,
        read: impl FnOnce(&mut Cursor<'_>) -> Result<T, DecodeError>,
    ) -> Result<T, DecodeError> {
        let mut cursor = Cursor::at(&self.bytes, self.at);
        let value = read(&mut cursor)?;
        self.at = cursor.position();
        Ok(value)
    }

    pub fn position(&self) -> usize {
        self.at
    }

    pub fn remaining(&self) -> usize {
        self.bytes.len() - self.at
    }

    integers!(i8, i16, u16, i32, u32, i64, f64, bool);

    pub fn uuid(&mut self) -> Result<Uuid, DecodeError> {
        self.with(|cursor| cursor.uuid())
    }

    pub fn unsigned_varint(&mut self) -> Result<u32, DecodeError> {
        self.with(|cursor| cursor.unsigned_varint())
    }

    /// The bytes that a cursor's read gave, as a slice that shares the frame.
    fn slice(
        &mut self,
        read: impl FnOnce(&mut Cursor<'_>) -> Result<Option<usize>, DecodeError>,
    ) -> Result<Option<Bytes>, DecodeError> {
        let length = self.with(read)?;
        Ok(length.map(|length| self.bytes.slice(self.at - length..self.at)))
    }

    pub fn string(&mut self, flexible: bool) -> Result<Option<Str>, DecodeError> {
        let bytes = self.slice(|cursor| Ok(cursor.string(flexible)?.map(str::len)))?;
        Ok(bytes.and_then(Str::from_utf8))
    }

    pub fn bytes(&mut self, flexible: bool) -> Result<Option<Bytes>, DecodeError> {
        self.slice(|cursor| Ok(cursor.bytes(flexible)?.map(<[u8]>::len)))
    }

    pub fn records(&mut self, flexible: bool) -> Result<Option<Records>, DecodeError> {
        Ok(self.bytes(flexible)?.map(Records::from))
    }

    pub fn required<T>(value: Option<T>, field: &'static str) -> Result<T, DecodeError> {
        value.ok_or(DecodeError::Null { field })
    }

    pub fn nullable<T>(
        value: Option<T>,
        allowed: bool,
        field: &'static str,
    ) -> Result<Option<T>, DecodeError> {
        if value.is_none() && !allowed {
            Err(DecodeError::Null { field })
        } else {
            Ok(value)
        }
    }

    pub fn nullable_struct<T>(
        &mut self,
        read: impl FnOnce(&mut Reader) -> Result<T, DecodeError>,
    ) -> Result<Option<T>, DecodeError> {
        if self.i8()? < 0 {
            Ok(None)
        } else {
            read(self).map(Some)
        }
    }

    /// As Kafka 4.3 writes it in a tag: zero is null, which `ConsumerGroupMemberMetadataValue` uses.
    pub fn nullable_tagged_struct<T>(
        &mut self,
        read: impl FnOnce(&mut Reader) -> Result<T, DecodeError>,
    ) -> Result<Option<T>, DecodeError> {
        if self.unsigned_varint()? == 0 {
            Ok(None)
        } else {
            read(self).map(Some)
        }
    }

    /// An array; its memory is charged before it is taken.
    pub fn array<T>(
        &mut self,
        flexible: bool,
        element_bytes_min: usize,
        budget: &mut Budget,
        mut read: impl FnMut(&mut Reader, &mut Budget) -> Result<T, DecodeError>,
    ) -> Result<Option<Vec<T>>, DecodeError> {
        let at = self.at;
        let Some(count) = self.with(|cursor| cursor.array_len(flexible))? else {
            return Ok(None);
        };
        if self.remaining() / element_bytes_min.max(1) < count {
            return Err(DecodeError::CountExceedsFrame { at, count });
        }
        budget.charge(count.checked_mul(size_of::<T>()).ok_or(DecodeError::Budget)?)?;
        let mut items = Vec::with_capacity(count);
        for _ in 0..count {
            items.push(read(self, budget)?);
        }
        Ok(Some(items))
    }

    pub fn tags(&mut self) -> Result<Tags, DecodeError> {
        let left = self.unsigned_varint()?;
        if self.remaining() / 2 < left as usize {
            return Err(DecodeError::CountExceedsFrame {
                at: self.at,
                count: left as usize,
            });
        }
        if TAGS_MAX < left as usize {
            return Err(DecodeError::TooManyTags { max: TAGS_MAX });
        }
        Ok(Tags { left })
    }

    /// The next tag and a reader of its value.
    pub fn next_tag(&mut self, tags: &mut Tags) -> Result<Option<(u32, Reader)>, DecodeError> {
        if tags.left == 0 {
            return Ok(None);
        }
        tags.left -= 1;
        let tag = self.unsigned_varint()?;
        let length = self.unsigned_varint()? as usize;
        self.with(|cursor| cursor.take(length).map(|_| ()))?;
        Ok(Some((
            tag,
            Reader::new(self.bytes.slice(self.at - length..self.at)),
        )))
    }

    /// A section in which no tag is known.
    pub fn tagged_fields(&mut self, budget: &mut Budget) -> Result<TaggedFields, DecodeError> {
        let mut tags = self.tags()?;
        let mut unknown = TaggedFields::default();
        while let Some((tag, field)) = self.next_tag(&mut tags)? {
            unknown.keep(tag, field.rest(), budget)?;
        }
        Ok(unknown)
    }

    pub fn rest(&self) -> Bytes {
        self.bytes.slice(self.at..)
    }

    pub fn finished(&self) -> Result<(), DecodeError> {
        if self.remaining() == 0 {
            Ok(())
        } else {
            Err(DecodeError::Trailing {
                bytes: self.remaining(),
            })
        }
    }
}
