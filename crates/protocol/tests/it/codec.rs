//! One shape for the codecs of all messages.

use std::fmt::Debug;
use std::ops::RangeInclusive;

use bytes::Bytes;
use protocol::{Budget, Decode, DecodeError, Encode, EncodeError, Reader, Segments};

/// A message that was read and written again.
pub struct Again {
    /// As `{:?}` prints it.
    pub text: String,
    pub bytes: Result<Bytes, EncodeError>,
}

pub struct Codec {
    /// The module under `protocol` that has it.
    pub area: &'static str,
    pub name: &'static str,
    /// Of requests only.
    pub key: Option<i16>,
    pub versions: RangeInclusive<i16>,
    decode: fn(&mut Reader, i16, &mut Budget) -> Result<(), DecodeError>,
    again: fn(&mut Reader, i16, &mut Budget, bool) -> Result<Again, DecodeError>,
}

pub fn of<T: Decode + Encode + Debug + 'static>(
    (area, name): (&'static str, &'static str),
    key: Option<i16>,
    versions: RangeInclusive<i16>,
) -> Codec {
    Codec {
        area,
        name,
        key,
        versions,
        decode: decode::<T>,
        again: again::<T>,
    }
}

fn decode<T: Decode>(reader: &mut Reader, version: i16, budget: &mut Budget) -> Result<(), DecodeError> {
    T::decode(reader, version, budget).map(drop)
}

fn again<T: Decode + Encode + Debug>(
    reader: &mut Reader,
    version: i16,
    budget: &mut Budget,
    with_text: bool,
) -> Result<Again, DecodeError> {
    let message = T::decode(reader, version, budget)?;
    let mut sink = Segments::new();
    let bytes = message.encode(version, &mut sink).map(|()| sink.into_bytes());
    Ok(Again {
        text: if with_text {
            format!("{message:?}")
        } else {
            String::new()
        },
        bytes,
    })
}

impl Codec {
    /// Reads a body and drops it; says how many bytes were left over.
    pub fn decode(&self, body: Bytes, version: i16, budget: &mut Budget) -> Result<usize, DecodeError> {
        let mut reader = Reader::new(body);
        (self.decode)(&mut reader, version, budget)?;
        Ok(reader.remaining())
    }

    /// Reads a whole body, prints it and writes it again.
    pub fn print(&self, body: Bytes, version: i16) -> Result<Again, DecodeError> {
        self.whole(body, version, true)
    }

    /// Reads a whole body and writes it again.
    pub fn again(&self, body: Bytes, version: i16) -> Result<Result<Bytes, EncodeError>, DecodeError> {
        self.whole(body, version, false).map(|again| again.bytes)
    }

    fn whole(&self, body: Bytes, version: i16, with_text: bool) -> Result<Again, DecodeError> {
        let mut budget = Budget::after_authentication(body.len());
        let mut reader = Reader::new(body);
        let again = (self.again)(&mut reader, version, &mut budget, with_text)?;
        reader.finished()?;
        Ok(again)
    }
}
