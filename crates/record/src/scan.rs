//! Records read out of a fixed buffer: what a check or a lookup needs to know of each, however long they are.

use std::io::{Read, Write};
use std::ops::ControlFlow;

use crate::codec::Unpacker;
use crate::{BatchError, BatchHeader, varint};

/// The buffer; keys, values and headers pass through it and are not kept.
const BUFFER_BYTES: usize = 16 << 10;
/// The longest varint.
const VARINT_BYTES_MAX: usize = 10;

/// What a scan tells of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Scanned {
    pub(crate) offset_delta: i32,
    pub(crate) timestamp: i64,
    pub(crate) has_key: bool,
}

/// Goes through all records of a batch, or until `each` breaks off. Everything that is read is also written to `copy`.
pub(crate) fn scan<B>(
    header: &BatchHeader,
    payload: Unpacker<'_>,
    copy: Option<&mut dyn Write>,
    mut each: impl FnMut(i32, Scanned) -> ControlFlow<B>,
) -> Result<Option<B>, BatchError> {
    let mut source = Source {
        payload,
        copy,
        buffer: vec![0; BUFFER_BYTES].into_boxed_slice(),
        at: 0,
        end: 0,
        taken: 0,
    };
    for index in 0..header.records_count {
        let record = source.record(header, index)?;
        if let ControlFlow::Break(found) = each(index, record) {
            return Ok(Some(found));
        }
    }
    if source.need(1)? {
        let what = "bytes after the last record";
        return Err(BatchError::Malformed {
            index: header.records_count,
            what,
        });
    }
    Ok(None)
}

struct Source<'a, 'b> {
    payload: Unpacker<'a>,
    copy: Option<&'b mut dyn Write>,
    buffer: Box<[u8]>,
    at: usize,
    end: usize,
    /// Bytes that were taken so far.
    taken: u64,
}

impl Source<'_, '_> {
    fn record(&mut self, header: &BatchHeader, index: i32) -> Result<Scanned, BatchError> {
        let malformed = |what| BatchError::Malformed { index, what };
        let length = self.number()?.ok_or(malformed("its length"))?;
        let length = u64::try_from(length).map_err(|_| malformed("its length is negative"))?;
        let end = self.taken + length;
        self.skip(1, malformed("its attributes"))?;
        let timestamp_delta = self.varint()?.ok_or(malformed("its timestamp"))?;
        let offset_delta = self.number()?.ok_or(malformed("its offset delta"))?;
        let has_key = self.chunk(malformed("its key"))?;
        self.chunk(malformed("its value"))?;
        let headers = self.number()?.ok_or(malformed("its header count"))?;
        if headers < 0 {
            return Err(malformed("its header count is negative"));
        }
        for _ in 0..headers {
            if !self.chunk(malformed("a header's name"))? {
                return Err(malformed("a header's name is null"));
            }
            self.chunk(malformed("a header's value"))?;
            if end < self.taken {
                break;
            }
        }
        if self.taken != end {
            return Err(malformed("it is not as long as it says"));
        }
        Ok(Scanned {
            offset_delta,
            timestamp: header.base_timestamp.wrapping_add(timestamp_delta),
            has_key,
        })
    }

    /// Bytes with a length in front; false if they are null.
    fn chunk(&mut self, malformed: BatchError) -> Result<bool, BatchError> {
        match self.number()? {
            Some(-1) => Ok(false),
            Some(length @ 0..) => {
                self.skip(length as u64, malformed)?;
                Ok(true)
            }
            _ => Err(malformed),
        }
    }

    fn varint(&mut self) -> Result<Option<i64>, BatchError> {
        self.need(VARINT_BYTES_MAX)?;
        let ready = self.buffer.get(self.at..self.end).unwrap_or_default();
        let Some((value, rest)) = varint::read(ready) else {
            return Ok(None);
        };
        let used = ready.len() - rest.len();
        self.at += used;
        self.taken += used as u64;
        Ok(Some(value))
    }

    fn number(&mut self) -> Result<Option<i32>, BatchError> {
        self.need(VARINT_BYTES_MAX)?;
        let ready = self.buffer.get(self.at..self.end).unwrap_or_default();
        let Some((value, rest)) = varint::read_i32(ready) else {
            return Ok(None);
        };
        let used = ready.len() - rest.len();
        self.at += used;
        self.taken += used as u64;
        Ok(Some(value))
    }

    fn skip(&mut self, mut count: u64, malformed: BatchError) -> Result<(), BatchError> {
        self.taken += count;
        loop {
            let ready = (self.end - self.at) as u64;
            if count <= ready {
                self.at += count as usize;
                return Ok(());
            }
            count -= ready;
            self.at = self.end;
            if !self.need(1)? {
                return Err(malformed);
            }
        }
    }

    /// Reads until `count` bytes are ready. False: the payload ends before.
    fn need(&mut self, count: usize) -> Result<bool, BatchError> {
        while self.end - self.at < count {
            self.buffer.copy_within(self.at..self.end, 0);
            self.end -= self.at;
            self.at = 0;
            let place = self.buffer.get_mut(self.end..).unwrap_or_default();
            let read = match self.payload.read(place) {
                Ok(read) => read,
                Err(error) => return Err(self.payload.refusal(&error)),
            };
            if read == 0 {
                return Ok(false);
            }
            let new = place.get(..read).unwrap_or_default();
            if let Some(copy) = &mut self.copy {
                copy.write_all(new).map_err(|_| BatchError::CannotRepack)?;
            }
            self.end += read;
        }
        Ok(true)
    }
}
