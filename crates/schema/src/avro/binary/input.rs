//! Reading the primitive encodings from a slice, under a budget.

use super::{DataLimits, Fault};

/// Bytes that are left, and what may still be spent on them.
#[derive(Debug)]
pub(in crate::avro) struct Input<'a> {
    pub rest: &'a [u8],
    memory_left: usize,
    depth_left: u32,
}

/// What a value costs beside its text.
pub(super) const VALUE_BYTES: usize = 32;

#[cold]
fn short() -> Fault {
    Fault::new("the data ends inside a value")
}

impl<'a> Input<'a> {
    pub fn new(bytes: &'a [u8], limits: &DataLimits) -> Input<'a> {
        Input {
            rest: bytes,
            memory_left: limits.memory_bytes_max,
            depth_left: limits.depth_max,
        }
    }

    /// Spends memory, before it is taken.
    #[inline]
    pub fn spend(&mut self, bytes: usize) -> Result<(), Fault> {
        match self.memory_left.checked_sub(bytes) {
            Some(left) => {
                self.memory_left = left;
                Ok(())
            }
            None => Err(Fault::new("the datum takes more memory than is allowed")),
        }
    }

    #[inline]
    pub fn enter(&mut self) -> Result<(), Fault> {
        match self.depth_left.checked_sub(1) {
            Some(left) => {
                self.depth_left = left;
                Ok(())
            }
            None => Err(Fault::new("the datum is nested deeper than is allowed")),
        }
    }

    #[inline]
    pub fn leave(&mut self) {
        self.depth_left += 1;
    }

    #[inline]
    pub fn boolean(&mut self) -> Result<bool, Fault> {
        match self.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(Fault::new(format!("the byte {other} is no boolean"))),
        }
    }

    #[inline]
    pub fn int(&mut self) -> Result<i32, Fault> {
        let value = self.long()?;
        i32::try_from(value).map_err(|_| Fault::new(format!("{value} does not fit an int")))
    }

    #[inline]
    pub fn long(&mut self) -> Result<i64, Fault> {
        let zigzag = match self.rest {
            [a, rest @ ..] if *a < 0x80 => {
                self.rest = rest;
                u64::from(*a)
            }
            [a, b, rest @ ..] if *b < 0x80 => {
                self.rest = rest;
                u64::from(*a & 0x7f) | u64::from(*b) << 7
            }
            _ => self.varint()?,
        };
        Ok((zigzag >> 1) as i64 ^ -((zigzag & 1) as i64))
    }

    fn varint(&mut self) -> Result<u64, Fault> {
        let mut value = 0u64;
        for (at, byte) in self.rest.iter().enumerate().take(10) {
            if at == 9 && *byte > 1 {
                break;
            }
            value |= u64::from(*byte & 0x7f) << (7 * at as u32);
            if *byte < 0x80 {
                self.rest = self.rest.get(at + 1..).unwrap_or_default();
                return Ok(value);
            }
        }
        if self.rest.len() < 10 {
            Err(short())
        } else {
            Err(Fault::new("a number has more than 64 bits"))
        }
    }

    #[inline]
    pub fn float(&mut self) -> Result<f32, Fault> {
        Ok(f32::from_le_bytes(self.array()?))
    }

    #[inline]
    pub fn double(&mut self) -> Result<f64, Fault> {
        Ok(f64::from_le_bytes(self.array()?))
    }

    #[inline]
    pub fn bytes(&mut self) -> Result<&'a [u8], Fault> {
        let length = self.long()?;
        let length = usize::try_from(length).map_err(|_| Fault::new(format!("{length} is no length")))?;
        self.take(length)
    }

    #[inline]
    pub fn text(&mut self) -> Result<&'a str, Fault> {
        let bytes = self.bytes()?;
        std::str::from_utf8(bytes).map_err(|_| Fault::new("a string is not UTF-8"))
    }

    #[inline]
    pub fn take(&mut self, length: usize) -> Result<&'a [u8], Fault> {
        match self.rest.split_at_checked(length) {
            Some((taken, rest)) => {
                self.rest = rest;
                Ok(taken)
            }
            None => Err(short()),
        }
    }

    /// The number of items of the next block; 0 ends the list. The block's length in bytes, if given, is not needed.
    #[inline]
    pub fn block(&mut self) -> Result<usize, Fault> {
        let count = self.long()?;
        if count < 0 {
            let _bytes = self.long()?;
        }
        usize::try_from(count.unsigned_abs()).map_err(|_| Fault::new("a block is too long"))
    }

    /// The next block when whole blocks may be passed over: its items, and its bytes if it says how many.
    pub fn block_to_skip(&mut self) -> Result<(usize, Option<usize>), Fault> {
        let count = self.long()?;
        let items = usize::try_from(count.unsigned_abs()).map_err(|_| Fault::new("a block is too long"))?;
        if count >= 0 {
            return Ok((items, None));
        }
        let bytes = self.long()?;
        let bytes =
            usize::try_from(bytes).map_err(|_| Fault::new(format!("{bytes} is no length of a block")))?;
        Ok((items, Some(bytes)))
    }

    #[inline]
    fn byte(&mut self) -> Result<u8, Fault> {
        let [byte] = self.array()?;
        Ok(byte)
    }

    #[inline]
    fn array<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        match self.rest.split_first_chunk::<N>() {
            Some((taken, rest)) => {
                self.rest = rest;
                Ok(*taken)
            }
            None => Err(short()),
        }
    }
}
